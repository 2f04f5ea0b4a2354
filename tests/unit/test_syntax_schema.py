"""The routing schema: what it names agrees with the code, and each of its keywords has words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.source.resources import read_schema, schema_names
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax import schema_check, schema_wording, units
from lynkrc.syntax.config import SETTINGS, Config
from lynkrc.syntax.parse import parse_expression
from lynkrc_runtime.feature_table import CAPABILITIES, TEXTS
from lynkrc_runtime.providers.table import KINDS

SCHEMA: dict[str, Any] = json.loads(read_schema("routing"))
DEFS: dict[str, Any] = SCHEMA["$defs"]

ANNOTATIONS = {"$schema", "$id", "$defs", "$ref", "title", "description", "examples"}
APPLICATORS = {"properties", "items", "propertyNames", "dependentSchemas"}


def subschemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs", "dependentSchemas"):
            for part in value.values():
                yield from subschemas(part)
        elif keyword in ("items", "additionalProperties", "propertyNames") and value:
            yield from subschemas(value)


@pytest.mark.parametrize("name", schema_names())
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(read_schema(name)))


def test_every_keyword_has_its_wording_and_none_is_without_use() -> None:
    used = {keyword for schema in subschemas(SCHEMA) for keyword in schema}
    assert used - ANNOTATIONS - APPLICATORS == set(schema_wording.WORDINGS)


def test_no_object_takes_unknown_keys() -> None:
    for schema in subschemas(SCHEMA):
        if "object" in schema.get("type", ()):
            rest = schema["additionalProperties"]
            assert rest is False or rest, schema
            assert rest is not False or schema["properties"], schema


def test_patterns_match_the_whole_text() -> None:
    patterns = [schema["pattern"] for schema in subschemas(SCHEMA) if "pattern" in schema]
    assert patterns
    assert all(pattern[0] == "^" and pattern[-1] == "$" for pattern in patterns)


def test_lists_of_words_are_those_of_the_code() -> None:
    assert DEFS["target"]["properties"]["capabilities"]["items"]["enum"] == list(CAPABILITIES)
    assert DEFS["provider"]["properties"]["kind"]["examples"] == list(KINDS)
    assert DEFS["dimension"]["properties"]["over"]["enum"] == list(TEXTS)


def test_the_sections_are_those_of_the_tree() -> None:
    sections: list[str] = []
    for name in Config.__dataclass_fields__:
        sections += SETTINGS if name == "settings" else [{"assertions": "assert"}.get(name, name)]
    assert [*SCHEMA["properties"], "span"] == sections


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to; its own words come first."""
    while "$ref" in schema:
        own = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**DEFS[schema["$ref"].removeprefix("#/$defs/")], **own}
    return schema


def keys() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key an author can write, and the values of maps whose keys are the author's."""
    for schema in subschemas(SCHEMA):
        for name, part in schema.get("properties", {}).items():
            if part != {"not": {}}:
                yield name, resolved(part)
        if isinstance(schema.get("additionalProperties"), dict) and schema.get("description"):
            yield f"values: {schema['description']}", resolved(schema["additionalProperties"])


def test_every_key_is_described_for_editors() -> None:
    lacking = [name for name, part in keys() if len(part.get("description", "")) < 5]
    # A tool's or target's weight is told where its map is.
    assert [name for name in lacking if not name.startswith("values: ")] == []
    assert len(lacking) == 2


def test_every_key_shows_a_value_to_write() -> None:
    lacking = [
        name
        for name, part in keys()
        if not name.startswith("values: ")
        and not {"examples", "enum", "const", "properties"} & set(part)
        and part["type"] != "boolean"
    ]
    assert lacking == []


def test_a_key_that_must_be_there_says_itself_what_it_is() -> None:
    # The finding about a missing key repeats it.
    for schema in subschemas(SCHEMA):
        for name in schema.get("required", ()) if "properties" in schema else ():
            part = schema["properties"][name]
            assert "description" in part or part == {"$ref": "#/$defs/name"}, name


def test_a_description_is_a_sentence() -> None:
    for schema in subschemas(SCHEMA):
        text = schema.get("description")
        assert text is None or (text[-1] in ".)" and "  " not in text), text


def test_every_text_is_a_choice_or_says_what_it_may_be() -> None:
    for name, part in keys():
        if "string" in part.get("type", ()):
            shaped = {"pattern", "minLength", "title", "examples"} & set(part)
            assert shaped or name.startswith("values: Variables"), name
        elif "enum" not in part and "const" not in part:
            assert "type" in part, name


def test_examples_are_valid() -> None:
    examples = 0
    for schema in subschemas(SCHEMA):
        checker = Draft202012Validator({**schema, "$defs": DEFS})
        for example in schema.get("examples", ()):
            examples += 1
            assert list(checker.iter_errors(example)) == [], (schema, example)
    assert examples > 180


def readable(definition: str, example: Any) -> bool:
    """Whether the reader of a form of values takes an example of it."""
    match definition:
        case "duration" if isinstance(example, str):
            return units.seconds(example) is not None
        case "bytes" if isinstance(example, str):
            return units.byte_count(example) is not None
        case "size" if isinstance(example, str):
            return units.count(example, units.MOST_TOKENS) is not None
        case "count" if isinstance(example, str):
            return units.count(example, units.MOST) is not None
        case "expression":
            assert isinstance(example, str)
            file = SourceFile(path="x.yaml", text=example)
            expr, findings = parse_expression(
                example, lambda start, end: Span(file=file, start=start, end=end)
            )
            return expr is not None and not findings
        case _:
            return False


@pytest.mark.parametrize("definition", ["duration", "bytes", "size", "count", "expression"])
def test_examples_are_read_without_a_finding(definition: str) -> None:
    examples = [*DEFS[definition].get("examples", ())]
    for schema in subschemas(SCHEMA):
        if schema.get("$ref") == f"#/$defs/{definition}":
            examples += schema.get("examples", ())
    written = [one for one in examples if isinstance(one, str)]
    assert written
    assert [one for one in written if not readable(definition, one)] == []


def test_a_trailing_line_break_is_not_overlooked() -> None:
    file = SourceFile(path="x.yaml", text='version: 1\nname: "a\\n"\n')
    root, _ = read_nodes(file)
    assert root is not None
    assert [found.code.id for found in schema_check.check_schema(root)] == ["LK106"]


def test_shipped_specs_and_examples_are_valid_to_any_validator() -> None:
    folder = Path(__file__).parents[2]
    files = [
        *folder.glob("specs/builtin/*.yaml"),
        *folder.glob("specs/starter/*.yaml"),
        *folder.glob("examples/*/routing.yaml"),
    ]
    assert files
    for path in files:
        root, _ = read_nodes(SourceFile(path=path.name, text=path.read_text(encoding="utf-8")))
        assert root is not None
        assert list(Draft202012Validator(SCHEMA).iter_errors(schema_check.plain(root))) == []
