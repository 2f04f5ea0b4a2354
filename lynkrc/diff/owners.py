"""Keys, limits and budgets of two specs to what a reviewer has to see of them, entry by entry.

>>> from lynkrc_runtime.settings import Budget, Settings
>>> old, new = (Settings(budgets=[Budget(name="month", usd=usd)]) for usd in ("500", "5000"))
>>> for change in owner_changes(old, new, {}):
...     print(change.item.title, change.item.before, "->", change.item.after, change.category.value)
budget month USD 500 a month -> USD 5000 a month cost
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar, final

from lynkrc.codegen.owners_text import counted, known_by
from lynkrc.codegen.quantities import duration
from lynkrc.diff.plan import Category, Change, Item
from lynkrc_runtime.settings import Budget, Key, Limit, Settings

READ_OTHERWISE = "what requests are decided by is read otherwise"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    """One thing an entry says. `most` is how much it lets through: more of it may cost more."""

    says: object
    text: str
    most: Decimal | None = None


_T = TypeVar("_T", Key, Limit, Budget)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """How entries of one section are called, and what a change of them means."""

    section: str
    kind: str
    changed: str
    added: str
    removed: str
    freed: Category
    """The category of an entry that is gone, or lets through more."""


_KEYS = _Words(
    section="keys",
    kind="key",
    changed="who is served with this key, or what it may reach",
    added="whoever has this key is served",
    removed="whoever has this key is not served any more",
    freed=Category.OUTCOME,
)
_LIMITS = _Words(
    section="limits",
    kind="limit",
    changed="requests are refused otherwise",
    added="requests beyond it are refused",
    removed="nothing holds these requests back any more",
    freed=Category.COST,
)
_BUDGETS = _Words(
    section="budgets",
    kind="budget",
    changed="what may be spent is another amount, or counted otherwise",
    added="requests beyond it are refused, or its targets skipped",
    removed="nothing holds this spend back any more",
    freed=Category.COST,
)


def owner_changes(
    old: Settings, new: Settings, reading: Mapping[str, Category]
) -> Iterator[Change]:
    """The differences of `keys`, `limits` and `budgets`, by name; their order says nothing.

    `reading` has the sections that the decision reads, and the category that then has.
    """
    yield from _entries(_KEYS, old.keys, new.keys, _of_key, reading)
    if bool(old.keys) != bool(new.keys):
        texts = ["nobody" if not settings.keys else "everybody" for settings in (old, new)]
        item = Item(kind="keys", name="", change="changed", before=texts[0], after=texts[1])
        opens = not new.keys
        words = "callers need no key any more" if opens else "callers without a key are refused"
        yield Change(category=Category.OUTCOME, item=item, words=words)
    held, holds = ({one.name: one for one in settings.limits} for settings in (old, new))
    yield from _entries(_LIMITS, held, holds, _of_limit, reading)
    paid, pays = ({one.name: one for one in settings.budgets} for settings in (old, new))
    yield from _entries(_BUDGETS, paid, pays, _of_budget, reading)


def _entries(
    words: _Words,
    before: Mapping[str, _T],
    after: Mapping[str, _T],
    facts: Callable[[_T], Sequence[_Fact]],
    reading: Mapping[str, Category],
) -> Iterator[Change]:
    read = reading.get(words.section)

    def change(item: Item, category: Category, said: str) -> Change:
        if read is not None:
            return Change(category=read, item=item, words=READ_OTHERWISE)
        return Change(category=category, item=item, words=said)

    for name in sorted({*before, *after}):
        if name not in after:
            text = _told(facts(before[name]))
            item = Item(kind=words.kind, name=name, change="removed", before=text, after=None)
            yield change(item, words.freed, words.removed)
        elif name not in before:
            text = _told(facts(after[name]))
            item = Item(kind=words.kind, name=name, change="added", before=None, after=text)
            yield change(item, Category.OUTCOME, words.added)
        else:
            for was, now in zip(facts(before[name]), facts(after[name]), strict=True):
                if was.says == now.says:
                    continue
                # Of a digest only the beginning is shown.
                text = now.text if now.text != was.text else f"{now.text} (another)"
                item = Item(
                    kind=words.kind, name=name, change="changed", before=was.text, after=text
                )
                frees = was.most is not None and (now.most is None or now.most > was.most)
                yield change(item, words.freed if frees else Category.OUTCOME, words.changed)


def _told(facts: Sequence[_Fact]) -> str:
    return "; ".join(fact.text for fact in facts)


def _of_key(key: Key) -> Sequence[_Fact]:
    return (
        _Fact(says=(key.secret, key.sha256), text=f"known by {known_by(key)}"),
        _Fact(says=key.team, text="no team" if key.team is None else f"team {key.team}"),
        _Fact(says=key.tenant, text="no tenant" if key.tenant is None else f"tenant {key.tenant}"),
        _Fact(says=sorted(key.tiers), text=f"tiers {', '.join(key.tiers) or 'all'}"),
        _Fact(says=sorted(key.targets), text=f"targets {', '.join(key.targets) or 'all'}"),
        _Fact(says=key.debug, text="may debug" if key.debug else "may not debug"),
    )


def _of_limit(limit: Limit) -> Sequence[_Fact]:
    return (
        _rate(limit.requests, "requests", limit),
        _rate(limit.tokens, "tokens", limit),
        _Fact(says=(limit.per, sorted(limit.only)), text=counted(limit.per, limit.only)),
    )


def _rate(amount: int | None, what: str, limit: Limit) -> _Fact:
    if amount is None:
        return _Fact(says=None, text=f"any number of {what}")
    return _Fact(
        says=(amount, limit.within),
        text=f"{amount} {what} in {duration(limit.within)}",
        most=Decimal(amount) / Decimal(repr(limit.within)),
    )


_DAYS = {"day": 1, "week": 7, "month": 31}


def _of_budget(budget: Budget) -> Sequence[_Fact]:
    amount = Decimal(budget.usd)
    alerts = ", ".join(f"{percent}%" for percent in budget.alert_at)
    targets = ", ".join(budget.targets)
    return (
        _Fact(
            says=(amount, budget.period),
            text=f"USD {budget.usd} a {budget.period}",
            most=amount / _DAYS[budget.period],
        ),
        _Fact(says=(budget.per, sorted(budget.only)), text=counted(budget.per, budget.only)),
        _Fact(says=sorted(budget.targets), text=f"on {targets or 'every target'}"),
        _Fact(
            says=budget.hard,
            text="hard" if budget.hard else "soft",
            most=Decimal(not budget.hard),
        ),
        _Fact(says=budget.alert_at, text=f"alerts at {alerts}" if alerts else "no alerts"),
    )
