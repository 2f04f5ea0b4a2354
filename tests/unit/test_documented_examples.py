"""The examples in the docstrings of the compiler are true."""

import doctest
import importlib
import pkgutil

import pytest

import lynkrc

MODULES = sorted(module.name for module in pkgutil.walk_packages(lynkrc.__path__, "lynkrc."))


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    module = importlib.import_module("lynkrc.syntax.parse")
    assert any(test.examples for test in finder.find(module))
