"""What the RPCs do: one class for each group of them, between the gRPC edge and the storage."""
