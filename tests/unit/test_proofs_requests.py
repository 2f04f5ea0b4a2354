"""What is printed and written of witnesses: file names, short bodies, commands, manners."""

import json
import shlex
import subprocess

import pytest

from lynkrc.analysis.verdicts import Status, Verdict
from lynkrc.ir.assertion import Assertion, Kind
from lynkrc.proofs.prove import Proof
from lynkrc.proofs.requests import in_short, names_of
from lynkrc.source.text import SourceFile, Span
from lynkrc.testing.curl import as_curl, as_script
from lynkrc.testing.draft import Call, Part, Result, Said, Words
from lynkrc.testing.manners import well_formed
from lynkrc.testing.synthesize import Synthesized

NOWHERE = Span(file=SourceFile(path="x", text=""), start=0, end=0)


def proof(name: str | None, source: str = "never: a") -> Proof:
    assertion = Assertion(
        kind=Kind.NEVER,
        name=name,
        source=source,
        guard=None,
        amount=None,
        feature=None,
        file=None,
        waive=None,
        span=NOWHERE,
    )
    return Proof(verdict=Verdict(assertion=assertion, status=Status.REFUTED), witnesses=())


HOSTILE = (
    "../../etc/passwd", "a b", "A B", "$(touch x)", "'; rm", "con\u0000", "\u202egpj", "", "-rf",
    "x" * 400, "\u00e9", "a/b", "\n",
)  # fmt: skip


def test_files_of_hostile_names_stay_where_they_are() -> None:
    names = names_of([*(proof(one) for one in HOSTILE), *(proof(None, one) for one in HOSTILE)])
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        assert 0 < len(name) < 80
        assert not name.startswith("-")


def request(headers: dict[str, str], text: str) -> Synthesized:
    return Synthesized(
        surface="messages",
        path="/v1/messages",
        headers=headers,
        body={"model": text},
        missed=(),
        point=(),
        realised=True,
    )


@pytest.mark.parametrize("text", HOSTILE[:9])
def test_commands_hold_any_text(text: str) -> None:
    command = as_curl(request({"x-a": text.replace("\0", "").strip()}, text), "http://h/v1/")
    words = shlex.split(command)
    assert words[:3] == ["curl", "-sS", "http://h/v1/messages"]
    assert json.loads(words[-1]) == {"model": text}


def test_headers_that_nothing_reads_are_left_to_curl() -> None:
    made = request({"content-type": "application/json"}, "m")
    assert "-H accept: " in as_curl(made, "http://h")
    assert "accept" not in as_curl(made, "http://h", {"content-type"})
    assert "-H user-agent: " in as_curl(made, "http://h", {"user-agent"})


def test_a_script_sends_the_file_beside_it(tmp_path: object) -> None:
    script = as_script(request({}, "m"), "http://h:1", "a-b.json").replace("curl -sS", "echo")
    done = subprocess.run(
        ["sh", "-c", script, "/some/where/a.sh"], check=True, capture_output=True, text=True
    )
    assert done.stdout.split()[0] == "http://h:1/v1/messages"
    assert done.stdout.split()[-1] == "@/some/where/a-b.json"


def test_long_bodies_are_cut() -> None:
    body = {"system": "x" * 5_000, "tools": list(range(300)), "deep": {"a": ["y" * 90] * 2}}
    short = in_short(body)
    assert len(short) < 400
    assert "(5,000 characters)" in short
    assert "296 more" in short
    assert json.loads(in_short({"a": [1, 2, 3, 4, 5]})) == {"a": [1, 2, 3, 4, 5]}


# -- manners -------------------------------------------------------------------------------------

SAID: list[list[Said]] = [
    [],
    [Said("user", ())],
    [Said("user", (Words(" "),))],
    [Said("assistant", (Words("fine"),))],
    [Said("user", (Words("a"),)), Said("user", (Words("b"),))],
    [Said("user", (Result("r", "x"),))],
    [Said("user", (Words("a"),)), Said("user", (Result("r", "x"), Result("s", "x")))],
    [Said("assistant", (Call("c", "t", 0),)), Said("user", (Words("a"),))],
    [Said("assistant", (Call("c", "t", 0), Call("d", "t", 0)))],
    [Said("user", (Words("a"),)), Said("assistant", (Call("c", "t", 0),)),
     Said("user", (Result("e", "x"),))],
    [Said("system", (Words("s"),)), Said("assistant", (Words("a"),)),
     Said("assistant", (Words("b"),))],
]  # fmt: skip


@pytest.mark.parametrize("said", SAID)
def test_messages_are_such_as_providers_take(said: list[Said]) -> None:
    made = [one for one in well_formed(said, "Hello", "look") if one.role != "system"]
    assert made[0].role == made[-1].role == "user"
    called: set[str] = set()
    for number, one in enumerate(made):
        assert one.role == ("assistant" if number % 2 else "user")
        assert one.parts
        assert all(part.text.strip() for part in one.parts if isinstance(part, Words))
        brought = {part.id for part in one.parts if isinstance(part, Result)}
        assert brought == called
        assert not any(isinstance(part, Result) for part in after_words(one.parts))
        called = {part.id for part in one.parts if isinstance(part, Call)}


def after_words(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """What stands after the first words."""
    places = [place for place, part in enumerate(parts) if isinstance(part, Words)]
    return parts[places[0] :] if places else ()


def test_what_providers_take_is_left_as_it_is() -> None:
    good = (
        Said("user", (Words("a"),)),
        Said("assistant", (Words("b"), Call("c", "t", 0))),
        Said("user", (Result("c", "x"), Words("d"))),
    )
    assert well_formed(good, "Hello", "look") == good
