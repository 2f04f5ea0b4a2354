"""Nodes to findings about ``${NAME}`` references and secrets written out.

References stand in a provider's address, key and headers, and nowhere else; a secret stands
nowhere (design: "Secrets never enter a bundle"). A message never repeats a secret.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import assert_never

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
_SECRET_WORDS = re.compile(r"(?:^|[-_])(?:token|secret|password|apikey|api[-_]key)$")

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


def check_references(file: SourceFile, root: Node) -> list[Diagnostic]:
    """Every finding about references and secrets in a document."""
    findings = [*_check_places(root, ()), *_check_providers(root)]
    covered = sorted((finding.span.start, finding.span.end) for finding in findings)
    # Over the whole text: a comment is packed with the source, too.
    for match in _ISSUED.finditer(file.text):
        # Scalars do not overlap: only the last one that begins before the match can hold it.
        before = bisect_right(covered, (match.start(), len(file.text)))
        if before == 0 or covered[before - 1][1] < match.end():
            span = Span(file=file, start=match.start(), end=match.end())
            findings.append(_secret("this looks like a secret key", span))
    return findings


def _check_places(node: Node, path: tuple[str, ...]) -> Iterator[Diagnostic]:
    match node:
        case ScalarNode():
            if not _is_reference_place(path):
                yield from _find_references(node)
        case SequenceNode(items=items):
            for item in items:
                yield from _check_places(item, (*path, "[]"))
        case MappingNode(entries=entries):
            for key, value in entries:
                yield from _find_references(key)
                yield from _check_places(value, (*path, key.text))
        case _:
            assert_never(node)


def _is_reference_place(path: tuple[str, ...]) -> bool:
    match path:
        case ("providers", _, "base_url" | "api_key") | ("providers", _, "headers", _):
            return True
        case _:
            return False


def _find_references(node: ScalarNode) -> Iterator[Diagnostic]:
    start = node.text.find("${")
    if start >= 0:
        match = _OPENING.match(node.text, start)
        end = match.end() if match else start + 2
        yield _finding(
            codes.REFERENCE_PLACE,
            f"{shown(node.text[start:end])} is not replaced here",
            place_in(node)(start, end),
            "references stand in a provider's `base_url`, `api_key` and `headers` only",
        )


def _check_providers(root: Node) -> Iterator[Diagnostic]:
    providers = root.get("providers") if isinstance(root, MappingNode) else None
    for _, provider in providers.entries if isinstance(providers, MappingNode) else ():
        if not isinstance(provider, MappingNode):
            continue
        url, key, headers = (provider.get(name) for name in ("base_url", "api_key", "headers"))
        if isinstance(url, ScalarNode):
            yield from _malformed_references(url)
            yield from _check_address(url)
        if isinstance(key, ScalarNode):
            yield from _check_key(key)
        for name, value in headers.entries if isinstance(headers, MappingNode) else ():
            if isinstance(value, ScalarNode):
                yield from _check_header(name.text.lower(), value)


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


def _check_key(node: ScalarNode) -> Iterator[Diagnostic]:
    match = REFERENCE.fullmatch(node.text)
    if match is None:
        malformed = list(_malformed_references(node))
        if malformed and not _looks_secret(_OPENING.sub("", node.text)):
            yield from malformed
        else:
            yield _secret("`api_key` is written out", node.span)
    elif _looks_secret(match["default"] or ""):
        yield _secret("the default of this reference looks like a key", node.span)


def _check_header(name: str, node: ScalarNode) -> Iterator[Diagnostic]:
    yield from _malformed_references(node)
    secret = name in _SECRET_HEADERS or _SECRET_WORDS.search(name) is not None
    written = REFERENCE.sub(_default, node.text)
    if _ISSUED.search(written) or (
        secret and (not REFERENCE.search(node.text) or _looks_secret(written))
    ):
        yield _secret(f"the header {shown(name)} holds a secret", node.span)


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
