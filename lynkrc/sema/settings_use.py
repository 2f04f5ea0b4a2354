"""Settings and what they rest on to findings: what counts nothing, reaches nothing, lets all in.

`settings_checks` looks at the sections alone; here they are held against tiers and prices, and
against what the gateway does with them when it starts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from lynkrc.diagnostics.model import Code, Diagnostic
from lynkrc.diagnostics.sema_codes import (
    COUNTS_NOTHING,
    FORGOTTEN_SPEND,
    KEY_REACHES_NOTHING,
    NOT_COUNTED,
    OPEN_ADMIN,
    OPEN_SERVER,
)
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.typed_config import TypedRule, TypedTarget, TypedTier
from lynkrc.source.nodes import MappingNode, Node, SequenceNode
from lynkrc.source.text import Span
from lynkrc.syntax.config import Price, Section
from lynkrc_runtime.settings import Budget, Key, Limit, Settings

_REFERENCE = "${"


def check_use(
    settings: Settings,
    sections: Iterable[Section],
    *,
    tiers: Sequence[TypedTier],
    rules: Sequence[TypedRule],
    targets: Sequence[TypedTarget],
) -> Iterator[Diagnostic]:
    """The findings about the settings of a spec that has no errors; `sections` say where."""
    nodes = {section.key.value: section.node for section in sections}
    yield from _budgets(settings, nodes, targets)
    yield from _owners(settings, nodes)
    yield from _keys(settings, nodes, tiers, rules)
    yield from _doors(settings, nodes)


def _budgets(
    settings: Settings, nodes: Mapping[str, Node], targets: Sequence[TypedTarget]
) -> Iterator[Diagnostic]:
    prices = {target.name: target.price for target in targets}
    for budget, node in zip(settings.budgets, _items(nodes, "budgets"), strict=True):
        counted = budget.targets or [*prices]
        if all(_is_free(prices[name]) for name in counted):
            yield _finding(
                COUNTS_NOTHING,
                f"budget {shown(budget.name)} is never spent: {listed(counted, 'and')} "
                f"{'is' if len(counted) == 1 else 'are'} free",
                _span(node, "targets" if budget.targets else "name"),
                "count targets that cost something, state their prices, or remove the budget",
            )
    if settings.budgets and settings.state.store == "memory":
        yield _finding(
            FORGOTTEN_SPEND,
            "what is spent of the budgets is kept in memory: a restart forgets it, and more than "
            "one worker is refused",
            _span(_items(nodes, "budgets")[0], "name"),
            "`state: {store: sqlite, path: FILE}` keeps it on this machine, `redis` for many",
        )


def _is_free(price: Price) -> bool:
    every = (price.input, price.output, price.cache_read, price.cache_write)
    return not any(every)


def _owners(settings: Settings, nodes: Mapping[str, Node]) -> Iterator[Diagnostic]:
    counters: list[tuple[Limit | Budget, Node]] = [
        *zip(settings.limits, _items(nodes, "limits"), strict=True),
        *zip(settings.budgets, _items(nodes, "budgets"), strict=True),
    ]
    for counter, node in counters:
        if counter.only or counter.per not in ("team", "tenant"):
            continue
        without = [name for name, key in settings.keys.items() if not getattr(key, counter.per)]
        if without:
            yield _finding(
                NOT_COUNTED,
                f"{shown(counter.name)} does not count {listed(sorted(without), 'and')}, which "
                f"{'has' if len(without) == 1 else 'have'} no {counter.per}",
                _span(node, "per"),
                f"give each key a {shown(counter.per)}, or name those it is for with `only`",
            )


def _keys(
    settings: Settings,
    nodes: Mapping[str, Node],
    tiers: Sequence[TypedTier],
    rules: Sequence[TypedRule],
) -> Iterator[Diagnostic]:
    chains = {tier.name: tier.chain.targets for tier in tiers}
    # A rule's chain is for requests of any tier, and what makes embeddings is in none.
    anywhere = {name for rule in rules if rule.chain is not None for name in rule.chain.targets}
    anywhere.update(settings.embeddings.values())
    for name, key in settings.keys.items():
        if not key.tiers or not anywhere.isdisjoint(key.targets):
            continue
        if key.targets and not _reached(key, chains):
            yield _finding(
                KEY_REACHES_NOTHING,
                f"key {shown(name)} reaches nothing: {listed(key.targets, 'and')} "
                f"{'is' if len(key.targets) == 1 else 'are'} in no chain of "
                f"{listed(key.tiers, 'and')}",
                _span(_at(nodes.get("keys"), name), "targets"),
                "allow it a target of those tiers, or a tier that leads to these targets",
            )


def _reached(key: Key, chains: Mapping[str, Sequence[str]]) -> bool:
    return any(target in chains[tier] for tier in key.tiers for target in key.targets)


def _doors(settings: Settings, nodes: Mapping[str, Node]) -> Iterator[Diagnostic]:
    server, node = settings.server, nodes.get("server")
    if _is_open(server.host) and not settings.keys:
        yield _finding(
            OPEN_SERVER,
            f"{shown(server.host or '')} serves anybody on the network, with your credentials: "
            "there are no `keys`",
            _span(node, "host"),
            "declare `keys`; without them the gateway starts with `--insecure-open` alone",
        )
    admin = server.admin
    if _is_open(admin.host) and admin.token is None:
        yield _finding(
            OPEN_ADMIN,
            f"{shown(admin.host or '')} lets anybody on the network operate the gateway, which "
            "does not start so",
            _span(_at(node, "admin"), "host"),
            'write `token: "${NAME}"` beside it, or leave `host` out',
        )


def _is_open(host: str | None) -> bool:
    """Whether others than this machine may connect; what the environment says is not known."""
    if host is None or _REFERENCE in host:
        return False
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return False
    try:
        return not ip_address(name).is_loopback
    except ValueError:
        return True


def _items(nodes: Mapping[str, Node], section: str) -> Sequence[Node]:
    node = nodes.get(section)
    return node.items if isinstance(node, SequenceNode) else ()


def _at(node: Node | None, key: str) -> Node | None:
    return node.get(key) if isinstance(node, MappingNode) else None


def _span(node: Node | None, key: str) -> Span:
    """The value of a key that is written."""
    found = _at(node, key)
    if found is None:
        raise AssertionError(f"{key!r} was expected: {node!r}")
    return found.span


def _finding(code: Code, message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, help=help)
