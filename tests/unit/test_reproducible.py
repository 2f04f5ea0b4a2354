"""Same source, same bytes: wherever, by whomever and in whatever language it is built."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from lynkrc_runtime.bundle import open_bundle
from tests.native_tools import needs_compiler
from tests.unit.cli_sample import ROOT, environment

BUILD = (sys.executable, "-m", "lynkrc", "build", "routing.yaml", "-o", "out", "--quiet")
NOBODY = 65534
EXAMPLE = ROOT / "examples" / "privacy" / "routing.yaml"

WAYS: dict[str, dict[str, str]] = {
    "bytes and a seed": {
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONHASHSEED": "1",
        "SOURCE_DATE_EPOCH": "1",
    },
    "another user's": {
        "LC_ALL": "C.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "LANGUAGE": "tr",
        "TZ": "Pacific/Chatham",
        "USER": "somebody",
        "LOGNAME": "somebody",
        "HOME": "/nonexistent",
        "PYTHONHASHSEED": "4242",
    },
}
"""Each differs from the usual in all of this at once: that nothing of it counts is the claim."""


def built(
    folder: Path,
    *more: str,
    command: Sequence[str] = BUILD,
    umask: int = 0o022,
    user: int | None = None,
    **variables: str,
) -> bytes:
    """The bundle that a process of its own builds in a folder, with no proofs kept before."""
    folder.mkdir(parents=True)
    shutil.copyfile(EXAMPLE, folder / "routing.yaml")
    if user is not None:
        # It becomes that user by itself.
        os.chown(folder, user, user)
    state = {"LYNKRC_CACHE": "", "XDG_STATE_HOME": str(folder / "state")}
    done = subprocess.run(
        [*command, *more],
        cwd=folder,
        env=environment(**state, **variables),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=300,
        check=False,
        umask=umask,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder / "out" / "privacy.lynkr").read_bytes()


NATIVE = () if needs_compiler.args[0] else ("--native",)
"""Native code belongs to what is compared, where this machine can compile it."""


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return built(tmp_path_factory.mktemp("usual") / "here", *NATIVE, PYTHONHASHSEED="2")


@pytest.fixture(scope="module")
def portable(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Without native code, in the other way; as another user, where one may become one."""
    folder, variables = tmp_path_factory.mktemp("test_theirs"), WAYS["another user's"]
    if os.geteuid() != 0:
        return built(folder / "out", umask=0o077, **variables)
    open_to_all(folder)
    command = (sys.executable, "-c", AS_ANOTHER.format(user=NOBODY))
    bundle = built(folder / "place", command=command, user=NOBODY, **variables)
    assert (folder / "place" / "out" / "privacy.lynkr").stat().st_uid == NOBODY
    return bundle


def test_the_bundle_is_the_same(tmp_path: Path, usual: bytes) -> None:
    temporary = tmp_path / "another folder for temporary files"
    temporary.mkdir()
    way = WAYS["bytes and a seed"] | {"TMPDIR": str(temporary)}
    assert built(tmp_path / "ein anderer Ordner, mit ä", *NATIVE, umask=0o077, **way) == usual


def test_the_portable_bundle_is_the_rest_of_the_native_one(
    tmp_path: Path, usual: bytes, portable: bytes
) -> None:
    for name, bundle in (("usual", usual), ("portable", portable)):
        (tmp_path / name).write_bytes(bundle)
    files = dict(open_bundle(tmp_path / "usual").files)
    libraries = [name for name in files if name.startswith("native/")]
    assert len(libraries) == len(NATIVE)
    for name in libraries:
        assert b"/here" not in files.pop(name)
    assert files == dict(open_bundle(tmp_path / "portable").files)


AS_ANOTHER = """\
import os, sys
from lynkrc.cli.main import main
words = ["build", "routing.yaml", "--quiet", "-o"]
# First as who we are: another user may not be able to read this Python's modules.
assert main([*words, "warm"]) == 0
os.setgroups([])
os.setgid({user})
os.setuid({user})
sys.exit(main([*words, "out"]))
"""


def open_to_all(path: Path) -> None:
    """Let every user reach a folder of this test's."""
    for folder in (path, *path.parents):
        if folder.name.startswith(("pytest-", "test_")):
            folder.chmod(0o755)


def others() -> list[str]:
    """Every other CPython of 3.11 or later on the path."""
    found: dict[Path, str] = {}
    for folder in os.get_exec_path():
        for minor in range(11, 30):
            path = Path(folder) / f"python3.{minor}"
            if path.is_file() and minor != sys.version_info.minor:
                found.setdefault(path.resolve(), str(path))
    return list(found.values())


def test_other_interpreters_build_the_same(tmp_path: Path, portable: bytes) -> None:
    """With this one's packages where those load there; which were tried is in the report."""
    tried: list[str] = []
    unfit: list[str] = []
    packages = sysconfig.get_path("purelib")
    for number, python in enumerate(others()):
        paths = os.pathsep.join((str(ROOT), str(ROOT / "runtime"), packages))
        for own in ("", packages):
            env = environment() | {"PYTHONPATH": paths if own else environment()["PYTHONPATH"]}
            probe = subprocess.run(
                [python, "-c", "import lynkrc.cli.verified, lynkrc.analysis.study, msgspec"],
                env=env,
                capture_output=True,
                check=False,
            )
            if probe.returncode == 0:
                break
        else:
            unfit.append(f"{python} lacks the dependencies")
            continue
        command = (python, *BUILD[1:])
        folder = tmp_path / f"other-{number}"
        assert built(folder, command=command, PYTHONPATH=env["PYTHONPATH"]) == portable, python
        tried.append(python)
    if not tried:
        pytest.skip(f"no other CPython here builds: {'; '.join(unfit) or 'there is none on PATH'}")
    print(f"built the same: {', '.join(tried)}; not tried: {'; '.join(unfit) or 'none'}")
