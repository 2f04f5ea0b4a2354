"""The tree to a folder of packages: sdists, wheels, a bill of materials, checksums; signed.

``python deploy/packages.py FOLDER [--sign KEY] [--builder URI]``; `make dist` does it into `dist`.
Both packages are made: `lynkrc`, compiler and gateway, and `lynkrc-runtime`, the gateway alone.
The bytes follow from the files, the time of the last commit (`SOURCE_DATE_EPOCH`, where it is set,
counts instead) and the C compiler. A wheel gets the oldest manylinux tag that its library allows.

With a key, each file gets a signed SLSA provenance, and `SHA256SUMS` a signature that OpenSSL
verifies. What is signed is made of a commit: a tree with other changes is refused.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path
from runpy import run_path
from typing import Any

import hatchling.build

from lynkrc import __version__
from lynkrc.bundle.sign import SigningKey, sign_statement
from lynkrc.cli.signing_key import signing_key
from lynkrc.cli.specs import CannotRead
from lynkrc_runtime.signature import PREDICATE_TYPE, STATEMENT_TYPE, signature_path

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = (ROOT, ROOT / "runtime")
SUMS = "SHA256SUMS"
SUMS_SIGNATURE = "SHA256SUMS.sig"
SBOM = f"lynkrc-runtime-{__version__}.cdx.json"
BUILD_TYPE = "urn:lynkrc:packages:1"
"""`deploy/packages.py` of one commit; ``externalParameters`` hold the version."""
BUILDER = "urn:lynkrc:builder:local"
TOOLS = ("hatchling", "cython", "auditwheel")


class CannotMake(Exception):
    """Why there are no packages; fit to print."""


def main() -> int:
    """Make them; 2 where that cannot be done."""
    parser = argparse.ArgumentParser(description="makes what is published of this tree")
    parser.add_argument("folder", type=Path, help="emptied first")
    parser.add_argument("--sign", metavar="KEY", help="Ed25519 private key (PEM), or env:NAME")
    parser.add_argument("--builder", default=BUILDER, metavar="URI", help="who builds it")
    options = parser.parse_args()
    try:
        commit = _commit()
        if options.sign:
            _check_clean(commit)
        key = signing_key(options.sign) if options.sign else None
        os.environ.setdefault("SOURCE_DATE_EPOCH", _epoch(commit))
        folder = options.folder.resolve()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        if key is not None:
            _attest(folder, key, commit, options.builder)
        sums = "".join(f"{_sha256(one)}  {one.name}\n" for one in sorted(folder.iterdir()))
        (folder / SUMS).write_text(sums, encoding="utf-8")
        if key is not None:
            (folder / SUMS_SIGNATURE).write_bytes(key.private.sign(sums.encode()))
    except (CannotMake, CannotRead) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for one in sorted(folder.iterdir()):
        print(f"{one.stat().st_size:>9}  {one.name}")
    return 0


def make(folder: Path) -> None:
    """The packages and their bill of materials into an empty folder. Raises CannotMake."""
    hook = run_path(str(ROOT / "runtime" / "hatch_build.py"))
    library, _ = hook["build"]()
    if library is not None:
        os.environ[hook["KEPT"]] = _sha256(library)
    wheels = []
    for project in PROJECTS:
        with contextlib.chdir(project):
            hatchling.build.build_sdist(str(folder))
            wheels.append(folder / hatchling.build.build_wheel(str(folder)))
    _retag(wheels)
    sbom = run_path(str(Path(__file__).with_name("sbom.py")))
    text = sbom["print_sbom"](
        sbom["LOCK"].read_text(encoding="utf-8"), sbom["PROJECT"].read_text(encoding="utf-8")
    )
    (folder / SBOM).write_text(text, encoding="utf-8")


def _retag(wheels: list[Path]) -> None:
    """Let more machines than this kind install them, as far as auditwheel sees that they can.

    The library in all of them is the same.
    """
    if "-linux_" not in wheels[0].name:
        return
    python = (sys.executable, "-m")
    shown = json.loads(_said(*python, "auditwheel", "show", "--json", str(wheels[0])))
    tag = shown["overall_tag"]
    _said(*python, "wheel", "tags", "--remove", "--platform-tag", tag, *map(str, wheels))


def _attest(folder: Path, key: SigningKey, commit: str, builder: str) -> None:
    """Beside each file a signed statement of what it was made of."""
    for one in sorted(folder.iterdir()):
        statement = _statement(one, commit, builder)
        data = json.dumps(statement, separators=(",", ":")).encode()
        signature_path(one).write_bytes(sign_statement(data, key))


def _statement(file: Path, commit: str, builder: str) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": file.name, "digest": {"sha256": _sha256(file)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"version": __version__},
                "internalParameters": {
                    "sourceDateEpoch": os.environ["SOURCE_DATE_EPOCH"],
                    "python": sys.version.split()[0],
                    "cc": _said(sysconfig.get_config_var("CC").split()[0], "--version").partition(
                        "\n"
                    )[0],
                },
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": commit}},
                    *({"uri": f"pkg:pypi/{name}@{version(name)}"} for name in TOOLS),
                ],
            },
            "runDetails": {"builder": {"id": builder}},
        },
    }


# -- git -----------------------------------------------------------------------------------


def _commit() -> str:
    """The commit that is checked out; nothing where this is no checkout."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return ""
    return _said("git", "-C", str(ROOT), "rev-parse", "HEAD").strip()


def _epoch(commit: str) -> str:
    """When it was committed, in seconds; 1980 outside of a checkout, where a zip's time begins."""
    if not commit:
        return "315532800"
    return _said("git", "-C", str(ROOT), "show", "-s", "--format=%ct", commit).strip()


def _check_clean(commit: str) -> None:
    if not commit:
        raise CannotMake("what is signed is made of a commit, and this is no checkout of git")
    if _said("git", "-C", str(ROOT), "status", "--porcelain"):
        raise CannotMake("what is signed is made of a commit, and the tree differs from it")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _said(*words: str) -> str:
    """What a command prints. Raises CannotMake where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotMake(f"{' '.join(words)} failed\n{(done.stdout + done.stderr).strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
