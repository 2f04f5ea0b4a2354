"""A plan to Markdown for a pull request: verdict and counts first, the rest folded, all bounded.

Whatever a spec or a log says is escaped: it stands in `<code>` or in a fence that it cannot close.
"""

import re
from collections.abc import Iterator, Sequence

from lynkrc.diagnostics.markdown import code, prose
from lynkrc.diagnostics.wording import printable
from lynkrc.diff.plan import Category, Change, Group, Plan
from lynkrc.diff.replayed import Move, Replay
from lynkrc.diff.words import (
    CATEGORY_WORDS,
    INTERVALS,
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
    side_words,
    table_difference,
    title,
    ways,
)

LIMIT = 60_000
"""Characters of a report: a comment on a pull request holds not many more."""
_RESERVED = 400
"""Of these, for saying what was cut."""
_MOVES = 20
_WAYS = 10
_TICKS = re.compile("`+")


def render_markdown(plan: Plan) -> str:
    """The whole report, ending in a newline, of at most `LIMIT` characters."""
    parts = ["\n\n".join(_head(plan))]
    size = len(parts[0])
    cut_off: dict[str, int] = {}
    for name, text in _blocks(plan):
        if size + len(text) + 2 > LIMIT - _RESERVED:
            cut_off[name] = cut_off.get(name, 0) + 1
        else:
            parts.append(text)
            size += len(text) + 2
    if cut_off:
        names = ", ".join(f"{count} {name}" for name, count in cut_off.items())
        parts.append(f"**Cut here:** {names} did not fit; `lynkrc diff --all` shows them.")
    return "\n\n".join(parts) + "\n"


def _head(plan: Plan) -> Iterator[str]:
    yield f"## Routing plan: {headline(plan).lower()}"
    old, new = (code(cut(spec.label)) for spec in (plan.old, plan.new))
    yield (
        f"{old} (meaning <code>{plan.old.digest[:16]}</code>) to "
        f"{new} (meaning <code>{plan.new.digest[:16]}</code>)"
    )
    word, _, rest = relation_words(plan).partition(":")
    yield f"Attempts: **{word}**,{rest}."
    if plan.unknown:
        reasons = "; ".join(prose(cut(reason)) for reason in plan.unknown[:5])
        yield f"> **Not proved:** {reasons}. What was not decided may be of any category."
    rows = ["| category | differences | what it says |", "| --- | ---: | --- |"]
    for category in Category:
        count = plan.count(category)
        name = f"**{category.value}**" if count else category.value
        rows.append(f"| {name} | {count} | {CATEGORY_WORDS[category]} |")
    yield "\n".join(rows)
    if plan.cost_before is not None or plan.cost_after is not None:
        yield f"Dearest request possible: {prose(costs(plan.cost_before, plan.cost_after))}."


def _blocks(plan: Plan) -> Iterator[tuple[str, str]]:
    """Name and text of each part, the most important ones first."""
    if plan.replay is not None:
        yield "table of logged traffic", replay_section("Logged traffic", plan.replay)
    for category in Category:
        groups = [one for one in plan.groups if one.leader.category is category]
        yield from (("differences", _group(one)) for one in groups)
        changes = [one for one in plan.others if one.category is category]
        yield from (("differences", _change(one)) for one in changes)
    if plan.items:
        lines = "\n".join(f"- {code(item_words(item))}" for item in plan.items)
        yield "list of changed parts", _details(f"Parts that changed ({len(plan.items)})", lines)
    difference = table_difference(plan)
    if difference:
        yield "route table difference", _details("Route table", _fenced(difference, "diff"))
    yield "summary", f"Plan: {counts(plan)}."


def _group(group: Group) -> str:
    region = group.leader
    rows = [
        ("before", code(side_words(region.before))),
        ("after", code(side_words(region.after))),
        ("worst case", prose(costs(region.before.cost, region.after.cost))),
    ]
    also = ways(group)
    if also:
        more = [f"and {others(len(also) - _WAYS, 'way')}"] if len(also) > _WAYS else []
        shown = [code(cut(text)) for text in also[:_WAYS]]
        rows.append(("also", "<br>".join([*shown, *more])))
    if len(region.rules) > 1:
        rows.append(("rules", code(", ".join(region.rules))))
    if region.items:
        rows.append(("because", "<br>".join(code(item_words(item)) for item in region.items)))
    rows.append(("example", code(example(region))))
    if not_built(region):
        rows.append(("request", prose(not_built(region))))
    table = ["| | |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in rows)]
    body = "\n".join(table)
    request = region.witness.request
    if request is not None:
        body += "\n\nSend it:\n\n" + _fenced(request.curl.splitlines(), "sh")
        body += "\n\nTest it:\n\n" + _fenced(request.test.splitlines(), "yaml")
    return _details(f"<b>{region.category.value}</b>: {code(title(group))}", body)


def _change(change: Change) -> str:
    return f"- **{change.category.value}**: {code(item_words(change.item))}: {prose(change.words)}"


def replay_section(heading: str, replay: Replay) -> str:
    """What a log says of a change, as a section without a line end."""
    parts = [f"### {prose(heading)}"]
    parts.append("\n".join(f"- {prose(line)}" for line in replay_words(replay)))
    for name, moves in (("tier", replay.tiers), ("first target", replay.targets)):
        if moves:
            parts.append(_moves(name, moves, replay.replayed))
    if replay.replayed:
        parts.append(f"<sub>{INTERVALS}</sub>")
    return "\n\n".join(parts)


def _moves(name: str, moves: Sequence[Move], total: int) -> str:
    ranked = sorted(moves, key=lambda one: one.before == one.after)
    rows = [f"| {name} | requests | share | 95 % confidence |", "| --- | ---: | ---: | --- |"]
    for one in ranked[:_MOVES]:
        way = f"{one.before} => {one.after}"
        text = f"{code(one.before)} stays" if one.before == one.after else code(way)
        share = percent(one.count, total)
        rows.append(f"| {text} | {one.count:,} | {share} | {share_words(one.share)} |")
    if len(ranked) > _MOVES:
        left = sum(one.count for one in ranked[_MOVES:])
        rows.append(f"| {len(ranked) - _MOVES} more | {left:,} | {percent(left, total)} | |")
    return "\n".join(rows)


def _details(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _fenced(lines: Sequence[str], language: str) -> str:
    """Lines in a fence longer than any run of back-quotes in them."""
    text = "\n".join(printable(line) for line in lines)
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
