"""What a request lost on its way, as names for `Written.transforms`.

>>> changes = {}
>>> list_extra(("seed", "user", "seed"), changes)
>>> list(changes)
['dropped=seed', 'dropped=user']
"""

from collections.abc import Iterable
from typing import TypeAlias

Changes: TypeAlias = dict[str, None]
"""Names of changes, each once, in order."""


def list_extra(extra: Iterable[str], changes: Changes) -> None:
    """Members without a place in the target's dialect are lost, each listed once."""
    for name in extra:
        changes[f"dropped={name}"] = None
