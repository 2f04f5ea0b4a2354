"""A body that nests too deeply is the client's mistake, wherever the stack ends first."""

import msgspec
import pytest

from lynkrc_runtime.protocol.conversation import MalformedRequest, Request
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from tests.runtime.by_hand import CHAT
from tests.runtime.test_serve_repeated import send, table

SCHEMA = b'{"type":"json_schema","json_schema":{"name":"x","schema":DEEP}}'
TOOL = b'{"type":"function","function":{"name":"f","parameters":DEEP}}'


def content(member: bytes, depth: int) -> bytes:
    head = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],'
    return head + member.replace(b"DEEP", b'{"a":' * depth + b"1" + b"}" * depth) + b"}"


@pytest.mark.parametrize("member", [b'"response_format":' + SCHEMA, b'"tools":[' + TOOL + b"]"])
def test_every_depth_is_served_or_refused(member: bytes) -> None:
    made = table(has_assertions=False)
    statuses = {send(made, content(member, depth), CHAT)[0].status for depth in range(900, 1000)}
    assert statuses == {200, 400}


def further_down(calls: int, request: Request) -> int:
    """The estimate, made this many calls further down the stack."""
    return further_down(calls - 1, request) if calls else estimate_tokens(request)


def test_what_is_read_just_so_is_not_estimated_further_down() -> None:
    request = CLIENT_DIALECTS[CHAT].read_request(content(b'"tools":[' + TOOL + b"]", 800), {})
    assert estimate_tokens(request) > 800
    again = msgspec.structs.replace(request, tools=tuple(request.tools))
    with pytest.raises(MalformedRequest, match="the body is nested too deeply"):
        further_down(400, again)
