"""The text of one file to the nodes of its only YAML document.

PyYAML's parser events are counted against the limits as they come and composed into our own
nodes; aliases, anchors, tags, merge keys, duplicate keys and scalars that YAML 1.1 and 1.2 read
differently become findings, and reading goes on.

>>> file = SourceFile(path="routing.yaml", text="a: [1, 'x']\\n")
>>> root, findings = read_nodes(file)
>>> [key.text for key, _ in root.entries], findings
(['a'], [])
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Code, Diagnostic, Fix, Label
from lynkrc.diagnostics.wording import shown
from lynkrc.source.fixes import replacing
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from lynkrc.source.quoting import quote
from lynkrc.source.scalars import is_usable, trap
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_problems import syntax_finding

MAX_DEPTH = 64
"""Greatest nesting of mappings and lists."""
MAX_EVENTS = 200_000
"""Greatest number of parser events: about the scalars and twice the collections."""

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_SURROGATE = re.compile("[\ud800-\udfff]")
_STYLES = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}


@dataclass(slots=True, kw_only=True)
class _Open:
    """A collection whose end has not come yet."""

    is_mapping: bool
    flow: bool
    start: int
    end: int
    """Where the last part seen so far ends."""
    key: Node | None = None
    entries: list[tuple[ScalarNode, Node]] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    seen: dict[str, ScalarNode] = field(default_factory=dict)


def read_nodes(
    file: SourceFile, loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = _LOADER
) -> tuple[Node | None, list[Diagnostic]]:
    """The document of `file`, or None where it cannot be read to its end."""
    composer = _Composer(file)
    try:
        for count, event in enumerate(yaml.parse(file.text, Loader=loader), start=1):
            if count > MAX_EVENTS:
                composer.limit(event, f"the document has more than {MAX_EVENTS:,} parts")
            else:
                composer.take(event)
            if composer.stopped:
                return None, composer.findings
    except yaml.YAMLError as error:
        return None, [*composer.findings, syntax_finding(file, error)]
    except ValueError:
        # The pure Python parser makes characters of escapes such as \U00110000 with chr().
        composer.bad_escape()
        return None, composer.findings
    if composer.root is None:
        composer.report(
            codes.EMPTY_DOCUMENT,
            Span(file=file, start=0, end=0),
            "the file holds no document",
            "begin with `version: 1`",
        )
    return composer.root, composer.findings


class _Composer:
    """Collects events into `root`; `stopped` says that going on is pointless."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.findings: list[Diagnostic] = []
        self.root: Node | None = None
        self.stopped = False
        self._open: list[_Open] = []
        self._documents = 0
        self._end_seen = 0
        self._aliases: set[int] = set()

    def take(self, event: yaml.Event) -> None:
        """Add one event."""
        match event:
            case yaml.DocumentStartEvent():
                self._document(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._start(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._end(event)
            case _:  # stream start and end, document end
                pass

    def limit(self, event: yaml.Event, message: str) -> None:
        """Report that a limit is passed at `event`, and stop."""
        start, _ = _extent(event)
        self.report(
            codes.YAML_LIMIT,
            self._span(start, start),
            message,
            "generate less: such a file is not meant to be read",
        )
        self.stopped = True

    def bad_escape(self) -> None:
        """Report that the scalar after the last one holds an escape of no character."""
        self.report(
            codes.YAML_SYNTAX,
            self._span(self._end_seen, self._end_seen),
            "an escape after this is not a character",
            "a code point goes up to 10FFFF",
        )

    def report(
        self,
        code: Code,
        span: Span,
        message: str,
        help: str,
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Add a finding."""
        self.findings.append(
            Diagnostic(code=code, message=message, span=span, help=help, labels=labels, fix=fix)
        )

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        start, end = _extent(event)
        if self._documents > 1:
            self.report(
                codes.SECOND_DOCUMENT,
                self._span(start, end),
                "a second document begins here",
                "a spec is one document",
            )
            self.stopped = True
        elif event.version or event.tags:
            end = start + len(self.file.text[start:].split("\n", 1)[0].rstrip())
            self.report(
                codes.DIRECTIVE,
                self._span(start, end),
                "YAML directives are not part of the language",
                "remove the lines that begin with `%`",
            )

    def _alias(self, event: yaml.AliasEvent) -> None:
        span = self._span(*_extent(event))
        self.report(
            codes.ALIAS,
            span,
            f"{shown(span.text)} is an alias",
            "write the value out; shared text belongs in a base spec",
        )
        self._aliases.add(span.start)
        self._add(ScalarNode(text="", style=Style.PLAIN, span=span))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = _extent(event)
        style = _STYLES[event.style]
        self._end_seen = end
        if _SURROGATE.search(event.value):
            # libyaml refuses these itself.
            self.report(
                codes.YAML_SYNTAX,
                self._span(start, end),
                "an escape in this is half a character",
                "write the whole code point with `\\U` and 8 digits",
            )
            self.stopped = True
        if event.tag is not None or event.anchor is not None:
            start = self._skip_properties(start)
        if style in (Style.LITERAL, Style.FOLDED):
            end = start + len(self.file.text[start:end].rstrip())
        self._add(ScalarNode(text=event.value, style=style, span=self._span(start, end)))

    def _start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        if len(self._open) == MAX_DEPTH:
            self.limit(event, f"the document nests deeper than {MAX_DEPTH} levels")
            return
        start, _ = _extent(event)
        if event.tag is not None or event.anchor is not None:
            start = self._skip_properties(start)
        self._open.append(
            _Open(
                is_mapping=isinstance(event, yaml.MappingStartEvent),
                flow=bool(event.flow_style),
                start=start,
                end=start,
            )
        )

    def _end(self, event: yaml.SequenceEndEvent | yaml.MappingEndEvent) -> None:
        done = self._open.pop()
        # A block collection ends where the next token begins; ours ends with its last part.
        end = _extent(event)[1] if done.flow else done.end
        span = self._span(done.start, end)
        if done.is_mapping:
            self._join_cut_values(done)
            self._add(MappingNode(entries=tuple(done.entries), flow=done.flow, span=span))
        else:
            self._add(SequenceNode(items=tuple(done.items), flow=done.flow, span=span))

    def _join_cut_values(self, done: _Open) -> None:
        """Report ``{value: f(a, b)}``, which YAML reads as ``{value: f(a, "b)": null}``.

        The value is put together again, so that nothing else is said about its parts.
        """
        entries: list[tuple[ScalarNode, Node]] = []
        opened = False
        for key, value in done.entries if done.flow else ():
            is_rest = isinstance(value, ScalarNode) and value.span.start == value.span.end
            if opened and is_rest:
                name, head = entries[-1]
                span = self._span(head.span.start, key.span.end)
                joined = ScalarNode(text=_folded(span.text), style=Style.PLAIN, span=span)
                entries[-1] = (name, joined)
                if self.findings and self.findings[-1].span.start == span.start:
                    self.findings.pop()
                self.report(
                    codes.CUT_BY_COMMA,
                    span,
                    "a `,` ends a plain value inside {...}",
                    f'quote the value: "{joined.text}"',
                    fix=replacing(span, quote(joined.text), "quote the value", safe=True),
                )
            else:
                entries.append((key, value))
            last = entries[-1][1]
            opened = (
                isinstance(last, ScalarNode)
                and last.style is Style.PLAIN
                and (
                    last.text.count("(") + last.text.count("[")
                    > last.text.count(")") + last.text.count("]")
                )
            )
        if done.flow:
            done.entries = entries

    def _add(self, node: Node) -> None:
        """Put a finished node where it belongs: the root, an item, a key or a value."""
        if not self._open:
            self._check_scalar(node)
            self.root = node
            return
        parent = self._open[-1]
        parent.end = max(parent.end, node.span.end)
        if not parent.is_mapping:
            self._check_scalar(node)
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            key, parent.key = parent.key, None
            self._check_scalar(node)
            self._add_entry(parent, key, node)

    def _add_entry(self, parent: _Open, key: Node, value: Node) -> None:
        if not isinstance(key, ScalarNode):
            self.report(
                codes.KEY_NOT_TEXT,
                key.span,
                "a key is a word, not a collection",
                "quote it if it is meant as text",
            )
            return
        if key.span.start in self._aliases:
            return
        if key.style is Style.PLAIN and key.text == "<<":
            self.report(
                codes.MERGE_KEY,
                key.span,
                "`<<` merges another mapping",
                "write the entries out; shared parts belong in a base spec",
            )
            return
        self._check_key(key)
        first = parent.seen.setdefault(key.text, key)
        if first is not key:
            self.report(
                codes.DUPLICATE_KEY,
                key.span,
                f"the key {shown(key.text)} stands twice",
                "remove one of the two",
                (Label(span=first.span, message="first written here"),),
            )
            return
        parent.entries.append((key, value))

    def _check_key(self, key: ScalarNode) -> None:
        """Report a key that YAML does not read as text."""
        value = key.value
        if self._check_scalar(key) or isinstance(value, str):
            return
        kind = {type(None): "nothing", bool: "true or false"}.get(type(value), "a number")
        message = f"this key is read as {kind}, not as text"
        fix = replacing(key.span, quote(key.text), "quote the key", safe=True)
        self.report(codes.KEY_NOT_TEXT, key.span, message, "quote the key", fix=fix)

    def _check_scalar(self, node: Node) -> bool:
        """Report a plain scalar with two readings or no exact value; True when reported."""
        if not isinstance(node, ScalarNode) or node.style is not Style.PLAIN:
            return False
        found = trap(node.text)
        if found is not None:
            message = (
                f"{shown(node.text)} is read as {found.old} by YAML 1.1 "
                f"and as {found.new} by YAML 1.2"
            )
            self.report(codes.AMBIGUOUS_SCALAR, node.span, message, _way_out(node.text, found.old))
            return True
        if not is_usable(node.value):
            self.report(
                codes.NUMBER_RANGE,
                node.span,
                f"{shown(node.text)} is no exact number",
                "numbers are finite and below 2^53; quote it if it is text",
            )
            return True
        return False

    def _skip_properties(self, start: int) -> int:
        """Report the anchor and the tag before a node; the offset where the node itself begins."""
        text = self.file.text
        for begin, end in _properties(text, start):
            span, start = self._span(begin, end), _skip_blank(text, end)
            if text[begin] == "&":
                self.report(
                    codes.ALIAS,
                    span,
                    f"{shown(span.text)} is an anchor",
                    "remove it: aliases are not part of the language",
                )
            else:
                self.report(
                    codes.TAG,
                    span,
                    f"{shown(span.text)} is a tag",
                    "remove it; quote a value that begins with `!`",
                )
        return start

    def _span(self, start: int, end: int) -> Span:
        return Span(file=self.file, start=start, end=end)


def _extent(event: yaml.Event) -> tuple[int, int]:
    """The offsets of an event; both loaders always give them."""
    if event.start_mark is None or event.end_mark is None:
        raise AssertionError(f"{type(event).__name__} without marks")
    return event.start_mark.index, event.end_mark.index


def _folded(text: str) -> str:
    """The text of a plain scalar that spans `text`: a line end with its blanks is a space."""
    return re.sub(r"[ \t]*\r?\n[ \t]*", " ", text)


def _way_out(text: str, old: str) -> str:
    as_text = f'"{text}" in quotes for the text'
    if old in ("true", "false"):
        return f"write {old} for the boolean, or {as_text}"
    if "_" in text:
        return f"write {text.replace('_', '')} for the number, or {as_text}"
    if old in ("a date", "a number to base 60", "a merge", "a default value"):
        return f"write {as_text}"
    return f"write a plain decimal for the number, or {as_text}"


def _properties(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The ranges of the anchors and tags that stand before a node."""
    position = start
    while position < len(text) and text[position] in "&!":
        end = position
        while end < len(text) and text[end] not in " \t\r\n,[]{}":
            end += 1
        yield position, end
        position = _skip_blank(text, end)


def _skip_blank(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position
