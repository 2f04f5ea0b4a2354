"""Streams and whole answers of every target dialect, as a model writes them: text, then a call."""

import json

from tests.clients.said import SPEAK
from tests.clients.script import Call, Plan

MODEL = "served"


def plan(words: int) -> Plan:
    """So many words of text and one call."""
    call = Call("call_1", "read_file", {"path": "src/parser.py", "limit": 200})
    return Plan(text="word " * words, calls=(call,))


def stream(dialect: str, words: int) -> list[bytes]:
    """A stream, one chunk for each event of the upstream."""
    return list(SPEAK[dialect].stream(plan(words), MODEL))


def whole(dialect: str, words: int) -> bytes:
    """The same answer, whole."""
    return json.dumps(SPEAK[dialect].whole(plan(words), MODEL)).encode()
