"""Both official SDKs against answers without a model: whole and streamed, read strictly."""

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic
from msgspec.structs import replace
from openai import OpenAI

from lynkrc_runtime.dispatch import Rule
from lynkrc_runtime.server.local import MODEL
from tests.e2e import small_bundle
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.socket_lab import clients
from tests.runtime.by_hand import dispatch, provider, target

WORDS = "Neues Gespräch — 晨"
HELLO: list[Any] = [{"role": "user", "content": "Write a title for this conversation"}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """Every request meets the rule `titles`; the only target is at a port nobody has."""
    folder = tmp_path_factory.mktemp("local")
    table = dispatch(
        [provider("away", "openai-compatible", base_url="http://127.0.0.1:9/v1")],
        [target("one", 0)],
    )
    says = Rule(name="titles", deny=None, respond=WORDS, prefer=None)
    made = small_bundle.files(replace(table, rules=[says]), (2, -1, 0, -1, 0, -1, -1))
    with serving(small_bundle.write(folder / "local.lynkr", made), folder / "log") as served:
        yield served
        assert served.stop() == 0


@pytest.fixture
def sdks(gateway: GatewayProcess) -> Iterator[tuple[Anthropic, OpenAI]]:
    with clients(gateway) as both:
        yield both


def test_anthropic_parses_a_local_answer(sdks: tuple[Anthropic, OpenAI]) -> None:
    raw = sdks[0].messages.with_raw_response.create(model="any", max_tokens=100, messages=HELLO)
    message = raw.parse()
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": WORDS}]
    assert (message.stop_reason, message.model) == ("end_turn", MODEL)
    assert (message.usage.input_tokens, message.usage.output_tokens) == (0, 0)
    assert raw.headers["x-lynkr-rule"] == "titles"
    assert raw.headers["x-lynkr-attempts"] == "0"
    assert not {"x-lynkr-provider", "x-lynkr-model", "x-lynkr-tier"} & set(raw.headers)
    with sdks[0].messages.stream(model="any", max_tokens=100, messages=HELLO) as stream:
        assert "".join(stream.text_stream) == WORDS
        final = stream.get_final_message()
    assert final.usage.to_dict() == message.usage.to_dict()
    assert (final.stop_reason, final.model) == (message.stop_reason, message.model)


def test_openai_parses_a_local_answer(sdks: tuple[Anthropic, OpenAI]) -> None:
    raw = sdks[1].chat.completions.with_raw_response.create(model="any", messages=HELLO)
    completion = raw.parse()
    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason) == (WORDS, "stop")
    assert completion.model == MODEL
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.total_tokens) == (0, 0)
    assert raw.headers["x-lynkr-rule"] == "titles"
    with sdks[1].chat.completions.stream(
        model="any", messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert final.choices[0].message.content == WORDS
    assert final.choices[0].finish_reason == "stop"
    assert final.usage == completion.usage


def test_a_chat_stream_without_the_wish_has_no_usage(sdks: tuple[Anthropic, OpenAI]) -> None:
    chunks = list(sdks[1].chat.completions.create(model="any", messages=HELLO, stream=True))
    assert [chunk for chunk in chunks if chunk.usage is not None or not chunk.choices] == []
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == WORDS


def test_a_count_asked_of_a_local_rule_is_the_estimate(sdks: tuple[Anthropic, OpenAI]) -> None:
    raw = sdks[0].messages.with_raw_response.count_tokens(model="any", messages=HELLO)
    assert raw.parse().input_tokens > 0
    assert raw.headers["x-lynkr-transforms"] == "tokens-estimated"
