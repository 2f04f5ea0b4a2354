"""Calls of `min max clamp when steps ramp saturate` to typed numbers, with their argument rules."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from lynkrc.diagnostics.sema_codes import ARGUMENT_COUNT, ARGUMENT_VALUE, BAD_LIST, DECIMAL
from lynkrc.sema.comparisons import in_range
from lynkrc.sema.context import Context, boolean, bounded, in_64ths, number, same_unit
from lynkrc.sema.typed import (
    Choice,
    Constant,
    Greatest,
    Least,
    Number,
    Ramp,
    Saturate,
    Steps,
)
from lynkrc.sema.types import FixedType, IntType, like
from lynkrc.syntax.expr import Call, Expr, ListLiteral

_FULL = 100

_USAGES: Mapping[str, tuple[str, int, int | None]] = MappingProxyType(
    {
        "min": ("min(a, b, ...)", 2, None),
        "max": ("max(a, b, ...)", 2, None),
        "clamp": ("clamp(x, LOW, HIGH)", 3, 3),
        "when": ("when(CONDITION, a, b)", 3, 3),
        "steps": ("steps(x, [[FROM, VALUE], ...])", 2, 2),
        "ramp": ("ramp(x, LOW, HIGH)", 3, 3),
        "saturate": ("saturate(x, FULL)", 2, 2),
    }
)
"""Function -> how it is written, least and greatest number of arguments."""


def apply(context: Context, call: Call) -> Number | None:
    """The typed form of a call whose name is one of `scope.FUNCTIONS`."""
    written, least, most = _USAGES[call.name]
    if len(call.args) < least or (most is not None and len(call.args) > most):
        context.report(
            ARGUMENT_COUNT,
            call.span,
            f"`{call.name}` takes {least}{' or more' if most is None else ''} arguments, "
            f"not {len(call.args)}",
            f"write `{written}`",
        )
        return None
    return _RULES[call.name](context, call)


def _least(context: Context, call: Call) -> Number | None:
    operands = _one_unit(context, call.args, "an argument of `min`")
    if operands is None:
        return None
    type_ = like(
        operands[0].type, min(o.type.low for o in operands), min(o.type.high for o in operands)
    )
    return Least(operands=operands, type=type_)


def _greatest(context: Context, call: Call) -> Number | None:
    operands = _one_unit(context, call.args, "an argument of `max`")
    if operands is None:
        return None
    type_ = like(
        operands[0].type, max(o.type.low for o in operands), max(o.type.high for o in operands)
    )
    return Greatest(operands=operands, type=type_)


def _clamp(context: Context, call: Call) -> Number | None:
    operands = _one_unit(context, call.args, "an argument of `clamp`")
    if operands is None:
        return None
    x, low, high = operands
    if low.type.low > high.type.high:
        _refuse(context, call.args[2], "the bounds of `clamp` are the wrong way round")
        return None
    raised = Greatest(
        operands=(x, low),
        type=like(x.type, max(x.type.low, low.type.low), max(x.type.high, low.type.high)),
    )
    type_ = like(x.type, min(raised.type.low, high.type.low), min(raised.type.high, high.type.high))
    return Least(operands=(raised, high), type=type_)


def _when(context: Context, call: Call) -> Number | None:
    condition = boolean(context, call.args[0], "the first argument of `when`")
    branches = _one_unit(context, call.args[1:], "a value of `when`")
    if condition is None or branches is None:
        return None
    then, otherwise = branches
    type_ = like(
        then.type,
        min(then.type.low, otherwise.type.low),
        max(then.type.high, otherwise.type.high),
    )
    return Choice(condition=condition, then=then, otherwise=otherwise, type=type_)


def _steps(context: Context, call: Call) -> Number | None:
    x = number(context, call.args[0], "the first argument of `steps`")
    table = call.args[1]
    if not isinstance(table, ListLiteral) or not table.items:
        context.report(
            BAD_LIST, table.span, "`steps` needs a list of pairs", f"write `{_USAGES['steps'][0]}`"
        )
        return None
    pairs = [_pair(context, x, item) for item in table.items]
    typed = [pair for pair in pairs if pair is not None]
    if x is None or len(typed) < len(pairs):
        return None
    for (before, _), (after, _), item in zip(typed, typed[1:], table.items[1:], strict=False):
        if after <= before:
            _refuse(context, item, "the thresholds of `steps` must rise strictly")
            return None
    values = [value for _, value in typed]
    if typed[0][0] > x.type.low:
        values.append(0)
    return Steps(x=x, pairs=tuple(typed), type=IntType(low=min(values), high=max(values)))


def _pair(context: Context, x: Number | None, item: Expr) -> tuple[int, int] | None:
    if not isinstance(item, ListLiteral) or len(item.items) != 2:
        context.report(BAD_LIST, item.span, "a step is a pair `[FROM, VALUE]`")
        return None
    threshold = _threshold(context, x, item.items[0])
    value = _constant(context, item.items[1], "a value of `steps`")
    if threshold is None or value is None:
        return None
    if isinstance(value.type, FixedType):
        context.report(DECIMAL, item.items[1].span, "a value of `steps` must be a whole number")
        return None
    return threshold, value.value


def _ramp(context: Context, call: Call) -> Number | None:
    x = number(context, call.args[0], "the first argument of `ramp`")
    low = _on_scale(context, x, call.args[1], "the low end of `ramp`")
    high = _on_scale(context, x, call.args[2], "the high end of `ramp`")
    if x is None or low is None or high is None:
        return None
    if low >= high:
        _refuse(context, call.args[2], "the low end of `ramp` must be below the high end")
        return None
    ends = (_ramped(x.type.low, low, high), _ramped(x.type.high, low, high))
    return Ramp(x=x, low=low, high=high, type=IntType(low=ends[0], high=ends[1]))


def _ramped(x: int, low: int, high: int) -> int:
    return max(0, min(_FULL, _FULL * (x - low) // (high - low)))


def _saturate(context: Context, call: Call) -> Number | None:
    x = number(context, call.args[0], "the first argument of `saturate`")
    full = _on_scale(context, x, call.args[1], "the second argument of `saturate`")
    if x is None or full is None:
        return None
    if full <= 0:
        _refuse(context, call.args[1], "the second argument of `saturate` must be positive")
        return None
    ends = [max(0, min(_FULL, _FULL * end // full)) for end in (x.type.low, x.type.high)]
    return Saturate(x=x, full=full, type=IntType(low=ends[0], high=ends[1]))


_Rule: TypeAlias = Callable[[Context, Call], Number | None]

_RULES: Mapping[str, _Rule] = MappingProxyType(
    {
        "min": _least,
        "max": _greatest,
        "clamp": _clamp,
        "when": _when,
        "steps": _steps,
        "ramp": _ramp,
        "saturate": _saturate,
    }
)


def _refuse(context: Context, expr: Expr, message: str) -> None:
    context.report(ARGUMENT_VALUE, expr.span, message)


def _constant(context: Context, expr: Expr, place: str) -> Constant | None:
    value = number(context, expr, place)
    if value is None or isinstance(value, Constant):
        return value
    _refuse(context, expr, f"{place} must be a constant")
    return None


def _on_scale(context: Context, x: Number | None, expr: Expr, place: str) -> int | None:
    """A constant on the scale of `x`: in its unit, and below a top that means "this or more".

    Otherwise it may lie outside the range of `x`: the end of a scale need not be reached.
    """
    constant = _in_unit(context, x, expr, place)
    if constant is None or x is None:
        return None
    saturates = isinstance(x.type, IntType) and x.type.saturates
    if (
        saturates
        and constant.value >= x.type.high
        and not in_range(context, x, constant, expr.span)
    ):
        return None
    return constant.value


def _threshold(context: Context, x: Number | None, expr: Expr) -> int | None:
    """A constant in the unit of `x` and, where `x` is a feature, within its range."""
    constant = _in_unit(context, x, expr, "a threshold of `steps`")
    if constant is None or x is None:
        return None
    return constant.value if in_range(context, x, constant, expr.span) else None


def _in_unit(context: Context, x: Number | None, expr: Expr, place: str) -> Constant | None:
    constant = _constant(context, expr, place)
    if constant is None or x is None:
        return None
    if isinstance(x.type, FixedType) and isinstance(constant.type, IntType):
        constant = in_64ths(constant)
    elif isinstance(constant.type, FixedType) and isinstance(x.type, IntType):
        context.report(
            DECIMAL,
            expr.span,
            f"{place} must be a whole number, as the first argument is one",
        )
        return None
    return constant if bounded(context, expr.span, constant.type) else None


def _one_unit(context: Context, args: tuple[Expr, ...], place: str) -> tuple[Number, ...] | None:
    """The arguments as numbers of one unit."""
    found = [number(context, arg, place) for arg in args]
    typed = [value for value in found if value is not None]
    if len(typed) < len(found):
        return None
    fixed = next((i for i, n in enumerate(typed) if isinstance(n.type, FixedType)), None)
    if fixed is None:
        return tuple(typed)
    # A decimal constant is the weakest witness for the unit: prefer a side that reads something.
    witness = next(
        (
            i
            for i, n in enumerate(typed)
            if isinstance(n.type, FixedType) and not isinstance(n, Constant)
        ),
        fixed,
    )
    unified = []
    for i, value in enumerate(typed):
        both = same_unit(context, typed[witness], value, args[witness].span, args[i].span)
        if both is None:
            return None
        unified.append(both[1])
    return tuple(unified)


def usage_of(function: str) -> str:
    """How a function of `scope.FUNCTIONS` is written: ``ramp(x, LOW, HIGH)``."""
    return _USAGES[function][0]
