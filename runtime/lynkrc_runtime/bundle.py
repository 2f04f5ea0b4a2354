"""A bundle file to what serves: everything is checked before anything of it runs.

A bundle is a stored zip (see `lynkrc.bundle.pack`). `open_bundle` reads it and checks the
manifest, every size and digest, and that nothing is missing or too much. `load_bundle` goes on to
decode the dispatch table and to make the scorer: a native library that fits this interpreter, or
the Python scorer with a notice that says why. Whatever is wrong raises `BrokenBundle`.
"""

import hashlib
import io
import itertools
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, final

import msgspec

from lynkrc_runtime import __version__
from lynkrc_runtime.decide import Scorer
from lynkrc_runtime.dispatch import Chain, Dispatch, Rule
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.native_tag import native_path, native_tag
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.scan.tables import Tables, unpack

FORMAT = 1
"""The bundle format this runtime reads."""

MANIFEST = "manifest.json"
SUFFIX = ".lynkr"

LARGEST_BUNDLE = 64 * 2**20
LARGEST_FILE = 32 * 2**20
MOST_FILES = 256

REQUIRED = (
    "dispatch.json",
    "explain.py",
    "ir.txt",
    "lexicons.dfa",
    "report.json",
    "routes.txt",
    "scorer.pxd",
    "scorer.py",
    "source_map.json",
)
"""Files every bundle of this format holds, beside its manifest and its sources."""

Explain: TypeAlias = Callable[[list[int]], dict[str, Any]]

_loads = itertools.count(1)


class BrokenBundle(Exception):
    """A bundle that must not be served; the message names the bundle and what is wrong."""


@final
class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file's sha256 (hex) and size in bytes."""

    sha256: str
    size: int


@final
class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``manifest.json``; `files` holds every other file of the bundle."""

    format: int
    name: str
    source_digest: str
    meaning_digest: str
    minimum_runtime: str
    capabilities: list[str]
    native: list[str]
    files: dict[str, FileEntry]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBundle:
    """A bundle whose every byte is as its manifest says. Nothing of it has run."""

    path: Path
    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBundle:
    """A bundle ready to serve.

    `engine` is ``native`` or ``python``; `notice` says why it is not native, None where it is.
    """

    path: Path
    manifest: Manifest
    dispatch: Dispatch
    tables: Tables
    scorer: Scorer = field(repr=False)
    explain: Explain = field(repr=False)
    engine: str
    notice: str | None


def load_bundle(path: Path) -> LoadedBundle:
    """Open, check and load a bundle: a file, or a folder that holds exactly one."""
    return load_opened(open_bundle(path))


def load_opened(bundle: OpenedBundle) -> LoadedBundle:
    """Decode a checked bundle's tables and make its scorer."""
    dispatch = dispatch_of(bundle)
    try:
        tables = unpack(bundle.files["lexicons.dfa"])
    except ValueError as error:
        raise BrokenBundle(f"{bundle.path}: unreadable table: {error}") from error
    scorer, engine, notice = _scorer(bundle)
    loaded = LoadedBundle(
        path=bundle.path,
        manifest=bundle.manifest,
        dispatch=dispatch,
        tables=tables,
        scorer=scorer,
        explain=_run_python(bundle, "explain.py", "explain"),
        engine=engine,
        notice=notice,
    )
    _try_out(loaded)
    return loaded


def dispatch_of(bundle: OpenedBundle) -> Dispatch:
    """The dispatch table of a checked bundle."""
    try:
        dispatch = msgspec.json.decode(bundle.files["dispatch.json"], type=Dispatch)
    except (msgspec.DecodeError, ValueError) as error:
        raise BrokenBundle(f"{bundle.path}: unreadable table: {error}") from error
    _check_references(bundle.path, dispatch)
    return dispatch


def open_bundle(path: Path) -> OpenedBundle:
    """Read a bundle and check everything about it that can be checked without running it."""
    path = bundle_file(path)
    try:
        size = path.stat().st_size
        if size > LARGEST_BUNDLE:
            raise BrokenBundle(f"{path}: {size} bytes, more than a bundle may have")
        contents = _unzip(path, path.read_bytes())
    except OSError as error:
        raise BrokenBundle(f"{path}: cannot be read: {error.strerror}") from error
    if MANIFEST not in contents:
        raise BrokenBundle(f"{path}: {MANIFEST} is missing")
    manifest = _manifest(path, contents.pop(MANIFEST))
    _check_files(path, manifest, contents)
    return OpenedBundle(path=path, manifest=manifest, files=MappingProxyType(contents))


# -- the archive ---------------------------------------------------------------------------


def bundle_file(path: Path) -> Path:
    """The file at a path, or the one in a folder. BrokenBundle where that is not one."""
    if not path.is_dir():
        return path
    found = sorted(path.glob(f"*{SUFFIX}"))
    if len(found) != 1:
        raise BrokenBundle(f"{path}: holds {len(found)} files *{SUFFIX}, not one")
    return found[0]


def _unzip(path: Path, data: bytes) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES:
                raise BrokenBundle(f"{path}: {len(entries)} files, at most {MOST_FILES} are read")
            for entry in entries:
                _check_entry(path, entry)
            # Before anything is read: files that overlap would take many times the archive.
            if len(data) != _archive_size(entries):
                raise BrokenBundle(
                    f"{path}: holds bytes that belong to none of its files, or to several"
                )
            for entry in entries:
                if entry.filename in contents:
                    raise BrokenBundle(f"{path}: {entry.filename} is there twice")
                contents[entry.filename] = archive.read(entry)
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError) as error:
        if path.suffix in (".yaml", ".yml"):
            raise BrokenBundle(
                f"{path}: is a spec, not a bundle; `lynkrc build {path} -o DIR` makes "
                "DIR/NAME.lynkr of it"
            ) from error
        hint = "" if path.suffix == ".lynkr" else " (`lynkrc build` makes a bundle, NAME.lynkr)"
        raise BrokenBundle(f"{path}: not a whole zip file: {error}{hint}") from error
    return contents


_LOCAL_HEADER, _CENTRAL_HEADER, _END_RECORD = 30, 46, 22
"""Fixed sizes of a zip's records (PKWARE APPNOTE, 4.3)."""


def _archive_size(entries: Sequence[zipfile.ZipInfo]) -> int:
    """Bytes of a stored zip that holds these files and nothing beside or between them."""
    names = sum(len(entry.filename.encode()) for entry in entries)
    sizes = sum(entry.file_size for entry in entries)
    return len(entries) * (_LOCAL_HEADER + _CENTRAL_HEADER) + 2 * names + sizes + _END_RECORD


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    parts = entry.filename.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\\" in entry.filename:
        raise BrokenBundle(f"{path}: {entry.filename!r} is no name a bundle may hold")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise BrokenBundle(f"{path}: {entry.filename} is compressed; a bundle is stored")
    if entry.file_size > LARGEST_FILE:
        raise BrokenBundle(f"{path}: {entry.filename} has more than {LARGEST_FILE} bytes")


# -- the manifest --------------------------------------------------------------------------


@final
class _AnyFormat(msgspec.Struct, frozen=True):
    """The one member every format shares."""

    format: int


def _manifest(path: Path, data: bytes) -> Manifest:
    try:
        written = msgspec.json.decode(data, type=_AnyFormat).format
        if written > FORMAT:
            raise BrokenBundle(
                f"{path}: bundle format {written} is newer than this runtime reads ({FORMAT});"
                f" lynkrc-runtime is {__version__}"
            )
        if written != FORMAT:
            raise BrokenBundle(f"{path}: there is no bundle format {written}")
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BrokenBundle(f"{path}: {MANIFEST}: {error}") from error
    if _version(path, manifest.minimum_runtime) > _version(path, __version__):
        raise BrokenBundle(
            f"{path}: needs lynkrc-runtime {manifest.minimum_runtime}, this is {__version__}"
        )
    known = {f"feature:{name}" for name in FEATURES} | {f"kind:{name}" for name in KINDS}
    for capability in manifest.capabilities:
        if capability not in known:
            raise BrokenBundle(f"{path}: needs {capability}, which this runtime does not have")
    return manifest


def _version(path: Path, text: str) -> tuple[int, ...]:
    parts = text.split(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise BrokenBundle(f"{path}: {MANIFEST}: {text!r} is no version")
    return tuple(int(part) for part in parts)


def _check_files(path: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> None:
    for name in (*REQUIRED, *manifest.files):
        if name not in contents:
            raise BrokenBundle(f"{path}: {name} is missing")
    for name, data in contents.items():
        expected = manifest.files.get(name)
        if expected is None:
            raise BrokenBundle(f"{path}: {name} is not in the manifest")
        if len(data) != expected.size or hashlib.sha256(data).hexdigest() != expected.sha256:
            raise BrokenBundle(f"{path}: {name} is not what the manifest says (wrong digest)")
    libraries = {name.split("/")[1] for name in contents if name.startswith("native/")}
    if libraries != set(manifest.native):
        raise BrokenBundle(f"{path}: the manifest's native tags are not the libraries' ones")


# -- the dispatch table --------------------------------------------------------------------


def _check_references(path: Path, dispatch: Dispatch) -> None:
    """Every index of the table leads somewhere: a request must not be the first to find out."""
    references = (
        ("provider", [target.provider for target in dispatch.targets], len(dispatch.providers)),
        (
            "target",
            [t for c in dispatch.chains for group in c.groups for t in group],
            len(dispatch.targets),
        ),
        (
            "target",
            [rule.prefer.target for rule in dispatch.rules if rule.prefer is not None],
            len(dispatch.targets),
        ),
        ("chain", [tier.chain for tier in dispatch.tiers], len(dispatch.chains)),
    )
    for kind, indices, count in references:
        for index in indices:
            if index is not None and not 0 <= index < count:
                raise BrokenBundle(f"{path}: dispatch.json: there is no {kind} {index}")
    for chain in dispatch.chains:
        wrong = _wrong_order(chain)
        if wrong is not None:
            raise BrokenBundle(f"{path}: dispatch.json: chain {chain.name}: {wrong}")
    for rule in dispatch.rules:
        wrong = _wrong_rule(rule)
        if wrong is not None:
            raise BrokenBundle(f"{path}: dispatch.json: rule {rule.name}: {wrong}")


_PICKS = frozenset({"order", "weighted", "cheapest", "fastest", "round_robin"})
_PREFERRED = frozenset({"cheapest", "fastest"})


def _wrong_order(chain: Chain) -> str | None:
    """What is wrong with how a chain is ordered: a request would meet it only by chance."""
    if chain.pick not in _PICKS:
        return f"there is no pick {chain.pick!r}"
    targets = sum(map(len, chain.groups))
    wanted = targets if chain.pick == "weighted" else 0
    if len(chain.weights) != wanted:
        return f"{len(chain.weights)} weights for {targets} targets, picked by {chain.pick}"
    if not all(weight > 0 for weight in chain.weights):
        return "a weight is less than 1"
    if not all(chain.groups):
        return "an empty group"
    return None


def _wrong_rule(rule: Rule) -> str | None:
    prefer = rule.prefer
    if prefer is None:
        return None
    if (prefer.pick is None) == (prefer.target is None):
        return "it prefers a pick or a target, one of the two"
    if prefer.pick is not None and prefer.pick not in _PREFERRED:
        return f"there is no pick {prefer.pick!r} to prefer"
    return None


# -- generated code ------------------------------------------------------------------------

_GONE_WRONG = (
    SyntaxError,
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,  # also what source nested too deeply ends in
    NameError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What Python code that is not ours can do wrong."""


def _scorer(bundle: OpenedBundle) -> tuple[Scorer, str, str | None]:
    """The scorer, the engine's name, and why it is not the native one."""
    library = bundle.files.get(native_path())
    if library is None:
        held = ", ".join(bundle.manifest.native)
        why = f"only native code for {held}" if held else "no native code"
        notice = f"{why} in the bundle for {native_tag()}: the Python scorer serves"
    else:
        try:
            return _load_native(bundle, library), "native", None
        except (ImportError, OSError, AttributeError) as error:
            notice = f"the native scorer cannot be loaded ({error}): the Python scorer serves"
    return portable_scorer(bundle), "python", notice


def portable_scorer(bundle: OpenedBundle) -> Scorer:
    """The Python scorer of a checked bundle, whether or not it is the one that serves."""
    decide: Scorer = _run_python(bundle, "scorer.py", "decide")
    return decide


def _run_python(bundle: OpenedBundle, name: str, function: str) -> Any:
    """A function of a generated module, run from the checked bytes and never from a path."""
    namespace: dict[str, Any] = {"__name__": f"lynkrc_bundle.{name.removesuffix('.py')}"}
    try:
        code = compile(bundle.files[name], f"<bundle {bundle.manifest.name}>/{name}", "exec")
        exec(code, namespace)
    except _GONE_WRONG as error:
        raise BrokenBundle(f"{bundle.path}: {name}: {_said(error)}") from error
    if function not in namespace:
        raise BrokenBundle(f"{bundle.path}: {name} defines no {function}")
    return namespace[function]


def _load_native(bundle: OpenedBundle, library: bytes) -> Scorer:
    """Load the checked library under a name of its own, from a folder only we can write."""
    # The last part must be what the library was built as; the rest tells the loads apart.
    name = f"lynkrc_bundle_{bundle.manifest.meaning_digest[:16]}_{next(_loads)}.scorer"
    with tempfile.TemporaryDirectory(prefix="lynkrc-bundle-") as folder:
        file = Path(folder) / "scorer.so"
        file.write_bytes(library)
        loader = ExtensionFileLoader(name, str(file))
        spec = spec_from_file_location(name, file, loader=loader)
        if spec is None:
            raise ImportError("no import spec for the library")
        before = sys.modules.get("scorer")
        module = module_from_spec(spec)
        loader.exec_module(module)
        # Cython enters its modules under the name they were built as, which is not ours alone.
        if before is None:
            sys.modules.pop("scorer", None)
        else:
            sys.modules["scorer"] = before
    decide: Scorer = module.decide
    return decide


def _try_out(loaded: LoadedBundle) -> None:
    """One decision by every engine: a scorer of another spec's slots is noticed here."""
    lowest = [slot.low for slot in loaded.dispatch.slots]
    try:
        verdict = list(loaded.scorer(lowest))
        explained = loaded.explain(lowest)["verdict"]
    except _GONE_WRONG as error:
        raise BrokenBundle(
            f"{loaded.path}: the scorer does not take its slots: {_said(error)}"
        ) from error
    if verdict != explained:
        raise BrokenBundle(f"{loaded.path}: scorer and explanation disagree on {lowest}")


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
