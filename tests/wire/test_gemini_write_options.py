"""Options of a request, as Gemini's `generationConfig` says them: thinking, limits, formats."""

from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.gemini.write_request import HEAD_ROOM
from tests.wire.test_gemini_write_request import HELLO, TOOL, chat, facts, messages, sent


def config_of(body: dict[str, Any], *capabilities: str, **shape: Any) -> tuple[Any, list[str]]:
    written, changes = sent(body, facts(*capabilities, **shape))
    return written.get("generationConfig", {}), changes


def test_sampling_and_stops() -> None:
    stops = [f"stop{number}" for number in range(7)]
    asked = messages(HELLO, temperature=0.5, top_p=0.9, top_k=40, stop_sequences=stops)
    config, changes = config_of(asked)
    assert config == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "stopSequences": stops[:5],
        "maxOutputTokens": 100,
    }
    assert changes == ["enforced=stop"]


def test_an_empty_stop_is_none() -> None:
    config, changes = config_of(messages(HELLO, stop_sequences=["", "\n"]))
    assert config["stopSequences"] == ["\n"]
    assert changes == ["enforced=stop"]


def test_options_of_chat() -> None:
    asked = chat(
        seed=7, presence_penalty=0.5, frequency_penalty=-0.5, user="me", logit_bias={"1": 2}
    )
    config, changes = config_of(asked)
    assert config == {"seed": 7, "presencePenalty": 0.5, "frequencyPenalty": -0.5}
    assert changes == ["dropped=user", "dropped=logit_bias"]
    assert config_of(chat(seed=2**31))[1] == ["dropped=seed"]


def test_a_shape_that_takes_no_sampling() -> None:
    asked = messages(HELLO, temperature=0.5, stop_sequences=["x"])
    config, changes = config_of(asked, sampling=["seed"])
    assert config == {"maxOutputTokens": 100}
    assert changes == ["dropped=temperature", "enforced=stop"]


def wish(**members: Any) -> dict[str, Any]:
    return messages(HELLO, max_tokens=60000, thinking=members)


LEVELS: list[tuple[Any, Any, list[str]]] = [
    (wish(type="adaptive"), {"includeThoughts": True}, []),
    (wish(type="adaptive", display="omitted"), None, []),
    (
        wish(type="enabled", budget_tokens=2000),
        {"thinkingLevel": "LOW", "includeThoughts": True},
        ["thinkingLevel=LOW"],
    ),
    (
        wish(type="enabled", budget_tokens=9000),
        {"thinkingLevel": "MEDIUM", "includeThoughts": True},
        ["thinkingLevel=MEDIUM"],
    ),
    (
        wish(type="enabled", budget_tokens=40000),
        {"thinkingLevel": "HIGH", "includeThoughts": True},
        ["thinkingLevel=HIGH"],
    ),
    (chat(reasoning_effort="medium"), {"thinkingLevel": "MEDIUM", "includeThoughts": True}, []),
    (
        chat(reasoning_effort="xhigh"),
        {"thinkingLevel": "HIGH", "includeThoughts": True},
        ["thinkingLevel=HIGH"],
    ),
]


@pytest.mark.parametrize(("asked", "thinking", "changes"), LEVELS)
def test_levels(asked: Any, thinking: Any, changes: list[str]) -> None:
    config, found = config_of(asked, "thinking")
    assert config.get("thinkingConfig") == thinking
    assert found == changes


@pytest.mark.parametrize(
    "asked", [wish(type="disabled"), chat(reasoning_effort="none", max_completion_tokens=60000)]
)
def test_the_least_level_where_thinking_cannot_be_turned_off(asked: Any) -> None:
    config, changes = config_of(asked, "thinking", efforts=["low", "medium", "high"])
    assert config["thinkingConfig"] == {"thinkingLevel": "LOW"}
    assert "thinkingLevel=LOW" in changes
    config, _ = config_of(asked, "thinking")
    assert config["thinkingConfig"] == {"thinkingLevel": "MINIMAL"}


BUDGETS: list[tuple[Any, Any, list[str]]] = [
    (wish(type="adaptive"), {"includeThoughts": True}, []),
    (
        wish(type="enabled", budget_tokens=9000),
        {"thinkingBudget": 9000, "includeThoughts": True},
        [],
    ),
    (
        wish(type="enabled", budget_tokens=50000),
        {"thinkingBudget": 24576, "includeThoughts": True},
        ["thinkingBudget=24576"],
    ),
    (
        chat(reasoning_effort="low"),
        {"thinkingBudget": 2048, "includeThoughts": True},
        ["thinkingBudget=2048"],
    ),
    (wish(type="disabled"), {"thinkingBudget": 0}, []),
]


@pytest.mark.parametrize(("asked", "thinking", "changes"), BUDGETS)
def test_budgets(asked: Any, thinking: Any, changes: list[str]) -> None:
    config, found = config_of(asked, "thinking", thinking_budgets=[512, 24576])
    assert config.get("thinkingConfig") == thinking
    assert found == changes


def test_the_least_budget_where_thinking_cannot_be_turned_off() -> None:
    shape = {"thinking_budgets": [128, 32768], "thinking": ["enabled", "adaptive"]}
    config, changes = config_of(wish(type="disabled"), "thinking", **shape)
    assert config["thinkingConfig"] == {"thinkingBudget": 128}
    assert "thinkingBudget=128" in changes


def test_a_model_without_thinking_is_not_asked_for_any() -> None:
    config, changes = config_of(wish(type="enabled", budget_tokens=2000))
    assert "thinkingConfig" not in config
    assert changes == ["dropped=thinking"]
    assert config_of(chat(reasoning_effort="low"))[1] == ["dropped=effort"]


def test_thinking_nobody_asked_for_does_not_eat_the_answer() -> None:
    config, changes = config_of(messages(HELLO), "thinking")
    assert config["maxOutputTokens"] == 100 + HEAD_ROOM
    assert changes == [f"max_tokens={100 + HEAD_ROOM}"]
    asked = wish(type="enabled", budget_tokens=2000)
    assert config_of(asked, "thinking")[0]["maxOutputTokens"] == 60000
    off = messages(HELLO, thinking={"type": "disabled"})
    assert config_of(off, "thinking", thinking_budgets=[1, 9])[0]["maxOutputTokens"] == 100


def test_a_limit_above_the_models() -> None:
    config, changes = config_of(messages(HELLO, max_tokens=90000))
    assert config["maxOutputTokens"] == 64000
    assert changes == ["max_tokens=64000"]


SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "format": "uri"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "out", "schema": SCHEMA}}
JSON = "application/json"


def test_answers_in_json() -> None:
    config, changes = config_of(chat(response_format=FORMAT))
    assert config == {"responseMimeType": JSON, "responseJsonSchema": SCHEMA}
    assert changes == []
    config, _ = config_of(chat(response_format={"type": "json_object"}))
    assert config == {"responseMimeType": JSON}
    config, changes = config_of(chat(response_format=FORMAT), plain_schemas=False)
    assert config["responseSchema"] == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING"}},
    }
    assert changes == ["schema=response_format"]


def test_json_that_must_be_asked_for_in_words() -> None:
    body, changes = sent(chat(response_format=FORMAT), facts(structured_output=False))
    assert body["generationConfig"] == {"responseMimeType": JSON}
    assert '"format":"uri"' in body["systemInstruction"]["parts"][0]["text"]
    assert changes == ["prompted=response_format"]
    tools = [{"type": "function", "function": {"name": "look", "parameters": TOOL["input_schema"]}}]
    beside = chat(response_format=FORMAT, tools=tools)
    body, changes = sent(beside, facts(format_with_tools=False))
    assert "generationConfig" not in body
    assert changes == ["prompted=response_format"]


@pytest.mark.parametrize(
    ("asked", "feature"),
    [
        (messages(HELLO, max_tokens=0), "max_tokens"),
        (chat(n=2), "n"),
        (chat(modalities=["text", "audio"], audio={"voice": "a", "format": "wav"}), "audio"),
    ],
)
def test_what_cannot_mean_the_same(asked: Any, feature: str) -> None:
    with pytest.raises(CannotTranslate) as raised:
        sent(asked)
    assert raised.value.feature == feature


def test_wishes_of_one_choice_in_text_are_no_loss() -> None:
    assert sent(chat(n=1, modalities=["text"]))[1] == []
