"""What a decision costs: the scorer alone, and a request from bytes to decision."""

import json
from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.bundle import LoadedBundle, load_bundle
from lynkrc_runtime.decide import Decider
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from tests.native_tools import needs_compiler

QUICKSTART = Path(__file__).resolve().parents[2] / "examples" / "quickstart" / "routing.yaml"
ASK = "Compare the trade-offs of two cache designs and write a function that measures both. " * 24


@pytest.fixture(scope="module", params=["python", pytest.param("native", marks=needs_compiler)])
def bundle(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LoadedBundle:
    packed, why_not = pack_bundle(compile_file(QUICKSTART), native=request.param == "native")
    assert why_not is None, why_not
    path = tmp_path_factory.mktemp(request.param) / "quickstart.lynkr"
    path.write_bytes(packed)
    loaded = load_bundle(path)
    assert loaded.engine == request.param
    return loaded


def body(ask: str) -> bytes:
    return json.dumps(
        {"model": "auto", "max_tokens": 100, "messages": [{"role": "user", "content": ask}]}
    ).encode()


def test_score_a_vector(benchmark: Any, bundle: LoadedBundle) -> None:
    dialect = CLIENT_DIALECTS["anthropic-messages"]
    request = dialect.read_request(body(ASK), {})
    extractor = Extractor(bundle.dispatch, bundle.tables)
    vector = extractor.extract(request, RequestFacts(surface="messages", headers={}))
    assert benchmark(bundle.scorer, vector)[0] == 0


def test_from_bytes_to_decision(benchmark: Any, bundle: LoadedBundle) -> None:
    dialect = CLIENT_DIALECTS["anthropic-messages"]
    extractor = Extractor(bundle.dispatch, bundle.tables)
    decider = Decider(bundle.dispatch, bundle.scorer)
    facts = RequestFacts(surface="messages", headers={})
    data = body(ASK)

    def decide() -> Any:
        return decider.decide(extractor.extract(dialect.read_request(data, {}), facts))

    assert benchmark(decide).targets
