"""A spec with every provider of `kind_servers`, to a bundle with a target for each of its ways.

Servers of the tests stand at other addresses than the makers' own, where the catalog would say
nothing: the request shape of each model is put into the bundle as its maker's address has it.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec

from lynkrc.cli.specs import catalog_files
from lynkrc.sema.catalog import facts_of, provision_of
from lynkrc.sema.catalog_read import read_catalog
from lynkrc_runtime.bundle import archive
from tests.e2e.gateway import built
from tests.e2e.kind_servers import CHAT, SERVERS

USUAL = "usual"
NATIVE = ("ollama",)
"""Kinds that are usually called in a dialect these servers do not speak."""
"""A target that is called as its kind is called by itself."""


def variable_of(kind: str) -> str:
    """How the environment calls a kind."""
    return kind.upper().replace("-", "_")


def name_of(kind: str, dialect: str) -> str:
    """The target of a kind that is always called in a dialect."""
    return f"{kind}-{'chat' if dialect == CHAT else 'messages'}"


def spec() -> str:
    """The spec: a provider for every kind, its targets pinned by name."""
    targets = [
        (f"{kind}-{USUAL}", kind, one.model, "")
        for kind, one in SERVERS.items()
        if kind not in NATIVE
    ]
    targets += [
        (name_of(kind, dialect), kind, one.model, f"dialect: {dialect}, ")
        for kind, one in SERVERS.items()
        for dialect in one.paths.values()
    ]
    facts = "context: 200k, max_output: 8k, price: free"
    can = "capabilities: [tools, parallel_tools, vision, thinking, json_schema]"
    chain = ", ".join(name for name, *_ in targets)
    return "\n".join(
        (
            "version: 1",
            "name: kinds",
            "extends: builtin/lynkr",
            "providers:",
            *(
                f'  {kind}: {{kind: {kind}, base_url: "${{{variable_of(kind)}_URL}}{one.base}", '
                f'api_key: "${{{variable_of(kind)}_KEY}}", trust: cloud, retry: {{times: 0}}}}'
                for kind, one in SERVERS.items()
            ),
            "targets:",
            *(
                f'  {name}: {{provider: {kind}, model: "{model}", {way}{facts}, {can}}}'
                for name, kind, model, way in targets
            ),
            "score: {use: builtin/lynkr-13}",
            "tiers:",
            *(
                f"  - {{name: {name}, {limit}chain: [{chain}]}}"
                for name, limit in (
                    ("SIMPLE", "up_to: 25, "),
                    ("MEDIUM", "up_to: 50, "),
                    ("COMPLEX", "up_to: 75, "),
                    ("REASONING", ""),
                )
            ),
            "otherwise: escalate",
            "",
        )
    )


def build(folder: Path) -> Path:
    """The bundle, built as a user builds it, each target in the dialect its name says."""
    written = folder / "kinds.yaml"
    written.write_text(spec(), encoding="utf-8")
    bundle = built(written, folder, "kinds")
    with zipfile.ZipFile(bundle) as zipped:
        files = {name: zipped.read(name) for name in zipped.namelist()}
    files["dispatch.json"] = _with_shapes(files["dispatch.json"])
    manifest = json.loads(files["manifest.json"])
    data = files["dispatch.json"]
    manifest["files"]["dispatch.json"] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }
    files["manifest.json"] = json.dumps(manifest).encode()
    bundle.write_bytes(archive(files))
    return bundle


def _with_shapes(data: bytes) -> bytes:
    """With what the catalog says of the models at their own sellers, which these servers play."""
    dispatch: dict[str, Any] = json.loads(data)
    catalog, _ = read_catalog(catalog_files())
    for target in dispatch["targets"]:
        kind = dispatch["providers"][target["provider"]]["kind"]
        shape = facts_of(catalog, target["model"], provision_of(kind, None)).shape
        target["shape"] = msgspec.to_builtins(shape)
    return json.dumps(dispatch).encode()
