"""What the gateway asks of the clouds, as the official clients were recorded asking it."""

import base64
import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.providers.address import url_of
from lynkrc_runtime.providers.frames import FRAMES
from lynkrc_runtime.providers.signing_aws import signature
from lynkrc_runtime.upstream import UpstreamRequest
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Said,
    Script,
    Scripted,
    ask,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run
from tests.wire.bedrock_frames import check_input

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
SAYS = [{"role": "user", "content": "x"}]
BASE = {"max_tokens": 5, "messages": SAYS}
NEW = {"anthropic-version": "2026-10-21"}
OLD = {"anthropic-version": "2023-06-01"}
JSON = {"accept": "application/json", "content-type": "application/json"}


def sent(
    kind: str,
    model: str,
    body: dict[str, Any],
    dialect: str = MESSAGES,
    headers: dict[str, str] | None = None,
    written: str | None = None,
    own: dict[str, str] | None = None,
    **members: Any,
) -> UpstreamRequest:
    """The request a client's request becomes; the answer to it does not matter."""
    rest = ProviderSettings(
        **{n: members.pop(n) for n in ("region", "project", "api_version") if n in members}
    )
    fields = {"base_url": None, "api_key": "${KEY}", "retries": 0, "headers": own or {}} | members
    table = dispatch(
        [provider("p", kind, rest=rest, **fields)], [target("t", 0, model=model, dialect=written)]
    )
    upstream = Scripted({"t": [Script(status=500, headers={})]})
    served = gateway(policy(table), Said(), http=upstream)
    run(ask(served, json.dumps({"model": "auto"} | body).encode(), dialect, headers=headers))
    (request,) = upstream.requests
    return request


def bedrock(body: dict[str, Any], headers: dict[str, str] = NEW, **more: Any) -> UpstreamRequest:
    return sent("bedrock", HAIKU, body, headers=headers, region="us-east-1", **more)


def test_invoke_is_asked_as_the_official_client_asks_it() -> None:
    request = bedrock(BASE, NEW | {"anthropic-beta": "b1"})
    root = "https://bedrock-runtime.us-east-1.amazonaws.com"
    assert request.url == f"{root}/model/{HAIKU}/invoke"
    assert JSON.items() <= request.headers.items()
    assert request.headers["authorization"] == "Bearer secret-key"
    assert not {"anthropic-version", "x-api-key"} & request.headers.keys()
    version = {"anthropic_version": "2026-10-21"}
    assert json.loads(request.body) == {**BASE, **version, "anthropic_beta": ["b1"]}
    assert "anthropic-beta" not in request.headers
    streamed = bedrock(BASE | {"stream": True})
    assert streamed.url == f"{root}/model/{HAIKU}/invoke-with-response-stream"
    assert json.loads(streamed.body) == {**BASE, **version}
    assert streamed.headers["accept"] == "application/vnd.amazon.eventstream"


def test_the_version_of_2023_has_the_cloud_s_own_name() -> None:
    assert json.loads(bedrock(BASE, OLD).body)["anthropic_version"] == "bedrock-2023-05-31"
    request = sent("vertex", "claude-x", BASE, headers=OLD, region="global", project="P")
    assert json.loads(request.body)["anthropic_version"] == "vertex-2023-10-16"


def test_every_other_value_is_passed_byte_for_byte() -> None:
    body = b'{"model":"m","messages": [ {"role":"user"} ],"x":1.50,"max_tokens":5,"stream":true}'
    written = Written(body=body, headers=OLD, transforms=("a",))
    framed = FRAMES["bedrock-invoke"].request(written)
    assert framed.body == (
        b'{"messages":[ {"role":"user"} ],"x":1.50,"max_tokens":5,'
        b'"anthropic_version":"bedrock-2023-05-31"}'
    )
    assert (framed.headers, framed.transforms) == ({}, ("a",))


def test_counting_at_bedrock_is_legal() -> None:
    written = Written(body=b'{"model":"m","messages":[]}', headers=NEW, transforms=())
    frame = FRAMES["bedrock-invoke"]
    body = check_input(frame.count(written).body, "CountTokens")
    inner = json.loads(base64.b64decode(body["input"]["invokeModel"]["body"]))
    assert inner == {"messages": [], "max_tokens": 1, "anthropic_version": "2026-10-21"}
    assert frame.read_count is not None and frame.read_count(b'{"inputTokens":7}') == 7


def test_counting_at_vertex_keeps_the_model() -> None:
    written = Written(body=b'{"messages":[],"model":"m"}', headers=NEW, transforms=())
    framed = FRAMES["vertex-claude"].count(written)
    assert json.loads(framed.body) == {
        "messages": [],
        "model": "m",
        "anthropic_version": "2026-10-21",
    }
    assert framed.headers == {}


def test_other_ways_to_bedrock_are_chosen_by_the_target() -> None:
    root = "https://bedrock-runtime.us-east-1.amazonaws.com"
    converse = bedrock(BASE, written="bedrock-converse")
    assert converse.url == f"{root}/model/{HAIKU}/converse"
    assert check_input(converse.body)["inferenceConfig"] == {"maxTokens": 5}
    nova = sent("bedrock", "amazon.nova-pro-v1:0", BASE | {"stream": True}, region="us-east-1")
    assert nova.url == f"{root}/model/amazon.nova-pro-v1:0/converse-stream"
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"
    wrapped = sent("bedrock", arn, BASE, region="us-east-1", written=MESSAGES)
    assert wrapped.url == f"{root}/model/{arn.replace('/', '%2F')}/invoke"
    chat = sent(
        "bedrock", "openai.gpt-oss-120b-1:0", {"messages": SAYS}, CHAT, region="us-east-1",
        written=CHAT,
    )  # fmt: skip
    assert chat.url == f"{root}/openai/v1/chat/completions"
    assert json.loads(chat.body)["model"] == "openai.gpt-oss-120b-1:0"


def test_mantle_is_a_messages_server_of_its_own() -> None:
    request = sent(
        "anthropic-compatible",
        "anthropic.claude-sonnet-5-5",
        BASE,
        headers=NEW,
        base_url="https://bedrock-mantle.us-east-1.api.aws/anthropic",
        api_key=None,
        own={"authorization": "Bearer ${KEY}"},
    )
    assert request.url == "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages"
    assert request.headers["authorization"] == "Bearer secret-key"
    assert request.headers["anthropic-version"] == "2026-10-21"
    assert json.loads(request.body) == {**BASE, "model": "anthropic.claude-sonnet-5-5"}


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("us-east5", "us-east5-aiplatform.googleapis.com"),
    ],
)
def test_vertex_is_asked_as_the_official_client_asks_it(region: str, host: str) -> None:
    place = {"region": region, "project": "PROJECT"}
    models = f"https://{host}/v1/projects/PROJECT/locations/{region}/publishers/anthropic/models"
    request = sent("vertex", "claude-sonnet-5-5", BASE, headers=NEW, **place)
    assert request.url == f"{models}/claude-sonnet-5-5:rawPredict"
    assert request.headers["authorization"] == "Bearer secret-key"
    assert "anthropic-version" not in request.headers
    assert json.loads(request.body) == {**BASE, "anthropic_version": "2026-10-21"}
    dated = "claude-sonnet-4-5@20250929"
    beta = NEW | {"anthropic-beta": "b1"}
    streamed = sent("vertex", dated, BASE | {"stream": True}, headers=beta, **place)
    assert streamed.url == f"{models}/{dated}:streamRawPredict"
    assert json.loads(streamed.body) == {
        **BASE,
        "stream": True,
        "anthropic_version": "2026-10-21",
    }
    assert streamed.headers["anthropic-beta"] == "b1"
    assert streamed.headers["accept"] == "text/event-stream"


def test_gemini_and_the_openai_layer_on_vertex() -> None:
    place = {"region": "global", "project": "PROJECT"}
    root = "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
    request = sent("vertex", "gemini-3.8-flash", BASE | {"stream": True}, **place)
    assert request.url == (
        f"{root}/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
    )
    chat = sent("vertex", "google/gemini-x", {"messages": SAYS}, CHAT, written=CHAT, **place)
    assert chat.url == f"{root}/endpoints/openapi/chat/completions"
    assert json.loads(chat.body)["model"] == "google/gemini-x"


def test_an_api_key_alone_is_express_mode() -> None:
    request = sent("vertex", "gemini-3.8-flash", BASE)
    assert request.url == (
        "https://aiplatform.googleapis.com/v1/publishers/google/models/"
        "gemini-3.8-flash:generateContent"
    )
    assert request.headers["x-goog-api-key"] == "secret-key"
    assert "authorization" not in request.headers


AZURE = "https://res.openai.azure.com"
DATED = f"{AZURE}/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("base", "version", "url"),
    [
        (AZURE, "2024-10-21", DATED),
        (f"{AZURE}/openai", "2024-10-21", DATED),
        (f"{AZURE}/openai/deployments/my-deployment", "2024-10-21", DATED),
        (DATED, None, DATED),
        (DATED, "2024-10-21", DATED),
        (AZURE, None, f"{AZURE}/openai/v1/chat/completions"),
        (f"{AZURE}/openai/v1/", None, f"{AZURE}/openai/v1/chat/completions"),
        (f"{AZURE}/openai/v1/chat/completions", None, f"{AZURE}/openai/v1/chat/completions"),
        (f"{AZURE}/openai/v1/responses", None, f"{AZURE}/openai/v1/chat/completions"),
    ],
)
def test_azure_in_every_form_people_paste(base: str, version: str | None, url: str) -> None:
    request = sent(
        "azure-openai", "my-deployment", {"messages": SAYS}, CHAT,
        base_url=base, api_version=version,
    )  # fmt: skip
    assert request.url == url
    assert request.headers["api-key"] == "secret-key"
    assert json.loads(request.body) == {"model": "my-deployment", "messages": SAYS}


def test_a_token_of_entra_goes_in_a_header_of_the_provider_s_own() -> None:
    request = sent(
        "azure-openai", "d", {"messages": SAYS}, CHAT,
        base_url=AZURE, api_key=None, own={"authorization": "Bearer ${KEY}"},
    )  # fmt: skip
    assert request.headers["authorization"] == "Bearer secret-key"
    assert "api-key" not in request.headers


KEYS = Credentials("AKID", "secret", "session")


def signed(url: str, body: bytes = b"{}") -> tuple[UpstreamRequest, dict[str, str]]:
    request = UpstreamRequest(
        url=url,
        headers={"content-type": "application/json", "user-agent": "x", "x-amz-meta": "1"},
        body=body,
        connect=1.0,
        fresh=False,
        target="t",
        dialect="d",
    )
    return request, signature(request, KEYS.get_frozen_credentials(), "us-east-1")


def test_a_signature_is_the_one_botocore_makes() -> None:
    url = url_of("https://h.example", "/model/{model}/invoke", "arn:aws:bedrock:x/y v1:0")
    request, headers = signed(url)
    again = AWSRequest(
        method="POST",
        url=url,
        data=request.body,
        headers={
            name: request.headers[name] for name in ("content-type", "x-amz-meta")
        },
    )  # fmt: skip
    auth = SigV4Auth(KEYS, "bedrock", "us-east-1")
    again.context["timestamp"] = headers["x-amz-date"]
    again.headers["X-Amz-Date"] = headers["x-amz-date"]
    again.headers["X-Amz-Security-Token"] = "session"
    wanted = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    assert headers["authorization"].endswith(f"Signature={wanted}")
    # As the official client's: the same service, and these headers at least.
    scope, names = headers["authorization"].split(", ")[:2]
    assert scope.endswith("/us-east-1/bedrock/aws4_request")
    assert names == ("SignedHeaders=content-type;host;x-amz-date;x-amz-meta;x-amz-security-token")
    assert headers.keys() == {"authorization", "x-amz-date", "x-amz-security-token"}
    # What needs encoding is encoded once more before it is signed.
    assert "%252F" in auth.canonical_request(again)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_an_address_goes_out_as_it_was_signed(model: str) -> None:
    url = url_of("https://h", "/model/{model}/invoke", model.encode("utf-8", "replace").decode())
    assert str(URL(url)) == url
