"""``lynkrc eval``: how well a spec tells requests that need a strong model from the others."""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from lynkrc.cli.comparands import GIT, compile_at, compile_path
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.labelled import draws, loaded, rows_of, strong_from, told_of, whole
from lynkrc.cli.progress import Progress
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import error, wants_colour
from lynkrc.diagnostics.wording import shown
from lynkrc.pipeline import Compilation
from lynkrc.quality.decided import Undecided, decide_rows
from lynkrc.quality.evaluate import Question, evaluate
from lynkrc.quality.report_json import render_json
from lynkrc.quality.report_text import render_text, verdict
from lynkrc.quality.results import LENGTH, OLD, Evaluation

_FORMS: dict[str, Literal["svg", "png"]] = {".svg": "svg", ".png": "png"}
_WORSE = {"length": LENGTH, "older": OLD}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec, the data, what to compare with, the form."""
    parser.epilog = (
        "Requests stand in the order of their tier, and within a tier of the points of the score: "
        "the higher, the sooner the strong model answers. Points are of the whole score, so they "
        "order requests that one tier cannot tell apart, and those that a rule sent there too."
    )
    parser.add_argument("spec", type=Path, help="a spec, or a bundle")
    parser.add_argument(
        "data", nargs="*", type=Path, metavar="DATA", help="labelled requests, one a line (JSON)"
    )
    parser.add_argument(
        "--log",
        action="append",
        type=Path,
        metavar="LOG",
        help="instead of DATA a usage log (`serve --usage-log`): how requests ended; repeatable",
    )
    parser.add_argument(
        "--against", metavar="OLD", help="an older spec or bundle, or git:REF for this one's"
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
        "--fail-if-worse",
        choices=tuple(_WORSE),
        action="append",
        default=[],
        help="exit with 1 where the spec is shown to be worse; repeatable",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="draw the curves into a .svg or .png; repeatable (needs the extra `quality`)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--seed", type=whole, default=0, help="of the draws (default: 0)")
    parser.add_argument(
        "--resamples",
        type=draws,
        default=1000,
        help="draws behind an interval, 100 or more (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the evaluation; 1 where it is worse than it may be, 2 where there is none."""
    try:
        if arguments.log is not None:
            # Imported here: data needs nothing of it.
            from lynkrc.cli.eval_log import run_log

            return run_log(arguments)
        found = _evaluated(arguments)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if found is None:
        return ExitCode.FINDINGS
    try:
        _draw(found, arguments.plot)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    out = sys.stdout
    if arguments.format == "json":
        out.write(render_json(found))
    else:
        out.write(render_text(found, colour=wants_colour(out)))
    verdicts = {name: verdict(found, _WORSE[name]) for name in arguments.fail_if_worse}
    if None in verdicts.values():
        error("--fail-if-worse: no suite has scores of two models that can be told apart")
        return ExitCode.CANNOT_RUN
    worse = [name for name, sign in verdicts.items() if sign == -1]
    for name in worse:
        than = "the older spec" if name == "older" else "length"
        error(f"the spec is worse than {than} (--fail-if-worse {name})")
    return ExitCode.FINDINGS if worse else ExitCode.OK


def _evaluated(arguments: argparse.Namespace) -> Evaluation | None:
    if not arguments.data:
        raise CannotRead("name DATA, files of labelled requests, or --log FILE, a usage log")
    if "older" in arguments.fail_if_worse and arguments.against is None:
        raise CannotRead("--fail-if-worse older: name the older spec by --against")
    for path in arguments.plot:
        _check_plot(path)
    compilation = compile_path(arguments.spec)
    bundle = loaded(compilation, arguments.spec)
    if bundle is None:
        return None
    rows = rows_of(arguments.data, arguments.suite)
    tiers = tuple(tier.name for tier in bundle.dispatch.tiers)
    first_strong = strong_from(arguments.strong_from, tiers)
    with Progress("deciding") as say:
        decided, undecided = decide_rows(bundle, told_of(rows, say))
    old = None
    if arguments.against is not None:
        older = _older(arguments.against, arguments.spec)
        old_bundle = loaded(older, Path(arguments.against))
        if old_bundle is None:
            return None
        with Progress("deciding by the older spec:") as say:
            by_old, not_by_old = decide_rows(old_bundle, told_of([one.row for one in decided], say))
        old = {one.row.id: one.key for one in by_old}
        decided = tuple(one for one in decided if one.row.id in old)
        undecided += tuple(
            Undecided(row=one.row, reason=f"by the older spec, {one.reason}") for one in not_by_old
        )
    question = Question(
        spec=str(arguments.spec),
        digest=bundle.manifest.meaning_digest,
        tiers=tiers,
        strong_from=first_strong,
        decided=decided,
        undecided=undecided,
        old_name=arguments.against,
        old=old,
        weak=arguments.weak,
        strong=arguments.strong,
        seed=arguments.seed,
        resamples=arguments.resamples,
    )
    with Progress("drawing") as say:
        return evaluate(question, say=say)


def _check_plot(path: Path) -> None:
    """CannotRead for a picture that cannot be drawn, before anything is worked out."""
    if path.suffix not in _FORMS:
        raise CannotRead(f"--plot {shown(str(path))}: name a file that ends in .svg or .png")
    if find_spec("matplotlib") is None:
        raise CannotRead("--plot needs matplotlib; install it with: pip install 'lynkrc[quality]'")


def _draw(found: Evaluation, files: Sequence[Path]) -> None:
    """Write the pictures. CannotRead where there is nothing to draw, or a file cannot be."""
    if not files:
        return
    if not found.suites:
        raise CannotRead("--plot: no suite has scores of two models that can be told apart")
    from lynkrc.quality.plot import draw

    for path in files:
        try:
            path.write_bytes(draw(found, _FORMS[path.suffix]))
        except OSError as problem:
            raise CannotRead(f"cannot write {path}: {problem.strerror}") from None


def _older(against: str, spec: Path) -> Compilation:
    return compile_at(against, spec) if against.startswith(GIT) else compile_path(Path(against))
