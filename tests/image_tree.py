"""A Dockerfile to the tree of its last stage, without an engine: its own commands in clean trees.

Each stage is a folder that holds nothing but what the Dockerfile puts there. Commands run with it
as their root, in namespaces of their own; of this machine they see, to read only, what a base image
brings: the system's programs and Python as `/usr/local/bin/python`. They have no network: what is
installed are the wheels of `tests/kept_wheels.py`, by a lock of these. What this does not show: the
base image itself, its Python's version and its pip, layers, Debian packages, whose step is left
out, and that a registry has what the real locks name.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Literal, TypeAlias

import pytest
from dockerfile_parse import DockerfileParser
from pathspec import PathSpec

from tests.kept_wheels import kept_wheels

PATIENCE = 300
"""Seconds a step may take."""
PATHS = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
SYSTEM = ("env", f"PATH={PATHS}")
"""Whoever runs the tests need not have `chroot` on their path."""
KEPT = "kept-wheels"
OURS = {
    **{"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"/{KEPT}"},
    **{"UV_NO_CONFIG": "1", "UV_OFFLINE": "1", "UV_FIND_LINKS": f"/{KEPT}"},
    # Of the environment of the tests: an interpreter that is no image's need not have one.
    "PYTHONPATH": f"/{KEPT}/pip",
    # Bytecode is most of what installing costs, and nothing here is about it.
    **{"PIP_COMPILE": "0", "UV_COMPILE_BYTECODE": "0"},
}
"""Where packages come from, whatever this machine's own settings are."""
LEFT_OUT = "apt-get "

Kind: TypeAlias = Literal["build", "bare"]
_LOOPBACK = (
    "import fcntl, socket, struct; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x41))"
)
_ENTER = """\
set -e
root=$1 python=$2 base=$3 kind=$4; shift 4
mount --bind "$root" "$root"
show() { mkdir -p "$root$1"; mount --rbind "$1" "$root$1"; mount -o remount,bind,ro "$root$1"; }
for one in bin sbin lib lib32 lib64; do
    [ -L "$root/$one" ] || [ ! -L "/$one" ] || ln -s "$(readlink "/$one")" "$root/$one"
    [ -L "/$one" ] || [ ! -d "/$one" ] || show "/$one"
done
show /usr; show /etc
mkdir -p "$root/dev" "$root/proc" "$root/tmp"
chmod 1777 "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
case $base in
    /usr) mount -t tmpfs tmpfs "$root/usr/local"
        mkdir "$root/usr/local/bin"
        ln -s "$python" "$root/usr/local/bin/python" ;;
    *) mount --bind "$base" "$root/usr/local"
        mount -o remount,bind,ro "$root/usr/local"
        show "$base" ;; # where its shared library may be looked for
esac
case $kind in
    build) ;;
    *) "$python" -c "$LOOPBACK"
        mount -o remount,bind,ro "$root" ;;
esac
exec "$@"
"""


@dataclass(kw_only=True)
class Stage:
    """A stage as its instructions have left it."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATHS})
    cwd: str = "/"
    user: str = "0:0"
    words: dict[str, list[str]] = field(default_factory=dict)
    """ENTRYPOINT, CMD, HEALTHCHECK."""

    def command(self, words: list[str], kind: Kind = "build") -> list[str]:
        """What runs these words inside.

        They have a network of their own; ``bare``, beside a build, the tree is to read only.
        """
        return [
            *(*SYSTEM, "unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"),
            *("sh", "-c", _ENTER, "sh", str(self.root)),
            *(os.path.realpath(sys.executable), sys.base_prefix),
            kind,
            *self.inside(words),
        ]

    def inside(self, words: list[str]) -> list[str]:
        """What enters the tree as its user, with its variables and folder, and becomes `words`."""
        env = [f"{name}={value}" for name, value in self.env.items()]
        return [
            *("chroot", f"--userspec={self.user}", str(self.root)),
            *("/usr/bin/env", "-i", "-C", self.cwd, *env, *words),
        ]

    def path(self, inside: str) -> Path:
        """Where a path of the tree is, seen from its folder."""
        return self.root / os.path.normpath(Path(self.cwd) / inside).lstrip("/")


@dataclass(kw_only=True)
class Built:
    """The last stage, and the commands of all of them."""

    image: Stage
    stages: dict[str, Stage]
    ran: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The folder that is built from, less what is ignored, and what comes from elsewhere."""

    folder: Path
    spec: PathSpec
    kept: Path
    """Wheels, pip, and the locks of these wheels by their names."""

    def ignored(self, folder: str, names: list[str]) -> set[str]:
        """Which of these names of a folder are not there for a build."""
        inside = Path(folder).relative_to(self.folder)
        return {name for name in names if self.spec.match_file(inside / name)}


def context_of(folder: Path, dockerfile: Path, kept: Path) -> Context:
    """The context as the Dockerfile's own list of what is ignored leaves it; `kept` is filled."""
    ignored = Path(f"{dockerfile}.dockerignore").read_text(encoding="utf-8")
    spec = PathSpec.from_lines("gitignore", ignored.splitlines())
    for lock in (folder / "deploy").glob("requirements-*.lock"):
        (kept / lock.name).write_text(kept_wheels(lock, kept), encoding="utf-8")
    pip = find_spec("pip")
    assert pip is not None and pip.origin is not None, "the environment of the tests has no pip"
    (kept / "pip").mkdir()
    shutil.copytree(Path(pip.origin).parent, kept / "pip" / "pip")
    return Context(folder=folder, spec=spec, kept=kept)


def check_namespaces() -> None:
    """Leave the test out where this machine gives no namespaces, as containers mostly do not."""
    inside = "mount -t proc proc /proc && mount -t tmpfs tmpfs /mnt && chroot / true"
    trial = [*SYSTEM, "unshare", "--mount", "--pid", "--net", "--fork", "sh", "-c", inside]
    is_able = (
        sys.platform == "linux"
        and os.geteuid() == 0
        and shutil.which("unshare", path=PATHS) is not None
    )
    if is_able and subprocess.run(trial, capture_output=True, check=False).returncode == 0:
        return
    pytest.skip("steps of an image are done by root on Linux, where namespaces may be had")


def make(dockerfile: Path, context: Context, folder: Path, arguments: Mapping[str, str]) -> Built:
    """Do every step; AssertionError with what was said where one fails."""
    given = dict(arguments)
    built: Built | None = None
    with dockerfile.open("rb") as file:
        steps = DockerfileParser(fileobj=file, env_replace=False).structure
    for step in steps:
        name, value = step["instruction"], step["value"]
        if name == "COMMENT":
            continue
        if name == "ARG":
            key, _, default = value.partition("=")
            given.setdefault(key, default)
            if built is not None and given[key]:
                built.image.env[key] = given[key]
            continue
        if name == "FROM":
            words = Template(value).substitute(given).split()
            assert words[0].startswith("python:") and "@sha256:" in words[0], words
            root = folder / str(len(built.stages) if built else 0)
            root.mkdir()
            stage = Stage(root=root)
            built = built or Built(image=stage, stages={})
            built.image = stage
            built.stages[words[2] if len(words) > 1 else ""] = stage
            continue
        assert built is not None
        _do(name, value, built, context)
    assert built is not None
    return built


def _do(name: str, value: str, built: Built, context: Context) -> None:
    stage = built.image
    match name:
        case "RUN" if value.startswith(LEFT_OUT):
            built.left_out.append(value)
        case "RUN":
            _run(value, stage, context)
            built.ran.append(value)
        case "ENV":
            for pair in shlex.split(value):
                key, _, text = pair.partition("=")
                stage.env[key] = Template(text).substitute(stage.env)
        case "WORKDIR":
            stage.cwd = str(Path(stage.cwd) / value)
            stage.path(".").mkdir(parents=True, exist_ok=True)
        case "COPY":
            _copy(shlex.split(value), built, context)
        case "USER":
            stage.user = value
        case "ENTRYPOINT" | "CMD":
            stage.words[name] = json.loads(value)
        case "HEALTHCHECK":
            stage.words[name] = json.loads(value.partition("CMD")[2])
        case "LABEL" | "EXPOSE" | "STOPSIGNAL":
            pass
        case _:
            raise AssertionError(f"nobody does {name} here")


def _run(command: str, stage: Stage, context: Context) -> None:
    if not (stage.root / KEPT).exists():
        shutil.copytree(context.kept, stage.root / KEPT, copy_function=os.link)
    used = Stage(root=stage.root, env=stage.env | OURS, cwd=stage.cwd, user=stage.user)
    done = subprocess.run(
        used.command(["/bin/sh", "-c", command]),
        env={"PATH": os.environ["PATH"], "LOOPBACK": _LOOPBACK},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def _copy(words: list[str], built: Built, context: Context) -> None:
    stage = built.image
    target = stage.path(words[-1])
    if words[0].startswith("--from="):
        source = built.stages[words[0].removeprefix("--from=")]
        for one in words[1:-1]:
            shutil.copytree(source.path(one), target, symlinks=True, dirs_exist_ok=True)
        return
    for one in words[:-1]:
        path = context.folder / one
        if path.is_dir():
            shutil.copytree(path, target, symlinks=True, ignore=context.ignored)
            continue
        assert path.is_file() and not context.spec.match_file(one), one
        target.mkdir(parents=True, exist_ok=True)
        kept = context.kept / path.name
        shutil.copy2(kept if kept.exists() else path, target / path.name)


def environ() -> Mapping[str, str]:
    """What starts a container's first process needs of ours."""
    return {"PATH": os.environ["PATH"], "LOOPBACK": _LOOPBACK}
