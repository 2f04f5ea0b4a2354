"""A picture to SVG: one self-contained file, the same bytes every time, light.

`drawing` is the element alone, for pages that bring their own style sheet.
"""

from html import escape

from lynkrc.graph.picture import Box, Edge, Picture, Words
from lynkrc.graph.style import LIGHT, style_sheet

_NAMESPACE = "http://www.w3.org/2000/svg"
_ROUND = {"chip": 9, "bracket": 2, "track": 3, "band": 3, "row": 3}
_RADIUS = 6


def write_svg(picture: Picture) -> str:
    """The whole file, ending in a newline."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawing(picture, style_sheet(LIGHT))}\n'


def drawing(picture: Picture, style: str = "") -> str:
    """The ``svg`` element."""
    wide, high = picture.width, picture.height
    lines = [
        f'<svg xmlns="{_NAMESPACE}" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
        ' role="img" aria-labelledby="graph-title graph-about">',
        f'<title id="graph-title">How {plain(picture.name)} routes</title>',
        f'<desc id="graph-about">{plain(picture.about)}</desc>',
    ]
    if style:
        lines.append(f"<style>\n{style}\n</style>")
    lines.append(
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto" markerUnits="userSpaceOnUse">'
        '<path class="tip" d="M0 0.5 L8 4 L0 7.5 Z"/></marker></defs>'
    )
    lines.append(f'<rect class="page" width="{wide}" height="{high}"/>')
    lines += [_words(heading) for heading in picture.headings]
    lines += [_box(box) for box in picture.boxes]
    lines += [_edge(edge) for edge in picture.edges]
    lines.append("</svg>")
    return "\n".join(lines)


def plain(text: str) -> str:
    """Text for XML: escaped, and what XML cannot hold replaced."""
    return escape("".join(character if _is_xml(character) else "\ufffd" for character in text))


def _is_xml(character: str) -> bool:
    """Whether XML 1.0 allows the character (https://www.w3.org/TR/xml/#charsets)."""
    code = ord(character)
    return code in (0x9, 0xA) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code > 0xFFFF


def _words(line: Words) -> str:
    anchor = "" if line.anchor == "start" else f' text-anchor="{line.anchor}"'
    return f'<text class="{line.look}" x="{line.x}" y="{line.y}"{anchor}>{plain(line.text)}</text>'


def _box(box: Box) -> str:
    radius = _ROUND.get(box.look.partition(" ")[0], _RADIUS)
    title = f"<title>{plain(box.title)}</title>" if box.title else ""
    rect = (
        f'<rect class="{box.look}" x="{box.x}" y="{box.y}" width="{box.width}"'
        f' height="{box.height}" rx="{radius}"/>'
    )
    return f"<g>{title}{rect}{''.join(_words(line) for line in box.words)}</g>"


def _edge(edge: Edge) -> str:
    half = (edge.bend - edge.x1) // 2
    curve = (
        f"M{edge.x1} {edge.y1} C{edge.x1 + half} {edge.y1} {edge.bend - half} {edge.y2}"
        f" {edge.bend} {edge.y2}"
    )
    if edge.bend != edge.x2:
        curve += f" L{edge.x2} {edge.y2}"
    title = f"<title>{plain(edge.title)}</title>" if edge.title else ""
    return f'<path class="{edge.look}" d="{curve}" marker-end="url(#tip)">{title}</path>'
