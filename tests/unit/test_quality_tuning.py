"""A fitted score: it finds what tells, says what it is worth elsewhere, and compiles to itself."""

from dataclasses import replace
from functools import cache
from random import Random

import pytest

from lynkrc.quality.decided import Decided
from lynkrc.quality.results import LENGTH, OLD, SPEC, Evaluation
from lynkrc.quality.tuned import Tuned
from lynkrc.quality.tuning import CannotTune, tune
from tests.unit.labelled_requests import (
    TOLD,
    built,
    decided,
    question,
    row,
    spec_text,
    told_rows,
    tuned_text,
)


@cache
def rows() -> tuple[Decided, ...]:
    extra = (row("x1", "is it? is it?", 0.0), row("x2", "urgent river", 1.0))
    return decided((*told_rows(160), *extra))


@cache
def tuned() -> Tuned:
    return tune(question(rows()))


def apgr(found: Evaluation, policy: str) -> float:
    (suite,) = found.suites
    (one,) = (one for one in suite.policies if one.name == policy)
    return one.figures.apgr.value


def test_the_word_that_tells_gets_the_points() -> None:
    best = max(tuned().terms, key=lambda one: one.points)
    assert best.pattern == TOLD
    assert all(one.points < best.points / 2 for one in tuned().terms if one is not best)


def test_it_is_better_on_requests_that_it_has_not_seen() -> None:
    found = tuned().held_out
    assert apgr(found, SPEC) > 0.62 > apgr(found, LENGTH)
    (suite,) = found.suites
    (against,) = (one for one in suite.differences if one.against == OLD)
    assert against.figures.apgr.low > 0


def test_order_of_rows_says_nothing() -> None:
    mixed = list(rows())
    Random(3).shuffle(mixed)
    assert replace(tune(question(mixed)), held_out=tuned().held_out) == tuned()


def test_another_seed_makes_other_folds() -> None:
    other = tune(question(rows(), seed=1))
    assert other.held_out != tuned().held_out
    assert max(other.terms, key=lambda one: one.points).pattern == TOLD


def test_the_compiled_score_is_the_fitted_one() -> None:
    compiled = {
        one.row.id: (one.score, one.tier)
        for one in decided((one.row for one in rows()), tuned_text(tuned()))
    }
    assert {one.row: (one.score, one.tier) for one in tuned().fitted} == compiled


def test_what_no_label_tells_of_keeps_its_weight() -> None:
    idle = """
    repeats: {weight: 12.5, value: "steps(loop.repeats, [[1, 100]])"}
    calm: {weight: -8, value: "100 - ramp(loop.tool_errors, 0, 9)"}
"""
    text = spec_text() + idle.lstrip("\n")
    labelled = [one.row for one in rows()][:90]
    found = tune(question(decided(labelled, text), table=built(text)[0]))
    kept = {one.declared: one.weight for one in found.weights if one.declared != "length"}
    assert (kept["repeats"], kept["calm"]) == (12.5, -8.0)
    scores = sorted(one.score for one in found.fitted)
    assert scores[0] < 10 and scores[-1] > 90
    compiled = decided(labelled, tuned_text(found))
    assert {one.row: one.score for one in found.fitted} == {
        one.row.id: one.score for one in compiled
    }


def test_scores_use_the_scale() -> None:
    scores = sorted(one.score for one in tuned().fitted)
    assert scores[0] < 10 and scores[-1] > 90


def test_tiers_keep_the_shares_of_the_spec() -> None:
    share = sum(one.tier for one in rows()) / len(rows())
    assert tuned().shares[1] == pytest.approx(share, abs=0.08)


def test_shares_can_be_asked_for() -> None:
    found = tune(question(rows(), shares=(0.8, 0.2)))
    assert found.shares[1] == pytest.approx(0.2, abs=0.05)
    (suite,) = found.held_out.suites
    assert suite.tiers[1].share.value == pytest.approx(0.2, abs=0.02)


def test_a_budget_says_how_many_go_to_the_strong_model() -> None:
    # All weak cost 10 USD, all strong 30: for 16 it is 30 % of them.
    found = tune(question(rows(), budget_usd=16.0))
    assert found.shares[1] == pytest.approx(0.3, abs=0.05)
    (suite,) = found.held_out.suites
    assert suite.tiers[1].share.value == pytest.approx(0.3, abs=0.02)


def test_weights_are_as_many_as_allowed() -> None:
    found = tune(question(rows(), max_weights=1))
    assert len(found.weights) + len(found.terms) == 1
    beside = tune(question(rows(), max_weights=1, max_terms=5))
    assert len(beside.weights) <= 1 and TOLD in {one.pattern for one in beside.terms}


def test_each_source_is_judged_by_a_fit_on_the_others() -> None:
    both = decided((*told_rows(90, suite="s"), *told_rows(90, suite="other")))
    found = tune(question(both))
    assert [one.source for one in found.elsewhere] == ["other", "s"]
    for one in found.elsewhere:
        assert one.requests == 90
        assert one.tuned.value > one.length.value and one.gain.value > 0.05
        assert one.tuned.low <= one.tuned.value <= one.tuned.high
    assert not tuned().elsewhere


def test_what_is_asked_in_both_sources_is_not_learned_for_the_other() -> None:
    here = told_rows(90, suite="s")
    again = tuple(replace(one, id=f"b{one.id}", group=f"b{one.id}", suite="t") for one in here)
    found = tune(question(decided((*here, *again))))
    assert not found.elsewhere


def test_requests_without_a_text_are_left_out_and_named() -> None:
    changed = (replace(rows()[0], ask=None), *rows()[1:])
    found = tune(question(changed))
    assert found.labels == len(rows()) - 1
    (left,) = found.held_out.left_out
    assert left.rows == 1 and left.reason == "the text of the ask is not known"


def test_requests_without_scores_get_a_tier_but_teach_nothing() -> None:
    bare = replace(rows()[0], row=replace(rows()[0].row, scores=None))
    found = tune(question((bare, *rows()[1:])))
    assert found.labels == len(rows()) - 1
    assert len(found.fitted) == len(rows())


def _without_gap() -> tuple[Decided, ...]:
    return decided(row(f"r{n}", f"word{n} river", 0.0) for n in range(12))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"folds": 2}, "2 folds are too few"),
        ({"strong": "nobody"}, "no request has the scores of both models"),
        ({"strong": "weak"}, "the strong model is better on no request"),
        ({"weak": "strong", "strong": "weak"}, "the strong model is better on no request"),
        ({"decided": ()}, "no request has the scores of both models"),
        ({"shares": (1.0,)}, "1 shares for 2 tiers"),
        ({"budget_usd": 5.0}, "1,000 of these requests cost"),
    ],
)
def test_what_cannot_be_fitted_is_told_of(changed: dict[str, object], message: str) -> None:
    with pytest.raises(CannotTune) as caught:
        tune(question(rows()[:40], **changed))
    assert message in caught.value.message
    assert caught.value.help


def test_requests_of_one_conversation_are_too_few() -> None:
    one = decided(row(f"r{n}", f"river {n}", float(n % 2), group="g") for n in range(40))
    with pytest.raises(CannotTune, match="1 requests that are independent"):
        tune(question(one))


def test_where_nothing_tells_nothing_is_fitted() -> None:
    same = decided(row(f"r{n}", "river", float(n % 2), group=f"g{n}") for n in range(4))
    with pytest.raises(CannotTune):
        tune(question(same))


def test_costs_are_needed_for_a_budget() -> None:
    bare = [replace(one, row=replace(one.row, costs=None)) for one in rows()[:60]]
    with pytest.raises(CannotTune, match="no request has the costs"):
        tune(question(bare, budget_usd=1.0))


def test_the_small_spec_is_what_it_seems() -> None:
    """Else the tests above would say little: a rule binds, another adds points."""
    found = {one.row.id: one for one in decided((row("a", "urgent", 0.0), row("b", "a? b?", 0.0)))}
    assert found["a"].tier == 1 and found["a"].score < 20
    assert found["b"].score == 14
    assert spec_text() != spec_text(up_to=30)
