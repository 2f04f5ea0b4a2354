"""Seconds from start to first answer, and memory at rest, of one worker: prints both.

    PYTHONPATH=.:runtime python tests/bench/measure_start.py [ROUNDS]

Serves the quickstart's bundle on the simulator. The first answer is a whole one; memory is what is
resident (`VmRSS`) after it.
"""

import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

ROUNDS = 5
_QUICKSTART = Path(__file__).resolve().parents[2] / "examples" / "quickstart" / "routing.yaml"
_BODY = {"model": "auto", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
_HEADERS = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


def started(bundle: Path) -> tuple[float, int]:
    """Seconds to the first answer, and kilobytes resident then."""
    began = time.monotonic()
    serve = [sys.executable, "-m", "lynkrc_runtime", "serve", str(bundle), "--dry-run"]
    with subprocess.Popen(
        [*serve, "--port=0", "--admin-port=0", "--log-level=error"], stdout=subprocess.PIPE
    ) as gateway:
        assert gateway.stdout is not None
        try:
            address = urlsplit(json.loads(gateway.stdout.readline())["url"]).netloc
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("POST", "/v1/messages", json.dumps(_BODY), _HEADERS)
            answer = connection.getresponse()
            said = answer.read()
            seconds = time.monotonic() - began
            if answer.status != 200:
                raise AssertionError(f"{answer.status}: {said[:300]!r}")
            status = Path(f"/proc/{gateway.pid}/status").read_text(encoding="ascii")
            resident = _RESIDENT.search(status)
            assert resident is not None
            return seconds, int(resident[1])
        finally:
            gateway.kill()


def main(arguments: list[str]) -> None:
    """Print the least and the most of the rounds."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "lynkrc", "build", str(_QUICKSTART), "-o", folder]
        subprocess.run([*build, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        (bundle,) = Path(folder).glob("*.lynkr")
        found = [started(bundle) for _ in range(int(arguments[0]) if arguments else ROUNDS)]
    seconds, resident = zip(*found, strict=True)
    print(f"start to first answer: {min(seconds):.2f} to {max(seconds):.2f} s")
    print(f"memory at rest: {min(resident) / 1000:.1f} to {max(resident) / 1000:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
