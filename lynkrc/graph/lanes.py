"""The trust classes of a picture: a lane each, with its targets and providers, from `TOP` down."""

from lynkrc.graph.grid import GAP, HEAD, PAD, TOP, head_words
from lynkrc.graph.model import Graph, Lane, Place
from lynkrc.graph.picture import Box, hue, widest, words

PLACE_HEIGHT = 40
TO_PROVIDERS = 44
"""Room for the edges between targets and providers."""
_PLACE = 150
"""The most room for words, in pixels."""


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
                words=head_words(x, y, wide, lane.name, closed),
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
