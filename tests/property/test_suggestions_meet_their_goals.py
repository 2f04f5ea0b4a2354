"""Suggested cases, read back as a file of tests: each passes, and together they show everything."""

from functools import cache
from pathlib import Path

import pytest

from lynkrc.analysis.relations import violated
from lynkrc.cli.built import load_built
from lynkrc.cli.specs import compile_file
from lynkrc.interp.goals import Seen, seen
from lynkrc.testing.case import Sent
from lynkrc.testing.cases import read_cases
from lynkrc.testing.coverage import Coverage, measure
from lynkrc.testing.runner import Engines, engines_of, run_case
from lynkrc.testing.suggest import suggested_cases
from lynkrc.testing.witnesses import MOST_BYTES, Witnesses
from tests.unit.testing_sample import ROOT, SPEC, body_file

SPECS = (SPEC, *sorted((ROOT / "examples").glob("*/routing.yaml")))


@cache
def engines(spec: Path) -> Engines:
    compilation = compile_file(spec)
    assert compilation.table is not None
    bundle, _ = load_built(compilation)
    return engines_of(compilation.table, bundle)


def asked(spec: Path, *shown: Seen) -> tuple[Witnesses, Coverage]:
    witnesses = Witnesses(engines(spec).table)
    return witnesses, measure(engines(spec).table, shown, own=str(spec), prove=witnesses.prove)


def shown_by(spec: Path, text: str) -> list[Seen]:
    """What the suggested cases show, each of which is sound and passes."""
    file, findings = read_cases(
        "routing.test.yaml",
        f"version: 1\ncases:\n{text}".encode(),
        engines(spec).table,
        bodies=body_file,
        violated=violated,
    )
    assert [(one.message, one.span.text) for one in findings] == []
    found = []
    for case in file.cases:
        run = run_case(case, engines(spec))
        assert run.is_passed
        assert run.vector is not None
        if isinstance(case.given, Sent):
            assert len(case.given.body) <= MOST_BYTES
        found.append(seen(engines(spec).table, run.vector))
    return found


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.parent.name)
def test_every_item_of_the_spec_is_shown_by_a_suggested_case(spec: Path) -> None:
    witnesses, coverage = asked(spec)
    assert coverage.unknown == frozenset()
    suggestions = witnesses.suggest(coverage.own.missing)
    assert any(isinstance(one.given, Sent) for one in suggestions)
    text = suggested_cases(suggestions, engines(spec))
    _, after = asked(spec, *shown_by(spec, text))
    assert after.own.missing == ()
    assert coverage.unreachable.isdisjoint(after.covered)


def test_so_many_are_suggested_and_the_widest_come_first() -> None:
    witnesses, coverage = asked(SPEC)
    first, second = witnesses.suggest(coverage.missing, most=2)
    assert len(first.items) >= len(second.items) > 0
    assert set(first.items).isdisjoint(second.items)
    text = suggested_cases((first, second), engines(SPEC))
    _, after = asked(SPEC, *shown_by(SPEC, text))
    assert {*first.items, *second.items} <= after.covered


def test_nothing_is_asked_where_everything_is_shown() -> None:
    witnesses = Witnesses(engines(SPEC).table)
    assert witnesses.prove(()) == (frozenset(), frozenset())
    assert witnesses.suggest(()) == ()
