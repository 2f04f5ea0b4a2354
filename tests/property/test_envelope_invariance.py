"""The envelope does not decide: the same words give the same ask, score and tier, bare and inside.

The words go through the real extractor and the real scorers of whole specs, in the envelopes of
every client that `builtin/lynkr` has a profile of.
"""

import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.ask import find_ask, markers_of
from lynkrc_runtime.bundle import LoadedBundle, load_bundle
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from tests.property.client_envelopes import BUILDERS, CHAT, Wire, bare, encoded
from tests.property.effort import tried

ROOT = Path(__file__).resolve().parents[2]
SPECS = ("specs/starter/claude.yaml", "examples/quickstart/routing.yaml")
_T = TypeVar("_T")


@cache
def bundle(spec: str) -> tuple[LoadedBundle, Extractor]:
    packed, _ = pack_bundle(compile_file(ROOT / spec), native=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.lynkr"
        path.write_bytes(packed)
        loaded = load_bundle(path)
    return loaded, Extractor(loaded.dispatch, loaded.tables)


def reading(spec: str, wire: Wire) -> tuple[str, dict[str, int], tuple[int, int, int]]:
    """The ask, its features and the facts of the conversation, and the decision's tier, rule and
    score.
    """
    loaded, extractor = bundle(spec)
    surface, headers, _ = wire
    dialect = "openai-chat" if surface == CHAT else "anthropic-messages"
    request = CLIENT_DIALECTS[dialect].read_request(encoded(wire), headers)
    vector = extractor.extract(request, RequestFacts(surface=surface, headers=headers))
    features = {
        f"{slot.feature} {slot.args}": value
        for slot, value in zip(loaded.dispatch.slots, vector, strict=True)
        if slot.feature.startswith(("ask.", "loop.", "turns", "tools.added"))
        or slot.args[:1] == ["ask"]
    }
    verdict = loaded.scorer(vector)
    ask = find_ask(request.messages, markers_of(loaded.dispatch.clients))
    return ask.text, features, (verdict[1], verdict[2], verdict[5])


def baseline(name: str) -> list[str]:
    (tools,) = (
        one.baseline_tools for one in bundle(SPECS[0])[0].dispatch.clients if one.name == name
    )
    return tools


WORDS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                "hi",
                "thanks",
                "Refactor the entire pipeline",
                "prove that",
                "step by step",
                "security audit",
                "do whatever it takes, keep trying",
                "\u8bc1\u660e\u8fd9\u4e2a\u3002",
                "\u0441\u043f\u0430\u0441\u0438\u0431\u043e",
                "\u0645\u0631\u062d\u0628\u0627",
                "\u0926\u0947\u0916\u094b?",
                "a < b and <b>c</b>",
                "<system-reminder>",
                "</system-reminder>",
                "<system-reminder>\nquoted\n</system-reminder>",
                "<environment_context",
                "<user_query>",
                "</user_query>",
                "<userRequest>x</userRequest>",
                "<task>",
                "</task>",
                "</command-args>",
                "<command-args>",
                "<info-msg/>",
                "[Request interrupted",
                "# AGENTS.md instructions",
                "\n",
                "```\ncode\n```",
                '"1,2"',
            ]
        ),
        max_size=14,
    ).map(" ".join),
)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("spec", SPECS)
def test_the_same_words_decide_the_same_bare_and_inside(spec: str, name: str) -> None:
    build, fewest = BUILDERS[name]
    tools = st.lists(st.sampled_from(baseline(name) or ["-"]), unique=True, min_size=fewest)

    @tried(50)
    @given(words=WORDS, data=st.data(), tools=tools)
    def same(words: str, data: st.DataObject, tools: list[str]) -> None:
        def choose(options: Sequence[_T]) -> _T:
            return options[data.draw(st.integers(0, len(options) - 1))]

        inside, alone = reading(spec, build(words, choose, tools)), reading(spec, bare(words))
        # Words that are no ask (blanks, another client's note) make no turn to count steps from.
        assert inside[0] == alone[0]
        assert inside == alone or not alone[0]

    check: Callable[[], None] = same
    check()


LOOKALIKES = (
    "why is <system-reminder> here?",
    "why is </system-reminder> here?\nAnd <environment_details>?",
    "<system-reminder>\nquoted\n</system-reminder>\nWhat is this?",
    "<info-msg>\n<system_reminder>\n<reminderInstructions>\nfix",
    "a </user_query> b </userRequest> c </task> d </command-args> e",
    "<user_query> a <userRequest> b <task> c <command-args> d",
    "sort <task>this</task> and <user_query>that</user_query>",
    "<task>\nfix it\n</task>",
    "<document>\nwords\n</document>\n<task>prove that</task>",
    "a [Request interrupted by user] b\nCaveat: c",
    "<system-reminder",
    "fix </user_query",
)


@pytest.mark.parametrize("name", BUILDERS)
def test_what_looks_like_a_marker_in_the_words_decides_the_same_everywhere(name: str) -> None:
    build, _ = BUILDERS[name]
    for words in LOOKALIKES:
        alone = reading(SPECS[0], bare(words))
        assert alone[0]
        for variant in range(9):

            def choose(options: Sequence[_T], variant: int = variant) -> _T:
                return options[variant % len(options)]

            assert reading(SPECS[0], build(words, choose, baseline(name))) == alone, words


def test_every_profile_has_an_envelope() -> None:
    assert sorted(BUILDERS) == [one.name for one in bundle(SPECS[0])[0].dispatch.clients]


def test_the_words_do_reach_the_decision() -> None:
    plain, asked = (reading(SPECS[0], bare(words)) for words in ("no", "prove that, step by step"))
    assert plain[1] != asked[1]
    assert plain[2] != asked[2]
