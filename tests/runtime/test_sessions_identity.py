"""Requests to the names of their sessions: whose, what tells them apart, what they hide."""

import json
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.ask import markers_of
from lynkrc_runtime.clients import Clients
from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.sessions.identity import Identity, Recogniser
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES, body

HOUSE = Client(
    name="house",
    user_agent=["house-cli/"],
    injected_tags=["note"],
    injected_prefixes=[],
    injected_wrappers=[],
    baseline_tools=[],
    tool_weights={},
)
RECOGNISER = Recogniser(markers_of([HOUSE]), Clients([HOUSE]), whole=True)
STEPS = Recogniser(markers_of([HOUSE]), Clients([HOUSE]), whole=False)
TOOL = {"name": "look", "description": "looks", "input_schema": {"type": "object"}}


def identity(
    dialect: str = MESSAGES,
    *,
    caller: str | None = None,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Identity:
    request = CLIENT_DIALECTS[dialect].read_request(body(dialect, **members), headers or {})
    return RECOGNISER.identify(
        request, headers or {}, None if caller is None else Caller(name=caller)
    )


NAMED: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "Claude Code's header": (MESSAGES, {"x-claude-code-session-id": "s-1"}, {}),
    "Claude Code's user": (
        MESSAGES, {}, {"metadata": {"user_id": json.dumps({"session_id": "s-1"})}},
    ),
    "its older user": (
        MESSAGES, {}, {"metadata": {"user_id": "user_ab_account__session_s-1"}},
    ),
    "session-id": (MESSAGES, {"session-id": "s-1"}, {}),
    "x-session-id": (MESSAGES, {"x-session-id": "s-1"}, {}),
    "the cache's key": (RESPONSES, {}, {"prompt_cache_key": "s-1"}),
    "the cache's key in Chat": (CHAT, {}, {"prompt_cache_key": "s-1"}),
}  # fmt: skip


@pytest.mark.parametrize("way", NAMED)
def test_a_session_is_the_same_however_it_is_named(way: str) -> None:
    dialect, headers, members = NAMED[way]
    named = identity(dialect, headers=headers, **members)
    assert named.is_named
    assert named == identity(MESSAGES, headers={"x-claude-code-session-id": "s-1"})
    assert named != identity(MESSAGES, headers={"x-claude-code-session-id": "s-2"})


def test_the_first_name_counts() -> None:
    names = {"x-claude-code-session-id": "one", "session-id": "two", "x-session-id": "three"}
    members = {"metadata": {"user_id": json.dumps({"session_id": "four"})}}
    order = ["one", "four", "two", "three"]
    for name, gone in zip(
        order, ["x-claude-code-session-id", "", "session-id", "x-session-id"], strict=True
    ):
        expected = identity(headers={"session-id": name})
        assert identity(headers=dict(names), **members) == expected
        if gone:
            del names[gone]
        else:
            members = {}
    assert not identity(headers=names, **members).is_named


@pytest.mark.parametrize(
    "user",
    [
        "somebody", "{", "{}", '{"session_id": 4}', '{"session_id": ""}', "[]", "_session_",
        "{" * 5000, '{"a":' * 3000 + "1" + "}" * 3000,
    ],
)  # fmt: skip
def test_a_user_without_a_session_names_none(user: str) -> None:
    assert not identity(metadata={"user_id": user}).is_named


@pytest.mark.parametrize("key", [4, None, {"a": 1}, ""])
def test_a_cache_key_that_is_no_text_names_none(key: object) -> None:
    request = CLIENT_DIALECTS[CHAT].read_request(body(CHAT), {})
    members = {**request.members, "prompt_cache_key": msgspec.json.encode(key)}
    request = msgspec.structs.replace(request, members=members)
    assert not RECOGNISER.identify(request, {}, None).is_named


@pytest.mark.parametrize("headers", [{}, {"session-id": "s-1"}])
def test_two_keys_share_no_session(headers: dict[str, str]) -> None:
    found = [identity(caller=name, headers=headers) for name in ("ann", "ben", None)]
    keys = {key for one in found for key in (one.conversation, one.session) if key}
    assert len(keys) == (6 if headers else 3)
    assert found[0] == identity(caller="ann", headers=headers)


def test_conversations_of_a_session_are_told_apart() -> None:
    headers = {"session-id": "s-1"}
    main = identity(headers=headers, tools=[TOOL])
    title = identity(headers=headers, text="Name this conversation")
    helper = identity(headers=headers, text="Look for the bug", tools=[TOOL])
    small = identity(headers=headers, tools=[TOOL], model="small")
    found = [main, title, helper, small]
    assert len({one.conversation for one in found}) == 4
    assert helper.session == main.session
    assert len({one.session for one in found}) == 3


def test_what_a_client_puts_around_the_words_does_not_count() -> None:
    plain, wrapped = identity(text="Fix it"), identity(text="<note>at noon</note>\nFix it")
    assert plain == wrapped
    assert plain != identity(text="Fix that")


def test_without_a_name_the_client_and_its_instructions_count() -> None:
    plain = identity()
    assert not plain.is_named and plain.session is None
    others = [identity(system="Be brief"), identity(headers={"user-agent": "house-cli/2"})]
    assert len({plain.conversation, *(one.conversation for one in others)}) == 3
    dated = [identity(system="Be brief. " * 200 + day) for day in ("Monday", "Tuesday")]
    assert dated[0] == dated[1]


def test_a_name_holds_no_text() -> None:
    found = identity(
        caller="planted", headers={"session-id": "planted"}, text="planted", system="planted"
    )
    for key in (found.conversation, found.session):
        assert key is not None and key.startswith("session:") and len(key) == 40
        assert key.isascii() and "planted" not in key


def test_text_that_is_no_text_is_named_too() -> None:
    assert identity(headers={"session-id": "\udce4"}).is_named


def test_where_nobody_asks_for_sessions_there_are_conversations_alone() -> None:
    headers = {"session-id": "s-1"}
    request = CLIENT_DIALECTS[MESSAGES].read_request(body(), headers)
    found, whole = STEPS.identify(request, headers, None), identity(headers=headers)
    assert found.conversation == whole.conversation and whole.session is not None
    assert found.session is None and found.is_named


def test_where_credentials_are_lent_they_say_whose_a_session_is() -> None:
    lends = Recogniser(markers_of([HOUSE]), Clients([HOUSE]), whole=True, lends=True)
    request = CLIENT_DIALECTS[MESSAGES].read_request(body(MESSAGES), {})
    name = {"x-session-id": "s-1"}

    def of(caller: str | None, **shown: str) -> Identity:
        headers = name | {key.replace("_", "-"): value for key, value in shown.items()}
        return lends.identify(request, headers, None if caller is None else Caller(name=caller))

    mine, yours, nobody = of(None, x_api_key="mine"), of(None, x_api_key="yours"), of(None)
    assert len({mine, yours, nobody, of(None, authorization="Bearer mine")}) == 4
    assert mine == of(None, x_api_key="mine", authorization="Bearer other")
    assert "mine" not in str(mine)
    # With keys it is the key, whatever is lent; and no credential is taken for one.
    assert of("ci", x_api_key="mine") == of("ci", x_api_key="yours")
    assert of("mine") != mine


def test_whose_client_it_is_is_told_from_memory_where_the_tools_came_before() -> None:
    fresh = Recogniser(markers_of([HOUSE]), Clients([HOUSE]), whole=True)
    agents = ["house-cli/1", "house-cli/2", "other/1", "house-cli/" + "9" * 300, None]
    asked = [({"user-agent": one} if one else {}) for one in agents]
    request = CLIENT_DIALECTS[MESSAGES].read_request(body(tools=[TOOL]), {})
    first = [fresh.identify(request, headers, None) for headers in asked]
    again = CLIENT_DIALECTS[MESSAGES].read_request(body(tools=[TOOL]), {})
    assert [fresh.identify(again, headers, None) for headers in asked] == first
    assert len({one.conversation for one in first}) == 2, "by the profile, not by the version"
    for number in range(300):
        headers = {"user-agent": f"house-cli/{number}"}
        assert fresh.identify(request, headers, None) == first[0]
    assert fresh.identify(request, {"user-agent": "other/2"}, None) == first[2]
