"""What `lynkrc check` costs: the program on the largest example, and a large spec by itself."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.model import Severity
from lynkrc.pipeline import Checked, check_spec
from tests.unit.sema_sample import catalog

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/routing.yaml"))
LARGEST = max(EXAMPLES, key=lambda path: path.stat().st_size)

LARGE = "".join(
    (
        "version: 1\nname: large\nproviders:\n",
        '  local: {kind: ollama, base_url: "http://localhost:11434", trust: local}\n',
        "targets:\n",
        "  small: {provider: local, model: m, context: 8k, capabilities: [], price: free}\n",
        "lexicons:\n",
        *(
            f"  words{i}: [{', '.join(f'topic{i} word{j:03}*' for j in range(100))}]\n"
            for i in range(20)
        ),
        "tiers:\n  - {name: ONLY, chain: [small]}\nrules:\n",
        *(
            f'  - {{name: r{i}, when: "ask.words > {i} and matches(ask, words{i % 20})", add: 1}}\n'
            for i in range(1_000)
        ),
    )
)
"""1,000 rules and 2,000 lexicon entries."""


def test_check_the_largest_example(benchmark: Any) -> None:
    """Wall time with the interpreter's start."""
    command = [sys.executable, "-m", "lynkrc", "check", str(LARGEST)]
    environ = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}

    def run() -> int:
        return subprocess.run(command, env=environ, capture_output=True, check=False).returncode

    assert benchmark.pedantic(run, rounds=5, warmup_rounds=1) == 0


def test_check_a_large_spec(benchmark: Any) -> None:
    data = LARGE.encode()

    def check() -> Checked:
        return check_spec("routing.yaml", data, loader=DiskLoader(), catalog=catalog())

    found = benchmark.pedantic(check, rounds=3, warmup_rounds=1)
    assert [one.message for one in found.diagnostics if one.severity is not Severity.NOTE] == []
