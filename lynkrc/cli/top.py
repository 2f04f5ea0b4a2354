"""``lynkrc top``: what a running gateway does, as a table that renews itself."""

import argparse
import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.terminal import columns_of, error, wants_colour
from lynkrc.live.asking import ADMIN, Unreachable, ask
from lynkrc.live.snapshot import Snapshot, is_after, snapshot
from lynkrc.live.table import Look, ScreenLine, screen

if TYPE_CHECKING:
    from lynkrc.live.screen import Frame, Screen

WINDOW = 30.0
"""Seconds that rates and quantiles look back, at least one interval."""
_BOLD, _RED, _YELLOW, _END = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_LOOKS = {Look.HEAD: _BOLD, Look.BAD: _RED, Look.WORSE: _YELLOW}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: whom to ask, how often, and whether to go on."""
    parser.add_argument(
        "--admin",
        metavar="URL",
        default=os.environ.get("LYNKRC_ADMIN") or ADMIN,
        help=f"the operators' address of a gateway (default: LYNKRC_ADMIN, else {ADMIN})",
    )
    parser.add_argument(
        "--every",
        type=_interval,
        metavar="SECONDS",
        default=2.0,
        help="how often it is asked (default: 2)",
    )
    parser.add_argument(
        "--once", action="store_true", help="print one table and end, also into a pipe"
    )
    parser.epilog = (
        "q or Ctrl+C ends it. Where the gateway has a token for operators, LYNKRC_ADMIN_TOKEN is "
        "shown to it."
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Show it; 2 where no gateway answers a single question, or there is no terminal to renew."""
    token = os.environ.get("LYNKRC_ADMIN_TOKEN")
    if arguments.once:
        return _once(arguments.admin, token)
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        error("a table that renews itself needs a terminal; --once prints one")
        return ExitCode.CANNOT_RUN
    if os.environ.get("TERM", "dumb") == "dumb":
        error("this terminal (TERM) cannot be written to anew; --once prints a table")
        return ExitCode.CANNOT_RUN
    try:
        # Here, since Windows has no curses, and needs none for the rest.
        from lynkrc.live.screen import Screen
    except ImportError:
        error("a table that renews itself needs curses, which this Python has not; use --once")
        return ExitCode.CANNOT_RUN
    with Screen(colour=wants_colour(sys.stdout)) as shown:
        _watch(shown, arguments.admin, token, arguments.every)
    return ExitCode.OK


def _watch(shown: "Screen", admin: str, token: str | None, every: float) -> None:
    """Ask and show until somebody has had enough."""
    seen: deque[Snapshot] = deque()
    trouble: str | None = None
    due = time.monotonic()
    while True:
        if time.monotonic() >= due:
            try:
                new = taken(admin, token, within=max(1.0, every))
                if seen and not is_after(new, seen[-1]):
                    seen.clear()
                seen.append(new)
                while len(seen) > 2 and seen[1].at <= new.at - WINDOW:
                    seen.popleft()
                trouble = None
            except Unreachable as problem:
                trouble = str(problem)
            due = time.monotonic() + every
        shown.show(_lines(seen, trouble, shown.frame))
        if shown.wait(max(0.0, due - time.monotonic())):
            return


def _lines(seen: deque[Snapshot], trouble: str | None, frame: "Frame") -> list[ScreenLine]:
    told = []
    room = frame.height - 1
    if trouble is not None:
        since = f"the last answer is {time.monotonic() - seen[-1].at:.0f} s old" if seen else ""
        told = [ScreenLine(text[: frame.width], Look.BAD) for text in (trouble, since) if text]
        room -= len(told)
    if seen:
        old = seen[0] if len(seen) > 1 else None
        told += screen(seen[-1], old, width=frame.width, height=max(1, room))
    told = told[: max(1, frame.height - 1)]
    told += [ScreenLine("")] * (frame.height - 1 - len(told))
    return [*told, ScreenLine("q: quit"[: frame.width])][: frame.height]


def _once(admin: str, token: str | None) -> ExitCode:
    out = sys.stdout
    try:
        found = taken(admin, token, within=5.0)
    except Unreachable as problem:
        error(f"{problem}; `lynkrc serve` starts one, --admin says where it is")
        return ExitCode.CANNOT_RUN
    colour = wants_colour(out)
    for line in screen(found, None, width=columns_of(out) or 100, height=None):
        look = _LOOKS.get(line.look, "") if colour else ""
        print(f"{look}{line.text.rstrip()}{_END if look else ''}", file=out)
    return ExitCode.OK


def taken(admin: str, token: str | None, *, within: float) -> Snapshot:
    """What a gateway has counted so far. Raises Unreachable."""
    # Here, so that completing an option does not wait for the library of metrics.
    from lynkrc_runtime.telemetry.merging import families

    at = time.monotonic()
    told = ask(admin, "/metrics/observability", token=token, within=within)
    text = ask(admin, "/metrics", token=token, within=within)
    try:
        samples = [one for _, _, _, found in families(text.decode()) for one in found]
        return snapshot(at, msgspec.json.decode(told), samples)
    except (ValueError, LookupError, TypeError, ArithmeticError, msgspec.DecodeError) as problem:
        raise Unreachable(f"{admin} answers, but not as a gateway tells operators") from problem


def _interval(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"0.1 to 3600 seconds, not {text!r}")
    return found
