"""Rows of cells to aligned lines for a terminal; long cells go on below themselves.

A column's width is rounded up to a multiple of four, so that a slightly longer name in one row
does not move every other row of a diff.

>>> for line in align([("name", "when"), ("anna", "x > 1")], (10,), total=30):
...     print(line)
name  when
anna  x > 1
"""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap

GAP = 2


def align(rows: Sequence[Sequence[str]], limits: Sequence[int], *, total: int) -> list[str]:
    """Lines of at most `total` columns for rows.

    Column i is at most ``limits[i]`` columns wide; the last, without a limit, has what they leave.
    """
    widths = [
        min(limit, -(-max(len(row[i]) for row in rows) // 4) * 4) for i, limit in enumerate(limits)
    ]
    widths.append(total - sum(widths) - GAP * len(widths))
    lines = []
    for row in rows:
        cells = [
            wrap(cell, max(width, 1), break_on_hyphens=False)
            for cell, width in zip(row, widths, strict=True)
        ]
        for parts in zip_longest(*cells, fillvalue=""):
            padded = (part.ljust(width + GAP) for part, width in zip(parts, widths, strict=True))
            lines.append("".join(padded).rstrip())
    return lines
