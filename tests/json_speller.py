"""JSON as one client or another spells it: escapes, white space, members out of order."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

CHARACTERS = 'aZ 09.{}[]:,"\\/\n\t\x01\x7fé中가あ豈\u2028\u07ff\ud7ff\ue000😀𠀀'


class JsonSpeller:
    """Writes JSON as somebody might; `odd` of a hundred choices are unusual."""

    def __init__(self, seed: int, odd: int) -> None:
        self.chance = Random(seed)
        self.odd = odd

    def rarely(self) -> bool:
        return self.chance.randrange(100) < self.odd

    def blank(self) -> str:
        return self.chance.choice((" ", "\n", "\t\r ")) if self.rarely() else ""

    def string(self, text: str) -> str:
        return f'"{"".join(map(self.character, text))}"'

    def character(self, one: str) -> str:
        if self.rarely():
            units = one.encode("utf-16-be")
            form = self.chance.choice(("{:04x}", "{:04X}"))
            pairs = zip(units[::2], units[1::2], strict=True)
            return "".join("\\u" + form.format(high << 8 | low) for high, low in pairs)
        if one == "/" and self.rarely():
            return "\\/"
        return json.dumps(one, ensure_ascii=False)[1:-1]

    def value(self, value: Any) -> str:
        match value:
            case str():
                return self.string(value)
            case list():
                return self.within("[", [self.value(one) for one in value], "]")
            case dict():
                pairs = list(value.items())
                if self.rarely():
                    self.chance.shuffle(pairs)
                if self.rarely() and pairs:
                    pairs.insert(0, (pairs[-1][0], "before"))
                spelled = [(self.string(name), self.value(one)) for name, one in pairs]
                return self.spelled_members(spelled)
            case bool() | None:
                return json.dumps(value)
            case int() if self.rarely():
                return f"{value}.0" if self.rarely() else f"{value}e0"
        return json.dumps(value)

    def within(self, opens: str, parts: Sequence[str], closes: str) -> str:
        joined = ",".join(f"{self.blank()}{one}{self.blank()}" for one in parts)
        return f"{opens}{joined or self.blank()}{closes}"

    def members(self, given: Sequence[tuple[str, str]]) -> str:
        # Who writes these otherwise is read in the other way.
        spell = self.string if self.rarely() and self.rarely() else json.dumps
        return self.spelled_members([(spell(name), one) for name, one in given])

    def spelled_members(self, given: Sequence[tuple[str, str]]) -> str:
        parts = [f"{name}{self.blank()}:{self.blank()}{one}" for name, one in given]
        return self.within("{", parts, "}")

    def text(self) -> str:
        size = self.chance.choice((0, 1, 3, 15, 16, 17, 40))
        if self.chance.random() < 0.5:
            return self.string("plain words "[: max(1, size // 4)] * (size // 4))
        return self.string("".join(self.chance.choices(CHARACTERS, k=size)))
