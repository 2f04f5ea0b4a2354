"""A text up to where somebody is typing to the place in the document that is being written.

The text is rarely YAML while it is written, so nothing is parsed: lines are put in order by their
indentation, brackets and quotes are followed, and what is never closed ends where a line goes
back to the left. Any text has a spot.

>>> spot = find_spot("tiers:\\n  - {name: A, chain: [small, m")
>>> spot.path, spot.values, spot.typed
(('tiers', '#', 'chain', '#'), True, 'm')
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, final

Path: TypeAlias = tuple[str, ...]
"""Keys from the root; ``#`` for an item of a list."""

ITEM = "#"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a text ends. `path` leads to the node that is being written, or into which."""

    path: Path
    keys: bool
    """A key of the mapping at `path` may stand here."""
    values: bool
    """A value of `path` may stand here."""
    start: int
    """Where what is being written begins, after its quote."""
    typed: str
    """The text from there."""
    quote: str = ""
    """The quote it stands in, ``|`` for a block."""
    written: Mapping[str, str] = field(default_factory=dict)
    """What the mapping holds so far, texts of scalars only."""
    column: int = 0
    """The column of the keys of the mapping; -1 within braces."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key or the text of a scalar, and where it stands."""

    path: Path
    """Of a key with the key itself."""
    text: str
    start: int
    is_key: bool


_NOWHERE = Spot(path=(), keys=False, values=False, start=0, typed="")

# A key has a colon and a blank after it; what a plain one may begin with is YAML's affair.
_KEY = re.compile(
    r"""(?:"(?P<double>[^"\r\n]*)"|'(?P<single>[^'\r\n]*)'|(?P<plain>[^\s"'\[\]{},\#][^\r\n]{0,200}?))"""
    r"[ \t]{0,20}:(?=[ \t\r\n]|\Z)"
)
_FLOW_KEY = re.compile(
    r"""(?:"(?P<double>[^"\r\n]*)"|'(?P<single>[^'\r\n]*)'|(?P<plain>[^\s"'\[\]{},\#][^\r\n,\[\]{}]{0,200}?))"""
    r"[ \t]{0,20}:(?=[ \t\r\n,\[\]{}]|\Z)"
)
_FLOW_PLAIN = re.compile(r"(?:[^\s,\[\]{}#]|[ \t](?![#])|(?<=\S)#)+")
_PLAIN = re.compile(r"(?:[^\r\n \t]|[ \t]+(?![#\r\n \t]))+")
_BLANKS = re.compile(r"[ \t]*")
_LINE = re.compile(r"[^\n]*\n?")


@dataclass(slots=True, kw_only=True)
class _Frame:
    """A mapping or list that is open. `column` is that of its keys or dashes, -1 in brackets."""

    column: int
    is_map: bool
    key: str | None = None
    value_start: int | None = None
    written: dict[str, str] = field(default_factory=dict)


def find_spot(text: str) -> Spot:
    """The spot at the end of `text`."""
    return _Scanner(text).run()


def entries_of(text: str) -> list[Entry]:
    """The keys and scalars of a text that may be broken, as far as they can be made out."""
    scanner = _Scanner(text)
    scanner.run()
    return scanner.entries


class _Scanner:
    """Reads a text line by line; a method returns where it stopped, or a `Spot` at the end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.entries: list[Entry] = []
        self._frames: list[_Frame] = []

    def run(self) -> Spot:
        at: int | Spot = 0
        while not isinstance(at, Spot):
            at = self._line(at)
        return at

    # -- lines ---------------------------------------------------------------------------------

    def _line(self, start: int) -> int | Spot:
        text = self.text
        at = start
        while at < len(text) and text[at] == " ":
            at += 1
        if at == len(text):
            return self._beginning(at, at - start)
        if text[at] == "#":
            return self._comment(at)
        if text[at] in "\r\n\t" or (at == start and text.startswith(("---", "...", "%"), at)):
            return self._next_line(at)
        return self._content(start, at)

    def _content(self, start: int, at: int) -> int | Spot:
        text = self.text
        column = at - start
        while text[at] == "-" and text[at + 1 : at + 2] in ("", " ", "\t", "\r", "\n"):
            self._dash(column)
            at = self._blank_end(at + 1)
            column = at - start
            if at == len(text):
                return self._beginning(at, column)
            if text[at] in "\r\n":
                return self._next_line(at)
            if text[at] == "#":
                return self._comment(at)
        match = _KEY.match(text, at)
        if match is None:
            return self._word(at, column)
        self._leave(column, own_list=True)
        if not (self._frames and self._frames[-1].is_map and self._frames[-1].column == column):
            self._frames.append(_Frame(column=column, is_map=True))
        self._open_key(match)
        return self._value(match.end())

    def _dash(self, column: int) -> None:
        self._leave(column, own_list=False)
        top = self._frames[-1] if self._frames else None
        if top is None or top.is_map or top.column != column:
            self._frames.append(_Frame(column=column, is_map=False))
        self._frames[-1].value_start = None

    def _leave(self, column: int, *, own_list: bool) -> None:
        """Close what a line at `column` ends; `own_list` also a list whose dashes stand there."""
        while self._frames:
            top = self._frames[-1]
            is_own = own_list and not top.is_map and top.column == column
            if top.column <= column and not is_own:
                return
            self._frames.pop()

    def _word(self, at: int, column: int) -> int | Spot:
        """A line without a key: an item, a scalar that goes on, or a key being written."""
        text = self.text
        if text[at] in "\"'[{|>":
            return self._value(at)
        end = self._plain_end(at)
        if end == len(text):
            return self._beginning(at, column)
        self._note(text[at:end], at)
        return self._next_line(end)

    def _beginning(self, at: int, column: int) -> Spot:
        """The spot of a line of which nothing, or only the beginning of a word, is written."""
        frames = self._frames
        while frames and frames[-1].column > column:
            frames.pop()
        if frames and not frames[-1].is_map and frames[-1].column == column:
            # Below a dash: a key of the mapping that holds the list.
            frames.pop()
        if not frames or (frames[-1].is_map and frames[-1].column == column):
            return self._spot(at, keys=True, values=False, inside=True)
        top = frames[-1]
        if top.value_start is not None:
            return self._spot(top.value_start, keys=False, values=True)
        return self._spot(at, keys=True, values=True)

    def _comment(self, at: int) -> int | Spot:
        end = self.text.find("\n", at)
        return _NOWHERE if end < 0 else end + 1

    def _next_line(self, at: int) -> int | Spot:
        at = self._blank_end(at)
        if at == len(self.text):
            return _NOWHERE
        if self.text[at] == "#":
            return self._comment(at)
        match = _LINE.match(self.text, at)
        end = match.end() if match else len(self.text)
        if end == len(self.text) and not self.text.endswith("\n"):
            return _NOWHERE
        return end

    # -- values --------------------------------------------------------------------------------

    def _open_key(self, match: re.Match[str]) -> None:
        name = next(text for text in match.groups() if text is not None)
        frame = self._frames[-1]
        frame.key, frame.value_start = name, None
        frame.written[name] = ""
        start = match.start() + (match.group("plain") is None)
        self.entries.append(Entry(path=self._path(), text=name, start=start, is_key=True))

    def _value(self, at: int) -> int | Spot:
        """The value on the line of its key or dash."""
        text = self.text
        at = self._blank_end(at)
        if at == len(text):
            return self._spot(at, keys=False, values=True)
        char = text[at]
        if char in "\r\n":
            return self._next_line(at)
        if char == "#":
            return self._comment(at)
        if char in "|>":
            return self._block(at)
        if char in "\"'":
            end = self._quoted(at)
            return end if isinstance(end, Spot) else self._next_line(end)
        if char in "[{":
            return self._flow(at)
        end = self._plain_end(at)
        if self._frames:
            self._frames[-1].value_start = at
        if end == len(text):
            return self._spot(at, keys=False, values=True)
        self._note(text[at:end], at)
        return self._next_line(end)

    def _block(self, at: int) -> int | Spot:
        """A literal or folded block: every line further to the right than its parent."""
        text, parent = self.text, self._parent_column()
        line = text.find("\n", at)
        if line < 0:
            return _NOWHERE
        line += 1
        start: int | None = None
        while line <= len(text):
            first = line
            while first < len(text) and text[first] == " ":
                first += 1
            is_blank = first == len(text) or text[first] in "\r\n"
            if not is_blank and first - line <= parent:
                return line
            if start is None and not is_blank:
                start = first
            end = text.find("\n", first)
            if end < 0:
                inside = first - line > parent
                spot = self._spot(start if start is not None else first, keys=False, values=True)
                return _block_spot(spot) if inside else self._beginning(first, first - line)
            line = end + 1
        return line

    def _quoted(self, at: int) -> int | Spot:
        """The end of a quoted scalar; one never closed ends where a line leaves its parent."""
        text, quote, parent = self.text, self.text[at], self._parent_column()
        i = at + 1
        while i < len(text):
            char = text[i]
            if char == "\\" and quote == '"':
                i += 2
                continue
            if char == quote:
                if quote == "'" and text[i + 1 : i + 2] == "'":
                    i += 2
                    continue
                self._note(text[at + 1 : i], at + 1)
                return i + 1
            if char == "\n" and self._leaves(i + 1, parent):
                return i
            i += 1
        spot = self._spot(at + 1, keys=False, values=True)
        return _in_quotes(spot, quote)

    def _leaves(self, line: int, parent: int) -> bool:
        """Whether the line at `line` begins at or left of `parent`, and is not blank."""
        first = line
        while first < len(self.text) and self.text[first] == " ":
            first += 1
        is_blank = first >= len(self.text) or self.text[first] in "\r\n"
        return not is_blank and first - line <= parent

    # -- brackets ------------------------------------------------------------------------------

    def _flow(self, at: int) -> int | Spot:
        text, parent, depth = self.text, self._parent_column(), len(self._frames)
        while True:
            if at >= len(text):
                return self._flow_end(at)
            char, top = text[at], self._frames[-1] if len(self._frames) > depth else None
            if char in "[{":
                self._frames.append(_Frame(column=-1, is_map=char == "{"))
                at += 1
            elif char in "]}":
                self._frames.pop()
                at += 1
                if len(self._frames) <= depth:
                    return self._next_line(at)
            elif char == "\n":
                if self._leaves(at + 1, parent):
                    del self._frames[depth:]
                    return at + 1
                at += 1
            elif char == ",":
                if top is not None:
                    top.key = top.value_start = None
                at += 1
            elif char == "#" and text[at - 1] in " \t\r\n":
                end = text.find("\n", at)
                if end < 0:
                    return _NOWHERE
                at = end
            elif char in " \t\r:#":
                at += 1
            else:
                moved = self._flow_word(at, top)
                if isinstance(moved, Spot):
                    return moved
                at = moved

    def _flow_word(self, at: int, top: _Frame | None) -> int | Spot:
        text = self.text
        expects_key = top is not None and top.is_map and top.key is None
        match = _FLOW_KEY.match(text, at) if expects_key else None
        if match is not None:
            self._open_key(match)
            return match.end()
        if text[at] in "\"'":
            end = self._quoted(at)
            if isinstance(end, Spot) and expects_key:
                inside = self._spot(at + 1, keys=True, values=False, inside=True)
                return _in_quotes(inside, text[at])
            return end
        plain = _FLOW_PLAIN.match(text, at)
        end = plain.end() if plain is not None else at + 1
        if end == len(text):
            if expects_key:
                return self._spot(at, keys=True, values=False, inside=True)
            known = top.value_start if top is not None else None
            return self._spot(at if known is None else known, keys=False, values=True)
        self._note(text[at:end].rstrip(), at)
        if top is not None and top.value_start is None:
            top.value_start = at
        return end

    def _flow_end(self, at: int) -> Spot:
        top = self._frames[-1]
        if top.is_map and top.key is None:
            return self._spot(at, keys=True, values=False, inside=True)
        start = at if top.value_start is None else top.value_start
        return self._spot(start, keys=False, values=True)

    # -- what was read -------------------------------------------------------------------------

    def _path(self) -> Path:
        steps = (frame.key if frame.is_map else ITEM for frame in self._frames)
        return tuple(step for step in steps if step is not None)

    def _parent_column(self) -> int:
        """The column of the innermost block; -1 at the root."""
        return next((f.column for f in reversed(self._frames) if f.column >= 0), -1)

    def _plain_end(self, at: int) -> int:
        match = _PLAIN.match(self.text, at)
        end = match.end() if match is not None else at
        # The blanks before the end of the text are being written too.
        rest = self._blank_end(end)
        return rest if rest == len(self.text) else max(end, at + 1)

    def _blank_end(self, at: int) -> int:
        match = _BLANKS.match(self.text, at)
        return match.end() if match is not None else at

    def _note(self, text: str, start: int) -> None:
        if self._frames:
            top = self._frames[-1]
            if top.is_map and top.key is not None:
                top.written[top.key] = text
        self.entries.append(Entry(path=self._path(), text=text, start=start, is_key=False))

    def _spot(self, start: int, *, keys: bool, values: bool, inside: bool = False) -> Spot:
        """The spot at the end; `inside`: in the innermost mapping, whatever its last key."""
        top = self._frames[-1] if self._frames else None
        if inside and top is not None:
            top.key = None
        holds = top is not None and top.is_map
        return Spot(
            path=self._path(),
            keys=keys,
            values=values,
            start=start,
            typed=self.text[start:],
            written=dict(top.written) if top is not None and holds else {},
            column=top.column if top is not None and inside else 0 if top is None else -1,
        )


def _in_quotes(spot: Spot, quote: str) -> Spot:
    return Spot(
        path=spot.path,
        keys=spot.keys,
        values=spot.values,
        start=spot.start,
        typed=spot.typed,
        quote=quote,
        written=spot.written,
        column=spot.column,
    )


def _block_spot(spot: Spot) -> Spot:
    return _in_quotes(spot, "|")
