"""The complete example of the language: compiled, loaded, and what it decides."""

from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.main import main
from lynkrc.cli.specs import compile_file
from lynkrc.interp.trace import as_json, trace
from lynkrc.ir.table import RouteTable
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.features import RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.server.gateway import Policy, read_policy
from lynkrc_runtime.server.routes import Settings
from tests.runtime.by_hand import MESSAGES, Recorder, Said, ask, body, gateway
from tests.runtime.virtual_time import run

SPEC = Path(__file__).parents[1] / "golden" / "pipeline" / "acme-whole" / "routing.yaml"
SECRET = {"x-data-class": "confidential"}
PICTURE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[RouteTable, Policy]:
    compilation = compile_file(SPEC)
    # Notes of what pairs lose, and nothing else.
    assert {one.code.id for one in compilation.diagnostics} == {"LK602"}
    assert compilation.table is not None
    packed, _ = pack_bundle(compilation, native=False)
    path = tmp_path_factory.mktemp("acme") / "acme.lynkr"
    path.write_bytes(packed)
    return compilation.table, read_policy(path)


def says(*parts: str | dict[str, Any]) -> dict[str, Any]:
    blocks = [{"type": "text", "text": one} if isinstance(one, str) else one for one in parts]
    return {"messages": [{"role": "user", "content": blocks}]}


@pytest.mark.parametrize(
    ("members", "headers", "tier", "rule", "targets"),
    [
        (says("hello"), {}, "SIMPLE", "greetings", ["small", "mid"]),
        (says("hello"), SECRET, "SIMPLE", "greetings", ["small"]),
        (says("hello", PICTURE), {}, "SIMPLE", "greetings", ["mid"]),
        # Nothing of SIMPLE is left of a confidential picture: `otherwise: escalate`.
        (says("hello", PICTURE), SECRET, "SIMPLE", "greetings", ["big"]),
        (says("Do a security audit of this"), {}, "REASONING", "audits", ["big"]),
        (says("Which of these three is the oldest town?"), SECRET, "SIMPLE", "score", ["small"]),
    ],
)
def test_the_example_decides_as_it_says(
    made: tuple[RouteTable, Policy],
    members: dict[str, Any],
    headers: dict[str, str],
    tier: str,
    rule: str,
    targets: list[str],
) -> None:
    table, policy = made
    request = CLIENT_DIALECTS[MESSAGES].read_request(body(**members), headers)
    vector = policy.extractor.extract(request, RequestFacts(surface="messages", headers=headers))
    explained = policy.explain(vector)
    assert explained == as_json(trace(table, vector))
    assert list(policy.scorer(vector)) == explained["verdict"]
    assert (explained["tier"], explained["rule"], explained["targets"]) == (tier, rule, targets)


def test_the_example_is_served(made: tuple[RouteTable, Policy]) -> None:
    _, policy = made
    served = gateway(policy, Said(), settings=Settings(dry_run=True))

    async def asked() -> Recorder:
        return await ask(served, body(**says("hello", PICTURE)), headers=SECRET)

    client = run(asked())
    assert client.status == 200
    assert client.headers["x-lynkr-provider"] == "bedrock"
    assert client.headers["x-lynkr-fallback"] == "false"


def test_the_example_is_traced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = tmp_path / "request.json"
    request.write_bytes(body(text="Do a security audit of this"))
    assert main(["trace", str(request), "--spec", str(SPEC)]) == 0
    told = capsys.readouterr().out
    assert "rule      audits" in told and "targets   big" in told
