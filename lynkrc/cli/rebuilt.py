"""A checked bundle to how what its own sources compile to differs from what it holds.

The portable files are made anew by this version, and must be the same to the byte. The native
library is made anew where this machine has the compiler that made it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from lynkrc.cli.comparands import compile_opened
from lynkrc.cli.verified import prove
from lynkrc.diagnostics.wording import shown
from lynkrc.ir.assertion import Kind
from lynkrc.native.build import NativeBuilt, NativeMissing, build_native
from lynkrc.pipeline import Compilation, pack_bundle
from lynkrc_runtime.bundle import MANIFEST, OpenedBundle, open_bundle
from lynkrc_runtime.native_tag import native_path

REPORT = "report.json"
"""The verdicts in a bundle."""

NOT_ASKED = "it is not asked about"
_NATIVE = "native/"
_LEAD = 30
"""Bytes that are shown before a difference."""

_MADE_BY = re.compile(rb"(?:GCC: |[a-zA-Z ]*clang version )[^\0]{1,200}(?=\0)")
"""What compilers write about themselves into the comments of a library."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """Names of the files that are the same, those that differ, and why others were not compared."""

    same: tuple[str, ...]
    different: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]


def is_native(name: str) -> bool:
    """Whether a file of a bundle is native code."""
    return name.startswith(_NATIVE)


def rebuild(
    bundle: OpenedBundle, scratch: Path, is_asked_about: Callable[[str], bool] = lambda _: True
) -> Rebuilt:
    """Compile a bundle's sources in the folder `scratch`, and compare the files asked about.

    Of those that are not, only ``report.json`` and native code may be left out. CannotRead where
    the sources do not compile to the same meaning.
    """
    compilation = compile_opened(bundle)
    left_out: list[tuple[str, str]] = []
    different: list[tuple[str, str]] = []
    verdicts = None
    if not is_asked_about(REPORT):
        left_out.append((REPORT, NOT_ASKED))
    elif _needs_other_files(compilation):
        left_out.append((REPORT, "it asserts `same_as`, and the bundle does not hold that file"))
    else:
        # Proved anew: what was proved here once says nothing about this bundle's compiler.
        proven = prove(compilation, bundle.path / "source" / "routing.yaml", caches=False)
        compilation = proven.compilation
        if proven.kept is None:
            different.append((REPORT, "its assertions do not hold, this version finds"))
        else:
            verdicts = proven.kept.verdicts
    packed, _ = pack_bundle(compilation, native=False, verdicts=verdicts)
    path = scratch / bundle.path.name
    path.write_bytes(packed)
    made = open_bundle(path)
    unlike = {name for name, _ in (*left_out, *different)}
    held = {name for name in bundle.files if not is_native(name)} - unlike
    same: list[str] = []
    for name in sorted(held | (set(made.files) - unlike)):
        if name not in made.files:
            different.append((name, "its sources do not make such a file"))
        elif name not in bundle.files:
            different.append((name, "is missing"))
        elif bundle.files[name] != made.files[name]:
            different.append((name, first_difference(bundle.files[name], made.files[name])))
        else:
            same.append(name)
    for name in sorted(filter(is_native, bundle.files)):
        if is_asked_about(name):
            _compare_native(bundle, compilation, name, same, different, left_out)
        else:
            left_out.append((name, NOT_ASKED))
    if not different and not _same_manifest(bundle, made):
        different.append((MANIFEST, "says other things of the same files"))
    return Rebuilt(same=tuple(same), different=tuple(different), left_out=tuple(left_out))


def _needs_other_files(compilation: Compilation) -> bool:
    claims = compilation.assertions
    return claims is not None and any(one.kind is Kind.SAME_AS for one in claims.items)


def _same_manifest(bundle: OpenedBundle, made: OpenedBundle) -> bool:
    """Whether what the manifests say beside the files is the same; files are compared already."""
    one, other = bundle.manifest, made.manifest
    return (
        one.name == other.name
        and one.source_digest == other.source_digest
        and one.meaning_digest == other.meaning_digest
        and one.minimum_runtime == other.minimum_runtime
        and one.capabilities == other.capabilities
    )


def _compare_native(
    bundle: OpenedBundle,
    compilation: Compilation,
    name: str,
    same: list[str],
    different: list[tuple[str, str]],
    left_out: list[tuple[str, str]],
) -> None:
    """Add a library to one of the three lists."""
    if name != native_path():
        left_out.append((name, "it is for another platform"))
        return
    assert compilation.artifacts is not None, "the portable files were made of them"
    match build_native(compilation.artifacts):
        case NativeMissing(reason=reason):
            left_out.append((name, reason))
        case NativeBuilt(library=library):
            held = bundle.files[name]
            theirs, ours = _made_by(held), _made_by(library)
            if held == library:
                same.append(name)
            elif theirs != ours:
                left_out.append(
                    (name, f"made by {theirs or 'an unknown compiler'}, here is {ours}")
                )
            else:
                different.append((name, first_difference(held, library)))


def _made_by(library: bytes) -> str:
    found = sorted(set(_MADE_BY.findall(library)))
    return ", ".join(one.decode("ascii", "replace") for one in found)


def first_difference(held: bytes, made: bytes) -> str:
    """Where a file differs from what was made anew; of text the line, too, as both have it."""
    pairs = enumerate(zip(held, made, strict=False))
    at = next((index for index, (a, b) in pairs if a != b), min(len(held), len(made)))
    where = f"differs from byte {at} on ({len(held):,} bytes, {len(made):,} when made anew)"
    if b"\0" in held or b"\0" in made:
        return where
    # Of a long line what leads to the difference is enough: both begin alike.
    start = max(held.rfind(b"\n", 0, at) + 1, at - _LEAD)
    theirs, ours = (_shown_line(text, start) for text in (held, made))
    line = held.count(b"\n", 0, at) + 1
    return f"{where}, in line {line}: {theirs}, made anew {ours}"


def _shown_line(text: bytes, start: int) -> str:
    if start >= len(text):
        return "nothing more"
    return shown(text[start:].partition(b"\n")[0].decode(errors="replace").strip())
