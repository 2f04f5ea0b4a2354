"""Bytes to a verdict on the compiler: it must answer any of them, soon, and be able to say it."""

import time
from pathlib import Path

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.places import Run
from lynkrc.diagnostics.render_machine import render_json
from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import Checked, check_spec
from lynkrc.source.decode_text import MAX_BYTES
from tests.unit.sema_sample import catalog

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 2.0
"""Processor time a mebibyte may take."""

CATALOG = catalog()


class TooSlow(Exception):
    """A check took more processor time than any input may."""


def corpus() -> list[bytes]:
    """Every spec of the tree, good and bad, in a fixed order."""
    folders = ("tests/golden", "specs", "examples")
    return [path.read_bytes() for name in folders for path in sorted((ROOT / name).rglob("*.yaml"))]


RUN = Run(root="/", spec="routing.yaml", version="0")


def check(data: bytes) -> Checked:
    """Check a spec and show what was found, which is returned; nothing may be raised.

    AssertionError where the answer contradicts itself.
    """
    found = check_spec("routing.yaml", data, loader=DiskLoader(), catalog=CATALOG)
    assert found.has_errors == (found.typed is None)
    for one in found.diagnostics:
        assert 0 <= one.span.start <= one.span.end <= len(one.span.file.text)
    render_json(found.diagnostics, RUN)
    render_text(found.diagnostics)
    return found


def check_in_time(data: bytes) -> None:
    """`check`; TooSlow where that takes longer than a mebibyte may."""
    begun = time.process_time()
    check(data[:MAX_BYTES])
    taken = time.process_time() - begun
    if taken > SECONDS:
        raise TooSlow(f"{taken:.1f} s for {len(data):,} bytes")
