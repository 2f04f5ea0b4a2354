"""A virtual key to what it is kept as, by the compiler's command and by the gateway alike.

>>> digest_of("sesame")[:16]
'd0c04f4b1951e4ae'
"""

import hashlib


def digest_of(secret: str) -> str:
    """The key's SHA-256 in hex. Keys are long and random, so no salt is needed."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
