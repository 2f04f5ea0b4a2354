"""Every measure of a lexicon over every text, through the extractor with each kernel."""

from functools import partial

import pytest

import lynkrc_runtime.features
from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.dispatch import Dispatch, Lexicon, Slot
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.conversation import Message, Options, Request, Role, Text
from lynkrc_runtime.scan.engines import KernelName, kernel_name
from lynkrc_runtime.scan.matcher import Matcher
from lynkrc_runtime.settings import Settings

KERNELS: tuple[KernelName, ...] = (
    ("portable",) if kernel_name() == "portable" else ("portable", "native")
)
ENTRIES = {
    "few": {"hi|hello": 64, "good (morning|evening)": -16},
    "many": {"a": 8, "~a": 16, "ab*": 1, "~证": -640},
}
TEXTS = {
    "nothing": ("zzz", {"few": (0, 0, 0), "many": (0, 0, 0)}),
    "empty": ("", {"few": (0, 0, 0), "many": (0, 0, 0)}),
    "few": ("Hi hello, GOOD\n morning", {"few": (3, 2, 48), "many": (0, 0, 0)}),
    # One place counts once for the two entries that end there; each is distinct.
    "both": ("a 证 hi", {"few": (1, 1, 64), "many": (2, 3, 8 + 16 - 640)}),
    "254": ("hi " * 254, {"few": (254, 1, 64), "many": (0, 0, 0)}),
    "255": ("hi " * 255, {"few": (255, 1, 64), "many": (0, 0, 0)}),
    "256": ("hi " * 256, {"few": (255, 1, 64), "many": (0, 0, 0)}),
    "70,000": ("a" * 70_000, {"few": (0, 0, 0), "many": (255, 1, 16)}),
    "all": ("ab证hello good-evening " * 300, {"few": (255, 2, 48), "many": (255, 3, -623)}),
}
MEASURES = ("count", "distinct", "points", "matches")


def pattern(text: str) -> Pattern:
    parsed, findings = parse_pattern(
        text, Span(file=SourceFile(path="-", text=""), start=0, end=0), None
    )
    assert parsed is not None, findings
    return parsed


TABLES = tables_of(
    build_automaton([[pattern(text) for text in one] for one in ENTRIES.values()]),
    [len(one) for one in ENTRIES.values()],
)


def policy(text: str) -> Dispatch:
    slots, lexicons, first = [], [], 0
    for name, entries in ENTRIES.items():
        weights = list(entries.values())
        lexicons.append(Lexicon(name=name, first=first, patterns=list(entries), weights64=weights))
        first += len(entries)
        for measure in MEASURES:
            known = FEATURES[measure]
            slots.append(
                Slot(
                    feature=measure,
                    args=[text, name],
                    type=known.type.value,
                    low=known.low,
                    high=known.high,
                    classes=[],
                )
            )
    return Dispatch(
        name="test",
        slots=slots,
        lexicons=lexicons,
        clients=[],
        providers=[],
        targets=[],
        chains=[],
        tiers=[],
        rules=[],
        needs=[],
        dimensions=[],
        models=[],
        settings=Settings(),
    )


def said(where: str, text: str) -> Request:
    """A request that has the text in one place, and nothing an entry matches elsewhere."""
    words = {"ask": "zzz", "history": "zzz", "envelope": "zzz", where: text}
    return Request(
        dialect="anthropic-messages",
        model="auto",
        system=(Text(text=words["envelope"]),),
        messages=(
            Message(role=Role.USER, blocks=(Text(text=words["history"]),)),
            Message(role=Role.ASSISTANT, blocks=(Text(text="ok"),)),
            Message(role=Role.USER, blocks=(Text(text=words["ask"]),)),
        ),
        tools=(),
        tool_choice=None,
        options=Options(),
        metadata={},
        members={},
        rest=(),
    )


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("where", ["ask", "history", "envelope"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_measure_of_every_text(
    monkeypatch: pytest.MonkeyPatch, kernel: KernelName, where: str, name: str
) -> None:
    text, measured = TEXTS[name]
    monkeypatch.setattr(lynkrc_runtime.features, "Matcher", partial(Matcher, kernel=kernel))
    extractor = Extractor(policy(where), TABLES)
    known = RequestFacts(surface="messages", headers={}, repeated=frozenset())
    expected = [
        number
        for count, distinct, points in (measured[one] for one in ENTRIES)
        for number in (count, distinct, points, int(count > 0))
    ]
    assert list(extractor.extract(said(where, text), known)) == expected
    # What was found once does not stay.
    assert not any(extractor.extract(said(where, "zzz"), known))
