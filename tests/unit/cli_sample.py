"""A spec to run commands on, and the ways to run them: in this process, and as a program."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SPEC = """\
version: 1
name: sample
providers:
  local: {kind: simulator, trust: local}
targets:
  small: {provider: local, model: tiny}
  large: {provider: local, model: huge}
score:
  dimensions:
    size: {weight: 100, value: "ramp(ask.words, 0, 20)"}
tiers:
  - {name: LOW, up_to: 50, chain: [small]}
  - {name: HIGH, chain: [large, small]}
otherwise: escalate
rules:
  - {name: legal, when: 'header("x-team") == "legal"', deny: {status: 403, message: "not here"}}
"""

BROKEN = SPEC.replace("chain: [small]", "chain: [smal]").replace("ask.words", "ask.wrds")
"""With two errors: an unknown target, and an unknown feature."""

REVIEWED = ("dispatch.json", "ir.txt", "routes.txt", "scorer.pxd", "scorer.py")


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, in which the checkout's packages are found, with changes."""
    paths = [str(ROOT), str(ROOT / "runtime"), os.environ.get("PYTHONPATH", "")]
    colour = ("NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in colour}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | changes


def program(
    *words: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `lynkrc` as a program of its own, its output in pipes."""
    return subprocess.run(
        [sys.executable, "-m", "lynkrc", *words],
        cwd=cwd,
        env=environment() if env is None else env,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
