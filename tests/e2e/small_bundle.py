"""A bundle file written by hand: one tier, one chain, a scorer of one line."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from lynkrc_runtime.bundle import FORMAT, MANIFEST, FileEntry, Manifest, archive
from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.scan.tables import pack

_SCORER = """\
def decide(v):
    return {verdict}
"""
_EXPLAIN = """\
def explain(v):
    return {{
        "verdict": list({verdict}),
        "outcome": "route",
        "tier": "ONLY",
        "rule": "score",
        "score": 42,
        "chain": "all",
        "targets": [],
        "points": {{"offset": 0, "dimensions": [], "adds": [], "sum": 0, "rounded": 0}},
        "rules": [],
        "pin": None,
        "tiers": None,
        "needs": [],
        "chain_rule": None,
        "prefer": None,
        "chains": [],
    }}
"""


def files(dispatch: Dispatch, verdict: Verdict | None = None) -> dict[str, bytes]:
    """The bundle's files, without the manifest; every request gets the verdict (all targets)."""
    if verdict is None:
        verdict = (0, 0, -1, 0, (1 << len(dispatch.targets)) - 1, 42, -1)
    tables = pack(byte_class=bytes(256), transitions=[0], accepts=[()], counts=[()], sizes=())
    return {
        "dispatch.json": msgspec.json.encode(dispatch),
        "explain.py": _EXPLAIN.format(verdict=verdict).encode(),
        "ir.txt": b"",
        "lexicons.dfa": tables,
        "report.json": b"{}",
        "routes.txt": b"one row\n",
        "scorer.pxd": b"",
        "scorer.py": _SCORER.format(verdict=verdict).encode(),
        "source_map.json": b"{}",
    }


def write(path: Path, contents: Mapping[str, bytes], *, digest: str = "d" * 64) -> Path:
    """Write the bundle file `path` with a manifest that fits; renamed into its place, whole."""
    manifest = Manifest(
        format=FORMAT,
        name="by-hand",
        source_digest="5" * 64,
        meaning_digest=digest,
        minimum_runtime="0.1.0",
        capabilities=[],
        native=[],
        files={
            name: FileEntry(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            for name, data in contents.items()
        },
    )
    written = path.with_suffix(".new")
    written.write_bytes(archive({**contents, MANIFEST: msgspec.json.encode(manifest)}))
    return written.replace(path)
