"""The ask apart from its envelope."""

import pytest

from lynkrc_runtime.ask import (
    Ask,
    authored,
    envelope_text,
    find_ask,
    has_content_of_user,
    history_text,
    markers_of,
)
from lynkrc_runtime.dispatch import Client
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


def client(name: str, tags: list[str], prefixes: list[str]) -> Client:
    return Client(
        name=name,
        user_agent=[],
        injected_tags=tags,
        injected_prefixes=prefixes,
        injected_wrappers=[],
        baseline_tools=[],
        tool_weights={},
    )


MARKERS = markers_of(
    [
        client("one", ["system-reminder", "task"], ["[Request interrupted"]),
        client("two", ["task-note"], ["This session is being continued"]),
    ]
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("  fix it \n", "fix it"),
        ("<system-reminder>be good</system-reminder>fix it", "fix it"),
        ("fix it\n\n<system-reminder>\nbe\ngood\n</system-reminder>", "fix it"),
        ("a<task>x</task>b<task-note n='1'>y</task-note>c", "a\nb\nc"),
        ("fix <system-reminder>never closed", "fix"),
        ("<task>x</task-note>y</task>z", "z"),
        ("<system-reminder>only</system-reminder>", ""),
        ("<system-reminders>kept</system-reminders>", "<system-reminders>kept</system-reminders>"),
        ("a < b and <b>c</b>", "a < b and <b>c</b>"),
        ("\n[Request interrupted by user]", ""),
        ("<task>x</task>\nThis session is being continued from before", ""),
        ("why [Request interrupted", "why [Request interrupted"),
        ("<task " * 3, "<task <task <task"),
    ],
)
def test_injected_text_is_taken_out(text: str, left: str) -> None:
    assert authored(text, MARKERS) == left


def test_without_profiles_all_text_is_the_users() -> None:
    assert authored("<system-reminder>x</system-reminder>", markers_of([])) != ""


def test_many_unclosed_tags_are_handled_in_one_go() -> None:
    # Quadratic matching would take minutes here.
    assert authored("x" + "<system-reminder " * 100_000, MARKERS).startswith("x<system")


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
    assert find_ask(messages, MARKERS) == Ask(text="second\nand more", index=2)


def test_tool_results_and_reminders_are_walked_back_over() -> None:
    messages = (user("do it"), assistant(CALL), user(RESULT, NOTE), assistant(CALL), user(RESULT))
    assert find_ask(messages, MARKERS) == Ask(text="do it", index=0)


def test_words_beside_a_tool_result_are_an_ask() -> None:
    messages = (user("do it"), assistant(CALL), user(RESULT, "no, stop"))
    assert find_ask(messages, MARKERS) == Ask(text="no, stop", index=2)


def test_without_words_the_ask_is_empty() -> None:
    image = Image(url="https://example.com/a.png")
    assert find_ask((user(image), assistant("hm"), user(NOTE)), MARKERS) == Ask(text="", index=-1)
    assert find_ask((), MARKERS) == Ask(text="", index=-1)


def test_system_messages_are_never_the_ask() -> None:
    system = Message(role=Role.SYSTEM, blocks=(Text(text="# Environment"),))
    assert find_ask((user("hi"), system), MARKERS) == Ask(text="hi", index=0)


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


def test_content_of_the_user() -> None:
    assert has_content_of_user(user("x"), MARKERS)
    assert has_content_of_user(user(Image(file_id="f")), MARKERS)
    assert not has_content_of_user(user(RESULT, NOTE), MARKERS)
    assert not has_content_of_user(assistant("x"), MARKERS)


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
