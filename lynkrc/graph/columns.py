"""The columns of a picture: rules in groups, tiers beside their chains, lanes of trust.

Each maker places its boxes from `TOP` down and knows nothing of the other columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lynkrc.graph.model import Graph, Group, Lane, Path, Place, Row, Step
from lynkrc.graph.picture import Box, Words, hue, shade, widest, words

TOP = 78
"""Where columns begin: below the title and their headings."""
PAD = 10
GAP = 12
"""Between the boxes of one column."""
LINE = 22
"""Height of a row of a group and of a link of a chain."""
SECOND = 16
"""What a row's second line adds to it."""
HEAD = 28
"""Height of the title of a group or lane."""
BRACKET = 5
"""Width of the mark that joins rows that lead to the same tier."""
TIER_HEIGHT = 62
PLACE_HEIGHT = 40
TO_PROVIDERS = 44

_NAME, _WHEN, _EFFECT = 170, 236, 140
_TIER, _LINK, _PLACE = 130, 130, 150
"""The most room for words, in pixels."""


# -- rules ---------------------------------------------------------------------------------


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
                words=_head(x, y, wide, group.title, group.hint),
                title=f"{group.title}: {group.hint}",
            )
        )
        boxes += inside
        boxes += _brackets(graph, group, inside, panel)
        y = bottom + GAP
    return boxes


def _head(x: int, y: int, wide: int, title: str, hint: str) -> tuple[Words, ...]:
    first = words(x + PAD, y + 18, title, "head", wide - 2 * PAD)
    room = wide - 3 * PAD - first.width
    if room < 3 * PAD or not hint:
        return (first,)
    return first, words(x + wide - PAD, y + 18, hint, "muted", room, "end")


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
        if following is None or following.tier != row.tier:
            if row.tier is not None and group.key != "model":
                yield first, number
            first = number + 1


# -- tiers and chains ----------------------------------------------------------------------


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


# -- trust classes -------------------------------------------------------------------------


def lanes_column(graph: Graph, x: int) -> list[Box]:
    """A lane a trust class: its targets, by provider, and its providers."""
    lines = [line for place in (*graph.targets, *graph.providers) for line in (place.name,)]
    about = [place.about for place in (*graph.targets, *graph.providers)]
    room = max(widest(lines, "name", 90, _PLACE), widest(about, "muted", 90, _PLACE)) + 2 * PAD
    wide = PAD + room + TO_PROVIDERS + room + PAD
    boxes: list[Box] = []
    y = TOP
    for lane in graph.lanes:
        inside = _lane(graph, lane, x + PAD, y + HEAD, room)
        bottom = max(box.bottom for box in inside)
        look = hue(lane.rank, graph.classes)
        closed = f"closed by {', '.join(lane.closed_by)}" if lane.closed_by else ""
        told = "; no target of it serves a request that matches a rule it is closed by"
        boxes.append(
            Box(
                id=f"lane:{lane.rank}",
                parent="",
                x=x,
                y=y,
                width=wide,
                height=bottom + PAD - y,
                look=f"lane {look}",
                words=_head(x, y, wide, lane.name, closed),
                title=f"trust class {lane.name}" + (f": {closed}{told}" if closed else ""),
            )
        )
        boxes += inside
        y = bottom + PAD + GAP
    return boxes


def _lane(graph: Graph, lane: Lane, x: int, y: int, room: int) -> list[Box]:
    boxes: list[Box] = []
    for provider in _in_order_of_use(graph, lane):
        own = [
            (number, place)
            for number, place in _targets_in_order_of_use(graph)
            if place.trust == lane.rank and place.provider == provider
        ]
        first = y
        for number, place in own:
            boxes.append(_place(graph, place, f"target:{number}", lane, x, y, room))
            y += PLACE_HEIGHT + GAP
        if graph.providers[provider].trust == lane.rank:
            y = max(y, first + PLACE_HEIGHT + GAP)
            middle = first + (y - GAP - first - PLACE_HEIGHT) // 2
            place = graph.providers[provider]
            right = x + room + TO_PROVIDERS
            boxes.append(_place(graph, place, f"provider:{provider}", lane, right, middle, room))
    return boxes


def _place(graph: Graph, place: Place, key: str, lane: Lane, x: int, y: int, wide: int) -> Box:
    kind = key.partition(":")[0]
    return Box(
        id=key,
        parent=f"lane:{lane.rank}",
        x=x,
        y=y,
        width=wide,
        height=PLACE_HEIGHT,
        look=f"{kind} {hue(place.trust, graph.classes)}" + (" noted" if place.note else ""),
        words=(
            words(x + PAD, y + 17, place.name, "name", wide - 2 * PAD),
            words(x + PAD, y + 32, place.about, "muted", wide - 2 * PAD),
        ),
        title="\n".join(
            filter(None, (f"{kind} {place.name}: {place.about}, trust {lane.name}", place.note))
        ),
    )


def _targets_in_order_of_use(graph: Graph) -> list[tuple[int, Place]]:
    """Targets as the chains name them first, then those of no chain."""
    used = [link.target for path in graph.paths for link in path.links]
    order = dict.fromkeys([*map(int, used), *range(len(graph.targets))])
    return [(number, graph.targets[number]) for number in order]


def _in_order_of_use(graph: Graph, lane: Lane) -> list[int]:
    """Providers with a box in the lane, as their targets are used; the unused last."""
    used = [
        place.provider for _, place in _targets_in_order_of_use(graph) if place.trust == lane.rank
    ]
    own = [place.provider for place in graph.providers if place.trust == lane.rank]
    return list(dict.fromkeys([*used, *own]))
