"""``lynkrc graph``: a picture of tiers, rules, chains and providers by trust class."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from lynkrc.cli.comparands import compile_path
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead
from lynkrc.cli.terminal import error, note, wants_colour
from lynkrc.diagnostics.render_text import render_text
from lynkrc.graph.build import graph_of
from lynkrc.graph.html import write_html
from lynkrc.graph.layout import lay_out
from lynkrc.graph.mermaid import write_mermaid
from lynkrc.graph.model import Graph
from lynkrc.graph.svg import write_svg


def _svg(graph: Graph) -> str:
    return write_svg(lay_out(graph))


FORMS: Mapping[str, Callable[[Graph], str]] = MappingProxyType(
    {"mermaid": write_mermaid, "svg": _svg, "html": write_html}
)
"""Every form a picture is written in; the first is what standard output gets."""

_SUFFIXES = {".mmd": "mermaid", ".mermaid": "mermaid", ".svg": "svg", ".html": "html"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: what to draw, where to, and in which form."""
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        default=DEFAULT_SPEC,
        metavar="SPEC|BUNDLE",
        help="a spec, or a bundle (default: %(default)s)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="its ending says the form: .svg, .html, .mmd (default: standard output)",
    )
    parser.add_argument("--format", choices=tuple(FORMS), help="default: by FILE, else mermaid")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Draw; 1 for errors in the spec, 2 where files cannot be read or written."""
    output: Path | None = arguments.output
    form = arguments.format
    if form is None:
        form = "mermaid" if output is None else _SUFFIXES.get(output.suffix.lower())
    if form is None:
        error(f"the ending of {output} says no form: use .svg, .html or .mmd, or say --format")
        return ExitCode.CANNOT_RUN
    try:
        compilation = compile_path(arguments.source)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if compilation.table is None:
        # Standard output is the picture's: it may go to a file.
        sys.stderr.write(render_text(compilation.diagnostics, colour=wants_colour(sys.stderr)))
        return ExitCode.FINDINGS
    text = FORMS[form](graph_of(compilation.table))
    if output is None:
        sys.stdout.write(text)
        return ExitCode.OK
    try:
        # The same bytes on every system.
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        error(f"cannot write {output}: {problem.strerror}")
        return ExitCode.CANNOT_RUN
    note(f"wrote {output}")
    return ExitCode.OK
