"""Pattern trees to one NFA over bytes, with the common beginnings of entries shared.

Nodes are numbers. Node `BOUNDED` is where entries start that need a word edge before them, `FREE`
where those do that need none: with ``~``, or with a character that is a word by itself. Without the
sharing a few hundred entries would make the sets of nodes that the subset construction handles
large; with it they mostly hold one node.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never, final

from lynkrc.lower.utf8 import byte_sequences
from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    Pattern,
    PatternNode,
    Repeat,
)
from lynkrc.syntax.pattern import Sequence as NodeSequence
from lynkrc.syntax.pattern_edges import (
    IS_ALONE,
    IS_OTHER,
    ORDINARY,
    OTHERS,
    kinds_at,
    only_with,
)
from lynkrc.syntax.pattern_shape import GAP_MAX, Ranges, complement
from lynkrc_runtime.scan.edges import ALONE, begins_alone

BOUNDED = 0
FREE = 1

ByteSet: TypeAlias = int
"""Bit b is set when byte b belongs to the set."""


def byte_set(low: int, high: int) -> ByteSet:
    """The bytes ``low..high``."""
    return (1 << (high + 1)) - (1 << low)


GAP_BYTES: ByteSet = byte_set(0x09, 0x0D) | 1 << 0x20 | 1 << 0x2D
WORD_BYTES: ByteSet = (
    byte_set(0x30, 0x39) | byte_set(0x61, 0x7A) | byte_set(0x41, 0x5A) | 1 << 0x5F
) | byte_set(0x80, 0xFF)

# The bytes of word characters that are no words by themselves.
_ORDINARY = WORD_BYTES & ~sum(1 << byte for byte in range(256) if begins_alone(byte))
# What begins one; the last byte begins nothing, so that a word can stand where no match begins.
_BEGINS_ORDINARY = _ORDINARY & ~byte_set(0x80, 0xBF) & ~(1 << 0xFF)

MAX_NODES = 200_000
"""Greatest size of an NFA; repetitions of repetitions write one out of a short entry."""


@final
class TooManyNodes(Exception):
    """The construction was given up in the entry `entry`."""

    def __init__(self, entry: int) -> None:
        super().__init__(f"over {MAX_NODES} nodes in entry {entry}")
        self.entry = entry


@final
@dataclass(slots=True)
class Nfa:
    """Edges by node; `accepts[node]` are the entries whose match ends there, as codes.

    A code is twice the entry, and one more where the match needs no word edge behind it (it ends
    with one). Entries that never need one are `free`; they have no such codes.

    `owner[node]` is the entry that made the node, for telling which entry costs most.
    """

    edges: list[list[tuple[ByteSet, int]]] = field(default_factory=lambda: [[], []])
    empty_edges: list[list[int]] = field(default_factory=lambda: [[], []])
    accepts: dict[int, list[int]] = field(default_factory=dict)
    owner: list[int] = field(default_factory=lambda: [-1, -1])
    free: list[int] = field(default_factory=list)


def build_nfa(patterns: Sequence[Pattern]) -> Nfa:
    """The NFA of all entries, numbered as they come."""
    builder = _Builder()
    for entry, pattern in enumerate(patterns):
        builder.add(entry, pattern)
    return builder.nfa


@final
class _Builder:
    __slots__ = ("_bounded", "_entry", "_shared", "_starts", "nfa")

    def __init__(self) -> None:
        self.nfa = Nfa()
        self._shared: dict[tuple[int, int | PatternNode, bool], int] = {}
        self._starts = {BOUNDED, FREE}  # and all nodes that are reached from them without a byte
        self._entry = 0
        self._bounded = True

    def add(self, entry: int, pattern: Pattern) -> None:
        self._entry = entry
        self._bounded = pattern.bounded
        root = pattern.root
        if not pattern.bounded:
            self.nfa.free.append(entry)
            self._add_options(FREE, root, 2 * entry)
            return
        if kinds_at(root, -1) == IS_ALONE:
            self.nfa.free.append(entry)
            self._add_starts(root, 2 * entry)
            return
        for option in root.options if isinstance(root, Alternation) else (root,):
            ends = kinds_at(option, -1)
            if ends == IS_OTHER:
                self._add_starts(option, 2 * entry)
            elif ends == IS_ALONE:
                self._add_starts(option, 2 * entry + 1)
            else:
                for ranges, code in ((OTHERS, 2 * entry), (ALONE, 2 * entry + 1)):
                    part = only_with(option, -1, ranges)
                    assert part is not None
                    self._add_starts(part, code)

    def _add_starts(self, root: PatternNode, code: int) -> None:
        for option in root.options if isinstance(root, Alternation) else (root,):
            starts = kinds_at(option, 0)
            if starts != IS_ALONE:
                self._add_options(BOUNDED, option, code)
            if starts != IS_OTHER:
                part = option if starts == IS_ALONE else only_with(option, 0, ALONE)
                assert part is not None
                self._add_options(FREE, part, code)

    def _add_options(self, start: int, root: PatternNode, code: int) -> None:
        for option in root.options if isinstance(root, Alternation) else (root,):
            node = start
            for item in option.items if isinstance(option, NodeSequence) else (option,):
                node = self._walk_shared(node, item)
            ended = self.nfa.accepts.setdefault(node, [])
            if code not in ended:
                ended.append(code)

    def _walk_shared(self, node: int, item: PatternNode) -> int:
        if isinstance(item, Literal):
            for byte in item.text.encode():
                node = self._share(node, byte)
            return node
        return self._share(node, item)

    def _share(self, node: int, step: int | PatternNode) -> int:
        """Where `step` leads from `node`. Only this step enters that place, so it can be shared."""
        key = node, step, self._bounded or isinstance(step, int)
        known = self._shared.get(key)
        if known is None:
            if isinstance(step, int):
                known = self._edge(node, 1 << step)
            else:
                known = self._node()
                self._jump(self._fragment(node, step), known)
            self._shared[key] = known
        return known

    def _node(self) -> int:
        if len(self.nfa.edges) == MAX_NODES:
            raise TooManyNodes(self._entry)
        self.nfa.edges.append([])
        self.nfa.empty_edges.append([])
        self.nfa.owner.append(self._entry)
        return len(self.nfa.edges) - 1

    def _edge(self, node: int, over: ByteSet, target: int | None = None) -> int:
        reached = self._node() if target is None else target
        self.nfa.edges[node].append((over, reached))
        return reached

    def _jump(self, node: int, target: int) -> None:
        self.nfa.empty_edges[node].append(target)
        if node in self._starts:
            self._starts.add(target)

    def _fragment(self, node: int, item: PatternNode) -> int:
        """Nodes and edges for one `item` from `node` on; nothing leads back to `node` itself."""
        match item:
            case Literal(text=text):
                for byte in text.encode():
                    node = self._edge(node, 1 << byte)
                return node
            case Gap():
                return self._gap(node)
            case CharClass(ranges=ranges, negated=negated):
                return self._one_of(node, complement(ranges) if negated else ranges)
            case NodeSequence(items=items):
                for part in items:
                    node = self._fragment(node, part)
                return node
            case Alternation(options=options):
                end = self._node()
                for option in options:
                    self._jump(self._fragment(node, option), end)
                return end
            case Repeat():
                return self._repeat(node, item)
            case _:
                assert_never(item)

    def _gap(self, node: int) -> int:
        end = self._node()
        for _ in range(GAP_MAX):
            node = self._edge(node, GAP_BYTES)
            self._jump(node, end)
        return end

    def _one_of(self, node: int, ranges: Ranges) -> int:
        end = self._node()
        ascii_bytes: ByteSet = 0
        # Sequences with a common lead share its edge: a class of CJK makes few nodes.
        after_lead: dict[tuple[tuple[int, int], ...], int] = {}
        for low, high in ranges:
            for sequence in byte_sequences(low, high):
                if len(sequence) == 1:
                    ascii_bytes |= byte_set(*sequence[0])
                    continue
                at = node
                for length, part in enumerate(sequence[:-1], 1):
                    known = after_lead.get(sequence[:length])
                    if known is None:
                        known = after_lead[sequence[:length]] = self._edge(at, byte_set(*part))
                    at = known
                self._edge(at, byte_set(*sequence[-1]), end)
        if ascii_bytes:
            self._edge(node, ascii_bytes, end)
        return end

    def _repeat(self, node: int, item: Repeat) -> int:
        by_bytes = self._bounded and item.high is None and item.item == ORDINARY
        for _ in range(item.low - 1 if by_bytes else item.low):
            node = self._fragment(node, item.item)
        if item.high is None:
            loop, end = self._node(), self._node()
            if by_bytes:
                # Bounded entries end before a word edge and every part begins with the first byte
                # of a character, so going by bytes cannot end inside one.
                self._edge(loop, _ORDINARY, loop)
                if item.low or node in self._starts:
                    self._edge(node, _BEGINS_ORDINARY, loop)
                if not item.low:
                    self._jump(node, end if node in self._starts else loop)
            else:
                self._jump(node, loop)
                self._jump(self._fragment(loop, item.item), loop)
            self._jump(loop, end)
            return end
        end = self._node()
        self._jump(node, end)
        for _ in range(item.high - item.low):
            node = self._fragment(node, item.item)
            self._jump(node, end)
        return end
