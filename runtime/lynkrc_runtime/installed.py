"""The folder of installed packages to a warning, where two of them own this one."""

import re
from pathlib import Path

_OURS = re.compile(r"(lynkrc|lynkrc_runtime)-([^-]+)\.dist-info")


def owners_notice(folder: Path | None = None) -> str:
    """What to tell where both `lynkrc` and `lynkrc-runtime` are installed, else nothing.

    Both hold this package: the files are those of the one that came last, and removing either takes
    them from the other. `folder` is where this package stands, if not told.
    """
    inside = folder or Path(__file__).resolve().parents[1]
    names = sorted(path.name for path in inside.glob("lynkrc*.dist-info"))
    found = {match[1].replace("_", "-"): match[2] for match in map(_OURS.fullmatch, names) if match}
    if len(found) < 2:
        return ""
    told = " and ".join(f"{name} {version}" for name, version in found.items())
    return (
        f"{told} are both installed in {inside} and own the same files: "
        "`pip uninstall lynkrc lynkrc-runtime`, then install the one you need"
    )


def told_version(version: str) -> str:
    """What `--version` prints: the version, and the warning if there is one."""
    notice = owners_notice()
    return f"{version} (warning: {notice})" if notice else version
