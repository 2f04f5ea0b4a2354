"""What every report of a plan says in the same words: verdict, categories, sides, money."""

from difflib import unified_diff

from lynkrc.diagnostics.wording import printable
from lynkrc.diff.plan import Category, Item, Plan, Region, Relation, Side
from lynkrc.diff.replayed import Interval, Replay

CATEGORY_WORDS = {
    Category.PRIVACY: "requests may reach a less trusted class, or what is trusted changed",
    Category.OUTCOME: "another outcome, tier or first target, or served otherwise",
    Category.COST: "a higher worst case",
    Category.CHAIN: "only later targets differ, or a lower cost",
    Category.COSMETIC: "names and what is reported; the meaning is equal",
}

RELATION_WORDS = {
    Relation.EQUIVALENT: "equivalent: every request may go where it could before",
    Relation.NARROWER: "narrower: some attempts are gone, none came",
    Relation.WIDER: "wider: some attempts came, none are gone",
    Relation.INCOMPARABLE: "incomparable: some attempts are gone and some came",
}

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "~"}

_SHOWN = 160


def headline(plan: Plan) -> str:
    """The verdict in a few words."""
    if plan.same_meaning:
        return "Same meaning"
    if not plan.categories or plan.worst is Category.COSMETIC:
        return "No difference found, and none ruled out"
    return "The meaning differs"


def relation_words(plan: Plan) -> str:
    """How the attempts relate."""
    if plan.relation is None:
        return "unknown: how the attempts relate is not proved"
    return RELATION_WORDS[plan.relation]


def counts(plan: Plan) -> str:
    """``1 privacy, 2 outcome``; the categories there are, the gravest first."""
    found = [f"{plan.count(one)} {one.value}" for one in Category if plan.count(one)]
    return ", ".join(found) or "nothing to tell"


def title(region: Region) -> str:
    """What becomes of the requests, in one line: what differs most, before and after."""
    before, after = region.before, region.after
    if before.outcome != after.outcome:
        return f"{_ending(before)} => {_ending(after)}"
    if region.category is Category.PRIVACY:
        return f"{_reaches(before)} => {_reaches(after)}"
    if before.tier != after.tier:
        chains = f", {_ways(before, after)}"
        tiers = f"tier {_or_dash(before.tier)} => {_or_dash(after.tier)}"
        return tiers + (chains if before.chain != after.chain else "")
    if before.answer != after.answer:
        return f"{_ending(before)} => {_ending(after)}"
    if before.chain != after.chain:
        return _ways(before, after)
    if before.rule != after.rule:
        return f"rule {before.rule} => {after.rule}"
    return f"worst case {usd(before.cost)} => {usd(after.cost)}"


def _ways(before: Side, after: Side) -> str:
    return f"from {before.chain or 'no target'} to {after.chain or 'no target'}"


def _ending(side: Side) -> str:
    if side.answer is not None:
        return f"{side.outcome} ({side.answer})"
    return f"{side.outcome} to {' | '.join(side.first)}"


def _reaches(side: Side) -> str:
    return f"reaches {side.trust}" if side.trust is not None else "reaches no target"


def _or_dash(text: str | None) -> str:
    return "-" if text is None else text


def side_words(side: Side) -> str:
    """One side in a line: ``route, tier SIMPLE by score: small -> mid (cloud)``."""
    tier = "" if side.tier is None else f", tier {side.tier}"
    what = side.chain if side.answer is None else side.answer
    trust = f" (down to {side.trust})" if side.trust is not None else ""
    return f"{side.outcome}{tier} by {side.rule}: {what}{trust}"


def item_words(item: Item) -> str:
    """``~ tier SIMPLE: score 0..25 => score 0..20``; of a long text only the differing part."""
    head = f"{SIGNS[item.change]} {item.title}"
    match item.before, item.after:
        case None, after:
            return f"{head}: {cut(after or '')}"
        case before, None:
            return f"{head}: {cut(before or '')}"
        case before, after:
            was, now = _apart(before or "", after or "")
            return f"{head}: {was} => {now}"


def _apart(before: str, after: str) -> tuple[str, str]:
    """Two texts cut to where they differ, when they are long."""
    if max(len(before), len(after)) <= _SHOWN:
        return before, after
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    start = max(0, start - 40)
    lead = "..." if start else ""
    return lead + cut(before[start:]), lead + cut(after[start:])


def cut(text: str) -> str:
    """A text of at most 160 characters."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def usd(micro: int | None) -> str:
    """Micro-dollars as dollars: four digits after the point, more where that would hide them.

    >>> usd(1_234_567), usd(12), usd(None), usd(-500_000)
    ('$1.2346', '$0.000012', 'unknown', '-$0.5000')
    """
    if micro is None:
        return "unknown"
    sign = "-" if micro < 0 else ""
    amount = abs(micro) / 1_000_000
    digits = 6 if 0 < abs(micro) < 1_000 else 4
    return f"{sign}${amount:,.{digits}f}"


def percent(count: int, total: int) -> str:
    """``12.1 %``; ``-`` of nothing."""
    return "-" if not total else f"{100 * count / total:.1f} %"


def share_words(interval: Interval) -> str:
    """``10.2 to 14.3 %``."""
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"


def replay_words(replay: Replay) -> list[str]:
    """What a log says, in sentences."""
    lines = [
        f"{replay.records:,} requests in {replay.log}, {replay.replayed:,} decided by both specs"
    ]
    if replay.replayed:
        lines += _moved_words(replay)
    lines += [f"{one.count:,} not replayed: {one.what}" for one in replay.missing]
    lines += [f"{one.count:,} not in the cost: {one.what}" for one in replay.uncosted]
    lines += [f"line {one.line} is left out: {one.problem}" for one in replay.bad_lines]
    if replay.bad > len(replay.bad_lines):
        lines.append(f"{replay.bad - len(replay.bad_lines):,} more lines are left out")
    return lines


def _moved_words(replay: Replay) -> list[str]:
    """Who moves and what that costs; of no requests there is nothing to say."""
    cost = replay.cost
    change = cost.after - cost.before
    low, high = cost.difference.low, cost.difference.high
    return [
        f"{replay.moved:,} of them ({percent(replay.moved, replay.replayed)}, 95 % confidence "
        f"{share_words(replay.moved_share)}) get another outcome, tier or first target",
        f"{cost.requests:,} of them cost {usd(cost.before)} before and {usd(cost.after)} after: "
        f"{_signed(change)} (95 % confidence {_signed(round(low))} to {_signed(round(high))}), "
        "by each spec's prices on the tokens that were logged",
    ]


def _signed(micro: int) -> str:
    return ("+" if micro >= 0 else "") + usd(micro)


INTERVALS = (
    "Shares: Wilson's score interval. Costs: bootstrap of 1,000 resamples with a fixed seed."
)
"""How the intervals were made."""


def table_difference(plan: Plan) -> list[str]:
    """The unified difference of the two route tables, without line ends; empty where equal."""
    lines = unified_diff(
        plan.old.routes.splitlines(),
        plan.new.routes.splitlines(),
        f"{printable(plan.old.label)}/routes.txt",
        f"{printable(plan.new.label)}/routes.txt",
        lineterm="",
        n=2,
    )
    return [printable(line) for line in lines]
