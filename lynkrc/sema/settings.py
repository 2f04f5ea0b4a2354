"""Sections of settings as written to `lynkrc_runtime.settings`, whole and checked.

The shape of the settings says what a text with a unit means: where they hold a float it is a
duration, where they hold an int a count or a size in bytes.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any, assert_never, final

import msgspec

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.settings_checks import check_settings
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.syntax.config import Section
from lynkrc.syntax.decode_parts import DURATION_HELP, out_of_time
from lynkrc.syntax.units import MOST, MOST_BYTES, byte_count, count, seconds
from lynkrc_runtime.settings import Settings

_EMBEDDINGS = "embeddings"


def read_settings(
    sections: Sequence[Section], *, tiers: Sequence[str], targets: Sequence[str]
) -> tuple[Settings, list[Diagnostic]]:
    """The settings of the sections that hold, at most one a key, and every finding about them.

    `tiers` and `targets` are the names the spec has. Settings beside findings are not to be used:
    they are the default ones.
    """
    reader = _Reader()
    shapes = {field.name: field.type for field in _fields(_shape())}
    plain = {
        section.key.value: _embeddings(section.node)
        if section.key.value == _EMBEDDINGS
        else reader.plain(section.node, shapes[section.key.value])
        for section in sections
    }
    nodes = {section.key.value: section.node for section in sections}
    findings = [*reader.findings, *check_settings(nodes, tiers=tiers, targets=targets)]
    return (Settings() if findings else msgspec.convert(plain, Settings)), findings


def _embeddings(node: Node) -> dict[str, str]:
    """Written as ``name: {target: T}``, so that there is room for more; kept as name to target."""
    found: dict[str, str] = {}
    for key, value in node.entries if isinstance(node, MappingNode) else ():
        target = value.get("target") if isinstance(value, MappingNode) else None
        if not isinstance(target, ScalarNode):
            raise AssertionError(f"a target was expected: {value!r}")
        found[key.text] = target.text
    return found


@cache
def _shape() -> Any:
    # Imported here: only a spec with settings needs it.
    from msgspec import inspect

    return inspect.type_info(Settings)


def _fields(shape: Any) -> tuple[Any, ...]:
    fields: tuple[Any, ...] = shape.fields
    return fields


@final
class _Reader:
    """Nodes to the values that JSON has for a shape, and what is out of range."""

    def __init__(self) -> None:
        self.findings: list[Diagnostic] = []

    def plain(self, node: Node, shape: Any) -> object:
        """The value of `node` where the settings have `shape` (a type of `msgspec.inspect`)."""
        from msgspec import inspect

        if isinstance(shape, inspect.UnionType):  # `X | None`: what is written is not None
            (shape,) = (one for one in shape.types if not isinstance(one, inspect.NoneType))
        match node:
            case MappingNode(entries=entries):
                if isinstance(shape, inspect.DictType):
                    return {key.text: self.plain(one, shape.value_type) for key, one in entries}
                inner = {field.name: field.type for field in _fields(shape)}
                return {key.text: self.plain(one, inner[key.text]) for key, one in entries}
            case SequenceNode(items=items):
                return [self.plain(one, shape.item_type) for one in items]
            case ScalarNode(value=value):
                match shape:
                    case inspect.FloatType():
                        return self._seconds(node) if isinstance(value, str) else value
                    case inspect.IntType():
                        return self._whole(node)
                    case inspect.StrType() if not isinstance(value, str):
                        return _decimal(node)
                    case _:
                        return value
            case _:
                assert_never(node)

    def _seconds(self, node: ScalarNode) -> float | None:
        found = seconds(node.text)
        if found is None:
            self._out_of_range(node, out_of_time(node.text), DURATION_HELP)
            return None
        return float(found)

    def _whole(self, node: ScalarNode) -> int | None:
        if isinstance(node.value, int | float):
            return int(node.value)  # 10.0 is a whole number, too
        is_bytes = node.text.endswith("B")
        found = byte_count(node.text) if is_bytes else count(node.text, MOST)
        if found is None and is_bytes:
            message = f"{shown(node.text)} is more than {MOST_BYTES >> 30:,}GiB"
            self._out_of_range(node, message, "write a smaller size")
        elif found is None:
            message = f"{shown(node.text)} is not a whole number up to {MOST:,}"
            self._out_of_range(node, message, "write a whole number, such as 500, 20k or 1.5M")
        return found

    def _out_of_range(self, node: ScalarNode, message: str, help: str) -> None:
        self.findings.append(
            Diagnostic(code=codes.OUT_OF_RANGE, message=message, span=node.span, help=help)
        )


def _decimal(node: ScalarNode) -> str:
    """An amount as decimal text: exact, without an exponent and without idle zeros."""
    number = Decimal(node.value) if isinstance(node.value, int) else Decimal(node.text)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
