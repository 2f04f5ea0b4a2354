"""``lynkrc build --native``: a bundle with a library, or a notice and a bundle without."""

import os
import re
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc_runtime.bundle import load_bundle
from lynkrc_runtime.native_loading import NativeLibraries
from lynkrc_runtime.native_tag import native_path, native_tag
from tests.native_tools import needs_compiler
from tests.unit.cli_sample import SPEC, environment, program


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    return tmp_path


@needs_compiler
def test_a_native_bundle_holds_a_library_for_this_interpreter(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "--native", "-o", "out"]) == 0
    out, err = capsys.readouterr()
    assert "(native, " in out
    native = re.search(
        r"^  native  (\S+), ([\d,]+) bytes, by Cython \S+ and \S.*$", out, re.MULTILINE
    )
    assert native is not None and native[1] == native_tag()
    assert err == ""
    loaded = load_bundle(folder / "out")
    assert loaded.engine == "native"
    assert loaded.manifest.native == [native_tag()]
    assert int(native[2].replace(",", "")) == loaded.manifest.files[native_path()].size


@needs_compiler
def test_a_library_that_cannot_be_tried_is_not_packed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str, name: str) -> None:
        raise ImportError("nothing can be mapped here")

    monkeypatch.setattr("importlib.machinery.ExtensionFileLoader.create_module", refused)
    # None that an earlier build has mapped: equal sources make equal bytes.
    monkeypatch.setattr("lynkrc_runtime.bundle.LIBRARIES", NativeLibraries())
    assert main(["build", "--native", "--no-cache", "-o", "out"]) == 1
    err = capsys.readouterr().err
    assert "the native scorer was built, but it cannot be tried" in err
    assert "nothing can be mapped here" in err
    assert not (folder / "out").exists()


@needs_compiler
def test_a_native_build_reviews_the_same_files(folder: Path) -> None:
    assert main(["build", "--native", "-o", "out", "--quiet"]) == 0
    assert main(["build", "--check", "-o", "out", "--quiet"]) == 0


def test_without_cython_the_bundle_is_portable_and_says_so(folder: Path) -> None:
    """A site without the package, as an installation without the extra has it."""
    hidden = folder / "site"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'Cython':\n"
        "            raise ModuleNotFoundError(name)\n"
        "import importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: (\n"
        "    None if name == 'Cython' else found(name, *rest))\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    env = environment()
    env["PYTHONPATH"] = f"{hidden}{os.pathsep}{env['PYTHONPATH']}"
    done = program("build", "--native", "-o", "out", cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "note: no native scorer: Cython is not installed (pip install 'lynkrc[native]')\n"
        "      the bundle serves with the interpreted one\n"
    )
    assert "(portable, " in done.stdout
    assert load_bundle(folder / "out").engine == "python"


def test_without_a_compiler_the_bundle_is_the_portable_one(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["build", "-o", "portable", "--quiet"]) == 0
    monkeypatch.setenv("PATH", str(folder))
    assert main(["build", "--native", "-o", "out"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("note: no native scorer: ")
    assert "(portable, " in out
    bundles = [(folder / name / "sample.lynkr").read_bytes() for name in ("portable", "out")]
    assert bundles[0] == bundles[1]


@needs_compiler
def test_headers_that_may_not_be_looked_at_are_missing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a name that no system looks up, as nothing is forbidden to a superuser."""
    nowhere = folder / ("x" * 300)
    for module in ("build", "toolchain"):
        monkeypatch.setattr(f"lynkrc.native.{module}.include_folder", lambda: nowhere)
    assert main(["build", "--native", "-o", "out"]) == 0
    assert (
        "note: no native scorer: the headers of Python are not installed, or may not be read "
        f"({nowhere})\n"
    ) in capsys.readouterr().err
