"""A syntax error to the part of the document that it makes unreadable.

A YAML parser stops at the first error. The sections of a spec stand on their own, so the one that
holds the error is cut out and reading goes on behind it. It reaches from its key to the next line
that begins with the name of a section: a quote that is never closed swallows the sections after
it, and only such a line is no part of a quoted text that someone wrote.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import final

import yaml

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.wording import shown
from lynkrc.source.nodes import ScalarNode, Style
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_problems import syntax_finding

_WORD = re.compile(r"^[\"']?([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What cannot be read: its offsets, the keys of sections that begin a line of it, and why."""

    start: int
    end: int
    keys: tuple[ScalarNode, ...]
    finding: Diagnostic


def find_broken(
    file: SourceFile,
    found: Diagnostic,
    last_key: int | None,
    sections: Collection[str],
    loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader],
) -> Broken:
    """The part of `file` that `found`, the error the parser stopped at, makes unreadable.

    `last_key` is where the last key of the root begins that was read, None before there is one.
    """
    text = file.text
    # Where a line with a construct that is never finished begins, rather than where that is seen.
    at = min([found.span.start, *(label.span.start for label in found.labels)])
    line = file.starts[file.position(found.span.start)[0] - 1]
    if last_key is None:
        start = 0
    elif at < last_key:
        start = last_key
    elif line > last_key and text[line : line + 1] not in ("", " ", "\t", "-", "#", "\r", "\n"):
        # The line itself is no entry of the root; unless what stands before it is broken as well.
        start = last_key if _error_in(file, last_key, line, loader) else line
    else:
        start = last_key
    end = _next_section(text, start, sections)
    if found.span.start >= end:
        # Seen only behind a line that begins a section: said of what stands before that line.
        alone = _error_in(file, start, end, loader)
        if alone is None:
            found = _no_entry(found, start, end)
        elif alone.span.start < end:
            found = alone
        else:
            found = _never_closed(found, start, end)
    if not start <= found.span.start < end:
        # What is cut out holds its finding, by which what follows from it is known.
        at = max(start, min(found.span.start, end - 1))
        found = replace(found, span=Span(file=file, start=at, end=min(at + 1, len(text))))
    keys = tuple(_keys_in(file, start, end, sections))
    return Broken(start=start, end=end, keys=keys, finding=found)


def _no_entry(found: Diagnostic, start: int, end: int) -> Diagnostic:
    """The finding at what is sound YAML alone, and no entry: text that runs on into a section."""
    file = found.span.file
    last = start + len(file.text[start:end].rstrip())
    first = max(start, file.starts[file.position(last)[0] - 1])
    return replace(
        found,
        message="this line has no `:` after its key",
        span=Span(file=file, start=min(first, last - 1), end=last),
        help="write `key: value`; or indent the line if it continues the value above",
        labels=(),
    )


def _never_closed(found: Diagnostic, start: int, end: int) -> Diagnostic:
    """The finding at the bracket that is never closed, rather than at the section behind it."""
    opened = next((label.span for label in found.labels if start <= label.span.start < end), None)
    if opened is None:
        return found
    return replace(
        found,
        message="this is never closed",
        span=opened,
        help=f"add the closing bracket of {shown(opened.text)}",
        labels=(),
    )


def _next_section(text: str, start: int, sections: Collection[str]) -> int:
    if not sections:
        return len(text)
    names = "|".join(map(re.escape, sections))
    heading = re.compile(rf"^(?:{names}):(?=[ \t\r\n]|\Z)", re.MULTILINE)
    found = heading.search(text, start + 1)
    return found.start() if found else len(text)


def _keys_in(
    file: SourceFile, start: int, end: int, sections: Collection[str]
) -> Iterator[ScalarNode]:
    for found in _WORD.finditer(file.text, start, end):
        if found.group(1) in sections:
            span = Span(file=file, start=found.start(1), end=found.end(1))
            yield ScalarNode(text=found.group(1), style=Style.PLAIN, span=span)


def _error_in(
    file: SourceFile,
    start: int,
    end: int,
    loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader],
) -> Diagnostic | None:
    """The syntax error of a part of the text taken alone."""
    try:
        for _ in yaml.parse(file.text[start:end], Loader=loader):
            pass
    except yaml.YAMLError as error:
        return syntax_finding(file, error, start)
    except ValueError:  # an escape of no character, see `read_nodes`
        return None
    return None
