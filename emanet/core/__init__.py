"""Pure building blocks shared by services, client and verifier: no I/O, no gRPC, no database."""
