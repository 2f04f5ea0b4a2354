"""What an editor shows of the name or key under the pointer."""

import pytest

from lynkrc.lsp.hover import hover
from lynkrc.lsp.words import FUNCTION_MEANINGS, PROVENANCES
from lynkrc.sema.scope import FUNCTIONS
from lynkrc_runtime.feature_table import Provenance
from tests.unit.lsp_sample import SPEC, at, known

KNOWN = known()


def page(words: str) -> str:
    found = hover(at(words), KNOWN)
    assert found is not None
    return found.markdown


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("ask.to^kens > 4000", ["an integer 0..16777215", "what the user wrote"]),
        ("cou^nt(ask, secret_words)", ["count(TEXT, LEXICON)", "0..255", "what the user wrote"]),
        ("count(a^sk", ["a text of the request"]),
        ("count(ask, sec^ret_words)", ["a lexicon of 3 entries", "`internal only`"]),
        ("'hea^vy and", ["a boolean", "ask.tokens > 4000 and count", "Reads `ask`"]),
        ('client != "claude^-code', ["a client profile", "From `builtin`"]),
        ("target.tr^ust ==", ["A fact of the target", "`local` < `internal` < `cloud`"]),
        ("== lo^cal", ["a trust level", "`house`"]),
        ("  sm^all:", ["128,000 tokens (stated in the spec)", "free"]),
        ("  bi^g:", ["the catalog", "USD per million tokens", "source: https://", "read 20"]),
        ("  hou^se:", ["ollama-chat", "targets: `small`"]),
        ("kind: oll^ama", ["a provider kind"]),
        ("model: claude-son^net", ["a model of the catalog", "source: https://"]),
        ("model: lla^ma", ["does not know"]),
        ("name: MED^IUM", ["2 of 4", "scores: 26 to 50", "`small`, then `big`"]),
        ("stay-^home", ["a rule", "when `secret`", "require: `target.trust == local`"]),
        ("  sm^all:", ["called in: `ollama-chat`"]),
        ("capabi^lities:", ["What the target can do"]),
        ("con^text: 128k", ["a size", "Context window"]),
        ("other^wise:", ["one of escalate, deny"]),
    ],
)
def test_a_page_says_what_is_known(words: str, wanted: list[str]) -> None:
    text = page(words)
    assert [part for part in wanted if part not in text] == []


def test_the_range_is_the_name_alone() -> None:
    found = hover(at('client != "cla^ude-code"'), KNOWN)
    assert found is not None
    assert SPEC[found.start : found.end] == "claude-code"


def test_names_after_wide_characters_are_found() -> None:
    found = hover(at("or mat^ches(ask"), KNOWN)
    assert found is not None
    assert SPEC[found.start : found.end] == "matches"


def test_a_code_shows_its_page() -> None:
    text = SPEC + "    allow: {LK503: meant}\n"
    found = hover(text.index("LK503") + 2, known(text))
    assert found is not None
    assert "`lynkrc explain LK503`" in found.markdown


def test_a_broken_text_still_tells_of_words_and_keys() -> None:
    text = SPEC + "  - {name: y, when: [ask.tokens, flo"
    broken = known(text, KNOWN)
    assert broken.root is None
    found = hover(text.rindex("ask.tokens") + 2, broken)
    assert found is not None
    assert "an integer" in found.markdown
    key = hover(text.rindex("when:") + 1, broken)
    assert key is not None
    assert "condition" in key.markdown


def test_every_word_has_its_meaning() -> None:
    assert {*FUNCTION_MEANINGS} == {*FUNCTIONS}
    assert {*PROVENANCES} == {*Provenance}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("  sm^all:", "called in: `openai-chat`, never with a loss"),
        ("on_lo^ss: deny", "one of warn, deny"),
        ("on_loss: de^ny", "the next target is tried"),
        ("dia^lect:", "one of anthropic-messages, openai-chat"),
    ],
)
def test_how_a_target_is_called_is_told(words: str, wanted: str) -> None:
    said = "price: free, on_loss: deny, dialect: openai-chat}"
    text = SPEC.replace("price: free}", said)
    assert said in text
    before, after = words.split("^")
    found = hover(text.index(before + after) + len(before), known(text))
    assert found is not None
    assert wanted in found.markdown
