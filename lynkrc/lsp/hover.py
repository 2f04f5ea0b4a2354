"""A place in a document to a page about what stands there, as Markdown."""

import re
from dataclasses import dataclass
from typing import final

from lynkrc.diagnostics.codes import CODES
from lynkrc.diagnostics.pages import introduction, read_page
from lynkrc.lsp.analysis import Analysis
from lynkrc.lsp.describe import describe_name
from lynkrc.lsp.names import At, Occurrence, at_offset
from lynkrc.lsp.roles import Kind
from lynkrc.lsp.schema_words import (
    description,
    examples,
    fixed_choices,
    kind_of_value,
    shape_at,
)
from lynkrc.lsp.spot import entries_of
from lynkrc.source.nodes import ScalarNode
from lynkrc.source.text import Span
from lynkrc.syntax.shape import Shape

_CODE = re.compile(r"LK[0-9]{3}")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_REACH = 200


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Hover:
    """A page in Markdown, and the range of the text it is about."""

    markdown: str
    start: int
    end: int


def hover(offset: int, analysis: Analysis) -> Hover | None:
    """What stands at an offset; None where there is nothing to say."""
    return _code(offset, analysis) or _name(offset, analysis) or _key(offset, analysis)


def name_at(offset: int, analysis: Analysis) -> Occurrence | None:
    """The name at an offset; the place right behind it counts too."""
    found = [one for one in analysis.found if one.span.start <= offset <= one.span.end]
    # Of two that touch, the one that begins here.
    return max(found, key=lambda one: one.span.start) if found else None


def _code(offset: int, analysis: Analysis) -> Hover | None:
    text = analysis.file.text
    for match in _CODE.finditer(text, max(0, offset - 5), offset + 5):
        code = CODES.get(match.group())
        if code is not None and match.start() <= offset <= match.end():
            lines = [f"**{code.id}** {code.name} ({code.severity.value})"]
            lines += introduction(read_page(code.id))
            lines.append(f"`lynkrc explain {code.id}` shows examples.")
            return Hover(markdown="\n\n".join(lines), start=match.start(), end=match.end())
    return None


def _name(offset: int, analysis: Analysis) -> Hover | None:
    one = name_at(offset, analysis)
    if one is not None:
        page = describe_name(one, analysis)
        span = one.span
        return None if page is None else Hover(markdown=page, start=span.start, end=span.end)
    if analysis.root is None:
        return _loose_name(offset, analysis)
    return None


def _loose_name(offset: int, analysis: Analysis) -> Hover | None:
    """The word at an offset of a text that is no YAML, if it is one of the language."""
    text = analysis.file.text
    from_, to = max(0, offset - _REACH), min(len(text), offset + _REACH)
    for match in _WORD.finditer(text[from_:to]):
        start, end = from_ + match.start(), from_ + match.end()
        if start <= offset <= end:
            for kind in (Kind.LANGUAGE, Kind.FEATURE, Kind.LEXICON, Kind.TARGET, Kind.PROVIDER):
                page = _hover_of(kind, match.group(), start, end, analysis)
                if page is not None:
                    return page
    return None


def _hover_of(kind: Kind, name: str, start: int, end: int, analysis: Analysis) -> Hover | None:
    span = Span(file=analysis.file, start=start, end=end)
    page = describe_name(Occurrence(kind=kind, name=name, span=span), analysis)
    return None if page is None else Hover(markdown=page, start=start, end=end)


def _key(offset: int, analysis: Analysis) -> Hover | None:
    if analysis.root is None:
        return _loose_key(offset, analysis)
    at = at_offset(analysis.root, offset)
    if at is None or not isinstance(at.node, ScalarNode):
        return None
    return _about_key(at) if at.is_key else _about_value(at)


def _about_key(at: At) -> Hover | None:
    page = _page(at.path[-1], at.shape)
    span = at.node.span
    return None if page is None else Hover(markdown=page, start=span.start, end=span.end)


def _about_value(at: At) -> Hover | None:
    """A value that is one of a few: what its key is about."""
    if not fixed_choices(at.shape) or not description(at.shape):
        return None
    span = at.node.span
    return Hover(markdown=description(at.shape), start=span.start, end=span.end)


def _loose_key(offset: int, analysis: Analysis) -> Hover | None:
    for entry in entries_of(analysis.file.text):
        end = entry.start + len(entry.text)
        if entry.is_key and entry.start <= offset <= end:
            page = _page(entry.text, shape_at(entry.path))
            if page is not None:
                return Hover(markdown=page, start=entry.start, end=end)
    return None


def _page(key: str, shape: Shape) -> str | None:
    about = description(shape)
    if not about:
        return None
    what = kind_of_value(shape)
    parts = [f"**{key}**" + (f": {what}" if what else ""), about]
    shown = [f"`{example}`" for example in examples(shape)]
    if shown and not fixed_choices(shape):
        parts.append(f"For example {', '.join(shown)}.")
    return "\n\n".join(parts)
