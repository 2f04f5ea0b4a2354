"""The envelope does not decide: the same words give the same ask, bare and inside a coding agent.

The agent's shape is Claude Code's: reminders around the words, a billing block and an environment
message as system text, its own tools, and a tool loop after the words.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc.lower.patterns import build_automaton, tables_of
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.dispatch import Client, Dispatch, Lexicon, Slot
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.conversation import (
    Message,
    Options,
    Request,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

PATTERNS = ["a*", "step by step", "~\u8bc1", "you|tools", "be"]
BASELINE = ("Agent", "Bash", "Edit", "Read", "Skill", "ToolSearch", "Write")
CLIENT = Client(
    name="claude-code",
    user_agent=["claude-cli/"],
    injected_tags=["system-reminder", "task-notification"],
    injected_prefixes=["[Request interrupted by user"],
    injected_wrappers=[],
    baseline_tools=list(BASELINE),
    tool_weights={"Bash": 90},
)
BARE = RequestFacts(surface="chat", headers={"user-agent": "curl/8"})
INSIDE = RequestFacts(surface="messages", headers={"user-agent": "claude-cli/2.1 (external, cli)"})

REMINDER = Text(
    text="<system-reminder>\nAs you answer, be aware of tools, \u8bc1.\n</system-reminder>\n"
)
INTERRUPTED = Text(text="[Request interrupted by user]")


def _extractor() -> Extractor:
    span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
    parsed = [parse_pattern(text, span, None)[0] for text in PATTERNS]
    patterns = [pattern for pattern in parsed if pattern is not None]
    names = [name for name in FEATURES if name.startswith("ask.")]
    slots = [(name, []) for name in (*names, "turns", "tools.added", "tools.max_weight")]
    over = [(name, ["ask", "words"]) for name in ("count", "matches", "distinct", "points")]
    return Extractor(
        Dispatch(
            name="test",
            slots=[
                Slot(
                    feature=name,
                    args=args,
                    type=FEATURES[name].type.value,
                    low=FEATURES[name].low,
                    high=FEATURES[name].high,
                    classes=[],
                )
                for name, args in [*slots, *over]
            ],
            lexicons=[
                Lexicon(name="words", first=0, patterns=PATTERNS, weights64=[1, 2, 4, 8, 16])
            ],
            clients=[CLIENT],
            providers=[],
            targets=[],
            chains=[],
            tiers=[],
            rules=[],
            needs=[],
            dimensions=[],
            models=[],
        ),
        tables_of(build_automaton([patterns])),
    )


EXTRACTOR = _extractor()


def request(
    dialect: str, system: tuple[str, ...], messages: list[Message], tools: tuple[str, ...]
) -> Request:
    return Request(
        dialect=dialect,
        model="auto",
        system=tuple(Text(text=text) for text in system),
        messages=tuple(messages),
        tools=tuple(
            Tool(
                kind="function",
                name=name,
                description=f"{name}: as you like, step by step.",
                parameters={},
                strict=None,
                value={"name": name},
            )
            for name in tools
        ),
        tool_choice=None,
        options=Options(),
        metadata={},
        members={},
        rest=(),
    )


def user(*blocks: Text | ToolResult) -> Message:
    return Message(role=Role.USER, blocks=blocks)


def bare(words: str) -> Request:
    return request("openai-chat", (), [user(Text(text=words))], ())


def inside(
    words: str, steps: int, *, same_block: bool, interrupted: bool, mid_system: bool
) -> Request:
    asked = (
        (Text(text=words + "\n" + REMINDER.text),) if same_block else (REMINDER, Text(text=words))
    )
    notes = (INTERRUPTED,) if interrupted else ()
    messages = [user(*notes, *asked)]
    if mid_system:
        environment = Text(text="# Environment\nYou are in a directory. Be brief.")
        messages.append(Message(role=Role.SYSTEM, blocks=(environment,)))
    for step in range(steps):
        call = ToolCall(id=f"c{step}", name="Read", arguments="{}")
        result = ToolResult(call_id=f"c{step}", content=(Text(text="as you see"),))
        messages.append(Message(role=Role.ASSISTANT, blocks=(Text(text="As you asked"), call)))
        messages.append(user(result, *([REMINDER] if step % 2 else [])))
    system = (
        "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;",
        "You are an agent. " * 50,
    )
    return request("anthropic-messages", system, messages, BASELINE)


words = st.one_of(
    st.text(min_size=1, max_size=80),
    st.lists(
        st.sampled_from(
            [
                "a",
                "apply",
                "step by step",
                "you.",
                "(be)",
                "1,2",
                "\n",
                "\u8bc1\u660e?",
                "```\n",
                '"',
                "<b>",
            ]
        ),
        max_size=20,
    ).map(" ".join),
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    words=words,
    steps=st.integers(0, 3),
    same_block=st.booleans(),
    interrupted=st.booleans(),
    mid_system=st.booleans(),
)
def test_the_same_words_give_the_same_features_bare_and_inside(
    words: str, steps: int, same_block: bool, interrupted: bool, mid_system: bool
) -> None:
    wrapped = inside(
        words, steps, same_block=same_block, interrupted=interrupted, mid_system=mid_system
    )
    assert EXTRACTOR.extract(wrapped, INSIDE) == EXTRACTOR.extract(bare(words), BARE)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(words=words, steps=st.integers(0, 2))
def test_neither_user_agent_nor_tools_change_the_ask(words: str, steps: int) -> None:
    wrapped = inside(words, steps, same_block=True, interrupted=True, mid_system=True)
    ask = len([name for name in FEATURES if name.startswith("ask.")])
    unknown = EXTRACTOR.extract(wrapped, BARE)
    assert unknown[:ask] == EXTRACTOR.extract(wrapped, INSIDE)[:ask]


def test_the_words_do_reach_the_features() -> None:
    plain, asked = (EXTRACTOR.extract(bare(words), BARE) for words in ("no", "apply step by step"))
    assert plain != asked
