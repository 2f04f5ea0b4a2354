"""A trace to text for a terminal: the answer first, then what led to it, within 100 columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, final

from lynkrc.tracing.view import Addend, Chain, Excerpt, Feature, Rule, short, view_of

WIDTH = 100
_NARROWEST = 40

_RESET = "\x1b[0m"
_HEADING, _GOOD, _BAD, _FAINT, _MATCH = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[1;33m"


def render_trace(
    trace: Mapping[str, Any], *, colour: bool = False, columns: int | None = None
) -> str:
    """The text of a trace that holds a decision; each line ends with ``\\n``.

    `columns` is the width of the screen, None where there is none.
    """
    view = view_of(trace)
    page = _Page(colour=colour, width=max(_NARROWEST, min(WIDTH, columns or WIDTH)))
    lines: list[str] = []
    for label, words in view.facts:
        lines += page.entry(f"{label:<10}", words, style=_HEADING if label == "outcome" else "")
    if view.addends or view.total:
        lines += page.section("score", _score(page, view.addends, view.total))
    if view.steps:
        lines += page.section(
            "tier", (line for step in view.steps for line in page.entry("  ", step))
        )
    if view.chains:
        chains = [line for chain in view.chains for line in _chain(page, chain)]
        order = page.entry("  tried in this order: ", view.order) if view.order else []
        kept = page.entry("  session: ", view.session) if view.session else []
        lines += page.section("chain", [*chains, *order, *kept])
    if view.rules:
        matched = sum(rule.matched for rule in view.rules)
        title = f"rules: {matched} of {len(view.rules)} matched"
        lines += page.section(title, (line for rule in view.rules for line in _rule(page, rule)))
    left_out = f" ({view.zeros} {'is' if view.zeros == 1 else 'are'} zero)" if view.zeros else ""
    lines += page.section(f"features of the request{left_out}", _features(page, view.features))
    return "\n".join(lines) + "\n"


@final
class _Page:
    """Lines of one width, coloured or not."""

    def __init__(self, *, colour: bool, width: int) -> None:
        self._colour = colour
        self.width = width

    def styled(self, style: str, text: str) -> str:
        """The text in a style, where there are any."""
        return f"{style}{text}{_RESET}" if self._colour and style and text else text

    def entry(self, head: str, text: str, *, style: str = "", head_style: str = "") -> list[str]:
        """The head, and the text beside it in as many lines as it needs.

        The head must leave room for some text.
        """
        room = self.width - len(head)
        first, *rest = wrap(text, room, break_on_hyphens=False) or [""]
        start = self.styled(head_style, head) + self.styled(style, first)
        margin = " " * len(head)
        return [start.rstrip(), *(margin + self.styled(style, line) for line in rest)]

    def section(self, title: str, lines: Iterable[str]) -> list[str]:
        """A heading with an empty line before it, and what it is about."""
        return ["", self.styled(_HEADING, title), *lines]


def _score(page: _Page, addends: Sequence[Addend], total: str) -> Iterator[str]:
    """The addends with their points below each other, the decimal points in one column."""
    names = min(28, max((len(addend.name) for addend in addends), default=0))
    wholes = max((len(addend.points.partition(".")[0]) for addend in addends), default=0)
    numbers = max((len(_aligned(addend.points, wholes)) for addend in addends), default=0)
    for addend in addends:
        head = f"  {_aligned(addend.points, wholes):<{numbers}}  {addend.name:<{names}}  "
        if len(addend.name) > names:
            yield head.rstrip()
            head = " " * (numbers + names + 6)
        yield from page.entry(head, addend.how)
    yield from page.entry("  = ", total)


def _aligned(points: str, wholes: int) -> str:
    whole, dot, rest = points.partition(".")
    return f"{whole:>{wholes}}{dot}{rest}"


def _rule(page: _Page, rule: Rule) -> Iterator[str]:
    head = "  yes  " if rule.matched else "  no   "
    words = [*rule.did]
    if rule.matched:
        words += [f"{effect} (changed nothing)" for effect in rule.changed_nothing]
    did = f": {', '.join(words)}" if words else ""
    style = _GOOD if rule.matched else _FAINT
    yield from page.entry(head, rule.name + did, head_style=style)
    if [atom.text for atom in rule.atoms] != [rule.when]:
        yield from page.entry("       when ", rule.when, style=_FAINT)
    for atom in rule.atoms:
        truth = "true " if atom.holds else "false"
        head, style = f"         {truth} ", _GOOD if atom.holds else _BAD
        one_line = f"{atom.short}  [{atom.values}]"
        if atom.values and len(head) + len(one_line) <= page.width:
            yield from page.entry(head, one_line, head_style=style)
            continue
        yield from page.entry(head, atom.short, head_style=style)
        if atom.values:
            yield from page.entry(" " * (len(head) + 2), f"[{atom.values}]", style=_FAINT)


def _chain(page: _Page, chain: Chain) -> Iterator[str]:
    yield from page.entry("  ", f"{chain.name} ({chain.why})")
    for target in chain.targets:
        if target.dropped_by:
            why = f"{target.name}: {', '.join(target.dropped_by)}"
            yield from page.entry("    dropped  ", why, head_style=_BAD)
        else:
            yield from page.entry("    kept     ", target.name, head_style=_GOOD)


def _features(page: _Page, features: Sequence[Feature]) -> Iterator[str]:
    width = min(40, max((len(feature.name) for feature in features), default=0))
    values = min(16, max((len(feature.shown) for feature in features), default=0))
    for feature in features:
        head = f"  {feature.name:<{width}}  "
        if len(feature.name) > width:
            yield from page.entry("  ", feature.name)
            head = " " * (width + 4)
        # Values stand right in their column.
        room = max(0, values - len(feature.shown))
        yield from page.entry(head + " " * room, feature.shown)
        for pattern in feature.patterns:
            times = f" x{pattern.times}" if pattern.times > 1 else ""
            yield from page.entry("      ", f"{short(pattern.text)}{times}")
            for place in pattern.places:
                yield _excerpt_line(page, place)


def _excerpt_line(page: _Page, excerpt: Excerpt) -> str:
    """A match in its text on one line: what does not fit is cut around it."""
    head = f"        {excerpt.place:>11}  "
    room = page.width - len(head)
    match = excerpt.match
    if len(match) > room:
        match = match[: room - 3] + "..."
    room -= len(match)
    before = excerpt.before[-(room // 2) :] if room // 2 else ""
    after = excerpt.after[: room - len(before)]
    line = head + before + page.styled(_MATCH, match) + after
    return line.rstrip()
