"""Pictures of any table: nothing overlaps, words fit, files are well-formed and always the same."""

from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations, pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.graph.build import graph_of
from lynkrc.graph.html import write_html
from lynkrc.graph.layout import lay_out
from lynkrc.graph.mermaid import write_mermaid
from lynkrc.graph.picture import Box, Edge, Picture, Words
from lynkrc.graph.svg import write_svg
from lynkrc.ir.table import RouteTable
from tests.property.effort import tried
from tests.property.random_tables import tables
from tests.unit.full_table import FULL
from tests.unit.sample_table import TABLE

SVG = "{http://www.w3.org/2000/svg}"
names = st.text(min_size=1, max_size=90)
levels = ("local", "internal", "partner", "cloud", "moon")


@st.composite
def spelled(draw: st.DrawFn) -> RouteTable:
    """A random table whose names and conditions are any text, in any trust classes."""
    table = draw(tables())
    few = draw(st.integers(4, len(levels)))
    trust = st.sampled_from(levels[:few])
    return replace(
        table,
        name=draw(names),
        trust_levels=levels[:few],
        tiers=tuple(replace(tier, name=draw(names)) for tier in table.tiers),
        targets=tuple(
            replace(target, name=draw(names), model=draw(names), trust=draw(trust))
            for target in table.targets
        ),
        rules=tuple(
            replace(rule, name=f"{draw(names)}{rule.id}", source=draw(names))
            for rule in table.rules
        ),
    )


def picture_of(table: RouteTable) -> Picture:
    return lay_out(graph_of(table))


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.right
        and other.x < one.right
        and one.y < other.bottom
        and other.y < one.bottom
    )


def span(line: Words) -> tuple[int, int]:
    """First and last pixel of the words, from left to right."""
    start = {"start": line.x, "middle": line.x - line.width // 2, "end": line.x - line.width}
    return start[line.anchor], start[line.anchor] + line.width


def check_geometry(picture: Picture) -> None:
    boxes = {box.id: box for box in picture.boxes}
    assert len(boxes) == len(picture.boxes), "an id is there twice"
    seen = set()
    for box in picture.boxes:
        assert box.width > 0 and box.height > 0
        assert box.x >= 0 and box.right <= picture.width
        assert box.y >= 0 and box.bottom <= picture.height
        if box.parent:
            assert box.parent in seen, "a box is drawn before the one it lies in"
            parent = boxes[box.parent]
            assert parent.x <= box.x and box.right <= parent.right, box
            assert parent.y <= box.y and box.bottom <= parent.bottom, box
        seen.add(box.id)
    for one, other in combinations(picture.boxes, 2):
        if one.parent == other.parent:
            assert not overlap(one, other), (one, other)


def check_words(picture: Picture) -> None:
    for box in picture.boxes:
        for line in box.words:
            start, end = span(line)
            assert box.x <= start and end <= box.right, (box, line)
            assert box.y < line.y <= box.bottom - 3, (box, line)
        for one, other in combinations(box.words, 2):
            if one.y == other.y:
                first, second = sorted((span(one), span(other)))
                assert first[1] <= second[0], (one, other)
    for box in picture.boxes:
        parent = next((one for one in picture.boxes if one.id == box.parent), None)
        for line in parent.words if parent is not None else ():
            start, end = span(line)
            beside = box.right <= start or end <= box.x
            assert beside or line.y <= box.y or line.y - 8 >= box.bottom, (box, line)
    headings = [line for line in picture.headings if line.look == "column"]
    for left, right in pairwise(headings):
        assert span(left)[1] <= span(right)[0]
    assert all(span(line)[1] <= picture.width for line in picture.headings)


def points(edge: Edge) -> list[tuple[float, float]]:
    """Places along the edge, its ends apart: the curve of the SVG, and what is level after it."""
    half = (edge.bend - edge.x1) // 2
    places = []
    for step in range(1, 20):
        t = step / 20
        b0, b1, b2, b3 = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
        x = b0 * edge.x1 + b1 * (edge.x1 + half) + b2 * (edge.bend - half) + b3 * edge.bend
        places.append((x, (b0 + b1) * edge.y1 + (b2 + b3) * edge.y2))
        places.append((edge.bend + t * (edge.x2 - edge.bend), float(edge.y2)))
    return places


def check_edges(picture: Picture) -> None:
    boxes = {box.id: box for box in picture.boxes}
    for edge in picture.edges:
        source, goal = boxes[edge.source], boxes[edge.goal]
        assert (edge.x1, edge.x2) == (source.right, goal.x)
        assert source.y <= edge.y1 <= source.bottom and goal.y <= edge.y2 <= goal.bottom
        assert edge.x1 < edge.bend <= edge.x2
        around = {source.id, goal.id, source.parent, goal.parent}
        for box in picture.boxes:
            if box.id in around or box.look.startswith("lane"):
                continue
            for x, y in points(edge):
                inside = box.x < x < box.right and box.y < y < box.bottom
                assert not inside, (edge, box)


@tried(12)
@given(spelled())
def test_nothing_overlaps_and_all_words_fit(table: RouteTable) -> None:
    picture = picture_of(table)
    check_geometry(picture)
    check_words(picture)
    check_edges(picture)


@tried(8)
@given(spelled())
def test_the_files_are_well_formed_and_say_each_name(table: RouteTable) -> None:
    graph = graph_of(table)
    text = write_svg(lay_out(graph))
    assert text == write_svg(lay_out(graph_of(table)))
    root = ElementTree.fromstring(text.encode("utf-8", "surrogatepass"))
    assert root.tag == f"{SVG}svg" and root.find(f"{SVG}title") is not None
    assert len(root.findall(f"{SVG}g")) == len(lay_out(graph).boxes)
    page = write_html(graph)
    parser = _Tags()
    parser.feed(page)
    parser.close()
    assert parser.open == [] and "script" not in parser.seen
    lines = write_mermaid(graph).splitlines()
    assert lines.count("flowchart LR") == 1
    for line in lines[lines.index("flowchart LR") + 2 :]:
        assert line.isprintable() and line.count('"') in (0, 2), line
    opened = sum(line.strip().startswith("subgraph ") for line in lines)
    assert opened == sum(line.strip() == "end" for line in lines)


class _Tags(HTMLParser):
    """Elements that were opened and not closed, and every element's name."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_pictures_of_the_sample_tables_are_sound() -> None:
    for table in (TABLE, FULL):
        picture = picture_of(table)
        check_geometry(picture)
        check_words(picture)
        check_edges(picture)
