"""In-memory fakes with the same rules and errors as the services."""
