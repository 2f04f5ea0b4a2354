"""The colours of a picture, light and dark, as style sheets.

Hues of trust classes follow Okabe and Ito, "Color Universal Design" (2008), which people with any
colour vision tell apart: bluish green, blue, reddish purple, sky blue, orange, vermilion.
"""

from dataclasses import dataclass
from typing import final

from lynkrc.graph.picture import SIZES


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Hue:
    """Colours of one trust class: its lines, its ground, and words upon that ground."""

    line: str
    ground: str
    words: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """All colours; `shades` are the tiers' grounds, cheapest first, which bear `words`."""

    page: str
    panel: str
    line: str
    words: str
    muted: str
    edge: str
    noted: str
    hues: tuple[Hue, ...]
    shades: tuple[str, ...]


LIGHT = Theme(
    page="#ffffff",
    panel="#f6f8fa",
    line="#d0d7de",
    words="#1f2328",
    muted="#57606a",
    edge="#8c959f",
    noted="#9a6700",
    hues=(
        Hue(line="#009e73", ground="#e6f6f1", words="#00543d"),
        Hue(line="#0072b2", ground="#e5f1f8", words="#00456b"),
        Hue(line="#b85c92", ground="#faedf5", words="#7a2f5b"),
        Hue(line="#56b4e9", ground="#ecf7fd", words="#0b5078"),
        Hue(line="#c98600", ground="#fdf4e0", words="#6b4700"),
        Hue(line="#d55e00", ground="#fdeee4", words="#7d3700"),
    ),
    shades=("#f1f0fa", "#e3dff5", "#d3cdef", "#c2b9e8", "#b1a6e1"),
)

DARK = Theme(
    page="#0d1117",
    panel="#161b22",
    line="#30363d",
    words="#e6edf3",
    muted="#9da7b3",
    edge="#6e7681",
    noted="#d29922",
    hues=(
        Hue(line="#1fbf92", ground="#0e2a23", words="#8fe3cb"),
        Hue(line="#3c9bd6", ground="#0d2536", words="#9bd0f2"),
        Hue(line="#d382b3", ground="#321c2a", words="#f0bfdb"),
        Hue(line="#7cc7f0", ground="#12303f", words="#bfe5fa"),
        Hue(line="#e0a030", ground="#33270d", words="#f5d394"),
        Hue(line="#f0812d", ground="#351d0c", words="#fbc196"),
    ),
    shades=("#22203a", "#2c2850", "#373166", "#433b7c", "#504692"),
)


def style_sheet(theme: Theme, within: str = "") -> str:
    """Rules for every look, one a line; `within` goes before each selector."""
    sizes = [(f".{look}", f"font-size:{size}px") for look, size in SIZES.items()]
    rules = [
        ("text", f"fill:{theme.words};font-family:Helvetica,Arial,'DejaVu Sans',sans-serif"),
        *sizes,
        (".big,.head,.name", "font-weight:bold"),
        (".mono", f"font-family:Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:{theme.muted}"),
        (".muted,.column", f"fill:{theme.muted}"),
        (".page", f"fill:{theme.page}"),
        (".panel", f"fill:{theme.panel};stroke:{theme.line}"),
        (".request", f"fill:{theme.page};stroke:{theme.words};stroke-width:1.5"),
        (".row", f"fill:{theme.page};stroke:none"),
        (".plain", f"fill:{theme.panel};stroke:{theme.line}"),
        (".aside", f"fill:none;stroke:{theme.line};stroke-dasharray:4 3"),
        ("rect.chip,rect.bracket", f"stroke:{theme.line}"),
        (".track", f"fill:{theme.page};stroke:none"),
        (".band", f"fill:{theme.words};stroke:none"),
        (".tier", f"stroke:{theme.edge}"),
        (".tier~.muted", f"fill:{theme.words}"),
        (".noted", f"stroke:{theme.noted};stroke-width:2;stroke-dasharray:3 2"),
        ("path", f"fill:none;stroke:{theme.edge};stroke-width:1.2"),
        (".scores", "stroke-dasharray:2 3"),
        (".bounds", "stroke-dasharray:6 3"),
        (".later", "stroke-opacity:.7"),
        (".tip", f"fill:{theme.edge};stroke:none"),
    ]
    for number, shade in enumerate(theme.shades):
        rules.append((f"rect.k{number}", f"fill:{shade}"))
    for number, hue in enumerate(theme.hues):
        rules += [
            (f"rect.t{number}", f"fill:{hue.ground};stroke:{hue.line}"),
            (f".lane.t{number}", "fill-opacity:.55;stroke-width:1.5;stroke-dasharray:7 4"),
            (f"path.t{number}", f"stroke:{hue.line}"),
            (f"path.first.t{number}", "stroke-width:2.2"),
            (f".t{number}~text", f"fill:{hue.words}"),
        ]
    return "\n".join(
        f"{','.join(within + one for one in selector.split(','))}{{{body}}}"
        for selector, body in rules
    )
