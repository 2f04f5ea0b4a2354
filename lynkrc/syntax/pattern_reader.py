"""A cursor over one lexicon entry, and the findings made on the way."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, final

from lynkrc.diagnostics.model import Code, Diagnostic
from lynkrc.diagnostics.pattern_codes import LOST_SYMBOL, MALFORMED_PATTERN
from lynkrc.source.text import Span
from lynkrc.syntax.pattern import Literal
from lynkrc_runtime.scan.fold import SYMBOL, fold_text

if TYPE_CHECKING:
    from lark import Token

MAX_DEPTH = 32
"""Deepest nesting of brackets in an entry."""


@final
class UnreadableEntry(Exception):
    """The rest of the entry makes no sense; the reason is among the findings already."""


@final
class Reader:
    """Where in the entry we are. Offsets count characters of the entry from 0."""

    __slots__ = ("_place", "depth", "end", "findings", "pos", "span", "start", "text")

    def __init__(
        self, text: str, span: Span, place: Callable[[int, int], Span] | None, start: int, end: int
    ) -> None:
        self.text = text
        self.span = span
        self._place = place
        self.start = start
        self.pos = start
        self.end = end
        self.depth = 0
        self.findings: list[Diagnostic] = []

    @property
    def at_end(self) -> bool:
        """Nothing is left."""
        return self.pos >= self.end

    def peek(self, length: int = 1) -> str:
        """The next characters, fewer at the end."""
        return self.text[self.pos : min(self.pos + length, self.end)]

    def take(self, length: int = 1) -> str:
        """The next characters; the cursor moves behind them."""
        taken = self.peek(length)
        self.pos += len(taken)
        return taken

    def find(self, code: Code, start: int, end: int, message: str, help_: str) -> None:
        """Note a finding about ``text[start:end]`` and go on."""
        span = self.span if self._place is None else self._place(start, end)
        self.findings.append(Diagnostic(code=code, message=message, span=span, help=help_))

    def fail(self, code: Code, start: int, end: int, message: str, help_: str) -> NoReturn:
        """Note a finding after which nothing more can be read."""
        self.find(code, start, end, message, help_)
        raise UnreadableEntry

    def step(self, token: "Token") -> int:
        """Go behind the token; where it starts."""
        start = self.start + (token.start_pos or 0)
        self.pos = start + len(token)
        return start

    def enter(self, bracket: "Token") -> int:
        """Step over an opening bracket; its offset."""
        opened = self.step(bracket)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(
                MALFORMED_PATTERN,
                opened,
                opened + 1,
                f"brackets are nested deeper than {MAX_DEPTH}",
                "write the alternatives as entries of their own",
            )
        return opened

    def leave(self) -> None:
        """Step over the closing bracket."""
        self.depth -= 1
        self.pos += 1

    def literal(self, char: str, start: int) -> Literal:
        """One character to match, folded as the text will be."""
        folded = fold_text(char)
        if SYMBOL in folded:
            self.find(
                LOST_SYMBOL,
                start,
                self.pos,
                f"`{char}` cannot be told from other symbols",
                "matching keeps letters, digits and ASCII symbols; use words around it",
            )
        return Literal(text=folded)
