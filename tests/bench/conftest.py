"""The processes, once for all measurements."""

from collections.abc import Iterator

import pytest

from tests.bench.processes import Setting, running


@pytest.fixture(scope="session")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    with running(tmp_path_factory.mktemp("bench")) as setting:
        yield setting
