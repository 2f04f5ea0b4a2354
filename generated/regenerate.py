"""Rewrites ``generated/`` from the whole specs of ``specs/starter`` and ``examples``.

``--check`` writes nothing and exits 1 when a committed file is not what its spec compiles to.
"""

import sys
from pathlib import Path

from lynkrc.cli.main import main

ROOT = Path(__file__).resolve().parents[1]


def specs() -> list[tuple[Path, Path]]:
    """Every whole spec with the folder its output is committed to."""
    generated = ROOT / "generated"
    starters = sorted((ROOT / "specs" / "starter").glob("*.yaml"))
    examples = sorted((ROOT / "examples").glob("*/routing.yaml"))
    return [(path, generated / f"starter-{path.stem}") for path in starters] + [
        (path, generated / path.parent.name) for path in examples
    ]


def run(options: list[str]) -> int:
    """Build each spec; the worst exit code."""
    worst = 0
    wanted = set()
    for spec, folder in specs():
        wanted.add(folder)
        worst = max(worst, main(["build", str(spec), "-o", str(folder), "--quiet", *options]))
    for folder in sorted(path for path in (ROOT / "generated").iterdir() if path.is_dir()):
        if folder not in wanted:
            print(f"error: {folder.relative_to(ROOT)} belongs to no spec; delete it")
            worst = max(worst, 1)
    return worst


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
