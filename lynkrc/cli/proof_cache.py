"""What was proved of a spec, kept from one build to the next.

Kept is only what leaves nothing to tell: every assertion holds, no finding of the solver, the
portable scorer decided as the table means. The key is all that the answer follows from, so nothing
that changes it can be missed; a file that does not say of each assertion that it holds is no proof.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, final

from lynkrc import __version__
from lynkrc.analysis.limits import RLIMIT
from lynkrc.bundle.report import Verdicts
from lynkrc.cli.kept_files import keep_file, kept_folder, read_kept
from lynkrc.ir.assertion import Kind
from lynkrc.pipeline import Compilation

KIND = "proofs"

_FORM = 2
_MOST = 1_000


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a build needs of a proof: the verdicts, and the whole report as JSON."""

    verdicts: Verdicts
    report: dict[str, Any]

    @property
    def counted(self) -> str:
        """``4 proved, 1 unknown``."""
        counts = Counter(str(one["verdict"]) for one in self.verdicts.assertions)
        return ", ".join(f"{count} {word}" for word, count in counts.items())


def reads_others(compilation: Compilation) -> bool:
    """Whether the proof also follows from files that compiling does not read."""
    assertions = compilation.assertions
    return assertions is None or any(one.kind is Kind.SAME_AS for one in assertions.items)


def key_of(compilation: Compilation) -> str | None:
    """What the proof follows from, as a digest; None where it also follows from other files, or
    where no proofs are kept.
    """
    table, assertions, artifacts = compilation.table, compilation.assertions, compilation.artifacts
    if table is None or assertions is None or artifacts is None:
        return None
    if reads_others(compilation) or kept_folder(KIND) is None:
        return None
    # Imported here: it reads what is installed as mails, which takes a while to import.
    from importlib.metadata import version

    # The spec's own bytes stand for its findings: their places, what is exempt, what is allowed.
    parts = {
        "form": _FORM,
        "lynkrc": __version__,
        "solver": version("z3-solver"),
        "rlimit": RLIMIT,
        "meaning": artifacts.meaning_digest,
        "sources": [hashlib.sha256(source.data).hexdigest() for source in artifacts.sources],
        "assertions": [
            (one.kind.value, one.source, one.name, one.waive) for one in assertions.items
        ],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in artifacts.bundled()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def load(key: str, compilation: Compilation) -> Kept | None:
    """The proof kept under a key, which is that of the compilation."""
    data = read_kept(KIND, key)
    if data is None:
        return None
    try:
        found = json.loads(data)
        kept = Kept(
            verdicts=Verdicts(
                assertions=tuple(found["verdicts"]), assumptions=tuple(found["assumptions"])
            ),
            report=found["report"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return kept if _proves(kept, compilation) else None


def _proves(kept: Kept, compilation: Compilation) -> bool:
    """Whether it says of each assertion that it is proved, or unknown and waived."""
    items = () if compilation.assertions is None else compilation.assertions.items
    if len(items) != len(kept.verdicts.assertions):
        return False
    for one, verdict in zip(items, kept.verdicts.assertions, strict=True):
        said = {"name": one.name, "assertion": one.source}
        proved = {**said, "verdict": "proved", "waived": None}
        waived = {**said, "verdict": "unknown", "waived": one.waive}
        if verdict != proved and (one.waive is None or verdict != waived):
            return False
    texts = all(isinstance(one, str) for one in kept.verdicts.assumptions)
    return texts and isinstance(kept.report, dict)


def keep(key: str, proof: Kept) -> None:
    """Keep a proof; where that cannot be, the next build proves again."""
    document = {
        "verdicts": list(proof.verdicts.assertions),
        "assumptions": list(proof.verdicts.assumptions),
        "report": proof.report,
    }
    keep_file(KIND, key, json.dumps(document).encode(), most=_MOST)
