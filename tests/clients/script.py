"""What the user asks a scripted model to do, to what it answers.

A script stands in the ask between double brackets; one ask may hold several:

- ``[[say: TEXT]]`` answer with the text
- ``[[call: NAME {JSON}]]`` call a tool, then say what it returned; several call in parallel
- ``[[images]]``, ``[[characters]]``, ``[[tools]]`` say how many the model was given
- ``[[fail: STATUS TIMES]]`` fail the first so many requests of this ask
- ``[[cut]]`` break the stream off after the first words
- ``[[endless]]`` words without end, until somebody hangs up
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.clients.heard import Heard

_SCRIPT = re.compile(r"\[\[(\w+)(?::\s*(.*?))?\]\]", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A tool call; `id` is unique in the conversation."""

    id: str
    name: str
    input: dict[str, Any]

    @property
    def arguments(self) -> str:
        return json.dumps(self.input)


@dataclass(frozen=True)
class Plan:
    """What to answer: text and calls, or a failure."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    status: int = 200
    times: int = 0
    is_cut: bool = False
    is_endless: bool = False

    @property
    def words(self) -> list[str]:
        """The text in the pieces it is streamed in."""
        return re.findall(r"\S+\s*|\s+", self.text)


def plan(heard: Heard) -> Plan:
    """The answer to a request; without a script it says so."""
    said: list[str] = []
    calls: list[Call] = []
    made = Plan()
    for word, rest in _SCRIPT.findall(heard.ask):
        match word:
            case "say":
                said.append(rest)
            case "call":
                name, _, arguments = rest.partition(" ")
                number = len(calls)
                calls.append(Call(f"call_{number}_{len(heard.turns)}", name, json.loads(arguments)))
            case "images" | "characters":
                said.append(f"{getattr(heard, word)} {word}")
            case "tools":
                said.append(f"{len(heard.tools)} tools")
            case "fail":
                status, times = rest.split()
                made = Plan(status=int(status), times=int(times))
            case "cut":
                made = Plan(is_cut=True)
            case "endless":
                made = Plan(is_endless=True)
            case _:
                raise ValueError(f"no script {word}")
    if calls and heard.results:
        return Plan(text="The tools said: " + " | ".join(heard.results))
    text = " ".join(said) or ("" if calls else "Nothing was asked of me.")
    return Plan(
        text=text,
        calls=tuple(calls),
        status=made.status,
        times=made.times,
        is_cut=made.is_cut,
        is_endless=made.is_endless,
    )
