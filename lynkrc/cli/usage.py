"""``lynkrc usage``: what requests used and cost, by tier, target, key, day and the like."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.progress import doing
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import columns_of, error, wants_colour
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.diff.logged import read_lines
from lynkrc.diff.replayed import BadLine
from lynkrc.usage.flagship import dearest
from lynkrc.usage.report import render_csv, render_json, render_text
from lynkrc.usage.tally import BY, Spent, spent
from lynkrc_runtime.bundle import BrokenBundle, open_bundle
from lynkrc_runtime.cost import Prices, prices_of
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.usage_database import usage_lines
from lynkrc_runtime.usage_record import Line

DEFAULT = Path("usage.jsonl")
_AGO = re.compile(r"(?P<count>[0-9]{1,9})(?P<unit>[smhd])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
WRITES = "`lynkrc serve BUNDLE --usage-log FILE` writes such a log"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the log, the time, what to tell apart, what to compare with, the form."""
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help=f"a usage log, lines or a database; several are added up (default: {DEFAULT})",
    )
    parser.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="a time ago (30m, 24h, 7d) or a moment (2026-01-31, 2026-01-31T12:00); UTC",
    )
    parser.add_argument("--until", type=moment, metavar="TIME", help="up to then, without it")
    parser.add_argument(
        "--by",
        type=keys,
        default=("tier",),
        metavar="KEY[,KEY]",
        help=f"what to tell apart, one or two of {', '.join(BY)} (default: tier)",
    )
    parser.add_argument(
        "--bundle", type=Path, help="tell what was saved by its prices beside all on --flagship"
    )
    parser.add_argument(
        "--flagship",
        metavar="TARGET",
        help="the target of --bundle that everything is compared with (default: the dearest)",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "csv"), default="text", help="default: text"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the sums; 2 where there is nothing to add up."""
    files: Sequence[Path] = arguments.files or (DEFAULT,)
    try:
        against = _against(arguments.flagship, arguments.bundle)
        with doing("adding up", ", ".join(map(str, files))):
            found = spent(
                lines_of(files),
                by=arguments.by,
                since=arguments.since,
                until=arguments.until,
                against=against,
            )
        _require_records(found, files)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    match arguments.format:
        case "json":
            sys.stdout.write(render_json(found))
        case "csv":
            sys.stdout.write(render_csv(found))
        case _:
            out = sys.stdout
            sys.stdout.write(render_text(found, colour=wants_colour(out), columns=columns_of(out)))
    return ExitCode.OK


def lines_of(files: Sequence[Path]) -> Iterator[Line | BadLine]:
    """The lines of usage logs, in turn. CannotRead for one that is none."""
    for path in files:
        try:
            for line in read_lines(usage_lines(path)):
                if isinstance(line, BadLine) and len(files) > 1:
                    yield replace(line, problem=f"{line.problem}, in {path}")
                else:
                    yield line
        except IsADirectoryError:
            raise CannotRead(f"{path} is a folder; name the file in it") from None
        except FileNotFoundError:
            raise CannotRead(f"there is no {path}; {WRITES}") from None
        except OSError as problem:
            raise CannotRead(f"cannot read {path}: {problem.strerror or problem}") from None


def _require_records(found: Spent, files: Sequence[Path]) -> None:
    if found.total.requests or found.lost:
        return
    named = ", ".join(map(str, files))
    if found.outside:
        raise CannotRead(
            f"{named}: all {found.outside} requests are from other times; widen --since and --until"
        )
    if found.bad:
        first = found.bad[0]
        raise CannotRead(
            f"{named} holds no record of a request (line {first.line}: {first.problem}); {WRITES}"
        )
    raise CannotRead(f"{named} holds no record of a request yet; {WRITES}")


def _against(target: str | None, path: Path | None) -> tuple[str, Prices] | None:
    if path is None:
        if target is not None:
            raise CannotRead("--flagship needs --bundle FILE: a usage log holds no prices")
        return None
    dispatch = dispatch_of(path)
    if target is None:
        found = dearest(dispatch.targets)
        if found is None:
            raise CannotRead(f"{path} states no price of any target: nothing can be compared")
        return found
    for one in dispatch.targets:
        if one.name == target:
            prices = prices_of(one.price)
            if prices is None:
                raise CannotRead(f"{path} states no price of {shown(target)}")
            return target, prices
    near = did_you_mean(target, [one.name for one in dispatch.targets], "it has")
    raise CannotRead(f"{path} has no target {shown(target)}; {near}")


def dispatch_of(path: Path) -> Dispatch:
    """What a bundle does with requests; CannotRead for what is no bundle."""
    try:
        return msgspec.json.decode(open_bundle(path).files["dispatch.json"], type=Dispatch)
    except BrokenBundle as problem:
        raise CannotRead(str(problem)) from problem
    except msgspec.DecodeError as problem:
        raise CannotRead(f"{path}: dispatch.json: {problem}") from problem


def keys(text: str) -> tuple[str, ...]:
    """One or two different words of `BY`, with a comma between them."""
    found = tuple(text.split(","))
    for one in found:
        if one not in BY:
            near = did_you_mean(one, list(BY), "there are")
            raise argparse.ArgumentTypeError(
                f"nothing to tell apart is called {shown(one)}; {near}"
            )
    if len(found) > 2 or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{shown(text)}: one or two different ones, as `day,tier`")
    return found


def moment(text: str) -> datetime:
    """A time ago or a moment, in UTC where it has no zone."""
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return datetime.now(UTC) - int(ago["count"]) * _UNITS[ago["unit"]]
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is no time: write 24h, 7d, 2026-01-31 or 2026-01-31T12:00"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
