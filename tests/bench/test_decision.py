"""What a decision costs: the scorer alone, and a request from bytes to decision."""

import json
from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.bundle import LoadedBundle, load_opened, open_bundle
from lynkrc_runtime.decide import Decider
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from tests.bench.sixteen import SIXTEEN
from tests.native_tools import needs_compiler

QUICKSTART = Path(__file__).resolve().parents[2] / "examples" / "quickstart" / "routing.yaml"
ASK = "Compare the trade-offs of two cache designs and write a function that measures both. " * 24
ENGINES = ("python", pytest.param("native", marks=needs_compiler))


@pytest.fixture(scope="module", params=ENGINES)
def bundle(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LoadedBundle:
    return packed(QUICKSTART, request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module", params=ENGINES)
def sixteen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LoadedBundle:
    folder = tmp_path_factory.mktemp(request.param)
    spec = folder / "routing.yaml"
    spec.write_text(SIXTEEN)
    loaded = packed(spec, request.param, folder)
    assert len(loaded.dispatch.rules) == 10
    return loaded


def packed(spec: Path, engine: str, folder: Path) -> LoadedBundle:
    data, why_not = pack_bundle(compile_file(spec), native=engine == "native")
    assert why_not is None, why_not
    path = folder / "packed.lynkr"
    path.write_bytes(data)
    loaded = load_opened(open_bundle(path), is_just_built=True)
    assert loaded.engine == engine
    return loaded


def body(ask: str) -> bytes:
    return json.dumps(
        {"model": "auto", "max_tokens": 100, "messages": [{"role": "user", "content": ask}]}
    ).encode()


def vector_of(bundle: LoadedBundle) -> list[int]:
    request = CLIENT_DIALECTS["anthropic-messages"].read_request(body(ASK), {})
    extractor = Extractor(bundle.dispatch, bundle.tables)
    return extractor.extract(request, RequestFacts(surface="messages", headers={}))


def test_score_a_vector(benchmark: Any, bundle: LoadedBundle) -> None:
    assert benchmark(bundle.scorer, vector_of(bundle))[0] == 0


def test_score_sixteen_dimensions_and_ten_rules(benchmark: Any, sixteen: LoadedBundle) -> None:
    assert benchmark(sixteen.scorer, vector_of(sixteen))[0] == 0


def test_decide_sixteen_dimensions_and_ten_rules(benchmark: Any, sixteen: LoadedBundle) -> None:
    """The same with its dispatch row: what a request pays for."""
    decider = Decider(sixteen.dispatch, sixteen.scorer)
    assert benchmark(decider.decide, vector_of(sixteen)).targets


def test_from_bytes_to_decision(benchmark: Any, bundle: LoadedBundle) -> None:
    dialect = CLIENT_DIALECTS["anthropic-messages"]
    extractor = Extractor(bundle.dispatch, bundle.tables)
    decider = Decider(bundle.dispatch, bundle.scorer)
    facts = RequestFacts(surface="messages", headers={})
    data = body(ASK)

    def decide() -> Any:
        return decider.decide(extractor.extract(dialect.read_request(data, {}), facts))

    assert benchmark(decide).targets
