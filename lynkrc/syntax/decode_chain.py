"""The `chain`, `pick` and `weights` of a tier or a rule to a `Chain`.

What is written must do something: a `pick` needs a group of two targets to order, weights need
`pick: weighted` and a target of such a group.
"""

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.suggest import closest
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.source.nodes import MappingNode, Node, SequenceNode
from lynkrc.syntax.config import Chain, Name
from lynkrc.syntax.decode_parts import Record, mapping, name_of, names, number, optional_name

_WEIGHTED = "weighted"


def decode_chain(record: Record, item: MappingNode) -> Chain | None:
    """The chain of an item; None where it has none, or where its parts do not fit together."""
    written = item.get("chain")
    if not isinstance(written, SequenceNode):
        return None
    before = len(record.findings)
    groups = tuple(names(group) for group in written.items)
    weights = _weights(item.get("weights"))
    _check_pick(record, item, groups)
    _check_weights(record, item, groups, weights)
    if len(record.findings) > before:
        return None
    return Chain(
        groups=groups, pick=optional_name(item, "pick"), weights=weights, span=written.span
    )


def _weights(node: Node | None) -> tuple[tuple[Name, int], ...]:
    if node is None:
        return ()
    return tuple((name_of(key), int(number(weight))) for key, weight in mapping(node).entries)


def _check_pick(record: Record, item: MappingNode, groups: tuple[tuple[Name, ...], ...]) -> None:
    pick = item.key("pick")
    if pick is not None and all(len(group) < 2 for group in groups):
        record.report(
            codes.WITHOUT_USE,
            "`pick` orders the targets of a group, and this chain has no group of two",
            pick.span,
            _grouped(groups),
        )


def _grouped(groups: tuple[tuple[Name, ...], ...]) -> str:
    targets = [target.value for group in groups for target in group]
    if len(targets) < 2:
        return "remove it"
    return f"write a group, such as chain: [[{', '.join(targets)}]], or remove it"


def _check_weights(
    record: Record,
    item: MappingNode,
    groups: tuple[tuple[Name, ...], ...],
    weights: tuple[tuple[Name, int], ...],
) -> None:
    key, pick = item.key("weights"), optional_name(item, "pick")
    if key is None:
        return
    if pick is None or pick.value != _WEIGHTED:
        record.report(
            codes.WITHOUT_USE,
            "`weights` are read by `pick: weighted` only",
            key.span,
            "write `pick: weighted` beside them, or remove them",
        )
        return
    ordered = list(
        dict.fromkeys(target.value for group in groups if len(group) > 1 for target in group)
    )
    if not ordered:
        return  # the finding about `pick` says it
    for name, _ in weights:
        if name.value in ordered:
            continue
        near = closest(name.value, ordered)
        in_chain = any(name.value == target.value for group in groups for target in group)
        record.report(
            codes.WITHOUT_USE,
            f"{shown(name.value)} stands alone in this chain: its weight orders nothing"
            if in_chain
            else f"{shown(name.value)} is no target of this chain",
            name.span,
            f"did you mean {shown(near)}?"
            if near is not None and not in_chain
            else f"weights are for the targets of a group: {listed(ordered, 'and')}",
        )
