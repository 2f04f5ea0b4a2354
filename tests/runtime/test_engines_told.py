"""Which scorer and which kernel serve, and why it is not the native one: log, readiness, metric."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lynkrc.bundle.pack import pack
from lynkrc_runtime.bundle import native_path
from lynkrc_runtime.native_trust import record_built_here
from lynkrc_runtime.scan import engines
from lynkrc_runtime.server import process, readiness, serving
from lynkrc_runtime.server.gateway import read_policy
from lynkrc_runtime.server.joined import readiness as joined_readiness
from lynkrc_runtime.server.serving import tell_parts
from lynkrc_runtime.telemetry.log import Log
from tests.e2e import versions
from tests.runtime.test_bundle_load import ARTIFACTS, REPORT, put
from tests.runtime.test_reload_parts import reloader

LOST = "the portable scan kernel serves: it is not built"


@pytest.fixture
def lost_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "kernel_name", lambda: "portable")
    monkeypatch.setattr(readiness, "kernel_name", lambda: "portable")
    monkeypatch.setattr(readiness, "kernel_notice", lambda: LOST)
    monkeypatch.setattr(serving, "kernel_notice", lambda: LOST)


@pytest.fixture
def native_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "kernel_name", lambda: "native")
    monkeypatch.setattr(readiness, "kernel_name", lambda: "native")
    monkeypatch.setattr(readiness, "kernel_notice", lambda: None)
    monkeypatch.setattr(serving, "kernel_notice", lambda: None)


@pytest.fixture
def engines_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The choice is made again while the extension cannot be imported, and again afterwards."""
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "lynkrc_runtime.scan._kernel", None)
        importlib.reload(engines)
        yield
    importlib.reload(engines)


@pytest.mark.usefixtures("lost_kernel")
async def test_a_lost_kernel_is_told_in_readiness_and_metric(tmp_path: Path) -> None:
    _, site, served = reloader(versions.write(tmp_path, 1))
    code, answer = readiness.readiness(site, 0.0, detailed=True)
    assert (code, answer["engine"], answer["kernel"]) == (200, "python", "portable")
    assert LOST in answer["notices"] and len(answer["notices"]) == 2
    _, public = readiness.readiness(site, 0.0, detailed=False)
    assert "notices" not in public and public["kernel"] == "portable"
    told = served.metrics.render().decode()
    (line,) = (one for one in told.splitlines() if one.startswith("lynkr_build_info{"))
    assert 'engine="python"' in line and 'kernel="portable"' in line


@pytest.mark.usefixtures("native_kernel")
async def test_the_native_kernel_is_told_without_a_notice(tmp_path: Path) -> None:
    _, site, served = reloader(versions.write(tmp_path, 1))
    _, answer = readiness.readiness(site, 0.0, detailed=True)
    assert answer["kernel"] == "native"
    assert answer["notices"] == [site.gateway.policy.notice]
    assert b'kernel="native"' in served.metrics.render()


@pytest.mark.parametrize(
    ("native", "why"),
    [
        ({}, "no native code in the bundle"),
        ({"native/other-tag/scorer.so": b"\x7fELF"}, ", only for other-tag: the Python scorer"),
        ({native_path(): b"\x7fELF\x02\x01\x01" + bytes(9)}, "the native scorer"),
        ({native_path(): b"MZ" + bytes(400)}, "the native scorer"),
    ],
    ids=["none", "another-platform", "cut-short", "foreign"],
)
@pytest.mark.usefixtures("lost_kernel")
def test_what_does_not_serve_is_logged(tmp_path: Path, native: dict[str, bytes], why: str) -> None:
    for library in native.values():
        record_built_here(library, os.environ)  # trusted, to see what becomes of it
    policy = read_policy(put(tmp_path, pack(ARTIFACTS, report=REPORT, native=native)))
    assert policy.engine == "python"
    lines: list[bytes | str] = []
    tell_parts(policy, Log(write=lines.append))
    engine, kernel = (str(line) for line in lines[:2])
    assert '"event":"engine"' in engine and why in engine
    assert '"event":"kernel"' in kernel and LOST in kernel


@pytest.mark.usefixtures("engines_anew")
def test_an_extension_that_is_not_there_is_the_portable_kernel() -> None:
    assert engines.kernel_name() == "portable"
    notice = engines.kernel_notice()
    assert notice is not None and "portable scan kernel serves" in notice


@pytest.mark.skipif(engines.kernel_name() == "portable", reason="the native kernel is not built")
def test_an_extension_of_other_sources_is_the_portable_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "lynkrc_runtime.scan.kernel_sources.kernel_sources"
    try:
        with monkeypatch.context() as changed:
            changed.setattr(name, lambda: 1)
            importlib.reload(engines)
            assert engines.kernel_name() == "portable" and engines.native_count is None
            assert "it is not built of the sources beside it" in str(engines.kernel_notice())
            # A package may come without the sources.
            changed.setattr(name, lambda: None)
            importlib.reload(engines)
            assert engines.kernel_name() == "native"
    finally:
        importlib.reload(engines)


def test_workers_tell_what_each_of_them_tells() -> None:
    members = {"status": "ready", "engine": "python", "kernel": "portable", "degraded": []}
    code, answer = joined_readiness(
        [(200, {**members, "notices": [LOST, "a"]}), (200, {**members, "notices": ["a"]})],
        wanted=2,
        trouble=None,
        is_stopping=False,
        bundle="d" * 64,
        name="n",
    )
    assert (code, answer["kernel"], answer["notices"]) == (200, "portable", [LOST, "a"])
