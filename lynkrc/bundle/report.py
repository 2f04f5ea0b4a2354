"""Findings and assumptions of a build to ``report.json``: what a reviewer accepts with the bundle.

Only warnings can stand here: an error stops the build, and notes are for the author.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.codegen.artifacts import SpecSource
from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc.ir.table import RouteTable

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What was asserted, each with its verdict, and what the proofs take for granted."""

    assertions: tuple[Mapping[str, str | None], ...]
    assumptions: tuple[str, ...]


def print_report(
    table: RouteTable,
    diagnostics: Sequence[Diagnostic],
    sources: Sequence[SpecSource],
    verdicts: Verdicts | None = None,
) -> bytes:
    """The bytes of ``report.json``; files are named as in the bundle's ``source/``.

    Without `verdicts` nothing was proved, and it says so by having no ``assertions``.
    """
    names = {source.path: source.name for source in sources}
    document = {
        "warnings": [
            {
                "code": found.code.id,
                "name": found.code.name,
                "message": found.message,
                "file": names[found.span.file.path],
                "line": found.span.line,
                "column": found.span.column,
                "help": found.help,
            }
            for found in diagnostics
            if found.severity is Severity.WARNING
        ],
        **({} if verdicts is None else {"assertions": list(verdicts.assertions)}),
        "assumptions": [
            *assumptions(table),
            *(() if verdicts is None else verdicts.assumptions),
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def assumptions(table: RouteTable) -> Iterator[str]:
    """What the build takes for granted: trust of addresses it has not seen."""
    for provider in table.providers:
        variables = _REFERENCE.findall(provider.base_url or "")
        if variables:
            yield (
                f"provider {provider.name}: its address comes from {', '.join(variables)};"
                f" trust `{provider.trust}` is declared, not checked"
            )
