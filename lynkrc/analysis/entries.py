"""Entries of lexicons to what their matches have in them: words, and one another.

>>> [holds_word(entry) for entry in ("hi|hello", "c++", "~中", "(a|+)b?", "~+|a", "/a/")]
[True, True, True, False, False, False]
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from lynkrc.ir.automaton import Automaton
from lynkrc.ir.table import Lexicon
from lynkrc_runtime.scan.fold import fold_text

MOST_CELLS = 2_000_000
"""Automata with more transitions are not looked into; nothing is said of their entries then."""

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_GROUP = re.compile(r"\(([^()]*)\)(\??)")
_MAYBE = re.compile(r".\?", re.DOTALL)
_ASCII_WORD = frozenset("0123456789_abcdefghijklmnopqrstuvwxyz")


@lru_cache(maxsize=10_000)
def holds_word(pattern: str) -> bool:
    """Whether every match of the entry surely has a word character in it.

    Read off the entry's text; of a regular expression nothing is said.
    """
    text = pattern.removeprefix("~")
    if text.startswith("/"):
        return False
    text = _ESCAPE.sub("+", text)
    found = 1
    while found:
        text, found = _GROUP.subn(_flat, text)
    return _every_option(text)


def _flat(group: re.Match[str]) -> str:
    """A group without groups, as one character: a word's, where each option has one."""
    return "w" if not group[2] and _every_option(group[1]) else "+"


def _every_option(text: str) -> bool:
    return all(_has_word(_MAYBE.sub("+", option)) for option in text.split("|"))


def _has_word(text: str) -> bool:
    return any(char in _ASCII_WORD or char > "\x7f" for char in fold_text(text))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """The lexicons of one table and the automaton that finds their entries."""

    lexicons: tuple[Lexicon, ...]
    automaton: Automaton


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is known of entries, by their patterns.

    A text in which a pattern occurs has those of `implies` in it, too; one in which a pattern of
    `in_words` occurs has a word character.
    """

    implies: Mapping[str, frozenset[str]]
    in_words: frozenset[str]


def shape_of(parts: Sequence[Scanned], patterns: Set[str]) -> Shape:
    """What the automata say of the entries with these patterns, together.

    A pattern means the same in all of them. Sound, not complete: what an entry implies is known
    where the other is always confirmed no later.
    """
    implies: dict[str, frozenset[str]] = {}
    in_words: frozenset[str] = frozenset()
    for part in parts:
        if len(part.automaton.transitions) > MOST_CELLS:
            continue
        names = {
            lexicon.first + offset: entry.pattern
            for lexicon in part.lexicons
            for offset, entry in enumerate(lexicon.entries)
            if entry.pattern in patterns
        }
        bare = _without_words(part.automaton)
        in_words |= {name for number, name in names.items() if number not in bare}
        for number, seen in _implied(part.automaton, names.keys()).items():
            name = names[number]
            others = {names[one] for one in _members(seen)} - {name}
            implies[name] = implies.get(name, frozenset()) | others
    return Shape(implies=implies, in_words=in_words)


def _is_word_byte(byte: int) -> bool:
    return byte >= 0x80 or chr(byte).isalnum() or byte == 0x5F


def _without_words(automaton: Automaton) -> frozenset[int]:
    """The entries that some text without word characters has."""
    steps = {automaton.byte_class[byte] for byte in range(256) if not _is_word_byte(byte)}
    seen = {0}
    stack = [0]
    while stack:
        row = stack.pop() * automaton.classes
        for step in steps:
            state = automaton.transitions[row + step]
            if state not in seen:
                seen.add(state)
                stack.append(state)
    return frozenset(entry for state in seen for entry in automaton.accepts[state])


def _implied(automaton: Automaton, asked: Set[int]) -> dict[int, int]:
    """For each entry asked of a set (of bits) of those confirmed wherever it is confirmed."""
    confirmed = _confirmed(automaton, asked)
    implied: dict[int, int] = {}
    for entries, seen in zip(automaton.accepts, confirmed, strict=True):
        for entry in asked & set(entries) if entries else ():
            implied[entry] = implied.get(entry, seen) & seen
    return implied


def _confirmed(automaton: Automaton, asked: Set[int]) -> list[int]:
    """For each state those asked of (as bits) that every text on its way there has had confirmed.

    The greatest solution of: those of the state itself, and those that all states before it agree
    on. The start has none behind it.
    """
    own = [
        sum([1 << entry for entry in asked & set(entries)]) if entries else 0
        for entries in automaton.accepts
    ]
    every = 0
    for bits in own:
        every |= bits
    transitions, classes = automaton.transitions, automaton.classes
    known = [every] * automaton.states
    known[0] = own[0]
    # First come, first served: near states settle before far ones are looked at again.
    waiting = deque([0])
    is_waiting = bytearray(automaton.states)
    is_reached = bytearray(automaton.states)
    is_reached[0] = 1
    # Reached, and with nothing but their own: no way there can take more from them. Most ways lead
    # to these few.
    least = {0}
    while waiting:
        state = waiting.popleft()
        is_waiting[state] = 0
        before = known[state]
        for after in {*transitions[state * classes : (state + 1) * classes]} - least:
            agreed = known[after] & (before | own[after])
            if agreed != known[after] or not is_reached[after]:
                is_reached[after] = 1
                known[after] = agreed
                if agreed == own[after]:
                    least.add(after)
                if not is_waiting[after]:
                    is_waiting[after] = 1
                    waiting.append(after)
    return known


def _members(bits: int) -> list[int]:
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
