"""What a long command does is told at a terminal, also while it says nothing; and nowhere else."""

import io
import sys
from threading import Event, enumerate

import pytest

from lynkrc.cli.progress import Progress, doing

PATIENCE = 60


class Standard(io.StringIO):
    """A standard error that says when a text was written to it."""

    def __init__(self, wanted: str, *, is_terminal: bool = True) -> None:
        super().__init__()
        self.wanted, self.is_terminal, self.seen = wanted, is_terminal, Event()

    def isatty(self) -> bool:
        return self.is_terminal

    def write(self, text: str) -> int:
        found = super().write(text)
        if self.wanted in text:
            self.seen.set()
        return found


def test_it_is_told_without_another_word(monkeypatch: pytest.MonkeyPatch) -> None:
    err = Standard("compiling one ")
    monkeypatch.setattr(sys, "stderr", err)
    with Progress("compiling", patience=0.0) as say:
        say("one")
        assert err.seen.wait(PATIENCE)
    shown, blank, end = err.getvalue().rsplit("\r", 2)
    assert blank == " " * len(shown.split("\r")[-1]) != ""
    assert end == ""
    assert "progress" not in [thread.name for thread in enumerate()]


def test_the_innermost_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    err = Standard("compiling ")
    monkeypatch.setattr(sys, "stderr", err)
    with Progress("tuning", patience=0.0), Progress("compiling", patience=0.0) as say:
        say("\x1b[2J")
        assert err.seen.wait(PATIENCE)
    assert "tuning" not in err.getvalue()
    assert "\x1b[2J" not in err.getvalue()


def test_what_is_short_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    err = Standard("")
    monkeypatch.setattr(sys, "stderr", err)
    with Progress("compiling", patience=PATIENCE) as say:
        say("one")
    assert err.getvalue() == ""


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    err = Standard("", is_terminal=False)
    monkeypatch.setattr(sys, "stderr", err)
    with doing("compiling", "one"):
        assert "progress" not in [thread.name for thread in enumerate()]
    assert err.getvalue() == ""
