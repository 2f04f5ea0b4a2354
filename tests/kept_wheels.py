"""A lock to wheels of what this environment has installed, and the lock of these: no network.

A wheel is packed again of the files that its installer has noted, so its digest is another than the
registry's: that a lock names the registry's files is not shown with these.
"""

import hashlib
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

_NOT_PACKED = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
"""What an installer writes itself."""


def kept_wheels(lock: Path, folder: Path) -> str:
    """The wheels into the folder; the lock's names, with versions and digests of what there is.

    AssertionError where the environment lacks one.
    """
    lines = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        wanted = Requirement(line.removesuffix(" \\"))
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            found = distribution(wanted.name)
        except PackageNotFoundError:
            raise AssertionError(f"{wanted.name} of {lock.name} is not in the dev group") from None
        wheel = _pack(found, folder)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{wanted.name}=={found.version} --hash=sha256:{digest}\n")
    return "".join(lines)


def _pack(found: Distribution, folder: Path) -> Path:
    stem = f"{found.name.replace('-', '_').replace('.', '_')}-{found.version}"
    tags = [
        line.split()[1] for line in (found.read_text("WHEEL") or "").splitlines() if "Tag:" in line
    ]
    assert tags and found.files, f"{found.name} was not installed from a wheel"
    tag = "-".join(".".join(sorted(set(part))) for part in zip(*_parts(tags), strict=True))
    wheel = folder / f"{stem}-{tag}.whl"
    info = next(one.parts[0] for one in found.files if one.parts[0].endswith(".dist-info"))
    commands = {one.name for one in found.entry_points if one.group == "console_scripts"}
    names = []
    with zipfile.ZipFile(wheel, "w", strict_timestamps=False) as archive:
        for one in found.files:
            if "__pycache__" in one.parts or (one.parts[0] == info and one.name in _NOT_PACKED):
                continue
            name = one.as_posix()
            if one.parts[0] == "..":
                if one.parent.name != "bin" or one.name in commands:
                    continue
                name = f"{info.removesuffix('.dist-info')}.data/scripts/{one.name}"
            archive.write(str(one.locate()), name)
            names.append(name)
        record = "".join(f"{name},,\n" for name in [*names, f"{info}/RECORD"])
        archive.writestr(f"{info}/RECORD", record)
    return wheel


def _parts(tags: list[str]) -> list[list[str]]:
    """``py3-none-any`` to its three."""
    return [tag.split("-") for tag in tags]
