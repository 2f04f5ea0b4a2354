"""A method to an attribute that is worked out when it is first read.

`functools.cached_property` takes a lock for that (until Python 3.12), at many times the price.

>>> class Ask:
...     @once
...     def words(self):
...         print("counting")
...         return 2
>>> ask = Ask()
>>> ask.words + ask.words
counting
4
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, final

_T = TypeVar("_T")


@final
class once(Generic[_T]):
    """For classes with a `__dict__`: later reads find the value there and never come here."""

    def __init__(self, work_out: Callable[[Any], _T]) -> None:
        self.__doc__ = work_out.__doc__
        self._work_out = work_out
        self._name = work_out.__name__

    def __get__(self, instance: Any, owner: type) -> _T:
        value: _T = self._work_out(instance)
        # Not by way of `__dict__`: what has none yet would have to make one.
        setattr(instance, self._name, value)
        return value
