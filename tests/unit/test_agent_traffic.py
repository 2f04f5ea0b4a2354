"""The labelled agent traffic: as many requests as promised, each read as its writer meant it.

`requests.jsonl` and `fresh.jsonl` have the requests and their tiers, `typed.jsonl` and
`fresh-typed.jsonl` beside them what the person typed and from which client, written down when the
request was and not worked out of it.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

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


class Set(NamedTuple):
    """One file of requests, what was typed in them, and how much of each was promised."""

    requests: str
    typed: str
    suite: str
    rows: int
    of_family: int
    of_tier: int
    enveloped: int


FIRST = Set("requests", "typed", "agent", 300, 25, 30, 150)
FRESH = Set("fresh", "fresh-typed", "agent-fresh", 110, 7, 15, 60)
both = pytest.mark.parametrize("of", [FIRST, FRESH], ids=lambda of: of.requests)

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
LONGEST_COMMON_WORD = 8
"""Characters: everybody says "yes", "do it" and "继续"; longer words in both files are a copy."""
WORDS_OF_CLIENTS = ("Your task is now", "You are performing", "Provide a detailed prompt")
"""What clients write in the person's place, the same each time."""


def lines(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@cache
def rows(of: Set) -> tuple[Row, ...]:
    read, problems = read_rows(FOLDER / f"{of.requests}.jsonl")
    assert not problems, "\n".join(line for one in problems for line in shown_problem(one))
    return read


@cache
def written(of: Set) -> dict[str, dict[str, Any]]:
    """The lines as they stand in the file, by id."""
    return {line["id"]: line for line in lines(of.requests)}


@cache
def typed(of: Set) -> dict[str, dict[str, Any]]:
    parts = Parts(FOLDER)
    return {line["id"]: parts.filled(line) for line in lines(of.typed)}


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
def as_sent(of: Set) -> dict[str, dict[str, int]]:
    """The features of every row with an envelope, as it stands in the file."""
    return {row.id: features(row, request_of(row)) for row in enveloped(of)}


@both
def test_there_is_as_much_of_each_kind_as_promised(of: Set) -> None:
    assert len(rows(of)) >= of.rows
    families = Counter(row.task for row in rows(of))
    assert set(families) == FAMILIES
    assert min(families.values()) >= of.of_family
    assert {row.request.surface for row in rows(of)} == set(SURFACES)


@both
def test_every_row_has_a_tier_and_a_reason(of: Set) -> None:
    tiers = Counter(row.tier for row in rows(of))
    assert set(tiers) == set(TIERS)
    assert min(tiers.values()) >= of.of_tier
    for row in rows(of):
        assert row.suite == of.suite
        assert row.why is not None and row.why.endswith(".") and len(row.why.split()) > 2, row.id


def test_no_two_rows_are_one() -> None:
    all_rows = rows(FIRST) + rows(FRESH)
    assert len({row.request.body for row in all_rows}) == len(all_rows)
    assert len({row.id for row in all_rows}) == len(all_rows)
    for of in (FIRST, FRESH):
        assert set(typed(of)) == {row.id for row in rows(of)}


def test_no_conversation_and_no_words_are_in_both_files() -> None:
    groups = [{row.group for row in rows(of) if row.group is not None} for of in (FIRST, FRESH)]
    assert not groups[0] & groups[1]
    said = [{"\n".join(line["typed"]) for line in typed(of).values()} for of in (FIRST, FRESH)]
    shared = {words for words in said[0] & said[1] if len(words) > LONGEST_COMMON_WORD}
    assert all(words.startswith(WORDS_OF_CLIENTS) for words in shared), shared


@both
def test_rows_follow_the_schema(of: Set) -> None:
    validator = Draft202012Validator(json.loads(read_schema("eval-data")))
    for line in written(of).values():
        assert validator.is_valid(line), line["id"]


def test_every_part_is_used() -> None:
    texts = [(FOLDER / f"{of.requests}.jsonl").read_text("utf-8") for of in (FIRST, FRESH)]
    for part in (FOLDER / "parts").iterdir():
        assert any(f'"parts/{part.name}"' in text for text in texts), part.name


@both
def test_no_row_carries_a_credential(of: Set) -> None:
    for row in rows(of):
        assert not {"authorization", "x-api-key", "api-key", "cookie"} & set(row.request.headers)


@both
def test_every_row_is_read_as_it_was_meant(of: Set) -> None:
    clients = shipped()[0].clients
    markers = markers_of(clients)
    for row in rows(of):
        meant = typed(of)[row.id]
        request = request_of(row)
        client = extractor()[0].client(request, row.request.headers.get("user-agent"))
        assert (client or OTHER_CLIENT) == meant["client"], row.id
        said = "\n".join(text.strip() for text in meant["typed"]).strip()
        assert find_ask(request.messages, markers).text == said, row.id


def test_the_most_used_envelope_is_as_large_as_the_clients_own() -> None:
    first = next(row for row in rows(FIRST) if row.id == "hello-in-claude-code")
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


def enveloped(of: Set) -> Iterator[Row]:
    for row in rows(of):
        if ENVELOPE in json.dumps(written(of)[row.id]["request"]["body"]):
            yield row


@both
def test_most_rows_have_an_envelope(of: Set) -> None:
    assert sum(1 for _ in enveloped(of)) >= of.enveloped


@both
@pytest.mark.parametrize("change", [without, lambda body: doubled(body, Parts(FOLDER))])
def test_the_envelope_changes_nothing_that_is_read_of_ask_and_loop(
    change: Callable[[Any], Any], of: Set
) -> None:
    parts = Parts(FOLDER)
    for row in enveloped(of):
        body = json.dumps(parts.filled(change(written(of)[row.id]["request"]["body"]))).encode()
        assert abs(len(body) - len(row.request.body)) > LEAST_ENVELOPE, row.id
        assert features(row, request_of(row, body)) == as_sent(of)[row.id], row.id
