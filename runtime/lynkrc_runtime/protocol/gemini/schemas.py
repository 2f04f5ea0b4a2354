"""A JSON Schema, to the OpenAPI subset that older Gemini models take (wire reference B.8).

>>> open_schema({"type": ["string", "null"], "const": "a", "$schema": "x"})[0]
{'nullable': True, 'type': 'STRING', 'enum': ['a']}
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, final

_Schema: TypeAlias = Mapping[str, Any]
_Path: TypeAlias = tuple[str, ...]

_SAME = (
    "title",
    "description",
    "nullable",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "pattern",
    "propertyOrdering",
)
"""Keywords the subset spells and means as JSON Schema does."""

_FORMATS = {
    "string": ("enum", "date-time"),
    "integer": ("int32", "int64"),
    "number": ("float", "double"),
}
_ELSEWHERE = (
    "type",
    "format",
    "enum",
    "const",
    "items",
    "properties",
    "required",
    "anyOf",
    "oneOf",
)
_WITHOUT_EFFECT = ("$schema", "$id", "$defs", "definitions")
_READ = frozenset((*_SAME, *_ELSEWHERE, *_WITHOUT_EFFECT))
_MOST = 5000
"""Schemas written for one: what refers to others often, or to itself, would have no end."""


def open_schema(schema: _Schema) -> tuple[dict[str, Any], bool]:
    """(the schema in the subset, whether that says less than it did)."""
    writer = _Writer(schema)
    return writer.write(schema, ()), writer.lost


@final
class _Writer:
    """One schema; `lost` once a keyword had to be left out.

    `within` are the references that led to a schema: one of them again is left open.
    """

    __slots__ = ("_left", "_root", "lost")

    def __init__(self, root: _Schema) -> None:
        self._root = root
        self._left = _MOST
        self.lost = False

    def write(self, given: Any, within: _Path) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0 or not isinstance(given, Mapping):
            self.lost = self.lost or given is not True
            return {}
        schema, within = self._merged(given, within)
        if not _READ.issuperset(schema):
            self.lost = True
        written: dict[str, Any] = {}
        kinds = self._kinds(schema, written)
        branches = [*self._list(schema, "anyOf"), *self._list(schema, "oneOf")]
        if len(kinds) > 1:
            branches += [{"type": kind} for kind in kinds]
        elif kinds:
            written["type"] = kinds[0].upper()
        written |= {name: schema[name] for name in _SAME if name in schema}
        kind = kinds[0] if len(kinds) == 1 else ""
        self._put_values(schema, kind, written)
        if kind == "array" or "items" in schema:
            written["items"] = self.write(schema.get("items", True), within)
        self._put_properties(schema, written, within)
        self._put_branches(branches, written, within)
        return written

    def _merged(self, given: _Schema, within: _Path) -> tuple[dict[str, Any], _Path]:
        """The schema with what it refers to, and all it must match at once, in one."""
        schema = dict(given)
        parts = self._list(schema, "allOf")
        schema.pop("allOf", None)
        reference = schema.pop("$ref", None)
        if isinstance(reference, str):
            if reference in within:
                self.lost = True
            else:
                within = (*within, reference)
                parts.append(self._find(reference))
        for part in parts:
            self._left -= 1
            if not isinstance(part, Mapping) or self._left < 0:
                self.lost = True
                continue
            other, within = self._merged(part, within)
            properties = self._object(other, "properties") | self._object(schema, "properties")
            required = self._required(schema) + self._required(other)
            schema = other | schema
            if properties:
                schema["properties"] = properties
            if required:
                schema["required"] = list(dict.fromkeys(required))
        return schema, within

    def _find(self, reference: str) -> _Schema:
        found: Any = self._root
        for name in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(name) if isinstance(found, Mapping) else None
        if reference.startswith("#/") and isinstance(found, Mapping):
            return found
        self.lost = True
        return {}

    def _kinds(self, schema: _Schema, written: dict[str, Any]) -> list[str]:
        given = schema.get("type")
        kinds = [given] if isinstance(given, str) else self._list(schema, "type")
        kinds = [kind for kind in kinds if isinstance(kind, str)]
        if "null" in kinds:
            written["nullable"] = True
        if not kinds and "properties" in schema:
            kinds = ["object"]
        values = self._values(schema)
        if not kinds and any(isinstance(one, str) for one in values):
            kinds = ["string"] if all(isinstance(one, str | None) for one in values) else []
        return [kind for kind in kinds if kind != "null"]

    def _put_values(self, schema: _Schema, kind: str, written: dict[str, Any]) -> None:
        values = self._values(schema)
        if values and kind == "string":
            if None in values:
                written["nullable"] = True
            written["enum"] = [value for value in values if isinstance(value, str)]
        elif values:
            self.lost = True
        given = schema.get("format")
        if isinstance(given, str) and given in _FORMATS.get(kind, ()):
            written["format"] = given
        elif given is not None:
            self.lost = True

    def _put_properties(self, schema: _Schema, written: dict[str, Any], within: _Path) -> None:
        properties = self._object(schema, "properties")
        if not properties:
            return
        written["properties"] = {
            name: self.write(value, within) for name, value in properties.items()
        }
        required = [name for name in self._required(schema) if name in properties]
        if required:
            written["required"] = required

    def _put_branches(self, branches: list[Any], written: dict[str, Any], within: _Path) -> None:
        kept = [one for one in branches if one != {"type": "null"}]
        if len(kept) < len(branches):
            written["nullable"] = True
        if len(kept) == 1:
            written |= self.write(kept[0], within) | written
        elif kept:
            written["anyOf"] = [self.write(one, within) for one in kept]

    def _values(self, schema: _Schema) -> list[Any]:
        return [schema["const"]] if "const" in schema else self._list(schema, "enum")

    def _required(self, schema: _Schema) -> list[str]:
        return [name for name in self._list(schema, "required") if isinstance(name, str)]

    def _list(self, schema: _Schema, name: str) -> list[Any]:
        value = schema.get(name)
        self.lost = self.lost or not isinstance(value, list | None)
        return value if isinstance(value, list) else []

    def _object(self, schema: _Schema, name: str) -> dict[str, Any]:
        value = schema.get(name)
        self.lost = self.lost or not isinstance(value, dict | None)
        return value if isinstance(value, dict) else {}
