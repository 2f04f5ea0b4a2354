"""Rules that answer, choose a chain or prefer; chains with groups; levels of one's own."""

import pytest

from lynkrc.sema.typed import StringTest
from lynkrc_runtime.feature_table import FEATURES
from tests.unit.sema_sample import found, sound

TWO = (
    "providers:\n  house: {kind: simulator, trust: local}\n  far: {kind: simulator, trust: cloud}\n"
    "targets:\n  one: {provider: house, model: m}\n  two: {provider: far, model: m}\n"
)
GROUPED = TWO + (
    "tiers:\n  - {name: LOW, up_to: 50, chain: [[one, two]], pick: cheapest}\n"
    "  - {name: HIGH, chain: [two, one]}\n"
)
PLAIN = TWO + (
    "tiers:\n  - {name: LOW, up_to: 50, chain: [one, two]}\n  - {name: HIGH, chain: [two, one]}\n"
)


def rules(*written: str) -> str:
    return "rules:\n" + "".join(f"  - {rule}\n" for rule in written)


def test_what_is_typed() -> None:
    typed = sound(
        GROUPED
        + rules(
            "{name: hello, when: turns == 1, respond: Hello.}",
            "{name: far-first, when: wants.stream, prefer: two}",
            "{name: home, when: images.count > 0, chain: [one], prefer: cheapest}",
        )
    )
    assert typed.tiers[0].chain.groups == (("one", "two"),)
    assert typed.tiers[0].chain.pick == "cheapest"
    assert [(r.respond, r.prefer) for r in typed.rules] == [
        ("Hello.", None),
        (None, "two"),
        (None, "cheapest"),
    ]
    chain = typed.rules[2].chain
    assert chain is not None
    assert (chain.targets, chain.pick) == (("one",), "order")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{name: r, when: wants.stream, chain: [one, tow]}", [("LK405", "tow")]),
        ("{name: r, when: wants.stream, chain: [[one], one]}", [("LK503", "one")]),
        ("{name: r, when: wants.stream, prefer: cheap}", [("LK405", "cheap")]),
        ("{name: r, when: wants.stream, prefer: fastest}", [("LK508", "fastest")]),
        ("{name: r, when: wants.stream, respond: Hello., floor: HIGH}", [("LK508", "r")]),
    ],
)
def test_what_rules_cannot_do(rule: str, expected: list[tuple[str, str]]) -> None:
    codes = [one for one in found(PLAIN + rules(rule)) if one[0] != "LK601"]
    assert codes == expected


def test_an_answer_shadows_what_follows_and_a_denial_the_answer() -> None:
    answers = "{name: answer, when: turns > 3, respond: Hello.}"
    assert found(PLAIN + rules(answers, "{name: r, when: turns > 3, chain: [two]}")) == [
        ("LK507", "r")
    ]
    denies = "{name: closed, when: turns > 3, deny: {status: 403, message: closed}}"
    assert found(PLAIN + rules(answers, denies)) == [("LK507", "answer")]


def test_effects_taken_one_by_one_leave_nothing() -> None:
    chosen = (
        "{name: a, when: turns > 3, chain: [two]}",
        "{name: b, when: turns > 3, tier: HIGH}",
        "{name: c, when: turns > 3, tier: LOW, chain: [one]}",
    )
    assert found(PLAIN + rules(*chosen)) == [("LK507", "c")]
    assert found(PLAIN + rules(chosen[0], chosen[2])) == []


def test_levels_of_ones_own_are_ordered_and_names_of_their_own() -> None:
    levels = "trust_levels: [vault, office, world]\n"
    text = levels + PLAIN.replace("local", "vault").replace("cloud", "world")
    required = rules("{name: r, when: wants.stream, require: target.trust <= office}")
    typed = sound(text + "otherwise: escalate\n" + required)
    assert typed.trust_levels == ("vault", "office", "world")
    keeps = typed.rules[0].keeps
    assert keeps is not None
    assert [str(keep) for keep in keeps] == ["Truth(value=True)", "Truth(value=False)"]
    assert found(levels + PLAIN)[0] == ("LK418", "local")
    clash = "features: {office: turns > 3}\n" + rules("{name: r, when: office, floor: HIGH}")
    assert found(text + clash) == [("LK411", "office")]


def test_a_requirement_that_empties_a_chain() -> None:
    home = rules("{name: home, when: wants.stream, require: target == one}")
    ladder = PLAIN.replace("chain: [two, one]", "chain: [two]")
    assert found(ladder + home) == [("LK509", "HIGH")]
    assert found(ladder + "otherwise: escalate\n" + home) == []
    ruled = rules("{name: away, when: turns > 3, chain: [two]}", home[10:].strip())
    assert found(PLAIN + ruled) == [("LK509", "away")]


def test_hard_needs_are_needs() -> None:
    thinker = PLAIN.replace(
        "one: {provider: house, model: m}",
        "one: {provider: house, model: m, capabilities: [tools, vision, documents, json_schema]}",
    ).replace("chain: [one, two]", "chain: [one]")
    assert found(thinker) == []
    assert found(thinker + "needs: {thinking: soft}\n") == []
    assert found(thinker + "needs: {thinking: hard}\n") == [("LK509", "LOW")]
    typed = sound(thinker + "needs: {thinking: hard}\notherwise: escalate\n")
    assert typed.hard_needs == {"thinking"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("{name: r, when: turns > 3, floor: HIGH, ceiling: LOW}",), ["r"]),
        (("{name: r, when: turns > 3, floor: HIGH}", "{name: q, ceiling: LOW}"), ["r"]),
        (("{name: q, when: turns > 3, ceiling: LOW}", "{name: r, floor: HIGH}"), ["r"]),
        (
            ("{name: r, when: turns > 3, floor: HIGH}", "{name: q, when: turns > 4, ceiling: LOW}"),
            [],
        ),
    ],
)
def test_a_floor_over_a_ceiling(written: tuple[str, ...], expected: list[str]) -> None:
    mapped = PLAIN + "models: {low: {tier: LOW}, high: {tier: HIGH}}\n"
    codes = [text for code, text in found(mapped + rules(*written)) if code == "LK512"]
    assert codes == expected


def test_weights_that_nothing_reads() -> None:
    lexicon = "lexicons:\n  hard: {prove: 3, formal: 2}\n"
    counts = rules("{name: r, when: 'count(ask, hard) > 0', floor: HIGH}")
    assert found(PLAIN + lexicon + counts) == [("LK508", "hard")]
    assert found(PLAIN + lexicon + counts.replace("count", "points")) == []
    assert found(PLAIN + lexicon) == [("LK413", "hard")]
    terms = "score:\n  dimensions:\n    all: {weight: 100, value: 'ramp(ask.words, 0, 200)'}\n"
    terms += "    proof: {terms: hard}\n"
    assert found(PLAIN + lexicon + terms) == []
    idle = lexicon.replace("3", "0").replace("2", "0.001")
    assert found(PLAIN + idle + terms) == [("LK508", "proof")]


def test_blanks_that_end_the_beginning_of_a_text_count() -> None:
    typed = sound(PLAIN + rules("""{name: r, when: 'model starts_with " Big "', floor: HIGH}"""))
    guard = typed.rules[0].guard
    assert isinstance(guard, StringTest)
    assert guard.values == ("big ",)


def test_what_stands_behind_the_end_of_the_decision_has_no_effect() -> None:
    closed = "{name: closed, when: turns > 3, deny: {status: 403, message: closed}}"
    for effect in ("floor: HIGH", "ceiling: LOW", "add: 3", "tier: HIGH, floor: HIGH"):
        behind = f"{{name: r, when: turns > 3, {effect}}}"
        assert found(PLAIN + rules(behind, closed)) == [("LK508", "r")]
        assert found(PLAIN + rules(behind, closed.replace("> 3", "> 4"))) == []


@pytest.mark.parametrize("test", ['model in ["a", "A "]', "surface in [%s, %s]"])
def test_a_value_twice_in_a_list(test: str) -> None:
    surface = FEATURES["surface"].members[0]
    test = test.replace("%s", surface)
    (only,) = found(PLAIN + rules(f"{{name: r, when: '{test}', floor: HIGH}}"))
    assert only[0] == "LK318"
