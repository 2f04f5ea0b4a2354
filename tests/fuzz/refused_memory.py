"""Every entry of the native kernel, refused each piece of memory it asks for, one after the other.

Run by itself with the library of no_memory.c loaded before it: it ends with an error where anything
but MemoryError comes of that, or something else than is right.
"""

import ctypes
from collections.abc import Callable
from random import Random

from lynkrc_runtime.scan._kernel import Counter, Kernel, Turns, lines_of, outlined
from lynkrc_runtime.scan.fold import TABLE
from tests.bench import agent_bodies
from tests.scan_cases import random_tables

SIZE = 40_000
"""Bytes of a body: more than the lists that grow begin with."""
MOST = 1_000
"""No entry asks as often."""


def _cases() -> dict[str, Callable[[], object]]:
    tables = random_tables(Random(3))
    said, chatted, listed = (
        agent_bodies.body(dialect, SIZE)
        for dialect in ("anthropic-messages", "openai-chat", "openai-responses")
    )

    def kernel() -> Kernel:
        return Kernel(tables.data, [1] * tables.entries, TABLE)

    def messages() -> Turns:
        return Turns(said, said.index(b"[", said.index(b'"messages"')))

    def chat() -> Turns:
        return Turns(chatted, chatted.index(b"[", chatted.index(b'"messages"')), True)

    def items() -> Turns:
        return Turns(listed, listed.index(b"[", listed.index(b'"input"')), False, True)

    wide = "Gr\u00f6\u00dfe of the \u4e2d\u6587 words. " * 50
    return {
        "a kernel": lambda: type(kernel()),
        "scan": lambda: kernel().scan(wide),
        "present": lambda: kernel().present(wide),
        "count": lambda: Counter(TABLE).count(wide),
        "messages": lambda: messages().own(b"\1\0\0\0a"),
        "messages for Chat": lambda: messages().for_chat(b"[", True, True, True),
        "Chat's messages": lambda: chat().messages(lambda _: True),
        "Chat's messages for Chat": lambda: chat().for_chat(b"[", True, True, True),
        "calls that may repeat": lambda: chat().doubtful(0),
        "items": lambda: items().messages(lambda _: True),
        "an outline": lambda: outlined(said)[1:],
        "headers": lambda: lines_of(b"x" * 600, {"a": "b" * 600}, b"\r\n"),
    }


def check() -> None:
    """Tries all of them; AssertionError, or whatever came that should not."""
    refuse_after = ctypes.CDLL(None).refuse_after
    refuse_after.argtypes, refuse_after.restype = [ctypes.c_long], ctypes.c_long
    for name, run in _cases().items():
        expected, refused = run(), 0
        for number in range(MOST):
            refuse_after(number)
            try:
                found = run()
            except MemoryError:
                refused += 1
            else:
                assert found == expected, (name, number)
                if refuse_after(-1) >= 0:
                    break
            finally:
                refuse_after(-1)
        else:
            raise AssertionError(f"{name} never has enough memory")
        assert refused > 0, name


if __name__ == "__main__":
    check()
