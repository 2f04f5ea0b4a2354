"""What outlives a request, in a store of one interface: memory, SQLite, Redis."""
