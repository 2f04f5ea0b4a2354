"""Specs the prover could trip over: each of them decided, and decided right."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lynkrc.analysis.solver import Found, Impossible
from lynkrc.analysis.study import study
from lynkrc.analysis.verdicts import Status
from lynkrc.cli.main import main
from lynkrc.cli.proving import _judged
from lynkrc.cli.specs import check_file
from lynkrc.diff.plan import Category, Change, Item, Plan, Relation, Spec
from lynkrc.ir.assertion import Assertion, Kind
from lynkrc.pipeline import claims_of
from lynkrc.proofs.run import Proved, run
from lynkrc.proofs.show import show
from lynkrc_runtime.decide import Outcome
from tests.unit.sample_table import SPAN, TABLE, tiny_automaton

SPEC = """\
version: 1
name: hostile
providers:
  here: {kind: simulator, trust: local}
  there: {kind: simulator, trust: cloud}
targets:
  Small: {provider: here, model: tiny, context: 8k, max_output: 1k, price: free}
  big: {provider: there, model: huge, context: 8k, max_output: 1k, price: {input: 1, output: 2}}
score:
  dimensions:
    size: {weight: 100, value: "ramp(ask.words, 0, 200)"}
tiers:
  - {name: LOW, up_to: 30, chain: [Small]}
  - {name: TOP, chain: [big]}
otherwise: escalate
"""
ALONE = """\
version: 1
name: alone
providers:
  here: {kind: simulator, trust: local}
targets:
  only: {provider: here, model: tiny, context: 8k, max_output: 1k, price: free}
tiers:
  - {name: T, chain: [only]}
"""


def proved(folder: Path, spec: str, *asked: str) -> Proved:
    """What is proved of a spec that asserts these."""
    path = folder / "routing.yaml"
    claims = "".join("  - " + one.replace("; ", "\n    ") + "\n" for one in asked)
    path.write_text(spec + "assert:\n" + claims)
    typed = check_file(path).typed
    assert typed is not None, check_file(path).diagnostics
    claimed = claims_of(typed)
    assert claimed is not None
    return run(*claimed)


def words(found: Proved) -> list[str]:
    """The verdict on each assertion."""
    return [proof.word for proof in found.proofs]


def test_one_tier_one_target_no_rule(tmp_path: Path) -> None:
    asked = {
        "always: tier == T": "proved",
        "never: target.trust == local": "refuted (request)",
        "reachable: outcome == refuse": "proved",
        "reachable: outcome == deny": "refuted",
        "monotone: ask.words": "proved",
        "max_cost_usd: 0": "proved",
        'never: \'header("x-a") != "y"\'': "refuted (request)",
        "always: tools.count >= 0": "proved",
        "never: tools.count > 3": "refuted (request)",
    }
    found = proved(tmp_path, ALONE, *asked)
    assert dict(zip(asked, words(found), strict=True)) == asked


def test_prefixes_of_prefixes(tmp_path: Path) -> None:
    header = 'header("x-a")'
    rules = f"""\
rules:
  - {{name: narrow, when: '{header} starts_with "abc"', tier: TOP}}
  - {{name: wide, when: '{header} starts_with "ab"', tier: LOW}}
"""
    found = proved(
        tmp_path,
        SPEC + rules,
        f"reachable: '{header} starts_with \"abcd\"'",
        f'never: \'{header} starts_with "abcde" and not {header} starts_with "abc"\'',
        f'always: \'{header} != "abcdx" or {header} starts_with "abc"\'',
        f"never: '{header} starts_with \"abc\" and rule == wide'",
        f"always: '{header} != \"z\"'",
    )
    assert words(found) == ["proved", "proved", "proved", "proved", "refuted (request)"]


def test_embeddings_go_to_their_target_though_no_rule_reads_the_surface(tmp_path: Path) -> None:
    found = proved(
        tmp_path,
        SPEC + "embeddings: {text-embed: {target: Small}}\n",
        "reachable: surface == embeddings",
        "never: surface == embeddings and target == big",
        "always: surface == embeddings implies target == Small",
    )
    assert words(found) == ["proved", "proved", "proved"]


def test_a_built_request_is_shown_though_other_features_came_out_otherwise(tmp_path: Path) -> None:
    found = proved(tmp_path, ALONE, "never: tools.count > 3")
    (witness,) = found.proofs[0].witnesses
    assert witness.request.realised and witness.request.missed, "four tools weigh more than wanted"
    text = show(found, colour=False)
    assert "vector only" not in text and "send it:" in text
    assert all("not realised" not in one.help for one in found.diagnostics if one.help)


@pytest.mark.parametrize("rlimit", [1, 50, 500])
def test_who_may_not_think_knows_nothing(
    tmp_path: Path,
    rlimit: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("lynkrc.proofs.run.study", partial(study, rlimit=rlimit))
    asked = ("never: target == big", "always: tier == TOP", "reachable: target == big",
             "monotone: ask.words", "max_cost_usd: 9", "max_latency: 1s")  # fmt: skip
    found = proved(tmp_path, SPEC, *asked)
    assert words(found) == ["unknown"] * len(asked)
    assert not found.holds and len(found.diagnostics) == len(asked)
    path = str(tmp_path / "routing.yaml")
    assert main(["prove", "--spec", path]) == 1
    assert "6 unknown" in capsys.readouterr().out
    waived = [f"name: q{i}; waive: too hard; {one}" for i, one in enumerate(asked)]
    assert proved(tmp_path, SPEC, *waived).holds
    assert main(["prove", "--spec", path]) == 0
    assert "6 unknown (6 waived)" in capsys.readouterr().out


def test_what_is_undecided_is_not_refuted_by_what_only_looks_different() -> None:
    same = Assertion(
        name=None, kind=Kind.SAME_AS, guard=None, feature=None, amount=None, file="other.yaml",
        waive=None, source="same_as: other.yaml", span=SPAN,
    )  # fmt: skip
    item = Item(kind="rule", name="a", change="renamed", before="a", after="b")
    renamed = Change(category=Category.COSMETIC, item=item, words="another name")
    spec = Spec(label="a", name="a", digest="1", routes="")
    undecided = Plan(
        old=spec, new=spec, relation=Relation.EQUIVALENT, unknown=("the solver gave up",),
        regions=(), changes=(renamed,), items=(), cost_before=None, cost_after=None,
    )  # fmt: skip
    assert _judged(same, undecided, "").status is Status.UNKNOWN


def test_nothing_is_read_at_all() -> None:
    bare = replace(
        TABLE, slots=(), lexicons=(), automaton=tiny_automaton(0), clients=(), needs=(), pins=(),
        definitions=(), rules=(), dimensions=(), assertions=(),
    )  # fmt: skip
    subject = study(bare)
    assert subject.symbols.ints == ()
    assert subject.solver.ask(subject.encoded.outcome[Outcome.ROUTE]) == Found(points=((),))
    assert isinstance(subject.solver.ask(subject.encoded.outcome[Outcome.DENY]), Impossible)
