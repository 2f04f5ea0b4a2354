"""A graph to a Mermaid flowchart, which GitHub and GitLab draw in Markdown.

Rules that lead to the same tier one after the other are one node; Mermaid places everything.
Labels are quoted strings in which every character that may have a meaning of its own is an entity
code (https://mermaid.js.org/syntax/flowchart.html, "Entity codes to escape characters").
"""

from collections.abc import Iterator, Sequence

from lynkrc.graph.model import Graph, Group, Place, Row
from lynkrc.graph.panels import runs
from lynkrc.graph.picture import hue
from lynkrc.graph.style import LIGHT

_LONGEST = 40
"""Characters of a condition, a name or a hint; the rest is cut."""
_MOST = 12
"""Rules written out in one node; the rest are counted."""
_SAFE = frozenset(" .,-_/:()+=!?")
_CONFIG = """\
---
config:
  flowchart:
    wrappingWidth: 460
---
flowchart LR"""


def write_mermaid(graph: Graph) -> str:
    """The whole flowchart, ending in a newline."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield _CONFIG
    yield f"  accTitle: {_quiet(f'How {graph.name} routes')}"
    yield '  request(["request"])'
    for group in graph.groups:
        yield from _group(graph, group)
    yield '  subgraph tiers["tiers"]'
    yield "    direction TB"
    for step in graph.steps:
        scores = f"score {step.low} to {step.high}" if step.low <= step.high else "no score"
        yield f"    tier{step.id}[{_label([_cut(step.name), scores])}]"
    yield "  end"
    for lane in graph.lanes:
        closed = [f"closed by {', '.join(lane.closed_by)}"] if lane.closed_by else []
        yield f"  subgraph trust{lane.rank}[{_label([lane.name, *closed])}]"
        for number, target in enumerate(graph.targets):
            if target.trust == lane.rank:
                yield f"    target{number}[{_place(target)}]"
        for number, provider in enumerate(graph.providers):
            if provider.trust == lane.rank:
                yield f"    provider{number}([{_place(provider)}])"
        yield "  end"
    yield from _chains(graph)
    for number, target in enumerate(graph.targets):
        yield f"  target{number} --- provider{target.provider}"
    yield from _classes(graph)


def _group(graph: Graph, group: Group) -> Iterator[str]:
    """A group as one box, with a node a run of rows that lead to the same tier."""
    key = f"group_{group.key}"
    yield f"  subgraph {key}[{_label([group.title, group.hint])}]"
    parts = _parts(group)
    for number, rows in enumerate(parts):
        texts = [_row(row) for row in rows[:_MOST]]
        if len(rows) > _MOST:
            texts.append(f"and {len(rows) - _MOST} more")
        yield f"    {key}_{number}[{_label(texts)}]"
    if group.scores and not parts:
        yield f"    {key}_0[{_label(['points of the request'])}]"
    yield "  end"
    if not group.filters:
        yield f"  request --> {key}"
    for number, rows in enumerate(parts):
        first = rows[0]
        if first.tier is not None:
            arrow = "-->" if first.binds else "-.->"
            yield f"  {key}_{number} {arrow} tier{first.tier}"
        elif first.chain is not None:
            path = next(i for i, one in enumerate(graph.paths) if one.id == first.chain)
            for link in graph.paths[path].links:
                yield f'  {key}_{number} -->|"{link.order}"| target{link.target}'
    if group.scores:
        yield f"  {key} -.-> tiers"
    if group.filters:
        yield f"  tiers ~~~ {key}"


def _parts(group: Group) -> list[Sequence[Row]]:
    """Runs of rows that lead to one tier, each row with a chain, and all others together."""
    parts: list[Sequence[Row]] = [group.rows[first : last + 1] for first, last in runs(group)]
    parts += [(row,) for row in group.rows if row.chain is not None]
    named = group.key == "model"
    rest = [row for row in group.rows if (row.tier is None or named) and row.chain is None]
    return [*parts, rest] if rest else parts


def _row(row: Row) -> str:
    """``greetings: ask.words <= 4 (SIMPLE)``."""
    told = ", ".join(_cut(text) for text in (row.when, row.second) if text)
    return f"{_cut(row.name)}{':' if told else ''} {told} ({row.effect})"


def _chains(graph: Graph) -> Iterator[str]:
    for step, path in zip(graph.steps, graph.paths, strict=False):
        for link in path.links:
            arrow = "==>" if link.order == 1 else "-->"
            how = f" {link.how}" if link.how else ""
            yield f'  tier{step.id} {arrow}|"{_escaped(f"{link.order}{how}")}"| target{link.target}'


def _classes(graph: Graph) -> Iterator[str]:
    places = [
        *((f"target{number}", one) for number, one in enumerate(graph.targets)),
        *((f"provider{number}", one) for number, one in enumerate(graph.providers)),
    ]
    ranks = {key: place.trust for key, place in places}
    ranks |= {f"trust{lane.rank}": lane.rank for lane in graph.lanes}
    panels = ["tiers", *(f"group_{group.key}" for group in graph.groups)]
    yield f"  classDef panel fill:{LIGHT.panel},stroke:{LIGHT.line},color:{LIGHT.words}"
    yield f"  class {','.join(panels)} panel"
    for number, one in enumerate(LIGHT.hues):
        inside = [key for key, rank in ranks.items() if hue(rank, graph.classes) == f"t{number}"]
        if inside:
            yield f"  classDef t{number} fill:{one.ground},stroke:{one.line},color:{one.words}"
            yield f"  class {','.join(inside)} t{number}"


def _place(place: Place) -> str:
    return _label([_cut(place.name), _cut(place.about)])


def _label(lines: Sequence[str]) -> str:
    return f'"{"<br/>".join(_escaped(line) for line in lines)}"'


def _cut(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _escaped(text: str) -> str:
    """Text for a quoted label, on one line."""
    shown = " ".join(text.split())
    return "".join(one if one.isalnum() or one in _SAFE else f"#{ord(one)};" for one in shown)


def _quiet(text: str) -> str:
    """Text of an accessible title, which has no quotes: letters, digits and a few signs."""
    return "".join(one if one.isalnum() or one in " ._-" else " " for one in text)
