"""A Responses client that asks for a summary of the reasoning reads one, whatever model answers."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_responses import CLIENT
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import TARGET_DIALECTS

LOST = "dropped=reasoning.summary"
NEW = {"thinking": ["adaptive"], "efforts": ["low", "high"], "hides_thinking": True}
OLD = {"thinking": ["enabled", "disabled"], "efforts": []}


def written(
    target: str,
    reasoning: dict[str, Any],
    *,
    can: str = "thinking",
    model: str = "anthropic.claude-x",
    shape: dict[str, Any] | None = None,
    **members: Any,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    body = {"model": "m", "input": "Hi", "max_output_tokens": 40000, "reasoning": reasoning}
    request = CLIENT.read_request(json.dumps(body | members).encode(), {})
    facts = TargetFacts(
        model=model,
        max_output=64000,
        capabilities=frozenset((can,)),
        shape=RequestShape(**(shape or {})),
    )
    done = TARGET_DIALECTS[target].write_request(request, facts, {})
    return json.loads(done.body), done.transforms


@pytest.mark.parametrize(
    ("reasoning", "shape", "thinking"),
    [
        (
            {"effort": "high", "summary": "auto"},
            NEW,
            {"type": "adaptive", "display": "summarized"},
        ),
        ({"summary": "detailed"}, NEW, {"type": "adaptive", "display": "summarized"}),
        ({"generate_summary": "auto"}, NEW, {"type": "adaptive", "display": "summarized"}),
        ({"effort": "high"}, NEW, {"type": "adaptive"}),
        # Models that show their reasoning unasked are not sent a word they may not know.
        ({"effort": "high", "summary": "auto"}, {}, {"type": "adaptive"}),
        ({"effort": "low", "summary": "auto"}, OLD, {"type": "enabled", "budget_tokens": 2048}),
        ({"effort": "none", "summary": "auto"}, OLD, {"type": "disabled"}),
    ],
)
@pytest.mark.parametrize("target", ["anthropic-messages", "bedrock-converse"])
def test_claude_shows_it(
    target: str, reasoning: dict[str, Any], shape: dict[str, Any], thinking: dict[str, Any]
) -> None:
    body, transforms = written(target, reasoning, shape=shape)
    fields = body if target == "anthropic-messages" else body["additionalModelRequestFields"]
    found = fields["thinking"]
    if thinking["type"] == "enabled":
        found = {"type": found["type"], "budget_tokens": found["budget_tokens"]}
    assert found == thinking
    assert LOST not in transforms


@pytest.mark.parametrize("target", ["anthropic-messages", "bedrock-converse"])
def test_a_claude_that_will_not_think_says_so(target: str) -> None:
    tool = {"type": "function", "name": "go", "parameters": {"type": "object", "properties": {}}}
    forced: dict[str, Any] = {"tools": [tool], "tool_choice": "required"}
    _, transforms = written(target, {"summary": "auto"}, **forced)
    assert LOST in transforms
    body, transforms = written(target, {"summary": "auto"}, shape=OLD)
    assert LOST in transforms and "thinking" not in json.dumps(body)


@pytest.mark.parametrize("reasoning", [{"summary": "auto"}, {"effort": "low", "summary": "auto"}])
def test_gemini_includes_its_thoughts(reasoning: dict[str, Any]) -> None:
    body, transforms = written("gemini", reasoning)
    assert body["generationConfig"]["thinkingConfig"]["includeThoughts"] is True
    assert LOST not in transforms


@pytest.mark.parametrize("target", ["openai-chat", "ollama-chat", "gemini", "bedrock-converse"])
def test_it_is_lost_where_the_model_has_no_reasoning(target: str) -> None:
    _, transforms = written(target, {"summary": "auto"}, can="tools", model="plain")
    assert LOST in transforms
    _, transforms = written(target, {"summary": "auto"}, model="plain")
    assert LOST not in transforms
