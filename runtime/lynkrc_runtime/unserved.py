"""A dispatch table to what of it this version of the runtime does not serve: for logs, at start.

`lynkrc_runtime.served` says which parts of the language those are. Nothing is looked up in the
environment for them: a reference in a setting nobody reads is not asked for.
"""

from collections.abc import Sequence
from typing import Any

from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.served import NOT_SERVED
from lynkrc_runtime.settings import Settings


def unserved_parts(dispatch: Dispatch) -> list[str]:
    """One line for each part the table uses and nothing serves: its path, and what happens."""
    return [f"{path}: {instead}" for path, instead in NOT_SERVED.items() if _uses(dispatch, path)]


def _uses(dispatch: Dispatch, path: str) -> bool:
    return _differs(dispatch.settings, Settings(), path.split("."))


def _differs(written: Any, usual: Any, names: Sequence[str]) -> bool:
    """Whether the member at a path was written: it is then not what it is by itself."""
    for name in names:
        written, usual = getattr(written, name), getattr(usual, name)
    return bool(written != usual)
