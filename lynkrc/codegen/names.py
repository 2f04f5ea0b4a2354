"""Names of a spec to names, literals and comments of generated code; nothing in them can break out.

>>> comment("say \\n hi")
'# say \\\\n hi'
>>> literal("it's")
'"it\\'s"'
"""

import keyword
import re
from collections.abc import Sequence
from textwrap import wrap

from lynkrc.ir.table import Slot

WIDTH = 100
"""Columns of generated code."""

_CYTHON_WORDS = frozenset(
    (
        "DEF",
        "ELIF",
        "ELSE",
        "IF",
        "NULL",
        "api",
        "by",
        "cdef",
        "cimport",
        "cpdef",
        "ctypedef",
        "enum",
        "extern",
        "gil",
        "include",
        "inline",
        "new",
        "noexcept",
        "nogil",
        "operator",
        "packed",
        "property",
        "public",
        "readonly",
        "sizeof",
        "struct",
        "template",
        "union",
        "volatile",
        "bint",
        "char",
        "const",
        "double",
        "float",
        "int",
        "long",
        "object",
        "short",
        "signed",
        "size_t",
        "unsigned",
        "void",
        "cython",
    )
)
_OWN_WORDS = frozenset(
    (
        "v",
        "bool",
        "dict",
        "list",
        "max",
        "min",
        "tuple",
        "decide",
        "explain",
        "percent",
        "ramp",
        "saturate",
        "points",
        "score",
        "floor",
        "floor_rule",
        "ceiling",
        "ceiling_rule",
        "changed",
        "keep",
        "met",
        "tier",
        "rule",
        "chain",
        "left",
        "matched",
        "atoms",
        "sides",
        "values",
        "needs",
        "pins",
        "keeps",
    )
)


def slot_names(slots: Sequence[Slot]) -> list[str]:
    """A distinct identifier for every slot, as close to how it is written as can be.

    ``count(ask, greeting)`` gives ``count_ask_greeting``. Names do not depend on other slots
    unless they would collide.
    """
    taken: set[str] = set()
    names = []
    for slot in slots:
        stem = _identifier(slot.text)
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names


def _identifier(text: str) -> str:
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_") or "slot"
    reserved = keyword.iskeyword(name) or name in _CYTHON_WORDS or name in _OWN_WORDS
    # `shared_1` names a repeated value (see `lynkrc.codegen.sharing`).
    if reserved or name[0].isdigit() or re.fullmatch(r"shared_\d+", name):
        return f"slot_{name}"
    return name


def printable(text: str) -> str:
    """The text on one line: what does not print is escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def comment(text: str) -> str:
    """A one-line comment."""
    return f"# {printable(text)}"


def comment_lines(text: str, indent: int) -> list[str]:
    """The comment as lines of its own that fit the page."""
    width = WIDTH - indent - 2
    lines = wrap(printable(text), width, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in lines]


def with_comment(line: str, text: str, indent: int) -> list[str]:
    """A line of code with a trailing comment, or below comment lines where that is too long."""
    trailing = f"{line}  {comment(text)}"
    if indent + len(trailing) <= WIDTH:
        return [trailing]
    return [*comment_lines(text, indent), line]


def literal(text: str) -> str:
    """A Python string literal, in double quotes where that needs no escaping."""
    plain = repr(text)
    if plain[0] == "'" and '"' not in text:
        return '"' + plain[1:-1].replace("\\'", "'") + '"'
    return plain


def bits(mask: int, width: int) -> str:
    """A set of targets as a literal of `width` bits; hexadecimal beyond sixteen."""
    return f"0b{mask:0{width}b}" if width <= 16 else hex(mask)
