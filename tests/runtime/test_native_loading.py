"""Native libraries by their bytes: mapped once, refused where they cannot be mapped safely."""

import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest

from lynkrc_runtime.native_loading import NativeLibraries
from tests.native_tools import library_of, needs_compiler
from tests.runtime.test_bundle_load import ARTIFACTS
from tests.unit.sample_table import vector

ROOT = Path(__file__).resolve().parents[2]
MAPS = Path("/proc/self/maps")

pytestmark = needs_compiler


def library() -> bytes:
    return library_of(ARTIFACTS).library


def mapped() -> int:
    """Bytes of files of ours that are mapped here."""
    ranges = [line.split()[0] for line in MAPS.read_text().splitlines() if "lynkrc-bundle-" in line]
    return sum(int(end, 16) - int(start, 16) for start, end in (one.split("-") for one in ranges))


def test_equal_bytes_are_mapped_once() -> None:
    libraries = NativeLibraries()
    first = libraries.load(library())
    before = mapped()
    assert before > 0
    for _ in range(200):
        assert libraries.load(bytes(bytearray(library()))) is first
    assert (len(libraries), mapped()) == (1, before)


def test_other_bytes_are_another_library_of_a_bounded_size() -> None:
    """What follows the last section is no part of the code, and tells libraries apart."""
    libraries = NativeLibraries()
    first = libraries.load(library())
    before = mapped()
    others = [libraries.load(library() + bytes([number])) for number in range(5)]
    assert len({id(one) for one in (first, *others)}) == len(libraries) == 6
    assert {one(vector(words=9)) for one in others} == {first(vector(words=9))}
    # Pages for code, constants, data and what is relocated: each begins one of its own.
    assert mapped() - before <= 5 * (len(library()) + 8 * 4096)


def test_a_library_that_is_cut_short_is_refused() -> None:
    """In a process of its own, for one that is mapped all the same dies of it."""
    code = (
        "import sys\n"
        "from lynkrc_runtime.native_loading import NativeLibraries\n"
        "whole = sys.stdin.buffer.read()\n"
        "libraries = NativeLibraries()\n"
        "for part in (*range(0, 64), *range(64, len(whole) // 2, 4096)):\n"
        "    try:\n"
        "        libraries.load(whole[:part])\n"
        "    except (ImportError, OSError):\n"
        "        continue\n"
        "    sys.exit(f'{part} bytes were loaded')\n"
        "print(len(libraries))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=library(),
        env={"PYTHONPATH": str(ROOT / "runtime")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"0\n"), done.stderr


def test_a_library_of_something_else_is_refused(tmp_path: Path) -> None:
    libraries = NativeLibraries()
    foreign = bytearray(library())
    foreign[18:20] = b"\xff\xfe"  # of a machine there is none of
    for wrong in (b"", b"no library", bytes(foreign)):
        with pytest.raises((ImportError, OSError)):
            libraries.load(wrong)
    # A whole extension, but of another name: it has no `PyInit_scorer`.
    other = library().replace(b"PyInit_scorer", b"PyInit_scores")
    with pytest.raises(ImportError):
        libraries.load(other)
    assert len(libraries) == 0 and "scorer" not in sys.modules


def test_a_collection_between_two_verdicts_takes_no_verdict_twice() -> None:
    """What runs while a verdict is made may ask for another, which is kept in the same place."""
    decide = NativeLibraries().load(library())
    chance = Random(1)
    places: dict[int, dict[tuple[int, ...], list[int]]] = {}
    for _ in range(2_000):
        numbers = [chance.choice((0, 1, chance.randrange(300))) for _ in vector()]
        _, _, rule, chain, targets, score, _ = verdict = decide(numbers)
        place = (score + 7 * rule + 19 * chain + 37 * targets) % 64
        places.setdefault(place, {})[verdict] = numbers
    first, second, third = list(max(places.values(), key=len).values())[:3]
    inner: list[tuple[int, ...]] = []

    def collected(phase: str, info: dict[str, int]) -> None:
        if not inner:
            inner.append(decide(third))

    held = decide(first)
    before = sys.getrefcount(held)
    spare = [tuple([number] * 7) for number in range(5_000)]  # so that the next one is new
    threshold = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        verdict = decide(second)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(collected)
    assert len(spare) == 5_000 and verdict != held
    assert sys.getrefcount(held) == before - 1


def test_a_folder_where_others_can_swap_the_library_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o777)
    libraries = NativeLibraries()
    with pytest.raises(ImportError, match=r"others can rename what lies in .*; TMPDIR names"):
        libraries.load(library())
    assert list(tmp_path.iterdir()) == [] and len(libraries) == 0
    tmp_path.chmod(0o1777)
    assert libraries.load(library())(vector(words=9))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_nothing_runs_from_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader says only that a segment failed to map, which tells nobody what to do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fields = list(os.statvfs(tmp_path))
    fields[8] |= os.ST_NOEXEC
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))
    with pytest.raises(ImportError, match="is mounted noexec; TMPDIR names another folder"):
        NativeLibraries().load(library())
