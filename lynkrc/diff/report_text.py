"""A plan to text for a terminal, at most 100 columns wide: the verdict, what moves, and why.

As much as a screen or two hold, the gravest first; what is left out is counted. Only the lines of
the route tables may be three columns wider, by their sign and indentation.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.diagnostics.wording import printable
from lynkrc.diff.plan import Category, Change, Group, Plan
from lynkrc.diff.replayed import Move, Replay
from lynkrc.diff.words import (
    CATEGORY_WORDS,
    INTERVALS,
    SIGNS,
    costs,
    counts,
    cut,
    example,
    headline,
    item_words,
    not_built,
    others,
    percent,
    relation_words,
    replay_words,
    share_words,
    table_difference,
    title,
    way,
    ways,
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


def render_plan(
    plan: Plan,
    *,
    colour: bool = False,
    columns: int | None = None,
    whole: bool = False,
    verbose: bool = False,
) -> str:
    """The report, ending in a newline.

    `columns` is the width of the screen, None where there is none. `whole` shows every difference
    with all its ways, and the route tables; `verbose` the requests.
    """
    pen = _Pen(colour, max(_NARROWEST, min(WIDTH, columns or WIDTH)))
    return "\n".join(_lines(plan, pen, whole=whole, verbose=verbose)) + "\n"


def render_replay(
    heading: str, replay: Replay, *, colour: bool = False, columns: int | None = None
) -> str:
    """What a log says of a change, below its heading, ending in a newline."""
    pen = _Pen(colour, max(_NARROWEST, min(WIDTH, columns or WIDTH)))
    return "".join(f"{line}\n" for line in _replay(replay, pen, heading))


def _lines(plan: Plan, pen: _Pen, *, whole: bool, verbose: bool) -> Iterator[str]:
    for sign, spec in (("-", plan.old), ("+", plan.new)):
        tint = _RED if sign == "-" else _GREEN
        label = printable(cut(spec.label))
        yield from _wrapped(f"{sign} ", f"{label}  (meaning {spec.digest[:16]})", pen, tint)
    yield ""
    yield pen.paint(_BOLD, headline(plan) + ".")
    if plan.categories:
        yield from _wrapped("  found     ", counts(plan), pen)
    if not plan.same_meaning or plan.relation is not None:
        yield from _wrapped("  attempts  ", relation_words(plan), pen)
    if plan.cost_before is not None or plan.cost_after is not None:
        yield f"  dearest   {costs(plan.cost_before, plan.cost_after)} for one request at worst"
    for reason in plan.unknown:
        yield from _wrapped("  not proved  ", printable(reason), pen)
    yield from _differences(plan, pen, whole=whole, verbose=verbose)
    told = {item for group in plan.groups for item in group.leader.items}
    parts = [item for item in plan.items if whole or item not in told]
    if parts:
        yield ""
        words = "Parts that changed" if whole or not told else "Other parts that changed"
        yield pen.paint(_BOLD, words)
        for item in parts if whole else parts[:_ITEMS]:
            tint = {"+": _GREEN, "-": _RED, "~": _YELLOW}[SIGNS[item.change]]
            sign, _, text = printable(item_words(item)).partition(" ")
            yield from _wrapped(f"  {sign} ", text, pen, tint)
        if not whole and len(parts) > _ITEMS:
            yield f"  ... and {len(parts) - _ITEMS} more: --all shows them"
    if plan.replay is not None:
        yield ""
        yield from _replay(plan.replay, pen)
    difference = table_difference(plan)
    if difference and whole:
        yield ""
        yield pen.paint(_BOLD, "Route table")
        for line in difference:
            tint = {"+": _GREEN, "-": _RED, "@": _CYAN}.get(line[:1], "")
            yield "  " + pen.paint(tint, line)
    hints = [] if whole or not plan.regions else ["--all shows every way and the route tables"]
    if not verbose and any(group.leader.witness.request for group in plan.groups):
        hints.append("--verbose the requests")
    if hints:
        yield ""
        yield pen.paint(_DIM, ", ".join(hints))


_LINES = 40
"""Of differences, after which no further one is begun."""
_WAYS = 3
_ITEMS = 8
_BECAUSE = 3


def _differences(plan: Plan, pen: _Pen, *, whole: bool, verbose: bool) -> Iterator[str]:
    """The differences by category, and how many of them are left out."""
    lines, left = 0, dict[Category, int]()
    for category in Category:
        blocks = [
            list(_group(group, pen, whole=whole, verbose=verbose))
            for group in plan.groups
            if group.leader.category is category
        ]
        blocks += [list(_change(one, pen)) for one in plan.others if one.category is category]
        for number, block in enumerate(blocks):
            if not whole and lines + len(block) > _LINES and lines:
                left[category] = len(blocks) - number
                break
            if not number:
                yield ""
                name = pen.paint(_TINTS[category], category.value.upper())
                yield f"{name}  {CATEGORY_WORDS[category]}"
                lines += 2
            yield from block
            lines += len(block)
    if left:
        yield ""
        named = ", ".join(f"{count} {category.value}" for category, count in left.items())
        yield f"... and {sum(left.values())} more ({named}): --all shows them"


def _group(group: Group, pen: _Pen, *, whole: bool, verbose: bool) -> Iterator[str]:
    region = group.leader
    yield from _wrapped("  * ", printable(title(group)), pen, _BOLD)
    if not title(group).endswith(way(region)):
        yield from _wrapped("      way      ", printable(cut(way(region))), pen)
    also = ways(group)
    for number, text in enumerate(also if whole else also[:_WAYS]):
        yield from _wrapped(f"      {'also' if not number else '':<9}", printable(cut(text)), pen)
    if not whole and len(also) > _WAYS:
        yield f"               and {others(len(also) - _WAYS, 'way')}"
    items = region.items if whole else region.items[:_BECAUSE]
    for number, item in enumerate(items):
        lead = "because" if not number else ""
        yield from _wrapped(f"      {lead:<9}", printable(item_words(item)), pen)
    if len(region.items) > len(items):
        yield f"               and {others(len(region.items) - len(items), 'part')}"
    if region.before.cost != region.after.cost:
        yield f"      cost     {costs(region.before.cost, region.after.cost)} at worst"
    yield from _wrapped("      example  ", printable(example(region, whole=whole)), pen)
    if not_built(region):
        yield from _wrapped("               ", printable(not_built(region)), pen)
    request = region.witness.request
    if request is not None and verbose:
        for line in (*request.curl.splitlines(), "", *request.test.splitlines()):
            yield ("               " + printable(line)).rstrip()


def _change(change: Change, pen: _Pen) -> Iterator[str]:
    sign, _, words = printable(item_words(change.item)).partition(" ")
    yield from _wrapped(f"  {sign} ", words, pen, _BOLD)
    yield from _wrapped("      ", change.words, pen)


def _replay(replay: Replay, pen: _Pen, heading: str = "Logged traffic") -> Iterator[str]:
    yield pen.paint(_BOLD, heading)
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
