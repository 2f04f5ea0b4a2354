"""The trust levels of a spec, and the providers whose level is none of them."""

from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import UNKNOWN_TRUST
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.merge import Spec
from lynkrc.sema.types import TRUST_LEVELS


def levels_of(spec: Spec) -> tuple[str, ...]:
    """From the most to the least trusted."""
    return tuple(level.value for level in spec.trust_levels) or TRUST_LEVELS


def check_trust(spec: Spec) -> Iterable[Diagnostic]:
    """Providers that name a level the spec does not have."""
    levels = levels_of(spec)
    for one in spec.providers:
        trust = one.item.trust
        if trust.value not in levels:
            yield Diagnostic(
                code=UNKNOWN_TRUST,
                message=f"there is no trust level {shown(trust.value)}",
                span=trust.span,
                help=did_you_mean(trust.value, levels, "levels, from the most trusted,"),
            )
