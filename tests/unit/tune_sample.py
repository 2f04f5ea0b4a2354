"""Specs and tuned scores for tests of what `lynkrc tune` writes; no data is read for them."""

from collections.abc import Sequence
from pathlib import Path

from lynkrc.cli.specs import DiskLoader, compile_file
from lynkrc.pipeline import Compilation
from lynkrc.quality.proposal import Proposal, propose
from lynkrc.quality.results import (
    LENGTH,
    OLD,
    RANDOM,
    SPEC,
    Difference,
    Evaluation,
    Figure,
    Figures,
    Policy,
    SuiteResult,
)
from lynkrc.quality.tuned import Elsewhere, RowScore, Term, Tuned, Weight
from lynkrc.source.decode_text import decode_source
from lynkrc.source.text import SourceFile

HEAD = """\
version: 1
name: sample  # the name
"""
SERVED = """
providers:
  house: {kind: simulator, trust: local}

targets:
  one: {provider: house, model: small}
  two: {provider: house, model: large}
"""
TIERS = """
tiers:  # two of them
  - {name: LOW, up_to: 3, chain: [one, two]}
  - name: HIGH
    chain: [two]
"""
SCORE = """
score:
  # how hard it is
  offset: 2  # points
  dimensions:
    # long asks are hard
    length: {weight: 60, value: "ramp(ask.words, 0, 200)"}  # by words
    # questions are not
    questions:
      weight: -7.5
      value: steps(ask.questions, [[1, 40], [3, 100]])
"""
LENGTH_WEIGHT = Weight(
    name="length", value="ramp(ask.words, 0, 200)", weight=41.265625, declared="length"
)
COMMAS = Weight(
    name="commas", value="steps(ask.commas, [[1, 10], [9, 100]])", weight=12.0, declared=None
)


def load(name: str, from_path: str) -> SourceFile | None:
    """A file as the command reads it."""
    found = DiskLoader().load(name, from_path)
    return None if found is None else decode_source(found.path, found.data)[0]


def proposed(
    path: Path, tuned: Tuned, *, extends_profile: bool = False
) -> tuple[Proposal, Compilation]:
    """The proposal for the spec at a path, and what the spec compiles to as it is."""
    current = compile_file(path)
    assert current.table is not None, current.diagnostics
    file, _ = decode_source(str(path), path.read_bytes())
    return propose(file, current.table, tuned, load, extends_profile=extends_profile), current


def tuned_score(
    weights: Sequence[Weight] = (LENGTH_WEIGHT, COMMAS),
    *,
    offset: float = 2.0,
    terms: Sequence[Term] = (),
    up_to: tuple[int, ...] = (15,),
    fitted: Sequence[RowScore] = (),
    gain: Figure | None = None,
    over_length: Figure | None = None,
    elsewhere: Sequence[Elsewhere] = (),
    labels: int = 1200,
) -> Tuned:
    """A tuned score whose figures are made up."""
    return Tuned(
        offset=offset,
        weights=tuple(weights),
        terms=tuple(terms),
        up_to=up_to,
        shares=(0.5, 0.5),
        fitted=tuple(fitted),
        held_out=_evaluation(gain or figure(0.03), over_length or figure(0.0)),
        elsewhere=tuple(elsewhere),
        labels=labels,
        folds=5,
        seed=0,
    )


def figure(value: float, around: float = 0.01) -> Figure:
    """A value in the middle of its interval."""
    return Figure(value=value, low=value - around, high=value + around)


def _figures(apgr: Figure) -> Figures:
    return Figures(apgr=apgr, cpt50=figure(0.4), cpt80=figure(0.7), auroc=figure(0.6), aiq=None)


def _evaluation(gain: Figure, over_length: Figure) -> Evaluation:
    suite = SuiteResult(
        suite="made",
        requests=1200,
        groups=1200,
        weak="w",
        strong="s",
        policies=tuple(
            Policy(name=name, figures=_figures(figure(0.6)), curve=None)
            for name in (SPEC, LENGTH, OLD, RANDOM)
        ),
        differences=(
            Difference(against=LENGTH, figures=_figures(over_length)),
            Difference(against=OLD, figures=_figures(gain)),
        ),
        tiers=(),
        spending=(),
        gains=(),
    )
    return Evaluation(
        spec="routing.yaml",
        digest="0" * 64,
        old="routing.yaml",
        strong_from="HIGH",
        suites=(suite,),
        mean=None,
        agreement=None,
        left_out=(),
        rows=1200,
        seed=0,
        resamples=1000,
    )
