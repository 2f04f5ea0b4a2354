"""A checked bundle to the statement that is signed of it: what it is, made of what, by what.

An in-toto Statement v1 (https://in-toto.io/Statement/v1) with a SLSA provenance v1
(https://slsa.dev/provenance/v1). The bytes follow from the bundle, the compiler's version and the
builder's name alone: no time and no machine stands in them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lynkrc_runtime.bundle import OpenedBundle
from lynkrc_runtime.signature import PREDICATE_TYPE, STATEMENT_TYPE

BUILD_TYPE: Final = "urn:lynkrc:build:1"
"""`lynkrc build` of one spec; ``externalParameters`` are its spec and the native tags it made."""
BUILDER: Final = "urn:lynkrc:builder:local"
"""Whoever holds the key, at a machine of theirs; a CI system names itself with ``--builder``."""

_SOURCES: Final = "source/"


def print_statement(bundle: OpenedBundle, *, compiler: str, builder: str = BUILDER) -> bytes:
    """The statement's bytes. `compiler` is the version of lynkrc that makes this bundle of its
    sources, `builder` a URI.
    """
    manifest = bundle.manifest
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": f"{manifest.name}.lynkr", "digest": {"sha256": bundle.sha256}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"spec": manifest.name, "native": list(manifest.native)},
                "resolvedDependencies": [
                    *(
                        {"name": name, "digest": {"sha256": entry.sha256}}
                        for name, entry in sorted(manifest.files.items())
                        if name.startswith(_SOURCES)
                    ),
                    {"uri": f"pkg:pypi/lynkrc@{compiler}"},
                ],
            },
            "runDetails": {"builder": {"id": builder}},
        },
    }
    return json.dumps(statement, separators=(",", ":"), ensure_ascii=False).encode()


def told_provenance(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a verified statement says, in rows; another tool's may say less than ours."""
    predicate = _members(statement.get("predicate"))
    build = _members(predicate.get("buildDefinition"))
    yield "says", str(build.get("buildType"))
    yield "builder", str(_members(_members(predicate.get("runDetails")).get("builder")).get("id"))
    made_of = build.get("resolvedDependencies")
    for one in map(_members, made_of if isinstance(made_of, list) else ()):
        digest = _members(one.get("digest")).get("sha256", "")
        yield "made of", f"{one.get('name') or one.get('uri')} {digest}".rstrip()


def _members(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
