"""What holds a secret or a prompt never shows it by `repr`: that is how things get into logs."""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator

import lynkrc_runtime

_TELLING = re.compile(
    r"^(headers|environ|body|input|output|secrets?|tokens?|password|api_key|credentials?|proxy|private_key)$"
)
_TEXT = re.compile(r"str|bytes|Mapping|dict|Body|Any")
"""In the type of a member that can hold one; counts of tokens cannot."""
_HARMLESS = {"lynkrc_runtime.providers.links.Told.proxy"}
"""Made to be shown: the proxy without its login."""
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
        if _TELLING.match(field.name)
        and field.repr
        and _TEXT.search(str(field.type))
        and name not in _HARMLESS
    ]
    assert shown == []
