"""Tool calls to how many of them repeat an earlier one.

Calls are equal where their names are and what they give says the same; spacing, the order of
members, escapes and the spelling of numbers do not count. What is no JSON is compared as it is.

>>> repeats([("read", '{"path": "a", "limit": 2}'), ("read", '{"limit":2,"path":"\\u0061"}')])
1
"""

from collections.abc import Sequence

import msgspec

from lynkrc_runtime.protocol.late_messages import GivenCall


def repeats(calls: Sequence[GivenCall]) -> int:
    """Calls equal to an earlier one."""
    apart = set(calls)
    again = len(calls) - len(apart)
    if len(apart) < 2:
        return again
    return again + len(apart) - len({(name, _canonical(given)) for name, given in apart})


def _canonical(given: str | bytes) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(given), order="sorted")
    except (msgspec.DecodeError, RecursionError):
        # A custom tool's raw input.
        return given if isinstance(given, bytes) else given.encode("utf-8", "surrogatepass")
