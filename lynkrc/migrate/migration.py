"""What taking over another gateway's file gives: a draft and an account of every setting."""

from dataclasses import dataclass
from typing import final

from lynkrc.migrate.account import Account
from lynkrc.migrate.draft import Draft


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A draft, what became of every setting of the old file, and what a person must know."""

    draft: Draft
    accounts: tuple[Account, ...]
    notices: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A file that cannot be taken over: lines that say where it fails, and the way out.

    They quote nothing of the file but names: any line of it may hold a key.
    """

    lines: tuple[str, ...]
