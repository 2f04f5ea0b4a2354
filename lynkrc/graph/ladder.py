"""The tiers of a picture, each beside its chain, then the chains of rules; from `TOP` down."""

from lynkrc.graph.grid import GAP, LINE, PAD, TOP
from lynkrc.graph.model import Graph, Path, Step
from lynkrc.graph.picture import Box, hue, shade, widest, words

TIER_HEIGHT = 62
_TIER, _LINK = 130, 130
"""The most room for words, in pixels."""


def ladder_columns(graph: Graph, x: int, between: int) -> list[Box]:
    """Each tier beside its chain, then the chains of rules, then what happens to the rest."""
    wide = widest([step.name for step in graph.steps], "name", 100, _TIER) + 2 * PAD
    chain_x = x + wide + between
    names = [graph.targets[link.target].name for path in graph.paths for link in path.links]
    hows = [link.how for path in graph.paths for link in path.links]
    how = widest(hows, "muted", 0, 60)
    link_wide = 34 + widest(names, "name", 60, _LINK) + (how + PAD if how else 0)
    boxes: list[Box] = []
    y = TOP
    for number, path in enumerate(graph.paths):
        chain = _chain(graph, path, number, chain_x, y, link_wide)
        if number < len(graph.steps):
            height = max(TIER_HEIGHT, chain[0].height)
            tier_y = y + (height - TIER_HEIGHT) // 2
            boxes += _tier(graph.steps[number], x, tier_y, wide, len(graph.steps))
            down = (height - chain[0].height) // 2
            chain = _chain(graph, path, number, chain_x, y + down, link_wide)
        else:
            height = chain[0].height
        boxes += chain
        y += height + GAP
    whole = chain_x + link_wide + 2 * PAD - x
    boxes.append(
        Box(
            id="otherwise",
            parent="",
            x=x,
            y=y,
            width=whole,
            height=44,
            look="aside",
            words=(
                words(x + PAD, y + 18, "No target left?", "name", whole - 2 * PAD),
                words(x + PAD, y + 34, graph.otherwise, "muted", whole - 2 * PAD),
            ),
            title=f"A request that no target of its chain can serve: {graph.otherwise}",
        )
    )
    return boxes


def _tier(step: Step, x: int, y: int, wide: int, tiers: int) -> list[Box]:
    """The tier's box, with a bar of 0 to 100 and its part of that."""
    empty = step.low > step.high
    scores = "no score" if empty else f"score {step.low} to {step.high}"
    if not empty and step.low == step.high:
        scores = f"score {step.low}"
    track_wide = wide - 2 * PAD
    from_x = x + PAD + min(step.low, 100) * track_wide // 101
    to_x = x + PAD + (step.high + 1) * track_wide // 101
    box = Box(
        id=f"tier:{step.id}",
        parent="",
        x=x,
        y=y,
        width=wide,
        height=TIER_HEIGHT,
        look=f"tier {shade(step.id, tiers)}" + (" noted" if step.note else ""),
        words=(
            words(x + PAD, y + 20, step.name, "name", track_wide),
            words(x + PAD, y + 37, scores, "muted", track_wide),
        ),
        title="\n".join(filter(None, (f"tier {step.name}: {scores}", step.note))),
    )
    track = Box(
        id=f"{box.id}:track",
        parent=box.id,
        x=x + PAD,
        y=y + 46,
        width=track_wide,
        height=6,
        look="track",
    )
    if empty:
        return [box, track]
    band = Box(
        id=f"{box.id}:band",
        parent=track.id,
        x=from_x,
        y=y + 46,
        width=max(1, to_x - from_x),
        height=6,
        look="band",
    )
    return [box, track, band]


def _chain(graph: Graph, path: Path, number: int, x: int, y: int, wide: int) -> list[Box]:
    """The chain's box, and in it a link a target."""
    head = 22 if path.title else 5
    key = f"path:{number}"
    whole = wide + 2 * PAD
    height = head + len(path.links) * (LINE + 3) + 3
    title = path.title or f"chain of {graph.steps[number].name}"
    names = ", ".join(graph.targets[link.target].name for link in path.links)
    heading = (words(x + PAD, y + 15, path.title, "muted", wide),) if path.title else ()
    boxes = [
        Box(
            id=key,
            parent="",
            x=x,
            y=y,
            width=whole,
            height=height,
            look="panel",
            words=heading,
            title=f"{title}: {names}",
        )
    ]
    for place, link in enumerate(path.links):
        target = graph.targets[link.target]
        top = y + head + place * (LINE + 3)
        lines = [words(x + 16, top + 15, str(link.order), "muted", 24)]
        how = words(x + whole - 12, top + 15, link.how, "muted", 60, "end")
        room = whole - 12 - how.width - (PAD if link.how else 0) - 40
        lines.append(words(x + 40, top + 15, target.name, "name", room))
        boxes.append(
            Box(
                id=f"link:{number}:{place}",
                parent=key,
                x=x + 6,
                y=top,
                width=whole - 12,
                height=LINE,
                look=f"link {hue(target.trust, graph.classes)}",
                words=(*lines, how) if link.how else tuple(lines),
                title=f"{title}, {link.order}: {target.name} ({target.about}) {link.how}".strip(),
            )
        )
    return boxes
