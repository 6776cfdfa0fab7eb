"""pytest plugin of `emanet[testing]`."""
