"""What building costs: the quickstart, portable and native, and lexicons of 10,000 entries.

CPU time of the program with the interpreter's start; *unchanged* is recalled from the build before.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.bench.large_lexicons import spec_text
from tests.bench.test_proofs import ROOT, cpu_of_children, lynkrc

pytestmark = pytest.mark.benchmark(timer=cpu_of_children)
STARTER = ROOT / "examples" / "quickstart" / "routing.yaml"


@pytest.mark.parametrize("native", [False, True], ids=["portable", "native"])
@pytest.mark.parametrize("cached", [False, True], ids=["anew", "unchanged"])
def test_build_an_example(native: bool, cached: bool, benchmark: Any, tmp_path: Path) -> None:
    environ = {
        "LYNKRC_CACHE": str(tmp_path / "cache") if cached else "",
        # Where it is noted who has built a library: none is recalled without.
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    words = ["build", str(STARTER), "-o", str(tmp_path / "out"), *(["--native"] if native else [])]

    def build() -> int:
        return lynkrc(*words, environ=environ)

    assert benchmark.pedantic(build, rounds=3, warmup_rounds=1) == 0


@pytest.mark.parametrize("chinese", [False, True], ids=["latin", "chinese"])
def test_build_ten_thousand_entries(chinese: bool, benchmark: Any, tmp_path: Path) -> None:
    """Proved anew, which is part of a first build."""
    spec = tmp_path / "routing.yaml"
    spec.write_text(spec_text(chinese=chinese), encoding="utf-8")
    words = ("build", str(spec), "-o", str(tmp_path / "out"))
    assert benchmark.pedantic(lynkrc, words, rounds=2) == 0
    (packed,) = (tmp_path / "out").glob("*.lynkr")
    print(f"a bundle of {packed.stat().st_size:,} bytes")
