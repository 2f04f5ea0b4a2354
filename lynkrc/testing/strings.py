"""The class of a string, to a value that is of it.

>>> from lynkrc.ir.table import StringClass as C
>>> classes = (C(kind="absent"), C(kind="other"), C(kind="literal", text="gpt-5"),
...            C(kind="prefix", text="gpt-"))
>>> [value_of(StringWish(classes=classes, wanted=number)) for number in range(4)]
[None, 'auto', 'gpt-5', 'gpt-x']
"""

from collections.abc import Iterator

from lynkrc.ir.table import StringClass
from lynkrc.testing.wanted import StringWish
from lynkrc_runtime import dispatch
from lynkrc_runtime.string_classes import StringClasses

_OTHERS = ("auto", "something", "else", "x", "zz", "0")
_SUFFIXES = ("x", "-x", "0", "zz", "", "~")


def value_of(wish: StringWish, first: tuple[str, ...] = ()) -> str | None:
    """A value of the wanted class, one of `first` where one is; None for absent.

    None as well where nothing tried is of the class: whoever sends it has to look.
    """
    return next(values_of(wish, first), None)


def values_of(wish: StringWish, first: tuple[str, ...] = ()) -> Iterator[str]:
    """Values of the wanted class; none for absent."""
    chosen = wish.classes[wish.wanted]
    classes = classes_of(wish.classes)
    for value in (*first, *_candidates(chosen, wish.classes)):
        if classes.classify(value) == wish.wanted:
            yield value


def classes_of(classes: tuple[StringClass, ...]) -> StringClasses:
    """The classes as the extractor compares with them."""
    return StringClasses([dispatch.StringClass(kind=c.kind, text=c.text) for c in classes])


def _candidates(chosen: StringClass, classes: tuple[StringClass, ...]) -> Iterator[str]:
    match chosen.kind:
        case "literal":
            yield chosen.text
        case "prefix":
            yield from (chosen.text + suffix for suffix in _SUFFIXES)
            yield from (chosen.text + chr(code) for code in range(0x21, 0x7F))
        case "other":
            yield from _OTHERS
            taken = {one.text[:1] for one in classes}
            yield from (chr(code) for code in range(0x61, 0x7B) if chr(code) not in taken)
            yield from (f"{chr(code)}~~" for code in range(0x21, 0x7F))
        case _:
            return
