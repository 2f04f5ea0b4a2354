"""Instructions a request costs the gateway, counted by callgrind over sockets: prints a table.

    PYTHONPATH=.:runtime python tests/bench/count_instructions.py [TREE ...] [--only NAME] [--spare]
                                                                  [--bare]

Each TREE is a checkout of the project, this one where none is given; later columns are multiples of
the first. With `--bare` the first is the bare proxy; with `--spare` chains have a second target,
so that sessions have something to order.
All of them get the same requests and the same upstream, those of this checkout. A count
hardly depends on what else the machine does, which makes it fit for comparing versions; what an
instruction takes depends on the caches, so it says less about time. Needs valgrind; takes about a
minute for each tree, and never more than `MOST` seconds.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, final
from urllib.parse import urlsplit

from tests.bench import agent_bodies
from tests.bench.load import process
from tests.bench.processes import SPEC
from tests.bench.test_gateway_overhead import conversation

MOST = 300.0
"""Seconds for one tree."""
_CHAT_PROVIDER = (
    'chat: {{kind: openai-compatible, base_url: "http://127.0.0.1:{port}/v1", trust: local}}'
)
_CHAT_TARGET = (
    "chat: {{provider: chat, model: served, price: free, context: 1M, capabilities: [tools]}}"
)
_TO_CHAT = "to-chat"
_NAMES = "models: {{to-chat: {{target: chat}}}}"
BOTH = SPEC.replace("targets:\n", f"  {_CHAT_PROVIDER}\n{_NAMES}\ntargets:\n  {_CHAT_TARGET}\n")
"""A target for each dialect; what is asked for by that name goes to Chat's."""
_TWO = "{{provider: up, model: claude-sonnet-5-5, price: free}}"
SPARE = BOTH.replace("[one]", "[one, two]").replace("  one: {{", f"  two: {_TWO}\n  one: {{{{")
MODEL = "claude-sonnet-5-5"
"""What the target serves, so that same-dialect bodies pass through unedited."""
_WARM = 3
_TOTALS = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)
_PORTS = ("--port=0", "--admin-port=0")
_HERE = Path(__file__).resolve().parents[2]
_HEADERS = {"content-type": "application/json", "anthropic-version": "2023-06-01"}


@final
class Case(NamedTuple):
    """So many requests of about `size` bytes in a dialect.

    They are a coding agent's, with tools, in the midst of a turn; where `talk`, hundreds of short
    messages without tools, as `test_gateway_overhead` sends.
    """

    name: str
    requests: int
    dialect: str
    path: str
    size: int
    stream: bool = False
    talk: bool = False
    model: str = MODEL


_MESSAGES = ("anthropic-messages", "/v1/messages")
_CHAT = ("openai-chat", "/v1/chat/completions")
_RESPONSES = ("openai-responses", "/v1/responses")
CASES = (
    Case("same dialect, 2 kB", 40, *_MESSAGES, 2_000),
    Case("same dialect, 20 kB", 30, *_MESSAGES, 20_000),
    Case("same dialect, 200 kB", 15, *_MESSAGES, 200_000),
    Case("converting, 2 kB", 40, *_CHAT, 2_000),
    Case("converting, 20 kB", 20, *_CHAT, 20_000),
    Case("converting, 200 kB", 8, *_CHAT, 200_000),
    Case("short messages, 20 kB", 30, *_MESSAGES, 20_000, talk=True),
    Case("converting to Chat, 2 kB", 40, *_MESSAGES, 2_000, model=_TO_CHAT),
    Case("converting to Chat, 20 kB", 20, *_MESSAGES, 20_000, model=_TO_CHAT),
    Case("converting to Chat, 200 kB", 8, *_MESSAGES, 200_000, model=_TO_CHAT),
    Case("Responses, 20 kB", 20, *_RESPONSES, 20_000),
    Case("Responses, 200 kB", 8, *_RESPONSES, 200_000),
    Case("stream of 102 events, same dialect", 3, *_MESSAGES, 2_000, True),
    Case("stream of 102 events, converting", 3, *_CHAT, 2_000, True),
)


def counts(tree: Path, cases: Sequence[Case], written: str) -> Mapping[str, int]:
    """Instructions a request of each case, of a checkout's gateway that serves the spec."""
    environment = os.environ | {"PYTHONPATH": f"{tree}:{tree}/runtime", "PYTHONHASHSEED": "0"}
    until = time.monotonic() + MOST
    with (
        tempfile.TemporaryDirectory() as name,
        process("canned_upstream.py") as (_, upstream),
    ):
        folder = Path(name)
        spec = folder / "routing.yaml"
        spec.write_text(written.format(port=upstream), encoding="utf-8")
        build = [sys.executable, "-m", "lynkrc", "build", str(spec), "-o", str(folder)]
        subprocess.run(
            [*build, "--native", "--quiet"],
            check=True,
            cwd=tree,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        serve = ["-m", "lynkrc_runtime", "serve", str(folder / "bench.lynkr"), *_PORTS]
        return _counts(serve, tree, environment, cases, folder, until)


def bare_counts(cases: Sequence[Case]) -> Mapping[str, int]:
    """The same of the bare proxy."""
    proxy = str(_HERE / "tests/bench/bare_proxy.py")
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    until = time.monotonic() + MOST
    with (
        tempfile.TemporaryDirectory() as name,
        process("canned_upstream.py") as (_, upstream),
    ):
        serve = [proxy, f"http://127.0.0.1:{upstream}"]
        return _counts(serve, _HERE, environment, cases, Path(name), until)


def _counts(
    serve: Sequence[str],
    tree: Path,
    environment: Mapping[str, str],
    cases: Sequence[Case],
    folder: Path,
    until: float,
) -> Mapping[str, int]:
    callgrind = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"]
    with subprocess.Popen(
        [*callgrind, f"--callgrind-out-file={folder / 'count'}", sys.executable, *serve],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tree,
        env=environment,
    ) as server:
        assert server.stdout is not None
        try:
            told = json.loads(server.stdout.readline())
            # The proxy tells its port alone.
            is_port = isinstance(told, int)
            address = f"127.0.0.1:{told}" if is_port else urlsplit(told["url"]).netloc

            def control(flag: str) -> None:
                subprocess.run(
                    ["callgrind_control", flag, str(server.pid)],
                    check=True,
                    timeout=max(1.0, until - time.monotonic()),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

            control("--instr=on")
            return {case.name: _count(case, address, folder, control, until) for case in cases}
        finally:
            server.kill()


def _count(
    case: Case, address: str, folder: Path, control: Callable[[str], None], until: float
) -> int:
    if case.talk:
        body = conversation(case.size, chat=case.path == _CHAT[1])
    else:
        written = json.loads(agent_bodies.body(case.dialect, case.size, stream=case.stream))
        body = json.dumps(written | {"model": case.model}).encode()
    connection = http.client.HTTPConnection(address, timeout=30)

    def send(times: int) -> None:
        for _ in range(times):
            if time.monotonic() > until:
                raise TimeoutError(f"{case.name}: more than {MOST:.0f} s")
            connection.request("POST", case.path, body, _HEADERS)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise AssertionError(f"{answer.status}: {said[:300]!r}")

    send(_WARM)
    control("--zero")
    send(case.requests)
    before = set(folder.glob("count.*"))
    control("--dump")
    connection.close()
    return _total(folder, before, until) // case.requests


def _total(folder: Path, before: set[Path], until: float) -> int:
    """The total of the dump that was asked for, which is written when callgrind comes to it."""
    while time.monotonic() < until:
        for dump in set(folder.glob("count.*")) - before:
            found = _TOTALS.search(dump.read_text(encoding="utf-8", errors="replace"))
            if found:
                return int(found[1])
        time.sleep(0.05)
    raise TimeoutError("callgrind wrote no counts")


def main(arguments: Sequence[str]) -> None:
    """Print a table: a line for each case, a column for each checkout."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("trees", nargs="*", type=Path, metavar="TREE")
    parser.add_argument("--only", default="", help="part of the names of the cases to count")
    parser.add_argument("--spare", action="store_true", help="two targets in every chain")
    parser.add_argument("--bare", action="store_true", help="compare with the bare proxy")
    options = parser.parse_args(arguments)
    if shutil.which("callgrind_control") is None:
        raise SystemExit("valgrind is not installed: no instructions counted")
    cases = [case for case in CASES if options.only in case.name]
    if not cases:
        parser.error(f"no case has {options.only!r} in its name")
    trees = [tree.resolve() for tree in options.trees] or [_HERE]
    columns = [counts(tree, cases, SPARE if options.spare else BOTH) for tree in trees]
    names = [tree.name for tree in trees]
    if options.bare:
        names, columns = ["bare proxy", *names], [bare_counts(cases), *columns]
    print(f"{'instructions a request':36}" + "".join(f"{name:>20}" for name in names))
    for case in cases:
        first = columns[0][case.name]
        cells = (f"{one[case.name]:,} {one[case.name] / first:.2f}" for one in columns)
        print(f"{case.name:36}" + "".join(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main(sys.argv[1:])
