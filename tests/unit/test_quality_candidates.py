"""What a tuned score may weigh: values as the compiled spec has them, folds that part no group."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lynkrc.quality.candidates import SCALES, candidates_of, steps_of
from lynkrc.quality.fit import Columns, Fitted, Most, Targets, path
from lynkrc.quality.folds import folds_of, groups_of
from lynkrc.quality.labels import Label, labels_of
from lynkrc.quality.ngrams import terms_of
from lynkrc.quality.points import pointed, scores_of
from lynkrc.quality.thresholds import bounds_of, levels_of, shares_of, tiers_of, up_to_at
from tests.unit.labelled_requests import built, decided, row, spec_text, told_rows

ASKS = (
    'What is "this" (or that)? Say, in one line: 1, 2, 3.',
    "Warum?\n\nWeil: é, ü -- und 42.\n```\nx = 1\n```\n" + "Noch ein Satz. " * 40,
    "请证明这个。为什么\uff1f",
    "ok",
    "a b. " * 300,
)


def test_candidates_have_the_values_of_the_compiled_spec() -> None:
    rows = [row(f"r{number}", ask, 0.0) for number, ask in enumerate(ASKS)]
    plain = decided(rows)
    candidates, values = candidates_of(built(spec_text())[0], plain)
    assert len(candidates) > 15
    lines = [
        f"    d{number}: {{weight: 1, value: {json.dumps(one.value)}}}"
        for number, one in enumerate(candidates)
    ]
    text = spec_text("score:\n  dimensions:\n" + "\n".join(lines))
    again, explain = decided(rows, text), built(text)[1].explain
    for one, expected in zip(again, values.tolist(), strict=True):
        explained = explain(list(one.vector))["points"]["dimensions"]
        assert [dimension["value"] for dimension in explained] == expected


def test_dimensions_of_the_spec_come_first_and_keep_their_names() -> None:
    candidates, values = candidates_of(built(spec_text())[0], decided(told_rows(20)))
    assert (candidates[0].name, candidates[0].declared) == ("length", "length")
    assert len({one.name for one in candidates}) == len(candidates)
    # Asks in ASCII have as many bytes as characters, and none has a fence.
    assert {"bytes"} <= {one.name for one in candidates}
    assert not {"chars", "code_blocks"} & {one.name for one in candidates}
    assert len(np.unique(values, axis=1).T) == len(candidates)


def test_a_candidate_takes_no_name_that_is_taken() -> None:
    score = "score:\n  dimensions:\n"
    for name in ("words", "words_steps"):
        score += f'    {name}: {{weight: 1, value: "ramp(ask.words, 0, {len(name)})"}}\n'
    text = spec_text(score)
    candidates, _ = candidates_of(built(text)[0], decided(told_rows(20), text))
    names = [one.name for one in candidates]
    assert "words_steps_steps" in names and len({*names}) == len(names)


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.feature)
def test_steps_rise_to_a_hundred(scale: object) -> None:
    steps = steps_of(scale)  # type: ignore[arg-type]  # one of SCALES
    assert [*steps] == sorted(set(steps)) and steps[-1][1] == 100
    assert [value for _, value in steps] == sorted({value for _, value in steps})


def test_rows_of_a_group_or_of_one_question_stay_together() -> None:
    rows = decided(
        [
            *(
                row(f"g{number}", f"river {number}", 0.0, group=f"c{number % 7}")
                for number in range(40)
            ),
            row("same1", "What  IS it?", 0.0),
            row("same2", "what is it?", 0.0, suite="other"),
        ]
    )
    folds = folds_of(rows, 3, 0)
    assert set(folds) == {0, 1, 2}
    for number in range(40):
        assert folds[number] == folds[number % 7]
    assert folds[40] == folds[41]
    assert len(set(groups_of(rows))) == 8


def test_folds_do_not_depend_on_the_order_of_rows() -> None:
    rows = decided(told_rows(50))
    folds = dict(zip((one.row.id for one in rows), folds_of(rows, 5, 3), strict=True))
    back = dict(zip((one.row.id for one in rows[::-1]), folds_of(rows[::-1], 5, 3), strict=True))
    assert folds == back
    assert {list(folds.values()).count(fold) for fold in range(5)} == {10}
    assert folds_of(rows, 5, 4) != folds_of(rows, 5, 3)


def test_labels_weigh_what_they_tell() -> None:
    rows = decided([row("a", "x", 0.25), row("b", "x", 0.0), row("c", "x", -1.0)])
    assert labels_of(rows, None, None) == (
        Label(row="a", is_strong_better=True, weight=0.25, source="s"),
        Label(row="b", is_strong_better=False, weight=1.0, source="s"),
        Label(row="c", is_strong_better=False, weight=1.0, source="s"),
    )
    turned = labels_of(rows, "strong", "weak")
    assert [one.is_strong_better for one in turned] == [False, False, True]
    without = replace(rows[0], row=replace(rows[0].row, scores={"weak": 1.0}))
    assert labels_of([without], None, None) == ()


def test_terms_are_in_enough_requests_and_groups() -> None:
    texts = ["seldom don't"] * 4 + ["often here"] * 5 + ["one here"] * 5
    found = terms_of(texts, [*range(9), 9, 9, 9, 9, 9])
    # "often here" and "often" are in the same requests; "one" is in one group alone.
    assert found.names == ("here", "often")
    assert found.places.tolist() == [0, 1] * 5 + [0] * 5
    assert found.starts.tolist() == [0, 0, 0, 0, 0, 2, 4, 6, 8, 10, 11, 12, 13, 14, 15]


def test_no_more_weights_than_allowed_or_than_labels_can_tell() -> None:
    found = np.array([0.1, -3.0, 0.0, 2.0, 1.0])
    assert Most(weights=2, terms=0).cut(found, 3, 100).tolist() == [0, -3, 0, 2, 0]
    assert Most(weights=1, terms=1).cut(found, 3, 100).tolist() == [0, -3, 0, 2, 0]
    assert Most(weights=9, terms=9).cut(found, 3, 100).tolist() == found.tolist()
    assert Most(weights=9, terms=9).cut(found, 3, 10).tolist() == [0, -3, 0, 2, 0]


def test_points_fill_the_scale_in_sixty_fourths() -> None:
    values = np.linspace(0, 1, 101).reshape(-1, 1)
    columns = Columns(values=values, terms=terms_of([""] * 101, range(101)))
    fitted = Fitted(
        strength=1.0,
        values=np.array([7.3]),
        terms=np.array([], dtype=np.intp),
        term_weights=np.array([]),
    )
    found = pointed(fitted, columns, np.arange(101), np.zeros(1, dtype=np.int64), 0)
    scores = scores_of(found.points(columns, np.zeros(101, dtype=np.int64)))
    assert (scores[1], scores[99]) == (5, 95)
    assert (scores[0], scores[100]) == (4, 96)
    assert found.values64.tolist() == [round(64 * 90 / 0.98)]


def test_rules_bind_tiers_and_bounds_move_the_others() -> None:
    rows = decided([row(f"r{n}", "urgent" if n < 4 else "river", 0.0) for n in range(10)])
    bounds = bounds_of(built(spec_text())[0], rows)
    assert bounds.low.tolist() == [1] * 4 + [0] * 6
    ranks = np.arange(10) / 10
    levels = levels_of(ranks, (0.4, 0.6), bounds)
    assert shares_of(tiers_of(ranks, levels, bounds), 2) == (0.4, 0.6)
    # More than rules let go cannot be had, nor less than nothing.
    assert shares_of(tiers_of(ranks, levels_of(ranks, (1.0, 0.0), bounds), bounds), 2) == (0.6, 0.4)
    assert shares_of(tiers_of(ranks, levels_of(ranks, (0.0, 1.0), bounds), bounds), 2) == (0.0, 1.0)


def test_bounds_of_tiers_rise_even_where_scores_do_not() -> None:
    same = np.array([50] * 10)
    assert up_to_at(same, (0.0, 0.5, 1.0)) == (0, 1, 50)
    assert up_to_at(np.array([100] * 10), (1.0, 1.0, 1.0)) == (0, 1, 2)


def test_a_word_of_every_request_tells_nothing() -> None:
    rows = decided(told_rows(40))
    said = [replace(one, ask=f"please {one.ask}") for one in rows]
    terms = terms_of([one.ask or "" for one in said], groups_of(said))
    everywhere = terms.names.index("please")
    columns = Columns(values=np.zeros((len(said), 1)), terms=terms)
    labels = labels_of(said, None, None)
    for part in (40, 37, 33, 29):
        targets = Targets(
            rows=np.arange(part),
            is_strong=np.array([one.is_strong_better for one in labels])[:part],
            weights=np.full(part, 0.1),
            sources=np.arange(part) % 3,
        )
        fits = [*path(columns, targets, Most(weights=20, terms=0))]
        assert fits and all(everywhere not in one.terms for one in fits)
