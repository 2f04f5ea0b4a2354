"""The schema of a place to what people are told of it: keys, choices, descriptions."""

from collections.abc import Iterator
from typing import Any

from lynkrc.lsp.spot import Path
from lynkrc.syntax.schema_wording import TYPE_WORDS
from lynkrc.syntax.shape import Shape, root_shape


def shape_at(path: Path) -> Shape:
    """What may stand at a place.

    >>> shape_at(("targets", "any")).keys()[:2]
    ('provider', 'model')
    """
    shape = root_shape()
    for step in path:
        shape = shape.item() if step == "#" else shape.at(step)
    return shape


def description(shape: Shape) -> str:
    """What the schema says of a place; "" where it says nothing."""
    return next(_texts(shape, "description"), "")


def kind_of_value(shape: Shape) -> str:
    """What a value is, in words: ``a size``, ``a list``.

    >>> kind_of_value(shape_at(("targets", "any", "context")))
    'a size'
    """
    if shape.is_expression:
        return "an expression"
    title = next(_texts(shape, "title"), None)
    if title is not None:
        return title
    choices = fixed_choices(shape)
    if choices:
        return f"always {choices[0]}" if len(choices) == 1 else f"one of {', '.join(choices)}"
    return " or ".join(TYPE_WORDS[name] for name in TYPE_WORDS if name in shape.types())


def fixed_choices(shape: Shape) -> tuple[str, ...]:
    """The only values that may stand at a place; none where there are others."""
    found: dict[str, None] = {}
    for schema in shape.schemas:
        values = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
        found.update((_written(value), None) for value in values)
    if not found and shape.types() == {"boolean"}:
        return ("true", "false")
    return tuple(found)


def examples(shape: Shape) -> tuple[str, ...]:
    """Single values the schema gives as examples."""
    return tuple(
        dict.fromkeys(
            _written(value)
            for schema in shape.schemas
            for value in schema.get("examples", ())
            if isinstance(value, str | int | float)
        )
    )


def is_required(shape: Shape, key: str) -> bool:
    """Whether a mapping must have a key."""
    return any(key in schema.get("required", ()) for schema in shape.schemas[:1]) or any(
        key in schema.get("required", ()) for schema in shape.schemas if "properties" in schema
    )


def names_codes(shape: Shape) -> bool:
    """Whether the keys of a mapping are codes of findings."""
    return any(
        schema.get("propertyNames", {}).get("$ref") == "#/$defs/code" for schema in shape.schemas
    )


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _texts(shape: Shape, keyword: str) -> Iterator[str]:
    return (schema[keyword] for schema in shape.schemas if keyword in schema)
