"""Typed assertions to guards over slots of their own, apart from the table's."""

from lynkrc.ir.assertion import Assertion, Assertions, Kind
from lynkrc.lower.decimals import written
from lynkrc.lower.guards import lower_guard
from lynkrc.lower.slots import Layout, SlotPlan
from lynkrc.sema.typed_config import TypedAssertion, TypedConfig


def lower_assertions(typed: TypedConfig) -> Assertions:
    """The claims of a spec, in the order written.

    Their slots are all that they read of the request, with classes for their own literals, and all
    that they read beside it.
    """
    plan = SlotPlan(beside=True)
    for one in typed.assertions:
        if one.condition is not None:
            plan.read((one.condition,))
        if one.feature is not None:
            plan.add(one.feature)
    layout = plan.layout()
    return Assertions(
        slots=layout.slots, items=tuple(_assertion(one, layout) for one in typed.assertions)
    )


def _assertion(one: TypedAssertion, layout: Layout) -> Assertion:
    return Assertion(
        name=one.name,
        kind=Kind(one.kind.value),
        guard=None if one.condition is None else lower_guard(one.condition, layout),
        feature=None if one.feature is None else layout.slot(one.feature).id,
        amount=None if one.amount is None else written(one.amount),
        file=one.file,
        waive=one.waive,
        source=one.source,
        span=one.span,
    )
