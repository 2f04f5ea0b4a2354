"""Assertions of a spec to typed ones. Whether they hold is not asked here.

Beside the request an assertion reads the target of each pair (``target.trust``, ``target.first``)
and the decision (``tier``, ``outcome``, ``rule``).
"""

from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import DUPLICATE_NAME
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.check import Checker
from lynkrc.sema.merge import Spec
from lynkrc.sema.typed_config import TypedAssertion
from lynkrc.syntax.config import Assertion, AssertionKind, Name
from lynkrc.syntax.print_expr import print_expr


def type_assertions(
    spec: Spec, checker: Checker
) -> tuple[tuple[TypedAssertion, ...], list[Diagnostic]]:
    """The assertions in the order written, as far as they are sound."""
    typed = (_typed(assertion, checker) for assertion in spec.assertions)
    return tuple(one for one in typed if one is not None), list(_names(spec))


def _typed(assertion: Assertion, checker: Checker) -> TypedAssertion | None:
    condition = feature = None
    expression = assertion.expression
    if expression is not None:
        if assertion.kind is AssertionKind.MONOTONE:
            feature = checker.leaf(expression, "what `monotone` speaks of")
        else:
            condition = checker.assertion(expression)
        if condition is None and feature is None:
            return None
    return TypedAssertion(
        name=None if assertion.name is None else assertion.name.value,
        kind=assertion.kind,
        condition=condition,
        feature=feature,
        amount=None if assertion.amount is None else assertion.amount.value,
        file=None if assertion.file is None else assertion.file.value,
        waive=None if assertion.waive is None else assertion.waive.value,
        source=_source(assertion),
        span=assertion.span,
    )


def _source(assertion: Assertion) -> str:
    if assertion.expression is not None:
        told = print_expr(assertion.expression)
    elif assertion.amount is not None:
        told = f"{assertion.amount.value:g}"
        told += "s" if assertion.kind is AssertionKind.MAX_LATENCY else ""
    else:
        told = "" if assertion.file is None else assertion.file.value
    return f"{assertion.kind.value}: {told}"


def _names(spec: Spec) -> Iterable[Diagnostic]:
    seen: dict[str, Name] = {}
    for assertion in spec.assertions:
        name = assertion.name
        if name is None:
            continue
        first = seen.setdefault(name.value, name)
        if first is not name:
            yield Diagnostic(
                code=DUPLICATE_NAME,
                message=f"two assertions are called {shown(name.value)}",
                span=name.span,
                help="give one of the two another name",
                labels=(Label(span=first.span, message="the other one"),),
            )
