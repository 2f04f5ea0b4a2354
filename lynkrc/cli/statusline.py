"""``lynkrc statusline``: what was routed and spent, in one line for a prompt or Claude Code.

It is run again and again by something that shows what it prints: it imports little, waits for
nobody, and never ends with an error.
"""

import argparse
import json
import os
import select
import sys
from datetime import UTC, datetime
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.live.line import NOBODY, PLACEHOLDERS, Known, dollars, filled, usual_line
from lynkrc.live.today import flagship_prices, midnight, today

_PATIENCE = 0.1
"""Seconds a gateway, or whoever runs us, has to say something."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the log or the gateway, and the form."""
    parser.add_argument(
        "--usage-log",
        type=Path,
        metavar="FILE",
        default=_path("LYNKRC_USAGE_LOG"),
        help="a usage log, of which today counts (default: LYNKRC_USAGE_LOG, which `lynkrc wrap` "
        "sets; without one, a gateway is asked)",
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        default=_path("LYNKRC_BUNDLE"),
        help="tell what was saved beside all on its dearest target (default: LYNKRC_BUNDLE)",
    )
    parser.add_argument(
        "--admin",
        metavar="URL",
        help="the operators' address of a gateway (default: LYNKRC_ADMIN, else port 8082 here)",
    )
    parser.add_argument(
        "--format",
        metavar="TEXT",
        help=f"a line of your own, with {', '.join(f'{{{one}}}' for one in PLACEHOLDERS)}",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the line; also where there is nothing to tell."""
    client = _client()
    known = None
    if arguments.usage_log is not None:
        known = _logged(arguments.usage_log, arguments.bundle, client)
    if known is None:
        known = _asked(arguments.admin or os.environ.get("LYNKRC_ADMIN"), client)
    if known is None:
        print(NOBODY)
    elif arguments.format is not None:
        print(filled(arguments.format, known))
    else:
        print(usual_line(known))
    return ExitCode.OK


def _logged(log: Path, bundle: Path | None, client: str) -> Known | None:
    began = midnight(datetime.now(UTC))
    try:
        found = today(log, began, None if bundle is None else flagship_prices(bundle))
    except OSError:
        return None
    more = "+" if found.is_more else ""
    return Known(
        tier=found.tier,
        target=found.target,
        model=found.model,
        requests=f"{found.requests}{more}",
        failed=str(found.failed),
        cost=f"{dollars(found.cost)}{more}",
        saved="" if found.saved is None else f"{found.saved} %",
        client=client,
    )


def _asked(admin: str | None, client: str) -> Known | None:
    # Here, since a log is told of without it.
    from contextlib import suppress
    from threading import Thread

    from lynkrc.live.asking import ADMIN, Unreachable, ask

    token = os.environ.get("LYNKRC_ADMIN_TOKEN")
    answers: list[bytes] = []

    def wait_for_it() -> None:
        with suppress(Unreachable):
            path = "/metrics/observability"
            answers.append(ask(admin or ADMIN, path, token=token, within=_PATIENCE))

    # A name that is looked up, or an answer in small pieces, may take any time: nobody waits.
    asking = Thread(target=wait_for_it, daemon=True)
    asking.start()
    asking.join(3 * _PATIENCE)
    if not answers:
        return None
    try:
        told = json.loads(answers[0])
        fine = {"served", "responded", "aborted"}
        by_class = told["requests"]["by_class"]
        return Known(
            requests=str(told["requests"]["total"]),
            failed=str(sum(count for name, count in by_class.items() if name not in fine)),
            cost=dollars(told["cost_micro_usd"]),
            since=f"{told['name']}, up {told['uptime_seconds'] // 60} min",
            client=client,
        )
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _client() -> str:
    """The model's name as Claude Code tells it on standard input; empty for anybody else.

    https://code.claude.com/docs/en/statusline: a command gets JSON there, and its first line is
    shown. Somebody else's input may never end: what is not there at once is not waited for.
    """
    try:
        if sys.stdin.isatty() or not select.select([sys.stdin], [], [], _PATIENCE)[0]:
            return ""
        told = json.loads(os.read(sys.stdin.fileno(), 2**20))
        return str(told["model"]["display_name"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""


def _path(name: str) -> Path | None:
    found = os.environ.get(name)
    return Path(found) if found else None
