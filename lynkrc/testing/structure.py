"""Wished turns, messages, media and tool loop, to the messages of a conversation.

Before the ask come earlier turns, with an answer between two; after it the loop: the assistant's
steps, each followed by what its tools returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from lynkrc.testing.draft import Call, Medium, Part, Result, Said, Words
from lynkrc.testing.wanted import Wanted

MOST_PIECES = 4_096
"""Of messages, turns, calls, images and documents; more are not built."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sayings:
    """The texts of a conversation: `ask` and `history`, a filler `word`, a user's `nothing`."""

    ask: str
    history: str
    word: str
    nothing: str
    tool: str


def messages_for(wanted: Wanted, sayings: Sayings, *, merges: bool) -> tuple[Said, ...]:
    """The messages. `merges`: the dialect makes one of the assistant's messages in a row."""
    media = _media(wanted, sayings)
    speaks = bool(sayings.ask or media) and wanted.of("turns").most != 0
    after = _loop(wanted, sayings)
    before: list[Said] = []
    asking: list[Said] = []
    if speaks:
        room = wanted.of("messages.count").most
        roomy = sayings.history and (room is None or room > 2)
        turns = wanted.of("turns").nearest(2 if roomy else 1)
        before = _earlier(min(turns, MOST_PIECES), sayings)
        words = (Words(sayings.ask),) if sayings.ask else ()
        asking = [Said("user", (*media, *words))]
    elif sayings.history:
        after = [Said("assistant", (Words(sayings.history),)), *after]
    if not speaks and media:
        after = _with_media(after, media)
    room = wanted.of("messages.count").most
    if room is not None:
        taken = len(before) + len(asking) + sum(said.role == "assistant" for said in after)
        after = _gathered(after, room - taken)
    said = [*before, *asking, *after]
    least = wanted.of("messages.count").least
    counted = sum(one.role != "system" for one in said)
    pads = min(least or 0, MOST_PIECES) - counted
    if not said and pads <= 0 and room is None:
        pads = 1
    if pads > 0:
        said = _padded(before, [*asking, *after], pads, sayings)
    if not any(one.role != "system" for one in said):
        said = [Said("system", (Words(sayings.word),)), *said]
    return tuple(_apart(said) if merges else said)


def _media(wanted: Wanted, sayings: Sayings) -> tuple[Part, ...]:
    """Images and documents; one where the user's turn would be empty."""
    images = min(wanted.least("images.count"), MOST_PIECES)
    documents = min(wanted.least("documents.count"), MOST_PIECES)
    if not sayings.ask and wanted.least("turns") and not images and not documents:
        if wanted.of("images.count").allows(1):
            images = 1
        elif wanted.of("documents.count").allows(1):
            documents = 1
    return (Medium.IMAGE,) * images + (Medium.DOCUMENT,) * documents


def _earlier(turns: int, sayings: Sayings) -> list[Said]:
    """The turns before the last, each with its answer; what was said goes into the first answer."""
    made: list[Said] = []
    for number in range(max(0, turns - 1)):
        made.append(Said("user", (Words(sayings.word),)))
        answer = sayings.history if not number and sayings.history else sayings.word
        made.append(Said("assistant", (Words(answer),)))
    if turns <= 1 and sayings.history:
        made.append(Said("assistant", (Words(sayings.history),)))
    return made


def _loop(wanted: Wanted, sayings: Sayings) -> list[Said]:
    """The steps since the user wrote, with their results."""
    results = min(wanted.least("loop.tool_results"), MOST_PIECES)
    repeats = min(wanted.least("loop.repeats"), MOST_PIECES)
    errors = min(wanted.least("loop.tool_errors"), MOST_PIECES)
    results = wanted.of("loop.tool_results").nearest(max(results, errors))
    wished = wanted.of("loop.steps_since_user")
    room = wanted.of("messages.count").most
    stepping = bool(repeats or (results and (room is None or room > 2)))
    steps = min(wished.nearest(int(stepping)), MOST_PIECES)
    if not steps:
        made = [Result(f"call_{n}", sayings.word, n < errors) for n in range(results)]
        return [Said("user", tuple(made))] if made else []
    calls = max(results, repeats + 1 if repeats else 0)
    said: list[Said] = []
    number = 0
    for step in range(steps):
        own = [
            Call(f"call_{n}", sayings.tool, max(0, n - repeats))
            for n in range(calls * step // steps, calls * (step + 1) // steps)
        ]
        said.append(Said("assistant", tuple(own) or (Words(sayings.word),)))
        returned = []
        for call in own:
            if number < results:
                returned.append(Result(call.id, sayings.word, number < errors))
                number += 1
        if returned:
            said.append(Said("user", tuple(returned)))
    return said


def _gathered(after: Sequence[Said], room: int) -> list[Said]:
    """The loop with its results in at most `room` messages, where that can be."""
    said = list(after)
    places = [n for n, one in enumerate(said) if one.role == "user"]
    while len(places) > max(1, room):
        first, second = places[0], places[1]
        said[second] = Said("user", said[first].parts + said[second].parts)
        del said[first]
        places = [place - 1 for place in places[1:]]
    return said


def _with_media(after: Sequence[Said], media: Sequence[Part]) -> list[Said]:
    """The loop with what nobody shows in a result, else in a message of the system."""
    images = sum(part is Medium.IMAGE for part in media)
    documents = len(media) - images
    said = list(after)
    for place, one in enumerate(said):
        first, *others = one.parts or (None,)
        if isinstance(first, Result):
            shown = replace(first, images=images, documents=documents)
            said[place] = Said("user", (shown, *(part for part in others if part is not None)))
            return said
    return [*said, Said("system", tuple(media))]


def _padded(
    before: Sequence[Said], rest: Sequence[Said], pads: int, sayings: Sayings
) -> list[Said]:
    """More messages that are no turns and no steps: calls and results before the ask."""
    if not any(one.role == "user" and _speaks(one) for one in (*before, *rest)):
        return [*([Said("user", (Words(sayings.nothing),))] * pads), *before, *rest]
    pairs: list[Said] = []
    for number in range(pads // 2):
        pairs.append(Said("assistant", (Call(f"early_{number}", sayings.tool, number),)))
        pairs.append(Said("user", (Result(f"early_{number}", sayings.word),)))
    if len(before) > 1:
        more = [before[0]] * (pads % 2)
        return [*more, before[0], *pairs, *before[1:], *rest]
    odd = [Said("assistant", (Words(sayings.word),))] * (pads % 2)
    if before and odd:
        odd = [Said("user", (Words(sayings.nothing),))]
    return [*pairs, *odd, *before, *rest]


def _speaks(said: Said) -> bool:
    return any(isinstance(part, Words | Medium) for part in said.parts)


def _apart(said: Sequence[Said]) -> list[Said]:
    """The messages with an empty one of the system between two of the assistant."""
    made: list[Said] = []
    for one in said:
        if one.role == "assistant" and made and made[-1].role == "assistant":
            made.append(Said("system", ()))
        made.append(one)
    return made
