"""A plan to text for a terminal, at most 100 columns wide: the verdict, what moves, and why.

Only the lines of the route tables may be three columns wider, by their sign and indentation.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.diagnostics.wording import printable
from lynkrc.diff.plan import Category, Change, Plan, Region
from lynkrc.diff.replayed import Move, Replay
from lynkrc.diff.words import (
    CATEGORY_WORDS,
    INTERVALS,
    SIGNS,
    counts,
    cut,
    headline,
    item_words,
    percent,
    relation_words,
    replay_words,
    share_words,
    side_words,
    table_difference,
    title,
    usd,
)

WIDTH = 100
_NARROWEST = 40
_RESET, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_RED, _GREEN, _YELLOW, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
_TINTS = {
    Category.PRIVACY: _BOLD + _RED,
    Category.OUTCOME: _BOLD + _YELLOW,
    Category.COST: _BOLD + _YELLOW,
    Category.CHAIN: _BOLD + _CYAN,
    Category.COSMETIC: _DIM,
}
_MOVES = 12
"""Rows of one table of moves."""


@final
@dataclass(frozen=True, slots=True)
class _Pen:
    colour: bool
    width: int

    def paint(self, tint: str, text: str) -> str:
        return f"{tint}{text}{_RESET}" if self.colour and tint else text


def render_plan(plan: Plan, *, colour: bool = False, columns: int | None = None) -> str:
    """The whole report, ending in a newline.

    `columns` is the width of the screen, None where there is none.
    """
    width = max(_NARROWEST, min(WIDTH, columns or WIDTH))
    return "\n".join(_lines(plan, _Pen(colour, width))) + "\n"


def _lines(plan: Plan, pen: _Pen) -> Iterator[str]:
    for sign, spec in (("-", plan.old), ("+", plan.new)):
        tint = _RED if sign == "-" else _GREEN
        label = printable(cut(spec.label))
        yield from _wrapped(f"{sign} ", f"{label}  (meaning {spec.digest[:16]})", pen, tint)
    yield ""
    yield pen.paint(_BOLD, headline(plan) + ".")
    if not plan.same_meaning or plan.relation is not None:
        yield from _wrapped("  attempts  ", relation_words(plan), pen)
    for reason in plan.unknown:
        yield from _wrapped("  not proved  ", printable(reason), pen)
    for category in Category:
        yield from _category(plan, category, pen)
    if plan.items:
        yield ""
        yield pen.paint(_BOLD, "Parts that changed")
        for item in plan.items:
            tint = {"+": _GREEN, "-": _RED, "~": _YELLOW}[SIGNS[item.change]]
            sign, _, words = printable(item_words(item)).partition(" ")
            yield from _wrapped(f"  {sign} ", words, pen, tint)
    if plan.cost_before is not None or plan.cost_after is not None:
        yield ""
        costs = f"{usd(plan.cost_before)} => {usd(plan.cost_after)}"
        yield f"{pen.paint(_BOLD, 'Dearest request possible')}  {costs}"
    if plan.replay is not None:
        yield ""
        yield from _replay(plan.replay, pen)
    difference = table_difference(plan)
    if difference:
        yield ""
        yield pen.paint(_BOLD, "Route table")
        for line in difference:
            tint = {"+": _GREEN, "-": _RED, "@": _CYAN}.get(line[:1], "")
            yield "  " + pen.paint(tint, line)
    yield ""
    yield pen.paint(_BOLD, "Plan:") + f" {counts(plan)}."


def _category(plan: Plan, category: Category, pen: _Pen) -> Iterator[str]:
    regions = [one for one in plan.regions if one.category is category]
    changes = [one for one in plan.changes if one.category is category]
    if not regions and not changes:
        return
    yield ""
    name = pen.paint(_TINTS[category], category.value.upper())
    yield f"{name}  {CATEGORY_WORDS[category]}"
    for region in regions:
        yield from _region(region, pen)
    for change in changes:
        yield from _change(change, pen)


def _region(region: Region, pen: _Pen) -> Iterator[str]:
    yield ""
    yield from _wrapped("  * ", printable(title(region)), pen, _BOLD)
    yield from _wrapped("      before   ", printable(side_words(region.before)), pen)
    yield from _wrapped("      after    ", printable(side_words(region.after)), pen)
    if len(region.rules) > 1:
        yield from _wrapped("      rules    ", printable(", ".join(region.rules)), pen)
    for index, item in enumerate(region.items):
        lead = "because" if index == 0 else ""
        yield from _wrapped(f"      {lead:<9}", printable(item_words(item)), pen)
    if region.before.cost != region.after.cost:
        costs = f"{usd(region.before.cost)} => {usd(region.after.cost)} at worst"
        yield from _wrapped("      cost     ", costs, pen)
    yield from _wrapped("      example  ", printable(example(region)), pen)
    if region.witness.request is not None:
        for line in region.witness.request.curl.splitlines():
            yield "               " + printable(line)


def example(region: Region) -> str:
    """The witness in words."""
    pairs = ", ".join(f"{name} = {value}" for name, value in region.witness.features)
    return pairs or "an empty request"


def _change(change: Change, pen: _Pen) -> Iterator[str]:
    yield ""
    sign, _, words = printable(item_words(change.item)).partition(" ")
    yield from _wrapped(f"  {sign} ", words, pen, _BOLD)
    yield from _wrapped("      ", change.words, pen)


def _replay(replay: Replay, pen: _Pen) -> Iterator[str]:
    yield pen.paint(_BOLD, "Logged traffic")
    for line in replay_words(replay):
        yield from _wrapped("  ", printable(line), pen, hang=2)
    for name, moves in (
        ("outcome", replay.outcomes),
        ("tier", replay.tiers),
        ("first target", replay.targets),
    ):
        if moves:
            yield ""
            yield from _moves(name, moves, replay.replayed)
    if replay.replayed:
        yield ""
        yield from _wrapped("  ", INTERVALS, pen)


def _moves(name: str, moves: Sequence[Move], total: int) -> Iterator[str]:
    """Who moves first, then who stays."""
    ranked = sorted(moves, key=lambda one: one.before == one.after)
    shown = ranked[:_MOVES]
    texts = [printable(f"{one.before} => {one.after}") for one in shown]
    width = min(50, max(len(name), *map(len, texts)))
    yield f"  {name:<{width}}   requests    share   95 % confidence"
    for one, text in zip(shown, texts, strict=True):
        stays = "   stays" if one.before == one.after else ""
        share = percent(one.count, total)
        yield f"  {text:<{width}}  {one.count:>9,}  {share:>7}   {share_words(one.share)}{stays}"
    if len(ranked) > _MOVES:
        left = sum(one.count for one in ranked[_MOVES:])
        yield f"  ... and {len(ranked) - _MOVES} more kinds of {left:,} requests"


def _wrapped(
    lead: str, text: str, pen: _Pen, tint: str = "", *, hang: int | None = None
) -> Iterator[str]:
    """Lines of a text behind a lead, those after the first indented to stand below it."""
    indent = " " * (len(lead) if hang is None else len(lead) + hang)
    lines = textwrap.wrap(
        text,
        pen.width,
        initial_indent=lead,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=True,
    )
    for line in lines or [lead.rstrip()]:
        yield pen.paint(tint, line)
