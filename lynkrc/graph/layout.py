"""A graph to a picture: columns from left to right, centred, and the edges between them.

The request, the rules by what they decide, tiers, chains, targets, providers; the last two lie in
one lane a trust class. A box lies inside its parent and touches no other box of that parent; an
edge runs between columns, never over a box. The same graph gives the same picture.
"""

from collections.abc import Iterator, Sequence

from lynkrc.graph.grid import GAP, HEAD, PAD, TOP
from lynkrc.graph.ladder import ladder_columns
from lynkrc.graph.lanes import lanes_column
from lynkrc.graph.model import Graph
from lynkrc.graph.panels import filters_column, rules_column, runs
from lynkrc.graph.picture import Box, Edge, Picture, hue, moved, shade, words

MARGIN = 20
REQUEST = 84
TO_RULES, TO_TIERS, TO_CHAINS, TO_TARGETS = 46, 74, 26, 90
"""Room for the edges between two columns, in pixels."""


def lay_out(graph: Graph) -> Picture:
    """Place everything; what is less tall than the rules is centred beside them."""
    rules = rules_column(graph, MARGIN + REQUEST + TO_RULES)
    rules_right = _right(rules)
    tiers_x = rules_right + TO_TIERS
    ladder = ladder_columns(graph, tiers_x, TO_CHAINS)
    chains_x = next(box.x for box in ladder if box.id == "path:0")
    lanes_x = _right(ladder) + TO_TARGETS
    lanes = lanes_column(graph, lanes_x)
    filters = filters_column(graph, tiers_x, _right(lanes) - tiers_x)
    below = _bottom(filters) - TOP + GAP if filters else 0
    bottom = max(_bottom(rules), max(_bottom(ladder), _bottom(lanes)) + below)
    boxes = (
        _request((TOP + bottom) // 2),
        *_lowered(rules, (bottom - _bottom(rules)) // 2),
        *_lowered(ladder, (bottom - below - _bottom(ladder)) // 2),
        *_lowered(lanes, (bottom - below - _bottom(lanes)) // 2),
        *_lowered(filters, bottom - _bottom(filters)),
    )
    right = _right(boxes)
    headings = [words(MARGIN, 36, f"How {graph.name} routes", "big", right - MARGIN)]
    for x, end, text in (
        (rules[0].x, rules_right, "RULES, BY WHAT THEY DECIDE"),
        (tiers_x, chains_x, "TIERS"),
        (chains_x, lanes_x - PAD, "CHAINS, IN THE ORDER TRIED"),
        (lanes_x, right, "TARGETS AND PROVIDERS, BY TRUST CLASS"),
    ):
        headings.append(words(x, TOP - 12, text, "column", end - x))
    return Picture(
        name=graph.name,
        about=(
            f"{len(graph.steps)} tiers, {len(graph.targets)} targets of "
            f"{len(graph.providers)} providers, in {len(graph.lanes)} trust classes"
        ),
        width=right + MARGIN,
        height=bottom + MARGIN,
        headings=tuple(headings),
        boxes=boxes,
        edges=tuple(_edges(graph, {box.id: box for box in boxes})),
    )


def _request(middle: int) -> Box:
    return Box(
        id="request",
        parent="",
        x=MARGIN,
        y=middle - 20,
        width=REQUEST,
        height=40,
        look="request",
        words=(words(MARGIN + REQUEST // 2, middle + 4, "request", "name", REQUEST, "middle"),),
        title="Any request, as the values of its features",
    )


def _right(boxes: Sequence[Box]) -> int:
    return max(box.right for box in boxes)


def _bottom(boxes: Sequence[Box]) -> int:
    """The lowest pixel of some boxes; of none, where they would begin."""
    return max((box.bottom for box in boxes), default=TOP)


def _lowered(boxes: Sequence[Box], down: int) -> Iterator[Box]:
    return (moved(box, down) for box in boxes)


def _edges(graph: Graph, boxes: dict[str, Box]) -> Iterator[Edge]:
    tiers = [boxes[f"tier:{step.id}"] for step in graph.steps]
    request = boxes["request"]
    for group in graph.groups:
        panel = boxes[f"group:{group.key}"]
        if not group.filters:
            yield _edge(request, panel, "flow", "", to_head=True)
        for first, _ in runs(group):
            row = group.rows[first]
            assert row.tier is not None
            look = f"{'sets' if row.binds else 'bounds'} {shade(row.tier, len(tiers))}"
            mark = boxes[f"run:{group.key}:{first}"]
            yield _edge(mark, tiers[row.tier], look, f"{group.title}: {row.effect}")
        if group.scores:
            for step, tier in zip(graph.steps, tiers, strict=True):
                if step.low <= step.high:
                    title = f"score {step.low} to {step.high}"
                    yield _edge(panel, tier, "scores", title, from_head=True)
        for number, row in enumerate(group.rows):
            if row.chain is not None:
                drawn = next(i for i, one in enumerate(graph.paths) if one.id == row.chain)
                source, goal = boxes[f"row:{group.key}:{number}"], boxes[f"path:{drawn}"]
                yield _edge(source, goal, "sets", f"rule {row.name}", bend=tiers[0].x)
    for number, tier in enumerate(tiers):
        yield _edge(tier, boxes[f"path:{number}"], "flow", "")
    for number, path in enumerate(graph.paths):
        for place, link in enumerate(path.links):
            box = boxes[f"link:{number}:{place}"]
            goal = boxes[f"target:{link.target}"]
            kind = "first" if link.order == 1 else "later"
            look = f"{kind} {hue(graph.targets[link.target].trust, graph.classes)}"
            yield _edge(box, goal, look, box.title)
    for number, target in enumerate(graph.targets):
        look = f"first {hue(target.trust, graph.classes)}"
        goal = boxes[f"provider:{target.provider}"]
        title = f"{target.name} is served by {graph.providers[target.provider].name}"
        yield _edge(boxes[f"target:{number}"], goal, look, title)


def _edge(
    source: Box,
    goal: Box,
    look: str,
    title: str,
    *,
    bend: int | None = None,
    from_head: bool = False,
    to_head: bool = False,
) -> Edge:
    return Edge(
        source=source.id,
        goal=goal.id,
        x1=source.right,
        y1=source.y + HEAD // 2 if from_head else source.middle,
        bend=goal.x if bend is None else bend,
        x2=goal.x,
        y2=goal.y + HEAD // 2 if to_head else goal.middle,
        look=look,
        title=title,
    )
