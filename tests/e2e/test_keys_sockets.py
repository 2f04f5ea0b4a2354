"""Virtual keys, rates and a budget over sockets, as the official clients see them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.e2e.metered import KEYS, KEYS_SECTION, Metered, metered

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
LIMITS = """\
limits:
  - {name: few, per: key, only: [lone], requests: 2, within: 1h}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    folder: Path = tmp_path_factory.mktemp("keys")
    with metered(folder, KEYS_SECTION + LIMITS, chain="spare, dear") as made:
        yield made


def say(lab: Metered, key: str, model: str = "auto", **more: Any) -> Any:
    client = lab.anthropic(key)
    return client.messages.create(model=model, max_tokens=50, messages=HELLO, **more)


def chat(lab: Metered, key: str, model: str = "auto", **more: Any) -> Any:
    return lab.openai(key).chat.completions.create(model=model, messages=HELLO, **more)


@pytest.mark.parametrize("key", ["ci", "qa", "dev"])
def test_each_key_is_served_on_each_surface(lab: Metered, key: str) -> None:
    assert say(lab, key).content[0].text == "Hello."
    assert chat(lab, key).choices[0].message.content == "Hello."
    assert lab.openai(key).responses.create(model="auto", input="Hello").output_text == "Hello."
    for seen in lab.face.seen:
        assert KEYS[key] not in str(seen.headers)


@pytest.mark.parametrize("key", ["nobody-knows-this-one", KEYS["ci"] + "x"])
def test_an_unknown_key(lab: Metered, key: str) -> None:
    before = len(lab.face.seen)
    with pytest.raises(anthropic.AuthenticationError) as first:
        say(lab, key)
    with pytest.raises(openai.AuthenticationError) as second:
        chat(lab, key)
    with pytest.raises(openai.AuthenticationError):
        lab.openai(key).responses.create(model="auto", input="Hello")
    with pytest.raises(openai.AuthenticationError):
        lab.openai(key).models.list()
    for error in (first.value, second.value):
        assert error.response.headers["x-should-retry"] == "false"
        assert key not in error.response.text
    assert len(lab.face.seen) == before


def test_what_a_key_does_not_reach(lab: Metered) -> None:
    for model in ("lynkr/HIGH", "claude-lynkr-HIGH"):
        with pytest.raises(anthropic.PermissionDeniedError) as first:
            say(lab, "ci", model)
        assert "key ci does not reach tier HIGH" in str(first.value)
    with pytest.raises(openai.PermissionDeniedError) as second:
        chat(lab, "dev", "lynkr/dear")
    assert "key dev reaches none of the targets decided on: dear" in str(second.value)
    # Of a chain it has what it reaches.
    assert chat(lab, "dev", "lynkr/HIGH").model == "spare-1"
    # Its tier leads there, so it may be named.
    assert say(lab, "ci", "lynkr/dear").model == "dear-1"
    assert say(lab, "qa", "lynkr/HIGH").model == "dear-1"


def test_models_are_those_within_reach(lab: Metered) -> None:
    assert "lynkr/HIGH" in {model.id for model in lab.openai("qa").models.list()}
    assert "lynkr/HIGH" not in {model.id for model in lab.openai("ci").models.list()}
    assert "claude-lynkr-dear" not in {model.id for model in lab.anthropic("dev").models.list()}


def test_explanations_need_the_right(lab: Metered) -> None:
    ask = {"extra_headers": {"x-lynkr-explain": "1"}}
    with pytest.raises(anthropic.PermissionDeniedError) as error:
        say(lab, "ci", **ask)
    assert "debug" in str(error.value)
    raw = lab.anthropic("qa").messages.with_raw_response.create(
        model="auto", max_tokens=50, messages=HELLO, **ask
    )
    assert raw.headers["x-lynkr-trace-id"].startswith("tr_")


def test_over_a_rate(lab: Metered) -> None:
    say(lab, "lone")
    chat(lab, "lone")
    # Outside of limits.
    lab.anthropic("lone").messages.count_tokens(model="auto", messages=HELLO)
    lab.openai("lone").models.list()
    with pytest.raises(anthropic.RateLimitError) as first:
        say(lab, "lone")
    with pytest.raises(openai.RateLimitError) as second:
        chat(lab, "lone")
    for error in (first.value, second.value):
        assert "limit few: at most 2 requests in 1 hour for key lone" in str(error)
        assert error.response.headers["x-should-retry"] == "true"
        assert 0 < int(error.response.headers["retry-after"]) <= 3660
    assert say(lab, "qa").content
    assert lab.metric("lynkr_requests_total", **{"class": "limited"}) == 2
