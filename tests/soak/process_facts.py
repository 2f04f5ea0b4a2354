"""A process id to what /proc tells of the process: memory, files, sockets, threads, time."""

import os
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Facts:
    """`rss` in bytes, `cpu` in seconds since the start; `files` are open, `sockets` among them."""

    rss: int
    files: int
    sockets: int
    threads: int
    cpu: float


def facts(pid: int) -> Facts:
    """The process as it is now."""
    place = Path(f"/proc/{pid}")
    fields = (place / "stat").read_text().rpartition(")")[2].split()
    links = []
    for link in (place / "fd").iterdir():
        try:
            links.append(str(link.readlink()))
        except FileNotFoundError:  # closed while we looked
            continue
    return Facts(
        rss=int((place / "statm").read_text().split()[1]) * _PAGE,
        files=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
        threads=int(fields[17]),
        cpu=(int(fields[11]) + int(fields[12])) / _TICK,
    )
