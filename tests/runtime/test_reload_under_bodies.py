"""A reload while a body comes: the request is served by the gateway that judged it, whole."""

import asyncio
from dataclasses import replace

import pytest

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.server.exchange import Client, Incoming
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.settings import Key
from lynkrc_runtime.telemetry.metrics import Metrics
from tests.runtime.connection_lab import HEAD, PATIENCE, Lending, answer, asked, both_ways, lending


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lending:
    return lending(monkeypatch)


@both_ways
@pytest.mark.parametrize("path", [b"/v1/messages", b"/v1/messages/count_tokens"])
async def test_keys_that_come_while_a_body_comes_are_asked_of_the_next(
    lab: Lending, direct: bool, path: bytes
) -> None:
    served: list[Gateway] = []

    async def serving(gateway: Gateway, incoming: Incoming, client: Client) -> None:
        served.append(gateway)
        await client.answer(200, {}, incoming.body)

    async with lab(serving, direct=direct) as one:
        before = one.site.gateway
        keys = KeyRing({"ci": Key(secret="sesame")}, {})
        after = replace(before, keys=keys, metrics=Metrics(version="0"))
        body = b'{"model":"m","messages":[{"role":"user","content":"foo"}]}'
        reader, writer = await one.connect()
        writer.write(HEAD.replace(b"/v1/messages", path, 1))
        writer.write(b"content-length: %d\r\n\r\n{" % len(body))
        (protocol,) = await one.coming()
        one.site.gateway = after
        writer.write(body[1:])
        assert (await answer(reader))[0] == b"200"
        if path == b"/v1/messages":
            assert served == [before]
        else:
            assert b'surface="count_tokens"' in before.metrics.render()
            assert b'surface="count_tokens"' not in after.metrics.render()
        writer.write(asked(body))
        assert (await answer(reader))[0] == b"401"
        assert protocol in one.connections()
        writer.write(asked(body, b"x-api-key: sesame"))
        assert (await asyncio.wait_for(answer(reader), PATIENCE))[0] == b"200"
        assert served[-1] is after
