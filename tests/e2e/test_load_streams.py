"""Many streams at once through one worker: every word of each arrives, in order."""

import asyncio
from pathlib import Path

import pytest

from tests.soak.load_lab import crowd, load_lab

COUNT = 150


def test_streams_under_way_at_once_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As `make soak` begins, which is no part of the suite and has no folder of its for proofs.
    monkeypatch.delenv("LYNKRC_CACHE")
    with load_lab(tmp_path) as lab:
        assert asyncio.run(crowd(lab, COUNT)) == []
