"""Rewrites what is made and committed: ``generated/`` and ``docs/reference.md``.

``generated/`` holds what the whole specs of ``specs/starter`` and ``examples`` compile to, the page
what the schema and the tables of the language say. ``--check`` writes nothing and exits 1 when a
committed file is stale.
"""

import sys
from pathlib import Path

from lynkrc.cli.main import main
from lynkrc.docs.reference import reference_page

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"


def specs() -> list[tuple[Path, Path]]:
    """Every whole spec with the folder its output is committed to."""
    generated = ROOT / "generated"
    starters = sorted((ROOT / "specs" / "starter").glob("*.yaml"))
    examples = sorted((ROOT / "examples").glob("*/routing.yaml"))
    return [(path, generated / f"starter-{path.stem}") for path in starters] + [
        (path, generated / path.parent.name) for path in examples
    ]


def run(options: list[str]) -> int:
    """Build each spec and make the page; the worst exit code."""
    worst = page(check="--check" in options)
    wanted = set()
    for spec, folder in specs():
        wanted.add(folder)
        worst = max(worst, main(["build", str(spec), "-o", str(folder), "--quiet", *options]))
    for folder in sorted(path for path in (ROOT / "generated").iterdir() if path.is_dir()):
        if folder not in wanted:
            print(f"error: {folder.relative_to(ROOT)} belongs to no spec; delete it")
            worst = max(worst, 1)
    return worst


def page(*, check: bool) -> int:
    """Write the reference page, or see whether it is stale."""
    text = reference_page()
    if not check:
        PAGE.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if PAGE.is_file() and PAGE.read_bytes() == text.encode():
        return 0
    print(f"error: {PAGE.relative_to(ROOT)} is stale; `make generate` writes it anew")
    return 1


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
