"""Options and fixtures of all tests."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Hundreds of programs are started here, and each would compile every module anew where the machine
# forbids to keep what it compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is no mistake: nothing fails for having taken long. The same examples each time.
settings.register_profile(
    "lynkrc",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("lynkrc")

# What is imported and collected stays: looking for garbage in it was a sixth of the time it takes.
gc.set_threshold(50_000, 20, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what comes out into the expected files instead of comparing",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True, scope="session")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What builds prove is kept for this run alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYNKRC_CACHE", str(tmp_path_factory.mktemp("proofs")))
        yield


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: what looks for garbage need not walk them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def native_notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What builds note of native libraries is this run's, and forgotten with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
