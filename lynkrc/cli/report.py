"""``lynkrc report``: what was spent and saved against one flagship, and what a change would do."""

import argparse
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from lynkrc.cli.comparands import compile_path
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.progress import doing
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead
from lynkrc.cli.terminal import columns_of, error, wants_colour
from lynkrc.cli.usage import WRITES, lines_of, moment
from lynkrc.diagnostics.render_text import render_text
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.usage.saved import Flagship, Saved, during, saved

if TYPE_CHECKING:
    from lynkrc.diff.replay import Decider
    from lynkrc.usage.saved_report import Change


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the logs, the spec, what to compare with, the time, the form."""
    parser.add_argument(
        "logs",
        nargs="+",
        type=Path,
        metavar="LOG",
        help="usage logs (`serve --usage-log`), lines or databases; several are added up",
    )
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument(
        "--spec",
        type=Path,
        default=DEFAULT_SPEC,
        help="whose targets and prices these are, a spec or a bundle (default: %(default)s)",
    )
    whose.add_argument("--bundle", dest="spec", type=Path, help="the same")
    parser.add_argument(
        "--flagship",
        metavar="TARGET",
        help="what everything is compared with (default: the dearest target, input and output)",
    )
    parser.add_argument(
        "--change",
        type=Path,
        metavar="NEW",
        help="a changed spec or bundle: who would have moved, at what cost",
    )
    parser.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="a time ago (30m, 24h, 7d) or a moment (2026-01-31, 2026-01-31T12:00); UTC",
    )
    parser.add_argument("--until", type=moment, metavar="TIME", help="up to then, without it")
    parser.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="default: text"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the report; 2 where there is nothing to report of."""
    try:
        sides = [_decider(path) for path in (arguments.spec, arguments.change) if path is not None]
        if None in sides:
            return ExitCode.CANNOT_RUN
        deciders = [one for one in sides if one is not None]
        flagship = _flagship(deciders[0], arguments.flagship, arguments.spec)
        with doing("adding up", ", ".join(map(str, arguments.logs))):
            found = saved(
                lines_of(arguments.logs),
                flagship,
                tiers=[tier.name for tier in deciders[0].table.tiers],
                since=arguments.since,
                until=arguments.until,
            )
        _require_records(found, arguments.logs)
        change = _change(deciders, arguments) if len(deciders) > 1 else None
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    sys.stdout.write(_report(found, change, arguments.format))
    return ExitCode.OK


def _decider(path: Path) -> "Decider | None":
    """The spec at a path, ready to decide; None where it has errors, which are told."""
    from lynkrc.diff.replay import decider_of

    done = compile_path(path)
    if done.table is None or done.artifacts is None:
        sys.stderr.write(render_text(done.diagnostics, colour=wants_colour(sys.stderr)))
        error(f"{shown(str(path))} has errors, so it has no prices and decides nothing")
        return None
    return decider_of(done.table, done.artifacts.meaning_digest)


def _flagship(decider: "Decider", name: str | None, path: Path) -> Flagship:
    """The target of that name, or the dearest as `pick: cheapest` counts, the first of several."""
    priced = [
        Flagship(target=target.name, price=target.price, prices=prices)
        for target, prices in zip(decider.table.targets, decider.prices, strict=True)
        if target.price is not None and prices is not None
    ]
    if name is None:
        if not priced:
            raise CannotRead(f"{path} states no price of any target: nothing can be compared")
        return max(priced, key=lambda one: Decimal(one.price[0]) + Decimal(one.price[1]))
    names = [target.name for target in decider.table.targets]
    if name not in names:
        raise CannotRead(
            f"{path} has no target {shown(name)}; {did_you_mean(name, names, 'it has')}"
        )
    for one in priced:
        if one.target == name:
            return one
    raise CannotRead(f"{path} states no price of {shown(name)}")


def _require_records(found: Saved, logs: Sequence[Path]) -> None:
    if found.total.requests or found.embeddings or found.lost:
        return
    named = ", ".join(map(str, logs))
    if found.outside:
        raise CannotRead(
            f"{named}: all {found.outside} requests are from other times; widen --since and --until"
        )
    first = f" (line {found.bad[0].line}: {found.bad[0].problem})" if found.bad else ""
    raise CannotRead(f"{named} holds no record of a request{first}; {WRITES}")


def _change(deciders: "Sequence[Decider]", arguments: argparse.Namespace) -> "Change":
    from lynkrc.diff.replay import replay
    from lynkrc.usage.saved_report import Change

    lines = during(lines_of(arguments.logs), arguments.since, arguments.until)
    return Change(
        spec=str(arguments.spec),
        new=str(arguments.change),
        replay=replay(", ".join(map(str, arguments.logs)), lines, deciders[0], deciders[1]),
    )


def _report(found: Saved, change: "Change | None", form: str) -> str:
    from lynkrc.diff.report_markdown import replay_section
    from lynkrc.diff.report_text import render_replay
    from lynkrc.usage import saved_report

    out = sys.stdout
    match form:
        case "json":
            return saved_report.render_json(found, change)
        case "markdown":
            told = saved_report.render_markdown(found)
            if change is not None:
                told += f"\n{replay_section(change.heading, change.replay)}\n"
            return told
        case _:
            told = saved_report.render_text(found, colour=wants_colour(out))
            if change is not None:
                told += "\n" + render_replay(
                    change.heading,
                    change.replay,
                    colour=wants_colour(out),
                    columns=columns_of(out),
                )
            return told
