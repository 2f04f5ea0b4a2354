"""Chains as written to typed ones, with the findings about the targets they name."""

from collections.abc import Collection, Iterable

from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import TARGET_TWICE, UNKNOWN_TARGET
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.typed_config import TypedChain
from lynkrc.source.fixes import fix_of, rename
from lynkrc.source.parts import removal
from lynkrc.syntax.config import Chain, Name

STRATEGIES: tuple[str, ...] = ("cheapest", "fastest")
"""What `prefer` takes beside a target."""


def type_chain(chain: Chain) -> TypedChain:
    """The chain in names."""
    return TypedChain(
        groups=tuple(tuple(name.value for name in group) for group in chain.groups),
        pick="order" if chain.pick is None else chain.pick.value,
        weights=tuple((name.value, weight) for name, weight in chain.weights),
        spans=tuple(name.span for group in chain.groups for name in group),
    )


def check_chain(chain: Chain, owner: str, targets: Collection[str]) -> Iterable[Diagnostic]:
    """Unknown targets, and targets that stand twice in the chain of `owner`."""
    seen: dict[str, Name] = {}
    for name in chain.targets:
        if name.value not in targets:
            yield unknown_target(name, targets)
        first = seen.setdefault(name.value, name)
        if first is not name:
            edit = removal(name.span)
            yield Diagnostic(
                code=TARGET_TWICE,
                message=f"{shown(name.value)} stands twice in the chain of {shown(owner)}",
                span=name.span,
                help="remove it; `retry` of the provider repeats an attempt",
                labels=(Label(span=first.span, message="first here"),),
                fix=None if edit is None else fix_of(edit, "remove it", safe=True),
            )


def check_preference(prefer: Name, targets: Collection[str]) -> Iterable[Diagnostic]:
    """A rule's `prefer` that is neither a strategy nor a target."""
    if prefer.value not in STRATEGIES and prefer.value not in targets:
        yield unknown_target(prefer, [*targets, *STRATEGIES])


def unknown_target(name: Name, targets: Collection[str]) -> Diagnostic:
    """The finding about a target that is not there."""
    return Diagnostic(
        code=UNKNOWN_TARGET,
        message=f"there is no target {shown(name.value)}",
        span=name.span,
        help=did_you_mean(name.value, targets, "targets"),
        fix=rename(name.span, name.value, targets),
    )
