"""What is not covered, and witnesses of it, to cases that are ready to be pasted.

Where witnesses come from is not known here: `lynkrc.testing.witnesses` finds them.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never, final

from lynkrc.interp.goals import is_met, seen
from lynkrc.ir.table import Slot, SlotType
from lynkrc.source.nodes import Plain
from lynkrc.source.quoting import is_plain, quote
from lynkrc.testing.case import Case, Features, Sent
from lynkrc.testing.coverage import CoverageItem
from lynkrc.testing.report_text import short
from lynkrc.testing.runner import Engines, Run, run_case
from lynkrc.testing.update import yaml_of
from lynkrc_runtime.dispatch import StringClass
from lynkrc_runtime.feature_table import FIXED_UNIT
from lynkrc_runtime.string_classes import StringClasses

_LONGEST_NAME = 180
"""Characters, before it is said how many more things a case shows."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A witness of several items, in their order."""

    items: tuple[CoverageItem, ...]
    given: Features | Sent


def suggested_cases(
    suggestions: Sequence[Suggestion], engines: Engines, taken: Collection[str] = ()
) -> str:
    """The items of `cases` as YAML, each expecting what is decided now; others as comments.

    A case is named by what it is the first to show, and has none of the names `taken`.
    """
    left = dict.fromkeys(item for one in suggestions for item in one.items)
    names = set(taken)
    lines: list[str] = []
    for suggestion in suggestions:
        for_ = [item for item in suggestion.items if item in left]
        if not for_:
            continue
        case = Case(name="", given=suggestion.given, expected=(), span=for_[0].span)
        run = run_case(case, engines)
        if run.vector is None or run.decision is None or run.problem is not None:
            lines += [f"  # no case for: {short(item.text)} ({run.problem})" for item in for_]
            continue
        by = seen(engines.table, run.vector)
        shown = [item for item in left if is_met(item.goal, engines.table, by)]
        for item in shown:
            del left[item]
        name = _name(shown or for_)
        while name in names:
            name += " again"
        names.add(name)
        lines += _case(name, run, engines)
    return "".join(f"{line}\n" for line in lines)


def _name(items: Sequence[CoverageItem]) -> str:
    """What is shown, as far as a name of a case may say it."""
    name, count = short(items[0].text), 1
    for item in items[1:]:
        longer = f"{name}; {short(item.text)}"
        if len(longer) > _LONGEST_NAME:
            break
        name, count = longer, count + 1
    return name if count == len(items) else f"{name}; and {len(items) - count} more"


def _case(name: str, run: Run, engines: Engines) -> Iterator[str]:
    table, decision = engines.table, run.decision
    assert decision is not None
    yield f"  - name: {yaml_of(name)}"
    match run.case.given:
        case Features(vector=vector):
            pairs = [
                f"{_key(slot.text)}: {_value(slot, value)}"
                for slot, value in zip(table.slots, vector, strict=True)
                if value != min(max(0, slot.low), slot.high)
            ]
            yield f"    features: {{{', '.join(pairs)}}}"
        case Sent(surface=surface, headers=headers, body=body, beside=beside):
            yield "    request:"
            yield f"      surface: {surface}"
            if headers:
                yield f"      headers: {_flow(dict(headers))}"
            yield f"      body: {_flow(json.loads(body))}"
            owners = (("team", beside.team), ("tenant", beside.tenant))
            key: dict[str, Plain] = {name: one for name, one in owners if one is not None}
            if key:
                yield f"    key: {_flow(key)}"
        case _:
            assert_never(run.case.given)
    chain = tuple(table.targets[target].name for target in decision.targets)
    expected = (
        ("outcome", decision.outcome.name.lower()),
        ("tier", decision.tier),
        ("rule", decision.rule),
        ("chain", chain),
    )
    told = ", ".join(f"{key}: {yaml_of(value)}" for key, value in expected)
    yield f"    expect: {{{told}}}"


def _value(slot: Slot, value: int) -> str:
    """A slot's integer as it is written under `features`."""
    match slot.type:
        case SlotType.BOOL:
            return "true" if value else "false"
        case SlotType.INT:
            return str(value)
        case SlotType.FIXED:
            return f"{(Decimal(value) / FIXED_UNIT).normalize():f}"
        case SlotType.CLASS:
            return "null" if slot.classes[value].kind == "absent" else quote(_text(slot, value))
        case _:
            assert_never(slot.type)


def _text(slot: Slot, value: int) -> str:
    """A text of a class; a member's name."""
    chosen = slot.classes[value]
    if chosen.kind in ("member", "literal"):
        return chosen.text
    classes = StringClasses([StringClass(one.kind, one.text) for one in slot.classes])
    # Of more texts than there are classes, one is of no other class.
    texts = (f"{chosen.text or 'other'}{number or ''}" for number in range(len(slot.classes) + 1))
    return next((text for text in texts if classes.classify(text) == value), chosen.text)


def _key(text: str) -> str:
    return text if is_plain(text, flow=True) else quote(text)


def _flow(value: Plain) -> str:
    """A value on one line, as both YAML and this language read it back."""
    match value:
        case dict():
            return f"{{{', '.join(f'{_key(key)}: {_flow(part)}' for key, part in value.items())}}}"
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case str():
            return quote(value)
        case _:
            return json.dumps(value)
