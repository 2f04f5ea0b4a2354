"""The scan beside Python's `re`, pyahocorasick, google-re2 and hyperscan, in the same run.

All have the same patterns: the lexicons of `builtin/lynkr`, as the quickstart uses them. What they
find is compared before anything is measured.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from lynkrc.bench.engines import engines
from lynkrc.bench.examples import example
from lynkrc.bench.measure import Cost, Work, measure
from lynkrc.bench.texts import KINDS, SIZES, text_of
from lynkrc.cli.specs import compile_file
from lynkrc.codegen.tables import tables_of
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.scan.fold import fold_text
from lynkrc_runtime.scan.matcher import Matcher
from lynkrc_runtime.scan.tables import Tables
from tests.bench.scan_rivals import Missing, Rival, rivals
from tests.bench.written import machine, write

QUICKSTART = Path(__file__).resolve().parents[2] / "examples" / "quickstart" / "routing.yaml"
SECONDS = 20.0
WORST_SIZE = 20_000
_NOWHERE = Span(file=SourceFile(path="-", text=""), start=0, end=0)


def _parse(text: str) -> Pattern:
    pattern, findings = parse_pattern(text, _NOWHERE, None)
    assert pattern is not None, findings
    return pattern


@pytest.fixture(scope="module")
def lexicons() -> list[list[Pattern]]:
    table = compile_file(QUICKSTART).table
    assert table is not None
    return [[_parse(entry.pattern) for entry in one.entries] for one in table.lexicons]


@pytest.fixture(scope="module")
def tables() -> Tables:
    table = compile_file(QUICKSTART).table
    assert table is not None
    return tables_of(table.automaton, [len(one.entries) for one in table.lexicons])


@pytest.fixture(scope="module")
def others(lexicons: list[list[Pattern]]) -> list[Rival | Missing]:
    return rivals(lexicons)


def _examples(lexicons: list[list[Pattern]]) -> list[str]:
    return [example(pattern) for patterns in lexicons for pattern in patterns]


def _adversarial(entries: list[str]) -> dict[str, str]:
    """Texts made to be slow, all in ASCII or in letters the patterns do not have."""
    made = {kind: text_of(kind, WORST_SIZE, entries) for kind in ("letter", "entries")}
    made["near-misses"] = text_of("near-misses", WORST_SIZE, entries)
    longest = max(entries, key=len)
    made["beginnings"] = (longest[:-1] * WORST_SIZE)[:WORST_SIZE]
    made["blanks"] = "a " * (WORST_SIZE // 2)
    made["hyphens"] = "-" * WORST_SIZE
    made["digits"] = "line 1" + "0" * (WORST_SIZE - 6)
    made["file-names"] = ("a.b" * WORST_SIZE)[:WORST_SIZE]
    return made


def test_all_find_what_we_find(
    lexicons: list[list[Pattern]], tables: Tables, others: list[Rival | Missing]
) -> None:
    """Set by set: an engine that finds something else is not compared by its speed."""
    entries = _examples(lexicons)
    lexicon_of = [number for number, one in enumerate(lexicons) for _ in one]
    matcher = Matcher(tables)
    texts = [text_of(kind, 5_000, entries) for kind in KINDS]
    texts += [*_adversarial(entries).values(), *entries]
    for text in texts:
        ours = matcher.present(text)
        folded = fold_text(text)
        for other in others:
            if isinstance(other, Missing):
                continue
            theirs = other.finds(folded)
            if other.by_lexicon:
                assert theirs == {lexicon_of[entry] for entry in ours}, (other.name, text[:80])
            else:
                assert theirs <= ours, (other.name, text[:80])
                assert ours - theirs <= other.lacks, (other.name, text[:80])


def test_the_scan_beside_others(
    lexicons: list[list[Pattern]], tables: Tables, others: list[Rival | Missing]
) -> None:
    entries = _examples(lexicons)
    here = [other for other in others if isinstance(other, Rival)]
    work: dict[tuple[str, str, int], Work] = {}
    texts = {
        (kind, size): text_of(kind, size, entries) for kind in ("prose", "cjk") for size in SIZES
    }
    texts |= {(kind, 0): text for kind, text in _adversarial(entries).items()}
    for (kind, size), text in texts.items():
        for one in engines(tables):
            work[one.name, kind, size] = partial(one.scan, text)
        for other in here:
            work[other.name, kind, size] = partial(other.run, fold_text(text))
    costs = measure(work, SECONDS)
    ours = [one.name for one in engines(tables)]
    lines = _report(costs, ours, others, lexicons, tables)
    write("scan", lines)
    print("\n" + "\n".join(lines))


def _report(
    costs: Mapping[tuple[str, str, int], Cost],
    ours: list[str],
    others: list[Rival | Missing],
    lexicons: list[list[Pattern]],
    tables: Tables,
) -> list[str]:
    entries = sum(map(len, lexicons))
    spellings = sum(one.text.count("|") + 1 for patterns in lexicons for one in patterns)
    lines = [
        machine(),
        f"The lexicons of `builtin/lynkr` as the quickstart has them: {entries} entries with "
        f"{spellings} alternatives in {len(lexicons)} lexicons; our table has {tables.rows:,} "
        f"rows, {tables.accepting_states:,} accepting states and {len(tables.data):,} bytes.",
        "",
        "| microseconds a text | "
        + " | ".join(_head(kind, size) for kind, size in _columns(costs))
        + " | worst, ns/B |",
        "|---" * (2 + len(_columns(costs))) + "|",
    ]
    names = [(f"**lynkrc, {name}**", name) for name in ours]
    names += [(one.name, one.name) for one in others if isinstance(one, Rival)]
    for shown, name in names:
        cells = [f"{costs[name, kind, size].median / 1e3:,.1f}" for kind, size in _columns(costs)]
        worst = max(
            (cost.median / WORST_SIZE, kind)
            for (of, kind, size), cost in costs.items()
            if of == name and size == 0
        )
        lines.append(f"| {shown} | {' | '.join(cells)} | {worst[0]:,.1f} ({worst[1]}) |")
    lines += [
        "",
        "What each of the others tells, on folded text it is not charged for folding:",
        "",
    ]
    for one in others:
        if isinstance(one, Missing):
            lines.append(f"- {one.name}: not measured, it is not installed ({one.why}).")
            continue
        lacks = f"; {len(one.lacks)} entries not held, or in fewer spellings" if one.lacks else ""
        lines.append(f"- {one.name}: {one.differs}{lacks}.")
    return lines


def _columns(costs: Mapping[tuple[str, str, int], Cost]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((kind, size) for _, kind, size in costs if size))


def _head(kind: str, size: int) -> str:
    return f"{'ASCII' if kind == 'prose' else 'CJK'}, {size // 1000} kB"
