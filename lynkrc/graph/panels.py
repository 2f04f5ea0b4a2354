"""The rules of a picture: a panel a group, a line a row, chips for its effect.

Panels are placed from `TOP` down and know nothing of the other columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lynkrc.graph.grid import GAP, HEAD, LINE, PAD, TOP, head_words
from lynkrc.graph.model import Graph, Group, Row
from lynkrc.graph.picture import Box, hue, shade, widest, words

SECOND = 16
"""What a row's second line adds to it."""
BRACKET = 5
"""Width of the mark that joins rows that lead to the same tier."""

_NAME, _WHEN, _EFFECT = 170, 236, 140
"""The most room for words, in pixels."""


def rules_column(graph: Graph, x: int) -> list[Box]:
    """The groups that choose a tier or chain, or end the request."""
    return _panels(graph, [group for group in graph.groups if not group.filters], x, 0)


def filters_column(graph: Graph, x: int, wide: int) -> list[Box]:
    """The groups that drop or reorder the targets of a chain, at least `wide` pixels wide."""
    return _panels(graph, [group for group in graph.groups if group.filters], x, wide)


def _panels(graph: Graph, groups: Sequence[Group], x: int, least: int) -> list[Box]:
    """A panel a group, a line a row, a chip for its effect."""
    rows = [row for group in groups for row in group.rows]
    name = widest([row.name for row in rows], "name", 60, _NAME)
    when = widest([row.when for row in rows], "mono", 120, _WHEN)
    effect = widest([row.effect for row in rows], "chip", 60, _EFFECT)
    wide = max(least, PAD + name + PAD + when + PAD + effect + 3 * PAD + BRACKET + 8)
    boxes: list[Box] = []
    y = TOP
    for group in groups:
        panel = f"group:{group.key}"
        inside: list[Box] = []
        bottom = y + HEAD
        for number, row in enumerate(group.rows):
            height = LINE + (SECOND if row.second else 0)
            inside += _row(
                graph,
                row,
                Box(
                    id=f"row:{group.key}:{number}",
                    parent=panel,
                    x=x + 4,
                    y=bottom,
                    width=wide - BRACKET - 8,
                    height=height,
                    look="row noted" if row.note else "row",
                ),
                name,
            )
            bottom += height + 1
        bottom += 4 if group.rows else 0
        boxes.append(
            Box(
                id=panel,
                parent="",
                x=x,
                y=y,
                width=wide,
                height=bottom - y,
                look="panel",
                words=head_words(x, y, wide, group.title, group.hint),
                title=f"{group.title}: {group.hint}",
            )
        )
        boxes += inside
        boxes += _brackets(graph, group, inside, panel)
        y = bottom + GAP
    return boxes


def _row(graph: Graph, row: Row, box: Box, name_room: int) -> list[Box]:
    """The row's box, and in it the chips of its effect."""
    when_x = box.x + PAD + name_room + PAD
    chips = _chips(graph, row, box, when_x)
    end = chips[-1].x - PAD
    lines = [
        words(box.x + PAD, box.y + 15, row.name, "name", name_room),
        words(when_x, box.y + 15, row.when, "mono", end - when_x),
        words(when_x, box.y + 15 + SECOND, row.second, "mono", box.right - PAD - when_x),
    ]
    title = "\n".join(filter(None, (row.name, row.when, row.second, row.effect, row.note)))
    return [replace(box, words=tuple(line for line in lines if line.text), title=title), *chips]


def _chips(graph: Graph, row: Row, box: Box, when_x: int) -> list[Box]:
    """One chip a kept target where they leave room for the condition, else one with words."""
    shown = [(graph.targets[kept].name, graph.targets[kept].trust) for kept in row.kept]
    chips: list[Box] = []
    right = box.right - PAD
    for name, trust in reversed(shown):
        chips.append(_chip(box, len(chips), right, name, hue(trust, graph.classes)))
        right = chips[-1].x - 4
    if chips and right - when_x >= (box.right - when_x) * 3 // 5:
        return chips
    look = "plain"
    if row.tier is not None:
        look = shade(row.tier, len(graph.steps))
    elif row.target is not None:
        look = hue(graph.targets[row.target].trust, graph.classes)
    return [_chip(box, 0, box.right - PAD, row.effect, look)]


def _chip(box: Box, number: int, right: int, text: str, look: str) -> Box:
    """A chip in a row's first line that ends at `right`."""
    shown = words(0, box.y + 15, text, "chip", _EFFECT)
    middle = right - PAD - shown.width // 2
    return Box(
        id=f"{box.id}:{number}",
        parent=box.id,
        x=right - shown.width - 2 * PAD,
        y=box.y + 2,
        width=shown.width + 2 * PAD,
        height=LINE - 4,
        look=f"chip {look}",
        words=(replace(shown, x=middle, anchor="middle"),),
    )


def _brackets(graph: Graph, group: Group, boxes: Sequence[Box], panel: str) -> Iterator[Box]:
    """A mark at the right of each run of rows that lead to the same tier."""
    places = {box.id: box for box in boxes}
    for first, last in runs(group):
        top = places[f"row:{group.key}:{first}"]
        bottom = places[f"row:{group.key}:{last}"]
        tier = group.rows[first].tier
        assert tier is not None
        yield Box(
            id=f"run:{group.key}:{first}",
            parent=panel,
            x=top.right,
            y=top.y + 2,
            width=BRACKET,
            height=bottom.bottom - top.y - 4,
            look=f"bracket {shade(tier, len(graph.steps))}",
        )


def runs(group: Group) -> Iterator[tuple[int, int]]:
    """First and last of the rows next to one another that lead to the same tier in one way."""
    first = 0
    for number, row in enumerate(group.rows):
        following = group.rows[number + 1] if number + 1 < len(group.rows) else None
        if following is None or (following.tier, following.effect) != (row.tier, row.effect):
            if row.tier is not None and group.key != "model":
                yield first, number
            first = number + 1
