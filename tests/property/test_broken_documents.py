"""A document with every key, broken at random places, is read to findings and never to an error."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.diagnostics.model import Severity
from lynkrc.sema.settings import read_settings
from lynkrc.source.nodes import plain
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.read import read_source
from tests.property.effort import tried

FILE = Path(__file__).parents[1] / "unit" / "every_key.yaml"
ROOT, _ = read_nodes(SourceFile(path="x.yaml", text=FILE.read_text(encoding="utf-8")))
assert ROOT is not None
DOCUMENT: Any = plain(ROOT)

SCALARS = (
    None,
    True,
    0,
    -1,
    3.5,
    1e9,
    "",
    "x",
    "a b",
    "${A}",
    "$A",
    "0s",
    "3s",
    "1k",
    "9GiB",
    "or",
)
COLLECTIONS = ([], {}, ["a"], [["a"]], [None], [1], {"a": 1}, {"file": "a"}, {"entries": ["(a"]})


def paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    return [found for key, part in inner for found in ((*path, key), *paths(part, (*path, key)))]


def below(node: Any, step: Any) -> Any:
    """What stands at a step; None where an earlier change has taken it."""
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and step in range(len(node)) else None


@tried(60)
@given(
    st.lists(
        st.tuples(st.sampled_from(paths(DOCUMENT)), st.sampled_from((*SCALARS, *COLLECTIONS))),
        min_size=1,
        max_size=4,
    )
)
def test_a_broken_document_is_read_to_findings(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    for path, value in changes:
        node = document
        for step in path[:-1]:
            node = below(node, step)
        if isinstance(node, dict):
            node[path[-1]] = value
    config, findings = read_source("routing.yaml", json.dumps(document).encode())
    assert all(0 <= one.span.start <= one.span.end for one in findings)
    if config is not None and not any(one.severity is Severity.ERROR for one in findings):
        read_settings(config.settings, tiers=["LOW", "TOP"], targets=["a", "b"])
