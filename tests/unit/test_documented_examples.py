"""The examples in the docstrings of both packages are true."""

import doctest
import importlib
import pkgutil

import pytest

import lynkrc
import lynkrc_runtime

MODULES = sorted(
    module.name
    for package in (lynkrc, lynkrc_runtime)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in ("lynkrc.syntax.parse", "lynkrc_runtime.protocol.sse"):
        module = importlib.import_module(name)
        assert any(test.examples for test in finder.find(module))
