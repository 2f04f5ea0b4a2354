"""Lines to a terminal, written anew as often as they change; keys and resizes from it.

The standard library's curses knows the terminal: what it can, how high it is, and which of what
was written has changed. It is not there on Windows.
"""

import curses
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, final

from lynkrc.live.table import Look, ScreenLine

_QUIT = frozenset(map(ord, "qQ\x03"))


@final
@dataclass(frozen=True, slots=True)
class Frame:
    """How much there is room for, in characters."""

    width: int
    height: int


@final
class Screen:
    """A terminal in our hands; it is as it was once the block has ended."""

    def __init__(self, *, colour: bool) -> None:
        self._wants_colour = colour

    def __enter__(self) -> Self:
        """Take the terminal."""
        self._window = curses.initscr()
        curses.noecho()
        curses.cbreak()
        self._window.keypad(True)
        with suppress(curses.error):
            curses.curs_set(0)
        self._looks = {Look.HEAD: curses.A_BOLD, Look.BAD: curses.A_REVERSE}
        if self._wants_colour:
            with suppress(curses.error):
                curses.start_color()
                curses.use_default_colors()
                curses.init_pair(1, curses.COLOR_RED, -1)
                curses.init_pair(2, curses.COLOR_YELLOW, -1)
                self._looks[Look.BAD] = curses.color_pair(1)
                self._looks[Look.WORSE] = curses.color_pair(2)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        curses.nocbreak()
        self._window.keypad(False)
        curses.echo()
        curses.endwin()

    @property
    def frame(self) -> Frame:
        """How large it is now."""
        height, width = self._window.getmaxyx()
        return Frame(width, height)

    def show(self, lines: Sequence[ScreenLine]) -> None:
        """Show these lines, from the first row on."""
        self._window.erase()
        width, height = self.frame.width, self.frame.height
        for row, line in enumerate(lines):
            # The last cell cannot be written without the terminal scrolling.
            room = width - 1 if row == height - 1 else width
            with suppress(curses.error):
                self._window.addnstr(row, 0, line.text, room, self._looks.get(line.look, 0))
        self._window.refresh()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until a key or a resize; whether the user wants to leave."""
        self._window.timeout(max(1, round(1000 * seconds)))
        key = self._window.getch()
        if key == curses.KEY_RESIZE:
            curses.update_lines_cols()
        return key in _QUIT
