"""Tool ids and names of one dialect, to ids and names another accepts (wire reference C.1.5).

The mapping is a pure function, so the same history always maps alike without stored state, and
the names of a request can be restored in its answer.

>>> legal_name("mcp__files__read", limit=64), legal_id("functions.read:0", limit=64)
('mcp__files__read', 'toolu_yilmvmw6fzlnkr5u4y2a5x6b')
"""

import base64
import hashlib
import re
import string
from collections.abc import Iterable, Mapping

CHAT_NAME_LIMIT = 64
"""Characters of a tool name: OpenAI Chat, Converse."""

ANTHROPIC_NAME_LIMIT = 128

GEMINI_NAME_LIMIT = 64

_LEGAL_EVERYWHERE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
_MAPPINGS = ((CHAT_NAME_LIMIT, False), (ANTHROPIC_NAME_LIMIT, False), (GEMINI_NAME_LIMIT, True))
_NO_BEGINNING = tuple("-0123456789")


def legal_name(name: str, *, limit: int, word: bool = False) -> str:
    """The name itself where it is legal, else shortened and marked by its own digest.

    `word`: it must begin with a letter or ``_`` (Gemini).
    """
    # As most names are; the search takes twice as long.
    if len(name) <= limit and name.isidentifier() and name.isascii():
        return name
    if not word and 0 < len(name) <= limit and not _ILLEGAL.search(name):
        return name
    plain = _ILLEGAL.sub("_", name)
    if word and plain[:1] in _NO_BEGINNING:
        plain = f"_{plain}"
    if plain == name and 0 < len(name) <= limit:
        return name
    return f"{plain[: limit - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def legal_id(call_id: str, *, limit: int) -> str:
    """The id itself where it is legal (letters, digits, ``_``, ``-``), else one made of it."""
    if len(call_id) <= limit and call_id.isidentifier() and call_id.isascii():
        return call_id
    if call_id and len(call_id) <= limit and not _ILLEGAL.search(call_id):
        return call_id
    digest = hashlib.sha256(call_id.encode()).digest()
    return "toolu_" + base64.b32encode(digest).decode()[:24].lower()


_ALNUM_ID = re.compile(r"[a-zA-Z0-9]{9}")
_BASE62 = string.digits + string.ascii_letters


def alnum_id(call_id: str) -> str:
    """The id itself where it is nine letters and digits, else nine made of it.

    >>> alnum_id("D681PevKs"), alnum_id("toolu_01")
    ('D681PevKs', 'unF7IFNa3')
    """
    if _ALNUM_ID.fullmatch(call_id):
        return call_id
    number = int.from_bytes(hashlib.sha256(call_id.encode()).digest())
    made = ""
    for _ in range(9):
        number, digit = divmod(number, len(_BASE62))
        made += _BASE62[digit]
    return made


def original_names(names: Iterable[str]) -> Mapping[str, str]:
    """What each mapped name was: the names that a target saw under another spelling.

    >>> dict(original_names(["read", "read file"]))
    {'read_file_1214148e': 'read file'}
    """
    found: dict[str, str] = {}
    for name in names:
        if _LEGAL_EVERYWHERE.fullmatch(name):
            continue
        for limit, word in _MAPPINGS:
            mapped = legal_name(name, limit=limit, word=word)
            if mapped != name:
                found[mapped] = name
    return found
