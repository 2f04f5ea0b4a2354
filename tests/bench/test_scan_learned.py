"""A scan for 10,000 learned terms beside one for a small spec, and hyperscan with the same terms.

The terms are words and pairs of words with weights, as `lynkrc tune --max-terms 10000` writes them
into a file of terms: half of those that the texts of the bench hold, so they occur all the time,
and made ones. What is found is compared before anything is measured.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from lynkrc.bench.examples import example
from lynkrc.bench.measure import Cost, Work, measure
from lynkrc.bench.texts import ENTRIES, NEAR_MISSES, SAMPLED, SIZES, text_of
from lynkrc.cli.specs import compile_file
from lynkrc.codegen.tables import tables_of
from lynkrc.ir.table import RouteTable
from lynkrc.quality.ngrams import grams
from lynkrc.quality.tuned import Term
from lynkrc.quality.written import terms_text
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.scan.fold import fold_text
from lynkrc_runtime.scan.matcher import Matcher
from lynkrc_runtime.scan.tables import Tables
from tests.bench.large_lexicons import entries
from tests.bench.scan_rivals import Rival, rivals
from tests.bench.test_scan_compared import QUICKSTART
from tests.bench.written import machine, write

TERMS = 10_000
SECONDS = 15.0
WORST_SIZE = 20_000
SPEC = """\
version: 1
name: learned
providers:
  local: {kind: ollama, base_url: "http://localhost:11434", trust: local}
targets:
  small: {provider: local, model: m, context: 8k, capabilities: [], price: free}
lexicons:
  learned: {file: learned.tsv}
score:
  dimensions:
    learned: {terms: learned}
tiers:
  - {name: ONLY, chain: [small]}
"""
_NOWHERE = Span(file=SourceFile(path="-", text=""), start=0, end=0)

Place: TypeAlias = tuple[str, str, int]
"""An engine, a kind of text, its bytes; 0 for the texts made to be slow."""


@dataclass(frozen=True)
class Subject:
    """A spec's scan: the table, what it cost to compile, and the matcher with its weights."""

    name: str
    tables: Tables
    seconds: float
    matcher: Matcher
    patterns: list[list[Pattern]]


def learned() -> list[Term]:
    """10,000 terms, all different, in the order of the file."""
    draw = random.Random(0)
    found = grams("\n".join(text_of(kind, 2_000, ()) for kind in SAMPLED)).whole
    names = sorted(one for one in found if one.isascii() and draw.randrange(2))
    known = set(names)
    made = (one.removesuffix("*") for one in entries(2 * TERMS))
    names += [one for one in dict.fromkeys(made) if one not in known][: TERMS - len(names)]
    return [Term(pattern=one, points=draw.randint(-128, 128) / 64) for one in names]


def _subject(name: str, path: Path) -> Subject:
    begun = time.process_time()
    table = compile_file(path).table
    assert table is not None
    made = tables_of(table.automaton, [len(one.entries) for one in table.lexicons])
    seconds = time.process_time() - begun
    return Subject(
        name=name,
        tables=made,
        seconds=seconds,
        matcher=Matcher(made, _weights(table)),
        patterns=[[_parse(one.pattern) for one in lexicon.entries] for lexicon in table.lexicons],
    )


def _weights(table: RouteTable) -> list[int]:
    return [entry.weight64 for lexicon in table.lexicons for entry in lexicon.entries]


def _parse(text: str) -> Pattern:
    pattern, findings = parse_pattern(text, _NOWHERE, None)
    assert pattern is not None, findings
    return pattern


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Subject, Subject]:
    folder = tmp_path_factory.mktemp("learned")
    (folder / "learned.tsv").write_text(terms_text(learned()), encoding="utf-8")
    spec = folder / "routing.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    return _subject("10,000 terms", spec), _subject("the quickstart", QUICKSTART)


def _hyperscan(subject: Subject) -> Rival | None:
    """None where it is not installed."""
    found = (one for one in rivals(subject.patterns, ("hyperscan",)) if isinstance(one, Rival))
    return next(found, None)


def test_ten_thousand_terms_beside_a_small_spec(subjects: tuple[Subject, Subject]) -> None:
    large, _ = subjects
    assert large.tables.entries == TERMS
    examples = [example(pattern) for pattern in large.patterns[0]]
    texts = {("prose", size): text_of("prose", size, examples) for size in SIZES}
    texts |= {(kind, 0): text_of(kind, WORST_SIZE, examples) for kind in (ENTRIES, NEAR_MISSES)}
    others = {subject.name: _hyperscan(subject) for subject in subjects}
    theirs = others[large.name]
    work: dict[Place, Work] = {}
    for (kind, size), text in texts.items():
        if theirs is not None:
            assert theirs.finds(fold_text(text)) == large.matcher.present(text), kind
        for subject in subjects:
            work[subject.name, kind, size] = partial(subject.matcher.scan, text)
            other = others[subject.name]
            if other is not None:
                name = f"{other.name}, {subject.name}"
                work[name, kind, size] = partial(other.run, fold_text(text))
    lengths = {place: len(text.encode()) for place, text in texts.items()}
    lines = _report(measure(work, SECONDS), lengths, subjects)
    write("learned", lines)
    print("\n" + "\n".join(lines))


def _report(
    costs: Mapping[Place, Cost], lengths: Mapping[tuple[str, int], int], subjects: Sequence[Subject]
) -> list[str]:
    large, small = subjects
    columns = list(lengths)
    heads = [f"ASCII, {size // 1000} kB" if size else f"{kind}, 20 kB" for kind, size in columns]
    lines = [
        machine(),
        *(
            f"The table of {one.name}: {one.tables.entries:,} entries, {one.tables.rows:,} "
            f"rows, {len(one.tables.data):,} bytes; {one.seconds:.1f} s of CPU to compile."
            for one in (large, small)
        ),
        "",
        f"| ns/B (MB/s) | {' | '.join(heads)} |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for name in dict.fromkeys(name for name, _, _ in costs):
        cells = []
        for kind, size in columns:
            each = costs[name, kind, size].median / lengths[kind, size]
            cells.append(f"{each:.2f} ({1e3 / each:,.0f})")
        shown = f"**lynkrc, {name}**" if name in (large.name, small.name) else name
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    return lines
