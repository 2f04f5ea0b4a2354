"""Everything the schema lets an author write reaches the tree or the settings: nothing is ignored.

`every_key.yaml` has every key of the schema; without any one of them the document means something
else, or is found to lack it.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import pytest

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.sema.settings import read_settings
from lynkrc.source.nodes import plain
from lynkrc.source.resources import read_schema
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax import decode_providers
from lynkrc.syntax.config import Config
from lynkrc.syntax.read import read_source
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.settings import Settings

SCHEMA: dict[str, Any] = json.loads(read_schema("routing"))
DATA = (Path(__file__).parent / "every_key.yaml").read_bytes()

Path_: TypeAlias = tuple[str | int, ...]


@pytest.fixture(autouse=True)
def a_kind_with_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    openai = KINDS["openai"]
    kind = replace(
        openai,
        name="here-and-there",
        endpoints=(replace(openai.endpoints[0], versioned_path="/{api_version}"),),
        needs_region=True,
        needs_project=True,
    )
    kinds = MappingProxyType({**KINDS, kind.name: kind})
    monkeypatch.setattr(decode_providers, "KINDS", kinds)


def document() -> Any:
    """One of the caller's own."""
    return deepcopy(_document())


@cache
def _document() -> Any:
    root, findings = read_nodes(SourceFile(path="x.yaml", text=DATA.decode()))
    assert findings == []
    assert root is not None
    return plain(root)


def read(value: object) -> tuple[Config | None, Settings | None, list[Diagnostic]]:
    return read_bytes(json.dumps(value).encode())


def read_bytes(data: bytes) -> tuple[Config | None, Settings | None, list[Diagnostic]]:
    config, findings = read_source("routing.yaml", data)
    if config is None or findings:
        return config, None, findings
    settings, findings = read_settings(config.settings, tiers=["LOW", "TOP"], targets=["a", "b"])
    return replace(config, settings=()), settings, findings


@cache
def whole_document() -> tuple[Config | None, Settings | None, list[Diagnostic]]:
    return read_bytes(DATA)


def places(value: object, path: Path_ = ()) -> Iterator[Path_]:
    """The path of every entry of every mapping."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if listed(value) else ()
    for key, part in inner:
        if isinstance(value, dict):
            yield (*path, key)
        yield from places(part, (*path, key))


def listed(value: object) -> bool:
    return isinstance(value, list)


def without(path: Path_) -> object:
    whole = document()
    node = whole
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return whole


def properties(schema: dict[str, Any], pointer: str = "#") -> Iterator[str]:
    """A pointer for every key the schema names; shared definitions once."""
    for name, part in schema.get("properties", {}).items():
        if "not" not in part:
            yield f"{pointer}/{name}"
            yield from properties(part, f"{pointer}/{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from properties(schema[keyword], pointer)
    for name, part in schema.get("$defs", {}).items():
        yield from properties(part, f"#{name}")


def written(value: object, schema: dict[str, Any], pointer: str = "#") -> Iterator[str]:
    """The pointers of the keys a value has, as `properties` gives them."""
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        schema, pointer = SCHEMA["$defs"][name], f"#{name}"
    if isinstance(value, dict):
        for key, part in value.items():
            if key in schema.get("properties", {}):
                yield f"{pointer}/{key}"
                yield from written(part, schema["properties"][key], f"{pointer}/{key}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from written(part, schema["additionalProperties"], pointer)
    for item in value if isinstance(value, list) else ():
        yield from written(item, schema.get("items", {}), pointer)


def test_the_document_has_every_key() -> None:
    assert set(properties(SCHEMA)) - set(written(document(), SCHEMA)) == set()


def test_the_document_is_sound() -> None:
    assert [(one.code.id, one.message, one.span.text) for one in read_bytes(DATA)[2]] == []


def test_a_document_means_the_same_as_json() -> None:
    assert read(document()) == read_bytes(DATA)


@pytest.mark.parametrize("path", list(places(document())), ids=lambda p: ".".join(map(str, p)))
def test_without_a_key_the_document_says_something_else(path: Path_) -> None:
    config, settings, findings = read(without(path))
    if findings:
        # It is needed, or what stood beside it is.
        lacking = {"LK103", "LK107", "LK117", "LK405", "LK406", "LK423"}
        assert {one.code.id for one in findings} <= lacking
    else:
        assert (config, settings) != whole_document()[:2]
