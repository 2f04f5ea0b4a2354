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

WITHIN = 6
"""Seconds in which a key of `hasty` may ask once."""
NAMES = ("work", "low", "poor", "hasty-claude", "hasty-codex", "hasty-aider")
KEYS = {name: f"lk_{name}_{name * 5}" for name in NAMES}

_TARGET = (
    "context: 1M, max_output: 64k, capabilities: [tools, parallel_tools, vision, json_schema], "
    "price: {input: 1, output: 2}"
)
_SPEC = """\
version: 1
name: situations
providers:
  gpt: {{kind: openai-compatible, base_url: "${{MODEL_URL}}/gpt/v1", trust: cloud, retry: {{times: 0}}}}
  gone: {{kind: openai-compatible, base_url: "${{GONE_URL}}/v1", trust: cloud, retry: {{times: 0}}}}
resilience:
  breaker: {{failures: 1, open_for: 10m}}
targets:
  first: {{provider: gpt, model: first-1, {target}}}
  second: {{provider: gpt, model: second-1, {target}}}
  broken: {{provider: gone, model: broken-1, {target}}}
score: {{use: builtin/lynkr-13}}
tiers:
  - {{name: LOW, up_to: 25, chain: [first]}}
  - {{name: MIDDLE, up_to: 50, chain: [broken, second]}}
  - {{name: HIGH, chain: [first, second]}}
models:
  dead: {{target: broken}}
otherwise: escalate
keys:
{keys}
limits:
  - {{name: hasty, per: key, only: [hasty-claude, hasty-codex, hasty-aider], requests: 1, within: {within}s}}
budgets:
  - {{name: pocket, per: key, only: [poor], usd: 0.000001, period: month}}
server:
  shedding: {{active: {active}}}
"""


def spec(active: int = 1000, within: int = WITHIN) -> str:
    """The spec; at most `active` requests at once."""
    keys = []
    for name, key in KEYS.items():
        tiers = ", tiers: [LOW]" if name == "low" else ""
        keys.append(f"  {name}: {{sha256: {digest_of(key)}{tiers}}}")
    return _SPEC.format(target=_TARGET, keys="\n".join(keys), active=active, within=within)


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


def asked(lab: ClientLab, key: str, ask: str = "Hello.") -> Any:
    """A request of nobody's client."""
    with OpenAI(
        base_url=lab.gateway.url + "/v1", api_key=KEYS[key], max_retries=0, timeout=PATIENCE
    ) as client:
        return client.chat.completions.create(
            model="lynkr/LOW", messages=[{"role": "user", "content": ask}]
        )
