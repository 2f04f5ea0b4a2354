"""A JSON body to the first member that an object in it states twice, at any depth.

Readers differ in which of the two they take, so an upstream might see another request than the one
that was decided on. Where something is asserted of a spec, no such body is served (design:
"Same dialect").

>>> repeated_member(rb'{"model": "a", "messages": [{"role": "user", "r\\u006fle": "x"}]}')
'role'
>>> repeated_member(b'{"a": {"b": 1}, "b": 2}') is None
True
"""

import json
from typing import Any, final

from lynkrc_runtime.protocol.conversation import MalformedRequest


@final
class _Repeated(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def repeated_member(body: bytes) -> str | None:
    """Its name; None without one, and for what is no JSON: the dialect's reader says why.

    MalformedRequest where it nests too deeply to be looked at: that reader, which uses less of the
    stack, might still take it.
    """
    try:
        # No number is wanted, and one too long to be read would end the search.
        json.loads(body, object_pairs_hook=_members, parse_int=len)
    except _Repeated as repeated:
        return repeated.name
    except ValueError:
        return None
    except RecursionError as error:
        raise MalformedRequest(None, "the body is nested too deeply") from error
    return None


def _members(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Repeated(name)
            seen.add(name)
