"""A compilation to what may be packed, and a packed bundle to whether it decides as it means."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from lynkrc.bundle.report import Verdicts
from lynkrc.cli import proof_cache
from lynkrc.cli.progress import Progress
from lynkrc.cli.proof_cache import Kept
from lynkrc.pipeline import Compilation, prove_compiled
from lynkrc_runtime.bundle import load_opened, open_bundle, portable_scorer

if TYPE_CHECKING:
    from lynkrc.proofs.run import Proved

NOTHING = Kept(verdicts=Verdicts(assertions=(), assumptions=()), report={})
"""Of a spec that asserts nothing."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A compilation with every finding, and, where no error is among them, what was proved.

    `key` is what the proof is to be kept under once the bundle was tried; None where it is an old
    one, or cannot be kept.
    """

    compilation: Compilation
    kept: Kept | None
    is_old: bool
    key: str | None

    @property
    def reads_others(self) -> bool:
        """Whether the proofs rest on files that compiling does not read."""
        return proof_cache.reads_others(self.compilation)


def prove(compilation: Compilation, spec: Path, *, caches: bool) -> Proven:
    """Prove what a spec without errors asserts, once for each meaning."""
    key = proof_cache.key_of(compilation) if caches else None
    kept = None if key is None else proof_cache.load(key, compilation)
    if kept is not None:
        return Proven(compilation=compilation, kept=kept, is_old=True, key=None)
    # Imported here, as below: what is kept does not wait for the solver.
    from lynkrc.cli.proving import comparing

    with Progress() as say:
        found, proved = prove_compiled(compilation, comparing(spec), say)
    if found.has_errors:
        return Proven(compilation=found, kept=None, is_old=False, key=None)
    return Proven(
        compilation=found,
        kept=NOTHING if proved is None else _told(proved),
        is_old=False,
        # What is told must be told again the next time.
        key=key if found.diagnostics == compilation.diagnostics else None,
    )


def _told(proved: "Proved") -> Kept:
    from lynkrc.proofs.report import full_json, verdicts_json

    return Kept(
        verdicts=Verdicts(
            assertions=tuple(verdicts_json(proved.proofs)), assumptions=proved.assumptions
        ),
        report=full_json(proved.proofs, proved.domain, proved.assumptions),
    )


def try_out(compilation: Compilation, bundle: bytes) -> tuple[int, str | None]:
    """On how many requests a bundle was tried, and why it must not be served, if it must not be:
    an engine of it decides otherwise than the table means.

    What cannot be loaded here cannot be tried, and nothing untried is packed.
    """
    from lynkrc.analysis.cells import chosen_vectors
    from lynkrc.analysis.study import study
    from lynkrc.testing.validate import shown_mismatch, validate

    lowered, table, artifacts = compilation.lowered, compilation.table, compilation.artifacts
    if lowered is None or table is None or artifacts is None:
        raise ValueError("a spec with errors has no bundle")
    with Progress() as say:
        say("that the scorers decide as the policy means")
        # What was asked of the policy as written is known already, and has the same vectors.
        subject = compilation.study or study(table)
        chosen = chosen_vectors(subject)
        with tempfile.TemporaryDirectory(prefix="lynkrc-") as folder:
            path = Path(folder) / f"{artifacts.name}.lynkr"
            path.write_bytes(bundle)
            opened = open_bundle(path)
            loaded = load_opened(opened, is_just_built=True)
        if opened.manifest.native and loaded.notice is not None:
            return 0, f"the native scorer was built, but it cannot be tried: {loaded.notice}"
        engines = {"python": portable_scorer(opened)}
        if loaded.engine != "python":
            engines[loaded.engine] = loaded.scorer
        found, tried = validate(table, engines, loaded.explain, chosen, written=lowered)
    if found is None:
        return tried, None
    whose, way_out = "lynkrc's", ""
    if found.engine == "native":
        whose, way_out = "lynkrc's or the C compiler's", " (without --native it can be built)"
    wrong = shown_mismatch(table, found)
    return tried, f"this is a mistake of {whose}, please report it with the spec{way_out}: {wrong}"
