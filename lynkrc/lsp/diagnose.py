"""The findings about a document to what an editor shows of them, file by file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import final

from lynkrc.diagnostics.model import Applicability, Diagnostic, Edit, Fix
from lynkrc.diagnostics.pages import introduction, read_page
from lynkrc.diagnostics.sema_codes import UNUSED
from lynkrc.source.edits import select_fixes
from lynkrc.source.text import SourceFile


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that mends findings: what it says, and its edits of one file."""

    title: str
    edits: tuple[Edit, ...]
    mends: tuple[Diagnostic, ...]
    preferred: bool


def by_file(findings: Iterable[Diagnostic]) -> Mapping[str, list[Diagnostic]]:
    """Findings by the path of the file they lie in."""
    found: dict[str, list[Diagnostic]] = {}
    for finding in findings:
        found.setdefault(finding.span.file.path, []).append(finding)
    return found


def message(finding: Diagnostic) -> str:
    """What is wrong, and the way out."""
    return finding.message if finding.help is None else f"{finding.message}\nhelp: {finding.help}"


def is_unnecessary(finding: Diagnostic) -> bool:
    """Whether an editor may show the text as of no use."""
    return finding.code is UNUSED


@cache
def meaning(code: str) -> str:
    """The first paragraph of a code's page."""
    return next(iter(introduction(read_page(code))), "")


def actions_at(findings: Iterable[Diagnostic], path: str, start: int, end: int) -> list[Action]:
    """The fixes of findings that touch a range of the file at `path`."""
    return [
        Action(
            title=_title(finding.fix),
            edits=finding.fix.edits,
            mends=(finding,),
            preferred=finding.fix.applicability is Applicability.SAFE,
        )
        for finding in findings
        if finding.fix is not None
        and finding.span.file.path == path
        and finding.span.start <= end
        and start <= finding.span.end
    ]


def fix_all(findings: Iterable[Diagnostic], file: SourceFile) -> Action | None:
    """All safe fixes of a file that can be made together; None where there is none."""
    findings = list(findings)
    fixes = select_fixes(findings, file, unsafe=False)
    if not fixes:
        return None
    return Action(
        title=f"Make all safe fixes ({len(fixes)})",
        edits=tuple(edit for fix in fixes for edit in fix.edits),
        mends=tuple(finding for finding in findings if finding.fix in fixes),
        preferred=False,
    )


def _title(fix: Fix) -> str:
    title = f"{fix.message[:1].upper()}{fix.message[1:]}"
    return title if fix.applicability is Applicability.SAFE else f"{title} (a guess)"
