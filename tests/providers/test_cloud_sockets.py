"""The official clients through a live gateway to servers that behave like the clouds."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError, RateLimitError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from openai import OpenAI

from lynkrc_runtime.dispatch import Provider, ProviderSettings
from tests.e2e import small_bundle
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.socket_lab import clients
from tests.providers import bedrock_server, vertex_server
from tests.providers.bedrock_server import Bedrock
from tests.providers.local_server import serving_app
from tests.providers.vertex_server import Vertex
from tests.runtime.by_hand import CHAT, dispatch, provider, target

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5"
TARGETS: dict[str, tuple[str, str, str | None]] = {
    "invoke": ("keyed", CLAUDE, None),
    "converse": ("keyed", CLAUDE, "bedrock-converse"),
    "nova": ("signed", "amazon.nova-pro-v1:0", None),
    "arn": ("signed", ARN, "anthropic-messages"),
    "oss": ("signed", "openai.gpt-oss-120b-1:0", CHAT),
    "vertex-claude": ("token", "claude-sonnet-4-5@20250929", None),
    "minted": ("account", "claude-sonnet-5-5", None),
    "gemini": ("token", "gemini-3.8-flash", None),
    "express": ("express", "gemini-3.8-flash", None),
}
"""Targets: provider, model, dialect."""
TOOLS: Any = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {}}}]
ASK: Any = [{"role": "user", "content": "Hi"}]


@dataclass
class Through:
    """A gateway with one target, and clients of it."""

    gateway: GatewayProcess
    anthropic: Anthropic
    openai: OpenAI


@dataclass
class Clouds:
    """Both clouds, and a gateway for each target that was asked for."""

    bedrock: Bedrock
    vertex: Vertex
    providers: dict[str, Provider]
    environ: dict[str, str]
    folder: Path
    stack: ExitStack
    gateways: dict[str, Through] = field(default_factory=dict)

    def through(self, name: str) -> Through:
        """The gateway to a target; one starts when it is first asked for."""
        if name not in self.gateways:
            owner, model, dialect = TARGETS[name]
            table = dispatch(
                [self.providers[owner]], [target(name, 0, model=model, dialect=dialect)]
            )
            made = small_bundle.write(self.folder / f"{name}.lynkr", small_bundle.files(table))
            started = serving(made, self.folder / f"{name}.log", environ=self.environ)
            gateway = self.stack.enter_context(started)
            self.gateways[name] = Through(gateway, *self.stack.enter_context(clients(gateway)))
        return self.gateways[name]


def account_file(folder: Path, url: str) -> Path:
    """A service account whose tokens our own server gives out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "account.json"
    account = {
        "type": "service_account",
        "project_id": "acme",
        "private_key_id": "k",
        "private_key": pem.decode(),
        "client_email": "tests@acme.iam.gserviceaccount.com",
        "token_uri": f"{url}/token",
    }
    path.write_text(json.dumps(account))
    return path


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    folder = tmp_path_factory.mktemp("clouds")
    bedrock, vertex = Bedrock(), Vertex()
    with ExitStack() as stack:
        rock = stack.enter_context(serving_app(bedrock.app()))
        google = stack.enter_context(serving_app(vertex.app()))
        at_aws = {"base_url": rock, "rest": ProviderSettings(region="us-east-1"), "retries": 0}
        place = f"{google}/v1/projects/acme/locations/us-east5"
        providers = [
            provider("keyed", "bedrock", **at_aws, api_key="${ROCK_KEY}"),
            provider("signed", "bedrock", **at_aws, api_key=None),
            provider("token", "vertex", base_url=place, api_key="${TOKEN}", retries=0),
            provider("account", "vertex", base_url=place, api_key=None, retries=0),
            provider("express", "vertex", base_url=f"{google}/v1", api_key="${KEY}", retries=0),
        ]
        environ = {
            "ROCK_KEY": bedrock_server.KEY,
            "TOKEN": vertex_server.TOKEN,
            "KEY": vertex_server.KEY,
            "AWS_ACCESS_KEY_ID": bedrock_server.ACCESS,
            "AWS_SECRET_ACCESS_KEY": bedrock_server.SECRET,
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
            "GOOGLE_APPLICATION_CREDENTIALS": str(account_file(folder, google)),
            "NO_PROXY": "*",
        }
        named = {one.name: one for one in providers}
        found = Clouds(bedrock, vertex, named, environ, folder, stack)
        yield found
        for one in found.gateways.values():
            assert not [line for line in one.gateway.lines if line["event"] == "mistake"]


@pytest.fixture(autouse=True)
def as_new(clouds: Clouds) -> None:
    clouds.bedrock.seen.clear()
    clouds.vertex.seen.clear()
    clouds.bedrock.throttles, clouds.vertex.has_quota = False, True


SAID = {
    **dict.fromkeys(("converse", "nova"), "Hello there — ça va?"),
    **dict.fromkeys(("vertex-claude", "minted"), None),
    **dict.fromkeys(("gemini", "express"), vertex_server.SAID),
}
"""What a stream says, where it is not what the whole answer says; None: the data file's text."""


@pytest.mark.parametrize("name", TARGETS)
def test_messages_whole_and_streamed(clouds: Clouds, name: str) -> None:
    client = clouds.through(name).anthropic
    asked: Any = {"model": "auto", "max_tokens": 100, "messages": ASK}
    answer = client.messages.create(**asked)
    (block,) = answer.content
    assert block.type == "text" and block.text in (bedrock_server.SAID, vertex_server.SAID)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (21, 12)
    with client.messages.stream(**asked) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "end_turn" and final.content[0].type == "text"
    wanted = SAID.get(name, bedrock_server.SAID)
    assert wanted is None or final.content[0].text == wanted
    assert final.usage.output_tokens > 0


@pytest.mark.parametrize("name", TARGETS)
def test_chat_whole_and_streamed(clouds: Clouds, name: str) -> None:
    client = clouds.through(name).openai
    answer = client.chat.completions.create(model="auto", messages=ASK)
    assert answer.choices[0].message.content in (bedrock_server.SAID, vertex_server.SAID)
    assert answer.usage is not None and answer.usage.total_tokens == 33
    with client.chat.completions.stream(model="auto", messages=ASK) as stream:
        final = stream.get_final_completion()
    wanted = SAID.get(name, bedrock_server.SAID)
    assert final.choices[0].message.content
    assert wanted is None or final.choices[0].message.content == wanted


def test_every_way_of_credentials_is_used(clouds: Clouds) -> None:
    for name, how, path in (
        ("invoke", "bearer", f"/model/{CLAUDE}/invoke"),
        ("nova", "signed", "/model/amazon.nova-pro-v1:0/converse"),
        ("arn", "signed", f"/model/{ARN.replace('/', '%2F')}/invoke"),
    ):
        clouds.through(name).anthropic.messages.create(model="a", max_tokens=9, messages=ASK)
        assert clouds.bedrock.seen[-1][:2] == (path, how)
    for _ in range(3):
        clouds.through("minted").anthropic.messages.create(model="a", max_tokens=9, messages=ASK)
    assert clouds.vertex.minted == 1, "one token for all requests"


@pytest.mark.parametrize("name", ["converse", "nova"])
def test_tools_through_converse_and_back(clouds: Clouds, name: str) -> None:
    client = clouds.through(name).anthropic
    asked: Any = {"model": "auto", "max_tokens": 100, "tools": TOOLS}
    with client.messages.stream(**asked, messages=ASK) as stream:
        first = stream.get_final_message()
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"city": "Paris"}, {"city": "Oslo"}]
    results: Any = [
        {"type": "tool_result", "tool_use_id": call.id, "content": "12C"} for call in calls
    ]
    said: Any = [
        *ASK,
        {"role": "assistant", "content": [block.model_dump() for block in first.content]},
        {"role": "user", "content": results},
    ]
    second = client.messages.create(**asked, messages=said)
    assert second.stop_reason == "end_turn"
    sent = clouds.bedrock.seen[-1][2]["messages"][-1]["content"]
    assert [part["toolResult"]["toolUseId"] for part in sent] == [call.id for call in calls]


@pytest.mark.parametrize("name", ["invoke", "converse"])
def test_a_stream_that_is_throttled_midway_ends_with_an_error(clouds: Clouds, name: str) -> None:
    clouds.bedrock.throttles = True
    client = clouds.through(name).anthropic
    asked: Any = {"model": "auto", "max_tokens": 100, "messages": ASK}
    with pytest.raises(APIStatusError) as caught, client.messages.stream(**asked) as stream:
        stream.get_final_message()
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("invoke", bedrock_server.COUNT),
        ("converse", bedrock_server.COUNT),
        ("vertex-claude", vertex_server.COUNT),
    ],
)
def test_tokens_are_counted_by_the_cloud(clouds: Clouds, name: str, tokens: int) -> None:
    counted = clouds.through(name).anthropic.messages.count_tokens(model="auto", messages=ASK)
    assert counted.input_tokens == tokens


def test_google_s_quota_in_a_list_is_a_rate_limit(clouds: Clouds) -> None:
    clouds.vertex.has_quota = False
    with pytest.raises(RateLimitError):
        clouds.through("vertex-claude").anthropic.messages.create(
            model="auto", max_tokens=9, messages=ASK
        )


def test_an_upstream_s_refusal_says_why(clouds: Clouds) -> None:
    with pytest.raises(APIStatusError) as caught:
        clouds.through("invoke").anthropic.messages.create(
            model="auto", max_tokens=9, messages=ASK, extra_body={"service_tier": 7}
        )
    assert caught.value.status_code == 400 and "service_tier" in str(caught.value)
