"""Nodes to findings about their structure, by the schema of a spec or of a file of tests.

jsonschema says what is wrong; the wording, the place and the way out are ours (`schema_wording`).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from lynkrc.diagnostics.model import MAX_FINDINGS, Diagnostic
from lynkrc.diagnostics.wording import shown
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, plain
from lynkrc.source.resources import read_schema
from lynkrc.syntax.schema_wording import WORDINGS, Fault

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


_CALLED = {"routing": "the spec", "test": "the file"}
"""The schemas that files of the user's are checked by, and what a document of each is called."""


def check_schema(root: Node, schema: str = "routing") -> list[Diagnostic]:
    """Every finding of a schema about a document, the first `MAX_FINDINGS` of them."""
    findings: dict[tuple[str, int, int, str], Diagnostic] = {}
    entries = _Entries()
    for error in _validator(schema).iter_errors(plain(root)):
        fault = _locate(root, error, entries, _CALLED[schema])
        for finding in WORDINGS[fault.keyword](fault):
            # jsonschema repeats itself where one value breaks a keyword several times.
            key = (finding.code.id, finding.span.start, finding.span.end, finding.message)
            findings.setdefault(key, finding)
            if len(findings) == MAX_FINDINGS:
                return list(findings.values())
    return list(findings.values())


@cache
def section_names() -> tuple[str, ...]:
    """The keys a spec may have, in the schema's order."""
    return tuple(_schema("routing")["properties"])


@cache
def _schema(name: str) -> Any:
    return json.loads(read_schema(name))


@cache
def _validator(name: str) -> "Validator":
    # Imported here: 60 ms that only a check needs.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    # `$` also matches before a last line break, which JSON Schema does not mean.
    extended: Callable[..., type[Validator]] = extend  # its stub has no types
    checker = extended(
        Draft202012Validator,
        {"$ref": partial(_follow, name), "pattern": _check_pattern, "uniqueItems": _check_unique},
    )
    return checker(_schema(name))


def _follow(
    name: str, validator: Any, ref: str, instance: object, __: object
) -> Iterator["ValidationError"]:  # `descend` is not in the protocol
    # Within the one schema; jsonschema looks a reference up anew for each of thousands of items.
    yield from validator.descend(instance, _definition(name, ref))


@cache
def _definition(name: str, ref: str) -> Any:
    found = _schema(name)
    for step in ref.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _check_pattern(
    _: object, pattern: str, instance: object, __: object
) -> Iterator["ValidationError"]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and not re.fullmatch(pattern, instance):
        yield ValidationError("pattern")


def _check_unique(
    _: object, unique: bool, instance: object, __: object
) -> Iterator["ValidationError"]:
    from jsonschema import ValidationError

    # jsonschema compares each with each where the items have several types.
    if unique and isinstance(instance, list) and len({*map(repr, instance)}) < len(instance):
        yield ValidationError("uniqueItems")


class _Entries:
    """Entries of mappings by key, indexed once a mapping however many errors are in it."""

    def __init__(self) -> None:
        self._indices: dict[int, dict[str, tuple[ScalarNode, Node]]] = {}

    def find(self, node: MappingNode, key: str) -> tuple[ScalarNode, Node]:
        """The entry of `node` under `key`."""
        index = self._indices.get(id(node))
        if index is None:
            index = {entry[0].text: entry for entry in node.entries}
            self._indices[id(node)] = index
        return index[key]


def _locate(root: Node, error: "ValidationError", entries: _Entries, called: str) -> Fault:
    node, key = root, None
    words: list[str] = []
    for step in error.absolute_path:
        if isinstance(node, MappingNode):
            key, node = entries.find(node, str(step))
            words.append(key.text)
        elif isinstance(node, SequenceNode):
            key, node = None, node.items[int(step)]
            name = node.get("name") if isinstance(node, MappingNode) else None
            words.append(name.text if isinstance(name, ScalarNode) else f"#{int(step) + 1}")
    title = _title(words) if words else called
    schema_path = tuple(error.absolute_schema_path)
    if "propertyNames" in schema_path and isinstance(node, MappingNode):
        key = None
        node = entries.find(node, str(error.instance))[0]
    return Fault(
        keyword=str(error.validator),
        argument=error.validator_value,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        schema_path=schema_path,
        node=node,
        key=key,
        title=title,
        is_whole=not words,
    )


def _title(words: Sequence[str]) -> str:
    """A path, which has a word at least, in words."""
    if words[-1].startswith("#") and len(words) > 1:
        return f"item {words[-1][1:]} of {_title(words[:-1])}"
    return shown(".".join(words))
