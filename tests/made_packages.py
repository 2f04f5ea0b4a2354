"""What `make dist` makes of this tree, made once for all tests of a run."""

import fcntl
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EPOCH = "1700000000"
"""The time of the files in the packages: in November 2023."""


SPEC = """\
version: 1
name: image
providers: {house: {kind: ollama, base_url: "http://localhost:11434", trust: local}}
targets:
  small:
    {provider: house, model: m, context: 8k, max_output: 2k, price: free, capabilities: [tools]}
tiers: [{name: ALL, chain: [small]}]
"""
"""The least that serves."""


def environ() -> dict[str, str]:
    """Ours, with the checkout to import and the time of the files.

    The library that the checkout's install has compiled is taken; the image compiles its own, of
    the same bytes.
    """
    path = os.pathsep.join((str(ROOT), str(ROOT / "runtime")))
    library = ROOT / "runtime" / "lynkrc_runtime" / "scan" / "_kernel.abi3.so"
    kept = sha256(library.read_bytes()).hexdigest() if library.is_file() else ""
    return dict(os.environ) | {
        "PYTHONPATH": path,
        "SOURCE_DATE_EPOCH": EPOCH,
        "LYNKRC_KERNEL_SHA256": kept,
    }


def packages(factory: pytest.TempPathFactory) -> Path:
    """The folder with them; nobody may write to it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "packages"
    with (base / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "SHA256SUMS").exists():
            done = subprocess.run(
                [sys.executable, ROOT / "deploy" / "packages.py", folder],
                env=environ(),
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


def one(folder: Path, pattern: str) -> Path:
    """The one file of this name."""
    [found] = folder.glob(pattern)
    return found
