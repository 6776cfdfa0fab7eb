"""Emanet: personal-data inventory, field encryption and access audit under KVKK (law 6698)."""

__version__ = "0.1.0"

__all__ = ["__version__"]
