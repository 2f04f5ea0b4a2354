"""The routing schema to what may stand at a place: the order of its keys, the types of a value,
whether it is an expression.

The order of the keys of a section or an item is the order of its `properties` in
``schema/routing.schema.json``, the one place where it is written. Maps whose keys are the
author's (providers, lexicons) have no `properties` and keep the order written.

>>> root_shape().at("tiers").item().keys()[:3]
('name', 'up_to', 'chain')
>>> root_shape().at("features").at("anything").is_expression
True
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, final

from lynkrc.source.resources import read_schema

_Schema: TypeAlias = Mapping[str, Any]

EXPRESSIONS = frozenset({"#/$defs/expression", "#/$defs/namedExpression"})
"""The definitions of the schema whose text is an expression."""

_ALTERNATIVES = ("allOf", "anyOf", "oneOf")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What may stand at one place: the schemas for it, references followed."""

    schemas: tuple[_Schema, ...]
    is_expression: bool

    def keys(self) -> tuple[str, ...]:
        """The known keys in their canonical order; none where the keys are the author's."""
        names = (name for schema in self.schemas for name in schema.get("properties", {}))
        return tuple(dict.fromkeys(names))

    def at(self, key: str) -> "Shape":
        """What may stand under `key`."""
        known = [
            schema["properties"][key]
            for schema in self.schemas
            if key in schema.get("properties", {})
        ]
        return _shape(known or self._under("additionalProperties"))

    def item(self) -> "Shape":
        """What may stand in a list here."""
        return _shape(self._under("items"))

    def types(self) -> frozenset[str]:
        """The JSON types of a value here; none where the schema names none."""
        found: set[str] = set()
        for schema in self.schemas:
            named = schema.get("type", [])
            found.update([named] if isinstance(named, str) else named)
            if any(isinstance(choice, str) for choice in schema.get("enum", ())):
                found.add("string")
        return frozenset(found)

    def _under(self, keyword: str) -> list[_Schema]:
        found = (schema.get(keyword) for schema in self.schemas)
        return [schema for schema in found if isinstance(schema, dict)]


@cache
def root_shape() -> Shape:
    """The shape of a whole document."""
    return _shape([_routing()])


@cache
def _routing() -> _Schema:
    schema: _Schema = json.loads(read_schema("routing"))
    return schema


def _shape(schemas: Iterable[_Schema]) -> Shape:
    followed = [part for schema in schemas for part in _follow(schema)]
    return Shape(
        schemas=tuple(followed),
        is_expression=any(part.get("$ref") in EXPRESSIONS for part in followed),
    )


def _follow(schema: _Schema) -> Iterator[_Schema]:
    """The schema, what it refers to, and its alternatives."""
    yield schema
    if "$ref" in schema:
        target: Any = _routing()
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from _follow(target)
    for keyword in _ALTERNATIVES:
        for part in schema.get(keyword, ()):
            yield from _follow(part)
