"""Claude Code's turns over real sockets: steps stay with who serves the turn, and traces say so.

The tier's chain is sonnet, mini, veteran; each request is routed, failed over and kept for real.
"""

import json
from typing import Any

from jsonschema import Draft202012Validator

from lynkrc.source.resources import read_schema
from tests.e2e.claude_code_turn import HEADERS, first_turn, second_turn
from tests.e2e.socket_lab import Answer, Lab

MODEL = "lynkr/MEDIUM"
SERVED_BY = {"claude-sonnet-5-5": "sonnet", "gpt-4o-mini": "mini"} | {
    "claude-sonnet-4-5-20250929": "veteran"
}
DOWN = "fail:529"
THINKING = ("thinking", "context_management")
SCHEMA = Draft202012Validator(json.loads(read_schema("trace")))


def headers(session: str) -> dict[str, str]:
    return HEADERS | {"x-claude-code-session-id": session, "x-lynkr-explain": "1"}


def send(lab: Lab, session: str, body: dict[str, Any], path: str = "/v1/messages") -> Answer:
    return lab.send(path, json.dumps(body).encode(), headers=headers(session))


def told(lab: Lab, answer: Answer) -> dict[str, Any]:
    path = f"/routing/trace/{answer.headers['x-lynkr-trace-id']}"
    trace = lab.send(path, method="GET", admin=True).json
    SCHEMA.validate(trace)
    session: dict[str, Any] = trace["session"]
    return session


def served(lab: Lab, session: str, body: dict[str, Any]) -> tuple[str, bool, Any, str]:
    """Who served, whether as a fallback, and what the trace says of the session."""
    answer = send(lab, session, body)
    assert answer.status == 200, answer.body
    said = told(lab, answer)
    by = SERVED_BY[answer.headers["x-lynkr-model"]]
    return by, answer.headers["x-lynkr-fallback"] == "true", said["kept"], said["reason"]


def grown(body: dict[str, Any], content: Any, number: int) -> dict[str, Any]:
    """The conversation after one more answer, with what its user message holds."""
    call = {"type": "tool_use", "id": f"toolu_step{number}", "name": "Read", "input": {}}
    result = {"type": "tool_result", "tool_use_id": f"toolu_step{number}", "content": "found"}
    is_step = content is None
    said = [call] if is_step else [{"type": "text", "text": "Done."}]
    # The older model of the chain wants its thinking replayed while it thinks.
    body = {name: value for name, value in body.items() if name not in THINKING}
    more = [
        {"role": "assistant", "content": said},
        {"role": "user", "content": [result] if is_step else content},
    ]
    return body | {"messages": [*body["messages"], *more]}


def next_step(body: dict[str, Any], number: int) -> dict[str, Any]:
    return grown(body, None, number)


def test_a_turn_stays_with_who_serves_it_and_the_next_begins_anew(lab: Lab) -> None:
    session = "turns-of-one"
    lab.face("claude-like").behaviours = [DOWN]
    assert served(lab, session, first_turn(model=MODEL)) == ("mini", True, None, "new-turn")
    # sonnet is well again, and the turn stays where it is.
    step = second_turn(model=MODEL)
    assert served(lab, session, step) == ("mini", False, "mini", "same-turn")
    # It fails in the middle of the turn: who serves then keeps the rest.
    lab.face("gpt").behaviours = [DOWN]
    lab.face("claude-like").behaviours = [DOWN]
    step = next_step(step, 1)
    assert served(lab, session, step) == ("veteran", True, "mini", "same-turn")
    step = next_step(step, 2)
    assert served(lab, session, step) == ("veteran", False, "veteran", "same-turn")
    turn = grown(step, [{"type": "text", "text": "Now the tests."}], 3)
    assert served(lab, session, turn) == ("sonnet", False, None, "new-turn")
    assert served(lab, session, next_step(turn, 4)) == ("sonnet", False, "sonnet", "same-turn")


def test_other_requests_of_the_session_leave_its_turn_alone(lab: Lab) -> None:
    session = "turns-with-titles"
    lab.face("claude-like").behaviours = [DOWN]
    assert served(lab, session, first_turn(model=MODEL))[0] == "mini"
    title = {
        "model": MODEL,
        "max_tokens": 512,
        "messages": [{"role": "user", "content": "Write a title for: rename the helper"}],
        "system": "You are a title generator",
    }
    answer = send(lab, session, title)
    assert SERVED_BY[answer.headers["x-lynkr-model"]] == "sonnet"
    assert told(lab, answer) is None
    helper = first_turn("Find every caller of the helper.", MODEL)
    assert served(lab, session, helper)[0] == "sonnet"
    assert served(lab, session, second_turn(model=MODEL))[:2] == ("mini", False)
    # The helper's own turn goes on beside it.
    assert served(lab, session, next_step(helper, 1))[:2] == ("sonnet", False)


def test_a_count_asks_whom_the_next_step_would(lab: Lab) -> None:
    session = "turns-counted"
    lab.face("claude-like").behaviours = [DOWN]
    lab.face("gpt").behaviours = [DOWN]
    assert served(lab, session, first_turn(model=MODEL))[0] == "veteran"
    counting = {
        name: value
        for name, value in second_turn(model=MODEL).items()
        if name in ("model", "messages", "system", "tools", "thinking")
    }
    lab.face("claude").counted.clear()
    answer = send(lab, session, counting, "/v1/messages/count_tokens")
    assert answer.status == 200, answer.body
    assert told(lab, answer)["kept"] == "veteran"
    assert [seen.json["model"] for seen in lab.face("claude").counted] == [
        "claude-sonnet-4-5-20250929"
    ]
    # Counting is no step: what is remembered is as it was.
    assert served(lab, session, second_turn(model=MODEL)) == (
        "veteran", False, "veteran", "same-turn",
    )  # fmt: skip


def test_a_compacted_conversation_begins_a_turn(lab: Lab) -> None:
    session = "turns-compacted"
    lab.face("claude-like").behaviours = [DOWN]
    assert served(lab, session, first_turn(model=MODEL))[0] == "mini"
    assert served(lab, session, second_turn(model=MODEL))[0] == "mini"
    by, _, kept, reason = served(lab, session, first_turn("This session continues.", MODEL))
    assert (by, kept, reason) == ("sonnet", None, "new-turn")


def test_sessions_do_not_mix(lab: Lab) -> None:
    lab.face("claude-like").behaviours = [DOWN]
    assert served(lab, "turns-of-ann", first_turn(model=MODEL))[0] == "mini"
    assert served(lab, "turns-of-ben", second_turn(model=MODEL)) == ("sonnet", False, None, "new")
    assert served(lab, "turns-of-ann", second_turn(model=MODEL))[0] == "mini"


def test_nothing_of_a_name_is_told(lab: Lab) -> None:
    answer = send(lab, "planted-session-of-ann", first_turn(model=MODEL))
    path = f"/routing/trace/{answer.headers['x-lynkr-trace-id']}"
    trace = lab.send(path, method="GET", admin=True).body
    assert b"planted" not in trace
    assert "planted" not in lab.gateway.log.read_text()
    assert not [name for name in answer.headers if name.startswith("x-lynkr-session")]
