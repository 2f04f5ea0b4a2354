"""A trace to one HTML page that stands alone: no script, nothing fetched, light and dark.

Every text is escaped by the template engine, and none stands in an attribute or a style.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lynkrc.tracing.view import view_of

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(trace: Mapping[str, Any]) -> str:
    """The page of a trace that holds a decision."""
    return _template().render(view=view_of(trace))


@cache
def _template() -> "Template":
    # Imported late: only this page needs it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
    return environment.get_template("trace.html.j2")
