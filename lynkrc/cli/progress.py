"""What a long command is doing, on a terminal: one line of standard error, and for how long.

A thread writes it, since most of what takes long (a compiler, the solver) says nothing meanwhile.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from lynkrc.diagnostics.wording import printable

if TYPE_CHECKING:
    from threading import Thread

PATIENCE = 1.0
"""Seconds after which it is shown what is being done."""
_EVERY = 0.25


@final
class Progress:
    """Says on a terminal what is being done, once that takes longer than a second.

    Of several at once, one in another, the innermost speaks. Nothing is written into a pipe.
    """

    def __init__(self, verb: str = "proving", *, patience: float = PATIENCE) -> None:
        self._verb, self._patience = verb, patience
        self._what: str | None = None
        self._shown = 0
        self._thread: Thread | None = None

    def __enter__(self) -> Callable[[str], None]:
        """How to say it."""
        self._began = time.monotonic()
        _ACTIVE.append(self)
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            # Here, since few commands take so long, and fewer have a terminal.
            from threading import Event, Thread

            self._done: Event = Event()
            self._thread = Thread(target=self._tell, name="progress", daemon=True)
            self._thread.start()
        return self._say

    def __exit__(self, *_: object) -> None:
        """Leave a clean line."""
        _ACTIVE.remove(self)
        if self._thread is not None:
            self._done.set()
            self._thread.join()
        if self._shown:
            self._write("")

    def _say(self, what: str) -> None:
        self._what = what

    def _tell(self) -> None:
        left = self._patience
        while not self._done.wait(left):
            left = _EVERY
            if self._what is not None and _ACTIVE[-1:] == [self]:
                text = f"{self._verb} {printable(self._what)}"
                passed = f"  {time.monotonic() - self._began:.0f} s"
                room = max(1, shutil.get_terminal_size().columns - 1 - len(passed))
                self._write(f"{text[:room]}{passed}")

    def _write(self, text: str) -> None:
        """Instead of what was shown, without a sequence that a terminal might not know."""
        blank = " " * (self._shown - len(text))
        print(f"\r{text}{blank}" + "\r" * (not text), end="", file=sys.stderr, flush=True)
        self._shown = len(text)


_ACTIVE: list[Progress] = []
"""Those at work, the innermost last: there is one standard error."""


@contextmanager
def doing(verb: str, what: str) -> Iterator[None]:
    """Say that one thing is being done, that cannot say how far it is."""
    with Progress(verb) as say:
        say(what)
        yield
