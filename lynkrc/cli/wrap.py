"""``lynkrc wrap``: a client behind a gateway of its own, from a spec, for as long as it runs."""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import final
from urllib.parse import urlsplit

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.serve import runtime_command
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead
from lynkrc.cli.terminal import error, note
from lynkrc.wrapping.clients import CLIENTS, KEY_NAME, OPEN_KEY, Client, wrapped
from lynkrc.wrapping.foreground import Ended, ending_in_order, run_foreground
from lynkrc.wrapping.overruled import overruled

USAGE_LOG, BUNDLE, ADMIN = "LYNKRC_USAGE_LOG", "LYNKRC_BUNDLE", "LYNKRC_ADMIN"
"""Where the client, and a status line in it, find the gateway's log, bundle and operators' port."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the client, what to serve, where; after ``--`` come the client's."""
    parser.add_argument("client", choices=tuple(CLIENTS), help="what to run")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--spec", type=Path, help=f"what to serve, built first (default: {DEFAULT_SPEC})"
    )
    what.add_argument("--bundle", type=Path, metavar="FILE", help="what to serve, as it is")
    what.add_argument("--gateway", type=_address, metavar="URL", help="use one that runs already")
    parser.add_argument(
        "--port", type=int, default=0, help="where the gateway listens (default: any free port)"
    )
    parser.add_argument(
        "--usage-log",
        type=Path,
        metavar="FILE",
        help="append the records of requests to a file, for `lynkrc usage`",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="replace every provider by the simulator: no cost"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the gateway's bundle and logs, and say where"
    )
    parser.add_argument("--quiet", action="store_true", help="say only what went wrong")
    parser.epilog = (
        "What follows `--` goes to the client: lynkrc wrap claude --dry-run -- --model haiku. "
        f"Where the spec has `keys`, put yours into {KEY_NAME}."
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the client; its exit code, 1 for errors in the spec, 2 where nothing could be run."""
    client = CLIENTS[arguments.client]
    if shutil.which(client.program) is None:
        error(f"{client.program} is not installed; {client.install}")
        return ExitCode.CANNOT_RUN
    try:
        with ending_in_order():
            if arguments.gateway is not None:
                return _behind(arguments, client)
            return _with_own(arguments, client)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    except Ended as ended:
        return ended.code


def _behind(arguments: argparse.Namespace, client: Client) -> int:
    """In front of a gateway that runs already, and goes on running."""
    url: str = arguments.gateway
    for name in ("dry_run", "usage_log", "keep", "port"):
        if getattr(arguments, name):
            option = name.replace("_", "-")
            raise CannotRead(f"--{option} is of a gateway that is started here, not of --gateway")
    from lynkrc.live.asking import Unreachable, ask

    try:
        ask(url, "/health/live")
    except Unreachable as problem:
        raise CannotRead(
            f"{problem}; leave --gateway out, and a gateway is started for {client.program}"
        ) from problem
    key = os.environ.get(KEY_NAME, OPEN_KEY)
    return _run(arguments, client, url, key, os.environ)


def _with_own(arguments: argparse.Namespace, client: Client) -> int:
    from lynkrc.wrapping.gateway import NotServing, own_gateway

    kept = False
    folder = Path(tempfile.mkdtemp(prefix="lynkrc-wrap-"))
    log = folder / "gateway.log"
    try:
        bundle = arguments.bundle or _built(arguments.spec or DEFAULT_SPEC, folder)
        if isinstance(bundle, ExitCode):
            return bundle
        served = _Served(
            bundle.absolute(), arguments.usage_log or folder / "usage.jsonl", datetime.now(UTC)
        )
        key = _key(served.bundle, client)
        with own_gateway(_serve(arguments, served), os.environ, log) as gateway:
            ready = gateway.ready
            if not arguments.quiet:
                simulated = ", simulated" if ready.dry_run else ""
                _say(f"{client.program} by way of {ready.url} ({ready.name}{simulated})")
            told = {
                USAGE_LOG: str(served.usage_log.absolute()),
                ADMIN: ready.admin,
            }
            if not ready.dry_run:
                told[BUNDLE] = str(served.bundle)
            # What a wrap around this one has told is of another gateway.
            around = {name: os.environ[name] for name in os.environ if name != BUNDLE}
            code = _run(arguments, client, ready.url, key, around | told)
            ended = gateway.ended
        if ended is not None:
            kept = True
            how = f"with {ended}" if ended >= 0 else f"by signal {-ended}"
            error(f"the gateway ended before {client.program} did, {how}; its log: {log}")
        if not arguments.quiet:
            shared = f"in {arguments.usage_log} since then: " if arguments.usage_log else ""
            try:
                _say(f"{shared}{_summary(served, is_dry=ready.dry_run)}")
            except CannotRead as problem:  # somebody took the log away: the client ran all the same
                error(str(problem))
        return code
    except NotServing as problem:
        # As `lynkrc serve` says it.
        sys.stderr.write(str(problem) or "error: the gateway ended without a word\n")
        return ExitCode.CANNOT_RUN
    finally:
        if arguments.keep:
            _say(f"bundle and logs are kept in {folder}")
        elif not kept:
            shutil.rmtree(folder, ignore_errors=True)


@final
@dataclass(frozen=True, slots=True)
class _Served:
    """What a gateway of ours serves and writes, and since when."""

    bundle: Path
    usage_log: Path
    began: datetime


def _run(
    arguments: argparse.Namespace, client: Client, url: str, key: str, environ: Mapping[str, str]
) -> int:
    how = wrapped(client, url, key, environ)
    if how.withheld and not arguments.quiet:
        _say(f"not passed to {client.program}: {', '.join(how.withheld)}")
    for path, names in overruled(client, how, environ, Path.cwd()):
        note(
            f"{path} sets {', '.join(names)}, which {client.program} may go by instead of what it "
            "is given here; take it out where no request arrives"
        )
    command = [client.program, *how.arguments, *arguments.rest]
    try:
        return run_foreground(command, how.environ)
    except OSError as problem:
        raise CannotRead(f"cannot run {client.program}: {problem.strerror}") from problem


def _built(spec: Path, folder: Path) -> Path | ExitCode:
    """The bundle of a spec, built into a folder; findings go to standard error."""
    from lynkrc.cli import build

    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    parser.set_defaults(notes=False)
    options = parser.parse_args([str(spec), "-o", str(folder / "bundle"), "--quiet"])
    # The client's own output is all that standard output gets.
    with contextlib.redirect_stdout(sys.stderr):
        code = build.run(options)
    if code != ExitCode.OK:
        return code
    return next((folder / "bundle").glob("*.lynkr"))


def _serve(arguments: argparse.Namespace, served: _Served) -> list[str]:
    words = [*runtime_command(), "serve", str(served.bundle), "--host", "127.0.0.1"]
    words += ["--port", str(arguments.port), "--usage-log", str(served.usage_log)]
    return [*words, *(["--dry-run"] if arguments.dry_run else [])]


def _key(bundle: Path, client: Client) -> str:
    """The caller's key; CannotRead where the bundle needs one that is not there."""
    from lynkrc.cli.usage import dispatch_of

    key = os.environ.get(KEY_NAME)
    if not key and dispatch_of(bundle).settings.keys:
        raise CannotRead(
            f"the spec has `keys`, so {client.program} needs one; put yours into {KEY_NAME}, or "
            "make one with `lynkrc keys add`"
        )
    return key or OPEN_KEY


def _summary(served: _Served, *, is_dry: bool) -> str:
    from lynkrc.cli.usage import dispatch_of, lines_of
    from lynkrc.usage.flagship import dearest
    from lynkrc.usage.summary import summary_line
    from lynkrc.usage.tally import spent

    # What the simulator said costs nothing, which saves nothing.
    flagship = None if is_dry else dearest(dispatch_of(served.bundle).targets)
    lines = lines_of((served.usage_log,))
    return summary_line(spent(lines, by=("tier",), since=served.began, against=flagship))


def _say(message: str) -> None:
    print(f"lynkrc: {message}", file=sys.stderr, flush=True)


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write http://HOST:PORT")
    return text.rstrip("/").removesuffix("/v1")
