"""A spec with keys, limits and budgets, its upstream, and official clients of each key."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from anthropic import Anthropic
from openai import OpenAI
from prometheus_client.parser import text_string_to_metric_families

from lynkrc_runtime.access.digest import digest_of
from tests.e2e.gateway import GatewayProcess, built, serving
from tests.e2e.one_month import begin_in_one_month
from tests.e2e.scripted_answers import Said
from tests.e2e.socket_lab import exchange
from tests.e2e.upstream_server import PATIENCE, Background, Face, UpstreamServer, in_background

KEYS = {name: f"lk_{name}_{name * 10}" for name in ("ci", "qa", "dev", "lone")}
ANSWER = Said(text="Hello.", fresh=100, cached=0, output=20)
COST = 500
"""Micro-dollars of the answer: 100 tokens at 3 and 20 at 10."""
ANSWERS = 400

_SPEC = """\
version: 1
name: metered
providers:
  far:
    {{kind: anthropic, base_url: "${{FAR_URL}}", api_key: "${{FAR_KEY}}", trust: cloud,
      retry: {{times: 0}}}}
targets:
  dear:
    {{provider: far, model: dear-1, context: 100k, max_output: 1k, capabilities: [tools],
      price: {{input: 3, output: 10, cache_read: 3, cache_write: 3}}}}
  spare:
    {{provider: far, model: spare-1, context: 100k, max_output: 1k, capabilities: [tools],
      price: free}}
score:
  dimensions:
    size: {{weight: 100, value: "ramp(ask.words, 0, 20)"}}
tiers:
  - {{name: LOW, up_to: 50, chain: [{chain}]}}
  - {{name: HIGH, chain: [dear, spare]}}
otherwise: escalate
{more}
"""

KEYS_SECTION = f"""\
keys:
  ci: {{sha256: {digest_of(KEYS["ci"])}, team: web, tiers: [LOW]}}
  qa: {{secret: "${{QA_KEY}}", team: web, debug: true}}
  dev: {{sha256: {digest_of(KEYS["dev"])}, targets: [spare]}}
  lone: {{sha256: {digest_of(KEYS["lone"])}}}
"""


@dataclass(frozen=True)
class Metered:
    """Running gateways of one bundle, and their upstream."""

    gateways: tuple[GatewayProcess, ...]
    face: Face
    background: Background
    clients: ExitStack

    def anthropic(self, key: str, gateway: int = 0) -> Anthropic:
        """The official client with a key: the one of this name, or else this text."""
        made = Anthropic(
            base_url=self.gateways[gateway].url,
            api_key=KEYS.get(key, key),
            max_retries=0,
            timeout=PATIENCE,
        )
        return self.clients.enter_context(made)

    def openai(self, key: str, gateway: int = 0) -> OpenAI:
        """See `anthropic`."""
        made = OpenAI(
            base_url=self.gateways[gateway].url + "/v1",
            api_key=KEYS.get(key, key),
            max_retries=0,
            timeout=PATIENCE,
        )
        return self.clients.enter_context(made)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels, over all gateways."""
        return sum(
            sample.value
            for gateway in self.gateways
            for family in text_string_to_metric_families(
                exchange(gateway.admin, "GET", "/metrics", None, {}).body.decode()
            )
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@contextmanager
def metered(
    folder: Path, more: str, *, chain: str = "dear", count: int = 1, redis: str | None = None
) -> Iterator[Metered]:
    """`count` gateways on a spec with these sections; `redis` is the address of one, if any.

    No month ends soon where there are budgets; theirs are to be of a month.
    """
    if "budgets:" in more:
        begin_in_one_month()
    spec = folder / "routing.yaml"
    spec.write_text(_SPEC.format(more=more, chain=chain))
    bundle = built(spec, folder, "metered")
    server = UpstreamServer()
    face = server.face("far")
    with ExitStack() as stack:
        background = stack.enter_context(in_background(server))
        face.behaviours = [ANSWER] * ANSWERS
        environ = {"FAR_URL": face.url, "FAR_KEY": "far-secret", "QA_KEY": KEYS["qa"]}
        environ["REDIS_URL"] = redis or ""
        gateways = tuple(
            stack.enter_context(serving(bundle, folder / f"log{number}", environ=environ))
            for number in range(count)
        )
        yield Metered(gateways=gateways, face=face, background=background, clients=stack)
        for gateway in gateways:
            assert gateway.stop() == 0
            lines = gateway.lines
            assert not [line for line in lines if line["event"] in ("mistake", "settlement-lost")]
            assert not [secret for secret in KEYS.values() if secret in gateway.log.read_text()]
