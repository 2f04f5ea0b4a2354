"""A usage log by hand, replayed: who moves, at what cost, and what cannot be told."""

from dataclasses import replace
from typing import Any

import pytest

from lynkrc.diff.logged import Notes, read_lines, slots_of
from lynkrc.diff.replay import Decider, decider_of, replay
from lynkrc.diff.replayed import Replay
from lynkrc.ir.table import StringClass
from lynkrc_runtime.usage_record import SlotNote
from tests.unit.diff_sample import SPEC, compiled, edited
from tests.unit.log_sample import decider, described, line, record, values
from tests.unit.sample_table import class_slot

MOVED = edited(("up_to: 50", "up_to: 10"))


def replayed(lines: list[bytes], old: Decider, new: Decider) -> Replay:
    found = replay("log", read_lines(lines), old, new)
    missing = sum(one.count for one in found.missing)
    assert found.records == found.replayed + missing, "nothing is dropped silently"
    for moves in (found.outcomes, found.tiers, found.targets):
        assert sum(one.count for one in moves) == found.replayed
    return found


def test_who_moves_and_what_it_costs() -> None:
    old, new = decider(SPEC), decider(MOVED)
    words = [0] * 7 + [5] * 3
    slots = [values(old, **{"ask.words": count}) for count in words]
    found = replayed([described(old), *(line(record(old, slots=one)) for one in slots)], old, new)
    assert [(one.before, one.after, one.count) for one in found.tiers] == [
        ("LOW", "LOW", 7),
        ("LOW", "HIGH", 3),
    ]
    assert [(one.before, one.after, one.count) for one in found.targets] == [
        ("small", "small", 7),
        ("small", "mid", 3),
    ]
    assert (found.records, found.replayed, found.moved) == (10, 10, 3)
    # 1,000 tokens at $1 and 100 at $2 a million: 1,200 micro-dollars each.
    assert (found.cost.before, found.cost.after, found.cost.requests) == (0, 3_600, 10)
    assert found.cost.difference.low <= 3_600 <= found.cost.difference.high


def test_a_request_that_stays_is_charged_where_it_was_served() -> None:
    old = decider(SPEC)
    new = decider(edited(("price: {input: 1, output: 2}", "price: {input: 2, output: 2}")))
    found = replayed([line(record(old, target="mid"))], old, new)
    assert found.moved == 0
    assert (found.cost.before, found.cost.after) == (1_200, 2_200)


def test_what_is_answered_costs_nothing_and_what_was_not_asked_is_not_known() -> None:
    old, new = decider(SPEC), decider(SPEC)
    legal = values(old, **{'header("x-team")': '"legal"'})
    denied = record(old, slots=legal, outcome="deny", tier=None, tokens=None, target=None)
    assert replayed([line(denied)], old, new).cost.requests == 1
    open_to_all = decider(
        edited(
            ('  - {name: legal, when: \'header("x-team") == "legal"\', '
             'deny: {status: 403, message: "not here"}}\n', ""),
        )
    )  # fmt: skip
    found = replayed([line(denied)], old, open_to_all)
    assert [(one.before, one.after) for one in found.outcomes] == [("deny", "route")]
    assert [one.what for one in found.uncosted] == ["no tokens were logged: no target served it"]
    assert found.cost.requests == 0


def test_a_price_that_nobody_states_is_named() -> None:
    stated = ", price: {input: 3, output: 15}"
    old = decider(SPEC)
    table = replace(
        old.table,
        targets=tuple(
            replace(one, price=None) if one.name == "small" else one for one in old.table.targets
        ),
    )
    assert stated
    found = replayed([line(record(old))], old, decider_of(table, "f" * 64))
    assert [one.what for one in found.uncosted] == ["the new spec states no price of small"]


def test_what_a_record_lacks_is_counted_and_named() -> None:
    old = decider(SPEC)
    new = decider(edited(("floor: HIGH", "floor: HIGH"), ("ask.words, 0, 20", "ask.lines, 0, 20")))
    lines = [
        described(old),
        line(record(old)),
        line(record(old, slots=None, outcome=None, ending="malformed")),
        line(record(old, surface="embeddings")),
        line({"kind": "gap", "version": 2, "time": "2026-01-01T00:00Z", "requests": 4}),
    ]
    found = replayed(lines, old, new)
    assert (found.records, found.replayed) == (7, 0)
    assert {one.what: one.count for one in found.missing} == {
        "never logged: the gateway could not write them": 4,
        "ask.lines (new spec reads it)": 1,
        "no features: the request ended before it was read": 1,
        "embeddings: their targets are declared, not decided": 1,
    }


def test_another_lexicon_of_the_same_name_is_not_taken_for_it() -> None:
    old = decider(SPEC)
    new = decider(edited(("secrets: [salary, password]", "secrets: [salary]")))
    found = replayed([described(old), line(record(old))], old, new)
    assert [one.what for one in found.missing] == [
        "matches(ask, secrets), whose lexicon is another or not told (new spec reads it)"
    ]
    # The same entries under another name are the same.
    renamed = decider(edited(("secrets", "pay")))
    assert replayed([described(old), line(record(old))], old, renamed).replayed == 1


def test_records_of_another_bundle_are_used_as_far_as_their_slots_go() -> None:
    other = decider(edited(("ask.words, 0, 20", "ask.lines, 0, 20")))
    old, new = decider(SPEC), decider(MOVED)
    slots = values(other) | {"ask.words": 12}
    lines = [described(other), line(record(other, slots=slots)), line(record(other))]
    found = replayed(lines, old, new)
    assert found.replayed == 1
    assert [one.what for one in found.missing] == ["ask.words (old spec reads it)"]


def test_broken_lines_are_told_by_number() -> None:
    old = decider(SPEC)
    good = line(record(old))
    lines = [
        b"no json\n",
        good,
        b"\n",
        b'{"kind":"request","version":2}\n',
        b"\xff\xfe\n",
        good.replace(b'"version":2', b'"version":9'),
        b"[" * 100_000 + b"\n",
        good[:50],
    ]
    found = replayed(lines, old, old)
    assert (found.replayed, found.bad) == (1, 6)
    assert [one.line for one in found.bad_lines] == [1, 4, 5, 6, 7, 8]
    assert "version 9" in found.bad_lines[3].problem
    assert found.bad_lines[-1].problem == "the last line is cut off"


def test_no_piece_of_a_broken_line_is_told() -> None:
    old = decider(SPEC)
    good = line(record(old))
    lines = [
        b'{"kind":"hush","version":2}\n',
        b'{"hush":1}\n',
        b'"hush"\n',
        b"hush\n",
        good.replace(b'"estimated":false', b'"estimated":"hush"'),
        good.replace(b'"slots":{', b'"slots":{"hush":[],'),
    ]
    found = replayed(lines, old, old)
    assert found.bad == len(lines)
    assert not [one for one in found.bad_lines if "hush" in one.problem]


@pytest.mark.parametrize("amount", ["-1", "1" + "0" * 400, "1e400", "NaN"])
def test_amounts_that_nobody_can_owe_are_no_record(amount: str) -> None:
    old = decider(SPEC)
    good = line(record(old))
    bad = good.replace(b'"input":1000', f'"input":{amount}'.encode())
    gap = b'{"kind":"gap","version":2,"time":"","requests":%s}\n' % amount.encode()
    assert bad != good
    found = replayed([bad, gap, good], old, old)
    assert (found.records, [one.line for one in found.bad_lines]) == (1, [1, 2])


def test_an_enumerator_that_the_bundle_does_not_know_is_not_guessed() -> None:
    old = decider(SPEC)
    notes = {"surface": SlotNote(type="class", classes=["messages", "chat", "responses"])}
    slot = replace(class_slot(0, "surface"), classes=members("messages", "chat"))
    table = replace(old.table, slots=(slot,), lexicons=())
    read = slots_of(table, Notes(slots=notes))
    assert read.vector(record(old, slots={"surface": "chat"})) == [1]
    assert read.vector(record(old, slots={"surface": "smoke"})) == ("surface",)


def members(*names: str) -> tuple[StringClass, ...]:
    return tuple(StringClass(kind="member", text=name) for name in names)


def test_of_very_many_broken_lines_the_first_are_told() -> None:
    old = decider(SPEC)
    found = replayed([b"x\n"] * 500, old, old)
    assert (found.bad, len(found.bad_lines)) == (500, 20)


# -- strings -------------------------------------------------------------------------------


def string(*classes: tuple[str, str]) -> Any:
    made = class_slot(0, "header", args=("x",))
    every = (("absent", ""), ("other", ""), *classes)
    return replace(made, classes=tuple(StringClass(kind=k, text=t) for k, t in every))


@pytest.mark.parametrize(
    ("logged", "value", "own", "expected"),
    [
        (['"a"'], "absent", [("literal", "a")], 0),
        (['"a"'], '"a"', [("literal", "a")], 2),
        (['"a"'], '"a"', [("literal", "b")], 1),
        (['"ab"'], '"ab"', [("prefix", "a")], 2),
        (['"a"'], "other", [("literal", "a")], 1),
        # It may be "b".
        (['"a"'], "other", [("literal", "b")], None),
        (['"a"'], "other", [("prefix", "b")], None),
        # What starts with "b" had a class of its own.
        (['"b"*'], "other", [("literal", "bc")], 1),
        (['"b"*'], '"b"*', [("literal", "bc")], None),
        (['"b"*', '"bc"*'], '"b"*', [("literal", "bcd"), ("prefix", "b")], 3),
        (['"b"*', '"bc"'], '"b"*', [("literal", "bc")], 1),
        (['"bc"*'], '"bc"*', [("prefix", "b")], 2),
        (['"b"*'], '"b"*', [("prefix", "bc")], None),
        (None, "other", [("literal", "a")], None),
        (None, '"a"', [("literal", "a")], 2),
        (['"a"'], '"a', [("literal", "a")], None),
        # Nothing writes these.
        (['"a"'], "another", [("literal", "a")], None),
        (['"a"'], "5", [("literal", "a")], None),
        (["[" * 100_000], "other", [("literal", "a")], None),
        (['"'], '"a"', [("literal", "a")], 2),
    ],
)
def test_a_logged_class_is_a_class_of_the_slot_where_that_can_be_told(
    logged: list[str] | None, value: str, own: list[tuple[str, str]], expected: int | None
) -> None:
    table = replace(compiled(SPEC)[0], slots=(string(*own),), lexicons=())
    text = table.slots[0].text
    notes = {} if logged is None else {
        text: SlotNote(type="class", classes=["absent", "other", *logged])
    }  # fmt: skip
    read = slots_of(table, Notes(slots=notes))
    vector = read.vector(record(decider(SPEC), slots={text: value}))
    assert vector == ((text,) if expected is None else [expected])
