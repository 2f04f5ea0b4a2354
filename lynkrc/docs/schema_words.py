"""A part of the routing schema to words: which values it takes, what is written where nothing is.

>>> split_default("Until the connection stands; 5s, where it is not written.")
('Until the connection stands.', '5s')
>>> flow({"input": 3, "output": [1, "a b"]})
'{input: 3, output: [1, a b]}'
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from lynkrc.docs.markdown import code, link
from lynkrc.source.quoting import is_plain, quote
from lynkrc.source.resources import read_schema

Schema: TypeAlias = Mapping[str, Any]

FORMS = "Forms of values"
"""The heading under which the definitions of single values stand."""

_DEFAULT = re.compile(r"[;,] (?P<value>[^;]+?), (?:where|if) it is not written\.$")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ARTICLE = re.compile(r"^(?:a|an|the) ")


@cache
def routing() -> Schema:
    """The schema of ``routing.yaml``."""
    schema: Schema = json.loads(read_schema("routing"))
    return schema


def defined(schema: Schema) -> str | None:
    """The name of the definition that a schema refers to."""
    reference: str | None = schema.get("$ref")
    return None if reference is None else reference.removeprefix("#/$defs/")


def followed(schema: Schema) -> Schema:
    """A schema with what it refers to; its own words come first."""
    name = defined(schema)
    if name is None:
        return schema
    own = {key: value for key, value in schema.items() if key != "$ref"}
    return {**followed(routing()["$defs"][name]), **own}


def has_keys(schema: Schema) -> bool:
    """Whether it is a mapping with keys of ours."""
    return "properties" in followed(schema)


def split_default(description: str) -> tuple[str, str | None]:
    """A description without its last words on the default, and the default."""
    found = _DEFAULT.search(description)
    if found is None:
        return description, None
    return description[: found.start()] + ".", found["value"]


def form_name(name: str) -> str:
    """What a definition is called: its title, else its name in words."""
    title: str = routing()["$defs"][name].get("title", "")
    return _ARTICLE.sub("", title) or _CAPITAL.sub(" ", name).lower()


def forms() -> Iterator[str]:
    """The definitions of single values that are more than a type, in the schema's order."""
    return (name for name in routing()["$defs"] if _is_form(name))


def _is_form(name: str) -> bool:
    """Whether a definition says more of single values than their type."""
    schema = routing()["$defs"][name]
    if "properties" in schema or "enum" in schema or name == "text":
        return False
    return schema["type"] not in ("boolean", "array", "object")


def value_words(schema: Schema, places: Mapping[str, str]) -> str:
    """Which values a schema takes; `places` are the headings of the mappings with keys of ours,
    by the names of their definitions."""
    name = defined(schema)
    if name is not None and name in places:
        return link(_kind_of_mapping(followed(schema)), places[name])
    if name is not None and _is_form(name):
        return link(form_name(name), FORMS)
    return _unnamed(followed(schema), places)


def _kind_of_mapping(schema: Schema) -> str:
    title: str = schema.get("title", "mapping")
    return _ARTICLE.sub("", title)


def _unnamed(schema: Schema, places: Mapping[str, str]) -> str:
    if "const" in schema:
        return code(flow(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(flow(choice)) for choice in schema["enum"])
    match schema.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return "whole number" + _range(schema)
        case "number":
            return "number" + _range(schema)
        case "array":
            return f"list of {value_words(schema['items'], places)}"
        case "object" if "properties" not in schema:
            names = schema.get("propertyNames", {})
            named = value_words(names, places) if names else "text"
            return f"mapping of {named} to {value_words(schema['additionalProperties'], places)}"
        case "object":
            return "mapping"
        case _:
            return "text"


def _range(schema: Schema) -> str:
    if "exclusiveMinimum" in schema:
        return f" above {schema['exclusiveMinimum']}, at most {schema['maximum']:,}"
    if "minimum" in schema:
        return f", {schema['minimum']:,} to {schema['maximum']:,}"
    return ""


def flow(value: object) -> str:
    """A value of JSON as YAML on one line."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case str():
            return value if is_plain(value, flow=True) else quote(value)
        case list():
            return f"[{', '.join(map(flow, value))}]"
        case dict():
            members = (f"{flow(key)}: {flow(inner)}" for key, inner in value.items())
            return f"{{{', '.join(members)}}}"
        case _:
            raise TypeError(f"no value of JSON: {value!r}")
