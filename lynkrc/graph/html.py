"""A graph to one self-contained page: the picture, and the same in tables to read and search.

Light or dark as the reader's system says. No script, nothing loaded from elsewhere.
"""

from collections.abc import Iterable, Sequence

from lynkrc.graph.layout import lay_out
from lynkrc.graph.model import Graph, Group
from lynkrc.graph.style import DARK, LIGHT, Theme, style_sheet
from lynkrc.graph.svg import drawing, plain

_LAYOUT = """\
body{margin:0;padding:1.5rem;font:15px/1.5 Helvetica,Arial,'DejaVu Sans',sans-serif}
.scroll{overflow-x:auto}
.scroll svg{display:block;max-width:100%;height:auto;min-width:60rem}
h1{font-size:1.4rem;margin:0 0 1rem}
h2{font-size:1.05rem;margin:2rem 0 .4rem}
table{border-collapse:collapse;max-width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem 1.2rem .3rem 0;border-bottom:1px solid}
td code{font-size:.87em;overflow-wrap:anywhere}
svg .big{display:none}
svg g:hover>rect{filter:brightness(.97)}
svg>path:hover{stroke-width:4}"""


def write_html(graph: Graph) -> str:
    """The whole page, ending in a newline."""
    light, dark = (_colours(theme) for theme in (LIGHT, DARK))
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>How {plain(graph.name)} routes</title>",
        f"<style>\n{_LAYOUT}\n{light}",
        f"@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>How {plain(graph.name)} routes</h1>",
        f'<div class="scroll" tabindex="0">\n{drawing(lay_out(graph))}\n</div>',
        *(_group(group) for group in graph.groups if group.rows),
        _tiers(graph),
        _targets(graph),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _colours(theme: Theme) -> str:
    return (
        f"body{{background:{theme.page};color:{theme.words}}}\n"
        f"td,th{{border-color:{theme.line}}}\n{style_sheet(theme, 'svg ')}"
    )


def _group(group: Group) -> str:
    rows = [
        (
            plain(row.name),
            f"<code>{plain(row.when)}</code>",
            plain(f"{row.second} ({row.effect})" if row.second else row.effect),
            plain(row.note),
        )
        for row in group.rows
    ]
    return _table(f"{group.title} ({group.hint})", ("name", "when", "effect", ""), rows)


def _tiers(graph: Graph) -> str:
    rows = []
    for step, path in zip(graph.steps, graph.paths, strict=False):
        chain = ", ".join(
            f"{link.order}. {graph.targets[link.target].name}" + f" ({link.how})" * bool(link.how)
            for link in path.links
        )
        scores = f"{step.low} to {step.high}" if step.low <= step.high else "none"
        rows.append((plain(step.name), scores, plain(chain), plain(step.note)))
    for path in graph.paths[len(graph.steps) :]:
        chain = ", ".join(f"{one.order}. {graph.targets[one.target].name}" for one in path.links)
        rows.append((plain(path.title), "", plain(chain), ""))
    return _table("Tiers and chains", ("tier", "score", "chain, in the order tried", ""), rows)


def _targets(graph: Graph) -> str:
    lanes = {lane.rank: lane for lane in graph.lanes}
    rows = [
        (
            plain(target.name),
            plain(target.about),
            plain(graph.providers[target.provider].name),
            plain(lanes[target.trust].name),
            plain(", ".join(lanes[target.trust].closed_by)),
            plain(target.note),
        )
        for target in graph.targets
    ]
    heads = ("target", "model", "provider", "trust class", "closed by", "")
    return _table("Targets and providers", heads, rows)


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML; a last column of notes is left out where there are none."""
    body = [list(row) for row in rows]
    names = list(heads)
    if not any(row[-1] for row in body):
        names, body = names[:-1], [row[:-1] for row in body]
    head = "".join(f'<th scope="col">{name or "note"}</th>' for name in names)
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in body]
    return (
        f"<h2>{plain(title)}</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "".join(f"<tr>{line}</tr>\n" for line in lines)
        + "</tbody>\n</table>"
    )
