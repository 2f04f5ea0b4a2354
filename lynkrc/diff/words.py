"""What every report of a plan says in the same words: verdict, categories, sides, money."""

from difflib import SequenceMatcher, unified_diff

from lynkrc.diagnostics.wording import printable
from lynkrc.diff.plan import Category, Group, Item, Plan, Region, Relation, Side, What
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


def title(group: Group) -> str:
    """What becomes of the requests of a group, in one line.

    One way of a group of several stands for all: `ways` tells the others.
    """
    one = group.leader
    before, after = one.before, one.after
    match one.what:
        case What.TRUST:
            reached = sorted({_reached(region.before) for region in group.regions})
            goals = sorted({_reached(region.after) for region in group.regions})
            return f"reaches {' or '.join(reached)} => {' or '.join(goals)}"
        case What.UP | What.DOWN:
            moves = dict.fromkeys(
                f"{_or_dash(region.before.tier)} => {_or_dash(region.after.tier)}"
                for region in group.regions
            )
            shown = list(moves)[:_TIERS]
            more = f" and {len(moves) - _TIERS} more" if len(moves) > _TIERS else ""
            return f"a {one.what.value}: {', '.join(shown)}{more}"
        case What.PINNED:
            return way(one)
        case What.ADDRESS:
            return f"the same targets, not all where they were: {after.chain}"
        case What.PRICE:
            return f"the same targets at another price: {after.chain}"
        case What.NAME:
            return f"the same, called otherwise: {way(one)}"
        case _:
            return f"{_way(before)} => {_way(after)}"


def ways(group: Group) -> list[str]:
    """The other ways in which requests of a group are moved, each once, in a line."""
    told = dict.fromkeys(way(region) for region in group.regions)
    return [text for text in told if text != way(group.leader)]


def way(region: Region) -> str:
    """How the requests of one region are moved, in a short line."""
    before, after = region.before, region.after
    texts = [_way(side) for side in (before, after)]
    tiers = [_or_dash(side.tier) for side in (before, after)]
    if tiers[0] == tiers[1]:
        lead = "" if before.tier is None else f"{before.tier}: "
    else:
        lead, texts = "", [f"{tier}: {text}" for tier, text in zip(tiers, texts, strict=True)]
    if texts[0] != texts[1]:
        return f"{lead}{texts[0]} => {texts[1]}"
    if region.what is What.NAME and before.rule != after.rule:
        return f"{lead}{texts[0]}, by rule {after.rule}, not {before.rule}"
    if region.what is What.PRICE:
        return f"{lead}{texts[0]}, at worst {costs(before.cost, after.cost)}"
    return f"{lead}{texts[0]}"


def others(count: int, what: str) -> str:
    """``1 other way``, ``2 other ways``."""
    return f"{count} other {what}" if count == 1 else f"{count} other {what}s"


_TIERS = 4
"""Pairs of tiers that a title names."""


def _way(side: Side) -> str:
    """Where it goes, or what is said instead."""
    if side.answer is not None:
        return f"{_ENDINGS[side.outcome]} ({side.answer})"
    return side.chain or "no target"


_ENDINGS = {"deny": "denied", "respond": "answered", "refuse": "refused", "route": "routed"}


def _reached(side: Side) -> str:
    return side.trust or "no target"


def _or_dash(text: str | None) -> str:
    return "no tier" if text is None else text


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
        case before, after if before == after:
            return f"{head}: reads as before; something that it names is another"
        case before, after if item.kind in _LISTS:
            return f"{head}: {_list_words(before or '', after or '')}"
        case before, after:
            was, now = _apart(before or "", after or "")
            return f"{head}: {was} => {now}"


_LISTS = ("tier", "target", "lexicon", "rule order", "client order", "models", "trust levels")
"""Kinds of parts that are told as lists."""


def _list_words(before: str, after: str) -> str:
    """What differs between two lists.

    >>> _list_words("score 0..25, chain a -> b", "score 0..30, chain a -> b")
    'score 0..25 => score 0..30'
    >>> _list_words("1 entry: pay", "2 entries: pay, wage")
    '1 entry => 2 entries, now also wage'
    >>> _list_words("a, b, c", "b, c, a")
    'a now after c'
    """
    said: list[str] = []
    was, goes = (text.partition(": ") for text in (before, after))
    if was[1] and goes[1]:
        said += [f"{was[0]} => {goes[0]}"] if was[0] != goes[0] else []
        before, after = was[2], goes[2]
    old, new = before.split(", "), after.split(", ")
    gone = [one for one in old if one not in new]
    came = [one for one in new if one not in old]
    if gone and len(gone) == len(came):
        said.append(f"{cut(', '.join(gone))} => {cut(', '.join(came))}")
    else:
        said += [f"no longer {cut(', '.join(gone))}"] if gone else []
        said += [f"now also {cut(', '.join(came))}"] if came else []
    if not gone and not came:
        moved = _moved(old, new)
        said.append(cut(", ".join(moved)))
    return ", ".join(said)


def _moved(old: list[str], new: list[str]) -> list[str]:
    """The fewest items that are to be moved, and where to."""
    kept = set[str]()
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        kept |= set(old[block.a : block.a + block.size])
    return [
        f"{one} now {f'after {new[place - 1]}' if place else 'first'}"
        for place, one in enumerate(new)
        if one not in kept
    ]


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


def example(region: Region, *, whole: bool = True) -> str:
    """What a request of the region needs, in words; the first of it where not the whole."""
    pairs = [f"{name} = {value}" for name, value in region.witness.features]
    shown = pairs if whole else pairs[:_FEATURES]
    more = f" and {len(pairs) - len(shown)} more" if len(shown) < len(pairs) else ""
    return (", ".join(shown) or "a request that says nothing out of the ordinary") + more


_FEATURES = 6
"""Features of an example that are named."""


def not_built(region: Region) -> str:
    """Why there is no request; empty where there is one, or none was tried."""
    missed = region.witness.missed
    if not missed:
        return ""
    more = f" and {len(missed) - _MISSED} more" if len(missed) > _MISSED else ""
    return f"vector only, no request was built: {', '.join(missed[:_MISSED])}{more}"


_MISSED = 3
"""Features that a request has not, named at most."""


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


def costs(before: int | None, after: int | None) -> str:
    """Two amounts, or one where they are equal; with the digits in which they differ.

    >>> costs(21_500, 21_501), costs(None, None)
    ('$0.021500 => $0.021501', 'unknown')
    """
    if before == after:
        return usd(before)
    texts = [usd(before), usd(after)]
    if texts[0] == texts[1]:
        texts = [f"${(one or 0) / 1_000_000:,.6f}" for one in (before, after)]
    return " => ".join(texts)


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
