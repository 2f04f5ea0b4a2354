"""The labelled agent traffic: as many requests as promised, each read as its writer meant it.

`requests.jsonl` has the requests and their tiers, `typed.jsonl` beside it what the person typed and
from which client, written down when the request was and not worked out of it.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc.quality.parts import Parts
from lynkrc.quality.rows import Row, read_rows, shown_problem
from lynkrc.source.resources import read_schema
from lynkrc_runtime.ask import find_ask, markers_of
from lynkrc_runtime.bundle import load_bundle
from lynkrc_runtime.dispatch import Dispatch, Slot
from lynkrc_runtime.feature_table import (
    DIALECTS,
    FEATURES,
    OTHER_CLIENT,
    SURFACES,
    Parameter,
    Provenance,
)
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.scan.tables import Tables

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "data" / "agent"
DATA = FOLDER / "requests.jsonl"
TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
FAMILIES = {
    *("envelope-short", "follow-up", "tool-loop", "side-request", "compaction", "knowledge"),
    *("small-edit", "debugging", "hard-design", "against-length", "attachment"),
}
DIALECT = dict(zip(SURFACES, DIALECTS, strict=True))
ENVELOPE = "parts/envelope-"
"""How the names of parts begin that a client puts around the user's words."""
LEAST_ENVELOPE = 4_000
"""Bytes of the smallest: aider's, which has no tools."""


@cache
def rows() -> tuple[Row, ...]:
    read, problems = read_rows(DATA)
    assert not problems, "\n".join(line for one in problems for line in shown_problem(one))
    return read


@cache
def written() -> dict[str, dict[str, Any]]:
    """The lines as they stand in the file, by id."""
    lines = map(json.loads, DATA.read_text(encoding="utf-8").splitlines())
    return {line["id"]: line for line in lines}


@cache
def typed() -> dict[str, dict[str, Any]]:
    parts = Parts(FOLDER)
    text = (FOLDER / "typed.jsonl").read_text(encoding="utf-8")
    return {line["id"]: parts.filled(line) for line in map(json.loads, text.splitlines())}


@cache
def shipped() -> tuple[Dispatch, Tables | None]:
    """The profiles and lexicons of the base spec and the scoring profile that ship."""
    packed, _ = pack_bundle(compile_file(ROOT / "specs/starter/claude.yaml"), native=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.lynkr"
        path.write_bytes(packed)
        loaded = load_bundle(path)
    return loaded.dispatch, loaded.tables


@cache
def extractor() -> tuple[Extractor, tuple[str, ...]]:
    """Of every feature that reads the ask or the loop, those over every lexicon too."""
    dispatch, tables = shipped()
    slots = [
        Slot(feature=one.name, args=[], type=one.type.value, low=one.low, high=one.high, classes=[])
        for one in FEATURES.values()
        if one.provenance in (Provenance.ASK, Provenance.LOOP) and one.parameter is Parameter.NONE
    ]
    points = FEATURES["points"]
    slots += [
        Slot(
            feature=points.name,
            args=["ask", lexicon.name],
            type=points.type.value,
            low=points.low,
            high=points.high,
            classes=[],
        )
        for lexicon in dispatch.lexicons
    ]
    names = tuple(" ".join((slot.feature, *slot.args)) for slot in slots)
    return Extractor(msgspec.structs.replace(dispatch, slots=slots), tables), names


def request_of(row: Row, body: bytes | None = None) -> Request:
    sent = row.request
    dialect = CLIENT_DIALECTS[DIALECT[sent.surface]]
    request = dialect.read_request(sent.body if body is None else body, sent.headers)
    if sent.surface == "messages":
        require_max_tokens(request)
    return request


def features(row: Row, request: Request) -> dict[str, int]:
    reader, names = extractor()
    facts = RequestFacts(surface=row.request.surface, headers=row.request.headers)
    return dict(zip(names, reader.extract(request, facts), strict=True))


@cache
def as_sent() -> dict[str, dict[str, int]]:
    """The features of every row with an envelope, as it stands in the file."""
    return {row.id: features(row, request_of(row)) for row in enveloped()}


def test_there_is_as_much_of_each_kind_as_promised() -> None:
    assert len(rows()) >= 300
    families = Counter(row.task for row in rows())
    assert set(families) == FAMILIES
    assert min(families.values()) >= 25
    assert {row.request.surface for row in rows()} == set(SURFACES)


def test_every_row_has_a_tier_and_a_reason() -> None:
    tiers = Counter(row.tier for row in rows())
    assert set(tiers) == set(TIERS)
    assert min(tiers.values()) >= 30
    for row in rows():
        assert row.suite == "agent"
        assert row.why is not None and row.why.endswith(".") and len(row.why.split()) > 2, row.id


def test_no_two_rows_are_one() -> None:
    assert len({row.request.body for row in rows()}) == len(rows())
    assert len(rows()) == len(typed())


def test_rows_follow_the_schema() -> None:
    validator = Draft202012Validator(json.loads(read_schema("eval-data")))
    for line in written().values():
        assert validator.is_valid(line), line["id"]


def test_every_part_is_used() -> None:
    text = DATA.read_text(encoding="utf-8")
    for part in (FOLDER / "parts").iterdir():
        assert f'"parts/{part.name}"' in text, part.name


def test_no_row_carries_a_credential() -> None:
    for row in rows():
        assert not {"authorization", "x-api-key", "api-key", "cookie"} & set(row.request.headers)


def test_every_row_is_read_as_it_was_meant() -> None:
    clients = shipped()[0].clients
    markers = markers_of(clients)
    for row in rows():
        meant = typed()[row.id]
        request = request_of(row)
        client = extractor()[0].client(request, row.request.headers.get("user-agent"))
        assert (client or OTHER_CLIENT) == meant["client"], row.id
        said = "\n".join(text.strip() for text in meant["typed"]).strip()
        assert find_ask(request.messages, markers).text == said, row.id


def test_the_most_used_envelope_is_as_large_as_the_clients_own() -> None:
    first = next(row for row in rows() if row.id == "hello-in-claude-code")
    assert 45_000 <= len(first.request.body) <= 60_000


def is_envelope(value: object) -> bool:
    return isinstance(value, dict) and str(value.get("$file", "")).startswith(ENVELOPE)


def without(value: Any) -> Any:
    """The value without the parts of an envelope: members, messages, blocks and tools."""
    if isinstance(value, Mapping):
        return {name: without(one) for name, one in value.items() if not is_envelope(one)}
    if isinstance(value, list):
        kept = [without(one) for one in value if not is_envelope(one)]
        # A system block or message is nothing where its text was all of it.
        return [one for one in kept if not isinstance(one, dict) or set(one) - _HUSK]
    return value


_HUSK = {"type", "role", "cache_control"}


def doubled(value: Any, parts: Parts) -> Any:
    """The value with each part of an envelope twice; second tools take other names."""
    if is_envelope(value):
        return _twice(parts.filled(value))
    if isinstance(value, Mapping):
        return {name: doubled(one, parts) for name, one in value.items()}
    if isinstance(value, list):
        return [
            again
            for one in value
            for again in ([parts.filled(one)] * 2 if is_envelope(one) else [doubled(one, parts)])
        ]
    return value


def _twice(part: Any) -> Any:
    return part + "\n" + part if isinstance(part, str) else [*part, *map(_renamed, part)]


def _renamed(tool: dict[str, Any]) -> dict[str, Any]:
    if "function" in tool:
        return tool | {"function": _renamed(tool["function"])}
    return tool | {"name": tool["name"] + "_again"} if "name" in tool else tool


def enveloped() -> Iterator[Row]:
    for row in rows():
        if ENVELOPE in json.dumps(written()[row.id]["request"]["body"]):
            yield row


def test_most_rows_have_an_envelope() -> None:
    assert sum(1 for _ in enveloped()) >= 150


@pytest.mark.parametrize("change", [without, lambda body: doubled(body, Parts(FOLDER))])
def test_the_envelope_changes_nothing_that_is_read_of_ask_and_loop(
    change: Callable[[Any], Any],
) -> None:
    parts = Parts(FOLDER)
    for row in enveloped():
        body = json.dumps(parts.filled(change(written()[row.id]["request"]["body"]))).encode()
        assert abs(len(body) - len(row.request.body)) > LEAST_ENVELOPE, row.id
        assert features(row, request_of(row, body)) == as_sent()[row.id], row.id
