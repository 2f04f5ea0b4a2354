"""A fault that the schema found to findings: what is said, where, and the way out.

`WORDINGS` has a function for each keyword the schema uses (a test holds the two together).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, assert_never, final

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Code, Diagnostic, Fix, Label
from lynkrc.diagnostics.suggest import closest, did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.source.fixes import fix_of, rename, replacing
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style, plain
from lynkrc.source.parts import removal
from lynkrc.source.quoting import is_plain, quote
from lynkrc.source.scalars import resolve_plain, trap
from lynkrc.source.text import Span

if TYPE_CHECKING:
    pass


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error: the keyword broken, the node it is about, and how the node is called."""

    keyword: str
    argument: Any
    schema: Mapping[str, Any]
    schema_path: tuple[str | int, ...]
    node: Node
    key: ScalarNode | None
    title: str
    """Path of the node in words: ``providers.openai``, or what the document is called."""
    is_whole: bool
    """Whether it is the document itself."""

    @property
    def name(self) -> str:
        """The node's key, or its text for a list item."""
        if self.key is not None:
            return shown(self.key.text)
        return self.text

    @property
    def text(self) -> str:
        """What a scalar says, as it is shown; elsewhere the title."""
        return shown(self.node.text) if isinstance(self.node, ScalarNode) else self.title

    @property
    def span(self) -> Span:
        """The value; where nothing is written, its key."""
        if self.node.span.start == self.node.span.end and self.key is not None:
            return self.key.span
        return self.node.span

    @property
    def head(self) -> Span:
        """What names the node: its key, a list item's first key, the document's beginning."""
        if self.key is not None:
            return self.key.span
        if self.is_whole:
            start = self.node.span.start
            return Span(file=self.node.span.file, start=start, end=start)
        if isinstance(self.node, MappingNode) and self.node.entries:
            return self.node.entries[0][0].span
        return self.node.span

    def finding(
        self,
        code: Code,
        message: str,
        span: Span,
        help: str | None = None,
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding about this."""
        return Diagnostic(code=code, message=message, span=span, help=help, labels=labels, fix=fix)


TYPE_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}
"""What the types of the schema are called."""


def _wrong_type(fault: Fault) -> Iterator[Diagnostic]:
    types = [fault.argument] if isinstance(fault.argument, str) else fault.argument
    wanted = fault.schema.get("title") or " or ".join(TYPE_WORDS[name] for name in types)
    if fault.is_whole:
        wanted, name = TYPE_WORDS["object"], fault.title
    else:
        name = fault.name if fault.key is not None else "this item"
    message = f"{name} must be {wanted}, not {_found(fault.node)}"
    yield fault.finding(
        codes.WRONG_TYPE, message, fault.span, _convert(fault, types), fix=_converted(fault, types)
    )


def _found(node: Node) -> str:
    """What a node is, or says if it is no text."""
    match node:
        case MappingNode():
            return "a mapping"
        case SequenceNode():
            return "a list"
        case ScalarNode(text=text, value=value):
            if value is None:
                return "nothing"
            return "text" if isinstance(value, str) else shown(text)
        case _:
            assert_never(node)


def _convert(fault: Fault, types: Sequence[str]) -> str | None:
    """How to write the value so that it has one of the types."""
    node = fault.node
    if isinstance(node, MappingNode) and "array" in types:
        return "write a list: each item begins with `- `"
    if isinstance(node, SequenceNode) and "object" in types and not fault.is_whole:
        return "write a mapping: each entry is `name: value`, without `- `"
    if not isinstance(node, ScalarNode):
        return None
    if node.value is None:
        return "give it a value, or remove the key"
    if not isinstance(node.value, str):
        return (
            _about(fault)
            if "string" not in types or "pattern" in fault.schema
            else (f'quote it: "{node.text}"')
        )
    if node.style is not Style.PLAIN and {"number", "integer"} & set(types):
        bare = resolve_plain(node.text)
        if isinstance(bare, int | float):
            return f"remove the quotes: {node.text}"
    if "array" in types:
        return f"write a list: [{node.text}]"
    return None


def _converted(fault: Fault, types: Sequence[str]) -> Fix | None:
    """The value as `_convert` says to write it."""
    node = fault.node
    if not isinstance(node, ScalarNode) or node.value is None:
        return None
    if not isinstance(node.value, str):
        if "string" not in types or "pattern" in fault.schema:
            return None
        return replacing(node.span, quote(node.text), "quote it", safe=True)
    is_number = isinstance(resolve_plain(node.text), int | float) and trap(node.text) is None
    if is_number and node.style is not Style.PLAIN and {"number", "integer"} & set(types):
        return replacing(node.span, node.text, "remove the quotes", safe=True)
    if "array" in types and node.style not in (Style.LITERAL, Style.FOLDED):
        item = node.text if is_plain(node.text, flow=True) else quote(node.text)
        return replacing(node.span, f"[{item}]", "write a list", safe=True)
    return None


def _unknown_keys(fault: Fault) -> Iterator[Diagnostic]:
    assert isinstance(fault.node, MappingNode)
    known = list(fault.schema["properties"])
    written = {key.text for key, _ in fault.node.entries}
    for key, _ in fault.node.entries:
        if key.text in known:
            continue
        free = [name for name in known if name not in written]
        near = closest(key.text, free)
        where = "" if fault.is_whole else f" in {fault.title}"
        message = f"unknown key {shown(key.text)}{where}"
        homes = _homes(fault, key.text)
        if homes and not any(name.startswith(key.text) for name in known):
            help = f"its place is in {listed(homes)}"
            yield fault.finding(codes.UNKNOWN_KEY, message, key.span, help)
            continue
        yield fault.finding(
            codes.UNKNOWN_KEY,
            message,
            key.span,
            did_you_mean(key.text, [near] if near else known, "known keys"),
            fix=rename(key.span, key.text, free),
        )


def _homes(fault: Fault, name: str) -> list[str]:
    """Sections that have the key `name`, themselves or in their entries, for one at the top."""
    if not fault.is_whole:
        return []
    definitions = fault.schema["$defs"]

    def holds(schema: object) -> bool:
        if not isinstance(schema, Mapping):
            return False
        named = str(schema.get("$ref", "")).removeprefix("#/$defs/")
        return name in definitions.get(named, schema).get("properties", {})

    return [
        section
        for section, schema in fault.schema["properties"].items()
        if any(map(holds, (schema, schema.get("items"), schema.get("additionalProperties"))))
    ]


def _missing_key(fault: Fault) -> Iterator[Diagnostic]:
    assert isinstance(fault.node, MappingNode)
    for name in fault.argument:
        if fault.node.get(name) is None:
            about = fault.schema.get("properties", {}).get(name, {}).get("description")
            yield fault.finding(
                codes.MISSING_KEY,
                f"{fault.title} has no {shown(name)}",
                fault.head,
                f"add {shown(name)}: {about}" if about else f"add {shown(name)}",
            )


def _missing_alternative(fault: Fault) -> Iterator[Diagnostic]:
    groups = [listed(option["required"], "and") for option in fault.argument]
    separator = ", or " if any(" and " in group for group in groups) else " or "
    wanted = separator.join([", ".join(groups[:-1]), groups[-1]] if len(groups) > 2 else groups)
    yield fault.finding(
        codes.MISSING_KEY, f"{fault.title} needs {wanted}", fault.head, _about(fault)
    )


def _not_exactly_one(fault: Fault) -> Iterator[Diagnostic]:
    """Alternatives of one key each. What is no mapping has its finding already."""
    if not isinstance(fault.node, MappingNode):
        return
    choices = {name for option in fault.argument for name in option["required"]}
    written = [key for key, _ in fault.node.entries if key.text in choices]
    if not written:
        yield from _missing_alternative(fault)
    for key in written[1:]:
        one, other = shown(written[0].text), shown(key.text)
        yield fault.finding(
            codes.KEY_CONFLICT,
            f"{other} cannot stand beside {one}",
            key.span,
            f"keep one: {other} or {one}",
        )


def _missing_companion(fault: Fault) -> Iterator[Diagnostic]:
    assert isinstance(fault.node, MappingNode)
    for name, companions in fault.argument.items():
        key = fault.node.key(name)
        for companion in companions:
            if key is not None and fault.node.get(companion) is None:
                yield fault.finding(
                    codes.MISSING_KEY,
                    f"{shown(name)} in {fault.title} needs {shown(companion)}",
                    key.span,
                    f"add {shown(companion)}, or remove {shown(name)}",
                )


def _conflict(fault: Fault) -> Iterator[Diagnostic]:
    # .../dependentSchemas/<one>/properties/<other>/not
    one = str(fault.schema_path[-4])
    yield fault.finding(
        codes.KEY_CONFLICT,
        f"{fault.name} cannot stand beside {shown(one)}",
        fault.key.span if fault.key is not None else fault.span,
        f"keep one: {fault.name} or {shown(one)}",
    )


def _unknown_choice(fault: Fault) -> Iterator[Diagnostic]:
    choices = [str(choice) for choice in fault.argument]
    text = fault.node.text if isinstance(fault.node, ScalarNode) else ""
    near = closest(text, choices) if not text.isdecimal() else None
    found = shown(text) if text else _found(fault.node)
    about = f"{fault.name} is" if fault.key is not None else "this is one of"
    yield fault.finding(
        codes.UNKNOWN_CHOICE,
        f"{about} {listed(choices)}, not {found}",
        fault.span,
        f"did you mean {shown(near)}?" if near else None,
        fix=rename(fault.span, text, choices) if near else None,
    )


def _unsupported(fault: Fault) -> Iterator[Diagnostic]:
    yield fault.finding(
        codes.UNSUPPORTED_VERSION,
        f"this compiler reads {fault.name} {fault.argument}",
        fault.span,
        f"write {shown(f'version: {fault.argument}')}",
    )


_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
}


def _out_of_range(fault: Fault) -> Iterator[Diagnostic]:
    bound = f"{_BOUNDS[fault.keyword]} {fault.argument:,}"
    message = f"{fault.name} must be {bound}, not {fault.text}"
    yield fault.finding(codes.OUT_OF_RANGE, message, fault.span, _about(fault))


def _too_long(fault: Fault) -> Iterator[Diagnostic]:
    length = len(fault.node.text) if isinstance(fault.node, ScalarNode) else 0
    message = f"{fault.name} has {length} characters; at most {fault.argument} are allowed"
    yield fault.finding(codes.OUT_OF_RANGE, message, fault.span)


def _malformed(fault: Fault) -> Iterator[Diagnostic]:
    title = fault.schema.get("title")
    if fault.key is not None:
        message = f"{fault.text} is not a valid {fault.name}"
    else:
        message = f"{fault.text} is not {title or 'a valid name'}"
    yield fault.finding(codes.MALFORMED, message, fault.span, _about(fault))


def _empty(fault: Fault) -> Iterator[Diagnostic]:
    yield fault.finding(
        codes.EMPTY,
        f"{fault.name if fault.key is not None else 'this'} is empty",
        fault.span,
        "fill it, or remove it",
    )


def _repeated(fault: Fault) -> Iterator[Diagnostic]:
    assert isinstance(fault.node, SequenceNode)
    seen: dict[str, Node] = {}
    for item in fault.node.items:
        word = repr(plain(item))
        first = seen.setdefault(word, item)
        if first is not item:
            yield fault.finding(
                codes.REPEATED_ITEM,
                f"{shown(item.span.text)} stands twice in {fault.title}",
                item.span,
                "remove one of the two",
                (Label(span=first.span, message="first written here"),),
                fix=_removed(item.span),
            )


def _removed(span: Span) -> Fix | None:
    edit = removal(span)
    return None if edit is None else fix_of(edit, "remove it", safe=True)


def _about(fault: Fault) -> str | None:
    """The schema's own words, which editors show too, in the form of a help."""
    about = fault.schema.get("description")
    if not isinstance(about, str):
        return None
    start = about[:1].lower() if about[1:2].islower() or about[1:2] == " " else about[:1]
    return start + about[1:].removesuffix(".")


WORDINGS: Mapping[str, Callable[[Fault], Iterator[Diagnostic]]] = MappingProxyType(
    {
        "type": _wrong_type,
        "additionalProperties": _unknown_keys,
        "required": _missing_key,
        "anyOf": _missing_alternative,
        "oneOf": _not_exactly_one,
        "dependentRequired": _missing_companion,
        "not": _conflict,
        "enum": _unknown_choice,
        "const": _unsupported,
        "minimum": _out_of_range,
        "maximum": _out_of_range,
        "exclusiveMinimum": _out_of_range,
        "maxLength": _too_long,
        "pattern": _malformed,
        "minLength": _empty,
        "minItems": _empty,
        "minProperties": _empty,
        "uniqueItems": _repeated,
    }
)
"""Every keyword of the schema that can be broken."""
