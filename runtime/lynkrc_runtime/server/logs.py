"""What a spec and the command line say of logs to a log and a usage log, opened.

Levels and fields follow the bundle that serves (see `install`); files stay what they were at the
start, whatever a later bundle declares.
"""

from pathlib import Path

from lynkrc_runtime.server.gateway import Gateway, Policy
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.settings import Observability
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.log_file import LogFile
from lynkrc_runtime.telemetry.usage_log import UsageLog


def open_log(
    declared: Observability,
    *,
    level: Level | None,
    file: Path | None,
    worker: int | None = None,
) -> Log:
    """The log; what is chosen on the command line comes first. CannotServe where it has no file."""
    stated = declared.log
    path = Path(stated.file) if file is None and stated.file is not None else file
    if path is None:
        log = Log(level=level, worker=worker)
    else:
        try:
            write = LogFile(path, stated.rotate)
        except OSError as error:
            raise CannotServe(f"cannot write the log {path}: {error.strerror}") from error
        log = Log(level=level, write=write, worker=worker)
    log.follow(stated)
    return log


def opened_log(policy: Policy, options: Options, *, worker: int | None = None) -> Log:
    """The log of a process that serves a bundle. Raises CannotServe."""
    declared = policy.dispatch.settings.observability
    return open_log(declared, level=options.log_level, file=options.log_file, worker=worker)


def open_usage_log(policy: Policy, log: Log, *, file: Path | None) -> UsageLog | None:
    """The usage log; None where nobody asks for one. CannotServe where it cannot be written.

    A file chosen on the command line is what its name says, and is rotated as declared.
    """
    stated = policy.dispatch.settings.observability.usage
    if file is None and stated is None:
        return None
    path, store = file, None
    if path is None:
        assert stated is not None, "one of them is there"
        path, store = Path(stated.file), stated.store
    rotate = None if stated is None else stated.rotate
    try:
        return UsageLog(path, policy.dispatch, policy.digest, log=log, store=store, rotate=rotate)
    except OSError as error:
        reason = error.strerror or error
        raise CannotServe(f"cannot write the usage log {path}: {reason}") from error


def note_lost(gateway: Gateway) -> None:
    """Have the metrics know how many lines and records were lost by now."""
    gateway.metrics.lost("log", gateway.log.lost)
    gateway.metrics.lost("usage", 0 if gateway.usage_log is None else gateway.usage_log.lost)
    gateway.metrics.lost("span", 0 if gateway.tracing is None else gateway.tracing.spans.lost)
