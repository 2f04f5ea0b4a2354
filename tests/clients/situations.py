"""A gateway with keys, a rate, a budget and a broken target, before the scripted model."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openai import OpenAI

from lynkrc_runtime.access.digest import digest_of
from tests.clients.conftest import PATIENCE, ClientLab
from tests.clients.model_server import model_server
from tests.e2e.gateway import built, serving

WITHIN = {"hasty-claude": 6, "hasty-codex": 6, "hasty-aider": 25}
"""Seconds in which a key may ask once: longer than its client takes to begin."""
KEYS = {name: f"lk_{name}_{name * 5}" for name in ("work", "low", "poor", *WITHIN)}
FAILURES = 5
"""Of a target, until it is left alone."""

_PROVIDER = "kind: openai-compatible, trust: cloud, retry: {times: 0}"
_TARGET = (
    "context: 1M, max_output: 64k, capabilities: [tools, parallel_tools, vision, json_schema], "
    "price: {input: 1, output: 2}"
)
_SPEC = """\
version: 1
name: situations
providers:
  gpt: {{base_url: "${{MODEL_URL}}/gpt/v1", {provider}}}
  gone: {{base_url: "${{GONE_URL}}/v1", {provider}}}
resilience:
  breaker: {{failures: {failures}, open_for: 10m}}
targets:
  first: {{provider: gpt, model: first-1, {target}}}
  second: {{provider: gpt, model: second-1, {target}}}
  broken: {{provider: gone, model: broken-1, {target}}}
score: {{use: builtin/lynkr-13}}
tiers:
  - {{name: LOW, up_to: 25, chain: [first]}}
  - {{name: MIDDLE, up_to: 50, chain: [broken, second]}}
  - {{name: HIGH, chain: [first, second]}}
otherwise: escalate
keys:
{keys}
limits:
{limits}
budgets:
  - {{name: pocket, per: key, only: [poor], usd: 0.000001, period: month}}
server:
  shedding: {{active: {active}}}
"""


def spec(active: int = 1000, failures: int = FAILURES) -> str:
    """The spec; at most `active` requests at once."""
    keys = []
    for name, key in KEYS.items():
        tiers = ", tiers: [LOW]" if name == "low" else ""
        keys.append(f"  {name}: {{sha256: {digest_of(key)}{tiers}}}")
    limits = [
        f"  - {{name: once-{name}, per: key, only: [{name}], requests: 1, within: {within}s}}"
        for name, within in WITHIN.items()
    ]
    return _SPEC.format(
        provider=_PROVIDER,
        target=_TARGET,
        keys="\n".join(keys),
        limits="\n".join(limits),
        active=active,
        failures=failures,
    )


@contextmanager
def situations(
    folder: Path, arguments: Sequence[str] = (), active: int = 1000
) -> Iterator[ClientLab]:
    """The running gateway and the model behind it."""
    written = folder / "routing.yaml"
    written.write_text(spec(active), encoding="utf-8")
    bundle = built(written, folder, "situations")
    with model_server() as model, socket.socket() as nobody:
        # Bound and never listening: a connection is refused.
        nobody.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        environ = {"MODEL_URL": model.url, "GONE_URL": gone}
        with serving(bundle, folder / "log", arguments, environ) as gateway:
            yield ClientLab(gateway=gateway, model=model)


def asked(lab: ClientLab, key: str, tier: str = "LOW") -> Any:
    """A request of nobody's client."""
    with OpenAI(
        base_url=lab.gateway.url + "/v1", api_key=KEYS[key], max_retries=0, timeout=PATIENCE
    ) as client:
        return client.chat.completions.create(
            model=f"lynkr/{tier}", messages=[{"role": "user", "content": "Hello."}]
        )
