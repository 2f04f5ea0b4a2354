"""``lynkrc eval SPEC --log LOG``: what logged outcomes say of a spec."""

import argparse
import sys
from collections.abc import Sequence

from lynkrc.cli.built import load_built
from lynkrc.cli.comparands import compile_path
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.labelled import strong_from
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import error, print_findings, wants_colour
from lynkrc.cli.usage import WRITES, lines_of
from lynkrc.quality.logged import LoggedRequests, decide_log
from lynkrc.quality.outcome_results import Outcomes
from lynkrc.quality.outcomes import LogQuestion, outcomes
from lynkrc.quality.outcomes_text import render_outcomes
from lynkrc.quality.report_json import render_json

_NOT_WITH = {
    "data": "DATA",
    "against": "--against",
    "suite": "--suite",
    "weak": "--weak",
    "strong": "--strong",
    "plot": "--plot",
}
"""What is about graded answers, of which a log has none."""


def run_log(arguments: argparse.Namespace) -> ExitCode:
    """Print what the log says; 1 for a spec with errors, or shown to be worse than length.

    CannotRead where there is nothing to say.
    """
    for member, name in _NOT_WITH.items():
        if getattr(arguments, member):
            raise CannotRead(f"--log is about outcomes: leave out {name}, or evaluate without it")
    if "older" in arguments.fail_if_worse:
        raise CannotRead("--fail-if-worse older: a log says nothing of an older spec")
    done = compile_path(arguments.spec)
    if done.has_errors or done.table is None:
        print_findings(done.diagnostics, "text", spec=arguments.spec)
        return ExitCode.FINDINGS
    bundle, _ = load_built(done)
    tiers = tuple(tier.name for tier in bundle.dispatch.tiers)
    place = strong_from(arguments.strong_from, tiers)
    log = decide_log(lines_of(arguments.log), bundle, done.table)
    require_requests(log, arguments)
    found = outcomes(
        LogQuestion(
            spec=str(arguments.spec),
            digest=bundle.manifest.meaning_digest,
            dispatch=bundle.dispatch,
            strong_from=place,
            log=log,
            seed=arguments.seed,
            resamples=arguments.resamples,
        )
    )
    out = sys.stdout
    if arguments.format == "json":
        out.write(render_json(found))
    else:
        out.write(render_outcomes(found, colour=wants_colour(out)))
    return _verdict(found, arguments.fail_if_worse)


def _verdict(found: Outcomes, gates: Sequence[str]) -> ExitCode:
    if "length" not in gates:
        return ExitCode.OK
    difference = found.weak.difference
    if difference is None:
        raise CannotRead("--fail-if-worse length: the log has no length, or no good or no bad ones")
    if difference.high < 0:
        error("the spec is worse than length (--fail-if-worse length)")
        return ExitCode.FINDINGS
    return ExitCode.OK


def require_requests(log: LoggedRequests, arguments: argparse.Namespace) -> None:
    """CannotRead for a log of which nothing can be decided."""
    if log.requests:
        return
    named = ", ".join(map(str, arguments.log))
    reasons = [f"{count:,} {what}" for what, count in log.left_out.most_common()]
    reasons += [f"line {one.line}: {one.problem}" for one in log.bad_lines[:1]]
    if reasons:
        raise CannotRead(f"{named}: no request can be decided by {arguments.spec}: {reasons[0]}")
    raise CannotRead(f"{named} holds no record of a request yet; {WRITES}")
