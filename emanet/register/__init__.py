"""The inventory of one organization as one immutable value, and pure functions over it."""
