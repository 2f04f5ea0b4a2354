"""What is published: two packages, each as sdist and wheel, checksums, a bill of materials."""

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from lynkrc.cli.main import main as lynkrc
from lynkrc_runtime.__main__ import parser
from lynkrc_runtime.signature import Trust, read_trusted_key, signature_path, verified
from tests.made_packages import SPEC, environ, one, packages
from tests.native_tools import needs_compiler
from tests.signing_keys import write_pair

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
KERNEL = "lynkrc_runtime/scan/_kernel.abi3.so"
MESSAGE = {"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages(tmp_path_factory)


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def project(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- both packages -------------------------------------------------------------------------


def test_the_sums_are_those_of_every_file(dist: Path) -> None:
    told = dict(
        line.split("  ")[::-1] for line in (dist / "SHA256SUMS").read_text("utf-8").splitlines()
    )
    assert told == {path.name: sha256(path) for path in dist.iterdir() if path.name != "SHA256SUMS"}
    kinds = sorted(re.sub(r"-0\.1\.0(-.*(?=\.whl))?", "", name) for name in told)
    assert kinds == [
        *("lynkrc-runtime.cdx.json", "lynkrc.tar.gz", "lynkrc.whl"),
        *("lynkrc_runtime.tar.gz", "lynkrc_runtime.whl"),
    ]


@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel knows Linux")
def test_a_wheel_names_the_oldest_system_it_runs_on(dist: Path) -> None:
    for wheel in dist.glob("*.whl"):
        assert re.search(r"-cp311-abi3-(manylinux|musllinux)_\d+_\d+_\w+\.whl$", wheel.name)
        said = members(wheel)[f"{wheel.name.rpartition('-0.1.0-')[0]}-0.1.0.dist-info/WHEEL"]
        assert f"Tag: {wheel.stem.partition('-0.1.0-')[2]}".encode() in said.splitlines()


def test_both_wheels_hold_the_same_gateway(dist: Path) -> None:
    whole, alone = members(one(dist, "lynkrc-*.whl")), members(one(dist, "lynkrc_runtime-*.whl"))
    ours = {name for name in whole if name.startswith("lynkrc_runtime/")}
    assert ours == {name for name in alone if ".dist-info/" not in name}
    assert {name for name in ours if whole[name] != alone[name]} == set()


def test_both_say_the_same_of_the_gateway() -> None:
    whole, alone = project("pyproject.toml"), project("runtime/pyproject.toml")
    assert whole["build-system"] == alone["build-system"]
    wanted = (ROOT / "deploy" / "requirements-build.in").read_text("utf-8").split()
    assert wanted[:-1] == alone["build-system"]["requires"] and wanted[-1].startswith("uv")
    for key in ("version", "license", "license-files", "requires-python"):
        assert whole["project"][key] == alone["project"][key]
    assert set(alone["project"]["dependencies"]) <= set(whole["project"]["dependencies"])
    extras = whole["project"]["optional-dependencies"]
    assert alone["project"]["optional-dependencies"].items() <= extras.items()
    for name in alone["project"]["license-files"]:
        assert (ROOT / name).read_bytes() == (ROOT / "runtime" / name).read_bytes()


# -- from the sdists -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def unpacked(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both sdists, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    for path in dist.glob("*.tar.gz"):
        subprocess.run(["tar", "-xzf", path, "-C", folder], check=True)
    return folder


def test_an_sdist_of_an_sdist_is_the_same(dist: Path, unpacked: Path) -> None:
    name = "lynkrc_runtime-0.1.0"
    out = unpacked / f"{name}-again"
    words = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory"]
    subprocess.run(
        [*words, out], cwd=unpacked / name, env=environ(), capture_output=True, check=True
    )
    assert (out / f"{name}.tar.gz").read_bytes() == (dist / f"{name}.tar.gz").read_bytes()


def test_sdists_hold_what_the_kernel_is_compiled_of(unpacked: Path) -> None:
    folder = ROOT / "runtime" / "lynkrc_runtime" / "scan"
    kinds = ("*.[ch]", "*.pxi", "*.pyx", "kernel_sources.py")
    sources = {path.name for kind in kinds for path in folder.glob(kind)}
    for inside in ("lynkrc-0.1.0/runtime", "lynkrc_runtime-0.1.0"):
        found = {path.name for path in (unpacked / inside / "lynkrc_runtime/scan").iterdir()}
        assert sources - {"_kernel.c"} <= found


def test_without_a_compiler_the_wheel_is_pure_and_says_so(dist: Path, unpacked: Path) -> None:
    """Made of the sdist, it is else the published one."""
    code = (
        "import sysconfig, hatchling.build, sys\n"
        "sysconfig.get_config_vars()['CC'] = 'no-such-compiler'\n"
        "print(hatchling.build.build_wheel(sys.argv[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(unpacked)],
        cwd=unpacked / "lynkrc-0.1.0",
        env=environ(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "the scan kernel is not built, the portable form serves" in said
    assert "there is no C compiler (no-such-compiler)" in said
    wheel = unpacked / done.stdout.split()[-1]
    assert wheel.name.endswith("-py3-none-any.whl")
    pure, published = members(wheel), members(one(dist, "lynkrc-*.whl"))
    for found in (pure, published):
        for name in [name for name in found if name.endswith((".dist-info/WHEEL", "/RECORD"))]:
            del found[name]
    published.pop(KERNEL, None)
    assert pure == published


# -- installed -----------------------------------------------------------------------------


def installed(folder: Path, *what: str | Path, path: str) -> Path:
    """The programs of an empty environment with this alone; `path` is where a compiler may be.

    What others have made comes from the environment of the tests, so this does not show that the
    requirements are those that are named.
    """
    venv = [sys.executable, "-m", "venv", "--without-pip", folder]
    subprocess.run(venv, check=True, capture_output=True)
    site = one(folder, "lib/python3.*/site-packages")
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"]
    done = subprocess.run(
        [*pip, "--quiet", "--no-deps", "--no-index", "--no-compile", *what],
        env=environ() | {"PATH": path},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def served(*words: str | Path, cwd: Path) -> str:
    """What a gateway started by these words says, which answers one request on the simulator."""
    ports = ["--port", "0", "--admin-port", "0", "--stop-delay", "0", "--dry-run"]
    running = subprocess.Popen(
        [*words, *ports],
        cwd=cwd,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert running.stdout is not None and running.stderr is not None
    try:
        first = running.stdout.readline()
        assert first, running.stderr.read()
        ready = json.loads(first)
        request = urllib.request.Request(
            f"{ready['url']}/v1/messages",
            data=json.dumps(MESSAGE).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as got:
            assert json.load(got)["content"][0]["text"]
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
        assert running.returncode == 0, err
        return err
    finally:
        running.kill()
        running.communicate()


@needs_compiler
def test_what_is_installed_serves(dist: Path, tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_text(SPEC, encoding="utf-8")
    assert lynkrc(["build", str(tmp_path / "routing.yaml"), "-o", str(tmp_path / "out")]) == 0
    wheel = one(dist, "lynkrc-*.whl")
    whole = installed(tmp_path / "whole", wheel, path=os.environ["PATH"])
    assert "scan kernel" not in served(whole / "lynkrc", "serve", "out", cwd=tmp_path)
    # The gateway alone, made of its sdist as pip makes it where no wheel fits; here there is no
    # compiler, with which the image makes its own.
    source = one(dist, "lynkrc_runtime-*.tar.gz")
    alone = installed(tmp_path / "alone", "--no-build-isolation", source, path=str(tmp_path))
    assert {path.name for path in alone.glob("lynkrc*")} == {"lynkrc-runtime"}
    assert "scan kernel" in served(alone / "lynkrc-runtime", "serve", "out", cwd=tmp_path)


# -- bill of materials, signatures ---------------------------------------------------------


def test_the_bill_of_materials_is_valid_and_names_what_is_locked(dist: Path) -> None:
    text = one(dist, "*.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/lynkrc-runtime@0.1.0"
    assert "timestamp" not in bill["metadata"]
    lock = (ROOT / "deploy" / "requirements-image.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)
    assert sorted((one["name"], one["version"]) for one in bill["components"]) == sorted(pins)
    hashes = {
        digest["content"]
        for component in bill["components"]
        for reference in component["externalReferences"]
        for digest in reference["hashes"]
    }
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock))


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """`deploy/packages.py` for a small checkout of git, with packages that are quick to make."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for words in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-q", "--allow-empty", "-m1"],
    ):
        subprocess.run(["git", "-C", checkout, *words], check=True)
    loaded = run_path(str(ROOT / "deploy" / "packages.py"))
    inside = loaded["main"].__globals__
    monkeypatch.setitem(inside, "ROOT", checkout)
    monkeypatch.setitem(inside, "make", lambda folder: (folder / "a.whl").write_bytes(b"wheel"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    return {"main": loaded["main"], "checkout": checkout}


def test_what_is_signed_verifies_and_names_its_commit(
    tool: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, public = write_pair(tmp_path, "release", 7)
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["packages.py", str(out), "--sign", str(secret)])
    assert tool["main"]() == 0
    key = read_trusted_key(public)
    trust = Trust(keys=(key,), is_required=True)
    file = out / "a.whl"
    assert verified(signature_path(file), sha256(file), trust) == (key.id,)
    [line] = signature_path(file).read_bytes().splitlines()
    statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
    head = subprocess.run(
        ["git", "-C", tool["checkout"], "rev-parse", "HEAD"], capture_output=True, check=True
    )
    definition = statement["predicate"]["buildDefinition"]
    source = {"name": "source", "digest": {"gitCommit": head.stdout.decode().strip()}}
    assert source in definition["resolvedDependencies"]
    sums = (out / "SHA256SUMS").read_bytes()
    (out / "release.pub.pem").write_bytes(public.read_bytes())
    assert b"a.whl.intoto.jsonl" in sums
    # As the page says, by who has downloaded two of the files.
    signature_path(file).unlink()
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    assert commands.count("\n") == 2
    assert checked(commands, out) == 0
    (out / "SHA256SUMS").write_bytes(sums + b"\n")
    assert checked(commands, out) != 0
    (out / "SHA256SUMS").write_bytes(sums)
    file.write_bytes(b"Wheel")
    assert checked(commands, out) != 0


def checked(commands: str, folder: Path) -> int:
    """How they end, at the first that fails."""
    return subprocess.run(
        ["sh", "-ec", commands], cwd=folder, capture_output=True, check=False
    ).returncode


def test_the_page_names_what_there_is() -> None:
    extras = project("pyproject.toml")["project"]["optional-dependencies"]
    rows = dict(re.findall(r"^\| `(\w+)` \| (both|`lynkrc`) \|", PAGE, re.MULTILINE))
    assert rows.keys() == extras.keys()
    alone = project("runtime/pyproject.toml")["project"]["optional-dependencies"]
    assert {name for name, of in rows.items() if of == "both"} == alone.keys()
    for words in re.findall(
        r"(?:^|`)(?:\S+/)?(lynkrc(?:-runtime serve)? [^`\n]*\.lynkr[^`\n]*)", PAGE, re.M
    ):
        [_, *arguments] = words.replace("-runtime serve", "").split()
        assert parser().parse_args(["serve", *arguments]).place.endswith(".lynkr")
    targets = set(re.findall(r"`?make (\w+)", PAGE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {name for name in targets if f"\n{name}:" not in makefile} == set()


def test_a_tree_with_changes_is_not_signed(
    tool: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret, _ = write_pair(tmp_path, "release", 7)
    (tool["checkout"] / "new.txt").touch()
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["packages.py", str(out), "--sign", str(secret)])
    assert tool["main"]() == 2
    assert "the tree differs from it" in capsys.readouterr().err
    assert not out.exists()
