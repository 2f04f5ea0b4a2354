"""Decided rows to an evaluation: which rows count, what is drawn, what is left out and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.quality.decided import Decided, Undecided
from lynkrc.quality.evaluate import MEAN, Question, evaluate
from lynkrc.quality.report_json import render_json
from lynkrc.quality.report_text import render_text, verdict
from lynkrc.quality.results import LENGTH, OLD, RANDOM, SPEC, Evaluation, Policy, SuiteResult
from lynkrc.quality.rows import Place, Row, Sending
from lynkrc.source.resources import read_schema

SCHEMA = Draft202012Validator(json.loads(read_schema("eval")))


def row(
    name: str,
    weak: float | None,
    strong: float | None = None,
    *,
    suite: str = "made",
    group: str | None = None,
    costs: tuple[float, float] | None = (1.0, 3.0),
    models: tuple[str, str] = ("tiny", "huge"),
    tier: str | None = None,
) -> Row:
    """A row with scores of two models, or, without a score, one that nobody has graded."""
    pair = (
        None if weak is None or strong is None else dict(zip(models, (weak, strong), strict=True))
    )
    return Row(
        id=name,
        suite=suite,
        task="any",
        group=group or name,
        prompt="?",
        request=Sending(surface="chat", headers={}, body=b"{}"),
        scores=pair,
        costs=None if costs is None else dict(zip(models, costs, strict=True)),
        weak=models[0] if pair else None,
        strong=models[1] if pair else None,
        split=None,
        tier=tier,
        why=None,
        place=Place(file="data.jsonl", line=1),
    )


def decided(row: Row, tier: int = 0, points: int = 0, chars: int = 10) -> Decided:
    return Decided(row=row, tier=tier, rule="score", score=0, points=points, chars=chars, vector=())


def made(count: int, *, suite: str = "made", good: int = 4, **members: Any) -> list[Decided]:
    """Requests of which all but every fourth need the strong model; the points know it.

    Those that do not need it are the longest: length has it all wrong.
    """
    return [
        decided(
            row(f"{suite}-{number}", float(number % good == 0), 1.0, suite=suite, **members),
            tier=int(number % good != 0),
            points=number % good,
            chars=100 - number % good,
        )
        for number in range(count)
    ]


def question(rows: Sequence[Decided], **changes: Any) -> Question:
    asked = Question(
        spec="routing.yaml",
        digest="0" * 64,
        tiers=("LOW", "HIGH"),
        strong_from=1,
        decided=tuple(rows),
        resamples=100,
    )
    return replace(asked, **changes)


def asked(rows: Sequence[Decided], **changes: Any) -> Evaluation:
    """The evaluation, whose JSON is as the schema says and whose text keeps to 80 columns."""
    found = evaluate(question(rows, **changes))
    SCHEMA.validate(json.loads(render_json(found)))
    for line in render_text(found, colour=False).splitlines():
        assert len(line) <= 80, line
    return found


def policies(suite: SuiteResult) -> Mapping[str, Policy]:
    return {one.name: one for one in suite.policies}


def left(found: Evaluation) -> dict[str, int]:
    return {one.reason: one.rows for one in found.left_out}


def test_an_order_that_knows_is_told_from_one_that_has_it_wrong() -> None:
    found = asked(made(40))
    [suite] = found.suites
    assert found.mean is None and found.agreement is None and found.rows == 40
    assert (suite.requests, suite.groups, suite.weak, suite.strong) == (40, 40, "tiny", "huge")
    by = policies(suite)
    assert list(by) == [SPEC, LENGTH, RANDOM]
    # Three quarters need it: half of the gap at 3/8, four fifths at 6/10, all at 3/4.
    figures = by[SPEC].figures
    assert figures.apgr.value == pytest.approx(1 - 0.75 / 2)
    assert figures.cpt50.value == pytest.approx(0.375)
    assert figures.cpt80.value == pytest.approx(0.6)
    assert figures.auroc is not None and figures.auroc.value == 1
    assert by[LENGTH].figures.apgr.value == pytest.approx(0.75 / 2)
    assert by[RANDOM].figures.cpt80.value == 0.8 and by[RANDOM].curve is None
    assert figures.apgr.low < figures.apgr.value < figures.apgr.high
    assert [verdict(found, name) for name in (LENGTH, RANDOM, OLD)] == [1, 1, None]
    curve = by[SPEC].curve
    assert curve is not None and curve.bounds is not None and curve.costs is not None
    assert (curve.scores[0], curve.scores[75], curve.scores[-1]) == pytest.approx((0.25, 1, 1))
    assert (curve.costs[0], curve.costs[50], curve.costs[-1]) == pytest.approx((1, 2, 3))
    assert all(
        low - 1e-9 <= score <= high + 1e-9
        for low, score, high in zip(curve.bounds[0], curve.scores, curve.bounds[1], strict=True)
    )


def test_tiers_and_ways_to_route() -> None:
    [suite] = asked(made(40)).suites
    low, high = suite.tiers
    assert (low.tier, low.requests, low.share.value) == ("LOW", 10, 0.25)
    assert (low.weak_score, low.strong_score) == (1.0, 1.0)
    assert (high.tier, high.weak_score, high.strong_score) == ("HIGH", 0.0, 1.0)
    told = {one.name: one for one in suite.spending}
    assert [one.score.value for one in suite.spending] == pytest.approx([0.25, 1, 1, 0.8125])
    assert told[SPEC].share == told[RANDOM].share == 0.75
    assert told[SPEC].cost is not None and told[SPEC].cost.value == pytest.approx(2.5)
    assert told[RANDOM].cost is not None and told[RANDOM].cost.value == pytest.approx(2.5)


def test_tiers_are_compared_with_ways_that_spend_the_same() -> None:
    rows = made(40)
    old = {one.row.id: (0, 0) for one in rows}
    [suite] = asked(rows, old=old, old_name="old.yaml").suites
    gains = {(one.against, one.alike): one.score for one in suite.gains}
    # All that need it are sent: 1. Length sends those first that do not: (3/4 - 1/4) of 3/4.
    for alike in ("share", "cost"):
        assert gains[LENGTH, alike].value == pytest.approx(0.25)
        assert gains[RANDOM, alike].value == gains[OLD, alike].value == pytest.approx(0.1875)
        assert 0 < gains[RANDOM, alike].low < gains[RANDOM, alike].high
    dear = [
        decided(
            row(f"r{n}", float(n % 2), 1.0, costs=(1.0, 2.0 + 2 * (n % 2 == 0))), tier=1 - n % 2
        )
        for n in range(40)
    ]
    [suite] = asked(dear).suites
    gains = {(one.against, one.alike): one.score for one in suite.gains}
    # Those that need it cost four: at their cost chance sends more than half.
    assert gains[RANDOM, "share"].value == pytest.approx(0.25)
    assert gains[RANDOM, "cost"].value == pytest.approx(0.5 - 0.375)
    text = render_text(asked(dear), colour=False)
    assert "at the same share        at the same cost" in text


def test_the_tier_orders_before_the_points() -> None:
    rows = [
        decided(row("a", 0.0, 1.0), tier=1, points=-5),
        decided(row("b", 1.0, 1.0), tier=0, points=900),
        decided(row("c", 0.0, 1.0), tier=1, points=-9),
        decided(row("d", 1.0, 1.0), tier=0, points=800),
    ]
    [suite] = asked(rows, resamples=0).suites
    assert policies(suite)[SPEC].figures.auroc is not None
    assert policies(suite)[SPEC].figures.cpt50.value == 0.25


def test_rows_of_a_group_are_drawn_whole() -> None:
    """Each request three times over, in one group: no more is known, and no more is claimed."""
    once = made(40)
    thrice = [
        replace(one, row=replace(one.row, id=f"{one.row.id}.{number}"))
        for one in once
        for number in range(3)
    ]
    [single], [many] = asked(once).suites, asked(thrice).suites
    assert (many.requests, many.groups) == (120, 40)
    for name in (SPEC, LENGTH):
        one, other = (policies(suite)[name].figures.apgr for suite in (single, many))
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    alone = [replace(one, row=replace(one.row, group=one.row.id)) for one in thrice]
    [narrow] = asked(alone).suites
    wide, slim = (policies(one)[SPEC].figures.apgr for one in (many, narrow))
    assert slim.high - slim.low < 0.75 * (wide.high - wide.low)


def test_what_is_asked_twice_is_drawn_together() -> None:
    rows = [replace(one, ask=f"question {number}") for number, one in enumerate(made(40))]
    twice = [
        replace(one, row=replace(one.row, id=f"{one.row.id}-{copy}", group=f"{one.row.id}-{copy}"))
        for one in rows
        for copy in range(3)
    ]
    (once,), (thrice,) = asked(rows).suites, asked(twice).suites
    assert (thrice.requests, thrice.groups) == (120, 40)
    assert thrice.policies[0].figures == once.policies[0].figures


def test_rounding_makes_nobody_better() -> None:
    rows = [
        decided(row(f"r{number}", 0.1, 0.4), points=number * 7 % 30, chars=number)
        for number in range(30)
    ]
    (suite,) = asked(rows).suites
    for one in suite.differences:
        assert (one.figures.apgr.low, one.figures.apgr.high) == (0.0, 0.0)


def test_suites_count_alike_whatever_their_size() -> None:
    rows = [*made(80), *made(20, suite="other", good=2)]
    found = asked(rows)
    assert found.mean is not None and found.mean.suite == MEAN
    assert (found.mean.requests, found.mean.groups) == (100, 100)
    for name in (SPEC, LENGTH, RANDOM):
        one, two = (policies(suite)[name].figures.apgr.value for suite in found.suites)
        whole = policies(found.mean)[name]
        assert whole.figures.apgr.value == pytest.approx((one + two) / 2) and whole.curve is None
    shares = [suite.tiers[0].share.value for suite in found.suites]
    assert shares == [0.25, 0.5]
    assert found.mean.tiers[0].share.value == pytest.approx(0.375)
    assert found.mean.tiers[0].requests == 30 and found.mean.tiers[0].weak_score is None


def test_draws_of_a_suite_are_its_own() -> None:
    [alone] = asked(made(40)).suites
    beside = asked([*made(20, suite="other", good=2), *made(40)]).suites
    assert [suite for suite in beside if suite.suite == "made"] == [alone]
    assert asked(made(40)).suites == (alone,)
    assert asked(made(40), seed=1).suites != (alone,)


def test_a_gap_that_is_not_shown_is_left_out() -> None:
    equal = [decided(row(f"e{n}", float(n % 2), float(n % 2), suite="equal")) for n in range(20)]
    worse = [decided(row(f"w{n}", 1.0, 0.0, suite="worse")) for n in range(20)]
    found = asked([*equal, *worse, *made(40)])
    assert [suite.suite for suite in found.suites] == ["made"] and found.mean is None
    assert left(found) == {
        "equal: huge is not shown to be better than tiny (+0.000, +0.000 to +0.000)": 20,
        "worse: huge is not shown to be better than tiny (-1.000, -1.000 to -1.000)": 20,
    }
    assert [one.first for one in found.left_out] == ["e0", "w0"]


def test_one_group_has_no_interval_and_is_left_out() -> None:
    found = asked(made(8, group="talk"))
    assert not found.suites
    assert left(found) == {"made: all of one group, so nothing can be drawn": 8}


def test_two_pairs_of_models_are_two_suites() -> None:
    other = [
        replace(one, row=replace(one.row, id=f"b{number}"))
        for number, one in enumerate(made(40, models=("small", "large")))
    ]
    found = asked([*made(40), *other])
    assert [(one.suite, one.weak, one.strong) for one in found.suites] == [
        ("made: tiny, huge", "tiny", "huge"),
        ("made: small, large", "small", "large"),
    ]
    assert found.mean is not None and found.mean.weak == "tiny, small"


def test_a_pair_may_be_named_for_all() -> None:
    rows = made(40)
    scored = [
        replace(one, row=replace(one.row, scores={**(one.row.scores or {}), "vast": 1.0}))
        for one in rows
    ]
    [suite] = asked(scored, strong="vast").suites
    assert (suite.weak, suite.strong) == ("tiny", "vast")
    # Nobody said what it costs.
    assert all(one.cost is None for one in suite.spending)
    assert all(one.figures.aiq is None for one in suite.policies)
    assert left(asked(rows, strong="vast")) == {"no scores of both tiny and vast": 40}
    nameless = [replace(one, row=replace(one.row, weak=None)) for one in rows]
    assert left(asked(nameless)) == {"no pair of models: say --weak and --strong": 40}
    assert asked(nameless, weak="tiny").suites[0].requests == 40


def test_a_cost_that_one_row_lacks_is_known_of_none() -> None:
    rows = made(39)
    rows.append(decided(row("without", 0.0, 1.0, costs=None)))
    [suite] = asked(rows).suites
    assert all(one.cost is None for one in suite.spending)
    assert policies(suite)[SPEC].figures.aiq is None


def test_what_cannot_be_told_is_null() -> None:
    """The strong model is better on all: no pair to tell apart; both cost the same: no cost."""
    rows = [
        decided(row(f"r{n}", 0.0, 1.0, costs=(1.0, 1.0)), tier=n % 2, points=n) for n in range(12)
    ]
    found = asked(rows)
    for one in (*found.suites[0].policies, *found.suites[0].differences):
        assert one.figures.aiq is None
    assert policies(found.suites[0])[SPEC].figures.auroc is None
    assert "NaN" not in render_json(found)


def test_figures_that_few_draws_can_tell_have_finite_intervals() -> None:
    """One request of two is better by the strong model: many draws hold only one of the kinds."""
    rows = [decided(row("a", 0.0, 1.0), points=1), decided(row("b", 0.9, 1.0), points=0)]
    rows.append(decided(row("c", 1.0, 1.0, group="b"), points=2))
    found = asked(rows)
    assert found.suites and "NaN" not in render_json(found)


def test_an_older_spec_that_is_the_same_makes_no_difference() -> None:
    rows = made(40)
    same = {one.row.id: one.key for one in rows}
    found = asked(rows, old_name="git:main", old=same)
    [old] = [one for one in found.suites[0].differences if one.against == OLD]
    assert (old.figures.apgr.low, old.figures.apgr.high) == (0, 0)
    assert verdict(found, OLD) == 0
    wrong = {name: (1 - tier, points) for name, (tier, points) in same.items()}
    better = asked(rows, old_name="git:main", old=wrong)
    assert verdict(better, OLD) == 1
    assert "older spec  +0.250 (" in render_text(better, colour=False)


def test_every_row_that_does_not_count_is_told() -> None:
    lost = Undecided(row=row("bad", 0.0, 1.0), reason="the gateway answers 400: no messages")
    plain = decided(row("plain", None))
    chosen = decided(row("chosen", None, tier="HIGH"), tier=1)
    stray = decided(row("stray", None, tier="EXTREME"))
    found = asked([plain, chosen, stray], undecided=(lost,))
    assert left(found) == {
        "the gateway answers 400: no messages": 1,
        "no tier `EXTREME` in the spec": 1,
        "no scores": 1,
    }
    assert found.rows == 4 and found.agreement is not None
    assert sum(map(sum, found.agreement.table)) == 1


def test_what_people_chose_against_what_was_got() -> None:
    names = ["LOW"] * 5 + ["HIGH"] * 3
    got = [0, 0, 0, 0, 1, 1, 0, 0]
    rows = [
        decided(row(f"r{number}", None, tier=name), tier=tier)
        for number, (name, tier) in enumerate(zip(names, got, strict=True))
    ]
    found = asked(rows)
    agreed = found.agreement
    assert agreed is not None
    assert agreed.table == ((4, 1), (2, 1))
    assert (agreed.exact.value, agreed.over.value, agreed.under.value) == (0.625, 0.125, 0.25)
    assert 0.25 < agreed.exact.low < 0.4 and 0.8 < agreed.exact.high < 0.9
    assert agreed.tasks == (("any", 8, 5, 2),)
    assert agreed.misses == (("r4", "LOW", "HIGH"), ("r6", "HIGH", "LOW"), ("r7", "HIGH", "LOW"))
    text = render_text(found, colour=False)
    assert "8 requests with the tier a person chose" in text
    assert "(always LOW: 62.5%)" in text
    assert "Intervals" not in text


def test_how_well_what_people_chose_is_put_in_order() -> None:
    tiers = ("LOW", "MIDDLE", "HIGH")
    rows = [
        decided(
            row(f"r{number}", None, tier=tiers[number % 3]), points=number % 3, chars=9 - number
        )
        for number in range(9)
    ]
    known = {one.row.id: (0, -one.points) for one in rows}
    found = asked(rows, tiers=tiers, old=known, old_name="old.yaml").agreement
    assert found is not None
    spec, length, old = found.rankings
    assert (spec.policy, spec.value.value, spec.value.low, spec.gain) == (SPEC, 1, 1, None)
    # Of each two tiers' 9 pairs, the one that should stand higher is the longer in 3.
    assert (length.policy, length.value.value) == (LENGTH, pytest.approx(9 / 27))
    assert length.gain is not None and length.gain.low > 0
    assert (old.policy, old.value.value) == (OLD, 0)
    same = asked([one for one in rows if one.row.tier == "LOW"], tiers=tiers).agreement
    assert same is not None and same.rankings == ()
    talk = [replace(one, row=replace(one.row, group="talk")) for one in rows]
    one_group = asked(talk, tiers=tiers).agreement
    assert one_group is not None and one_group.rankings == ()


def test_few_labels_are_warned_of() -> None:
    assert "Only 40 requests" in render_text(asked(made(40)), colour=False)
    assert "Only" not in render_text(asked(made(1000)), colour=False)


def test_names_of_others_cannot_write_on_the_terminal() -> None:
    rows = made(40, models=("tiny\x1b[2J", "h" * 70))
    found = evaluate(question(rows))
    text = render_text(found, colour=True)
    assert "\x1b[2J" not in text
    assert "\x1b[1mmade: 40 requests\x1b[0m" in text


def test_progress_is_told() -> None:
    told: list[str] = []
    evaluate(question([*made(8), *made(8, suite="other")]), say=told.append)
    assert told == ["8 requests of made", "8 requests of other"]
