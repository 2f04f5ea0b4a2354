"""Two versions side by side, and what is left of the old ones: nothing, how often soever."""

import gc
import os
import weakref
from array import array
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.scan.tables import Tables, pack
from lynkrc_runtime.server.reload import Reloader
from lynkrc_runtime.telemetry.reloads import Result
from tests.e2e import versions
from tests.runtime.by_hand import body
from tests.runtime.test_reload_parts import reloader
from tests.soak.process_facts import facts
from tests.unit.cli_sample import SPEC

RELOADS = 200
WARM = 20
"""Reloads until the process has what it keeps for good: threads, caches, an allocator's room."""
GROWTH = 200_000_000
"""Bytes that the other 180 may leave: about 1 MB each, where a table has 4 MB."""


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """As in a gateway, what was there before is not looked through at each reload."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@cache
def large_table(step: int) -> bytes:
    """4 MB of a table without an entry; its states follow one another by `step`."""
    states, classes = 4_001, 250
    transitions = array("I", bytes(4 * states * classes))
    for state in range(states):
        transitions[state * classes] = (state + step) % states
    return pack(
        byte_class=bytes(byte % classes for byte in range(256)),
        transitions=transitions,
        accepts=[()] * states,
        counts=[()] * states,
        sizes=(),
    )


def live_tables() -> int:
    """Tables that something in this process still holds."""
    gc.collect()
    return sum(isinstance(one, Tables) for one in gc.get_objects())


async def swap(made: Reloader, path: Path) -> None:
    assert await made.prepare(path) is Result.RELOADED
    made.commit()


async def test_two_hundred_reloads_leave_nothing(tmp_path: Path) -> None:
    others = live_tables()
    paths = []
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        table = large_table(number)
        assert len(table) > 4_000_000
        paths.append(versions.write(tmp_path / str(number), number, files={"lexicons.dfa": table}))
    made, site, _ = reloader(paths[0])
    served: list[weakref.ref[Extractor]] = []
    settled = 0
    for number in range(1, RELOADS + 1):
        served.append(weakref.ref(site.gateway.policy.extractor))
        await swap(made, paths[number % 2])
        assert site.gateway.policy.digest == versions.digest(number % 2 + 1)
        if number == WARM:
            settled = facts(os.getpid()).rss
    grown = facts(os.getpid()).rss - settled
    assert [one() for one in served] == [None] * RELOADS
    assert live_tables() == others + 1
    assert grown < GROWTH, f"{grown:,} bytes more after {RELOADS - WARM} reloads"


def write_words(folder: Path, word: str) -> Path:
    """A bundle whose policy looks for one word."""
    spec = folder / f"{word}.yaml"
    spec.write_text(
        SPEC.replace("score:", f"lexicons: {{words: [{word}]}}\nscore:").replace(
            "ramp(ask.words, 0, 20)", "when(matches(ask, words), 100, 0)"
        )
    )
    packed, _ = pack_bundle(compile_file(spec), native=False)
    path = folder / f"{word}.lynkr"
    path.write_bytes(packed)
    return path


async def test_a_running_request_is_read_by_its_own_tables(tmp_path: Path) -> None:
    """Scans of both versions in turn; then the old tables go, with the request that held them."""
    others = live_tables()
    old_path, new_path = write_words(tmp_path, "alpha"), write_words(tmp_path, "omega")
    made, site, _ = reloader(old_path)
    running = site.gateway
    reader = CLIENT_DIALECTS["anthropic-messages"]
    requests = {
        word: reader.read_request(body(messages=[{"role": "user", "content": word}]), {})
        for word in ("alpha", "omega")
    }
    told = RequestFacts(surface="messages", headers={})

    def tiers(gateway: object) -> list[str | None]:
        assert gateway in (running, site.gateway)
        chosen = running if gateway is running else site.gateway
        return [
            chosen.decider.decide(chosen.policy.extractor.extract(one, told)).tier
            for one in requests.values()
        ]

    assert tiers(running) == ["HIGH", "LOW"]
    await swap(made, new_path)
    for _ in range(3):
        assert tiers(running) == ["HIGH", "LOW"]
        assert tiers(site.gateway) == ["LOW", "HIGH"]
    assert live_tables() == others + 2
    held = weakref.ref(running.policy.extractor)
    running = site.gateway
    gc.collect()
    assert held() is None
    assert live_tables() == others + 1
