"""Files on disk to the pipeline's inputs: the spec, its base specs, the catalog.

The pipeline is imported where it is called: a build that has nothing to compile does without.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, final

from lynkrc.cli.progress import doing
from lynkrc.sema.loader import BaseFile, Loader
from lynkrc.source.resources import read_spec, spec_names, spec_path
from lynkrc.source.text import SourceFile

if TYPE_CHECKING:
    from lynkrc.pipeline import Checked, Compilation

DEFAULT_SPEC = Path("routing.yaml")


@final
class CannotRead(Exception):
    """A file of the user's cannot be read; the message says which and what to do."""


@final
class DiskLoader:
    """Base specs: those we ship by name (``builtin/lynkr``), others as files beside the spec.

    One file has one path, however it is spelled; absolute paths name nothing, since a spec that
    holds one means something else on the next machine.
    """

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """A base spec, None where there is none that can be read."""
        try:
            if name.startswith("builtin/"):
                return BaseFile(path=spec_path(name), data=read_spec(name).encode())
            if Path(name).is_absolute():
                return None
            path = os.path.normpath(Path(from_path).parent / name)
            return BaseFile(path=path, data=Path(path).read_bytes())
        except OSError:
            return None


def read_bytes(path: Path, hint: str) -> bytes:
    """A file's bytes; CannotRead with the hint otherwise."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise CannotRead(f"{path} is a folder; name the file in it") from None
    except OSError as error:
        raise CannotRead(f"cannot read {path}: {error.strerror}; {hint}") from None


def check_file(path: Path) -> "Checked":
    """Find everything there is to find in the spec at a path."""
    return check_bytes(path, spec_bytes(path))


def check_bytes(path: Path, data: bytes) -> "Checked":
    """Find everything there is to find in a spec as if `data` were what stands at a path."""
    from lynkrc.pipeline import check_spec

    with doing("checking", str(path)):
        return check_spec(str(path), data, loader=DiskLoader(), catalog=catalog_files())


def ask_file(path: Path, question: str) -> "Checked":
    """The spec at a path with one question as its only assertion."""
    from lynkrc.pipeline import ask_spec

    data = spec_bytes(path)
    return ask_spec(str(path), data, question, loader=DiskLoader(), catalog=catalog_files())


def compile_file(path: Path) -> "Compilation":
    """Compile the spec at a path."""
    return compile_bytes(path, spec_bytes(path), DiskLoader())


def compile_bytes(path: Path, data: bytes, loader: Loader) -> "Compilation":
    """Compile a spec as if `data` were what stands at a path, and `loader` gave what it names."""
    from lynkrc.pipeline import compile_spec

    with doing("compiling", str(path)):
        return compile_spec(str(path), data, loader=loader, catalog=catalog_files())


def spec_bytes(path: Path) -> bytes:
    """The bytes of the spec at a path; CannotRead otherwise."""
    return read_bytes(path, "name the spec you mean, or write a first one with `lynkrc init`")


def catalog_files() -> tuple[SourceFile, ...]:
    """The files of the model catalog that we ship."""
    return tuple(
        SourceFile(path=spec_path(name), text=read_spec(name)) for name in spec_names("catalog")
    )
