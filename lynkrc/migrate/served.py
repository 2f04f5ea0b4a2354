"""What a spec writes to what is said of it where this runtime does not serve it yet.

>>> not_yet(("server", "port"))
'; not yet served: the port comes from the command line'
>>> not_yet(("server", "body_limit"))
''
"""

from collections.abc import Iterable, Sequence

from lynkrc.migrate.draft import DraftProvider
from lynkrc_runtime.served import NOT_SERVED, RUNTIME


def not_yet(path: Sequence[str]) -> str:
    """What to add where a setting is said to be carried over; "" for what is served."""
    for end in range(1, len(path) + 1):
        instead = NOT_SERVED.get(".".join(path[:end]))
        if instead is not None:
            return f"; not yet served: {instead}"
    return ""


def unserved_kind(kind: str) -> str:
    """Why the targets of a provider kind cannot be called yet; "" where they can."""
    instead = NOT_SERVED.get(f"kind.{kind}")
    return "" if instead is None else f"not yet served by runtime {RUNTIME}: {instead}"


def kind_notices(providers: Iterable[DraftProvider]) -> list[str]:
    """What people must know of providers whose kind is compiled and not served."""
    return [
        f"`{one.name}`, of kind {one.kind}, is carried over and compiled, and {why}"
        for one in providers
        if (why := unserved_kind(one.kind))
    ]
