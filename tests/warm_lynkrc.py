"""`lynkrc` from a process that has imported everything: real exit codes and output, no start.

What a start may change (lazy imports, `python -m`, signals, locales) is tested on real programs,
and `lynkrc serve` always is.

`run` asks for a command. `program_text` is a small program that does the same, for shells.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import warm_server
from tests.warm_server import NUMBER, PATH, address

_PROGRAM = """\
#!{python} -IS
import json, os, socket, sys
{first}
if sys.argv[1:2] == ["serve"]:
    os.environ["PYTHONPATH"] = {path!r}
    os.execv({python!r}, [{python!r}, "-m", "lynkrc", *sys.argv[1:]])
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n"
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"\\n"], [0, 1, 2])
    server.sendall(asked)
    server.recv({size}, socket.MSG_WAITALL)
    told = server.recv({size}, socket.MSG_WAITALL)
code = int.from_bytes(told, "big", signed=True)
sys.exit(code if code >= 0 else 128 - code)
"""


def run(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one command; what it printed is kept, and nothing is read from us."""
    return warm_server.run("command", words, cwd=cwd, env=env)


def program_text(*, first: str = "") -> str:
    """An executable file's text that runs `lynkrc` with its arguments; `first` is done before."""
    return _PROGRAM.format(
        python=sys.executable,
        first=first,
        path=PATH,
        address=address("command"),
        size=NUMBER.size,
    )
