"""What is said of the variables of a domain: which facts, between which of them, in which words."""

import subprocess
import sys
from pathlib import Path

import pytest

from lynkrc.analysis.relations import describe, relations, violated
from lynkrc.ir.domain import Domain, Part, domain_of
from lynkrc.ir.guard import SlotId
from lynkrc.ir.table import Entry, Lexicon, LexiconId, Slot, SlotType, StringClass

ROOT = Path(__file__).resolve().parents[2]


def number(name: str, high: int = 1_000, *args: str, low: int = 0) -> Slot:
    kind = SlotType.FIXED if name == "points" else SlotType.INT
    return Slot(id=SlotId(0), feature=name, args=args, type=kind, low=low, high=high)


def named(name: str, *classes: tuple[str, str]) -> Slot:
    own = tuple(StringClass(kind=kind, text=text) for kind, text in classes)
    return Slot(
        id=SlotId(0),
        feature=name,
        args=(),
        type=SlotType.CLASS,
        low=0,
        high=len(own) - 1,
        classes=own,
    )


def lexicon(name: str, **entries: int) -> Lexicon:
    own = tuple(Entry(pattern=text, weight64=weight) for text, weight in entries.items())
    return Lexicon(id=LexiconId(0), name=name, entries=own, first=0)


def domain(*slots: Slot, lexicons: tuple[Lexicon, ...] = ()) -> Domain:
    return domain_of(Part(slots=slots, lexicons=lexicons))


def said(one: Domain) -> list[str]:
    return [describe(one, relation) for relation in relations(one)]


SURFACE = named("surface", ("member", "messages"), ("member", "chat"), ("member", "embeddings"))


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        ([number("ask.words"), number("request.max_tokens")], []),
        ([number("session.turn"), number("turns")], []),
        ([number("ask.words"), number("ask.chars")], ["ask.words <= ask.chars"]),
        # A top means "this or more".
        (
            [number("ask.words"), number("ask.chars", 20)],
            ["ask.words <= ask.chars where ask.chars <= 19"],
        ),
        ([number("ask.words", 20), number("ask.chars")], ["ask.words <= ask.chars"]),
        # What lies between is worked out.
        (
            [number("ask.code_blocks"), number("messages.count")],
            ["1 <= messages.count where 1 <= ask.code_blocks"],
        ),
        (
            [SURFACE, number("tools.count")],
            ["tools.count <= 0 where surface == 2"],
        ),
        (
            [
                SURFACE,
                named(
                    "model",
                    ("absent", ""),
                    ("other", ""),
                    ("literal", "gpt"),
                    ("literal", "lynkr/a"),
                    ("prefix", "ly"),
                    ("prefix", "m"),
                ),
            ],
            [
                "never where model == 0",
                "never where surface == 2 and 0 <= model <= 2",
                "never where surface == 2 and model == 5",
            ],
        ),
        (
            [SURFACE, named("dialect", ("member", "openai-chat"))],
            ["never where surface == 0 and dialect == 0"],
        ),
    ],
)
def test_what_is_said(slots: list[Slot], expected: list[str]) -> None:
    assert sorted(said(domain(*slots))) == sorted(expected)


def test_what_is_said_of_a_lexicon() -> None:
    words = lexicon("words", a=64, b=-32, c=16)
    one = domain(
        number("count", 255, "ask", "words"),
        number("points", 10_000, "ask", "words", low=-10_000),
        number("ask.words"),
        lexicons=(words,),
    )
    assert sorted(said(one)) == [
        "0 <= points(ask, words) + 32 where 1 <= count(ask, words)",
        "0 <= points(ask, words) where count(ask, words) <= 0",
        "1 <= ask.words where 1 <= count(ask, words)",
        "points(ask, words) <= 0 where count(ask, words) <= 0",
        "points(ask, words) <= 80 where 1 <= count(ask, words)",
    ]


def test_points_alone_tell_that_something_occurs() -> None:
    words = lexicon("words", a=64, b=-32)
    one = domain(
        number("points", 100, "ask", "words", low=-100), number("ask.chars"), lexicons=(words,)
    )
    assert violated(one, (0, 0)) == ()
    assert violated(one, (0, 64)) == ("1 <= ask.chars where 1 <= points(ask, words)",)
    assert len(violated(one, (0, -32))) == 1
    assert len(violated(one, (9, 65))) == len(violated(one, (9, -33))) == 1


def test_lexicons_within_one_another() -> None:
    few, many = lexicon("few", a=64), lexicon("many", a=32, b=32)
    one = domain(
        number("count", 255, "ask", "few"),
        number("matches", 1, "ask", "many"),
        number("count", 255, "history", "many"),
        lexicons=(few, many),
    )
    assert said(one) == ["1 <= matches(ask, many) where 1 <= count(ask, few)"]


def test_oracles_need_no_solver() -> None:
    code = "import lynkrc.analysis.relations, sys; assert 'z3' not in sys.modules"
    paths = f"{ROOT}:{ROOT / 'runtime'}"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": paths}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
