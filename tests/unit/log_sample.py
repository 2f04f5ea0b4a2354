"""Lines of a usage log by hand, of the small spec of `tests.unit.diff_sample` and others."""

from typing import Any

import msgspec

from lynkrc.codegen.dispatch import print_dispatch
from lynkrc.diff.replay import Decider, decider_of
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.usage_record import RequestLine, Tokens, bundle_line
from tests.unit.diff_sample import compiled


def decider(text: str) -> Decider:
    table, spec = compiled(text)
    return decider_of(table, spec.digest)


def described(made: Decider) -> bytes:
    dispatch = msgspec.json.decode(print_dispatch(made.table), type=Dispatch)
    return line(bundle_line(dispatch, made.digest, "2026-01-01T00:00:00.000+00:00"))


def line(value: Any) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def values(made: Decider, **changes: Any) -> dict[str, Any]:
    """What an empty request would be logged with."""
    plain = {
        slot.text: ("absent" if slot.classes[0].kind == "absent" else slot.classes[0].text)
        if slot.classes
        else 0
        for slot in made.table.slots
    }
    assert set(changes) <= set(plain), (changes, plain)
    return plain | changes


def record(made: Decider, **members: Any) -> RequestLine:
    usual: dict[str, Any] = {
        "version": 2,
        "time": "2026-01-01T00:00:00.000+00:00",
        "request_id": "req_1",
        "bundle": made.digest,
        "surface": "messages",
        "stream": False,
        "slots": values(made),
        "outcome": "route",
        "ending": "served",
        "status": 200,
        "tier": "LOW",
        "rule": "score",
        "score": 0,
        "target": "small",
        "model": None,
        "key": None,
        "team": None,
        "tenant": None,
        "duration_ms": 5,
        "fallback": False,
        "attempts": [],
        "tokens": Tokens(input=1_000, output=100),
        "cost_micro_usd": 0,
        "estimated": False,
    }
    return RequestLine(**(usual | members))
