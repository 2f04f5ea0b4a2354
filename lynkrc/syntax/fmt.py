"""A spec to its canonical form.

Keys in the order of the schema, two blanks a level, one way to quote; comments, groups of lines
and the author's own order of named things stay. The form means what the text meant: what was
printed is read again and compared.

>>> text = "name: 'tiny'\\nversion:   1 # the first\\nfeatures: {long: ask.tokens>4k}\\n"
>>> print(format_spec(SourceFile(path="routing.yaml", text=text))[0], end="")
version: 1  # the first
name: tiny
features: {long: ask.tokens > 4k}
"""

from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc.source.nodes import Node
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.config import Config
from lynkrc.syntax.fmt_layout import lay_out
from lynkrc.syntax.fmt_pieces import all_comments, take_apart
from lynkrc.syntax.read import read_config
from lynkrc.syntax.shape import root_shape


def format_spec(file: SourceFile) -> tuple[str | None, list[Diagnostic]]:
    """The canonical text, and what reading the file found; None where there are errors.

    Lines end in ``\\n``, the last one too. What a name refers to is not looked at.
    """
    config, findings = read_config(file)
    root, _ = read_nodes(file)
    if config is None or root is None or _has_errors(findings):
        return None, findings
    text = lay_out(take_apart(file, root), root_shape())
    _compare(SourceFile(path=file.path, text=text), config, all_comments(file, root))
    return text, findings


def _compare(printed: SourceFile, config: Config, comments: list[str]) -> None:
    """Raise AssertionError unless the canonical text says what the file said."""
    again, findings = read_config(printed)
    root: Node | None = read_nodes(printed)[0]
    if again != config or root is None or _has_errors(findings):
        raise AssertionError(f"the canonical form of {printed.path} means something else")
    if all_comments(printed, root) != comments:
        raise AssertionError(f"the canonical form of {printed.path} has other comments")


def _has_errors(findings: list[Diagnostic]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)
