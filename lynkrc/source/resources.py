"""Names of schemas and shipped specs to their text.

In a wheel they are package data (`lynkrc/_data`), in a checkout the folders `schema/` and `specs/`
beside the package.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_SCHEMA_END = ".schema.json"
_SPEC_END = ".yaml"


def read_schema(name: str) -> str:
    """The JSON Schema `name` ("routing"). Raises FileNotFoundError for one we do not have."""
    return _read("schema", name, _SCHEMA_END)


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, sorted."""
    names = (entry.name for entry in _folder("schema").iterdir())
    return tuple(
        sorted(name.removesuffix(_SCHEMA_END) for name in names if name.endswith(_SCHEMA_END))
    )


def read_spec(name: str) -> str:
    """The shipped spec `name` ("builtin/lynkr"). Raises FileNotFoundError for one we do not have.

    >>> read_spec("builtin/lynkr-13").splitlines()[0][:9]
    '# The sco'
    """
    return _read("specs", name, _SPEC_END)


def spec_path(name: str) -> str:
    """The path under which findings show the shipped spec `name`.

    >>> spec_path("builtin/lynkr")
    'specs/builtin/lynkr.yaml'
    """
    return f"specs/{name}{_SPEC_END}"


def spec_location(name: str) -> Path | None:
    """Where the shipped spec `name` lies on disk; None where it lies in an archive, or nowhere."""
    found = _folder("specs").joinpath(*f"{name}{_SPEC_END}".split("/"))
    return found if isinstance(found, Path) and found.is_file() else None


def spec_names(group: str) -> tuple[str, ...]:
    """The names of the shipped specs of a group, sorted; none for a group we do not have.

    >>> spec_names("builtin")
    ('builtin/lynkr', 'builtin/lynkr-13', 'builtin/lynkrc-1')
    """
    folder = _folder("specs").joinpath(group)
    if not folder.is_dir():
        return ()
    names = (entry.name for entry in folder.iterdir())
    return tuple(
        sorted(f"{group}/{name.removesuffix(_SPEC_END)}" for name in names
               if name.endswith(_SPEC_END))
    )  # fmt: skip


def _read(folder: str, name: str, end: str) -> str:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts):
        raise FileNotFoundError(f"{name!r} names no file of {folder}")
    return _folder(folder).joinpath(*parts[:-1], parts[-1] + end).read_text(encoding="utf-8")


def _folder(name: str) -> Traversable:
    packaged = files("lynkrc").joinpath("_data", name)
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / name
