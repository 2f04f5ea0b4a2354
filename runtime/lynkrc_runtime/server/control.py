"""What a supervisor and its workers say to each other: orders over HTTP, life over a socket pair.

Each worker has a folder only its user can enter. In it, `control` takes the supervisor's orders
(POST with a small JSON body), `admin` is the worker's application for operators. The socket pair
carries what a worker says by itself, a line of JSON each: that it serves, that it cannot, and at
its end its last metrics. The end of the file on either side means the other one is gone.

Workers ask each other too, at `control`, what a request used that another one served.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, final

import msgspec

from lynkrc_runtime.server.options import Options

VERSION: Final = 1
"""Of this language; supervisor and workers are of one installation, unless it changed meanwhile."""
LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a line."""
PREPARE, COMMIT, ABANDON, STOP = "/prepare", "/commit", "/abandon", "/stop"
USAGE = "/usage"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """How to work: `bundle` is the verified copy to serve, `sockets` and `life` are descriptors.

    `folder` is the worker's own, beside those of the others; `number` is never given again.
    """

    version: int
    number: int
    options: Options
    bundle: Path
    folder: Path
    sockets: tuple[int, ...]
    life: int


@final
class Serves(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="serves"):
    """The worker accepts requests."""

    digest: str
    engine: str


@final
class Fails(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="fails"):
    """The worker cannot serve, and ends."""

    reason: str


@final
class Ends(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="ends"):
    """The worker has served its last request; what it counted."""

    metrics: str


Said: TypeAlias = Serves | Fails | Ends


def control_path(folder: Path) -> Path:
    """Where a worker takes orders."""
    return folder / "control"


def admin_path(folder: Path) -> Path:
    """Where a worker answers operators."""
    return folder / "admin"


def folder_of(shared: Path, number: int) -> Path:
    """A worker's own folder in the one that all share."""
    return shared / f"worker-{number}"


def siblings_of(folder: Path) -> list[Path]:
    """The folders of the workers that run beside one."""
    return [one for one in folder.parent.glob("worker-*") if one != folder]


def write_assignment(assignment: Assignment) -> str:
    """For a worker's command line; it holds no secret."""
    return msgspec.json.encode(assignment, enc_hook=str).decode()


def read_assignment(text: str) -> Assignment:
    """ValueError for what is no assignment, or one of another version."""
    read = msgspec.json.decode(text, type=Assignment, dec_hook=_path)
    if read.version != VERSION:
        raise ValueError(f"an assignment of version {read.version}, this is {VERSION}")
    return read


def write_said(said: Said) -> bytes:
    """A line of the socket pair."""
    return msgspec.json.encode(said) + b"\n"


def read_said(line: bytes) -> Said:
    """ValueError for what is no line of a worker."""
    said: Said = msgspec.json.decode(line, type=Said)
    return said


def order(members: Mapping[str, Any]) -> bytes:
    """The body of an order."""
    return msgspec.json.encode(members)


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise TypeError(kind.__name__)
