"""What is the same in two tables, and how their trust classes compare."""

from dataclasses import replace

import pytest

from lynkrc.diff.classify import classify
from lynkrc.diff.identity import pair_of, trust_ranks
from lynkrc.diff.plan import Category
from lynkrc.ir.table import RouteTable
from tests.unit.diff_sample import SPEC, compiled, edited


@pytest.mark.parametrize(
    ("old", "new", "ranks"),
    [
        (["local", "cloud"], ["local", "cloud"], {"local": 0, "cloud": 1}),
        (["local", "cloud"], ["local", "internal", "cloud"], {"cloud": 2, "internal": 1}),
        # The new spec's order counts.
        (["local", "cloud"], ["cloud", "local"], {"cloud": 0, "local": 1}),
        # What is gone stands with the closest more trusted one.
        (["a", "b", "c"], ["a", "c"], {"a": 0, "b": 0, "c": 1}),
        (["top", "local"], ["local", "far"], {"top": 0, "local": 0, "far": 1}),
    ],
)
def test_classes_are_ranked_by_the_new_spec(
    old: list[str], new: list[str], ranks: dict[str, int]
) -> None:
    found = trust_ranks(old, new)
    assert {level: found[level] for level in ranks} == ranks
    assert set(found) == {*old, *new}


def plain(table: RouteTable) -> list[int]:
    return [min(max(0, slot.low), slot.high) for slot in table.slots]


def test_a_class_of_the_new_spec_alone_is_compared_with_what_was_there() -> None:
    levels = "trust_levels: [local, office, cloud]\nproviders:"
    new = edited(("providers:", levels), ("trust: internal", "trust: office"))
    (before, _), (after, _) = compiled(SPEC), compiled(new)
    shown = classify(pair_of(before, after), plain(before), plain(after))
    # `internal` is gone: what stands below it may be less trusted, and that is told.
    assert shown is not None and shown.category is Category.PRIVACY


def test_a_target_called_otherwise_goes_to_the_same_place() -> None:
    (table, _) = compiled(SPEC)
    renamed = replace(
        table, targets=tuple(replace(one, name=f"{one.name}-2") for one in table.targets)
    )
    shown = classify(pair_of(table, renamed), plain(table), plain(renamed))
    assert shown is not None
    assert (shown.category, shown.gains, shown.loses) == (Category.COSMETIC, False, False)


def test_another_account_is_another_destination() -> None:
    (table, _) = compiled(SPEC)
    other = replace(
        table, providers=tuple(replace(one, api_key="${OTHER}") for one in table.providers)
    )
    shown = classify(pair_of(table, other), plain(table), plain(other))
    assert shown is not None
    assert (shown.category, shown.gains, shown.loses) == (Category.OUTCOME, True, True)
