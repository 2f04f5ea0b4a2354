"""Pieces of a JSON text as a model writes it, to: still valid so far, complete, how to close it.

Pieces of tool arguments are passed on before the whole is known and cannot be recalled. This is
the check that keeps a client's parser from failing on them (wire reference C.1.10, point 9).

>>> prefix = JsonPrefix()
>>> prefix.feed('{"city": "Os'), prefix.is_complete, prefix.closing()
(True, False, '"}')
>>> prefix.feed('lo"}'), prefix.is_complete, prefix.feed("x")
(True, True, False)
"""

import re
from typing import final

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ATOM = re.compile(r"[-+.\w]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_NUMBER_BEGUN = re.compile(
    r"-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|(?:0|[1-9]\d*)(?:\.\d+)?[eE][-+]?\d*)?", re.ASCII
)
_ESCAPE_BEGUN = re.compile(
    r'\\(?:["\\/bfnrt]|u(?:[0-9abcefABCEF][0-9a-fA-F]{0,3}|[dD](?:[0-9abAB][0-9a-fA-F]{0,2})?)?)?'
)
# Behind the first half of a pair only the second is legal: clients fail on half a character.
_HIGH_HALF = re.compile(r"\\u[dD][89abAB]")
_LOW_HALF_BEGUN = re.compile(r"\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]{0,2})?)?)?")
_LOW_HALF = "\\udc00"
_WORDS = ("true", "false", "null")

# What may come next, outside strings and atoms.
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON, _COMMA_OR_END, _DONE = range(7)


@final
class JsonPrefix:
    """The state of one text. `feed` returns False from the first wrong character on."""

    __slots__ = (
        "_atom",
        "_escape",
        "_expect",
        "_failed",
        "_half",
        "_in_key",
        "_in_string",
        "_stack",
    )

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._expect = _VALUE
        self._in_string = False
        self._in_key = False
        self._escape = ""
        self._half = False
        self._atom = ""
        self._failed = False

    @property
    def is_complete(self) -> bool:
        """Whether the text so far is one whole JSON value."""
        if self._failed:
            return False
        if self._atom:
            return not self._stack and self._is_whole_atom()
        return self._expect == _DONE

    def feed(self, text: str) -> bool:
        """Whether everything so far can still become valid JSON."""
        position = 0
        while position < len(text) and not self._failed:
            if self._in_string:
                position = self._string(text, position)
            elif self._atom:
                position = self._atom_piece(text, position)
            else:
                position = self._structure(text, position)
        return not self._failed

    def closing(self) -> str:
        """The shortest honest end: what makes the text so far valid JSON. '' when it is."""
        suffix = ""
        expect = self._expect
        if self._in_string:
            suffix = self._escape_end() + '"'
            expect = _COLON if self._in_key else self._after_value()
        elif self._atom:
            suffix = self._atom_end()
            expect = self._after_value()
        if expect == _COLON:
            suffix += ":null"
        elif expect == _KEY:
            suffix += '"":null'
        elif expect == _VALUE:
            suffix += "null"
        return suffix + "".join("}" if opener == "{" else "]" for opener in reversed(self._stack))

    def _after_value(self) -> int:
        return _COMMA_OR_END if self._stack else _DONE

    def _string(self, text: str, position: int) -> int:
        if self._escape:
            self._escape += text[position]
            begun = _LOW_HALF_BEGUN if self._half else _ESCAPE_BEGUN
            if begun.fullmatch(self._escape) is None:
                self._failed = True
            elif len(self._escape) == (6 if self._escape.startswith("\\u") else 2):
                self._half = not self._half and _HIGH_HALF.match(self._escape) is not None
                self._escape = ""
            return position + 1
        if self._half and text[position] != "\\":
            self._failed = True
            return position + 1
        match = _PLAIN.match(text, position)
        position = match.end() if match else position
        if position == len(text):
            return position
        if text[position] == '"':
            self._in_string = False
            self._expect = _COLON if self._in_key else self._after_value()
        elif text[position] == "\\":
            self._escape = "\\"
        else:
            self._failed = True
        return position + 1

    def _escape_end(self) -> str:
        """What completes an escape that was begun, and the pair it belongs to."""
        if self._half:
            return _LOW_HALF[len(self._escape) :]
        if not self._escape.startswith("\\u"):
            return self._escape
        filled = "0" * (6 - len(self._escape))
        is_half = _HIGH_HALF.match(self._escape + filled) is not None
        return filled + (_LOW_HALF if is_half else "")

    def _atom_piece(self, text: str, position: int) -> int:
        match = _ATOM.match(text, position)
        end = match.end() if match else position
        self._atom += text[position:end]
        if not self._is_begun_atom():
            self._failed = True
        elif end < len(text):
            if self._is_whole_atom():
                self._atom = ""
                self._expect = self._after_value()
            else:
                self._failed = True
        return end

    def _is_begun_atom(self) -> bool:
        if any(word.startswith(self._atom) for word in _WORDS):
            return True
        return _NUMBER_BEGUN.fullmatch(self._atom) is not None

    def _is_whole_atom(self) -> bool:
        return self._atom in _WORDS or _NUMBER.fullmatch(self._atom) is not None

    def _atom_end(self) -> str:
        for word in _WORDS:
            if word.startswith(self._atom):
                return word[len(self._atom) :]
        return "" if self._is_whole_atom() else "0"

    def _structure(self, text: str, position: int) -> int:
        match = _SPACE.match(text, position)
        position = match.end() if match else position
        if position == len(text):
            return position
        character, expect = text[position], self._expect
        wants_value = expect in (_VALUE, _VALUE_OR_END)
        if character == '"' and (wants_value or expect in (_KEY, _KEY_OR_END)):
            self._in_string, self._in_key = True, not wants_value
        elif character in "{[" and wants_value:
            self._stack.append(character)
            self._expect = _KEY_OR_END if character == "{" else _VALUE_OR_END
        elif character in "}]" and self._may_close(character):
            self._stack.pop()
            self._expect = self._after_value()
        elif character == ":" and expect == _COLON:
            self._expect = _VALUE
        elif character == "," and expect == _COMMA_OR_END:
            self._expect = _KEY if self._stack[-1] == "{" else _VALUE
        elif wants_value and (character.isalnum() or character == "-"):
            self._atom = character
            self._failed = not self._is_begun_atom()
        else:
            self._failed = True
        return position + 1

    def _may_close(self, character: str) -> bool:
        if not self._stack:
            return False
        if character == "}":
            return self._stack[-1] == "{" and self._expect in (_KEY_OR_END, _COMMA_OR_END)
        return self._stack[-1] == "[" and self._expect in (_VALUE_OR_END, _COMMA_OR_END)


def closed(text: str) -> str:
    """The text with all closed that it leaves open; as it is where no JSON begins so.

    >>> closed('{"city": "Os'), closed("no JSON")
    ('{"city": "Os"}', 'no JSON')
    """
    prefix = JsonPrefix()
    return text + prefix.closing() if prefix.feed(text) else text
