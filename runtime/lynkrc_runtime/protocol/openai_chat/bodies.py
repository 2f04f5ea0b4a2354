"""A Chat body under edit: members whose values are plain or still raw, and the list of changes.

>>> body, changes = {"seed": msgspec.Raw(b"7")}, {}
>>> value_of(body, "seed")
7
>>> drop(body, "seed", changes)
>>> body, list(changes)
({}, ['dropped=seed'])
"""

from typing import Any, TypeAlias

import msgspec

from lynkrc_runtime.protocol.changes import Changes

Body: TypeAlias = dict[str, Any]
"""Members by name; values plain or `msgspec.Raw`."""


def value_of(body: Body, name: str) -> Any:
    """A member's value; None where it is absent or null."""
    value = body.get(name)
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def drop(body: Body, name: str, changes: Changes) -> None:
    """Leave a member out; listed unless it was null."""
    if value_of(body, name) is not None:
        changes[f"dropped={name}"] = None
    body.pop(name, None)
