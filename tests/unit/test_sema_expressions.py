"""Typing of lone conditions: what is sound, what is found where, and what enumerators pass."""

import pytest

from lynkrc.sema.partial import residue
from lynkrc.sema.typed import ALWAYS, NEVER, MemberTest, Negation, NumberTest, StringTest
from lynkrc.sema.types import FixedType, to_64ths
from tests.unit.sema_sample import SCOPE, checked


def found(text: str, *, require: bool = False) -> list[tuple[str, str]]:
    return [(one.code.id, one.span.text) for one in checked(text, require=require)[1]]


@pytest.mark.parametrize(
    "text",
    [
        "3 <= tools.count < 10",
        "wants.stream implies not wants.thinking",
        "2 * turns - 3 > ask.lines",
        "turns * 2 > 1 and ask.last_is_question",
        "count(ask, words) + count(history, words) > 2",
        "points(ask, words) >= 1.5",
        "points(ask, words) > 2",
        "ramp(points(ask, words), 0.5, 3) > 10",
        "steps(turns, [[0, -1], [3, 5]]) == 5",
        "clamp(turns, 1, 9) == 9",
        "saturate(distinct(ask, words), 5) > 50",
        "ramp(tools.mean_weight, 0, 200) > 40",
        "ramp(points(ask, words), -2, 10) > 40",
        "ramp(turns, -10, 10) > 60",
        'header("X-Class") == absent',
        'model in ["a", "b"]',
        'model starts_with "gpt-"',
        '"gpt-4o" != model',
        "client == codex",
        'client in [codex, "other"] and turns > 1 or surface == chat',
        'tools.named("Bash")',
        "ask.distinct_word_pct >= 100",
    ],
)
def test_sound_conditions(text: str) -> None:
    assert [code for code, _ in found(text) if code != "LK321"] == []


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("turns and true", "LK310", "turns"),
        ("not 3", "LK310", "3"),
        ("-wants.stream > 1", "LK310", "wants.stream"),
        ("model", "LK310", "model"),
        ('"x" and true', "LK310", '"x"'),
        ("wants.stream > 1", "LK311", "wants.stream > 1"),
        ('turns == "3"', "LK311", '"3"'),
        ("model == gpt", "LK311", "gpt"),
        ("client == 3", "LK311", "3"),
        ("points(ask, words) > turns", "LK311", "points(ask, words) > turns"),
        ("dialect >= chat", "LK312", "dialect >= chat"),
        ("turns in [1, 2]", "LK312", "turns"),
        ('client starts_with "co"', "LK312", 'client starts_with "co"'),
        ("turns > 65535", "LK313", "65535"),
        ("turns > -1", "LK313", "-1"),
        ("ask.non_ascii_pct > 101", "LK313", "101"),
        ("saturate(turns, 70k) > 5", "LK313", "70k"),
        ("ramp(turns, 0, 65535) > 5", "LK313", "65535"),
        ("steps(distinct(ask, words), [[4, 5]]) > 1", "LK313", "4"),
        ("ramp(points(ask, words), -900719925474099, 3) > 5", "LK319", "-900719925474099"),
        ("count(ask) > 1", "LK314", "count(ask)"),
        ("turns(3) > 1", "LK314", "turns(3)"),
        ("min(turns) > 1", "LK314", "min(turns)"),
        ("steps(turns, [[3, 1], [3, 2]]) > 1", "LK315", "[3, 2]"),
        ("saturate(turns, 0) > 1", "LK315", "0"),
        ("clamp(turns, 9, 3) > 1", "LK315", "3"),
        ("ramp(turns, turns, 3) > 1", "LK315", "turns"),
        ("matches(asks, words)", "LK315", "asks"),
        ('header("a b") == "x"', "LK315", '"a b"'),
        ('model starts_with ""', "LK315", '""'),
        ("turns * turns > 1", "LK316", "turns * turns"),
        ("1.5 * turns > 1", "LK316", "1.5 * turns"),
        ("turns > 1.5", "LK317", "1.5"),
        ("steps(turns, [[1.5, 2]]) > 1", "LK317", "1.5"),
        ("model in []", "LK318", "[]"),
        ('model == ["a"]', "LK318", '["a"]'),
        ("steps(turns, 3) > 1", "LK318", "3"),
        ("target.vision", "LK322", "target.vision"),
        ("trun > 1", "LK401", "trun"),
        ("tier == SIMPLE", "LK401", "tier"),
        ("absent", "LK401", "absent"),
        ("avg(turns) > 1", "LK401", "avg"),
        ("client == curl", "LK402", "curl"),
        ("matches(ask, swords)", "LK403", "swords"),
    ],
)
def test_a_mistake_is_found_once_at_its_place(text: str, code: str, place: str) -> None:
    assert found(text) == [(code, place)]


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("turns > -1", None),
        ("turns > 65535", "a count above the range is read as its top"),
        ('model in ["a", absent]', 'only `==` and `!=` test it: `header("x") == absent or ...`'),
        ("True", "write `true`"),
    ],
)
def test_help_leads_to_what_was_meant(text: str, help_: str | None) -> None:
    assert [one.help for one in checked(text)[1]] == [help_]


def test_each_side_is_checked() -> None:
    assert found("trun > 1 and model == gpt") == [("LK401", "trun"), ("LK311", "gpt")]


def test_a_decided_comparison_is_a_warning() -> None:
    typed, findings = checked("min(turns, 5) < 7")
    assert typed is not None
    assert [one.code.id for one in findings] == ["LK321"]
    assert residue(typed) == ALWAYS


def test_text_is_folded_and_trimmed() -> None:
    typed, _ = checked('header("X-Class") != " SECRET "')
    match typed:
        case Negation(operand=StringTest(leaf=leaf, values=values)):
            assert (leaf.args, values) == (("x-class",), ("secret",))
        case _:
            pytest.fail(f"{typed}")


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("target.trust <= internal", ("local", "internal")),
        ("target.trust != cloud", ("local", "internal")),
        ("internal < target.trust", ("cloud",)),
        ("target.trust in [cloud, local]", ("local", "cloud")),
        ('target == "two"', ("two",)),
    ],
)
def test_enumerators_that_pass(text: str, members: tuple[str, ...]) -> None:
    typed, findings = checked(text, require=True)
    assert findings == []
    assert isinstance(typed, MemberTest)
    assert typed.members == members


def test_a_requirement_for_one_target() -> None:
    typed, findings = checked(
        "turns > 3 implies (target.vision and target.context >= 100k)", require=True
    )
    assert findings == []
    assert typed is not None
    facts = {"target.vision": True, "target.context": 100_000}
    assert residue(typed, facts) == ALWAYS
    left = residue(typed, {**facts, "target.context": 99_999})
    assert isinstance(left, Negation)
    assert isinstance(left.operand, NumberTest)
    assert residue(typed, {**facts, "target.vision": False}) == left


def test_a_requirement_nobody_meets() -> None:
    typed, _ = checked("target.trust == local and target == one", require=True)
    assert typed is not None
    assert residue(typed, {"target.trust": "cloud", "target": "one"}) == NEVER


def test_decimals_count_64ths() -> None:
    typed, findings = checked("points(ask, words) > 0.3")
    assert findings == []
    assert isinstance(typed, NumberTest)
    assert typed.right.type == FixedType(low=19, high=19)
    assert SCOPE.lexicons["words"].high64 == to_64ths(3.5)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0.1, 6), (1 / 128, 1), (-1 / 128, -1), (0.0078124, 0), ("2.675", 171), (12.0, 768)],
)
def test_rounding_to_64ths(number: float | str, expected: int) -> None:
    assert to_64ths(number) == expected
