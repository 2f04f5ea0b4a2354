"""The examples in the docstrings of both packages are true."""

import doctest
import importlib
import inspect
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
    """As `doctest.testmod` runs them, but for what has none: to begin one is dear."""
    module = importlib.import_module(name)
    if str(module.__file__).endswith(".py") and ">>>" not in inspect.getsource(module):
        return
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(module):
        if test.examples:
            runner.run(test)
    assert runner.failures == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in ("lynkrc.syntax.parse", "lynkrc_runtime.protocol.sse"):
        module = importlib.import_module(name)
        assert any(test.examples for test in finder.find(module))
