"""The bytes of a LiteLLM `config.yaml` to nodes, or to lines that say why it cannot be read.

LiteLLM reads YAML 1.1 and lets a file share parts by aliases; we read scalars as they are written
and ask for such a file to be written out first. No line quotes the file: any of it may be a key.
"""

import math
import re

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Diagnostic, in_order
from lynkrc.diagnostics.wording import printable
from lynkrc.migrate.migration import Unreadable
from lynkrc.source.decode_text import decode_source
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.yaml_nodes import read_nodes

_TOLERATED = frozenset({codes.AMBIGUOUS_SCALAR.id, codes.NUMBER_RANGE.id})
_SHARED = frozenset({codes.ALIAS.id, codes.MERGE_KEY.id})
_SHOWN = 10

_FROM_ENVIRONMENT = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")


def read_litellm(path: str, data: bytes) -> MappingNode | Unreadable:
    """The root mapping of the file."""
    file, findings = decode_source(path, data)
    root: Node | None = None
    if not findings:
        root, findings = read_nodes(file)
        findings = [one for one in findings if one.code.id not in _TOLERATED]
    if findings:
        return _unreadable(path, findings)
    if not isinstance(root, MappingNode) or not isinstance(root.get("model_list"), SequenceNode):
        return Unreadable(
            lines=(
                f"error: {printable(path)} has no list `model_list`",
                "help: name a LiteLLM proxy config; a Lynkr .env is taken over by `--from-env`",
            )
        )
    return root


def _unreadable(path: str, findings: list[Diagnostic]) -> Unreadable:
    ordered = in_order(findings)
    lines = [
        f"error[{one.code.id}]: {printable(path)}:{one.span.line}:{one.span.column}: {one.message}"
        for one in ordered[:_SHOWN]
    ]
    if len(ordered) > _SHOWN:
        lines.append(f"and {len(ordered) - _SHOWN} more")
    if any(one.code.id in _SHARED for one in ordered):
        lines.append(
            "help: write out what is shared, for example by "
            "`yq 'explode(.)' config.yaml > plain.yaml`, and take that over"
        )
    lines += [
        f"help: `lynkrc explain {id}`" for id in dict.fromkeys(one.code.id for one in ordered)
    ][:3]
    return Unreadable(lines=tuple(lines))


def text_of(node: Node | None) -> str:
    """The text of a scalar, "" for anything else."""
    return node.text.strip() if isinstance(node, ScalarNode) else ""


def entries_of(node: Node | None) -> tuple[tuple[str, Node], ...]:
    """The entries of a mapping, none for anything else."""
    if not isinstance(node, MappingNode):
        return ()
    return tuple((key.text, value) for key, value in node.entries)


def items_of(node: Node | None) -> tuple[Node, ...]:
    """The items of a list, none for anything else."""
    return node.items if isinstance(node, SequenceNode) else ()


def number_of(node: Node | None) -> float | None:
    """A plain number, None for anything else."""
    try:
        value = float(text_of(node))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def is_true(node: Node | None) -> bool:
    """Whether YAML 1.1, which LiteLLM reads, takes the scalar for true."""
    return text_of(node).lower() in ("true", "yes", "on", "y")


def reference_of(text: str) -> str | None:
    """``os.environ/NAME`` as a spec writes it; None for anything else.

    >>> reference_of("os.environ/REDIS_URL"), reference_of("redis://h")
    ('${REDIS_URL}', None)
    """
    found = _FROM_ENVIRONMENT.fullmatch(text)
    return f"${{{found[1]}}}" if found else None
