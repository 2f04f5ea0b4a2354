"""``lynkrc tune``: weights fitted to labelled requests, as a diff of the spec to review."""

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import final

from lynkrc.cli.comparands import is_bundle
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.labelled import draws, loaded, rows_of, strong_from, told_of, whole
from lynkrc.cli.progress import Progress
from lynkrc.cli.rewriting import replace_file
from lynkrc.cli.specs import CannotRead, DiskLoader, catalog_files, spec_bytes
from lynkrc.cli.terminal import error, note, wants_colour
from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc.diagnostics.sema_codes import UNUSED
from lynkrc.diagnostics.wording import shown
from lynkrc.pipeline import Compilation, compile_spec
from lynkrc.quality import tune_log_report, tune_log_report_json
from lynkrc.quality.compiled import first_difference
from lynkrc.quality.decided import Decided, decide_rows
from lynkrc.quality.labels import labels_of
from lynkrc.quality.patch import FileChange, patch
from lynkrc.quality.proposal import CannotPropose, Proposal, propose, without
from lynkrc.quality.results import Figure
from lynkrc.quality.rows import Row
from lynkrc.quality.tune_log_report import TuneLogReport
from lynkrc.quality.tune_report import TierMove, TuneReport, Verdict, gain, verdict_of
from lynkrc.quality.tune_report_json import render_json
from lynkrc.quality.tune_report_text import render_text
from lynkrc.quality.tuned import FittedScore, RowScore, Tuned
from lynkrc.sema.loader import BaseFile
from lynkrc.source.decode_text import decode_source
from lynkrc.source.text import SourceFile, Span
from lynkrc_runtime.bundle import LoadedBundle

_MARK = "\ufeff"
_MOST_TERMS = 10_000
_NOT_WITH_LOG = {
    "data": "DATA",
    "suite": "--suite",
    "weak": "--weak",
    "strong": "--strong",
    "budget_usd": "--budget-usd",
    "max_terms": "--max-terms",
}
"""What is about graded answers, or about words: a log has neither."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec, the data, how much may be fitted, what becomes of the diff."""
    parser.add_argument("spec", type=Path, help="the spec")
    parser.add_argument(
        "data", nargs="*", type=Path, metavar="DATA", help="labelled requests, one a line (JSON)"
    )
    parser.add_argument(
        "--log",
        action="append",
        type=Path,
        metavar="LOG",
        help="instead of DATA a usage log (`serve --usage-log`): weak labels of how requests "
        "ended; repeatable",
    )
    parser.add_argument("--suite", action="append", help="only this suite of the data; repeatable")
    parser.add_argument("--weak", metavar="MODEL", help="instead of the one that rows name")
    parser.add_argument("--strong", metavar="MODEL", help="likewise")
    parser.add_argument(
        "--strong-from",
        metavar="TIER",
        help="the first tier that stands for the strong model (default: the upper half)",
    )
    parser.add_argument(
        "--max-weights",
        type=whole,
        default=100,
        metavar="N",
        help="dimensions and words together (default: %(default)s)",
    )
    parser.add_argument(
        "--max-terms",
        type=whole,
        default=0,
        metavar="N",
        help="words beside those weights, up to 10,000; more than 100 go into a file of terms",
    )
    aim = parser.add_mutually_exclusive_group()
    aim.add_argument(
        "--shares",
        type=_shares,
        metavar="40,30,20,10",
        help="percent of the requests for each tier (default: what the spec has on this data)",
    )
    aim.add_argument(
        "--budget-usd", type=_usd, metavar="N", help="what 1,000 requests may cost, in USD"
    )
    parser.add_argument("--folds", type=whole, default=5, help="default: %(default)s")
    parser.add_argument("--seed", type=whole, default=0, help="of folds and draws (default: 0)")
    parser.add_argument(
        "--resamples",
        type=draws,
        default=1000,
        help="draws behind an interval, 100 or more (default: %(default)s)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PATCH", help="write the diff there, not below"
    )
    parser.add_argument("--write", action="store_true", help="change the spec itself")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--require-gain",
        action="store_true",
        help="exit with 1 unless it is shown to be better than the current spec",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print report and diff; 1 for a spec with errors or a gain that is missed, 2 for no fit."""
    try:
        _check(arguments)
        found = _tuned(arguments)
    except (CannotRead, CannotPropose) as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if found is None:
        return ExitCode.FINDINGS
    report, changes = found
    out = sys.stdout
    is_below = arguments.output is None and not arguments.write
    match report, arguments.format:
        case TuneReport(), "json":
            out.write(render_json(report))
        case TuneReport(), _:
            out.write(render_text(report, colour=wants_colour(out), diff=is_below))
        case TuneLogReport(), "json":
            out.write(tune_log_report_json.render_json(report))
        case TuneLogReport(), _:
            text = tune_log_report.render_text(report, colour=wants_colour(out), diff=is_below)
            out.write(text)
    try:
        _write(arguments, report, changes)
    except OSError as problem:
        error(f"cannot write {problem.filename}: {problem.strerror}")
        return ExitCode.CANNOT_RUN
    if arguments.require_gain and verdict_of(_gain(report)) is not Verdict.BETTER:
        error("no gain is shown over the current spec (--require-gain)")
        return ExitCode.FINDINGS
    return ExitCode.OK


def _gain(report: TuneReport | TuneLogReport) -> Figure:
    if isinstance(report, TuneLogReport):
        return report.tuned.order.over_current
    return gain(report.tuned)


def _check(arguments: argparse.Namespace) -> None:
    """CannotRead for what can be told before anything is read."""
    if find_spec("sklearn") is None:
        raise CannotRead("scikit-learn is not installed; pip install 'lynkrc[quality]'")
    if is_bundle(arguments.spec):
        raise CannotRead(f"{arguments.spec} is a bundle; name the spec, which is to be changed")
    if arguments.weak is not None and arguments.weak == arguments.strong:
        raise CannotRead(
            f"--weak and --strong are both {shown(arguments.weak)}; name two of `scores`"
        )
    if arguments.max_terms > _MOST_TERMS:
        raise CannotRead(f"--max-terms {arguments.max_terms}: at most {_MOST_TERMS:,}")
    if arguments.log is not None:
        _check_log(arguments)
    elif not arguments.data:
        raise CannotRead("name DATA, files of labelled requests, or --log FILE, a usage log")


def _check_log(arguments: argparse.Namespace) -> None:
    for member, name in _NOT_WITH_LOG.items():
        if getattr(arguments, member):
            raise CannotRead(
                f"--log is about outcomes, without words or graded answers: leave out {name}, or "
                "tune without it"
            )


def _tuned(
    arguments: argparse.Namespace,
) -> tuple[TuneReport | TuneLogReport, tuple[FileChange, ...]] | None:
    """The report and the files that change; None for a spec with errors, which are printed."""
    path: Path = arguments.spec
    data = spec_bytes(path)
    current = _compiled(path, data, None)
    bundle = loaded(current, path)
    if bundle is None or current.table is None:
        return None
    tiers = tuple(tier.name for tier in current.table.tiers)
    first_strong = strong_from(arguments.strong_from, tiers)
    if arguments.shares is not None and len(arguments.shares) != len(tiers):
        raise CannotRead(
            f"--shares: {len(arguments.shares)} for {len(tiers)} tiers; give one for each of "
            f"{', '.join(tiers)}"
        )
    if arguments.log is not None:
        return _tuned_by_log(arguments, data, current, bundle, first_strong)
    return _tuned_by_data(arguments, data, current, bundle, first_strong)


def _tuned_by_log(
    arguments: argparse.Namespace,
    data: bytes,
    current: Compilation,
    bundle: LoadedBundle,
    first_strong: int,
) -> tuple[TuneLogReport, tuple[FileChange, ...]]:
    from lynkrc.cli.tune_log import Log
    from lynkrc.quality.tune_log import lowered, rows_of_log

    path: Path = arguments.spec
    assert current.table is not None
    with Progress("tuning") as say:
        say("reading the log")
        log = Log(arguments)
        requests = log.requests(bundle, current.table)
        tuned = log.tuned(requests, current.table, first_strong, say)
        say("compiling the proposal")
        proposal, proposed = _proposed(path, data, current, tuned)
        built = loaded(proposed, path)
        assert built is not None and proposed.table is not None
        before, after = map(rows_of_log, (requests, log.requests(built, proposed.table)))
        _require_same(tuned.fitted, after)
    changes = _changes(path, data, proposal)
    report = TuneLogReport(
        spec=str(path),
        tuned=tuned,
        proposal=proposal,
        tiers=_moves([tier.name for tier in current.table.tiers], before, after),
        lowered=lowered(before, after, first_strong),
        findings=_new_findings(current, proposed),
        patch=patch(changes),
    )
    return report, changes


def _tuned_by_data(
    arguments: argparse.Namespace,
    data: bytes,
    current: Compilation,
    bundle: LoadedBundle,
    first_strong: int,
) -> tuple[TuneReport, tuple[FileChange, ...]]:
    from lynkrc.quality.tuning import CannotTune, TuneQuestion, tune

    path: Path = arguments.spec
    assert current.table is not None
    tiers = tuple(tier.name for tier in current.table.tiers)
    rows = rows_of(arguments.data, arguments.suite)
    _check_pairs(arguments, rows)
    with Progress("tuning") as say:
        decided, undecided = decide_rows(bundle, told_of(rows, say))
        try:
            tuned = tune(
                TuneQuestion(
                    spec=str(path),
                    digest=bundle.manifest.meaning_digest,
                    table=current.table,
                    decided=decided,
                    undecided=undecided,
                    strong_from=first_strong,
                    weak=arguments.weak,
                    strong=arguments.strong,
                    max_weights=arguments.max_weights,
                    max_terms=arguments.max_terms,
                    shares=arguments.shares,
                    budget_usd=arguments.budget_usd,
                    seed=arguments.seed,
                    folds=arguments.folds,
                    resamples=arguments.resamples,
                    say=say,
                )
            )
        except CannotTune as problem:
            files = ", ".join(map(str, arguments.data))
            raise CannotRead(f"{files}: {problem.message}; {problem.help}") from None
        say("compiling the proposal")
        proposal, proposed = _proposed(path, data, current, tuned)
        tuned_rows = _redecided(proposed, path, rows, tuned)
    changes = _changes(path, data, proposal)
    return (
        TuneReport(
            spec=str(path),
            tuned=tuned,
            proposal=proposal,
            sources=_sources(arguments, decided),
            tiers=_moves(tiers, decided, tuned_rows),
            findings=_new_findings(current, proposed),
            patch=patch(changes),
        ),
        changes,
    )


def _check_pairs(arguments: argparse.Namespace, rows: Sequence[Row]) -> None:
    for row in rows:
        weak, strong = arguments.weak or row.weak, arguments.strong or row.strong
        if row.scores is not None and weak is not None and weak == strong:
            raise CannotRead(
                f"{row.place.file}:{row.place.line}: weak and strong are both {shown(weak)} here; "
                "name two of `scores` by --weak and --strong"
            )


def _sources(
    arguments: argparse.Namespace, decided: Sequence[Decided]
) -> tuple[tuple[str, int], ...]:
    labels = {label.row: label for label in labels_of(decided, arguments.weak, arguments.strong)}
    return tuple(sorted(Counter(label.source for label in labels.values()).items()))


# -- the proposal --------------------------------------------------------------------------


@final
class _ProposedLoader:
    """Files on disk, but for the file of terms that is proposed."""

    def __init__(self, terms: FileChange | None, path: Path) -> None:
        self._terms = terms
        self._spec = str(path)
        self._disk = DiskLoader()

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """See `Loader.load`."""
        if self._terms is not None and (name, from_path) == (self._terms.path, self._spec):
            beside = os.path.normpath(Path(from_path).parent / name)
            return BaseFile(path=beside, data=self._terms.after.encode())
        return self._disk.load(name, from_path)


def _compiled(path: Path, data: bytes, terms: FileChange | None) -> Compilation:
    loader = _ProposedLoader(terms, path)
    return compile_spec(str(path), data, loader=loader, catalog=catalog_files())


def _load(name: str, from_path: str) -> SourceFile | None:
    found = DiskLoader().load(name, from_path)
    return None if found is None else decode_source(found.path, found.data)[0]


def _proposed(
    path: Path, data: bytes, current: Compilation, tuned: FittedScore
) -> tuple[Proposal, Compilation]:
    """The spec with the tuned score, and what it compiles to."""
    assert current.table is not None
    file, _ = decode_source(str(path), data)
    for extends_profile in (False, True):
        # Only where something still reads its words is a profile that is taken apart a base.
        proposal = propose(file, current.table, tuned, _load, extends_profile=extends_profile)
        proposed = _compiled(path, proposal.spec.after.encode(), proposal.terms)
        while unused := _unused(proposed, str(path)):
            after = without(unused[0].file, [name.start for name in unused])
            proposal = replace(
                proposal,
                spec=replace(proposal.spec, after=after),
                removed=(*proposal.removed, *(name.text for name in unused)),
            )
            proposed = _compiled(path, after.encode(), proposal.terms)
        if not proposed.has_errors:
            return proposal, proposed
    # What was fitted may leave a tier without requests, or what was asserted of the score.
    errors = [f"{one.code.id}: {one.message}" for one in _errors(proposed)]
    raise CannotPropose(
        f"{path}: with the tuned score the spec has errors, so it is not proposed: "
        f"{'; '.join(errors)}; give --shares that leave every tier some requests, or mend the spec"
    )


def _errors(compilation: Compilation) -> list[Diagnostic]:
    return [one for one in compilation.diagnostics if one.severity is Severity.ERROR]


def _unused(proposed: Compilation, path: str) -> list[Span]:
    """The names of definitions that nothing reads any more, if that is all that is wrong."""
    errors = _errors(proposed)
    is_all = all(one.code is UNUSED and one.span.file.path == path for one in errors)
    return [one.span for one in errors] if is_all else []


def _redecided(
    proposed: Compilation, path: Path, rows: Sequence[Row], tuned: Tuned
) -> tuple[Decided, ...]:
    """The rows by the proposed spec. RuntimeError where it does not say what the fit says."""
    bundle = loaded(proposed, path)
    assert bundle is not None
    decided, _ = decide_rows(bundle, rows)
    _require_same(tuned.fitted, decided)
    return decided


def _require_same(fitted: Sequence[RowScore], decided: Sequence[Decided]) -> None:
    different = first_difference(fitted, decided)
    if different is not None:
        raise RuntimeError(f"the proposed spec is not what was fitted: {different}")


def _moves(
    tiers: Sequence[str], before: Sequence[Decided], after: Sequence[Decided]
) -> tuple[TierMove, ...]:
    old, new = (Counter(one.tier for one in decided) for decided in (before, after))
    return tuple(
        TierMove(tier=name, before=old[number], after=new[number])
        for number, name in enumerate(tiers)
    )


def _new_findings(current: Compilation, proposed: Compilation) -> tuple[str, ...]:
    """Findings above notes that the spec has only with the proposal."""

    def told(findings: Sequence[Diagnostic]) -> list[str]:
        return [
            f"{one.code.id} {one.message}"
            for one in findings
            if one.severity in (Severity.ERROR, Severity.WARNING)
        ]

    known = set(told(current.diagnostics))
    return tuple(one for one in told(proposed.diagnostics) if one not in known)


# -- the files -----------------------------------------------------------------------------


def _changes(path: Path, data: bytes, proposal: Proposal) -> tuple[FileChange, ...]:
    """The files that change, by paths from here, or, for a spec elsewhere, from its folder."""
    written = path.name if _is_elsewhere(path) else Path(os.path.relpath(path)).as_posix()
    mark = _MARK if data.startswith(_MARK.encode()) else ""
    spec = proposal.spec
    changes = [FileChange(path=written, before=mark + (spec.before or ""), after=mark + spec.after)]
    if proposal.terms is not None:
        beside = Path(os.path.normpath(Path(written).parent / proposal.terms.path)).as_posix()
        changes.append(replace(proposal.terms, path=beside))
    return tuple(changes)


def _is_elsewhere(path: Path) -> bool:
    """Whether a file is not in this folder or one within it."""
    return Path(os.path.relpath(path)).parts[:1] == ("..",)


def _write(
    arguments: argparse.Namespace, report: TuneReport | TuneLogReport, changes: Sequence[FileChange]
) -> None:
    if arguments.output is not None:
        arguments.output.write_text(report.patch, encoding="utf-8", newline="")
        note(f"the diff is in {arguments.output}")
    if not arguments.write:
        if report.patch and _is_elsewhere(arguments.spec):
            note(f"the diff is to be applied in {arguments.spec.parent}")
        return
    if not report.patch:
        note(f"{arguments.spec} stays as it is")
        return
    spec, *terms = changes
    # The terms before the spec, which names them.
    for change in terms:
        assert report.proposal.terms is not None
        beside = arguments.spec.parent / report.proposal.terms.path
        beside.write_bytes(change.after.encode())
    replace_file(arguments.spec, spec.after.encode())
    note(f"changed {arguments.spec}")


# -- arguments -----------------------------------------------------------------------------


def _shares(written: str) -> tuple[float, ...]:
    parts = written.split(",")
    if not all(re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", part) for part in parts):
        raise argparse.ArgumentTypeError(
            f"{shown(written)} is no list of percents, as in 40,30,20,10"
        )
    found = [float(part) for part in parts]
    if abs(sum(found) - 100) > 1e-6:
        raise argparse.ArgumentTypeError(f"{shown(written)} adds up to {sum(found):g}, not to 100")
    return tuple(one / 100 for one in found)


def _usd(written: str) -> float:
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", written) is None or float(written) == 0:
        raise argparse.ArgumentTypeError(f"{shown(written)} is no amount above 0, such as 12.5")
    return float(written)
