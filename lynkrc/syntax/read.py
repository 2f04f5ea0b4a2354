"""One file to its surface tree and every finding about its form.

>>> config, findings = read_source("x.yaml", b"version: 1\\nname: tiny\\ntires: []\\n")
>>> config.name.value, [(finding.code.id, finding.help) for finding in findings]
('tiny', [('LK101', 'did you mean `tiers`?')])
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from lynkrc.diagnostics.model import MAX_FINDINGS, Diagnostic, in_order
from lynkrc.source.decode_text import check_characters, decode_source
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.config import Config
from lynkrc.syntax.decode import decode_config
from lynkrc.syntax.references import check_references
from lynkrc.syntax.scalar_fixes import with_scalar_fixes
from lynkrc.syntax.schema_check import check_schema, section_names


def read_source(path: str, data: bytes) -> tuple[Config | None, list[Diagnostic]]:
    """`read_config` of the bytes of a file that findings show under `path`."""
    file, findings = decode_source(path, data)
    return (None, findings) if findings else _read(file)


def read_config(file: SourceFile) -> tuple[Config | None, list[Diagnostic]]:
    """The surface tree, and the findings in the order of the text.

    With errors the tree holds what is sound, or is None where nothing can be said.
    """
    findings = check_characters(file)
    return (None, findings) if findings else _read(file)


def _read(file: SourceFile) -> tuple[Config | None, list[Diagnostic]]:
    root, findings = read_nodes(file, sections=section_names())
    if root is None:
        return None, in_order(findings)
    findings = with_scalar_fixes(findings, root)
    findings = [*findings, *_news(check_references(file, root), findings)]
    found = check_schema(root)
    if len(found) == MAX_FINDINGS:
        # The schema's other findings are not known, so nothing may be decoded.
        return None, in_order([*findings, *found])
    findings = [*findings, *_news(found, findings)]
    config, found = decode_config(root, findings)
    return config, in_order([*findings, *_news(found, findings)])


def _news(found: Iterable[Diagnostic], earlier: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Without those about something an earlier check has already found fault with or in."""
    places = sorted((finding.span.start, finding.span.end) for finding in earlier)
    return [finding for finding in found if not _holds_one(finding.span, places)]


def _holds_one(span: Span, places: Sequence[tuple[int, int]]) -> bool:
    at = bisect_left(places, (span.start, span.start))
    while at < len(places) and places[at][0] <= span.end:
        if places[at][1] <= span.end:
            return True
        at += 1
    return False
