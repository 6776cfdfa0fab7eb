"""The servers: inventory, crypto and access_audit, and the runtime that hosts them."""
