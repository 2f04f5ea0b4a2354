"""Messages in, Messages out: byte fidelity, and exactly the edits a request shape demands."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic import CLIENT, TARGET
from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.shapes import RequestShape

OLD = {"anthropic-version": "2023-06-01"}
NEW = {"anthropic-version": "2026-10-21"}
USER = {"role": "user", "content": "Hi"}
ANYTHING = RequestShape()
EFFORTS = ["low", "medium", "high", "xhigh", "max"]
OPUS = RequestShape(
    thinking=["adaptive"],
    efforts=EFFORTS,
    sampling=["stop"],
    tool_choice=["auto", "none"],
    prefill=False,
)
SONNET = RequestShape(
    thinking=["adaptive", "between_tools"], efforts=EFFORTS, sampling=["stop"], prefill=False
)
HAIKU = RequestShape(
    thinking=["adaptive", "disabled"],
    disabled_max_effort="high",
    efforts=EFFORTS,
    sampling=["stop"],
)
MANUAL = RequestShape(
    thinking=["enabled", "disabled"],
    efforts=[],
    mid_system=False,
    betas=["context-management-2025-06-27", "interleaved-thinking-2025-05-14"],
)


def body(**members: Any) -> dict[str, Any]:
    return {"model": "asked", "max_tokens": 5000, "messages": [USER]} | members


def facts(shape: RequestShape, model: str = "target", max_output: int = 64000) -> TargetFacts:
    return TargetFacts(model=model, max_output=max_output, capabilities=frozenset(), shape=shape)


def send(
    value: dict[str, Any],
    shape: RequestShape = ANYTHING,
    headers: dict[str, str] | None = None,
    **target: Any,
) -> tuple[dict[str, Any], Written]:
    request = CLIENT.read_request(json.dumps(value).encode(), headers or {})
    written = TARGET.pass_request(request, facts(shape, **target), headers or OLD)
    return json.loads(written.body), written


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.dictionaries(st.text(max_size=6).map("x_{}".format), JSON, max_size=4),
    JSON,
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_every_value_passes_byte_for_byte(
    extra: dict[str, Any], deep: Any, ascii_only: bool, indent: int | None
) -> None:
    block = {"type": "from_next_year", "deep": deep}
    value = body(messages=[{"role": "user", "content": [block]}, USER]) | extra
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    request = CLIENT.read_request(data, {})
    written = TARGET.pass_request(request, facts(OPUS), OLD)
    sent = CLIENT.read_request(written.body, {})
    assert sent.members.pop("model") == b'"target"'
    before = dict(request.members)
    before.pop("model")
    assert sent.members == before
    assert all(raw in data for raw in before.values())
    assert list(json.loads(written.body)) == list(value)
    assert written.transforms == ()


def test_the_same_model_is_not_edited_at_all() -> None:
    value = body(
        max_tokens=999_999,
        temperature=0.5,
        thinking={"type": "enabled", "budget_tokens": 5},
        messages=[USER, {"role": "system", "content": "s"}, {"role": "assistant", "content": "a"}],
    )
    headers = NEW | {"anthropic-beta": "any-beta,other"}
    sent, written = send(value, OPUS, headers, model="asked", max_output=10)
    assert sent == value
    assert written.headers == headers
    assert written.transforms == ()


def test_the_version_defaults_to_the_old_one() -> None:
    request = CLIENT.read_request(json.dumps(body()).encode(), {})
    assert TARGET.pass_request(request, facts(OPUS), {}).headers == OLD


def test_max_tokens_is_clamped() -> None:
    sent, written = send(body(max_tokens=128_000))
    assert sent["max_tokens"] == 64_000
    assert written.transforms == ("max_tokens=64000",)


@pytest.mark.parametrize(
    ("shape", "given", "wanted", "transforms"),
    [
        (
            OPUS,
            {"thinking": {"type": "enabled", "budget_tokens": 4000, "display": "omitted"}},
            {
                "thinking": {"type": "adaptive", "display": "omitted"},
                "output_config": {"effort": "low"},
            },
            ("thinking=adaptive", "effort=low"),
        ),
        (
            OPUS,
            {
                "thinking": {"type": "enabled", "budget_tokens": 4000},
                "output_config": {"effort": "max"},
            },
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            ("thinking=adaptive",),
        ),
        (
            OPUS,
            {"thinking": {"type": "disabled"}},
            {"output_config": {"effort": "low"}},
            ("dropped=thinking", "effort=low"),
        ),
        (
            SONNET,
            {"thinking": {"type": "disabled"}},
            {"thinking": {"type": "between_tools"}},
            ("thinking=between_tools",),
        ),
        (
            HAIKU,
            {"thinking": {"type": "between_tools"}},
            {"thinking": {"type": "disabled"}},
            ("thinking=disabled",),
        ),
        (
            HAIKU,
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}},
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}},
            ("effort=high",),
        ),
        (HAIKU, {"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}, ()),
        (
            MANUAL,
            {
                "thinking": {"type": "adaptive", "display": "omitted"},
                "output_config": {"effort": "low"},
            },
            {"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"}},
            ("thinking=enabled", "dropped=effort"),
        ),
        (
            MANUAL,
            {"thinking": {"type": "adaptive"}},
            {"thinking": {"type": "enabled", "budget_tokens": 3976}},
            ("thinking=enabled",),
        ),
        (
            MANUAL,
            {"thinking": {"type": "adaptive"}, "max_tokens": 1500},
            {},
            ("dropped=thinking",),
        ),
        (
            RequestShape(efforts=["low", "medium", "high"]),
            {"output_config": {"effort": "xhigh", "task_budget": {"total": 1}}},
            {"output_config": {"effort": "high", "task_budget": {"total": 1}}},
            ("effort=high",),
        ),
        (
            RequestShape(efforts=["high"]),
            {"output_config": {"effort": "low"}},
            {"output_config": {"effort": "high"}},
            ("effort=high",),
        ),
        (
            OPUS,
            {"temperature": 1, "top_p": 1, "top_k": 5, "stop_sequences": ["x"]},
            {"stop_sequences": ["x"]},
            ("dropped=temperature", "dropped=top_p", "dropped=top_k"),
        ),
        (
            RequestShape(sampling=["temperature"]),
            {"temperature": 0.5, "stop_sequences": ["x"]},
            {"temperature": 0.5},
            ("enforced=stop",),
        ),
        (
            OPUS,
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            ("tool_choice=auto",),
        ),
        (
            OPUS,
            {"tool_choice": {"type": "tool", "name": "a"}},
            {"tool_choice": {"type": "auto"}},
            ("tool_choice=auto",),
        ),
        (OPUS, {"tool_choice": {"type": "none"}}, {"tool_choice": {"type": "none"}}, ()),
    ],
)
def test_shape_edits(
    shape: RequestShape, given: dict[str, Any], wanted: dict[str, Any], transforms: tuple[str, ...]
) -> None:
    sent, written = send(body(**given), shape)
    expected = {k: v for k, v in body(**given).items() if k not in given or k == "max_tokens"}
    assert sent == expected | {"model": "target"} | wanted
    assert written.transforms == transforms


def test_a_clamped_limit_keeps_the_budget_below_it() -> None:
    value = body(max_tokens=32000, thinking={"type": "enabled", "budget_tokens": 31999})
    sent, written = send(value, MANUAL, max_output=8000)
    assert sent["thinking"]["budget_tokens"] == 6976
    assert written.transforms == ("max_tokens=8000", "thinking.budget_tokens=6976")


def test_tools_cannot_be_forbidden_where_the_model_has_no_such_choice() -> None:
    with pytest.raises(CannotTranslate):
        send(body(tool_choice={"type": "none"}), RequestShape(tool_choice=["auto"]))


@pytest.mark.parametrize("system", [None, "Lead.", [{"type": "text", "text": "Lead."}]])
def test_structured_output_is_asked_for_in_words(system: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    config = {"format": {"type": "json_schema", "schema": schema}, "effort": "low"}
    value = body(output_config=config) | ({} if system is None else {"system": system})
    sent, written = send(value, RequestShape(structured_output=False))
    assert sent["output_config"] == {"effort": "low"}
    assert '"integer"' in json.dumps(json.dumps(sent["system"])).replace("\\", "")
    assert system is None or "Lead." in json.dumps(sent["system"])
    assert written.transforms == ("prompted=output_config.format",)


def test_prefill_is_refused_by_name() -> None:
    value = body(messages=[USER, {"role": "assistant", "content": "So"}])
    with pytest.raises(CannotTranslate) as caught:
        send(value, OPUS)
    assert caught.value.feature == "prefill"
    assert send(value, MANUAL)[1].transforms == ()
    folded = body(messages=[*value["messages"], {"role": "system", "content": "s"}])
    shape = RequestShape(prefill=False, mid_system=False)
    assert send(folded, shape)[0]["messages"][-1]["role"] == "user"


# -- versions and betas ----------------------------------------------------------------------


def test_sampling_that_stays_asks_for_the_version_that_takes_it() -> None:
    sent, written = send(body(temperature=0.5), RequestShape(), NEW)
    assert sent["temperature"] == 0.5
    assert written.headers == OLD
    assert written.transforms == ("anthropic-version=2023-06-01",)


def test_sampling_leaves_where_no_legal_version_takes_it() -> None:
    sent, written = send(body(temperature=0.5, top_k=2), RequestShape(versions=["2026-10-21"]), OLD)
    assert "temperature" not in sent
    assert "top_k" not in sent
    assert written.headers == NEW
    assert written.transforms == (
        "dropped=temperature",
        "dropped=top_k",
        "anthropic-version=2026-10-21",
    )


def test_betas_are_filtered_with_what_they_brought() -> None:
    betas = "interleaved-thinking-2025-05-14, context-management-2025-06-27,mcp-client-2025-11-20"
    value = body(mcp_servers=[{"name": "s"}], context_management={"edits": []})
    sent, written = send(value, MANUAL, OLD | {"anthropic-beta": betas})
    assert written.headers["anthropic-beta"] == (
        "interleaved-thinking-2025-05-14,context-management-2025-06-27"
    )
    assert written.transforms == ("dropped=beta:mcp-client-2025-11-20", "dropped=mcp_servers")
    assert sent["context_management"] == {"edits": []}
    assert "mcp_servers" not in sent


def test_clearing_of_thinking_leaves_with_the_thinking() -> None:
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    value = body(thinking={"type": "adaptive"}, max_tokens=1200, context_management=edits)
    headers = OLD | {"anthropic-beta": "context-management-2025-06-27"}
    sent, written = send(value, MANUAL, headers)
    assert "context_management" not in sent
    assert written.transforms == ("dropped=thinking", "dropped=context_management")


def test_display_updates_leaves_with_its_beta() -> None:
    value = body(thinking={"type": "adaptive", "display": "updates"})
    headers = OLD | {"anthropic-beta": "thinking-display-updates-2026-08-18"}
    shape = RequestShape(betas=[])
    sent, written = send(value, shape, headers)
    assert sent["thinking"] == {"type": "adaptive"}
    assert "dropped=thinking.display" in written.transforms
    assert "anthropic-beta" not in written.headers


def test_sampling_that_says_nothing_is_left_out_for_another_model() -> None:
    value = body(temperature=None, top_p=None, top_k=None)
    sent, written = send(value, RequestShape())
    assert sent.keys().isdisjoint(("temperature", "top_p", "top_k"))
    assert written.transforms == ()
    assert send(value, RequestShape(), model="asked")[0] == value


# -- messages --------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_wishes_of_a_turn_leave_where_there_are_no_later_instructions(role: str) -> None:
    """Of any turn, though none of the turns is an instruction itself."""
    turn = {"role": role, "content": "c", "output_config": {"effort": "high"}}
    value = body(messages=[USER, turn, USER])
    sent, written = send(value, RequestShape(mid_system=False))
    assert sent["messages"] == [USER, {"role": role, "content": "c"}, USER]
    assert written.transforms == ("dropped=messages.output_config",)
    assert send(value, RequestShape())[0]["messages"] == value["messages"]


def folded(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    sent, written = send(body(messages=list(messages)), RequestShape(mid_system=False))
    assert "folded=mid-system" in written.transforms
    return list(sent["messages"])


def reminder(text: str) -> dict[str, Any]:
    return {"type": "text", "text": f"<system-reminder>\n{text}\n</system-reminder>"}


CALL = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}],
}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "r"}


def test_system_turns_fold_into_the_user_turn_before() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    system = {"role": "system", "content": [{"type": "text", "text": "s"} | mark]}
    assert folded(USER, system) == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, reminder("s") | mark]}
    ]


def test_system_turns_fold_into_the_user_turn_after_its_results() -> None:
    user = {"role": "user", "content": [RESULT, {"type": "text", "text": "go"}]}
    messages = folded(USER, CALL, {"role": "system", "content": "s"}, user)
    assert messages[2]["content"] == [RESULT, reminder("s"), {"type": "text", "text": "go"}]


def test_system_turns_alone_become_a_user_turn() -> None:
    answer = {"role": "assistant", "content": "a"}
    system = {"role": "system", "content": "s", "output_config": {"effort": "low"}}
    assert folded(system, answer, system) == [
        {"role": "user", "content": [reminder("s")]},
        answer,
        {"role": "user", "content": [reminder("s")]},
    ]


def test_turns_that_do_not_change_keep_their_bytes() -> None:
    data = (
        b'{"model":"asked","max_tokens":5,"messages":[{"role":"user" ,"content":"a \\u00e9"},'
        b'{"role":"system","content":"s"},{"content":[ {"type":"text","text":"b"}],"role":'
        b'"assistant"},{"role":"user","content":"q"}]}'
    )
    request = CLIENT.read_request(data, {})
    sent = TARGET.pass_request(request, facts(RequestShape(mid_system=False)), OLD).body
    assert b'{"content":[ {"type":"text","text":"b"}],"role":"assistant"}' in sent
    assert b'{"type":"text","text":"a \\u00e9"}' in sent


def test_system_turns_stay_where_the_model_takes_them() -> None:
    messages = [USER, {"role": "system", "content": "s", "output_config": {"effort": "low"}}]
    sent, written = send(body(messages=messages), OPUS)
    assert sent["messages"] == messages
    assert written.transforms == ()


def test_turn_config_leaves_with_its_beta() -> None:
    messages = [USER, {"role": "system", "content": "s", "output_config": {"effort": "low"}}]
    headers = OLD | {"anthropic-beta": "per-turn-control-2026-07-01"}
    sent, written = send(body(messages=messages), RequestShape(betas=[]), headers)
    assert sent["messages"] == [USER, {"role": "system", "content": "s"}]
    assert written.transforms == (
        "dropped=beta:per-turn-control-2026-07-01",
        "dropped=messages.output_config",
    )


@pytest.mark.parametrize("model", ["asked", "target"])
def test_our_own_carriers_never_reach_a_claude_upstream(model: str) -> None:
    ours = {"type": "thinking", "thinking": "a", "signature": "gw1.eyJ"}
    theirs = {"type": "thinking", "thinking": "b", "signature": "Eq=="}
    text = {"type": "text", "text": "gw1. is only a word here"}
    messages = [
        USER,
        {"role": "assistant", "content": [ours, theirs, text]},
        USER,
        {"role": "assistant", "content": [ours]},
        USER,
    ]
    sent, written = send(body(messages=messages), OPUS, model=model)
    assert sent["messages"] == [USER, {"role": "assistant", "content": [theirs, text]}, USER, USER]
    assert written.transforms == ("stripped=thinking",)


@pytest.mark.parametrize("model", ["asked", "target"])
def test_budgeted_thinking_stops_with_the_reasoning_that_is_left_out(model: str) -> None:
    """A model that thinks by a budget refuses a tool turn that does not begin with it."""
    thought = {"type": "thinking", "thinking": "a", "signature": "Eq=="}
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "r"}
    value = body(
        thinking={"type": "enabled", "budget_tokens": 2000},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        messages=[
            USER,
            {"role": "assistant", "content": [thought, call]},
            {"role": "user", "content": [result]},
        ],
    )
    headers = OLD | {"anthropic-beta": "context-management-2025-06-27"}
    request = CLIENT.read_request(json.dumps(value).encode(), headers)
    target = replace(facts(MANUAL, model=model), without_thinking=True)
    written = TARGET.pass_request(request, target, headers)
    sent = json.loads(written.body)
    assert sent["messages"][1] == {"role": "assistant", "content": [call]}
    assert "thinking" not in sent
    assert "context_management" not in sent
    assert written.transforms == (
        "dropped=thinking",
        "dropped=context_management",
        "stripped=thinking",
    )


@pytest.mark.parametrize("model", ["asked", "target"])
def test_budgeted_thinking_stops_with_a_turn_that_another_maker_began(model: str) -> None:
    """Its reasoning is ours to leave out, so the turn no longer begins with reasoning."""
    ours = {"type": "thinking", "thinking": "a", "signature": "gw1.eyJ"}
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "r"}
    value = body(
        thinking={"type": "enabled", "budget_tokens": 2000},
        messages=[
            USER,
            {"role": "assistant", "content": [ours, call]},
            {"role": "user", "content": [result]},
        ],
    )
    sent, written = send(value, MANUAL, model=model)
    assert "thinking" not in sent
    assert written.transforms == ("dropped=thinking", "stripped=thinking")
