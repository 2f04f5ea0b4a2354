"""What may be written at a place, in texts as they are while somebody writes."""

import pytest

from lynkrc.lsp.complete import Item, complete
from lynkrc.lsp.schema_words import shape_at
from lynkrc.sema.scope import FUNCTIONS
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.protocol.losses import TARGETS
from tests.unit.lsp_sample import SPEC, at, known

BEFORE = known()


def items(tail: str, after: str = "") -> dict[str, Item]:
    text = SPEC + tail
    return {item.label: item for item in complete(text + after, len(text), known(text, BEFORE))}


def test_keys_of_a_section_are_the_schemas() -> None:
    found = items("  - {name: x, ")
    assert {"name"} == {*shape_at(("rules", "#")).keys()} - {*found}
    assert found["when"].insert == "when: "
    assert "condition" in found["when"].doc
    assert found["when"].detail == "an expression"


def test_keys_that_stand_below_are_not_offered() -> None:
    found = items("  - ", after="\n    name: x\n    floor: SIMPLE\n")
    assert "name" in found  # the list item is new: what is below is not its yet
    found = items("  - name: x\n    ", after="\n    floor: SIMPLE\n")
    assert "floor" not in found
    assert "ceiling" in found


def test_a_key_before_its_colon_keeps_it() -> None:
    assert items("  - {name: x, wh", after=": true}")["when"].insert == "when"


@pytest.mark.parametrize(
    ("key", "wanted"), [("dialect", set(TARGETS)), ("on_loss", {"warn", "deny"})]
)
def test_the_values_of_how_a_target_is_called(key: str, wanted: set[str]) -> None:
    text = SPEC.replace("price: free", f"{key}: ")
    offset = text.index(f"{key}: ") + len(key) + 2
    found = complete(text, offset, known(text, BEFORE))
    assert {one.label for one in found} == wanted
    assert all(one.doc for one in found)


def test_required_keys_come_first() -> None:
    assert next(iter(items("  - {"))) == "name"


@pytest.mark.parametrize(
    ("tail", "wanted"),
    [
        ("  - {name: x, floor: ", {"SIMPLE", "MEDIUM", "COMPLEX", "REASONING"}),
        ("  - {name: x, deny: {status: ", {"400", "403", "429"}),
        ("  - {name: x, chain: [", {"small", "big"}),
        ("  - {name: x, require: target.trust == ", {"local", "internal", "cloud"}),
        ("  - {name: x, require: 'target.provider in [house, ", {"house", "claude"}),
        ("  - {name: x, when: count(", {"ask", "history", "envelope"}),
        ('  - {name: x, when: header("y") == ', {"absent"}),
    ],
)
def test_only_what_fits_is_offered(tail: str, wanted: set[str]) -> None:
    assert {*items(tail)} == wanted


def test_everything_an_expression_may_read_is_offered() -> None:
    found = items("  - name: x\n    when: >\n      turns > 3\n      and ")
    assert {*FEATURES, *FUNCTIONS, "secret", "heavy"} <= {*found}
    assert "target.trust" not in found
    assert found["steps"].snippet == "steps(${1:x}, [[${2:FROM}, ${3:VALUE}]])"
    assert found["ask.tokens"].detail == "an integer 0..16777215, of the ask"
    assert "target.trust" in items("  - {name: x, require: ")
    assert "outcome" in items("assert:\n  - never: ")


def test_lexicons_are_the_second_argument_inherited_ones_too() -> None:
    found = items("  - {name: x, when: 'matches(ask, gre")
    assert {"secret_words", "greeting"} <= {*found}
    assert "ask.tokens" not in found


def test_names_with_hyphens_are_quoted_to_fit_the_scalar() -> None:
    assert items("  - {name: x, when: client == ")["claude-code"].insert == '"claude-code"'
    assert items('  - {name: x, when: "client == ')["claude-code"].insert == "'claude-code'"
    assert items("  - {name: x, when: 'client == \"")["claude-code"].insert == "claude-code"


def test_models_are_those_the_provider_offers() -> None:
    found = items("targets:\n  x: {provider: claude, model: ")
    assert "claude-sonnet-5-5" in found
    assert "$" in found["claude-sonnet-5-5"].detail


def test_a_value_right_behind_its_colon_gets_a_blank() -> None:
    assert items("  - name: x\n    floor:")["SIMPLE"].insert == " SIMPLE"


def test_names_of_a_text_that_was_never_sound() -> None:
    text = "providers:\n  mine: {kind: [\ntargets:\n  t: {provider: "
    assert [item.label for item in complete(text, len(text), known(text))] == ["mine"]


def test_bases_and_kinds() -> None:
    text = "version: 1\nextends: "
    found = [item.label for item in complete(text, len(text), known(text))]
    assert "builtin/lynkr" in found
    offset = at("{kind: ^ollama")
    assert "anthropic" in [item.label for item in complete(SPEC, offset, known())]


def test_codes_are_offered_where_findings_are_allowed() -> None:
    found = items("  - {name: x, allow: {")
    assert found
    assert all(label.startswith("LK") for label in found)
    assert "LK004" not in found


def test_a_comment_offers_nothing() -> None:
    assert items("# fl") == {}
