"""What holds a secret or a prompt never shows it by `repr`: that is how things get into logs."""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator

import lynkrc_runtime

_TELLING = re.compile(
    r"^(headers|environ|body|secrets?|tokens?|password|api_key|credentials?|proxy|private_key)$"
)
_NUMBERS = ("int", "int | None", "float", "Callable")
"""Types of members that are no text: counts of tokens."""
_REFERENCES = {
    "lynkrc_runtime.dispatch",
    "lynkrc_runtime.settings",
}
"""Modules whose members are what a spec says: references like ${KEY}, never what they stand for."""


def telling() -> Iterator[tuple[str, dataclasses.Field[object]]]:
    for found in pkgutil.walk_packages(lynkrc_runtime.__path__, "lynkrc_runtime."):
        if found.name.endswith("__main__") or found.name in _REFERENCES:
            continue
        module = importlib.import_module(found.name)
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and dataclasses.is_dataclass(kind)
                and kind.__module__ == found.name
            ):
                for field in dataclasses.fields(kind):
                    yield f"{found.name}.{kind.__name__}.{field.name}", field


def test_members_that_may_hold_a_secret_are_not_shown() -> None:
    shown = [
        name
        for name, field in telling()
        if _TELLING.match(field.name) and field.repr and not str(field.type).startswith(_NUMBERS)
    ]
    assert shown == []
