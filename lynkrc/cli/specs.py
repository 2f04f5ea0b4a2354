"""Files on disk to the pipeline's inputs: the spec, its base specs, the catalog."""

from pathlib import Path
from typing import final

from lynkrc.pipeline import Compilation, compile_spec
from lynkrc.source.resources import read_spec, spec_path
from lynkrc.source.text import SourceFile

DEFAULT_SPEC = Path("routing.yaml")


@final
class CannotRead(Exception):
    """A file of the user's cannot be read; the message says which and what to do."""


@final
class DiskLoader:
    """Base specs: those we ship by name (``builtin/lynkr``), others as files beside the spec."""

    def load(self, name: str, from_path: str) -> SourceFile | None:
        """The text of a base spec, None where there is none that can be read."""
        try:
            if name.startswith("builtin/"):
                return SourceFile(path=spec_path(name), text=read_spec(name))
            path = Path(from_path).parent / name
            return SourceFile(path=str(path), text=path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None


def read_bytes(path: Path, hint: str) -> bytes:
    """A file's bytes; CannotRead with the hint otherwise."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise CannotRead(f"{path} is a folder; name the file in it") from None
    except OSError as error:
        raise CannotRead(f"cannot read {path}: {error.strerror}; {hint}") from None


def compile_file(path: Path) -> Compilation:
    """Compile the spec at a path."""
    data = read_bytes(path, "name your spec, as in `lynkrc check path/to/routing.yaml`")
    catalog = SourceFile(path=spec_path("catalog/models"), text=read_spec("catalog/models"))
    return compile_spec(str(path), data, loader=DiskLoader(), catalog=catalog)
