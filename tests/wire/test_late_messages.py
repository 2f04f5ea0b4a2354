"""Messages that are made late are those that are made at once, and so is what is said of them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from lynkrc_runtime.ask import count_turns, find_ask
from lynkrc_runtime.injected import make_markers
from lynkrc_runtime.protocol.conversation import Message, Role, Text
from lynkrc_runtime.protocol.estimate import close_text, estimate_tokens
from lynkrc_runtime.protocol.late_messages import (
    Course,
    GivenCall,
    LateMessages,
    calls_since,
    course_of,
)
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.repeats import repeats
from lynkrc_runtime.sessions.identity import first_words
from lynkrc_runtime.sessions.memory import begins
from tests.bench.agent_bodies import body
from tests.property.conversations import Talk, talks
from tests.property.spelled_requests import spell

MARKERS = make_markers(tags=["note"], wrappers=[], prefixes=[])
CLIENTS = tuple(CLIENT_DIALECTS)


def agree(data: bytes, client: str) -> Sequence[Message]:
    """What is noted while reading is what the messages themselves give."""
    request = CLIENT_DIALECTS[client].read_request(data, {})
    late, made = request.messages, tuple(request.messages)
    at_once = replace(request, messages=made)
    course = course_of(late)
    found = course_of(made)
    assert (course.kinds, list(course.results)) == (found.kinds, list(found.results))
    assert list(course.errors) == list(found.errors)
    assert (course.images, course.documents) == (found.images, found.documents)
    assert course.has_reasoning == found.has_reasoning
    assert estimate_tokens(request) == estimate_tokens(at_once)
    assert estimate_tokens(request, close_text) == estimate_tokens(at_once, close_text)
    for first in range(len(late) + 1):
        calls = calls_since(made, first)
        told = [
            (name, given if isinstance(given, str) else given.decode())
            for name, given in calls_since(late, first)
        ]
        assert repeats(told) == repeats(calls) and set(told) <= set(calls)
    ask = find_ask(late, MARKERS)
    assert ask == find_ask(made, MARKERS)
    assert count_turns(late, ask, MARKERS) == count_turns(made, ask, MARKERS)
    return late


@pytest.mark.parametrize("client", CLIENTS)
@given(talk=talks())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_any_conversation(client: str, talk: Talk) -> None:
    agree(spell(client, talk), client)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_agents_conversation_is_made_late(client: str) -> None:
    late = agree(body(client, 20_000), client)
    assert isinstance(late, LateMessages)
    again = CLIENT_DIALECTS[client].read_request(body(client, 20_000), {}).messages
    # Each alone, before all are made, and then from those.
    alone = [again[index] for index in range(-len(again), len(again))]
    assert alone == [*late, *late]
    assert again[-2:] == tuple(late)[-2:]
    assert again == tuple(late) and tuple(late) == again
    assert repr(again) == repr(tuple(late))
    assert again != [] and again[3] == late[3]
    with pytest.raises(IndexError):
        late[len(late)]


RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "überlaufen"}
TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": ""},
    {"role": "system", "content": [RESULT]},
    {"role": "user", "content": []},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "é", "input": {}}]},
    {"role": "user", "content": [RESULT | {"is_error": True}, RESULT | {"content": None}]},
    {"role": "user", "content": [RESULT, {"type": "text", "text": "敏捷的棕色狐狸"}]},
    {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "abcde"}]},
    {"role": "user", "content": [RESULT | {"content": [{"type": "text", "text": "two"}] * 2}]},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "ü", "signature": "s"}]},
]


def test_turns_that_are_not_an_agents() -> None:
    data = {"model": "m", "messages": TURNS}
    late = agree(json.dumps(data).encode(), "anthropic-messages")
    assert agree(json.dumps(data, ensure_ascii=False).encode(), "anthropic-messages") == late
    assert isinstance(late, LateMessages)
    assert late.course == Course(
        kinds=b"usuaruara", results=[1, 4, 4, 5, 7], errors=[4], has_reasoning=True
    )


def test_media_are_counted_in_results_too() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}
    given = [image, RESULT | {"content": [image, {"type": "text", "text": "t"}]}]
    turns = [*TURNS, {"role": "user", "content": given}]
    data = json.dumps({"model": "m", "messages": turns}).encode()
    course = course_of(agree(data, "anthropic-messages"))
    assert (course.images, course.documents, course.kinds[-1:]) == (2, 0, b"u")


def no_calls(_: Sequence[str]) -> list[GivenCall]:
    return []


def test_nothing_is_made_for_its_length() -> None:
    def build(entries: Sequence[str]) -> Message:
        made.extend(entries)
        return Message(role=Role.USER, blocks=(Text(text=entries[0]),))

    made: list[str] = []
    late = LateMessages("abc", [0, 2], build, Course(kinds=b"uu"), 2, no_calls)
    assert len(late) == 2 and bool(late) and made == []
    assert late[-1].blocks == (Text(text="c"),) and made == ["c"]
    assert next(reversed(late)) == late[-1] and made == ["c"]
    assert len(list(late)) == 2 and "".join(made) == "cabc"
    assert late[0] == next(iter(late)) and len(made) == 4


def test_the_first_words_need_no_more_than_the_first_messages() -> None:
    def build(entries: Sequence[str]) -> Message:
        made.extend(entries)
        return Message(role=Role.USER, blocks=(Text(text=entries[0].strip()),))

    made: list[str] = []
    late = LateMessages(" bc", [0, 1, 2], build, Course(kinds=b"uuu"), 3, no_calls)
    assert first_words(late, MARKERS) == "b" and made == [" ", "b"]


class Searched(bytes):
    """Kinds that count how many of them are looked at."""

    looked = 0

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        stop = len(self) if end is None else end
        found = super().find(sub, start, stop)
        Searched.looked += (stop if found < 0 else found) - start
        return found

    def rfind(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        stop = len(self) if end is None else end
        found = super().rfind(sub, start, stop)
        Searched.looked += stop - max(found, start)
        return found


class SearchedArray(bytearray):
    """The same of a copy that is written to."""

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        stop = len(self) if end is None else end
        found = super().find(sub, start, stop)
        Searched.looked += (stop if found < 0 else found) - start
        return found

    def rfind(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        stop = len(self) if end is None else end
        found = super().rfind(sub, start, stop)
        Searched.looked += stop - max(found, start)
        return found


@pytest.mark.parametrize("words", [(0,), (-1,), (0, -1), ()])
def test_notes_without_words_are_looked_at_once(
    words: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may send a million empty messages in a row: kinds are not searched for each."""
    said = Message(role=Role.USER, blocks=(Text(text="go"),))
    messages = [Message(role=Role.USER, blocks=())] * 400
    for place in words:
        messages[place] = said
    messages += [Message(role=Role.ASSISTANT, blocks=()), said, *messages[1:]]
    kinds = Searched(course_of(messages).kinds)
    course = Course(kinds=kinds)
    late = LateMessages(messages, range(len(messages)), lambda one: one[0], course, 0, no_calls)
    monkeypatch.setattr(Searched, "looked", 0)
    monkeypatch.setattr("lynkrc_runtime.ask.bytearray", SearchedArray, raising=False)
    ask = find_ask(late, MARKERS)
    turns = count_turns(late, ask, MARKERS)
    assert turns == 1 + bool(words)
    assert Searched.looked <= 5 * len(kinds)


@pytest.mark.parametrize(("kinds", "is_new"), [(b"u", True), (b"sur", True), (b"uau", False)])
def test_no_message_is_made_to_see_whether_one_was_answered(kinds: bytes, is_new: bool) -> None:
    def build(_: Any) -> Message:
        raise AssertionError

    late = LateMessages(kinds, range(len(kinds)), build, Course(kinds=kinds), 0, no_calls)
    assert begins(late) is is_new
    roles = {b"s"[0]: Role.SYSTEM, b"a"[0]: Role.ASSISTANT}
    made = [Message(role=roles.get(kind, Role.USER), blocks=()) for kind in kinds]
    assert begins(made) is is_new
