"""Nodes of a whole document to a `Config`.

What an earlier check found broken is left out, item by item, and the rest is decoded: one mistake
does not hide the next.
"""

import json
from collections.abc import Iterable, Iterator

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, plain
from lynkrc.source.text import Span
from lynkrc.syntax.config import SETTINGS, Config, Located, Name, Section
from lynkrc.syntax.decode_assertions import decode_assertions
from lynkrc.syntax.decode_lexicons import decode_features, decode_lexicons
from lynkrc.syntax.decode_parts import Record, allows, mapping, name_of, names, number
from lynkrc.syntax.decode_policy import decode_rules, decode_score, decode_tiers
from lynkrc.syntax.decode_providers import (
    decode_clients,
    decode_models,
    decode_providers,
    decode_targets,
)


def decode_config(
    root: Node, earlier: Iterable[Diagnostic]
) -> tuple[Config | None, list[Diagnostic]]:
    """The surface tree of a document that `earlier` checks have seen, and what decoding finds.

    None where the document is no mapping, or is of another version. Where `version` or `name` is
    missing or broken the rest is decoded all the same, for its mistakes.
    """
    record = Record(earlier)
    if not isinstance(root, MappingNode):
        return None, []
    version, name = record.sound(root, "version"), record.sound(root, "name")
    extends, otherwise = record.sound(root, "extends"), record.sound(root, "otherwise")
    trust_levels = tuple(_trust_levels(record, root))
    providers = tuple(decode_providers(record, root))
    targets = tuple(decode_targets(record, root))
    models = tuple(decode_models(record, root))
    lexicons = tuple(decode_lexicons(record, root))
    features = tuple(decode_features(record, root))
    clients = tuple(decode_clients(record, root))
    score = decode_score(record, root)
    tiers = tuple(decode_tiers(record, root))
    rules = tuple(decode_rules(record, root))
    assertions = tuple(decode_assertions(record, root))
    written = root.get("version")
    if version is None and isinstance(written, ScalarNode) and written.value is not None:
        return None, record.findings
    start = Span(file=root.span.file, start=root.span.start, end=root.span.start)
    config = Config(
        version=1 if version is None else int(number(version)),
        name=Located(value="", span=start) if name is None else name_of(name),
        extends=names(extends),
        trust_levels=trust_levels,
        providers=providers,
        targets=targets,
        models=models,
        lexicons=lexicons,
        features=features,
        clients=clients,
        score=score,
        tiers=tiers,
        otherwise=None if otherwise is None else name_of(otherwise),
        needs=tuple(_needs(record, root)),
        rules=rules,
        settings=tuple(_settings(record, root)),
        assertions=assertions,
        allow=allows(root) if record.sound(root, "allow") is not None else (),
        span=root.span,
    )
    return config, record.findings


def _trust_levels(record: Record, root: MappingNode) -> Iterator[Name]:
    written = record.sound(root, "trust_levels")
    for level in written.items if isinstance(written, SequenceNode) else ():
        name = record.new_name(level)
        if name is not None:
            yield name


def _needs(record: Record, root: MappingNode) -> Iterator[tuple[Name, Name]]:
    written = record.sound(root, "needs")
    for need, how in mapping(written).entries if written is not None else ():
        yield name_of(need), name_of(how)


def _settings(record: Record, root: MappingNode) -> Iterator[Section]:
    """Sections in canonical order, so that their order in the file means nothing."""
    for section in SETTINGS:
        key, node = root.key(section), record.sound(root, section)
        if key is not None and node is not None:
            text = json.dumps(plain(node), sort_keys=True)
            yield Section(key=name_of(key), text=text, node=node)
