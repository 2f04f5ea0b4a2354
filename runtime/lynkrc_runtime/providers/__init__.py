"""Facts about provider kinds: address, auth, quirks."""
