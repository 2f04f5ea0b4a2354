"""A spec to the findings about what of it this version of the runtime does not serve.

It is checked and compiled whole: what is said here is only that nothing acts on it yet
(`lynkrc_runtime.served`).
"""

from collections.abc import Iterable, Iterator, Sequence

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import NOT_SERVED as CODE
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.merge import Spec
from lynkrc.sema.typed import Feature
from lynkrc.sema.typed_config import TypedDimension, TypedRule
from lynkrc.sema.walk import features_in
from lynkrc.source.nodes import MappingNode, Node, ScalarNode
from lynkrc.source.text import Span
from lynkrc.syntax.config import Provider
from lynkrc_runtime.served import NOT_SERVED, RUNTIME


def check_served(
    spec: Spec, rules: Sequence[TypedRule], dimensions: Sequence[TypedDimension]
) -> Iterable[Diagnostic]:
    """One finding a part, at the place where it is first written."""
    seen: set[str] = set()
    for path, what, span in (
        *_settings(spec),
        *_providers(spec),
        *_picks(spec),
        *_features(rules, dimensions),
        *_assertions(spec),
    ):
        instead = NOT_SERVED.get(path)
        if instead is not None and path not in seen:
            seen.add(path)
            yield Diagnostic(
                code=CODE,
                message=f"{shown(what)} is compiled, and not yet served by runtime {RUNTIME}: "
                f"{instead}",
                span=span,
                help="a later runtime serves it as written; until then do not count on it",
            )


def _settings(spec: Spec) -> Iterator[tuple[str, str, Span]]:
    for section in spec.settings:
        key = section.key.value
        yield key, key, section.key.span
        yield from _below(key, section.node)


def _below(path: str, node: Node) -> Iterator[tuple[str, str, Span]]:
    if not isinstance(node, MappingNode):
        return
    for key, value in node.entries:
        inner = f"{path}.{key.text}"
        yield inner, inner, key.span
        if isinstance(value, ScalarNode):
            yield f"{inner}={value.value}", f"{inner}: {value.value}", value.span
        yield from _below(inner, value)


def _providers(spec: Spec) -> Iterator[tuple[str, str, Span]]:
    for one in spec.providers:
        provider = one.item
        for key in _written(provider):
            yield f"providers.{key}", f"providers.{one.name}.{key}", provider.name.span


def _written(provider: Provider) -> Iterator[str]:
    breaker = provider.breaker
    if {breaker.failures, breaker.within, breaker.open_for, breaker.successes} != {None}:
        yield "breaker"
    if provider.concurrency is not None:
        yield "concurrency"


def _picks(spec: Spec) -> Iterator[tuple[str, str, Span]]:
    ruled = [one.item.chain for one in spec.rules if one.item.chain is not None]
    for chain in (*(tier.chain for tier in spec.tiers), *ruled):
        if chain.pick is not None:
            yield f"pick.{chain.pick.value}", f"pick: {chain.pick.value}", chain.pick.span
    for one in spec.rules:
        prefer = one.item.prefer
        if prefer is not None:
            yield f"pick.{prefer.value}", f"prefer: {prefer.value}", prefer.span


def _features(
    rules: Sequence[TypedRule], dimensions: Sequence[TypedDimension]
) -> Iterator[tuple[str, str, Span]]:
    read: list[Feature] = []
    for rule in rules:
        read += features_in(rule.guard)
        for keep in rule.keeps or ():
            read += features_in(keep)
    for dimension in dimensions:
        read += [] if dimension.value is None else features_in(dimension.value)
    for feature in read:
        yield f"feature.{feature.name}", feature.name, feature.span


def _assertions(spec: Spec) -> Iterator[tuple[str, str, Span]]:
    if spec.assertions:
        yield "assert", "assert", spec.assertions[0].span
