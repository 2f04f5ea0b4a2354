"""Findings about a spec as a whole that the pages do not show."""

from tests.unit.sema_sample import found, resolved, sound

TWO = (
    "providers:\n  house: {kind: simulator, trust: local}\n  far: {kind: simulator, trust: cloud}\n"
    "targets:\n  one: {provider: house, model: m}\n  two: {provider: far, model: m}\n"
    "tiers:\n  - {name: LOW, up_to: 50, chain: [one, two]}\n  - {name: HIGH, chain: [two, one]}\n"
)


def test_too_many_targets() -> None:
    names = [f"t{i}" for i in range(63)]
    targets = "".join(f"  {name}: {{provider: house, model: m}}\n" for name in names)
    chain = ", ".join(names)
    text = f"targets:\n{targets}tiers:\n  - {{name: ONLY, chain: [{chain}]}}\n"
    assert found(text) == [("LK510", "t62")]
    assert (
        found(text.replace("  t62: {provider: house, model: m}\n", "").replace(", t62", "")) == []
    )


def test_features_that_double_are_stopped() -> None:
    doubling = "".join(f"  f{i}: f{i - 1} + f{i - 1}\n" for i in range(1, 16))
    text = (
        f"features:\n  f0: turns\n{doubling}rules:\n  - {{name: r, when: 'f15 > 3', floor: HIGH}}\n"
    )
    codes = {code for code, _ in found(text)}
    assert codes == {"LK320"}


def test_a_feature_is_used_through_another_only_if_that_is_used() -> None:
    text = "features:\n  a: turns > 3\n  b: a and wants.stream\n"
    assert found(text) == [("LK413", "a"), ("LK413", "b")]
    sound(text + "rules:\n  - {name: r, when: b, floor: HIGH}\n")


def test_a_tier_that_rules_alone_lead_past() -> None:
    text = TWO + "rules:\n  - {name: up, floor: HIGH}\n"
    assert found(text) == [("LK505", "LOW")]


def test_a_tier_that_only_a_mapped_model_leads_to() -> None:
    text = TWO + "score: {offset: 20}\nrules:\n  - {name: cap, ceiling: LOW}\n"
    assert found(text) == [("LK505", "HIGH")]
    assert found(text + "models:\n  best*: {tier: HIGH}\n") == [("LK506", "HIGH")]


def test_a_denial_without_a_condition_shadows_what_follows() -> None:
    rules = (
        "rules:\n  - {name: closed, deny: {status: 403, message: closed}}\n"
        "  - {name: later, when: 'turns > 3', tier: HIGH}\n"
        "  - {name: adds, when: 'turns > 3', add: 5}\n"
    )
    assert found(rules) == [("LK507", "later"), ("LK508", "adds")]


def test_a_denial_shadows_a_choice_of_tier_before_it_too() -> None:
    rules = (
        "rules:\n  - {name: up, when: 'turns > 3', tier: HIGH}\n"
        "  - {name: closed, when: 'turns > 3', deny: {status: 403, message: closed}}\n"
    )
    assert found(rules) == [("LK507", "up")]


def test_other_effects_of_a_denial() -> None:
    rules = (
        "rules:\n  - name: closed\n    when: turns > 3\n    add: 5\n"
        "    deny: {status: 403, message: closed}\n"
    )
    assert found(rules) == [("LK508", "closed")]


def test_user_agents_that_overlap_say_which_to_change() -> None:
    clients = "clients:\n  one: {user_agent: cc/}\n  two: {user_agent: cc/2}\n"
    _, findings = resolved(clients)
    assert [one.help for one in findings] == [
        "neither may begin with the other: make `cc/` longer, or remove one"
    ]


def test_effects_that_are_none() -> None:
    rules = (
        "rules:\n"
        "  - {name: top, when: 'turns > 3', ceiling: HIGH}\n"
        "  - {name: nothing, when: 'turns > 4', add: 0.001}\n"
        "  - {name: given, when: 'turns > 5', require: 'target.context > 10'}\n"
        "  - {name: never, when: 'turns > 5 and false', add: 5}\n"
    )
    assert found(rules) == [
        ("LK508", "top"),
        ("LK508", "nothing"),
        ("LK508", "given"),
        ("LK508", "never"),
    ]


def test_a_dimension_that_adds_nothing() -> None:
    score = "score:\n  dimensions:\n    size: {weight: 100, value: 'ramp(ask.words, 0, 9)'}\n"
    assert found(score + "    idle: {weight: 0.001, value: turns}\n") == [("LK508", "idle")]


def test_a_tier_and_a_target_of_one_name() -> None:
    text = "targets:\n  low: {provider: house, model: m}\ntiers:\n  - {name: LOW, chain: [low]}\n"
    assert found(text) == [("LK411", "low")]


def test_otherwise_settles_what_a_tier_lacks() -> None:
    targets = (
        "targets:\n  small: {provider: house, model: m, context: 8k}\n"
        "  one: {provider: house, model: m}\n"
        "tiers:\n  - {name: LOW, up_to: 50, chain: [small]}\n  - {name: HIGH, chain: [one]}\n"
    )
    _, findings = resolved(targets)
    assert [one.code.id for one in findings] == ["LK509"]
    assert "a window of 200000 tokens" in findings[0].message
    for word in ("escalate", "deny"):
        assert sound(f"{targets}otherwise: {word}\n").otherwise == word


def test_a_written_fact_replaces_the_catalogs() -> None:
    typed = sound("targets:\n  one: {provider: house, model: m, capabilities: [vision, tools]}\n")
    (target,) = typed.targets
    assert target.capabilities == ("tools", "vision")
    assert (target.context, target.max_output) == (200_000, 32_000)


def test_the_output_limit_is_the_window_where_nobody_states_one() -> None:
    typed = sound(
        "providers:\n  house: {kind: ollama, trust: local}\n"
        "targets:\n  one: {provider: house, model: m, context: 32k, "
        "capabilities: [tools, vision, documents, json_schema], price: free}\n"
    )
    assert typed.targets[0].max_output == 32_000
    assert typed.targets[0].shape.tool_choice_ignored is True


def test_features_written_out_are_bounded_whatever_order_they_stand_in() -> None:
    line = ["f0: ask.words", *(f"f{i}: f{i - 1} + 1" for i in range(1, 300))]
    for lines in (line, line[::-1]):
        features = "".join(f"  {one}\n" for one in lines)
        assert {code for code, _ in found(f"features:\n{features}")} == {"LK320"}


def test_all_expressions_together_are_bounded() -> None:
    parts = " or ".join(f"ask.words == {i}" for i in range(90))
    rules = "".join(f"  - {{name: r{i}, when: large, add: 1}}\n" for i in range(300))
    text = f"features:\n  large: {parts}\nrules:\n{rules}"
    assert [code for code, _ in found(text)] == ["LK320"]
