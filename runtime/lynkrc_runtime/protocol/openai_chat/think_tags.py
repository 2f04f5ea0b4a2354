"""Text that begins with ``<think>``, to reasoning and text, whatever pieces it comes in (C.1.10).

Only tags that open the answer count: later ones are the model's own words.

>>> tags = ThinkTags()
>>> [*tags.feed("<th"), *tags.feed("ink>\\n2+2</thi"), *tags.feed("nk>\\n\\n4"), *tags.close()]
[(True, '2+2'), (False, '4')]
"""

from typing import final

_OPEN, _CLOSE = "<think>", "</think>"


@final
class ThinkTags:
    """One answer's text under way. Pairs are (is reasoning, text)."""

    __slots__ = ("_held", "_is_trimming", "_state")

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""
        self._is_trimming = True

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """What is certain by now."""
        if self._state == "text" and not self._is_trimming:
            return [(False, text)] if text else []
        found: list[tuple[bool, str]] = []
        self._held += text
        if self._state == "start":
            opening = self._held.lstrip()
            if opening.startswith(_OPEN):
                self._state, self._held = "thinking", opening[len(_OPEN) :]
            elif _OPEN.startswith(opening):
                return found
            else:
                # No reasoning: the text keeps the blanks it begins with.
                self._state, self._is_trimming = "text", False
        if self._state == "thinking":
            inside, closing, rest = self._held.partition(_CLOSE)
            if closing:
                self._emit(True, inside, found)
                self._state, self._held, self._is_trimming = "text", rest, True
            else:
                kept = _overlap(inside)
                self._held = inside[len(inside) - kept :]
                self._emit(True, inside[: len(inside) - kept], found)
        if self._state == "text":
            self._emit(False, self._held, found)
            self._held = ""
        return found

    def close(self) -> list[tuple[bool, str]]:
        """What was held back, at the end of the answer."""
        rest, self._held = self._held, ""
        return [(self._state == "thinking", rest)] if rest else []

    def _emit(self, is_thinking: bool, text: str, found: list[tuple[bool, str]]) -> None:
        if self._is_trimming:
            text = text.lstrip("\r\n")
        if text:
            self._is_trimming = False
            found.append((is_thinking, text))


def _overlap(text: str) -> int:
    """How many last characters may begin the closing tag."""
    return next((n for n in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:n])), 0)
