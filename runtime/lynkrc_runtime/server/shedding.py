"""How much is under way to whether one request more is taken, before anything of it is read.

A request beyond a mark is refused at once: what runs is finished rather than everything slowed.
Marks come with every question, since a reload may change them; the counts outlive a bundle.

>>> load = Shedding(used=lambda: 10.0)
>>> marks = Marks(active=2)
>>> [load.enter(marks, 0.0), load.enter(marks, 0.0), load.enter(marks, 0.0)]
[None, None, <Reason.ACTIVE: 'active'>]
>>> load.leave()
>>> load.enter(marks, 1.0)
"""

import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import final

from lynkrc_runtime.settings import Shedding as Marks

ACTIVE = 1000
"""Requests under way, where the bundle does not say."""
MEMORY = 85
"""Percent of the memory there is, where the bundle does not say."""
MEASURE_EVERY = 1.0
"""Seconds a measurement of memory is good for."""
CALM = 5.0
"""Seconds without a refusal after which shedding is over."""
LASTING = 10.0
"""Seconds of shedding after which others should be sent the requests."""

_UNLIMITED = 1 << 60
"""Bytes: control groups tell of "no limit" by numbers above this."""


class Reason(Enum):
    """Why a request is shed."""

    ACTIVE = "active"
    """As many requests as may are under way."""
    MEMORY = "memory"
    """The process uses more of the memory than it may."""


@final
class Shedding:
    """The requests under way in this process, and since when others are refused.

    `used` tells the memory of the process in percent of what there is, or None where that cannot
    be known: then the number of requests alone counts. Moments are on the caller's clock.
    """

    __slots__ = ("_began", "_last", "_measured_at", "_pct", "_used", "active")

    def __init__(self, used: Callable[[], float | None] | None = None) -> None:
        self.active = 0
        self._used = memory_used() if used is None else used
        self._pct: float | None = None
        self._measured_at = float("-inf")
        self._began: float | None = None
        self._last = 0.0

    def enter(self, marks: Marks, now: float) -> Reason | None:
        """Take a request (None; `leave` is told of its end), or why it is refused."""
        reason = self._reason(marks, now)
        if reason is None:
            self.active += 1
            return None
        if self._began is None or now - self._last > CALM:
            self._began = now
        self._last = now
        return reason

    def leave(self) -> None:
        """A request that was taken has ended."""
        self.active -= 1

    def since(self, marks: Marks, now: float) -> float | None:
        """Since when requests are refused; None where they are not.

        It is over when none was refused for `CALM` seconds and one would be taken now: so it ends
        also where, on this answer, nobody sends any more requests.
        """
        if now - self._last > CALM and self._reason(marks, now) is None:
            self._began = None
        return self._began

    def lasts(self, marks: Marks, now: float) -> bool:
        """Whether it has gone on for so long that requests should be sent elsewhere."""
        since = self.since(marks, now)
        return since is not None and now - since > LASTING

    def _reason(self, marks: Marks, now: float) -> Reason | None:
        if self.active >= (ACTIVE if marks.active is None else marks.active):
            return Reason.ACTIVE
        if now - self._measured_at >= MEASURE_EVERY:
            self._measured_at, self._pct = now, self._used()
        most = MEMORY if marks.memory is None else marks.memory
        if self._pct is not None and self._pct > most:
            return Reason.MEMORY
        return None


def memory_used(root: Path = Path("/")) -> Callable[[], float | None]:
    """A measure of this process's memory: resident bytes in percent of its limit, by /proc.

    The limit is the smallest of the control groups' and the machine's own. Where the system has
    no /proc the measure is always None. `root` is where the system's files are.
    """
    limit = memory_limit(root)
    statm = root / "proc/self/statm"
    page = os.sysconf("SC_PAGE_SIZE")

    def used() -> float | None:
        if limit is None:
            return None
        try:
            resident = int(statm.read_bytes().split()[1]) * page
        except (OSError, IndexError, ValueError):
            return None
        return 100.0 * resident / limit

    return used


def memory_limit(root: Path = Path("/")) -> int | None:
    """Bytes of memory this process may use; None where the system does not say."""
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        total = next(line for line in lines if line.startswith("MemTotal:"))
        limits = [int(total.split()[1]) * 1024]
    except (OSError, StopIteration, IndexError, ValueError):
        return None
    return min([*limits, *(one for one in _group_limits(root) if 0 < one < _UNLIMITED)])


def _group_limits(root: Path) -> list[int]:
    """The limits of the control groups this process is in, and of those around them."""
    found: list[int] = []
    try:
        rows = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for row in rows:
        # number:controllers:path, without controllers in version 2.
        _, controllers, path = row.split(":", 2)
        if controllers == "":
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        place = top / path.lstrip("/")
        # In a container the path may be the host's: then only the top is there.
        for folder in (place, *place.parents):
            found += _limit_in(folder / name)
            if folder == top:
                break
    return found


def _limit_in(file: Path) -> list[int]:
    try:
        return [int(file.read_text(encoding="ascii"))]
    except (OSError, ValueError):  # no such group here, or "max"
        return []
