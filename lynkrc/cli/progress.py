"""What a long command is doing, on a terminal."""

import sys
import time
from collections.abc import Callable
from typing import final

_PATIENCE = 1.0
"""Seconds after which it is shown what is being done."""


@final
class Progress:
    """Says on a terminal what is being decided, once that takes longer than a second."""

    def __init__(self, verb: str = "proving") -> None:
        self._verb = verb

    def __enter__(self) -> Callable[[str], None]:
        """How to say it."""
        self._began = time.monotonic()
        self._spoke = False
        return self._say

    def __exit__(self, *_: object) -> None:
        """Leave a clean line."""
        if self._spoke:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _say(self, what: str) -> None:
        if sys.stderr.isatty() and time.monotonic() - self._began > _PATIENCE:
            self._spoke = True
            print(f"\r\x1b[K{self._verb} {what[:80]}", end="", file=sys.stderr, flush=True)
