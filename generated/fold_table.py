"""Files of the Unicode character database to ``scan/fold.bin``: what folding makes of a code point.

``PYTHONPATH=runtime python generated/fold_table.py FOLDER [--check]``: FOLDER holds
UnicodeData.txt, CaseFolding.txt and PropList.txt of the version named below, as unicode.org
publishes them and Debian's package ``unicode-data`` installs them (/usr/share/unicode). ``--check``
writes nothing and exits 1 when the committed table is another.

The file (little endian): magic ``LKF1``; u32 the number of actions and of pages; an i32 for every
action; a u16 for every 128 code points, the number of their page; the pages, a byte for each of
128 code points, the action. Actions 0 to 4: stays as it is, symbol, blank, dash, apostrophe. All
others add their i32 to the code point: simple case folding, and characters that move, as
``scan/edges.py`` tells.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from lynkrc_runtime.scan.edges import MOVED

UNICODE = "15.0.0"
TABLE = Path(__file__).resolve().parents[1] / "runtime" / "lynkrc_runtime" / "scan" / "fold.bin"
PAGE = 128
CODES = 0x110000
SAME, SYMBOL, BLANK, DASH, APOSTROPHE = range(5)
APOSTROPHES = (0x27, 0x2018, 0x2019, 0x2BC, 0xFF07)
MINUS = 0x2212


def lines(path: Path) -> Iterator[list[str]]:
    """The fields of each line that has any."""
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = [field.strip() for field in line.split("#")[0].split(";")]
        if len(fields) > 1:
            yield fields


def categories(folder: Path) -> dict[int, str]:
    """The general category of every assigned code point."""
    found = {}
    first = 0
    for code, name, category, *_ in lines(folder / "UnicodeData.txt"):
        number = int(code, 16)
        if name.endswith(", First>"):
            first = number
        elif name.endswith(", Last>"):
            found.update(dict.fromkeys(range(first, number + 1), category))
        else:
            found[number] = category
    return found


def blanks(folder: Path) -> set[int]:
    """The code points with the property White_Space."""
    found: set[int] = set()
    for codes, name, *_ in lines(folder / "PropList.txt"):
        if name == "White_Space":
            first, _, last = codes.partition("..")
            found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def simple_folds(folder: Path) -> dict[int, int]:
    """Common and simple case folding."""
    first_line = (folder / "CaseFolding.txt").read_text(encoding="utf-8").split("\n", 1)[0]
    if first_line != f"# CaseFolding-{UNICODE}.txt":
        raise SystemExit(f"the table is made of Unicode {UNICODE}, and {folder} begins {first_line}")
    return {
        int(code, 16): int(target, 16)
        for code, status, target, *_ in lines(folder / "CaseFolding.txt")
        if status in "CS"
    }


def _moved_by(code: int) -> int:
    return next((by for low, high, by in MOVED if low <= code <= high), 0)


def table(folder: Path) -> bytes:
    """The file's bytes."""
    category, blank, folds = categories(folder), blanks(folder), simple_folds(folder)
    deltas = [0] * 5
    number: dict[int, int] = {}
    actions = bytearray(CODES)
    for code in range(CODES):
        target = folds.get(code, code)
        kind = category.get(target, "Cn")
        delta = target - code + _moved_by(target)
        if delta and kind[0] in "LMN":
            if delta not in number:
                number[delta] = len(deltas)
                deltas.append(delta)
            actions[code] = number[delta]
        elif code in APOSTROPHES:
            actions[code] = APOSTROPHE
        elif code == MINUS or (kind == "Pd" and code > 0x7F):
            actions[code] = DASH
        elif code in blank and code > 0x7F:
            actions[code] = BLANK
        elif code == 0 or (code > 0x7F and kind[0] not in "LMN"):
            actions[code] = SYMBOL
    pages: dict[bytes, int] = {}
    page_of = []
    for start in range(0, CODES, PAGE):
        page_of.append(pages.setdefault(bytes(actions[start : start + PAGE]), len(pages)))
    return b"".join(
        (
            b"LKF1",
            struct.pack("<2I", len(deltas), len(pages)),
            struct.pack(f"<{len(deltas)}i", *deltas),
            struct.pack(f"<{len(page_of)}H", *page_of),
            *pages,
        )
    )


def run(words: list[str]) -> int:
    """Write the table, or check it."""
    made = table(Path(words[0]))
    if "--check" not in words:
        TABLE.write_bytes(made)
    elif TABLE.read_bytes() != made:
        print(f"error: {TABLE.name} is stale")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
