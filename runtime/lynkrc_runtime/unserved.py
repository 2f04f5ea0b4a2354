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
    place, _, value = path.partition("=")
    names = place.split(".")
    if value:
        return bool(_at(dispatch.settings, names) == value)
    return _differs(dispatch.settings, Settings(), names)


def _at(settings: Any, names: Sequence[str]) -> Any:
    """The setting at a path; None where it, or the section it is in, was not written."""
    for name in names:
        settings = getattr(settings, name, None)
    return settings


def _differs(written: Any, usual: Any, names: Sequence[str]) -> bool:
    """Whether the member at a path was written: it is then not what it is by itself."""
    for name in names:
        written, usual = getattr(written, name), getattr(usual, name)
    return bool(written != usual)
