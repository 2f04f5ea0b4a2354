"""Nodes of `score`, `tiers` and `rules` to their part of the tree."""

from collections.abc import Iterator

from lynkrc.source.nodes import MappingNode
from lynkrc.syntax.config import Deny, Dimension, Name, Rule, Score, Tier
from lynkrc.syntax.decode_chain import decode_chain
from lynkrc.syntax.decode_parts import (
    Record,
    allows,
    mapping,
    name_of,
    name_once,
    number,
    optional_name,
    optional_number,
    optional_whole,
    required,
    required_name,
    scalar,
)
from lynkrc.syntax.expr import Expr


def decode_score(record: Record, root: MappingNode) -> Score | None:
    """The score with its sound dimensions; None where it is not written."""
    node = root.get("score")
    if not isinstance(node, MappingNode):
        return None
    use, offset = node.get("use"), node.get("offset")
    return Score(
        use=name_of(use) if use is not None and record.is_sound(use) else None,
        offset=optional_number(node, "offset")
        if offset is not None and record.is_sound(offset)
        else None,
        dimensions=tuple(_dimensions(record, node)),
        span=node.span,
    )


def _dimensions(record: Record, score: MappingNode) -> Iterator[Dimension]:
    for key, value in record.entries(score, "dimensions", "value"):
        node = mapping(value)
        written = node.get("value")
        expression = None if written is None else record.expression(written)
        if written is not None and expression is None:
            continue
        yield Dimension(
            name=name_of(key),
            weight=optional_number(node, "weight"),
            value=expression,
            terms=optional_name(node, "terms"),
            over=optional_name(node, "over"),
            allow=allows(node),
            span=node.span,
        )


def decode_tiers(record: Record, root: MappingNode) -> Iterator[Tier]:
    """The sound tiers, in the order written."""
    seen: dict[str, Name] = {}
    for node in record.items(root, "tiers"):
        name = required_name(node, "name")
        chain = decode_chain(record, node)
        is_new = name_once(record, name, seen)
        if chain is None or not is_new or record.new_name(required(node, "name")) is None:
            continue
        yield Tier(
            name=name,
            up_to=optional_whole(node, "up_to"),
            chain=chain,
            allow=allows(node),
            span=node.span,
        )


def decode_rules(record: Record, root: MappingNode) -> Iterator[Rule]:
    """The sound rules, in the order written."""
    seen: dict[str, Name] = {}
    for node in record.items(root, "rules", "when", "require"):
        name = required_name(node, "name")
        is_new = name_once(record, name, seen)
        expressions: dict[str, Expr | None] = {
            key: record.expression(value)
            for key in ("when", "require")
            if (value := node.get(key)) is not None
        }
        chain = decode_chain(record, node)
        lost_chain = chain is None and node.get("chain") is not None
        if not is_new or lost_chain or None in expressions.values():
            continue
        yield Rule(
            name=name,
            when=expressions.get("when"),
            tier=optional_name(node, "tier"),
            floor=optional_name(node, "floor"),
            ceiling=optional_name(node, "ceiling"),
            add=optional_number(node, "add"),
            chain=chain,
            require=expressions.get("require"),
            prefer=optional_name(node, "prefer"),
            deny=_deny(node),
            respond=optional_name(node, "respond"),
            allow=allows(node),
            span=node.span,
        )


def _deny(rule: MappingNode) -> Deny | None:
    written = rule.get("deny")
    if written is None:
        return None
    node = mapping(written)
    status, message = required(node, "status"), required(node, "message")
    return Deny(status=int(number(status)), message=scalar(message).text)
