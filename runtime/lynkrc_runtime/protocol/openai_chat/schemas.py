"""JSON Schemas of tools and answers, as Chat servers take them (wire reference C.1.6).

>>> object_schema({"description": "none"})
{'description': 'none', 'type': 'object', 'properties': {}}
"""

from collections.abc import Mapping
from typing import Any

_NOT_STRICT = frozenset(
    (
        "allOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "patternProperties",
        "propertyNames",
        "unevaluatedProperties",
    )
)
"""Keywords `strict` schemas may not hold."""

_DEEPEST = 64


def object_schema(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Tool parameters: always of type object, always with properties; the rest as it was."""
    parameters = dict(schema or {})
    parameters.setdefault("type", "object")
    if parameters["type"] == "object":
        parameters.setdefault("properties", {})
    return parameters


def is_strict_schema(schema: Mapping[str, Any]) -> bool:
    """Whether a server takes the schema with ``strict: true``.

    Every object in it is closed and requires all its properties.

    >>> is_strict_schema({"type": "object", "properties": {"a": {}}, "required": []})
    False
    """
    return schema.get("type") == "object" and _is_strict(schema, 0)


def _is_strict(schema: Any, depth: int) -> bool:
    if not isinstance(schema, dict):
        return True
    if depth > _DEEPEST or not _NOT_STRICT.isdisjoint(schema):
        return False
    properties = schema.get("properties") or {}
    if properties or schema.get("type") == "object":
        required = schema.get("required") or ()
        if schema.get("additionalProperties") is not False or set(required) != set(properties):
            return False
    children = [
        *properties.values(),
        *(schema.get("$defs") or {}).values(),
        *(schema.get("anyOf") or ()),
        schema.get("items"),
    ]
    return all(_is_strict(child, depth + 1) for child in children)
