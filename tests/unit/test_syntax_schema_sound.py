"""What is said to be sound is sound to jsonschema, and what is not sound is not."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc.source.nodes import plain
from lynkrc.source.resources import read_schema
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax import schema_check
from lynkrc.syntax.schema_sound import soundness
from tests.property.test_broken_documents import COLLECTIONS, SCALARS, paths
from tests.unit.test_syntax_schema import subschemas

EXAMPLES = Path(__file__).parents[2] / "examples"
READ = {
    "routing": (Path(__file__).parent / "every_key.yaml", EXAMPLES / "privacy" / "routing.yaml"),
    "test": tuple(sorted(EXAMPLES.glob("*/routing.test.yaml"))),
}
VALUES = (*SCALARS, *COLLECTIONS, 1, False, "a\n", "LK508", "3h", ["a", "a"], [1, True])


def document(path: Path) -> Any:
    root, findings = read_nodes(SourceFile(path="x.yaml", text=path.read_text(encoding="utf-8")))
    assert root is not None
    assert not findings
    return plain(root)


DOCUMENTS = [(name, document(path)) for name, found in READ.items() for path in found]
PLACES = [(name, whole, path) for name, whole in DOCUMENTS for path in paths(whole)]


def is_valid(name: str, value: Any, part: dict[str, Any] | None = None) -> bool:
    validator: Any = schema_check._validator(name)
    return bool((validator if part is None else validator.evolve(schema=part)).is_valid(value))


@pytest.mark.parametrize("name", list(READ))
def test_each_part_of_a_schema_takes_what_jsonschema_takes(name: str) -> None:
    schema = json.loads(read_schema(name))
    for part in subschemas(schema):
        is_sound = soundness({**part, "$defs": schema["$defs"]})
        for value in (*VALUES, *part.get("examples", ()), *part.get("enum", ())):
            assert is_sound(value) == is_valid(name, value, part), (part, value)


@pytest.mark.parametrize(("name", "value"), DOCUMENTS)
def test_shipped_documents_are_sound_without_jsonschema(name: str, value: Any) -> None:
    assert schema_check._soundness(name)(value)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(PLACES), st.sampled_from(VALUES), st.sampled_from(["set", "drop", "add"]))
def test_a_broken_document_is_sound_where_it_is_valid(
    place: tuple[str, Any, tuple[Any, ...]], value: Any, change: str
) -> None:
    name, whole, path = place
    broken = json.loads(json.dumps(whole))
    node = broken
    for step in path[:-1]:
        node = node[step]
    if change == "set":
        node[path[-1]] = value
    elif change == "drop":
        del node[path[-1]]
    elif isinstance(node, dict):
        node["unheard-of"] = value
    else:
        node.append(value)
    assert schema_check._soundness(name)(broken) == is_valid(name, broken)


def test_what_is_refused_in_doubt_is_left_to_jsonschema() -> None:
    part = {"enum": [400]}
    assert not soundness(part)(400.0)
    assert is_valid("routing", 400.0, part)
    assert not soundness(part)(True)


@pytest.mark.parametrize(
    "part",
    [
        {"prefixItems": []},
        {"not": {"type": "string"}},
        {"oneOf": [{"type": "string"}]},
        {"anyOf": [{"required": ["a"], "type": "object"}]},
        {"uniqueItems": False},
        {"$defs": {"a": {"format": "date"}}},
    ],
)
def test_what_nobody_has_said_is_not_guessed(part: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        soundness(part)
