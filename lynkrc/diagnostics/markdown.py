"""Any text to a piece of Markdown that says the same: no part of it is read as Markdown or HTML."""

import html
import re

from lynkrc.diagnostics.wording import printable

_SIGNS = frozenset("|*_`[]~\\@#!:$")
_LINK = re.compile(r"(?i)(www)\.")
_CALL = re.compile("&#(?:64|35);")


def code(text: str) -> str:
    """A text as code, in a table or anywhere: no part of it is read as Markdown or HTML.

    >>> code("a | <b> *c*")
    '<code>a &#124; &lt;b&gt; &#42;c&#42;</code>'
    """
    return f"<code>{_escaped(text)}</code>"


def prose(text: str) -> str:
    """A text as prose: it calls nobody, though a reference stands for the sign it means.

    >>> prose("@all: 1 < 2")
    '<code>&#64;</code>all&#58; 1 &lt; 2'
    """
    return _CALL.sub(r"<code>\g<0></code>", _escaped(text))


def _escaped(text: str) -> str:
    # Markdown is read inside inline HTML: each of its signs stands as a character reference.
    escaped = "".join(
        f"&#{ord(char)};" if char in _SIGNS else html.escape(char, quote=False)
        for char in printable(text)
    )
    return _LINK.sub(r"\1&#46;", escaped)
