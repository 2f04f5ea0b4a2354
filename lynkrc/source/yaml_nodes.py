"""The text of one file to the nodes of its only YAML document.

PyYAML's parser events are counted against the limits as they come and composed into our own
nodes; aliases, anchors, tags, merge keys, duplicate keys and scalars that YAML 1.1 and 1.2 read
differently become findings, and reading goes on. What a syntax error makes unreadable is cut out
(`yaml_recovery`), and reading goes on behind it.

>>> file = SourceFile(path="routing.yaml", text="a: [1, 'x']\\n")
>>> root, findings = read_nodes(file)
>>> [key.text for key, _ in root.entries], findings
(['a'], [])
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import MAX_FINDINGS, Code, Diagnostic, Fix, Label
from lynkrc.diagnostics.wording import shown
from lynkrc.source.fixes import replacing
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from lynkrc.source.quoting import quote
from lynkrc.source.scalars import is_usable, trap
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_problems import syntax_finding
from lynkrc.source.yaml_recovery import Broken, find_broken
from lynkrc.source.yaml_words import folded, properties, skip_blank, way_out

MAX_DEPTH = 64
"""Greatest nesting of mappings and lists."""
MAX_EVENTS = 40_000
"""Greatest number of parser events: about the scalars and twice the collections."""
MAX_CUTS = 32
"""Greatest number of syntax errors after which reading goes on."""

Loader: TypeAlias = type[yaml.SafeLoader] | type[yaml.CSafeLoader]

_LOADER: Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
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
    file: SourceFile, loader: Loader = _LOADER, sections: Collection[str] = ()
) -> tuple[Node | None, list[Diagnostic]]:
    """The document of `file`, or None where nothing of it can be said.

    `sections` are the keys of the root behind which reading may go on after a syntax error. The
    value of a section that was cut out is an empty scalar that spans it and so holds its finding.
    """
    composer = _Composer(file)
    start: int | None = 0
    while start is not None:
        start = _read_on(composer, start, loader, sections)
    if composer.stopped:
        return None, composer.findings
    if composer.root is None:
        composer.report(
            codes.EMPTY_DOCUMENT,
            Span(file=file, start=0, end=0),
            "the file holds no document",
            "begin with `version: 1`",
        )
    return composer.root, composer.findings


def _read_on(
    composer: "_Composer", start: int, loader: Loader, sections: Collection[str]
) -> int | None:
    """Compose what stands from `start` on; after a syntax error, where to go on."""
    file = composer.file
    composer.begin(start)
    try:
        for event in yaml.parse(file.text[start:], Loader=loader):
            composer.take(event)
            if composer.stopped:
                return None
    except yaml.YAMLError as error:
        found = syntax_finding(file, error, start)
    except ValueError:
        # The pure Python parser makes characters of escapes such as \U00110000 with chr().
        found = composer.bad_escape()
    else:
        composer.finish()
        return None
    if not sections:
        composer.give_up(found)
        return None
    broken = find_broken(file, found, composer.last_key, sections, loader)
    composer.cut(broken)
    return None if composer.stopped or composer.root is not None else broken.end


class _Composer:
    """Collects events into `root`; `stopped` says that going on is pointless."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.findings: list[Diagnostic] = []
        self.root: Node | None = None
        self.stopped = False
        self.last_key: int | None = None
        """Where the last key of the root begins."""
        self._open: list[_Open] = []
        self._documents = 0
        self._end_seen = 0
        self._aliases: set[int] = set()
        self._shift = 0
        self._resumed = False
        self._events = 0
        self._cuts = 0

    def begin(self, start: int) -> None:
        """The next events are those of the text from `start` on."""
        self._shift = start
        self._documents = 0
        self._resumed = bool(self._open)
        self.last_key = None

    def finish(self) -> None:
        """Close a root that was left open where a section was cut out."""
        if self._open:
            root = self._open.pop()
            span = self._span(root.start, root.end)
            self.root = MappingNode(entries=tuple(root.entries), flow=False, span=span)

    def give_up(self, found: Diagnostic) -> None:
        """End with a finding after which nothing can be said of the document."""
        self.findings.append(found)
        self.stopped = True

    def cut(self, broken: Broken) -> None:
        """Put the finding in the place of what is broken; forget what was made of it."""
        kept = [one for one in self.findings if one.span.start < broken.end]
        self.findings = [*kept, broken.finding]
        self._cuts += 1
        if self._cuts == MAX_CUTS and broken.end < len(self.file.text):
            self.report(
                codes.YAML_LIMIT,
                self._span(broken.end, broken.end),
                f"the document has {MAX_CUTS} syntax errors before this",
                "correct those first: nothing after them was read",
            )
            self.stopped = True
            return
        if isinstance(self.root, ScalarNode) and broken.start == 0:
            self.root = None  # text of which a later line was to be the root
        root = self._open[0] if self._open else None
        if root is None or not root.is_mapping or root.flow:
            root = None
        if self.root is not None or (root is None and (self._open or not broken.keys)):
            # The root is no block mapping, or ended before: there is nothing to go on with.
            self.stopped = True
            return
        if root is None:
            root = _Open(is_mapping=True, flow=False, start=broken.start, end=broken.start)
        root.entries = [entry for entry in root.entries if entry[0].span.start < broken.start]
        root.seen = {entry[0].text: entry[0] for entry in root.entries}
        root.key, root.end = None, broken.end
        self._open = [root]
        span = self._span(broken.start, broken.end)
        for key in broken.keys:
            if root.seen.setdefault(key.text, key) is key:
                hole = ScalarNode(text="", style=Style.PLAIN, span=span)
                root.entries.append((key, hole))
        if broken.end == len(self.file.text):
            self.finish()

    def take(self, event: yaml.Event) -> None:
        """Add one event."""
        self._events += 1
        if self._events > MAX_EVENTS:
            self.limit(event, f"the document has more than {MAX_EVENTS:,} parts")
            return
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
        start, _ = self._extent(event)
        self.findings.append(
            Diagnostic(
                code=codes.YAML_LIMIT,
                message=message,
                span=self._span(start, start),
                help="generate less: such a file is not meant to be read",
            )
        )
        self.stopped = True

    def bad_escape(self) -> Diagnostic:
        """The finding that the scalar after the last one holds an escape of no character."""
        return Diagnostic(
            code=codes.YAML_SYNTAX,
            message="an escape after this is not a character",
            span=self._span(self._end_seen, self._end_seen),
            help="a code point goes up to 10FFFF",
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
        """Add a finding; after `MAX_FINDINGS` the document is given up, and that is said."""
        if self.stopped:
            return
        if len(self.findings) == MAX_FINDINGS:
            self.stopped = True
            code, labels = codes.YAML_LIMIT, ()
            message = f"the document has more than {MAX_FINDINGS:,} mistakes before this"
            help = "correct those first: nothing after them was read"
        self.findings.append(
            Diagnostic(code=code, message=message, span=span, help=help, labels=labels, fix=fix)
        )

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        start, end = self._extent(event)
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
        span = self._span(*self._extent(event))
        self.report(
            codes.ALIAS,
            span,
            f"{shown(span.text)} is an alias",
            "write the value out; shared text belongs in a base spec",
        )
        self._aliases.add(span.start)
        self._add(ScalarNode(text="", style=Style.PLAIN, span=span))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = self._extent(event)
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
            start = min(self._skip_properties(start), end)  # before nothing there is no node
        if style in (Style.LITERAL, Style.FOLDED):
            end = start + len(self.file.text[start:end].rstrip())
        self._add(ScalarNode(text=event.value, style=style, span=self._span(start, end)))

    def _start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        if len(self._open) == MAX_DEPTH:
            self.limit(event, f"the document nests deeper than {MAX_DEPTH} levels")
            return
        if self._resumed:
            # The mapping that goes on behind a cut: its first line is an entry of the root.
            self._resumed = False
            return
        start, _ = self._extent(event)
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
        end = self._extent(event)[1] if done.flow else done.end
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
                joined = ScalarNode(text=folded(span.text), style=Style.PLAIN, span=span)
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
            if len(self._open) == 1:
                self.last_key = node.span.start
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
        # An anchor before a key that is not there would swallow the quotes.
        fix = replacing(key.span, quote(key.text), "quote the key", safe=True) if key.text else None
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
            self.report(codes.AMBIGUOUS_SCALAR, node.span, message, way_out(node.text, found.old))
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
        for begin, end in properties(text, start):
            if self.stopped:
                break
            span, start = self._span(begin, end), skip_blank(text, end)
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

    def _extent(self, event: yaml.Event) -> tuple[int, int]:
        """The offsets of an event; both loaders always give them."""
        if event.start_mark is None or event.end_mark is None:
            raise AssertionError(f"{type(event).__name__} without marks")
        return event.start_mark.index + self._shift, event.end_mark.index + self._shift
