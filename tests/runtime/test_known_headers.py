"""What is known of a connection's last request says of the next what the guard would."""

import asyncio
from dataclasses import replace
from unittest.mock import Mock

from aiohttp.http import HttpRequestParser, RawRequestMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.server.doors import Doors
from lynkrc_runtime.server.http import let_in
from lynkrc_runtime.server.known import MAY_DIFFER
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.settings import Key
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

LIMIT = 1000
LOOP = Mock(spec=asyncio.AbstractEventLoop)
PATH = "/v1/messages"
OPEN = gateway(policy(dispatch([provider("sim", "simulator")], [target("one", 0)])), Said())
KEYED = replace(OPEN, keys=KeyRing({name: Key(secret=name * 3) for name in ("ann", "bob")}, {}))


class Unheard(asyncio.Protocol):
    """What a parser is told to belong to."""


def message(fields: list[tuple[str, str]]) -> RawRequestMessage:
    lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    parser = HttpRequestParser(
        Unheard(), LOOP, 1 << 16, max_line_size=1 << 16, max_field_size=1 << 16
    )
    messages, _, _ = parser.feed_data("\r\n".join([*lines, "", ""]).encode())
    ((found, _),) = messages
    return found


USUAL = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", "9")]
SAID = {
    "x-api-key": ["annannann", "bobbobbob", "nobody", ""],
    "authorization": ["Bearer annannann", "Bearer bobbobbob", "Basic"],
    "x-request-id": ["a", "b", "no id"],
    "Traceparent": ["00-1", "00-2", "caf\u00e9"],
    "x-lynkr-explain": ["0", "1"],
    "x-other": ["1", "2", "b" * 40_000],
    "tracestate": ["c" * 40_000, ""],
    "origin": ["http://a.example"],
    "expect": ["100-continue"],
    "content-encoding": ["gzip"],
}
ONE = st.sampled_from(sorted(SAID)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(SAID[name]))
)


@st.composite
def heads(draw: st.DrawFn) -> list[tuple[str, str]]:
    """The usual headers, with some among them, and another value for one of them at times."""
    fields = USUAL + draw(st.lists(ONE, max_size=4))
    changes = [("Host", "evil.example"), ("Content-Type", "text/plain")]
    changes += [("Content-Length", length) for length in ("0", "10", "2000")]
    name, value = draw(st.sampled_from([*changes, *([("", "")] * 5)]))
    return [(one, value if one == name else said) for one, said in fields]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Two requests that are alike, or not at all."""
    first = draw(heads())
    if draw(st.integers(0, 4)) == 0:
        return first, draw(heads())
    again = [
        (name, draw(st.sampled_from([value, *SAID.get(name, ["9", "77", "2000"])])))
        if name not in ("Host", "Content-Type")
        else (name, value)
        for name, value in first
    ]
    return first, again


@settings(max_examples=150, deadline=None)
@given(pairs(), st.sampled_from([OPEN, KEYED]))
def test_it_says_what_the_guard_says_or_nothing(
    requests: tuple[list[tuple[str, str]], list[tuple[str, str]]], served: object
) -> None:
    site = OPEN if served is OPEN else KEYED
    before, after = (message(fields) for fields in requests)
    known = let_in(site, before, PATH, LIMIT)
    if known is None:
        return
    found = known.again(site, after.raw_headers, LIMIT)
    judged = let_in(site, after, PATH, LIMIT)
    if found is None:
        return
    assert judged is not None
    assert (found.headers, found.repeated, found.caller) == (
        judged.headers,
        judged.repeated,
        judged.caller,
    )
    assert list(found.headers) == list(judged.headers)


def test_what_comes_again_with_other_ids_is_known() -> None:
    fields = [*USUAL, ("X-API-Key", "annannann"), *((one.decode(), "1") for one in MAY_DIFFER)]
    fields = list({name.lower(): (name, value) for name, value in fields}.values())
    other = [(name, "2" if name.encode() in MAY_DIFFER else value) for name, value in fields]
    known = let_in(KEYED, message(fields), PATH, LIMIT)
    assert known is not None
    again = known.again(KEYED, message(other).raw_headers, LIMIT)
    assert again is not None
    assert again.caller is known.caller is not None
    assert again.headers["traceparent"] == again.headers["content-length"] == "2"
    assert known.headers["traceparent"] == "1"
    once_more = again.again(KEYED, message(other).raw_headers, LIMIT)
    assert once_more is not None
    assert once_more.headers == again.headers


def test_it_holds_for_the_keys_doors_and_bounds_it_was_found_with() -> None:
    said = message([*USUAL, ("x-api-key", "annannann")])
    known = let_in(KEYED, said, PATH, LIMIT)
    assert known is not None
    assert known.again(KEYED, said.raw_headers, LIMIT) is not None
    assert known.again(KEYED, said.raw_headers, LIMIT - 1) is None
    for other in (
        replace(KEYED, keys=KeyRing({"ann": Key(secret="annannann")}, {})),
        replace(KEYED, doors=Doors(origins=frozenset({"http://a.example"}))),
        replace(KEYED, settings=Settings(any_host=True)),
    ):
        assert known.again(other, said.raw_headers, LIMIT) is None
