"""Half of a surrogate pair is told in words on every surface; whole pairs and NUL are text."""

import json

import pytest

from lynkrc_runtime.protocol.conversation import MalformedRequest, Request
from lynkrc_runtime.protocol.outside import why_not_json
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.bench.work import facts

_USER = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"@"}]}'
_CARED = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"@","name":"n"}]}'
_MEMBER = b'{"model":"m","max_tokens":5,"new":"@","messages":[{"role":"user","content":"a"}]}'
_KEY = b'{"model":"m","max_tokens":5,"@":1,"messages":[{"role":"user","content":"a"}]}'
_ITEMS = b'{"model":"m","input":[{"type":"message","role":"user","content":"@"}]}'
BODIES = [
    *((name, body) for name in ("anthropic-messages", "openai-chat") for body in (_USER, _CARED)),
    *((name, body) for name in ("anthropic-messages", "openai-chat") for body in (_MEMBER, _KEY)),
    ("openai-responses", b'{"model":"m","input":"@"}'),
    ("openai-responses", _ITEMS),
    ("openai-responses", b'{"model":"m","input":"a","prompt_cache_key":"@"}'),
]
HALVES = [rb"cut \ud83d", rb"\ude00 cut", rb"\ude00\ud83d", rb"\uD83D\ud83d\ude00", rb"\\\ud83d"]
WHOLE = {rb"\ud83d\ude00": "\U0001f600", rb"\u0000": "\0", rb"\\ud83d": "\\ud83d"}


def read(dialect: str, body: bytes, text: bytes) -> Request:
    return CLIENT_DIALECTS[dialect].read_request(body.replace(b"@", text), {})


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize(("dialect", "body"), BODIES)
def test_half_a_pair_is_refused_in_words(dialect: str, body: bytes, half: bytes) -> None:
    with pytest.raises(MalformedRequest, match="half of a surrogate pair"):
        read(dialect, body, half)


@pytest.mark.parametrize("text", WHOLE)
@pytest.mark.parametrize(("dialect", "body"), BODIES)
def test_what_is_whole_goes_to_every_target(dialect: str, body: bytes, text: bytes) -> None:
    request = read(dialect, body, text)
    for name, target in TARGET_DIALECTS.items():
        write = target.pass_request if name == dialect else target.write_request
        assert write is not None
        sent = write(request, facts(), {}).body
        assert json.loads(sent)
        if body in (_USER, _ITEMS):
            assert json.dumps(WHOLE[text])[1:-1] in json.dumps(json.loads(sent))


@pytest.mark.parametrize("dialect", CLIENT_DIALECTS)
@pytest.mark.parametrize("data", [b"\xff", b"\xed\xa0\x80", b"\xe9"])
def test_what_is_no_utf8_is_refused(dialect: str, data: bytes) -> None:
    body = next(body for name, body in BODIES if name == dialect)
    with pytest.raises(MalformedRequest, match="not UTF-8"):
        read(dialect, body, data)


def test_other_mistakes_keep_their_words() -> None:
    whole = rb'["\ud83d\ude00", "\\ud83d", "\\\\ude00"'
    assert why_not_json(ValueError("truncated"), whole) == "truncated"


def test_long_runs_of_escapes_are_searched_in_one_go() -> None:
    # Quadratic matching would take minutes here.
    for piece in (b"\\\\", rb"\ud83d\ude00", b"\\u"):
        assert why_not_json(ValueError("x"), b'"' + piece * 500_000) == "x"
