"""A JSON Schema, to the OpenAPI subset that older Gemini models take (wire reference B.8).

>>> open_schema({"type": ["string", "null"], "const": "a", "$schema": "x"})[0]
{'type': 'STRING', 'nullable': True, 'enum': ['a']}
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, final

_Schema: TypeAlias = Mapping[str, Any]

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
_DEEPEST = 32


def open_schema(schema: _Schema) -> tuple[dict[str, Any], bool]:
    """(the schema in the subset, whether that says less than it did)."""
    writer = _Writer(schema)
    return writer.write(schema, 0), writer.lost


@final
class _Writer:
    """One schema; `lost` once a keyword had to be left out."""

    __slots__ = ("_root", "lost")

    def __init__(self, root: _Schema) -> None:
        self._root = root
        self.lost = False

    def write(self, given: Any, depth: int) -> dict[str, Any]:
        if depth > _DEEPEST or not isinstance(given, Mapping):
            self.lost = self.lost or given is not True
            return {}
        schema = self._merged(given, depth)
        if not _READ.issuperset(schema):
            self.lost = True
        written: dict[str, Any] = {}
        kinds = self._kinds(schema, written)
        branches = [*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
        if len(kinds) > 1:
            branches += [{"type": kind} for kind in kinds]
        elif kinds:
            written["type"] = kinds[0].upper()
        written |= {name: schema[name] for name in _SAME if name in schema}
        kind = kinds[0] if len(kinds) == 1 else ""
        self._put_values(schema, kind, written)
        if kind == "array" or "items" in schema:
            written["items"] = self.write(schema.get("items", True), depth + 1)
        self._put_properties(schema, written, depth)
        self._put_branches(branches, written, depth)
        return written

    def _merged(self, given: _Schema, depth: int) -> dict[str, Any]:
        """The schema with what it refers to, and all it must match at once, in one."""
        schema = dict(given)
        reference = schema.pop("$ref", None)
        if isinstance(reference, str):
            schema = self._merged(self._find(reference), depth + 1) | schema
        for part in schema.pop("allOf", None) or ():
            if not isinstance(part, Mapping) or depth > _DEEPEST:
                self.lost = True
                continue
            other = self._merged(part, depth + 1)
            properties = (schema.get("properties") or {}) | (other.get("properties") or {})
            required = [*(schema.get("required") or ()), *(other.get("required") or ())]
            schema = other | schema
            if properties:
                schema["properties"] = properties
            if required:
                schema["required"] = list(dict.fromkeys(required))
        return schema

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
        kinds = [given] if isinstance(given, str) else list(given or ())
        if "null" in kinds:
            written["nullable"] = True
        if not kinds and "properties" in schema:
            kinds = ["object"]
        if not kinds and _values(schema) and all(isinstance(one, str) for one in _values(schema)):
            kinds = ["string"]
        return [kind for kind in kinds if kind != "null"]

    def _put_values(self, schema: _Schema, kind: str, written: dict[str, Any]) -> None:
        values = _values(schema)
        if values and kind == "string":
            if None in values:
                written["nullable"] = True
            written["enum"] = [value for value in values if isinstance(value, str)]
        elif values:
            self.lost = True
        given = schema.get("format")
        if given in _FORMATS.get(kind, ()):
            written["format"] = given
        elif given is not None:
            self.lost = True

    def _put_properties(self, schema: _Schema, written: dict[str, Any], depth: int) -> None:
        properties = schema.get("properties")
        if not properties:
            return
        written["properties"] = {
            name: self.write(value, depth + 1) for name, value in properties.items()
        }
        required = [name for name in schema.get("required") or () if name in properties]
        if required:
            written["required"] = required

    def _put_branches(self, branches: list[Any], written: dict[str, Any], depth: int) -> None:
        kept = [one for one in branches if one != {"type": "null"}]
        if len(kept) < len(branches):
            written["nullable"] = True
        if len(kept) == 1:
            written |= self.write(kept[0], depth + 1) | written
        elif kept:
            written["anyOf"] = [self.write(one, depth + 1) for one in kept]


def _values(schema: _Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum") or ())
