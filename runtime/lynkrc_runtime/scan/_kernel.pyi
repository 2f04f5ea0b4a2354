"""The compiled kernel: see _kernel.pyx. Importing it fails where it is not built."""

from collections.abc import Callable, Sequence
from typing import final

SOURCES: int
"""What `kernel_sources` says of the sources it was built of."""

@final
class Kernel:
    """Runs the automaton of a lexicon table, which it keeps and reads in place.

    ValueError for a table (or a fold table) that is not whole or leads outside itself, and for
    weights that are not as many as the entries or whose magnitudes sum up to more than 63 bits.
    """

    def __init__(self, data: bytes, weights: Sequence[int], folds: bytes) -> None: ...
    def scan(
        self, text: str
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None: ...
    def present(self, text: str) -> frozenset[int]: ...

def lines_of(before: bytes, fields: dict[str, str], behind: bytes) -> bytes | None:
    """A line `name: value` for each field, between two pieces; all of it in UTF-8.

    None where a value holds a control character other than a tab. UnicodeEncodeError for what
    UTF-8 has no bytes for.
    """

@final
class Counter:
    """Counts what is in texts. ValueError for a fold table that is not whole.

    The numbers are bytes, characters and tokens; words, sentences, and characters of the longest
    and of a mean one; lines; commas, periods, opening parentheses, quotes and question marks.
    """

    def __init__(self, folds: bytes) -> None: ...
    def count(self, text: str) -> tuple[int, ...]: ...

@final
class Turns:
    """The messages of the list that begins at a byte of a body, read in place.

    ValueError for what is not of the common forms, or empty. `end` is behind the list; `kinds`,
    `results`, `errors` and `has_reasoning` are those of a `Course`; `tokens` are estimated, those
    for each message not among them. `is_ascii`: all bytes of the list are; where others are, it is
    not looked at whether they are UTF-8. `turn` is one message's JSON text. `doubtful` gives the
    JSON texts of name and input of the calls from a message on, but for those that surely say
    something else than every other one.

    `own` gives the kinds, with WORDS or NOTHING (see `late_messages`) in the place of USER where
    that is known; `prefixes` are those of the markers, as these have them `spelled`. `words` is
    the one text of a message that WORDS says something of, None where there are others; `decode`
    is given the JSON text of one with escapes.

    `told` gives, in order, the texts of assistants, and the words of users but for messages from
    `first` to `last`: the index of a message stands for it where it must be looked at. `own` is
    what that gave. None where all must be.

    `is_chat`: the messages are those of Chat, where answers of tools in a row are one message.
    `first` is where the first message begins, behind instructions at the head, which end at
    `system_end` (0 without any) and are not among the messages. `messages` writes them for the
    Messages API; None where that takes care. `check` is asked whether bytes are a JSON object.

    `are_items`: the same of the items of Responses, of which those of one speaker are one message.

    `for_chat` writes those of another dialect for Chat, behind `head`, which opens the list: the
    list, and a letter for each kind of loss, in order (see messages_write.h); None where that takes
    care.
    """

    begin: int
    end: int
    tokens: int
    has_reasoning: bool
    is_ascii: bool
    first: int
    system_end: int
    kinds: bytes
    results: list[int]
    errors: list[int]
    def __init__(
        self, body: bytes, begin: int, is_chat: bool = False, are_items: bool = False
    ) -> None: ...
    def messages(self, check: Callable[[bytes], bool]) -> bytes | None: ...
    def for_chat(
        self, head: bytes, keeps_marks: bool, takes_neighbours: bool, wants_reasoning: bool
    ) -> tuple[bytes, bytes] | None: ...
    def turn(self, index: int) -> bytes: ...
    def own(self, prefixes: bytes) -> bytes: ...
    def words(self, decode: Callable[[bytes], str], index: int) -> str | None: ...
    def told(
        self, own: bytes, first: int, last: int, decode: Callable[[bytes], str]
    ) -> list[str | int] | None: ...
    def doubtful(self, first: int) -> list[tuple[bytes, bytes]]: ...

def outlined(
    body: bytes, is_chat: bool = False, tools: bytes = b""
) -> tuple[Turns, bytes, int, bytes | None, bytes | None, bool]:
    """A body with messages to these, its outline, and what this leaves out of it.

    The outline is the body without the values of `messages`, `system` and `tools`; then come the
    number of members that it names, the values of `system` and of `tools` where it names them, and
    whether all of the body is ASCII. ValueError where the messages are not read as `Turns`, and for
    most of what is no JSON object with one member of each of these names; but whether the outline
    and these values are JSON is not looked at.

    `tools` is a list that may be the value of `tools`: JSON, or b"". Where it is, that is what is
    given back, and its bytes are not looked at: they may not be ASCII.
    """
