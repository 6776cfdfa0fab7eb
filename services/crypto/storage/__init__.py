"""SQL of crypto, a module for each group of tables; the caller owns the transaction."""

from services.crypto.storage import destruction, keys, log, register

__all__ = ["destruction", "keys", "log", "register"]
