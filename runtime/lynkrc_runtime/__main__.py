"""The command `lynkrc-runtime`: arguments to a served bundle; exits 0 once stopped, 2 unserved."""

import argparse
import asyncio
import gc
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lynkrc_runtime import __version__
from lynkrc_runtime.installed import owners_notice, told_version

MOST_WORKERS = 256
PROG = "lynkrc-runtime"
FROM_LYNKRC = "--from-lynkrc"
"""The first argument where `lynkrc serve` was typed, which messages then name."""


def parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command line; `prog` is what the user has typed."""
    main_parser = argparse.ArgumentParser(
        prog=prog, description="Serves a bundle that lynkrc has built."
    )
    main_parser.add_argument("--version", action="version", version=told_version(__version__))
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="serve a bundle until SIGTERM or SIGINT",
        description="Start the gateway on a bundle; SIGTERM or SIGINT ends it.",
    )
    add_serve_arguments(serve)
    # What a supervisor starts; nobody types it.
    work = commands.add_parser("work")
    work.add_argument("assignment")
    return main_parser


def add_serve_arguments(serve: argparse.ArgumentParser) -> None:
    """The arguments of `serve`."""
    serve.add_argument(
        "place",
        nargs="?",
        metavar="BUNDLE",
        help="a .lynkr file, its folder, or the https address of one that is signed",
    )
    serve.add_argument("--bundle", metavar="BUNDLE", help="the same, as an option")
    add_server_arguments(serve)
    serve.add_argument(
        "--host", help="address to listen on for clients (default: 127.0.0.1 and ::1)"
    )
    serve.add_argument(
        "--port", type=_port, help="for clients (default: the bundle's, or 8081); 0: any free port"
    )
    serve.add_argument(
        "--admin-port",
        type=_port,
        metavar="PORT",
        help="for operators (default: the bundle's, or 8082); 0: any free port",
    )
    serve.add_argument(
        "--workers",
        type=_workers,
        default=1,
        metavar="N",
        help="processes that serve; `auto` is one for each CPU (default: 1)",
    )
    serve.add_argument(
        "--stop-delay",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="how long a stop still accepts connections while readiness fails (default: 5)",
    )
    serve.add_argument(
        "--drain",
        type=_seconds,
        default=600.0,
        metavar="SECONDS",
        help="how long running requests then have to end (default: 600)",
    )
    serve.add_argument(
        "--dry-run",
        action="store_true",
        help="replace every provider by the simulator: no provider's credentials, no cost; "
        "x-lynkr-simulate: TARGET=BEHAVIOUR in a request chooses what it does",
    )
    serve.add_argument(
        "--insecure-open",
        action="store_true",
        help="let --host be open to the network without keys",
    )
    serve.add_argument(
        "--trusted-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="public key (PEM) of who signs bundles; may be given several times",
    )
    serve.add_argument(
        "--require-signature",
        action="store_true",
        help="serve no bundle that none of the trusted keys has signed",
    )
    serve.add_argument(
        "--usage-log",
        type=Path,
        metavar="FILE",
        help="append one record a request: features and decision, tokens and cost, no text of "
        "anybody's; a file named .db is an SQLite database; `lynkrc usage` and `lynkrc diff "
        "--replay` read either",
    )
    serve.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        help="default: what the bundle says, else info",
    )
    serve.add_argument(
        "--log-file", type=Path, metavar="FILE", help="append the log to a file, not to stderr"
    )
    serve.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="certificate and chain (PEM): serve https"
    )
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's key (PEM)")


def add_server_arguments(serve: argparse.ArgumentParser) -> None:
    """The arguments of `serve` that are about the server a bundle comes from."""
    serve.add_argument(
        "--bundle-poll",
        type=_span,
        metavar="SECONDS[-SECONDS]",
        help="how often a bundle's server is asked, at least and at most (default: 60-120)",
    )
    serve.add_argument(
        "--bundle-token-env", metavar="NAME", help="variable that holds the token to show it"
    )
    serve.add_argument(
        "--bundle-token-file",
        type=Path,
        metavar="FILE",
        help="file that holds the token; read at every question",
    )
    serve.add_argument(
        "--bundle-ca",
        type=Path,
        metavar="FILE",
        help="certificates (PEM) to trust for it, in the place of the system's",
    )
    serve.add_argument(
        "--bundle-cache",
        type=Path,
        metavar="DIR",
        help="where the last good bundle is kept (default: STATE_DIRECTORY, else the user's cache)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    prog = "lynkrc" if words[:1] == [FROM_LYNKRC] else PROG
    options, unknown = parser(prog).parse_known_args(words if prog == PROG else words[1:])
    if unknown:
        # With the usage of this command: the whole program's names none of its options.
        serve = argparse.ArgumentParser(prog=f"{prog} serve")
        add_serve_arguments(serve)
        serve.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command == "work":
        return _work(options.assignment)
    # Late, so that --help and usage errors do not wait for the HTTP stack.
    from lynkrc_runtime.bundle import BrokenBundle
    from lynkrc_runtime.credentials import UnusableCredentials, environment, lacking_note
    from lynkrc_runtime.server.begin import begin, place_of, trust_in
    from lynkrc_runtime.server.options import Options
    from lynkrc_runtime.server.process import CannotServe
    from lynkrc_runtime.server.remote_server import Asked
    from lynkrc_runtime.telemetry.log import Level

    asked = Asked(
        poll=options.bundle_poll,
        token_env=options.bundle_token_env,
        token_file=options.bundle_token_file,
        ca=options.bundle_ca,
        cache=options.bundle_cache,
    )
    if notice := owners_notice():
        sys.stderr.write(f"{prog}: warning: {notice}\n")
    try:
        environ = environment(os.environ)
        place = place_of(options.place, options.bundle, asked, environ)
        trust = trust_in(place, options.trusted_key, is_required=options.require_signature)
    except (CannotServe, UnusableCredentials) as error:
        sys.stderr.write(f"{prog}: error: {error}\n")
        return 2
    serving = Options(
        bundle=place if isinstance(place, Path) else Path(place.name),
        host=options.host,
        port=options.port,
        admin_port=options.admin_port,
        dry_run=options.dry_run,
        insecure_open=options.insecure_open,
        log_level=None if options.log_level is None else Level[options.log_level.upper()],
        log_file=options.log_file,
        usage_log=options.usage_log,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        workers=options.workers,
        stop_delay=options.stop_delay,
        drain=options.drain,
        trust=trust,
    )
    try:
        # Before the bundle is loaded: one that a reload replaces must go.
        _spare_collector()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(begin(place, serving, environ))
    except (BrokenBundle, CannotServe) as error:
        for line in (*str(error).splitlines(), *lacking_note(str(error), environ)):
            sys.stderr.write(f"{prog}: error: {line}\n")
        return 2
    return 0


def _work(assignment: str) -> int:
    """Be one of several workers; returns the exit code."""
    # The terminal tells every process of its group; only the supervisor acts on it.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    from lynkrc_runtime.credentials import environment
    from lynkrc_runtime.server.control import read_assignment
    from lynkrc_runtime.server.worker import work

    assigned = read_assignment(assignment)
    _spare_collector()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work(assigned, environment(os.environ)))


def _spare_collector() -> None:
    """Let the garbage collector be: what is loaded now stays, and requests leave hardly a cycle.

    Their values die by their count. Looking for cycles after every 700 new objects, through all
    that lives, took two fifths of a long request's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """uvloop's loop where it is installed: 1.4 to 2.8 times the requests a second."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"a port is 0 to 65535, not {text!r}")
    return int(text)


def _workers(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= MOST_WORKERS):
        raise argparse.ArgumentTypeError(f"1 to {MOST_WORKERS} or `auto`, not {text!r}")
    return int(text)


def _span(text: str) -> tuple[float, float]:
    """Seconds, at least and at most; of one number they are the same but for a tenth."""
    first, dash, second = text.partition("-")
    least = _seconds(first)
    most = _seconds(second) if dash else least * 1.1
    if not 1 <= least <= most:
        raise argparse.ArgumentTypeError(f"from 1 second on, the smaller number first: {text!r}")
    return least, most


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(f"a number of seconds, not {text!r}")
    return float(text)


if __name__ == "__main__":
    sys.exit(main())
