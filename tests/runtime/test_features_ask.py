"""The ask apart from its envelope."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

import pytest

from lynkrc_runtime.ask import (
    Ask,
    count_turns,
    envelope_text,
    find_ask,
    history_text,
    markers_of,
)
from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.injected import authored
from lynkrc_runtime.protocol.conversation import (
    Block,
    Image,
    Message,
    Options,
    Request,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

TraceFunction: TypeAlias = Callable[[FrameType, str, Any], Any]


def client(
    name: str, tags: list[str], prefixes: list[str], wrappers: tuple[str, ...] = ()
) -> Client:
    return Client(
        name=name,
        user_agent=[],
        injected_tags=tags,
        injected_prefixes=prefixes,
        injected_wrappers=list(wrappers),
        baseline_tools=[],
        tool_weights={},
    )


MARKERS = markers_of(
    [
        client("one", ["system-reminder", "task"], ["[Request interrupted"]),
        client("two", ["task-note"], ["This session is being continued"], ("user_query", "ask")),
    ]
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("  fix it \n", "fix it"),
        ("<system-reminder>be good</system-reminder>fix it", "fix it"),
        ("fix it\n\n<system-reminder>\nbe\ngood\n</system-reminder>", "fix it"),
        ("a<task>x</task>b<task-note n='1'>y</task-note>c", "a\nb\nc"),
        ("fix <system-reminder>never closed", "fix <system-reminder>never closed"),
        ("<system-reminder>never\n<task>x</task>\nclosed", "<system-reminder>never\n\n\nclosed"),
        ("</task>stray", "</task>stray"),
        ("<task/>a <task n='1' />b</task>", "<task/>a <task n='1' />b</task>"),
        ("<task>x</task-note>y</task>z", "z"),
        # A closing tag closes the nearest opening, so what a user left open is words.
        ("a <task> b\n<task>x</task>", "a <task> b"),
        ("<task>x<task>y</task>z</task>w", "w"),
        ("<task>x<task-note>y</task>z</task-note>w", "w"),
        ("<task-note><task>x</task><task>y</task></task-note>w<task>z</task>", "w"),
        ("<system-reminder>only</system-reminder>", ""),
        ("<system-reminders>kept</system-reminders>", "<system-reminders>kept</system-reminders>"),
        ("a < b and <b>c</b>", "a < b and <b>c</b>"),
        ("\n[Request interrupted by user]", ""),
        ("<task>x</task>\nThis session is being continued from before", ""),
        ("why [Request interrupted", "why [Request interrupted"),
        ("<task " * 3, "<task <task <task"),
        ("<user_query>\nfix it\n</user_query>", "fix it"),
        ("<task>x</task>\n<user_query>\nfix it\n</user_query>\n<task>y</task>", "fix it"),
        ("<rules>be\ngood</rules> <user_query>fix</user_query>\n<time>now</time>", "fix"),
        ("<user_query><ask>fix</ask></user_query>", "fix"),
        ("<ask><user_query>fix</ask></user_query>", "<user_query>fix"),
        ("<ask>a</ask> and <ask>b</ask>", "a</ask> and <ask>b"),
        ("<user_query>a </user_query> b</user_query>", "a </user_query> b"),
        ("<user_query>[Request interrupted]</user_query>", ""),
        # Beside words it is the user's own markup.
        ("sort <ask>these</ask>", "sort <ask>these</ask>"),
        ("<ask>these</ask> please", "<ask>these</ask> please"),
        ("<ask>never closed", "<ask>never closed"),
        ("</ask>x<ask>", "</ask>x<ask>"),
        ("<ask/>x", "<ask/>x"),
        ("<user_query></user_query>", ""),
    ],
)
def test_injected_text_is_taken_out(text: str, left: str) -> None:
    assert authored(text, MARKERS) == left


def test_without_profiles_all_text_is_the_users() -> None:
    assert authored("<system-reminder>x</system-reminder>", markers_of([])) != ""


def steps(text: str) -> int:
    """Lines of Python run to find the user's words; patterns do not count."""
    ran = 0

    def count(frame: FrameType, event: str, _: object) -> TraceFunction:
        nonlocal ran
        ran += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        authored(text, MARKERS)
    finally:
        sys.settrace(before)
    return ran


@pytest.mark.parametrize(
    "hostile",
    [
        lambda n: "<task>" * n,
        lambda n: "</task>" * n,
        lambda n: "<task>" * n + "</task>" * n,
        lambda n: "<task></task>" * n,
        lambda n: "<task><task-note></task></task-note>" * n,
        lambda n: "<ask>" * n + "</ask>" * n,
        lambda n: "<ask> <user_query>" * n + "</ask>" + " " * n + "x",
        lambda n: "x " + "<ask>" * n + " " * n + "</ask>" + " " * n + "x",
        lambda n: "<ask> </user_query>" * n + "</ask> <user_query>" * n,
    ],
)
def test_steps_grow_with_the_text_and_no_faster(hostile: Callable[[int], str]) -> None:
    assert steps(hostile(2_000)) <= 2.1 * steps(hostile(1_000))


def test_a_megabyte_of_beginnings_of_tags_is_read_in_one_go() -> None:
    # What is tried at one "<" ends at the next one.
    for piece in ("<system-reminder ", "<user_query\n", "<task n='" + "1" * 990):
        text = "x" + piece * (1_000_000 // len(piece))
        assert authored(text, MARKERS) == text.strip()


def user(*blocks: Block | str) -> Message:
    return Message(
        role=Role.USER,
        blocks=tuple(Text(text=block) if isinstance(block, str) else block for block in blocks),
    )


def assistant(*blocks: Block | str) -> Message:
    return Message(role=Role.ASSISTANT, blocks=user(*blocks).blocks)


CALL = ToolCall(id="1", name="Read", arguments="{}")
RESULT = ToolResult(call_id="1", content=(Text(text="a file that says proof"),))
NOTE = "<system-reminder>todo list is empty</system-reminder>"


def test_the_ask_is_the_last_words_of_the_user() -> None:
    messages = (user("first"), assistant("ok"), user(NOTE, "second ", "and more"))
    assert find_ask(messages, MARKERS) == Ask(text="second\nand more", first=2, last=2)


def test_tool_results_and_reminders_are_walked_back_over() -> None:
    messages = (user("do it"), assistant(CALL), user(RESULT, NOTE), assistant(CALL), user(RESULT))
    assert find_ask(messages, MARKERS) == Ask(text="do it", first=0, last=0)


def test_words_beside_a_tool_result_are_an_ask() -> None:
    messages = (user("do it"), assistant(CALL), user(RESULT, "no, stop"))
    assert find_ask(messages, MARKERS) == Ask(text="no, stop", first=2, last=2)


def test_without_words_the_ask_is_empty() -> None:
    nothing = Ask(text="", first=0, last=-1)
    assert find_ask((user(NOTE), assistant("hm"), user(NOTE)), MARKERS) == nothing
    assert find_ask((), MARKERS) == nothing
    assert history_text((user(NOTE), assistant("hm")), nothing, MARKERS) == "hm"


def test_what_is_a_tag_here_and_a_wrapper_there_is_a_wrapper() -> None:
    markers = markers_of([client("one", ["task"], []), client("two", [], [], ("task",))])
    assert authored("<task>fix it</task>", markers) == "fix it"


PICTURE = Image(url="https://example.com/a.png")


def test_a_picture_without_words_does_not_take_those_of_an_earlier_turn() -> None:
    messages = (user("do it"), assistant("done"), user(PICTURE, NOTE))
    ask = find_ask(messages, MARKERS)
    assert ask == Ask(text="", first=2, last=2)
    assert history_text(messages, ask, MARKERS) == "do it\ndone"


def test_the_messages_of_one_turn_are_read_together() -> None:
    system = Message(role=Role.SYSTEM, blocks=(Text(text="# Environment"),))
    turn = (user("look"), system, user(NOTE), user(PICTURE), user("what is it?"))
    messages = (user("hi"), assistant("yes?"), *turn, assistant(CALL), user(RESULT))
    ask = find_ask(messages, MARKERS)
    assert ask == Ask(text="look\nwhat is it?", first=2, last=6)
    assert history_text(messages, ask, MARKERS) == "hi\nyes?"
    assert count_turns(messages, ask, MARKERS) == 2
    unanswered = (user(NOTE), *turn, user(NOTE))
    assert find_ask(unanswered, MARKERS).text == "look\nwhat is it?"
    assert history_text(unanswered, find_ask(unanswered, MARKERS), MARKERS) == ""


@pytest.mark.parametrize(
    ("messages", "turns"),
    [
        ((), 0),
        ((user(NOTE), user(RESULT)), 0),
        ((user("a"), user("b"), user(PICTURE)), 1),
        ((user("a"), assistant(CALL), user(RESULT, "b"), user("c")), 2),
        ((user(PICTURE), assistant("a"), user(NOTE), assistant("b"), user("c", NOTE)), 2),
        ((user("a"), user("b"), assistant("c"), user("d"), assistant(CALL), user(RESULT)), 2),
    ],
)
def test_turns_are_counted_between_answers(messages: tuple[Message, ...], turns: int) -> None:
    assert count_turns(messages, find_ask(messages, MARKERS), MARKERS) == turns


def test_system_messages_are_never_the_ask() -> None:
    system = Message(role=Role.SYSTEM, blocks=(Text(text="# Environment"),))
    assert find_ask((user("hi"), system), MARKERS) == Ask(text="hi", first=0, last=0)


def test_history_is_everything_said_before_and_by_the_assistant() -> None:
    messages = (
        user(NOTE, "first"),
        assistant("answer", CALL),
        user(RESULT),
        assistant("done"),
        user("second"),
        assistant("working"),
        user(RESULT),
    )
    ask = find_ask(messages, MARKERS)
    assert history_text(messages, ask, MARKERS) == "first\nanswer\ndone\nworking"


def test_the_envelope_is_system_texts_and_tools() -> None:
    tool = Tool(
        kind="function", name="Read", description="reads", parameters={}, strict=None, value={}
    )
    nameless = Tool(
        kind="function", name="Go", description=None, parameters={}, strict=None, value={}
    )
    request = Request(
        dialect="anthropic-messages",
        model="m",
        system=(Text(text="You are"), Text(text="an agent")),
        messages=(
            user("hi"),
            Message(role=Role.SYSTEM, blocks=(Text(text="# Environment"),)),
        ),
        tools=(tool, nameless),
        tool_choice=None,
        options=Options(),
        metadata={},
        members={},
        rest=(),
    )
    assert envelope_text(request) == "You are\nan agent\n# Environment\nRead\nreads\nGo"
