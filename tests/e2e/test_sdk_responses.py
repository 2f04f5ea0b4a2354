"""The official SDK's Responses API, and a session as Codex makes it, against a live gateway."""

import json
from typing import Any

import openai
import pytest

from lynkrc_runtime.protocol import carrier
from tests.e2e.scripted_answers import Call, Said, render, stopped_after
from tests.e2e.socket_lab import Lab
from tests.e2e.test_sdk_tools import chat_form, messages_form
from tests.wire.openai_responses_lint import lint_response, lint_stream

PROVIDERS = {"haiku": "claude", "sonnet": "claude-like", "open": "gpt-like", "llama": "house"}
TARGETS = sorted(PROVIDERS)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: list[Any] = [
    {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False},
    {"type": "custom", "name": "shell", "description": "Runs a command."},
]
WEATHER = Call("call_0123456789abcdefghijklmn", "weather", {"city": "Tromsø"})
SHELL = Call("call_9876543210abcdefghijklmn", "shell", {"input": "ls -l\n"})


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("target", TARGETS)
def test_text(lab: Lab, target: str, stream: bool) -> None:
    lab.face(PROVIDERS[target]).behaviours = [Said(text="Snow in Tromsø.\u2028Cold.")]
    ask: dict[str, Any] = {"model": f"lynkr/{target}", "input": "Hi", "instructions": "Be terse."}
    if stream:
        with lab.openai.responses.stream(**ask) as events:
            pieces = [e.delta for e in events if e.type == "response.output_text.delta"]
            response: Any = events.get_final_response()
        assert "".join(pieces) == response.output_text
        assert len(pieces) > 1
    else:
        response = lab.openai.responses.create(**ask)
    assert response.output_text == "Snow in Tromsø.\u2028Cold."
    assert (response.status, response.instructions) == ("completed", "Be terse.")
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens) == (150, 17)
    assert usage.input_tokens_details.cached_tokens == 30


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_loop_of_tools(lab: Lab, target: str, stream: bool) -> None:
    """The loop of the SDK's guide: the output goes back as it came, then the results."""
    face = lab.face(PROVIDERS[target])
    face.behaviours = [
        Said(text="I look.", calls=(WEATHER, SHELL), stop="tool_use"),
        Said(text="Snow."),
    ]

    def turn(said: list[Any]) -> Any:
        ask: dict[str, Any] = {"model": f"lynkr/{target}", "input": said, "tools": TOOLS}
        if not stream:
            return lab.openai.responses.create(**ask)
        with lab.openai.responses.stream(**ask) as events:
            return events.get_final_response()

    said: list[Any] = [{"role": "user", "content": "Weather, and the files?"}]
    called = turn(said)
    _, weather, shell = called.output
    assert (weather.type, weather.call_id) == ("function_call", WEATHER.id)
    assert json.loads(weather.arguments) == WEATHER.arguments
    assert (shell.type, shell.name, shell.input) == ("custom_tool_call", "shell", "ls -l\n")
    said += [item.to_dict() for item in called.output]
    for item in said:
        # The stream's helpers add what they parsed.
        for name in ("parsed", "parsed_arguments"):
            item.pop(name, None)
    said += [
        {"type": "custom_tool_call_output", "call_id": shell.call_id, "output": "a b"},
        {"type": "function_call_output", "call_id": weather.call_id, "output": "snow"},
    ]
    assert turn(said).output_text == "Snow."
    form = messages_form if "claude" in PROVIDERS[target] else chat_form
    calls, results = form(face.seen[1].json)
    assert calls == [(call.id, call.name, call.arguments) for call in (WEATHER, SHELL)]
    assert results == {WEATHER.id: "snow", SHELL.id: "a b"}


# -- Codex -----------------------------------------------------------------------------------

EXEC = {
    "type": "custom",
    "name": "exec",
    "description": "Runs JavaScript.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /(.|\\n)+/"},
}
WAIT = {
    "type": "function",
    "name": "wait",
    "description": "Waits.",
    "parameters": {"type": "object", "properties": {"id": {"type": "string"}}},
    "strict": False,
}
AGENTS = {
    "type": "namespace",
    "name": "multi_agent_v1",
    "description": "Agents.",
    "tools": [{**WAIT, "description": "Waits for an agent."}],
}
FUNCTIONS = {
    "type": "namespace",
    "name": "functions",
    "description": "Tools.",
    "tools": [EXEC, WAIT],
}
SCRIPT = 'text(await tools.exec_command({cmd: "ls"}));\n'
CODEX_HEADERS = {
    "originator": "codex_exec",
    "user-agent": "codex_exec/0.169.0 (Linux; x86_64)",
    "session-id": "01981f1b-0000-7000-8000-000000000000",
    "thread-id": "01981f1b-0000-7000-8000-000000000000",
    "x-codex-window-id": "w:0",
    "accept": "text/event-stream",
}


def message(role: str, text: str, kind: str = "input_text") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def codex(target: str, *more: dict[str, Any]) -> dict[str, Any]:
    """The body of the newest models: no `tools`, they are the first item of the input."""
    return {
        "model": f"lynkr/{target}",
        "stream": True,
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [FUNCTIONS, AGENTS]},
            message("developer", "You are a coding agent."),
            message("user", "<environment_context>\n  <cwd>/w</cwd>\n</environment_context>"),
            message("user", "List the files."),
            *more,
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "medium", "context": "all_turns"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "01981f1b",
        "text": {"verbosity": "low"},
        "client_metadata": {"x-codex-window-id": "w:0"},
    }


def items(lab: Lab, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The items Codex takes: those of `output_item.done`."""
    answer = lab.send("/v1/responses", body, headers=CODEX_HEADERS)
    assert answer.status == 200, answer.body
    events = lint_stream(answer.body)
    assert events[-1]["type"] == "response.completed"
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


@pytest.mark.parametrize("target", ["sonnet", "open"])
def test_a_session_of_codex(lab: Lab, target: str) -> None:
    face = lab.face(PROVIDERS[target])
    run = Call("call_abc", "functions__exec", {"input": SCRIPT})
    wait = Call("call_def", "multi_agent_v1__wait", {"id": "7"})
    thinks = target == "sonnet"
    face.behaviours = [
        Said(
            text="I list them.",
            thinking=("The user wants files.", "c2lnbmVk") if thinks else None,
            calls=(run, wait),
            stop="tool_use",
        ),
        Said(text="There are two files."),
    ]
    output = items(lab, codex(target))
    kinds = [item["type"] for item in output]
    assert kinds == ["reasoning"] * thinks + ["message", "custom_tool_call", "function_call"]
    called, waited = output[-2:]
    assert (called["name"], called["namespace"], called["input"]) == ("exec", "functions", SCRIPT)
    assert (waited["name"], waited["namespace"]) == ("wait", "multi_agent_v1")
    assert json.loads(waited["arguments"]) == {"id": "7"}
    results = [
        {"type": "custom_tool_call_output", "call_id": "call_abc", "output": "a.py b.py"},
        {"type": "function_call_output", "call_id": "call_def", "output": "done"},
    ]
    (last,) = items(lab, codex(target, *output, *results))
    assert last["content"][0]["text"] == "There are two files."
    first, second = (seen.json for seen in face.seen)
    form = messages_form if thinks else chat_form
    calls, seen_results = form(second)
    assert calls == [(call.id, call.name, call.arguments) for call in (run, wait)]
    assert seen_results == {"call_abc": "a.py b.py", "call_def": "done"}
    tools = [tool.get("function", tool) for tool in first["tools"]]
    names = ["functions__exec", "functions__wait", "multi_agent_v1__wait"]
    assert [tool["name"] for tool in tools] == names
    assert "lark grammar" in tools[0]["description"]
    if thinks:
        signed = {"type": "thinking", "thinking": "The user wants files.", "signature": "c2lnbmVk"}
        assert signed in [
            block
            for turn in second["messages"]
            if isinstance(turn["content"], list)
            for block in turn["content"]
        ]
        carried = carrier.unseal(output[0]["encrypted_content"])
        assert carried is not None and carried.kind == carrier.CLAUDE


# -- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["haiku", "open"])
def test_a_cut_upstream_fails_the_response(lab: Lab, target: str) -> None:
    face = lab.face(PROVIDERS[target])
    dialect = "anthropic-messages" if target == "haiku" else "openai-chat"
    whole = render(Said(text="Snow in Tromsø."), dialect, {"model": "m", "stream": True})
    face.behaviours = [stopped_after(whole, b"Snow in")]
    body = {"model": f"lynkr/{target}", "input": "Hi", "stream": True}
    streaming = lab.send_streamed("/v1/responses", body, until=b"output_text.delta")
    lab.background.let_go(face)
    events = lint_stream(streaming.finish().body)
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"]["code"] == "server_error"
    assert [e["delta"] for e in events if e["type"] == "response.output_text.delta"] == ["Snow in"]


def test_state_that_no_target_keeps_is_refused(lab: Lab) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        lab.openai.responses.create(
            model="lynkr/open", input="Hi", previous_response_id="resp_unknown"
        )
    assert caught.value.param == "previous_response_id"
    assert not lab.face("gpt-like").seen


def test_a_mistake_in_the_request_names_its_place(lab: Lab) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        lab.openai.responses.create(
            model="lynkr/open", input=[{"type": "item_reference", "id": "msg_1"}]
        )
    assert caught.value.param == "input.0"


def test_an_answer_without_a_stream_breaks_no_rule(lab: Lab) -> None:
    lab.face("gpt-like").behaviours = [Said(text="Hi", stop="max_tokens")]
    answer = lab.send("/responses", {"model": "lynkr/open", "input": "Hi"})
    response = lint_response(answer.body)
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
