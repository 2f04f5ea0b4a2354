"""What must stand in nothing a gateway writes: the secrets it was given, and words of its clients.

Every gateway process of the suite is searched when it ends: its log, and the files its arguments
name. Clients of the labs say `WORD` in a header of every request.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

WORD = "heliotrope-of-the-client"
"""What clients say."""
HEADER = {"x-lab-note": WORD}

_SECRET_NAME = re.compile("KEY|TOKEN|SECRET|PASSWORD")
_FILES = ("--usage-log", "--log-file")
_SHORTEST = 8
"""Characters of a value that is looked for: a shorter one occurs by chance."""


def secrets_of(environ: Mapping[str, str]) -> list[str]:
    """The secrets of a gateway's environment."""
    return [
        value
        for name, value in environ.items()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST
    ]


def files_of(log: Path, arguments: Sequence[str]) -> list[Path]:
    """What a gateway of these arguments writes, rotated files and a database's own included."""
    named = [log]
    for option, value in pairwise(arguments):
        if option in _FILES:
            named.append(Path(value))
    # A device is no file: it may have no end.
    near = {one for path in named for one in path.parent.glob(f"{path.name}*")}
    return sorted(one for one in near if one.is_file())


def found_in(texts: Mapping[str, str | bytes], planted: Iterable[str]) -> list[str]:
    """Which of what was planted stands where."""
    return [
        f"{word!r} in {where}"
        for where, text in texts.items()
        for word in planted
        if word.encode() in (text.encode() if isinstance(text, str) else text)
    ]


def require_unspoken(log: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Fail where a gateway that has ended wrote any of it."""
    texts = {str(path): path.read_bytes() for path in files_of(log, arguments)}
    found = found_in(texts, [WORD, *secrets_of(environ)])
    assert not found, "\n".join(found)
