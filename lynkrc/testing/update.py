"""Failed runs to edits that make the file expect what is so, and what has to be changed by hand.

Only records of a decision are rewritten: `chain_has` and `chain_lacks` say what is wanted, whatever
the decision is, and stay.

>>> yaml_of(("small", "mid")), yaml_of(None), yaml_of("on")
('[small, mid]', 'null', '"on"')
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import final

from lynkrc.diagnostics.model import Edit
from lynkrc.source.nodes import Node, ScalarNode
from lynkrc.source.quoting import is_plain, quote
from lynkrc.testing.case import Expected, Subject
from lynkrc.testing.judge import Mismatch, rounded
from lynkrc.testing.runner import Run

_CLAIMS = (Subject.CHAIN_HAS, Subject.CHAIN_LACKS)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What of a case is left as it is, and why."""

    run: Run
    reason: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Edits of one file, and what they do not mend."""

    edits: tuple[Edit, ...]
    left: tuple[Left, ...]


def update(runs: Iterable[Run]) -> Update:
    """The edits that make failed runs of one file pass."""
    edits, left = [], []
    for run in runs:
        if run.problem is not None:
            left.append(Left(run=run, reason="nothing was decided"))
        elif run.disagreements:
            left.append(Left(run=run, reason="the engines disagree"))
        else:
            for mismatch in run.mismatches:
                found = _edit(mismatch)
                if isinstance(found, Edit):
                    edits.append(found)
                else:
                    left.append(Left(run=run, reason=found))
    return Update(edits=tuple(edits), left=tuple(left))


def yaml_of(value: Expected) -> str:
    """A value as it is written in a file of tests, on one line."""
    match value:
        case None:
            return "null"
        case str():
            return value if is_plain(value, flow=True) else quote(value)
        case Decimal():
            return f"{rounded(value).normalize():f}"
        case int():
            return str(value)
        case _:
            return f"[{', '.join(map(yaml_of, value))}]"


def _edit(mismatch: Mismatch) -> Edit | str:
    """The edit for one expectation, or why there is none."""
    subject, node = mismatch.expectation.subject, mismatch.expectation.node
    path = mismatch.expectation.path
    if subject in _CLAIMS:
        return f"`{path}` says what is wanted: change it by hand if it is no longer so"
    if subject is Subject.TARGET and isinstance(mismatch.got, tuple):
        return "which target is tried first varies from request to request: expect a `chain`"
    if not isinstance(node, ScalarNode) and "#" in node.span.text:
        return f"a comment stands in `{path}`: change it by hand"
    return Edit(span=node.span, text=_in_place(node, yaml_of(mismatch.got)))


def _in_place(node: Node, text: str) -> str:
    """A value with the blank or the line end that its place needs."""
    before = node.span.file.text[: node.span.start]
    start = " " if node.span.start == node.span.end and before.endswith(":") else ""
    end = next((one for one in ("\r\n", "\n") if node.span.text.endswith(one)), "")
    return f"{start}{text}{end}"
