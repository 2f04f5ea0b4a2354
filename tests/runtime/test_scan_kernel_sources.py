"""The number that tells of which sources a kernel is built."""

import shutil
from pathlib import Path

import pytest

from lynkrc_runtime.scan.kernel_sources import FOLDER, kernel_sources


@pytest.mark.parametrize("name", ["kernel.c", "counts.h", "bodies.pxi", "_kernel.pyx"])
def test_it_is_another_where_a_source_is_another(tmp_path: Path, name: str) -> None:
    copied = shutil.copytree(FOLDER, tmp_path / "scan", ignore=shutil.ignore_patterns("_kernel.c"))
    assert kernel_sources(copied) == kernel_sources()
    (copied / "_kernel.c").write_text("made\n", encoding="utf-8")
    assert kernel_sources(copied) == kernel_sources()
    (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
    assert kernel_sources(copied) != kernel_sources()


def test_there_is_none_without_sources(tmp_path: Path) -> None:
    assert kernel_sources(tmp_path) is None
