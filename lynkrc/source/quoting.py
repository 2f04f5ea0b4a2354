"""A text to the scalar that YAML reads it back from: plain where that is safe, else in quotes.

Plain is safe where YAML 1.1 and 1.2 both read the same text back. Double quotes are the rule;
single ones stand where double ones would need escapes.

>>> print(quote("a, b"), quote('ask == "a"'), quote("3"), is_plain("llama3.2", flow=True))
"a, b" 'ask == "a"' "3" True
"""

from lynkrc.source.scalars import resolve_plain, trap

_NEVER_FIRST = frozenset("-?:,[]{}#&*!|>'\"%@`")
_FLOW_SIGNS = frozenset(",[]{}")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def is_plain(text: str, *, flow: bool) -> bool:
    """Whether `text` may stand without quotes; `flow` is inside ``[...]`` or ``{...}``."""
    if not text or text != text.strip() or not text.isprintable():
        return False
    if text[0] in _NEVER_FIRST or text.startswith("...") or text.endswith(":"):
        return False
    if ": " in text or " #" in text or (flow and not _FLOW_SIGNS.isdisjoint(text)):
        return False
    return trap(text) is None and isinstance(resolve_plain(text), str)


def quote(text: str) -> str:
    """`text` in quotes, on one line."""
    if text.isprintable() and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escape(char) for char in text) + '"'


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
