"""What a text must hold of each lexicon, to the pieces of text that hold it.

A piece is a sample of one entry; what else occurs in it counts towards the other lexicons. Which
entries occur is found by subset sums over their number and their weights, then pieces are repeated
until there are as many as wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.testing.sample import Walker
from lynkrc.testing.wanted import LexiconWish

_MOST_SUMS = 20_000
"""Sums that are followed before no more are."""
_MOST_REPEATS = 255

_Sums: TypeAlias = dict[tuple[int, int], tuple[int, tuple["_Piece", ...]]]
"""(entries, points) to the entries' bits and the pieces that hold them."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A text, the entries that occur in it, and how often each lexicon does."""

    text: str
    present: int
    counts: tuple[int, ...]


@final
class _Tally:
    """What all pieces so far hold together."""

    def __init__(self, lexicons: int) -> None:
        self.pieces: list[_Piece] = []
        self.present = 0
        self.counts = [0] * lexicons

    def add(self, piece: _Piece) -> None:
        self.pieces.append(piece)
        self.present |= piece.present
        self.counts = [a + b for a, b in zip(self.counts, piece.counts, strict=True)]


def forbidden_in(walker: Walker, wishes: Sequence[LexiconWish]) -> int:
    """The entries of lexicons that may not occur at all, as bits."""
    bits = 0
    for wish in wishes:
        if wish.count.most == 0 or wish.distinct.most == 0:
            bits |= walker.mask(wish.number)
    return bits


def watched_in(walker: Walker, wishes: Sequence[LexiconWish]) -> int:
    """The entries of all lexicons with a wish, as bits: fillers must hold none of them."""
    bits = 0
    for wish in wishes:
        bits |= walker.mask(wish.number)
    return bits


def fragments_for(walker: Walker, wishes: Sequence[LexiconWish]) -> list[str]:
    """Pieces that fulfil the wishes as far as they can be, each free of what is forbidden."""
    forbidden = forbidden_in(walker, wishes)
    tally = _Tally(len(walker.lexicons))
    open_wishes = [wish for wish in wishes if not walker.mask(wish.number) & forbidden]
    offers = {wish.number: _offers(walker, wish, forbidden, open_wishes) for wish in open_wishes}
    for wish in sorted(open_wishes, key=lambda wish: -_side_effects(offers[wish.number], wish)):
        _fulfil(walker, wish, open_wishes, offers[wish.number], tally)
    return [piece.text for piece in tally.pieces]


def _offers(
    walker: Walker, wish: LexiconWish, forbidden: int, wishes: Sequence[LexiconWish]
) -> list[_Piece]:
    """A piece for each entry that can occur, those first that do least beside, then plain ones."""
    lexicon = walker.lexicons[wish.number]
    pieces: dict[str, _Piece] = {}
    for entry in range(lexicon.first, lexicon.first + len(lexicon.entries)):
        text = walker.sample(entry, forbidden)
        if text is not None and text not in pieces:
            pieces[text] = _Piece(
                text=text, present=walker.present(text), counts=walker.counts(text)
            )
    others = [one.number for one in wishes if one.number != wish.number]
    return sorted(
        pieces.values(),
        key=lambda piece: (
            sum(piece.counts[number] for number in others),
            not piece.text.isascii(),
            len(piece.text.split()),
            len(piece.text),
        ),
    )


def _side_effects(pieces: Sequence[_Piece], wish: LexiconWish) -> int:
    return sum(pieces[0].counts) - pieces[0].counts[wish.number] if pieces else 0


def _fulfil(
    walker: Walker,
    wish: LexiconWish,
    wishes: Sequence[LexiconWish],
    offers: Sequence[_Piece],
    tally: _Tally,
) -> None:
    number = wish.number
    fits = [piece for piece in offers if _fits(piece, wishes, tally)] or list(offers)
    mask = walker.mask(number)
    bound = wish.distinct.least is not None or wish.distinct.most is not None
    bound = bound or wish.points.least is not None or wish.points.most is not None
    if bound:
        for piece in _chosen(walker, wish, fits, tally.present & mask):
            tally.add(piece)
    least = min(wish.count.least or 0, _MOST_REPEATS)
    while tally.counts[number] < least:
        again = [
            piece
            for piece in fits
            if piece.counts[number] <= least - tally.counts[number]
            and not (bound and piece.present & mask & ~tally.present)
            and _fits(piece, wishes, tally)
        ]
        if not again:
            return
        tally.add(again[0])


def _fits(piece: _Piece, wishes: Sequence[LexiconWish], tally: _Tally) -> bool:
    """Whether no lexicon occurs too often with the piece."""
    return all(
        wish.count.most is None
        or not piece.counts[wish.number]
        or tally.counts[wish.number] + piece.counts[wish.number] <= wish.count.most
        for wish in wishes
    )


def _chosen(
    walker: Walker, wish: LexiconWish, offers: Sequence[_Piece], there: int
) -> tuple[_Piece, ...]:
    """Pieces whose entries, with those already there, are as many and weigh as much as wanted."""
    mask = walker.mask(wish.number)
    start = (there.bit_count(), _weight(walker, wish.number, there))
    sums: _Sums = {start: (there, ())}
    if _is_goal(wish, start):
        return ()
    for piece in offers:
        for bits, pieces in list(sums.values()):
            added = piece.present & mask & ~bits
            after = bits | added
            key = (after.bit_count(), _weight(walker, wish.number, after))
            if not added or key in sums:
                continue
            sums[key] = (after, (*pieces, piece))
            if _is_goal(wish, key):
                return sums[key][1]
        if len(sums) > _MOST_SUMS:
            break
    return ()


def _is_goal(wish: LexiconWish, key: tuple[int, int]) -> bool:
    entries, points = key
    least = 1 if wish.count.least else 0
    if entries < least or (wish.count.most is not None and entries > wish.count.most):
        return False
    return wish.distinct.allows(entries) and wish.points.allows(points)


def _weight(walker: Walker, number: int, bits: int) -> int:
    """The weights of the entries, in 1/64."""
    lexicon = walker.lexicons[number]
    bits >>= lexicon.first
    return sum(entry.weight64 for place, entry in enumerate(lexicon.entries) if bits >> place & 1)
