"""Artifacts to the bytes of a ``.lynkr`` bundle: a stored zip, the same on every machine and day.

Names are sorted, dates and permissions fixed, nothing is compressed (compressors differ between
versions). A native library is one machine's; the portable bundle is the one without.
"""

from collections.abc import Mapping

from lynkrc.bundle.manifest import print_manifest
from lynkrc.codegen.artifacts import Artifacts
from lynkrc_runtime.bundle import MANIFEST, archive


def pack(
    artifacts: Artifacts, *, report: bytes, native: Mapping[str, bytes] | None = None
) -> bytes:
    """The bundle's bytes. `native` maps paths (``native/<tag>/scorer.so``) to libraries."""
    files = dict(artifacts.bundled())
    files["report.json"] = report
    files.update(native or {})
    files[MANIFEST] = print_manifest(artifacts, files)
    return archive(files)
