"""A caller to the names it is counted under: everyone's, its key's, its team's, its tenant's."""

from collections.abc import Sequence
from typing import assert_never

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.settings import Owner

EVERYONE = "everyone"
"""Under which all callers are counted together."""


def owner_of(caller: Caller | None, per: Owner, only: Sequence[str]) -> str | None:
    """The name something is counted under for a caller; None where it does not count the caller.

    Without keys nobody is told apart: what is counted for each key is counted together then.

    >>> owner_of(Caller(name="ci", team="web"), "team", ["web"])
    'team:web'
    >>> owner_of(Caller(name="ci"), "team", []) is None
    True
    """
    match per:
        case "everyone":
            return EVERYONE
        case "key":
            name = None if caller is None else caller.name
        case "team":
            name = None if caller is None else caller.team
        case "tenant":
            name = None if caller is None else caller.tenant
        case _:
            assert_never(per)
    if name is None:
        return EVERYONE if per == "key" and caller is None else None
    return f"{per}:{name}" if not only or name in only else None


def owner_in_words(owner: str) -> str:
    """As a message calls it.

    >>> owner_in_words("team:web"), owner_in_words("everyone")
    ('team web', 'everyone')
    """
    return owner.replace(":", " ", 1)
