"""Kept traces: for ten minutes, a bounded number of them, a bounded size of each."""

from typing import Any

import msgspec

from lynkrc_runtime.server.trace_store import LARGEST, TTL, TraceStore


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def trace(**parts: Any) -> dict[str, Any]:
    empty = {"decision": {"rules": []}, "features": [], "omitted": []}
    return empty | parts


def test_a_trace_is_kept_for_its_time() -> None:
    clock = Clock()
    store = TraceStore(clock)
    store.put("tr_1", trace())
    clock.now = TTL - 1
    assert store.get("tr_1") is not None
    clock.now = TTL
    assert store.get("tr_1") is None
    assert len(store) == 0


def test_a_later_trace_of_the_same_request_takes_its_place() -> None:
    clock = Clock()
    store = TraceStore(clock)
    store.put("tr_1", trace())
    clock.now = 500.0
    store.put("tr_1", trace(features=[1]))
    clock.now = 1000.0
    assert msgspec.json.decode(store.get("tr_1") or b"")["features"] == [1]
    assert len(store) == 1


def test_the_oldest_go_first() -> None:
    store = TraceStore(Clock(), most=3)
    for number in range(5):
        store.put(f"tr_{number}", trace())
    kept = [number for number in range(5) if store.get(f"tr_{number}") is not None]
    assert kept == [2, 3, 4]


def test_all_of_them_have_a_size() -> None:
    one = len(msgspec.json.encode(trace(features=["x" * 1000])))
    store = TraceStore(Clock(), size=3 * one)
    for number in range(9):
        store.put(f"tr_{number}", trace(features=["x" * 1000]))
    assert len(store) == 3
    for _ in range(9):
        store.put("tr_8", trace(features=["x" * 1000]))
    assert len(store) == 3


def test_of_a_large_trace_the_largest_parts_are_left_out_and_named() -> None:
    much = ["x" * LARGEST]
    store = TraceStore(Clock())

    def kept(**parts: Any) -> dict[str, Any]:
        store.put("tr_1", trace(**parts))
        found = store.get("tr_1") or b""
        assert len(found) <= LARGEST
        decoded: dict[str, Any] = msgspec.json.decode(found)
        return decoded

    found = kept(features=much, decision={"rules": [1]})
    assert (found["omitted"], found["features"]) == (["features"], [])
    assert found["decision"] == {"rules": [1]}
    found = kept(features=[1], decision={"rules": much, "tier": "LOW"})
    assert found["omitted"] == ["features", "rules"]
    assert found["decision"] == {"rules": [], "tier": "LOW"}
    found = kept(decision={"rules": [], "chains": much})
    assert (found["omitted"], found["decision"]) == (["features", "rules", "decision"], None)
