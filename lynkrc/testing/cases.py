"""A file of tests to its cases, bound to a table, with a finding for each mistake in it."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias, final

from lynkrc.diagnostics import codes, sema_codes
from lynkrc.diagnostics.case_codes import NOT_DECIDED, UNKNOWN_RULE
from lynkrc.diagnostics.model import MAX_FINDINGS, Code, Diagnostic, Label, in_order
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.ir.table import RouteTable
from lynkrc.source.decode_text import decode_source
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, plain
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.schema_check import check_schema
from lynkrc.testing.case import Beside, Case, Expectation, Expected, Features, Sent, Subject
from lynkrc.testing.vectors import Violated, nothing_violated, read_features
from lynkrc_runtime.decision_headers import DECISION_HEADERS
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.features import SessionFacts
from lynkrc_runtime.protocol.embeddings.policy import RULE

Bodies: TypeAlias = Callable[[str], bytes | None]
"""A path as a case names it to the file's bytes; None where there is none to be read."""

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TARGETS = (Subject.CHAIN, Subject.CHAIN_HAS, Subject.CHAIN_LACKS)
_MAX_TOKENS = 1024
"""The output limit of a request in Messages that is made of an `ask`: the dialect wants one."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A file and its cases: those without a mistake, in order."""

    file: SourceFile
    cases: tuple[Case, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The names a table has, the way to files, and what was found."""

    table: RouteTable
    bodies: Bodies
    violated: Violated
    findings: list[Diagnostic] = field(default_factory=list)

    def find(self, code: Code, message: str, node: Node, help: str) -> None:
        self.findings.append(Diagnostic(code=code, message=message, span=node.span, help=help))

    def check_name(self, code: Code, what: str, node: Node, choices: Sequence[str]) -> None:
        """A finding where a scalar is none of the names."""
        text = node.text if isinstance(node, ScalarNode) else ""
        if text not in choices:
            self.findings.append(
                Diagnostic(
                    code=code,
                    message=f"the spec has no {what} {shown(text)}",
                    span=node.span,
                    help=did_you_mean(text, choices, "it has"),
                )
            )


def read_cases(
    path: str,
    data: bytes,
    table: RouteTable,
    *,
    bodies: Bodies,
    violated: Violated = nothing_violated,
) -> tuple[CaseFile, list[Diagnostic]]:
    """The cases of a file shown under `path`, bound to a table, and every finding in it."""
    file, findings = decode_source(path, data)
    if findings:
        return CaseFile(file=file, cases=()), _told(findings)
    root, findings = read_nodes(file)
    if root is None:
        return CaseFile(file=file, cases=()), _told(findings)
    # Of what cannot be read in one way nothing else is said.
    broken = {(found.span.start, found.span.end) for found in findings}
    structure = [
        found
        for found in check_schema(root, "test")
        if (found.span.start, found.span.end) not in broken
    ]
    known = _Known(table=table, bodies=bodies, violated=violated)
    known.findings.extend([*findings, *structure])
    # Where there is more than is told, what else is wrong is not known.
    cases = () if len(structure) >= MAX_FINDINGS else tuple(_cases(root, known))
    return CaseFile(file=file, cases=cases), _told(known.findings)


def _told(findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Findings in order, without their fixes: no command makes them in a file of tests."""
    return [replace(found, fix=None) for found in in_order(findings)]


def _cases(root: Node, known: _Known) -> Iterator[Case]:
    listed_cases = root.get("cases") if isinstance(root, MappingNode) else None
    places = [found.span for found in known.findings]
    names: dict[str, ScalarNode] = {}
    for node in listed_cases.items if isinstance(listed_cases, SequenceNode) else ():
        within = node.span
        if any(within.start <= place.start <= within.end for place in places):
            continue
        assert isinstance(node, MappingNode)
        before = len(known.findings)
        name = node.get("name")
        assert isinstance(name, ScalarNode)
        first = names.setdefault(name.text, name)
        if first is not name:
            known.findings.append(
                Diagnostic(
                    code=sema_codes.DUPLICATE_NAME,
                    message=f"two cases are called {shown(name.text)}",
                    span=name.span,
                    help="give one of them another name",
                    labels=(Label(span=first.span, message="the first"),),
                )
            )
        given = _given(node, known)
        expected = tuple(_expected(_mapping(node.get("expect")), known))
        if len(known.findings) == before and given is not None:
            yield Case(name=name.text, given=given, expected=expected, span=name.span)


def _given(node: MappingNode, known: _Known) -> Sent | Features | None:
    features = node.get("features")
    if features is not None:
        vector, findings = read_features(_mapping(features), known.table, known.violated)
        known.findings.extend(findings)
        return Features(vector=vector)
    request = _mapping(node.get("request"))
    surface = _text(request.get("surface")) or "messages"
    body = _body(request, surface, known)
    headers = tuple(_headers(request, known))
    beside = _beside(node, known)
    if body is None:
        return None
    return Sent(surface=surface, headers=headers, body=body, beside=beside)


def _beside(node: MappingNode, known: _Known) -> Beside:
    """What the gateway is to know beside the request."""
    key, session = _mapping(node.get("key")), _mapping(node.get("session"))
    tier = session.get("tier")
    if tier is not None:
        tiers = [one.name for one in known.table.tiers]
        known.check_name(sema_codes.UNKNOWN_TIER, "tier", tier, tiers)
    return Beside(
        team=_text(key.get("team")) or None,
        tenant=_text(key.get("tenant")) or None,
        session=SessionFacts(
            turn=_number(session.get("turn")),
            tier=_text(tier) or None,
            warm_tokens=_number(session.get("warm_tokens")),
        ),
        budget_used=_number(node.get("budget_used_pct")),
    )


def _body(request: MappingNode, surface: str, known: _Known) -> bytes | None:
    body, path, ask = request.get("body"), request.get("file"), request.get("ask")
    if body is not None:
        return json.dumps(plain(body), ensure_ascii=False).encode()
    if path is not None:
        found = known.bodies(_text(path))
        if found is None:
            message = f"the file {shown(_text(path))} cannot be read"
            help = "name one with a request's JSON body, relative to this file"
            known.find(sema_codes.UNKNOWN_FILE, message, path, help)
        return found
    assert ask is not None
    if surface == EMBEDDINGS:
        message = "`ask` makes no request for embeddings"
        known.find(codes.KEY_CONFLICT, message, ask, "write its `body`, with `model` and `input`")
        return None
    return _asking(surface, _text(ask), _text(request.get("model")) or "auto")


def _asking(surface: str, words: str, model: str) -> bytes:
    """The least a client of a surface sends with these words of the user."""
    said = [{"role": "user", "content": words}]
    match surface:
        case "messages":
            body = {"model": model, "max_tokens": _MAX_TOKENS, "messages": said}
        case "chat":
            body = {"model": model, "messages": said}
        case _:
            body = {"model": model, "input": words}
    return json.dumps(body, ensure_ascii=False).encode()


def _headers(request: MappingNode, known: _Known) -> Iterator[tuple[str, str]]:
    names: set[str] = set()
    for key, value in _mapping(request.get("headers")).entries:
        name = key.text.lower()
        if not _HEADER.fullmatch(name):
            help = "a name has letters, digits and hyphens"
            known.find(codes.MALFORMED, f"{shown(key.text)} is no header's name", key, help)
        elif name in names:
            message, help = f"the header {shown(name)} stands here twice", "remove one of the two"
            known.find(sema_codes.DUPLICATE_NAME, message, key, help)
        elif _CONTROL.search(_text(value)):
            message = f"the header {shown(name)} has a control character, which no header can carry"
            known.find(codes.MALFORMED, message, value, "remove it")
        names.add(name)
        yield name, _text(value).strip()


def _expected(node: MappingNode, known: _Known) -> Iterator[Expectation]:
    for key, value in node.entries:
        subject = Subject(key.text)
        if isinstance(value, MappingNode):
            for name, inner in value.entries:
                yield _named(subject, name, inner, known)
        else:
            wanted = _wanted(subject, value, known)
            yield Expectation(subject=subject, name=None, wanted=wanted, node=value)


def _named(subject: Subject, name: ScalarNode, value: Node, known: _Known) -> Expectation:
    """An expectation of points or of a header."""
    assert isinstance(value, ScalarNode)
    called, table = name.text, known.table
    if subject is Subject.POINTS:
        adding = [rule.name for rule in table.rules if rule.add64 is not None]
        choices = [*(dimension.name for dimension in table.dimensions), *adding]
        known.check_name(UNKNOWN_RULE, "dimension or rule with points called", name, choices)
        number = value.value
        wanted: Expected = None
        if number is not None:
            wanted = Decimal(number) if isinstance(number, int) else Decimal(value.text)
        return Expectation(subject=subject, name=called, wanted=wanted, node=value)
    called = called.lower()
    if called not in DECISION_HEADERS:
        known.find(
            NOT_DECIDED,
            f"the header {shown(called)} does not follow from the decision alone",
            name,
            f"expect {listed(DECISION_HEADERS)}",
        )
    wanted = None if value.value is None else value.text
    return Expectation(subject=subject, name=called, wanted=wanted, node=value)


def _wanted(subject: Subject, node: Node, known: _Known) -> Expected:
    table = known.table
    targets = [target.name for target in table.targets]
    if isinstance(node, SequenceNode):
        assert subject in _TARGETS
        for item in node.items:
            known.check_name(sema_codes.UNKNOWN_TARGET, "target", item, targets)
        return tuple(_text(item) for item in node.items)
    assert isinstance(node, ScalarNode)
    if node.value is None:
        return None
    match subject:
        case Subject.TIER:
            tiers = [tier.name for tier in table.tiers]
            known.check_name(sema_codes.UNKNOWN_TIER, "tier", node, tiers)
        case Subject.TARGET:
            known.check_name(sema_codes.UNKNOWN_TARGET, "target", node, targets)
        case Subject.RULE:
            rules = [*(rule.name for rule in table.rules), "score", "pin", RULE]
            known.check_name(UNKNOWN_RULE, "rule", node, rules)
        case Subject.SCORE:
            assert isinstance(node.value, int | float)
            return int(node.value)
        case _:
            assert subject is Subject.OUTCOME
    return node.text


_NOWHERE = Span(file=SourceFile(path="", text=""), start=0, end=0)
_EMPTY = MappingNode(entries=(), flow=True, span=_NOWHERE)


def _mapping(node: Node | None) -> MappingNode:
    assert node is None or isinstance(node, MappingNode)
    return _EMPTY if node is None else node


def _number(node: Node | None) -> int:
    value = node.value if isinstance(node, ScalarNode) else 0
    assert isinstance(value, int)
    return value


def _text(node: Node | None) -> str:
    assert node is None or isinstance(node, ScalarNode)
    return "" if node is None else node.text
