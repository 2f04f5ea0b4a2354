"""A draft to its text, which has no finding whatsoever."""

from lynkrc.cli.specs import DiskLoader
from lynkrc.migrate.draft import Draft
from lynkrc.migrate.write_spec import write_spec
from lynkrc.pipeline import check_spec
from lynkrc.source.resources import read_spec, spec_path
from lynkrc.source.text import SourceFile


def findings_of(text: str) -> list[tuple[str, str]]:
    """Code and message of every finding in a spec."""
    catalog = SourceFile(path=spec_path("catalog/models"), text=read_spec("catalog/models"))
    checked = check_spec("routing.yaml", text.encode(), loader=DiskLoader(), catalog=catalog)
    return [(one.code.id, one.message) for one in checked.diagnostics]


def sound_text(draft: Draft) -> str:
    """The text of a draft, after a check."""
    text = write_spec(draft, schema=None)
    assert findings_of(text) == []
    return text
