"""What `lynkrc diff` compares: a spec on disk, a bundle's sources, a spec in git, compiled.

A bundle is compiled anew from its ``source/``: its meaning must come out as its manifest says, or
it is not what is compared.
"""

import os
import posixpath
import subprocess
from pathlib import Path, PurePosixPath
from typing import final

from lynkrc.cli.specs import CannotRead, DiskLoader, catalog_files, compile_file
from lynkrc.pipeline import SPEC_NAME, Compilation, compile_spec, place_in_bundle
from lynkrc.sema.loader import BaseFile
from lynkrc_runtime.bundle import BrokenBundle, OpenedBundle, open_bundle

GIT = "git:"
_ELSEWHERE = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX"})
"""Set inside of git's hooks: with them the folder would count as the top of the repository."""


def is_bundle(path: Path) -> bool:
    """Whether the path names a bundle rather than a spec: by its end, or as a folder."""
    return path.suffix == ".lynkr" or path.is_dir()


def compile_path(path: Path) -> Compilation:
    """The spec or bundle at a path, compiled. CannotRead where that cannot be."""
    return _compile_bundle(path) if is_bundle(path) else compile_file(path)


# -- bundles -------------------------------------------------------------------------------


@final
class BundleLoader:
    """Base specs out of a bundle's ``source/``, whatever lies on this machine."""

    def __init__(self, bundle: OpenedBundle) -> None:
        self._bundle = bundle
        self._places = {self.path_of(SPEC_NAME): ""}

    def path_of(self, name: str) -> str:
        """The path under which findings show a source of the bundle."""
        return f"{self._bundle.path}/source/{name}"

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """See `Loader.load`."""
        place, bundled = place_in_bundle(name, self._places[from_path])
        data = self._bundle.files.get(f"source/{bundled}")
        if data is None:
            return None
        path = self.path_of(bundled)
        self._places.setdefault(path, place)
        return BaseFile(path=path, data=data)


def _compile_bundle(path: Path) -> Compilation:
    try:
        bundle = open_bundle(path)
    except BrokenBundle as problem:
        raise CannotRead(str(problem)) from problem
    return compile_opened(bundle)


def compile_opened(bundle: OpenedBundle) -> Compilation:
    """A checked bundle's sources, compiled. CannotRead where they no longer mean the same."""
    data = bundle.files.get(f"source/{SPEC_NAME}")
    if data is None:
        raise CannotRead(
            f"{bundle.path} holds no source/{SPEC_NAME}; name the spec it was built from"
        )
    loader = BundleLoader(bundle)
    done = compile_spec(loader.path_of(SPEC_NAME), data, loader=loader, catalog=catalog_files())
    stated = bundle.manifest.meaning_digest
    if done.artifacts is None or done.artifacts.meaning_digest != stated:
        found = "errors" if done.artifacts is None else f"meaning {done.artifacts.meaning_digest}"
        raise CannotRead(
            f"{bundle.path}: its meaning cannot be rebuilt with this version: its sources give "
            f"{found}, its manifest says {stated}. Use the version of lynkrc that built "
            "it, or the specs themselves: `lynkrc inspect BUNDLE --file "
            f"source/{SPEC_NAME}` prints its spec, and `--against git:REF` reads one from git"
        )
    return done


# -- git -----------------------------------------------------------------------------------


@final
class GitLoader:
    """Files as they were at a commit; `folder` is where the spec lies, and git runs there."""

    def __init__(self, ref: str, folder: Path) -> None:
        self._ref = ref
        self._folder = folder

    def path_of(self, place: str) -> str:
        """The path under which findings show the file at a place (relative to the folder)."""
        return f"{self._ref}:{place}"

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """See `Loader.load`; those that we ship are ours, not git's."""
        if name.startswith("builtin/"):
            return DiskLoader().load(name, from_path)
        if PurePosixPath(name.replace("\\", "/")).is_absolute() or Path(name).is_absolute():
            return None
        from_place = from_path.removeprefix(f"{self._ref}:")
        folder = posixpath.dirname(from_place)
        place = posixpath.normpath(posixpath.join(folder, name.replace("\\", "/")))
        data = self.read(place)
        return None if data is None else BaseFile(path=self.path_of(place), data=data)

    def read(self, place: str) -> bytes | None:
        """The bytes of a file; None where the commit has none of that name."""
        # `./` and `../` are relative to where git runs, not to the top of the repository.
        relative = place if place.startswith("../") else f"./{place}"
        done = _git(self._folder, "cat-file", "blob", f"{self._ref}:{relative}")
        return done.stdout if done.returncode == 0 else None


def compile_at(against: str, path: Path) -> Compilation:
    """The spec at a path as it was at ``git:REF``. CannotRead with the way out otherwise."""
    ref = against.removeprefix(GIT)
    if not against.startswith(GIT) or not ref:
        raise CannotRead(f"--against {against!r}: write git:REF, as in `--against git:main`")
    folder = path.parent
    if not folder.is_dir():
        raise CannotRead(f"there is no folder {folder}, so no repository of it")
    inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    if b"dubious ownership" in inside.stderr:
        raise CannotRead(
            f"git refuses to read the repository of {folder}, which another user owns; "
            "`git config --global --add safe.directory PATH` allows it"
        )
    if inside.returncode != 0 or inside.stdout.strip() != b"true":
        raise CannotRead(f"{path} is not in a git repository; name the old spec or bundle itself")
    wanted = f"{ref}^{{commit}}"
    known = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    if known.returncode != 0:
        raise CannotRead(
            f"git knows no commit {ref!r}; in CI fetch it first (`git fetch origin {ref}`), "
            "or name one that `git log` shows"
        )
    # Read by the commit's own name: what a branch points at may change between two reads.
    commit = known.stdout.decode().strip()
    loader = GitLoader(commit, folder)
    data = loader.read(path.name)
    if data is None:
        raise CannotRead(
            f"{path} does not exist at {ref}; name the old file: `lynkrc diff OLD {path}`"
        )
    return compile_spec(loader.path_of(path.name), data, loader=loader, catalog=catalog_files())


def _git(folder: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["git", *words],
            cwd=folder,
            capture_output=True,
            check=False,
            env={k: v for k, v in os.environ.items() if k not in _ELSEWHERE} | {"LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise CannotRead("git is not installed; name the old spec or bundle itself") from None
