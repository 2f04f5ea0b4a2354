"""What a spec writes to what is said of it where this runtime does not serve it yet.

>>> not_yet(("mcp", "servers"))
'; not yet served: no tool is added'
>>> not_yet(("server", "body_limit"))
''
"""

from collections.abc import Sequence

from lynkrc_runtime.served import NOT_SERVED


def not_yet(path: Sequence[str]) -> str:
    """What to add where a setting is said to be carried over; "" for what is served."""
    for end in range(1, len(path) + 1):
        instead = NOT_SERVED.get(".".join(path[:end]))
        if instead is not None:
            return f"; not yet served: {instead}"
    return ""
