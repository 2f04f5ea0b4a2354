"""Features by name, as a test states them, to the clamped vector of a table.

What is not named is 0, false, absent, or the first member, brought into its slot's range. That is
taken as it is: only what is named must be such that a request can have it together.

>>> spelled("header( 'x-team' )"), spelled("count(ask,greeting)")
('header("x-team")', 'count(ask, greeting)')
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from lynkrc.diagnostics import codes, sema_codes
from lynkrc.diagnostics.case_codes import IMPOSSIBLE_FEATURES, UNREAD_FEATURE
from lynkrc.diagnostics.model import Code, Diagnostic
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.table import RouteTable, Slot, SlotType
from lynkrc.source.nodes import MappingNode, Node, ScalarNode
from lynkrc.source.text import Span
from lynkrc_runtime.dispatch import StringClass
from lynkrc_runtime.feature_table import FEATURES, FIXED_UNIT
from lynkrc_runtime.string_classes import StringClasses

Violated: TypeAlias = Callable[[Domain, Point], Sequence[str]]
"""A domain of features and a point to what no request can be, in words; nothing if sound."""

_CALL = re.compile(r"""\s*([\w.]+)\s*\(\s*(.*?)\s*\)\s*""", re.DOTALL)
_COMMA = re.compile(r"\s*,\s*")


def nothing_violated(_: Domain, __: Point) -> Sequence[str]:
    """Every point is sound."""
    return ()


def spelled(name: str) -> str:
    """The name of a feature with blanks and quotes as the compiler prints them."""
    call = _CALL.fullmatch(name)
    if call is None:
        return name.strip()
    return f"{call[1]}({_COMMA.sub(', ', call[2])})".replace("'", '"')


def read_features(
    node: MappingNode, table: RouteTable, violated: Violated
) -> tuple[tuple[int, ...], list[Diagnostic]]:
    """The vector of `features`, and what is wrong with it."""
    slots = table.slots
    by_name = {slot.text: slot for slot in slots}
    vector = [min(max(0, slot.low), slot.high) for slot in slots]
    named: dict[str, ScalarNode] = {}
    findings: list[Diagnostic] = []
    for key, value in node.entries:
        name = spelled(key.text)
        slot = by_name.get(name)
        if slot is None:
            findings.append(_unread(key, name, by_name))
        elif name in named:
            code, message = sema_codes.DUPLICATE_NAME, f"{shown(name)} is named twice"
            findings.append(_finding(code, message, key.span, "remove one of them"))
        else:
            found = _value(slot, value)
            if isinstance(found, Diagnostic):
                findings.append(found)
            else:
                vector[slot.id] = found
        named[name] = key
    if not findings:
        findings += [
            _finding(
                IMPOSSIBLE_FEATURES,
                f"no request has these features, since {reason}",
                node.span,
                "name the features that belong together, or write the request",
            )
            for reason in _broken([by_name[name] for name in named], vector, table, violated)
        ]
    return tuple(vector), findings


def _broken(
    named: Sequence[Slot], vector: Sequence[int], table: RouteTable, violated: Violated
) -> Sequence[str]:
    """What no request can be whose named features have these values, whatever the others are."""
    domain = domain_of(Part(slots=tuple(named), lexicons=table.lexicons))
    (view,) = domain.views
    point: dict[int, tuple[int, Slot]] = {}
    for slot, variable, classes in zip(named, view.variables, view.classes, strict=True):
        value = vector[slot.id] if classes is None else classes.index(vector[slot.id])
        other, first = point.setdefault(variable, (value, slot))
        if other != value:
            return (f"{first.text} and {slot.text} are the same",)
    return violated(domain, tuple(point[variable][0] for variable in range(len(point))))


def _unread(key: ScalarNode, name: str, known: dict[str, Slot]) -> Diagnostic:
    feature = name.partition("(")[0]
    if feature in FEATURES:
        message = f"nothing in the spec reads {shown(name)}, so it decides nothing"
    else:
        message = f"there is no feature {shown(name)}"
    return Diagnostic(
        code=UNREAD_FEATURE,
        message=message,
        span=key.span,
        help=did_you_mean(name, known, "the spec reads"),
    )


def _value(slot: Slot, node: Node) -> int | Diagnostic:
    """The slot's integer."""
    value = node.value if isinstance(node, ScalarNode) else None
    text = node.text if isinstance(node, ScalarNode) else ""
    name = shown(slot.text)
    match slot.type:
        case SlotType.BOOL if isinstance(value, bool):
            return int(value)
        case SlotType.BOOL:
            return _wrong(f"{name} is true or false", node, "write true or false")
        case SlotType.CLASS:
            return _class(slot, value, node)
        case SlotType.INT if isinstance(value, int) and not isinstance(value, bool):
            number = Decimal(value)
        case SlotType.FIXED if isinstance(value, int | float) and not isinstance(value, bool):
            number = (Decimal(value) if isinstance(value, int) else Decimal(text)) * FIXED_UNIT
        case SlotType.INT:
            return _wrong(f"{name} is a whole number", node, "write it without quotes or decimals")
        case SlotType.FIXED:
            return _wrong(f"{name} is a number", node, "write it without quotes")
    unit = FIXED_UNIT if slot.type is SlotType.FIXED else 1
    if number != number.to_integral_value():
        message = f"{name} counts 1/{unit}, and {shown(text)} is no multiple of it"
        help = f"write {shown(str(Decimal(round(number)) / unit))}"
        return _finding(codes.MALFORMED, message, node.span, help)
    if not slot.low <= number <= slot.high:
        bounds = f"from {Decimal(slot.low) / unit:,f} to {Decimal(slot.high) / unit:,f}"
        message = f"{name} is {bounds}, not {shown(text)}"
        return _finding(codes.OUT_OF_RANGE, message, node.span, "the greatest means this or more")
    return int(number)


def _class(slot: Slot, value: object, node: Node) -> int | Diagnostic:
    name = shown(slot.text)
    if slot.classes[0].kind == "member":
        members = {member.text: number for number, member in enumerate(slot.classes)}
        if isinstance(value, str) and value in members:
            return members[value]
        if not isinstance(value, str):
            return _wrong(f"{name} is one of {listed(members)}", node, "write its name")
        return Diagnostic(
            code=codes.UNKNOWN_CHOICE,
            message=f"{name} is one of {listed(members)}, not {shown(value)}",
            span=node.span,
            help=did_you_mean(value, members, "there are"),
        )
    if value is not None and not isinstance(value, str):
        return _wrong(f"{name} is text, or null where it is absent", node, "put it in quotes")
    return StringClasses([StringClass(one.kind, one.text) for one in slot.classes]).classify(value)


def _wrong(message: str, node: Node, help: str) -> Diagnostic:
    text = node.span.text
    return _finding(codes.WRONG_TYPE, f"{message}, not {shown(text)}", node.span, help)


def _finding(code: Code, message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, help=help)
