"""Artifacts to the bytes of a ``.lynkr`` bundle: a stored zip, the same on every machine and day.

Names are sorted, dates and permissions fixed, nothing is compressed (compressors differ between
versions). A native library is one machine's; the portable bundle is the one without.
"""

import io
import zipfile
from collections.abc import Mapping

from lynkrc.bundle.manifest import print_manifest
from lynkrc.codegen.artifacts import Artifacts
from lynkrc_runtime.bundle import MANIFEST

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold
_UNIX = 3
_MODE = 0o100644 << 16  # a plain file, readable by all


def pack(
    artifacts: Artifacts, *, report: bytes, native: Mapping[str, bytes] | None = None
) -> bytes:
    """The bundle's bytes. `native` maps paths (``native/<tag>/scorer.so``) to libraries."""
    files = dict(artifacts.bundled())
    files["report.json"] = report
    files.update(native or {})
    files[MANIFEST] = print_manifest(artifacts, files)
    return archive(files)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A stored zip of the files, byte for byte determined by their names and contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            zipped.writestr(entry, files[name])
    return out.getvalue()
