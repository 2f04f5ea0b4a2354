"""Small labelled requests, and specs that decide them, for tests of what is fitted."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from textwrap import indent

from lynkrc.cli.built import load_built
from lynkrc.cli.specs import compile_file
from lynkrc.ir.table import RouteTable
from lynkrc.quality.decided import Decided, decide_rows
from lynkrc.quality.rows import Place, Row, Sending
from lynkrc.quality.tuned import Tuned
from lynkrc.quality.tuning import TuneQuestion
from lynkrc_runtime.bundle import LoadedBundle

WORDS = ("river", "green", "table", "seven", "music", "quiet", "stone", "early")
TOLD = "prove"
"""Where this word is, the strong model is better."""

_SPEC = """
version: 1
name: small
providers: {house: {kind: simulator, trust: local}}
targets:
  one: {provider: house, model: small}
  two: {provider: house, model: large}
tiers:
  - {name: LOW, up_to: UP_TO, chain: [one]}
  - {name: HIGH, chain: [two]}
rules:
  - {name: urgent, when: "matches(ask, urgent)", floor: HIGH}
  - {name: many, when: ask.questions > 1, add: 2.5}
lexicons:
  urgent: [urgent]
"""
SCORE = """
score:
  offset: 10
  dimensions:
    length: {weight: 30, value: "ramp(ask.words, 0, 30)"}
"""


def row(
    id_: str, ask: str, gap: float, *, suite: str = "s", group: str | None = None, cost: float = 3.0
) -> Row:
    """A graded request; the strong model costs `cost` cents, the weak one 1."""
    said = [{"role": "user", "content": ask}]
    body = json.dumps({"model": "auto", "messages": said}).encode()
    return Row(
        id=id_,
        suite=suite,
        task="t",
        group=group or id_,
        prompt=ask,
        request=Sending(surface="chat", headers={}, body=body),
        scores={"weak": 0.5 - gap / 2, "strong": 0.5 + gap / 2},
        costs={"weak": 0.01, "strong": cost / 100},
        weak="weak",
        strong="strong",
        split=None,
        tier=None,
        why=None,
        place=Place(file="-", line=1),
    )


def told_rows(count: int, *, suite: str = "s", seed: int = 0) -> tuple[Row, ...]:
    """Requests of a few words: half hold the one that tells, and of the others long ones tell."""
    random = Random(f"{suite}{seed}")
    rows = []
    for number in range(count):
        words = random.choices(WORDS, k=random.randrange(3, 25))
        is_told = random.random() < 0.5
        if is_told:
            words.insert(random.randrange(len(words)), TOLD)
        gap = float(random.random() < (0.9 if is_told else len(words) / 50))
        rows.append(row(f"{suite}{number:03}", " ".join(words), gap, suite=suite))
    return tuple(rows)


@cache
def built(text: str) -> tuple[RouteTable, LoadedBundle]:
    """A spec that must be sound, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "routing.yaml"
        path.write_text(text)
        compilation = compile_file(path)
    assert compilation.table is not None, compilation.diagnostics
    return compilation.table, load_built(compilation)[0]


def spec_text(score: str = SCORE, up_to: int = 20) -> str:
    """The small spec."""
    return _SPEC.replace("UP_TO", str(up_to)) + score


def tuned_text(tuned: Tuned) -> str:
    """The small spec with a tuned score."""
    lines = [f"offset: {tuned.offset}", "dimensions:"]
    for number, one in enumerate(tuned.weights):
        lines.append(f"  d{number}: {{weight: {one.weight}, value: {json.dumps(one.value)}}}")
    words = ""
    if tuned.terms:
        lines.append("  words: {terms: learned}")
        entries = ", ".join(f"{json.dumps(one.pattern)}: {one.points}" for one in tuned.terms)
        words = f"  learned: {{{entries}}}\n"
    text = spec_text("", tuned.up_to[0])
    return text + words + "score:\n" + indent("\n".join(lines), "  ")


def decided(rows: Iterable[Row], text: str | None = None) -> tuple[Decided, ...]:
    """The rows as the spec decides them; all are routed."""
    found, left = decide_rows(built(text or spec_text())[1], rows)
    assert not left
    return found


def question(rows: Sequence[Decided], **changed: object) -> TuneQuestion:
    """What is asked about rows that the small spec decided."""
    asked: dict[str, object] = {
        "spec": "routing.yaml",
        "digest": "0",
        "table": built(spec_text())[0],
        "decided": tuple(rows),
        "strong_from": 1,
        "max_weights": 6,
        "folds": 3,
        "resamples": 20,
    }
    return TuneQuestion(**(asked | changed))  # type: ignore[arg-type]  # of a test's own making
