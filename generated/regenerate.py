"""Rewrites what is made and committed: ``generated/``, and two pages and a picture of ``docs/``.

``generated/`` holds what the whole specs of ``specs/starter`` and ``examples`` compile to, the
pages what the schema and the tables of the language and of the dialects say, the picture how the
quickstart routes. ``--check`` writes nothing and exits 1 when a committed file is stale.
"""

import sys
import tempfile
from pathlib import Path

from lynkrc.cli.main import main
from lynkrc.docs.dialects import dialects_page
from lynkrc.docs.reference import reference_page

ROOT = Path(__file__).resolve().parents[1]


def quickstart_picture() -> str:
    """What ``lynkrc graph`` draws of the quickstart."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quickstart.svg"
        spec = ROOT / "examples" / "quickstart" / "routing.yaml"
        main(["graph", str(spec), "-o", str(path)])
        return path.read_text(encoding="utf-8")


PAGES = (
    ("reference.md", reference_page),
    ("dialects.md", dialects_page),
    ("quickstart.svg", quickstart_picture),
)
"""Files of `docs/` and what makes them."""


def specs() -> list[tuple[Path, Path]]:
    """Every whole spec with the folder its output is committed to."""
    generated = ROOT / "generated"
    starters = sorted((ROOT / "specs" / "starter").glob("*.yaml"))
    examples = sorted((ROOT / "examples").glob("*/routing.yaml"))
    return [(path, generated / f"starter-{path.stem}") for path in starters] + [
        (path, generated / path.parent.name) for path in examples
    ]


def run(options: list[str]) -> int:
    """Build each spec and make the pages; the worst exit code."""
    worst = pages(check="--check" in options)
    wanted = set()
    for spec, folder in specs():
        wanted.add(folder)
        worst = max(worst, main(["build", str(spec), "-o", str(folder), "--quiet", *options]))
    for folder in sorted(path for path in (ROOT / "generated").iterdir() if path.is_dir()):
        if folder not in wanted:
            print(f"error: {folder.relative_to(ROOT)} belongs to no spec; delete it")
            worst = max(worst, 1)
    return worst


def pages(*, check: bool) -> int:
    """Write the pages, or see whether one is stale."""
    worst = 0
    for name, make in PAGES:
        path, text = ROOT / "docs" / name, make()
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.is_file() or path.read_bytes() != text.encode():
            print(f"error: {path.relative_to(ROOT)} is stale; `make generate` writes it anew")
            worst = 1
    return worst


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
