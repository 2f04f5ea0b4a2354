"""A schema to whether a document is sound by it, asked before jsonschema is asked what is wrong.

Most documents are sound, and to hear that from jsonschema costs its import and a generator for each
keyword of each value. Yes is the last word here; no only means that jsonschema is asked, which has
it. So what is rare may be refused here (a choice among numbers written `400.0`). A keyword that
stands nowhere in our schemas is an error: whoever writes one says here what it asks.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Sound: TypeAlias = Callable[[Any], bool]
"""Whether a value, as JSON knows it, is sound."""

_Schema: TypeAlias = Mapping[str, Any]

ANNOTATIONS = frozenset(("$schema", "$id", "$defs", "title", "description", "examples"))
"""Keywords that ask nothing."""


def soundness(schema: _Schema) -> Sound:
    """The check of a whole schema, whose references are all to its own `$defs`.

    ValueError where it asks what nobody has said here.
    """
    defined: dict[str, Sound] = {}

    def sound(part: _Schema) -> Sound:
        return _all([asked(part, key) for key in part if key not in ANNOTATIONS])

    def asked(part: _Schema, key: str) -> Sound:
        argument = part[key]
        match key:
            case "$ref":
                return _defined(defined, argument)
            case "properties":
                return _properties({name: sound(one) for name, one in argument.items()})
            case "additionalProperties":
                named = frozenset(part.get("properties", ()))
                return _others(named, None if argument is False else sound(argument))
            case "propertyNames":
                return _names(sound(argument))
            case "items":
                return _items(sound(argument))
            case "dependentSchemas":
                return _with({name: sound(one) for name, one in argument.items()})
            case _ if key in _KEYWORDS:
                return _KEYWORDS[key](argument)
            case _:
                raise ValueError(f"what `{key}` asks")

    for name, part in schema.get("$defs", {}).items():
        defined[f"#/$defs/{name}"] = sound(part)
    return sound(schema)


def _defined(defined: Mapping[str, Sound], ref: str) -> Sound:
    def as_defined(value: Any) -> bool:
        # Looked up here: definitions may refer to one another.
        return defined[ref](value)

    return as_defined


def _all(checks: Sequence[Sound]) -> Sound:
    if len(checks) == 1:
        return checks[0]

    def all_sound(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 (a generator costs more than what it asks)
            if not check(value):
                return False
        return True

    return all_sound


# -- objects and lists -----------------------------------------------------------------------


def _properties(named: Mapping[str, Sound]) -> Sound:
    return lambda value: (
        not isinstance(value, dict)
        or all([named[key](one) for key, one in value.items() if key in named])
    )


def _others(named: frozenset[str], sound: Sound | None) -> Sound:
    """None where no others may be."""
    if sound is None:
        return lambda value: not isinstance(value, dict) or value.keys() <= named
    return lambda value: (
        not isinstance(value, dict)
        or all([sound(one) for key, one in value.items() if key not in named])
    )


def _names(sound: Sound) -> Sound:
    return lambda value: not isinstance(value, dict) or all([sound(key) for key in value])


def _items(sound: Sound) -> Sound:
    return lambda value: not isinstance(value, list) or all([sound(item) for item in value])


def _with(asked: Mapping[str, Sound]) -> Sound:
    return lambda value: (
        not isinstance(value, dict)
        or all([sound(value) for key, sound in asked.items() if key in value])
    )


def _required(names: Sequence[str]) -> Sound:
    wanted = frozenset(names)
    return lambda value: not isinstance(value, dict) or wanted <= value.keys()


def _required_with(asked: Mapping[str, Sequence[str]]) -> Sound:
    return _with({key: _required(names) for key, names in asked.items()})


def _how_many(schemas: Sequence[_Schema]) -> Callable[[Any], int]:
    """Of how many schemas a value is sound.

    What is counted must be known exactly, so it may only be what must be there.
    """
    for schema in schemas:
        if tuple(schema) != ("required",):
            raise ValueError(f"a choice by {schema}")
    choices = [_required(schema["required"]) for schema in schemas]
    return lambda value: sum([choice(value) for choice in choices])


def _any_of(schemas: Sequence[_Schema]) -> Sound:
    count = _how_many(schemas)
    return lambda value: count(value) > 0


def _one_of(schemas: Sequence[_Schema]) -> Sound:
    count = _how_many(schemas)
    return lambda value: count(value) == 1


def _not(schema: _Schema) -> Sound:
    if schema:
        raise ValueError(f"the opposite of {schema}")
    return lambda _: False


def _unique(unique: bool) -> Sound:
    if not unique:
        raise ValueError("a list that may repeat itself says nothing of it")
    # As the check that jsonschema is given.
    return lambda value: not isinstance(value, list) or len({*map(repr, value)}) == len(value)


# -- values ----------------------------------------------------------------------------------


def _is_integer(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Sound] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _type(names: str | Sequence[str]) -> Sound:
    if isinstance(names, str):
        return _TYPES[names]
    types = [_TYPES[name] for name in names]
    return lambda value: any([one(value) for one in types])


def _enum(choices: Sequence[Any]) -> Sound:
    # By their types, too: to JSON, true is not 1.
    known = [(type(choice), choice) for choice in choices]
    return lambda value: (type(value), value) in known


def _pattern(pattern: str) -> Sound:
    matches = re.compile(pattern).fullmatch
    return lambda value: not isinstance(value, str) or matches(value) is not None


_KEYWORDS: dict[str, Callable[[Any], Sound]] = {
    "anyOf": _any_of,
    "const": lambda wanted: _enum([wanted]),
    "dependentRequired": _required_with,
    "enum": _enum,
    "exclusiveMinimum": lambda low: lambda value: not (_is_number(value) and value <= low),
    "maxLength": lambda most: lambda value: not (isinstance(value, str) and len(value) > most),
    "maximum": lambda most: lambda value: not (_is_number(value) and value > most),
    "minItems": lambda least: lambda value: not (isinstance(value, list) and len(value) < least),
    "minLength": lambda least: lambda value: not (isinstance(value, str) and len(value) < least),
    "minProperties": lambda least: (
        lambda value: not (isinstance(value, dict) and len(value) < least)
    ),
    "minimum": lambda least: lambda value: not (_is_number(value) and value < least),
    "not": _not,
    "oneOf": _one_of,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
    "uniqueItems": _unique,
}
