"""Nodes to findings about ``${NAME}`` references and secrets written out.

References stand where the gateway reaches out or is reached, `_PLACES`, and nowhere else; a secret
stands nowhere (design: "Secrets never enter a bundle"). A message never repeats a secret.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias, assert_never

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Code, Diagnostic, Fix
from lynkrc.diagnostics.wording import shown
from lynkrc.source.fixes import replacing
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from lynkrc.source.quoting import quote
from lynkrc.source.scalar_map import place_in
from lynkrc.source.text import SourceFile, Span

REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^{}]*)?\}")
"""``${NAME}`` or ``${NAME:-default}``."""

_OPENING = re.compile(r"\$\{[^{}\s]*\}?|\$[A-Za-z_][A-Za-z0-9_]*")

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie", "x-goog-api-key"}
)
_SECRET_WORDS = re.compile(r"(?:^|[-_])(?:token|secret|password|passwd|apikey|api[-_]key)$")

# Shapes that keys of known issuers have, and one for what stands in a key's place.
_ISSUED = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{30,}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|xox[abp]-[A-Za-z0-9-]{10,}|gsk_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"
    r")"
)
_KEY_LIKE = re.compile(r"[A-Za-z0-9_+=]{16,}")
_USER_INFO = re.compile(r"^[a-z]+://([^/@\s]+)@")

_BY_REFERENCE = 'put it in an environment variable and write "${NAME}"'

_Path: TypeAlias = tuple[str, ...]

_ANY = "*"


class _Rule(Enum):
    """What must hold of the text at a place of references."""

    PLAIN = "no secret in it"
    URL = "no user name or password in it"
    LOGIN = "no password in it"
    KEY = "one reference, whose default does not look like a key"
    SECRET = "one reference without a default"
    NAMED = "a reference, where its name says that it is a secret"


_PLACES: Mapping[_Path, _Rule] = MappingProxyType(
    {
        ("providers", _ANY, "base_url"): _Rule.URL,
        ("providers", _ANY, "api_key"): _Rule.KEY,
        ("providers", _ANY, "headers", _ANY): _Rule.NAMED,
        ("providers", _ANY, "region"): _Rule.PLAIN,
        ("providers", _ANY, "project"): _Rule.PLAIN,
        ("providers", _ANY, "api_version"): _Rule.PLAIN,
        ("providers", _ANY, "proxy"): _Rule.LOGIN,
        ("providers", _ANY, "ca_file"): _Rule.PLAIN,
        ("state", "url"): _Rule.LOGIN,
        ("state", "path"): _Rule.PLAIN,
        ("server", "host"): _Rule.PLAIN,
        ("server", "allowed_origins", "[]"): _Rule.PLAIN,
        ("server", "admin", "host"): _Rule.PLAIN,
        ("server", "admin", "token"): _Rule.SECRET,
        ("server", "tls", "cert"): _Rule.PLAIN,
        ("server", "tls", "key"): _Rule.PLAIN,
        ("keys", _ANY, "secret"): _Rule.SECRET,
        ("mcp", "servers", _ANY, "url"): _Rule.LOGIN,
        ("mcp", "servers", _ANY, "headers", _ANY): _Rule.NAMED,
        ("mcp", "servers", _ANY, "args", "[]"): _Rule.PLAIN,
        ("mcp", "servers", _ANY, "env", _ANY): _Rule.NAMED,
        ("observability", "traces", "endpoint"): _Rule.LOGIN,
    }
)
"""Where references stand: paths with ``*`` for names of the author's."""

_WHERE = (
    "references stand in `providers` (base_url, api_key, headers, region, project, "
    "api_version, proxy, ca_file), "
    "`state`, `server`, `keys` (secret), `mcp` and `observability.traces.endpoint` only"
)


def check_references(file: SourceFile, root: Node) -> list[Diagnostic]:
    """Every finding about references and secrets in a document."""
    findings = list(_check_places(root, ()))
    covered = sorted((finding.span.start, finding.span.end) for finding in findings)
    # Over the whole text: a comment is packed with the source, too.
    for match in _ISSUED.finditer(file.text):
        # Scalars do not overlap: only the last one that begins before the match can hold it.
        before = bisect_right(covered, (match.start(), len(file.text)))
        if before == 0 or covered[before - 1][1] < match.end():
            span = Span(file=file, start=match.start(), end=match.end())
            findings.append(_secret("this looks like a secret key", span))
    return findings


def _check_places(node: Node, path: _Path) -> Iterator[Diagnostic]:
    match node:
        case ScalarNode():
            yield from _check_scalar(node, path)
        case SequenceNode(items=items):
            for item in items:
                yield from _check_places(item, (*path, "[]"))
        case MappingNode(entries=entries):
            for key, value in entries:
                yield from _find_references(key)
                yield from _check_places(value, (*path, key.text))
        case _:
            assert_never(node)


def _check_scalar(node: ScalarNode, path: _Path) -> Iterator[Diagnostic]:
    match _rule(path):
        case None:
            yield from _find_references(node)
        case _Rule.PLAIN:
            yield from _malformed_references(node)
            if _ISSUED.search(REFERENCE.sub(_default, node.text)):
                yield _secret("this looks like a secret key", node.span)
        case _Rule.URL:
            yield from _malformed_references(node)
            yield from _check_address(node)
        case _Rule.LOGIN:
            yield from _malformed_references(node)
            yield from _check_login(node)
        case _Rule.KEY:
            yield from _check_key(path[-1], node)
        case _Rule.SECRET:
            yield from _check_key(path[-1], node)
            yield from _check_default(node)
        case _Rule.NAMED:
            if path[-2] == "headers":
                yield from _check_named("header", path[-1].lower(), node)
            else:
                yield from _check_named("variable", path[-1], node)
        case unknown:
            assert_never(unknown)


def _rule(path: _Path) -> _Rule | None:
    """What holds at a place of references; None elsewhere."""
    if not path or path[0] not in _SECTIONS:
        return None
    return next(
        (
            rule
            for place, rule in _PLACES.items()
            if len(place) == len(path)
            and all(want in (_ANY, step) for want, step in zip(place, path, strict=True))
        ),
        None,
    )


_SECTIONS = frozenset(place[0] for place in _PLACES)


def _find_references(node: ScalarNode) -> Iterator[Diagnostic]:
    start = node.text.find("${")
    if start >= 0:
        match = _OPENING.match(node.text, start)
        end = match.end() if match else start + 2
        yield _finding(
            codes.REFERENCE_PLACE,
            f"{shown(node.text[start:end])} is not replaced here",
            place_in(node)(start, end),
            _WHERE,
        )


def _malformed_references(node: ScalarNode) -> Iterator[Diagnostic]:
    """A ``$`` that looks like a reference and is none."""
    good = {match.start() for match in REFERENCE.finditer(node.text)}
    for match in _OPENING.finditer(node.text):
        if match.start() not in good:
            wanted = match.group().lstrip("${")
            if not wanted.endswith("}"):
                # It is never closed, so where the name ends is a guess.
                wanted = re.split(r"[/:.?#]", wanted, maxsplit=1)[0]
            name = re.sub(r"[^A-Za-z0-9_]", "_", wanted.removesuffix("}")) or "NAME"
            place = place_in(node)(match.start(), match.end())
            yield _finding(
                codes.BAD_REFERENCE,
                f"{shown(match.group())} is not a reference",
                place,
                f"write {shown('${' + name + '}')} or {shown('${' + name + ':-default}')}",
                _braces(node, match, place),
            )


def _braces(node: ScalarNode, match: re.Match[str], place: Span) -> Fix | None:
    """``$NAME`` with its braces; the edit repeats nothing else of a text that may hold a secret."""
    if match.group().startswith("${"):
        return None
    reference = "${" + match.group()[1:] + "}"
    what = f"write {shown(reference)}"
    if node.style in (Style.SINGLE, Style.DOUBLE):
        return replacing(place, reference, what, safe=True)
    if node.text == match.group():
        return replacing(node.span, quote(reference), what, safe=True)
    return None


def _check_address(node: ScalarNode) -> Iterator[Diagnostic]:
    match = _USER_INFO.match(REFERENCE.sub(_default, node.text))
    if match is not None:
        yield _secret("the address holds a user name or password", node.span)


def _check_login(node: ScalarNode) -> Iterator[Diagnostic]:
    """A user name may be written out, a password not; what stands alone may be either."""
    match = _USER_INFO.match(REFERENCE.sub(_default, node.text))
    if match is not None:
        user, colon, password = match[1].partition(":")
        if password or (not colon and _looks_secret(user)):
            yield _secret("the address holds a password", node.span)


def _check_key(name: str, node: ScalarNode) -> Iterator[Diagnostic]:
    match = REFERENCE.fullmatch(node.text)
    if match is None:
        malformed = list(_malformed_references(node))
        if malformed and not _looks_secret(_OPENING.sub("", node.text)):
            yield from malformed
        else:
            yield _secret(f"{shown(name)} is written out", node.span)
    elif _looks_secret(match["default"] or ""):
        yield _secret("the default of this reference looks like a key", node.span)


def _check_default(node: ScalarNode) -> Iterator[Diagnostic]:
    """A default would let in whoever has read the spec, an empty one everybody."""
    match = REFERENCE.fullmatch(node.text)
    default = None if match is None else match["default"]
    if match is None or default is None or _looks_secret(default):
        return
    if default == ":-":
        yield _finding(
            codes.BAD_REFERENCE,
            "without the variable the secret is empty",
            node.span,
            f"write {shown('${' + match['name'] + '}')}: the gateway then asks for it",
        )
    else:
        yield _secret("the default of this reference is a secret written out", node.span)


def _check_named(what: str, name: str, node: ScalarNode) -> Iterator[Diagnostic]:
    """A header or variable, whose name says whether it is a secret."""
    yield from _malformed_references(node)
    folded = name.lower()
    secret = folded in _SECRET_HEADERS or _SECRET_WORDS.search(folded) is not None
    written = REFERENCE.sub(_default, node.text)
    if _ISSUED.search(written) or (
        secret and (not REFERENCE.search(node.text) or _looks_secret(written))
    ):
        yield _secret(f"the {what} {shown(name)} holds a secret", node.span)


def _default(match: re.Match[str]) -> str:
    """What of a reference is written out: its default."""
    return (match["default"] or "").removeprefix(":-")


def _looks_secret(text: str) -> bool:
    """A key of a known issuer, or a long run of letters and digits mixed like one."""
    if _ISSUED.search(text):
        return True
    return any(
        any(char.isdigit() for char in run) and any(char.isalpha() for char in run)
        for run in _KEY_LIKE.findall(text)
    )


def _secret(message: str, span: Span) -> Diagnostic:
    return _finding(codes.LITERAL_SECRET, message, span, _BY_REFERENCE)


def _finding(code: Code, message: str, span: Span, help: str, fix: Fix | None = None) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, help=help, fix=fix)
