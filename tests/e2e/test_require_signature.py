"""A gateway that serves only what trusted keys have signed, at its start and at every reload."""

import os
import shutil
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc_runtime.__main__ import main as runtime
from lynkrc_runtime.bundle import load_opened, open_bundle
from lynkrc_runtime.signature import NO_KEYS, Trust, read_trusted_key, signature_path
from tests.e2e import versions
from tests.e2e.gateway import serving
from tests.e2e.test_reload_process import metrics, readiness, reload, serves
from tests.native_tools import needs_compiler
from tests.runtime.test_tampering import signature
from tests.signing_keys import signing_key, write_pair
from tests.unit.cli_sample import SPEC


def refused(capsys: pytest.CaptureFixture[str], bundle: Path, *options: str) -> str:
    """What a gateway says that does not start."""
    assert runtime(["serve", str(bundle), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def signed(folder: Path, number: int, seed: int) -> Path:
    """Version `number` with a signature of a key; the signature comes first, as a build does it."""
    (folder / "next").mkdir(exist_ok=True)
    new = versions.write(folder / "next", number)
    bundle = folder / "by-hand.lynkr"
    signature_path(bundle).write_bytes(signature(new, signing_key(seed)))
    return new.replace(bundle)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_reload_brings_in_only_what_is_signed(tmp_path: Path, workers: str) -> None:
    _, first = write_pair(tmp_path, "first", 1)
    _, second = write_pair(tmp_path, "second", 2)
    options = (
        "--require-signature",
        *("--trusted-key", str(first), "--trusted-key", str(second)),
        *("--workers", workers),
    )
    bundle = signed(tmp_path, 1, seed=1)
    with serving(bundle, tmp_path / "log", options) as gateway:
        assert serves(gateway) == 1
        # What keys are trusted was settled at the start.
        first.unlink()
        signed(tmp_path, 2, seed=2)
        assert reload(gateway)["result"] == "reloaded"
        assert serves(gateway) == 2

        # Not signed by anybody who is trusted.
        signed(tmp_path, 3, seed=3)
        told = reload(gateway, 409)
        assert "which is not trusted" in str(told)
        assert "bundle-" not in str(told)
        # Signed, and another file.
        versions.write(tmp_path, 4)
        signature_path(bundle).write_bytes(signature(signed(tmp_path / "next", 5, seed=1)))
        assert "about another file" in str(reload(gateway, 409))
        # Not signed.
        signature_path(bundle).unlink()
        told = str(reload(gateway, 409))
        assert f"there is no {bundle.name}.intoto.jsonl" in told
        # Nothing that could be waited for.
        os.mkfifo(signature_path(bundle))
        told = str(reload(gateway, 409))
        assert "not a plain file" in told and "bundle-" not in told
        bundle.unlink()
        os.mkfifo(bundle)
        assert f"{bundle}: cannot be read: not a plain file" in str(reload(gateway, 409))
        signature_path(bundle).unlink()
        assert serves(gateway) == 2
        ready = readiness(gateway)
        assert (ready["http"], ready["status"]) == (200, "degraded")
        assert 'lynkr_reloads_total{result="failed"} 5.0' in metrics(gateway)

        signed(tmp_path, 6, seed=1)
        assert reload(gateway)["result"] == "reloaded"
        assert serves(gateway) == 6
        assert readiness(gateway)["status"] == "ready"
        assert gateway.stop() == 0


def test_a_start_needs_a_signature_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lynkrc_runtime.__main__._spare_collector", lambda: None)
    secret, public = write_pair(tmp_path, "first", 1)
    bundle = versions.write(tmp_path, 1)
    needs = ("--require-signature", "--trusted-key", str(public))
    told = refused(capsys, bundle, *needs)
    assert told.startswith(f"lynkrc-runtime: error: {bundle}: not signed: there is no ")
    told = refused(capsys, bundle, "--require-signature")
    assert "--require-signature needs --trusted-key FILE" in told
    assert "is a private key" in refused(capsys, bundle, "--trusted-key", str(secret))
    assert "cannot be read: No such" in refused(capsys, bundle, "--trusted-key", "none.pem")
    signed(tmp_path, 1, seed=2)
    assert "which is not trusted" in refused(capsys, bundle, *needs)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle with native code, and where it is noted that it was built by us."""
    folder = tmp_path_factory.mktemp("native")
    spec, out, state = folder / "routing.yaml", folder / "out", folder / "state"
    spec.write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        assert main(["build", str(spec), "-o", str(out), "--native", "--quiet"]) == 0
    return out / "sample.lynkr", state


def copied(bundle: Path, folder: Path) -> Path:
    """A copy of a bundle that a test may sign, and sign otherwise."""
    return Path(shutil.copytree(bundle.parent, folder / "out")) / bundle.name


@needs_compiler
def test_native_code_runs_only_where_it_is_trusted(
    tmp_path: Path, native: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, public = write_pair(tmp_path, "first", 1)
    bundle, state = copied(native[0], tmp_path), str(native[1])
    monkeypatch.setenv("XDG_STATE_HOME", state)
    trust = Trust(keys=(read_trusted_key(public),))

    def engine(trust: Trust = NO_KEYS) -> str:
        loaded = load_opened(open_bundle(bundle, trust))
        refused = "no trusted signature and was not built by this user on this machine"
        assert (loaded.engine == "python") == (refused in (loaded.notice or ""))
        return loaded.engine

    assert engine() == "native"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    assert engine() == "python"
    assert engine(trust) == "python"
    # The library is the same when it is made anew, so it may be signed wherever it is.
    assert main(["sign", str(bundle), "--key", str(secret)]) == 0
    assert engine() == "python"
    assert engine(trust) == "native"

    log = tmp_path / "log"
    with serving(bundle, log, environ={"XDG_STATE_HOME": state}) as gateway:
        assert gateway.ready["engine"] == "native"
        assert gateway.stop() == 0
    with serving(bundle, log) as gateway:
        assert gateway.ready["engine"] == "python"
        (line,) = [line for line in gateway.lines if line["event"] == "engine"]
        assert "(neither XDG_STATE_HOME nor HOME names a folder)" in line["notice"]
        assert gateway.stop() == 0


@needs_compiler
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_reload_that_loses_trust_loses_the_native_code(
    tmp_path: Path, native: tuple[Path, Path], workers: str
) -> None:
    """Also where the very library is mapped already, and readiness, metric and log tell it."""
    secret, public = write_pair(tmp_path, "first", 1)
    bundle = copied(native[0], tmp_path)
    assert main(["sign", str(bundle), "--key", str(secret)]) == 0
    kept = signature_path(bundle).read_bytes()
    options = ("--trusted-key", str(public), "--workers", workers)
    with serving(bundle, tmp_path / "log", options) as gateway:
        for engine in ("native", "python", "native"):
            if engine == "python":
                signature_path(bundle).unlink()
            else:
                signature_path(bundle).write_bytes(kept)
            reload(gateway)
            ready = readiness(gateway)
            assert ready["engine"] == engine
            told = [line for line in metrics(gateway) if "lynkr_build_info{" in line]
            assert told and all(f'engine="{engine}"' in line for line in told)
        assert gateway.stop() == 0
    lines = [line for line in gateway.lines if line["event"] == "engine"]
    assert len(lines) == int(workers)
    assert all("no trusted signature" in line["notice"] for line in lines)
