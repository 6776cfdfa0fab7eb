"""The `emanet` command: a client of the services, never a part of them."""
