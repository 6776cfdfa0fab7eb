"""The gRPC edge, a module for each service of the contract."""
