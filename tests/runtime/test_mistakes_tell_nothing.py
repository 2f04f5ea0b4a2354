"""A mistake of ours whose message holds a prompt and a key: nobody hears of either."""

import pytest

from lynkrc_runtime.upstream import UpstreamRequest, UpstreamResponse
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Said,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)

PROMPT, SECRET = "planted words of a prompt", "sk-planted-0123456789"


class Careless:
    """An upstream that fails as no upstream may, and tells everything it knows."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        try:
            raise KeyError(f"{SECRET} {request.body!r}")
        except KeyError as error:
            raise RuntimeError(f"{request.headers} {PROMPT}") from error


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT, RESPONSES])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_mistake_is_told_by_its_type_and_place(
    dialect: str, stream: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    table = dispatch([provider("far", "anthropic-compatible")], [target("one", 0)])
    said = Said()
    served = gateway(policy(table), said, http=Careless())
    answer = await ask(served, body(dialect, stream=stream, text=PROMPT), dialect)
    assert answer.status == 500
    mistake, request = said.lines
    assert (mistake["event"], mistake["type"]) == ("mistake", "RuntimeError")
    assert request["class"] == "internal"
    written = capsys.readouterr()
    told = [
        str(said.lines),
        str(answer.headers),
        answer.body.decode(),
        served.metrics.render().decode(),
        str(served.recent.get(None, "req_test")),
        written.out,
        written.err,
    ]
    for word in (PROMPT, SECRET):
        assert not [text for text in told if word in text]
