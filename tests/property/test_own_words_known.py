"""What the kernel knows of a user's words without a look is what a look finds."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.ask import Ask, authored_text, count_turns, find_ask, history_text
from lynkrc_runtime.injected import Markers, make_markers
from lynkrc_runtime.protocol.anthropic.fast_message import fast_messages
from lynkrc_runtime.protocol.anthropic.native_messages import native_messages as native_anthropic
from lynkrc_runtime.protocol.conversation import Document, Image, Message, Role
from lynkrc_runtime.protocol.late_messages import (
    NOTHING,
    USER,
    WORDS,
    LateMessages,
    course_of,
    own_kinds,
    words_of,
)
from lynkrc_runtime.protocol.openai_chat.native_messages import native_messages as native_chat
from lynkrc_runtime.protocol.openai_responses.native_items import native_items
from lynkrc_runtime.protocol.openai_responses.read_tools import ToolNames
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.scan.engines import native_turns
from lynkrc_runtime.sessions.identity import MOST_WORDS, first_words
from tests.json_speller import JsonSpeller
from tests.property.conversations import talks
from tests.property.effort import tried
from tests.property.spelled_requests import spell

needs_kernel = pytest.mark.skipif(native_turns is None, reason="the native kernel is not built")
SEEDS = st.integers(0, 1 << 32)
# Each of them is white space to `str.strip`, or looks like it.
BLANKS = "  \n\n\t\r\x0b\x0c\x1c\x1d\x1e\x1f\x08\x7f\x85\xa0\u1680\u180e\u2000\u200a\u200b\u2028"
BLANKS += "\u2029\u202f\u205f\u2060\u3000\ufeff\x00"
STARTS = ("<note>", "</note>", "<ask>", "</ask>", "<", "/", "[Begin", "[", '"Q', "é中", "😀 ", "\\")
PREFIXES = ("[Begin", '"Q', "é中!", "é", "😀", "\\", "\u200bx", "\n", " [", "say", "\ud83d", "中")


class OwnSpeller(JsonSpeller):
    """Writes conversations whose texts are hardly anything but what clients put around words."""

    def words(self) -> str:
        chance, parts = self.chance, []
        for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
            parts.append(chance.choice(("say", "go on", "x" * 40, *STARTS, *STARTS)))
            if chance.random() < 0.6:
                parts.append("".join(chance.choices(BLANKS, k=chance.choice((1, 1, 2, 17)))))
        if chance.random() < 0.5:
            parts.reverse()
        return self.string("".join(parts))

    def block(self, has_results: bool) -> str:
        if has_results and self.chance.random() < 0.2:
            given = [("type", '"tool_result"'), ("tool_use_id", '"c"'), ("content", self.words())]
            return self.members(given)
        return self.members([("type", '"text"'), ("text", self.words())])

    def message(self, has_results: bool) -> str:
        chance = self.chance
        role = chance.choice(("user", "user", "user", "assistant", "system"))
        content = self.words()
        if chance.random() < 0.6:
            blocks = [self.block(has_results) for _ in range(chance.randrange(4))]
            content = self.within("[", blocks, "]")
        given = [("role", json.dumps(role)), ("content", content)]
        return self.members(given[::-1] if self.rarely() else given)

    def body(self, has_results: bool) -> bytes:
        messages = [self.message(has_results) for _ in range(1 + self.chance.randrange(9))]
        return b'{"model":"m","messages":%s}' % self.within("[", messages, "]").encode()

    def item(self) -> str:
        chance = self.chance
        if chance.random() < 0.2:
            given = [("type", '"function_call_output"'), ("call_id", '"c"')]
            return self.members([*given, ("output", self.words())])
        role = chance.choice(("user", "user", "user", "assistant", "developer"))
        content = self.words()
        if chance.random() < 0.6:
            texts = [
                self.members([("type", json.dumps(kind)), ("text", self.words())])
                for kind in chance.choices(("input_text", "output_text", "text"), k=3)
            ]
            content = self.within("[", texts[: chance.randrange(4)], "]")
        given = [("type", '"message"'), ("role", json.dumps(role)), ("content", content)]
        return self.members(given[::-1] if self.rarely() else given)

    def items(self) -> bytes:
        items = [self.item() for _ in range(1 + self.chance.randrange(9))]
        return b'{"model":"m","input":%s}' % self.within("[", items, "]").encode()

    def markers(self) -> Markers:
        prefixes = self.chance.choices(PREFIXES, k=self.chance.choice((0, 2, 5)))
        if self.rarely():
            prefixes.append("")
        return make_markers(tags=["note"], wrappers=["ask"], prefixes=prefixes)


def shows_media(message: Message) -> bool:
    return any(isinstance(block, Image | Document) for block in message.blocks)


def turns_of(messages: Sequence[Message], ask: Ask, markers: Markers) -> int:
    """As the feature is told: turns before the ask's with anything of the user's, and this one."""

    def said() -> Iterator[bool | None]:
        for message in messages[: ask.first]:
            if message.role is Role.ASSISTANT:
                yield None
            elif message.role is Role.USER:
                yield bool(authored_text(message, markers)) or shows_media(message)

    turns, counted = 0, False
    for one in said():
        if one is None:
            counted = False
        elif one and not counted:
            turns, counted = turns + 1, True
    return turns + 1 if ask.last >= 0 else 0


def agree(messages: Sequence[Message], markers: Markers) -> bytes:
    """The kinds, after all that is known without a look was looked at."""
    known = own_kinds(messages, markers.spelled)
    ask = find_ask(messages, markers, known)
    turns = count_turns(messages, ask, markers, known)
    for index, kind in enumerate(known):
        if kind in (WORDS, NOTHING):
            assert course_of(messages).kinds[index] == USER
            text = words_of(messages, index) if kind == WORDS else None
            own = authored_text(messages[index], markers)
            assert bool(own) == (kind == WORDS)
            assert text is None or text.strip() == own
            assert kind == WORDS or not shows_media(messages[index])
        else:
            assert course_of(messages).kinds[index] == kind
    made = tuple(messages)
    assert ask == find_ask(made, markers) == find_ask(made, markers, known)
    assert turns == count_turns(made, ask, markers) == count_turns(made, ask, markers, known)
    assert turns == turns_of(made, ask, markers)
    history = history_text(made, ask, markers)
    assert history == history_text(messages, ask, markers)
    assert history == history_text(messages, ask, markers, known)
    authored = [text for message in made if (text := authored_text(message, markers))]
    assert first_words(messages, markers) == first_words(made, markers)
    assert first_words(made, markers) == (authored[0][:MOST_WORDS] if authored else "")
    return known


@needs_kernel
@given(seed=SEEDS, odd=st.sampled_from((0, 5, 40)), is_chat=st.booleans())
@tried(400)
def test_words_between_all_that_surrounds_them(seed: int, odd: int, is_chat: bool) -> None:
    speller = OwnSpeller(seed, odd)
    body, markers = speller.body(not is_chat), speller.markers()
    if is_chat:
        chat = native_chat(body)
        if chat is not None:
            agree(chat[1][1], markers)
        return
    found = native_anthropic(body)
    if found is None:
        return
    known = agree(found.messages, markers)
    read = fast_messages(found.spelled)
    assert isinstance(read, LateMessages) and own_kinds(read, markers.spelled) == read.course.kinds
    assert len(known) == len(read)
    agree(read, markers)


@needs_kernel
@given(seed=SEEDS, odd=st.sampled_from((0, 5, 40)))
@tried(250)
def test_words_of_items_between_all_that_surrounds_them(seed: int, odd: int) -> None:
    speller = OwnSpeller(seed, odd)
    found, markers = native_items(speller.items()), speller.markers()
    if found is not None:
        agree(found.conversation(None, ToolNames())[1], markers)


@pytest.mark.parametrize("client", CLIENT_DIALECTS)
@given(talk=talks(), seed=SEEDS)
@tried(40)
def test_any_conversation(client: str, talk: Any, seed: int) -> None:
    request = CLIENT_DIALECTS[client].read_request(spell(client, talk), {})
    agree(request.messages, OwnSpeller(seed, 10).markers())


def marks(content: str, *prefixes: str) -> str:
    """What is known of a message with the content, spelled as JSON: of both dialects."""
    markers = make_markers(tags=["note"], wrappers=[], prefixes=prefixes)
    body = f'{{"messages":[{{"role":"user","content":{content}}}]}}'.encode()
    found, chat = native_anthropic(body), native_chat(body)
    assert found is not None and chat is not None
    known = agree(found.messages, markers)
    assert agree(chat[1][1], markers) == known
    # An item without words is not read in place.
    if content != '""':
        for given in ('"role":"user","content":%s', '"content":%s,"role":"user"'):
            item = '{"type":"message",' + given % content + "}"
            items = native_items(f'{{"model":"m","input":[{item}]}}'.encode())
            assert items is not None
            assert agree(items.conversation(None, ToolNames())[1], markers) == known
    return known.decode()


def blocks(*texts: str) -> str:
    return json.dumps([{"type": "text", "text": json.loads(text)} for text in texts])


@needs_kernel
@pytest.mark.parametrize(
    ("content", "known"),
    [
        ('"go"', "w"),
        ('""', "n"),
        ("[]", "n"),
        (r'" \n\t\r\f "', "n"),
        (r'" \n\u0020"', "u"),
        (r'"\u000bgo"', "u"),
        (r'"\bgo"', "u"),
        ('"\u3000go"', "u"),
        ('"\u3001go"', "u"),
        ('"\u3042"', "w"),
        (r'"\u4e2d"', "w"),
        (r'"\ud83d\ude00"', "w"),
        ('"\u00a0"', "u"),
        *((f'"\\u{code:04x}"', "u") for code in (0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x3000)),
        (r'"\"quoted\""', "w"),
        (r'"\\ and \/"', "w"),
        ('"a < b, <b>c"', "w"),
        ('"<b>c</b>"', "u"),
        (r'"<b>c<\/b>"', "u"),
        (r'"<b>c<\u002fb>"', "u"),
        (r'"\u003cb>c\u003C/b>"', "u"),
        (r'"2 \u003e 1"', "w"),
        ('"ends in <"', "w"),
        (r'"ends in <\\"', "u"),
        (blocks('"<note>n</note>"', '"go"'), "w"),
        (blocks('"go"', '"<note>n</note>"'), "w"),
        (blocks('"<note>n</note>"', '""'), "u"),
        (blocks('" "', '""'), "n"),
    ],
)
def test_what_is_known(content: str, known: str) -> None:
    assert marks(content) == known
    assert marks(content, "[Begin", "x") == known
    if known == "w":
        assert marks(content, "") == "u"


@needs_kernel
@pytest.mark.parametrize(
    ("content", "prefix", "known"),
    [
        ('"  [Begin of it"', "[Begin", "u"),
        ('"[Beg"', "[Begin", "w"),
        ('"[Beginn"', "[Beg in", "w"),
        ('"[Beg"', '[Beg"}', "w"),
        (r'"[B\u0065gin"', "[Begin", "u"),
        (r'"[B\u0066gin"', "[Begin", "w"),
        (r'"\u00e9"', "é", "u"),
        (r'"\u00e9"', "è", "u"),
        (r'"\u00e9"', "中", "w"),
        (r'"\u4e2d"', "中", "u"),
        (r'"\ud83d\ude00"', "😀", "u"),
        (r'"\ud83d\ude00"', "中", "w"),
        ('"😀"', "😁", "w"),
        (r'"\"Q"', '"Q', "u"),
        (r'"\"Q"', "\\", "w"),
        (r'"a\nb"', "a\nb", "u"),
        (r'"a\tb"', "a\nb", "w"),
        ('"go"', " go", "w"),
        ('"go"', "go" * 9, "w"),
        (blocks('"go"', '"[Begin"'), "[Begin", "u"),
    ],
)
def test_what_may_begin_with_a_prefix(content: str, prefix: str, known: str) -> None:
    assert marks(content, prefix) == known


def test_a_turn_is_looked_at_no_further_than_its_first_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor at all where somebody's words in it are known; and a turn that is not known counts."""
    note = {"role": "user", "content": "<note>n</note>"}
    said = {"role": "user", "content": "<b>go</b>"}
    sure = {"role": "user", "content": "go"}
    answer = {"role": "assistant", "content": "so"}
    turns = [note, sure, note, answer, note, said, said, answer, note, note, answer, note, sure]
    body = json.dumps({"model": "m", "max_tokens": 1, "messages": turns}).encode()
    messages = CLIENT_DIALECTS["anthropic-messages"].read_request(body, {}).messages
    assert isinstance(messages, LateMessages)
    markers = make_markers(tags=["note"], wrappers=[], prefixes=[])
    ask = find_ask(messages, markers)
    assert (ask.first, ask.last, ask.text) == (12, 12, "go")
    looked: list[int] = []
    monkeypatch.setattr(
        LateMessages,
        "__getitem__",
        lambda late, index: looked.append(index) or tuple(late)[index],
    )
    assert count_turns(messages, ask, markers) == 3
    expected = [0, 1] if native_turns is None else []
    assert looked == [*expected, 4, 5, 8, 9]


TALK = [
    ("user", ["<note>n</note>", "first\n"]),
    ("assistant", ["so\n", "", "and \u00e9"]),
    ("user", [" second "]),
    ("user", ["<note>n</note>"]),
    ("assistant", ["ok"]),
    ("user", ["third"]),
]


def talk_of(client: str) -> list[dict[str, Any]]:
    kinds = {"user": "input_text", "assistant": "output_text"}
    if client != "openai-responses":
        kinds = dict.fromkeys(kinds, "text")
    return [
        {"role": role, "content": [{"type": kinds[role], "text": text} for text in texts]}
        | ({"type": "message"} if client == "openai-responses" else {})
        for role, texts in TALK
    ]


@needs_kernel
@pytest.mark.parametrize("client", CLIENT_DIALECTS)
def test_a_history_makes_the_messages_alone_that_are_in_doubt(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = talk_of(client)
    members = {"input": turns} if client == "openai-responses" else {"messages": turns}
    body = json.dumps({"model": "m", "max_tokens": 1, **members}).encode()
    messages = CLIENT_DIALECTS[client].read_request(body, {}).messages
    markers = make_markers(tags=["note"], wrappers=[], prefixes=[])
    ask = find_ask(messages, markers)
    assert ask.text == "third"
    monkeypatch.setattr(LateMessages, "_all", lambda _: pytest.fail("all messages are made"))
    assert history_text(messages, ask, markers) == "first\nso\n\nand \u00e9\nsecond\nok"


@needs_kernel
@pytest.mark.parametrize(
    ("refusal", "history"), [("No.", "No.\nYes."), ("", "Yes."), (None, "Yes.")]
)
def test_a_refusal_is_history(refusal: str | None, history: str) -> None:
    turns = [
        {"role": "assistant", "content": None, "refusal": refusal},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "go"},
    ]
    chat = native_chat(json.dumps({"messages": turns}).encode())
    assert chat is not None
    messages, markers = chat[1][1], make_markers(tags=[], wrappers=[], prefixes=[])
    agree(messages, markers)
    assert history_text(messages, find_ask(messages, markers), markers) == history


def test_speller_is_worth_something() -> None:
    """Of what it writes, much is known, much is not, and words, notes and neither occur."""
    if native_turns is None:
        pytest.skip("the native kernel is not built")
    seen = bytearray()
    for seed in range(60):
        speller = OwnSpeller(seed, 5)
        found = native_anthropic(speller.body(True))
        if found is not None:
            seen += own_kinds(found.messages, speller.markers().spelled)
    assert min(seen.count(USER), seen.count(WORDS), seen.count(NOTHING)) > 20
