"""Many streams at once through one worker: every word of each arrives, in order."""

import asyncio
from pathlib import Path

from tests.soak.load_lab import crowd, load_lab

COUNT = 150


def test_streams_under_way_at_once_lose_nothing(tmp_path: Path) -> None:
    with load_lab(tmp_path) as lab:
        assert asyncio.run(crowd(lab, COUNT)) == []
