"""A client, a gateway for it, and the client run in the foreground behind it."""
