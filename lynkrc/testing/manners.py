"""Messages to the same in a form that providers take: what clients would have said in between.

The user speaks first and last, roles take turns, nothing is blank, and every result answers a call
of the message before.

>>> for said in well_formed([Said("assistant", (Words("fine"),))], "Hello", "look"):
...     print(said.role, [part.text for part in said.parts])
user ['Hello']
assistant ['fine']
user ['Hello']
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from lynkrc.testing.draft import Call, Part, Result, Said, Words


def well_formed(messages: Sequence[Said], word: str, tool: str) -> tuple[Said, ...]:
    """The messages; `word` is said where something has to be, `tool` called where nothing was."""
    said = [one for one in map(_without_blanks, messages) if one.parts]
    made: list[Said] = []
    for one in _in_turns(said):
        if one.role == "system":
            made.append(one)
            continue
        waiting = [part for part in _before(made) if isinstance(part, Call)]
        if one.role == "assistant":
            if not any(other.role == "user" for other in made):
                made.append(Said("user", (Words(word),)))
            made.append(one)
            continue
        made += _uncalled(one, waiting, word, tool, speaks=_role_before(made) == "assistant")
        made.append(_answering(one, waiting, word))
    if not made or made[-1].role != "user":
        waiting = [part for part in _before(made) if isinstance(part, Call)]
        rest = () if waiting else (Words(word),)
        made.append(_answering(Said("user", rest), waiting, word))
    return tuple(_in_turns(made))


def _without_blanks(said: Said) -> Said:
    kept = (part for part in said.parts if not isinstance(part, Words) or part.text.strip())
    return Said(said.role, tuple(kept))


def _in_turns(messages: Sequence[Said]) -> Iterator[Said]:
    """What one side says in a row, in one message."""
    for role, group in groupby(messages, key=lambda said: said.role):
        yield Said(role, tuple(part for said in group for part in said.parts))


def _before(made: Sequence[Said]) -> tuple[Part, ...]:
    return made[-1].parts if made and made[-1].role == "assistant" else ()


def _role_before(made: Sequence[Said]) -> str | None:
    return next((said.role for said in reversed(made) if said.role != "system"), None)


def _uncalled(
    said: Said, waiting: Sequence[Call], word: str, tool: str, *, speaks: bool
) -> Iterator[Said]:
    """The calls of results that nobody called, and what the user said before them."""
    called = {call.id for call in waiting}
    results = [part for part in said.parts if isinstance(part, Result) and part.id not in called]
    if results:
        if not speaks:
            yield Said("user", (Words(word),))
        calls = (Call(one.id, tool, number) for number, one in enumerate(results))
        yield Said("assistant", tuple(calls))


def _answering(said: Said, waiting: Sequence[Call], word: str) -> Said:
    """The user's message with all results first, and one for each call that waits for it."""
    results = [part for part in said.parts if isinstance(part, Result)]
    brought = {one.id for one in results}
    missing = [Result(call.id, word) for call in waiting if call.id not in brought]
    others = [part for part in said.parts if not isinstance(part, Result)]
    return Said(said.role, (*results, *missing, *others))
