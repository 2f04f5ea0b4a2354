"""Figures to the part of a page of the docs that is theirs, between two marks.

>>> page = "a\\n<!-- bench:x -->\\nold\\n<!-- /bench:x -->\\nb\\n"
>>> replaced(page, "x", ["new"])
'a\\n<!-- bench:x -->\\n\\nnew\\n\\n<!-- /bench:x -->\\nb\\n'
"""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def write(part: str, lines: Sequence[str]) -> None:
    """Replace a part of the page. ValueError where the page has no such part."""
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), part, lines), encoding="utf-8")


def replaced(page: str, part: str, lines: Sequence[str]) -> str:
    """The page with these lines between the marks of the part."""
    begin, end = f"<!-- bench:{part} -->\n", f"<!-- /bench:{part} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no part between {begin.strip()} and {end}")
    return f"{before}{begin}\n" + "".join(f"{line}\n" for line in lines) + f"\n{closed}{after}"


def machine() -> str:
    """When and on what, in a sentence."""
    return (
        f"{datetime.now(UTC):%-d %B %Y}; {os.cpu_count()} virtual CPUs ({_processor()}), "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
