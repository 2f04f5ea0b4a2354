"""An automaton to texts: shortest ones in which a wanted entry occurs, and letters for fillers.

One search over the states gives the cheapest way to each, where a way pays for what else it
confirms. Ways go by folded characters, printed as people write them.
"""

import heapq
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import final

from lynkrc.codegen.tables import tables_of
from lynkrc.ir.automaton import Automaton
from lynkrc.ir.table import Lexicon
from lynkrc_runtime.scan.edges import as_written
from lynkrc_runtime.scan.fold import fold_text
from lynkrc_runtime.scan.matcher import Matcher

_ASCII = "etaoinsrhldcumfpgwybvkxjqz0123456789 -_'/.,:;()+*=&%#@!?\"$[]{}|<>~^`\\\n\t"
"""Characters a way may take, those first that nothing else counts."""
_CONFIRMED = 1_000
"""What confirming one more entry costs, in characters."""
_BLANK = " \n\t"
_COUNTED = frozenset('.,()?"!`~\n')
_COUNTED_COST = 20
"""What a character costs that a feature of the ask counts."""
_FOREIGN_COST = 20
"""What one beyond ASCII costs: it takes more bytes, and fewer people read it."""
_FILLER_LETTERS = "olmuvaneirtsdkbpwcfghyxjqz"
_MOST_LETTERS = 12


@final
class Walker:
    """Finds texts for the entries of the lexicons of one automaton."""

    def __init__(self, lexicons: Sequence[Lexicon], automaton: Automaton) -> None:
        self.lexicons = lexicons
        self.automaton = automaton
        sizes = [len(lexicon.entries) for lexicon in lexicons]
        self.tables = tables_of(automaton, sizes)
        self._matcher = Matcher(self.tables) if lexicons else None
        self._accepts = [sum(1 << entry for entry in entries) for entries in automaton.accepts]
        patterns = (entry.pattern for lexicon in lexicons for entry in lexicon.entries)
        self._steps = _alphabet(automaton, patterns)
        self._ways: dict[int, _Ways] = {}

    def present(self, text: str) -> int:
        """The entries that occur in the text, as bits."""
        if self._matcher is None:
            return 0
        return sum(1 << entry for entry in self._matcher.present(text))

    def counts(self, text: str) -> tuple[int, ...]:
        """How often each lexicon occurs in the text, as the extractor counts."""
        return () if self._matcher is None else self._matcher.scan(text).counts

    def mask(self, number: int) -> int:
        """The entries of a lexicon, as bits."""
        lexicon = self.lexicons[number]
        return (1 << len(lexicon.entries)) - 1 << lexicon.first

    def sample(self, entry: int, forbidden: int) -> str | None:
        """A short text in which the entry occurs and nothing of the bits `forbidden` does.

        None where there is none; among short ones, the one in which least else occurs.
        """
        return self._ways_around(forbidden).sample(entry)

    def filler_letters(self, forbidden: int) -> str:
        """Letters of which no words, however many, hold anything of the bits `forbidden`."""
        return self._ways_around(forbidden).letters

    def filler_digits(self, forbidden: int) -> str:
        """Digits that may stand in such words too."""
        return self._ways_around(forbidden).digits

    def _ways_around(self, forbidden: int) -> "_Ways":
        ways = self._ways.get(forbidden)
        if ways is None:
            ways = self._ways[forbidden] = _Ways(
                self.automaton, self._accepts, self._steps, forbidden
            )
        return ways


@final
class _Ways:
    """What can be reached without confirming anything of the bits `forbidden`."""

    def __init__(
        self,
        automaton: Automaton,
        accepts: Sequence[int],
        steps: Sequence[tuple[str, tuple[int, ...]]],
        forbidden: int,
    ) -> None:
        self._automaton = automaton
        self._accepts = accepts
        self._forbidden = forbidden
        self.letters = self._safe(_FILLER_LETTERS, " -\n", _MOST_LETTERS)
        self.digits = self._safe("1203456789", self.letters + " -\n", 10)
        self._alphabet = steps
        self._confirms = [accepted.bit_count() for accepted in accepts]
        self._shut = [bool(accepted & forbidden) for accepted in accepts]
        self._samples: dict[int, str] | None = None

    def sample(self, entry: int) -> str | None:
        """The cheapest text that confirms the entry; the search is made when it is first asked."""
        if self._samples is None:
            self._samples = self._find(self._alphabet)
        return self._samples.get(entry)

    def _find(self, steps: Sequence[tuple[str, tuple[int, ...]]]) -> dict[int, str]:
        transitions, width = self._automaton.transitions, self._automaton.classes
        costs = {0: 0}
        came: dict[int, tuple[int, str]] = {}
        queue = [(0, 0)]
        best: dict[int, tuple[int, int]] = {}
        # Of the characters that lead to one state, the first is the cheapest.
        priced = sorted(((_price(char), char, how) for char, how in steps), key=itemgetter(0))
        of_one_byte = [(price, char, how[0]) for price, char, how in priced if len(how) == 1]
        # The first byte of the others leads to few states, and what comes of it is found once.
        begun: dict[int, list[tuple[int, str, tuple[int, ...]]]] = {}
        for price, char, (first, *rest) in priced:
            if rest:
                begun.setdefault(first, []).append((price, char, tuple(rest)))
        ended: dict[tuple[int, int], list[tuple[int, int, str]]] = {}

        def go(after: int, paid: int, state: int, char: str) -> None:
            if after not in costs or paid < costs[after]:
                costs[after] = paid
                came[after] = (state, char)
                heapq.heappush(queue, (paid, after))

        while queue:
            cost, state = heapq.heappop(queue)
            if cost > costs[state]:
                continue
            if state not in came or came[state][1] not in _BLANK:
                self._note(state, cost, best)
            row = transitions[state * width : (state + 1) * width]
            met = set[int]()
            for price, char, number in of_one_byte:
                after = row[number]
                if after in met or (state == 0 and char in _BLANK):
                    continue
                met.add(after)
                if not self._shut[after]:
                    go(after, cost + price + _CONFIRMED * self._confirms[after], state, char)
            for first, chars in begun.items():
                inside = row[first]
                if self._shut[inside]:
                    continue
                ends = ended.get((inside, first))
                if ends is None:
                    ends = ended[inside, first] = self._ends(inside, chars)
                entering = cost + _CONFIRMED * self._confirms[inside]
                for after, price, char in ends:
                    go(after, entering + price, state, char)
        return {entry: _way(state, came) for entry, (_, state) in best.items()}

    def _ends(
        self, inside: int, chars: Iterable[tuple[int, str, tuple[int, ...]]]
    ) -> list[tuple[int, int, str]]:
        """The states after the rest of the characters, each with the cheapest of them."""
        found: dict[int, tuple[int, str]] = {}
        for price, char, rest in chars:
            stepped = self._step(inside, rest)
            if stepped is not None:
                after, paid = stepped[0], price + _CONFIRMED * stepped[1]
                if after not in found or paid < found[after][0]:
                    found[after] = (paid, char)
        return [(after, paid, char) for after, (paid, char) in found.items()]

    def _note(self, state: int, cost: int, best: dict[int, tuple[int, int]]) -> None:
        """Remember the state for the entries it confirms, as it is or where the text ends."""
        ended = self._step(state, (self._automaton.byte_class[0],))
        if ended is None:
            return
        after, confirmed = ended
        found = self._accepts[after] | self._accepts[state]
        cost += _CONFIRMED * confirmed
        while found:
            lowest = found & -found
            entry = lowest.bit_length() - 1
            if entry not in best or cost < best[entry][0]:
                best[entry] = (cost, state)
            found ^= lowest

    def _step(self, state: int, classes: Iterable[int]) -> tuple[int, int] | None:
        """The state after a character and how many entries it confirmed; None if a forbidden."""
        automaton, confirmed = self._automaton, 0
        for number in classes:
            state = automaton.transitions[state * automaton.classes + number]
            if self._shut[state]:
                return None
            confirmed += self._confirms[state]
        return state, confirmed

    def _safe(self, candidates: str, given: str, most: int) -> str:
        """The candidates that may be strung together, with the given, and confirm nothing."""
        kept = ""
        for char in candidates:
            if len(kept) == most:
                break
            if self._is_safe(given + kept + char):
                kept += char
        return kept

    def _is_safe(self, alphabet: str) -> bool:
        automaton = self._automaton
        classes = {automaton.byte_class[ord(char)] for char in alphabet}
        classes.add(automaton.byte_class[0])
        seen, stack = {0}, [0]
        while stack:
            state = stack.pop()
            for number in classes:
                after = automaton.transitions[state * automaton.classes + number]
                if self._accepts[after] & self._forbidden:
                    return False
                if after not in seen:
                    seen.add(after)
                    stack.append(after)
        return True


def _price(char: str) -> int:
    return 1 + _COUNTED_COST * (char in _COUNTED) + _FOREIGN_COST * (not char.isascii())


def _way(state: int, came: dict[int, tuple[int, str]]) -> str:
    chars = []
    while state in came:
        state, char = came[state]
        chars.append(char)
    return "".join(reversed(chars))


def _alphabet(
    automaton: Automaton, patterns: Iterable[str]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Characters that differ to the automaton, each with the classes of its bytes."""
    foreign = sorted({char for pattern in patterns for char in pattern if not char.isascii()})
    found: dict[tuple[int, ...], str] = {}
    for char in (*_ASCII, *foreign):
        folded = fold_text(char)
        classes = tuple(automaton.byte_class[byte] for byte in folded.encode())
        found.setdefault(classes, as_written(folded))
    return tuple((char, classes) for classes, char in found.items())
