"""Headers that are the same from call to call, and what is worked out of them once.

A provider's configured headers keep what calls with them say beyond (`ProviderHeaders.sent`), and
these keep the head of a request to a place (`SentHeaders.heads`). Of what a client says only its
version and betas are in either, which a dialect's writer passes on; its own credential is in none.
All of it ends with the provider's row: nothing outlives a reload.
"""

from collections.abc import Hashable
from typing import TypeAlias, final

MOST_SENT = 64
"""Headers kept for one provider: as many as it has dialects, versions and betas, and more."""
MOST_HEADS = 16
"""Heads kept of one of them: the addresses of a provider's models."""
LONGEST = 4096
"""Bytes of a head that is kept, and characters of what is asked for; the usual has a few hundred.
"""

SentKey: TypeAlias = tuple[str | tuple[str, str], ...]
"""What is asked for, and the names and values of the headers a dialect's writer set."""


@final
class SentHeaders(dict[str, str]):
    """Headers of every call that is like another. Nobody changes them: they are passed on as a
    mapping.
    """

    __slots__ = ("heads",)

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers)
        self.heads: dict[Hashable, bytes] = {}
        """By the place, a head up to the length of the body."""

    def keep(self, place: Hashable, began: bytes) -> None:
        """Keep the head for a place; too many make room for new ones."""
        if len(began) <= LONGEST:
            if len(self.heads) >= MOST_HEADS:
                self.heads.clear()
            self.heads[place] = began


@final
class ProviderHeaders(dict[str, str]):
    """A provider's configured headers with its credentials, which nobody changes either."""

    __slots__ = ("sent",)

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers)
        self.sent: dict[SentKey, SentHeaders] = {}
        """By what differs, the headers of a call with these."""

    def keep(self, key: SentKey, headers: dict[str, str]) -> SentHeaders:
        """Keep what is sent; too many make room for new ones."""
        kept = SentHeaders(headers)
        # Of the key: it holds also what is not sent in the end.
        if sum(len(part) if isinstance(part, str) else len(part[1]) for part in key) <= LONGEST:
            if len(self.sent) >= MOST_SENT:
                self.sent.clear()
            self.sent[key] = kept
        return kept
