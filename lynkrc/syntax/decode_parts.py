"""The small parts every section is decoded from, and the record of what was found broken.

Decoding runs on nodes that `schema_check` has seen: an item with an error inside is left out
before it is decoded, so a node of another shape than the schema's here is our mistake.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import final

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Code, Diagnostic, Fix, Label, Severity
from lynkrc.diagnostics.wording import shown
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.scalar_map import place_in
from lynkrc.source.text import Span
from lynkrc.syntax.config import Allow, Located, Name, Number
from lynkrc.syntax.expr import Expr
from lynkrc.syntax.parse import KEYWORDS, parse_expression
from lynkrc.syntax.units import LONGEST, MOST_TOKENS, count, seconds

RESERVED = KEYWORDS | {"absent"}
"""Words that cannot name what expressions refer to."""

MAX_EXPRESSION = 20_000
"""Greatest length of one expression, in characters."""
MAX_EXPRESSIONS = 100_000
"""Greatest length of all expressions of a document together, in characters."""
DURATION_HELP = "a duration is a number of seconds, or a number with ms, s, m, h or d"


def out_of_time(text: str) -> str:
    """What is said of a duration that is out of range."""
    return f"{shown(text)} is not more than 0 and at most {LONGEST // 86_400} days"


@final
class Record:
    """What earlier checks found, and what decoding finds."""

    def __init__(self, earlier: Iterable[Diagnostic]) -> None:
        self.findings: list[Diagnostic] = []
        self._expressions = 0
        self._is_full = False
        self._starts = sorted(
            finding.span.start for finding in earlier if finding.code.severity is Severity.ERROR
        )

    def is_sound(self, *nodes: Node) -> bool:
        """No error of an earlier check begins inside any of the nodes."""
        return not any(
            at < len(self._starts) and self._starts[at] <= max(node.span.start, node.span.end - 1)
            for node in nodes
            for at in (bisect_left(self._starts, node.span.start),)
        )

    def report(
        self,
        code: Code,
        message: str,
        span: Span,
        help: str | None = None,
        first: Span | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Add a finding; `first` is where what is repeated was first written."""
        labels = () if first is None else (Label(span=first, message="first written here"),)
        self.findings.append(
            Diagnostic(code=code, message=message, span=span, help=help, labels=labels, fix=fix)
        )

    def sound(self, node: MappingNode, key: str) -> Node | None:
        """The value under a key, None where it is absent or something is wrong with it."""
        found, value = node.key(key), node.get(key)
        if found is None or value is None:
            return None
        # A value that is not there is reported at its key.
        return value if self.is_sound(found, value) else None

    def entries(
        self, root: MappingNode, section: str, *expressions: str
    ) -> Iterator[tuple[ScalarNode, Node]]:
        """The sound entries of a section that is a mapping; none where it is absent or broken.

        Of a broken entry what stands under the keys `expressions` is parsed all the same, for
        its findings.
        """
        node = root.get(section)
        for key, value in node.entries if isinstance(node, MappingNode) else ():
            if self.is_sound(key, value):
                yield key, value
            else:
                self._look_into(value, expressions)

    def items(self, root: MappingNode, section: str, *expressions: str) -> Iterator[MappingNode]:
        """The sound items of a section that is a list of mappings, as `entries` has them."""
        node = root.get(section)
        for item in node.items if isinstance(node, SequenceNode) else ():
            if isinstance(item, MappingNode) and self.is_sound(item):
                yield item
            else:
                self._look_into(item, expressions)

    def _look_into(self, node: Node, expressions: Iterable[str]) -> None:
        for key in expressions:
            value = self.sound(node, key) if isinstance(node, MappingNode) else None
            if isinstance(value, ScalarNode):
                self.expression(value)

    def expression(self, node: Node) -> Expr | None:
        """The expression a scalar holds; None when it is not one."""
        text = scalar(node)
        length = len(text.text)
        if length > MAX_EXPRESSION or self._expressions + length > MAX_EXPRESSIONS:
            self._too_long(text, length > MAX_EXPRESSION)
            return None
        self._expressions += length
        expr, findings = parse_expression(text.text, place_in(text))
        self.findings.extend(findings)
        return expr

    def _too_long(self, node: ScalarNode, alone: bool) -> None:
        """Report an expression that is too long, or the first of too many; parsing takes time."""
        if alone:
            message = f"the expression has {len(node.text):,} characters, at most "
            message += f"{MAX_EXPRESSION:,} are read"
            help = "give parts of it names under `features`; long lists of names fit a lexicon"
        elif self._is_full:
            return
        else:
            self._is_full = True
            message = f"with this the expressions have more than {MAX_EXPRESSIONS:,} characters"
            help = "this and the expressions after it are not read; let rules share `features`"
        self.report(codes.EXPRESSION_LENGTH, message, node.span, help)

    def new_name(self, key: Node) -> Name | None:
        """A name that expressions may refer to; None when it is a word of theirs."""
        name = name_of(key)
        if name.value in RESERVED:
            self.report(
                codes.RESERVED_NAME,
                f"{shown(name.value)} is a word of expressions",
                name.span,
                "choose another name",
            )
            return None
        return name


def scalar(node: Node) -> ScalarNode:
    """`node`, which the schema says is a scalar."""
    if not isinstance(node, ScalarNode):
        raise AssertionError(f"a scalar was expected: {node!r}")
    return node


def mapping(node: Node) -> MappingNode:
    """`node`, which the schema says is a mapping."""
    if not isinstance(node, MappingNode):
        raise AssertionError(f"a mapping was expected: {node!r}")
    return node


def name_of(node: Node) -> Name:
    """The text of a scalar and where it stands."""
    return Located(value=scalar(node).text, span=node.span)


def optional_name(node: MappingNode, key: str) -> Name | None:
    """The text under `key`, if it is there."""
    value = node.get(key)
    return None if value is None else name_of(value)


def required_name(node: MappingNode, key: str) -> Name:
    """The text under `key`, which the schema requires."""
    return name_of(required(node, key))


def names(node: Node | None) -> tuple[Name, ...]:
    """A text or a list of texts; none where it is absent."""
    match node:
        case None:
            return ()
        case SequenceNode(items=items):
            return tuple(name_of(item) for item in items)
        case _:
            return (name_of(node),)


def number(node: Node) -> float:
    """The number a scalar is."""
    value = scalar(node).value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AssertionError(f"a number was expected: {node!r}")
    return value


def optional_number(node: MappingNode, key: str) -> Number | None:
    """The number under `key`, if it is there."""
    value = node.get(key)
    return None if value is None else Located(value=float(number(value)), span=value.span)


def optional_whole(node: MappingNode, key: str) -> Located[int] | None:
    """The whole number under `key`, if it is there."""
    value = node.get(key)
    return None if value is None else Located(value=int(number(value)), span=value.span)


def required(node: MappingNode, key: str) -> Node:
    """The value under `key`, which the schema requires."""
    value = node.get(key)
    if value is None:
        raise AssertionError(f"{key!r} was expected: {node!r}")
    return value


def size(record: Record, node: Node) -> Located[int] | None:
    """A number of tokens, ``k`` and ``M`` applied; None when it is not whole or too large."""
    value = scalar(node).value
    if not isinstance(value, str):
        return Located(value=int(number(node)), span=node.span)
    tokens = count(value, MOST_TOKENS)
    if tokens is None:
        record.report(
            codes.OUT_OF_RANGE,
            f"{shown(value)} is not a whole number up to {MOST_TOKENS:,}",
            node.span,
            "a size is a number of tokens such as 128k or 1M",
        )
        return None
    return Located(value=tokens, span=node.span)


def duration(record: Record, node: Node) -> float | None:
    """A time in seconds, its unit applied; None when it is out of range."""
    value = scalar(node).value
    if not isinstance(value, str):
        return float(number(node))
    found = seconds(value)
    if found is None:
        record.report(codes.OUT_OF_RANGE, out_of_time(value), node.span, DURATION_HELP)
        return None
    return float(found)


def allows(node: Node) -> tuple[Allow, ...]:
    """What `allow` of an item silences; none where it has none or has another form."""
    written = node.get("allow") if isinstance(node, MappingNode) else None
    entries = written.entries if isinstance(written, MappingNode) else ()
    return tuple(Allow(code=name_of(code), reason=scalar(why).text) for code, why in entries)


def name_once(record: Record, name: Name, seen: dict[str, Name]) -> bool:
    """Whether no item of `seen` has the name; it is then among them, else that is reported."""
    first = seen.setdefault(name.value, name)
    if first is name:
        return True
    record.report(
        codes.REPEATED_ITEM,
        f"the name {shown(name.value)} stands twice",
        name.span,
        "give one of the two another name",
        first.span,
    )
    return False
