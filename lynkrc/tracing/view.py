"""A trace to what people read of it: the same words for the terminal and for the page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, final

from lynkrc.diagnostics.wording import printable

_SHORT, _TAIL = 80, 30
"""Characters of a text that is cut to one line, and of its end."""
_MANY = 3
_IDLE = ("0", "false", "absent")

UNIT = 6400
"""Parts of a point that a trace counts in."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Addend:
    """What the score is the sum of: where it comes from, how it came about, its points."""

    name: str
    how: str
    points: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """An atom, whether it holds, and the values it read.

    `short` is the text where it fits a line, else what it begins and ends with.
    """

    text: str
    short: str
    holds: bool
    values: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: what it did, what it would have done but changed nothing, and why it matched."""

    name: str
    matched: bool
    when: str
    did: tuple[str, ...]
    changed_nothing: tuple[str, ...]
    atoms: tuple[Atom, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target of a chain and what dropped it; nothing did where it was kept."""

    name: str
    dropped_by: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain that was looked at, and why it was this one."""

    name: str
    why: str
    targets: tuple[Target, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A match in its text: `place` in characters, the words empty where they were not kept."""

    place: str
    before: str
    match: str
    after: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern that occurs: its text, how often, and the first places."""

    text: str
    times: int
    places: tuple[Excerpt, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature that is not zero."""

    name: str
    shown: str
    patterns: tuple[Pattern, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A trace, most important first.

    `facts` are labelled words about the outcome; `total` says how the sum became the score.
    `steps` tell the way to the tier, `order` how the kept targets are tried, `session` what that
    changed. `rules` are those
    that matched, then the others. `zeros` counts the features left out.
    """

    outcome: str
    facts: tuple[tuple[str, str], ...]
    addends: tuple[Addend, ...]
    total: str
    steps: tuple[str, ...]
    rules: tuple[Rule, ...]
    chains: tuple[Chain, ...]
    order: str
    session: str
    features: tuple[Feature, ...]
    zeros: int
    bundle: str


def view_of(trace: Mapping[str, Any]) -> View:
    """What people read of a trace that holds a decision. Every word of it is safe to print."""
    decision = trace["decision"]
    rules = [_rule(rule) for rule in decision["rules"]]
    features = [
        _feature(feature)
        for feature in trace["features"]
        if feature["value"] or feature["patterns"]
    ]
    has_score = decision["score"] is not None
    return View(
        outcome=decision["outcome"],
        facts=tuple(_facts(decision)),
        addends=tuple(_addends(decision["points"])) if has_score else (),
        total=_total(decision["points"], decision["score"]) if has_score else "",
        steps=tuple(_steps(decision)),
        rules=tuple(sorted(rules, key=lambda rule: not rule.matched)),
        chains=tuple(_chains(decision)),
        order=_order(decision["order"]),
        session=_session(trace["session"]),
        features=tuple(features),
        zeros=len(trace["features"]) - len(features),
        bundle=trace["bundle"],
    )


def exact(points: int) -> str:
    """Points given in 1/6400 as a decimal, exact.

    >>> exact(512_000), exact(-1), exact(3250)
    ('80', '-0.00015625', '0.5078125')
    """
    text = f"{Decimal(points) / UNIT:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tried(order: Mapping[str, Any]) -> str:
    """The targets in the order they are tried; a group whose order changes is bracketed."""
    texts: list[str] = []
    for group in order["groups"]:
        names = [printable(name) for name in group]
        if len(names) > 1 and order["varies"]:
            texts.append(f"[{' | '.join(names)}] {order['pick']}")
        else:
            texts += names
    return " -> ".join(texts)


def _facts(decision: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    status = "" if decision["status"] is None else f" with status {decision['status']}"
    yield "outcome", decision["outcome"] + status
    yield "tier", printable(decision["tier"] or "-")
    yield "rule", printable(decision["rule"])
    yield "score", "-" if decision["score"] is None else str(decision["score"])
    yield "targets", tried(decision["order"]) or "-"
    if decision["pin"] is not None:
        yield "pin", printable(decision["pin"])
    if decision["needs"]:
        yield "needs", ", ".join(map(printable, decision["needs"]))


def _addends(points: Mapping[str, Any]) -> Iterator[Addend]:
    for row in points["dimensions"]:
        how = printable(row["measures"])
        # Terms add their own weights; any other value is a percentage of the dimension's weight.
        if not how.startswith("points("):
            how = f"{row['value']}% of {exact(100 * row['factor'])}: {how}"
        yield Addend(name=printable(row["name"]), how=how, points=exact(row["points"]))
    for row in points["adds"]:
        name = printable(row["rule"])
        yield Addend(name=name, how="added by the rule", points=exact(row["points"]))
    if points["offset"]:
        yield Addend(name="offset", how="", points=exact(points["offset"]))


def _total(points: Mapping[str, Any], score: int) -> str:
    exactly, rounded = exact(points["sum"]), points["rounded"]
    text = f"sum {exactly}"
    if exactly != str(rounded):
        text += f", rounded {rounded}"
    if rounded != score:
        text += f", kept within 0 to 100: {score}"
    return text


def _steps(decision: Mapping[str, Any]) -> Iterator[str]:
    tiers = decision["tiers"]
    if decision["pin"] is not None:
        yield f"the model name {printable(decision['pin'])} is pinned: no score, floor or ceiling"
    if tiers is None:
        return
    by = "the score" if tiers["chosen_by"] == "score" else f"rule {printable(tiers['chosen_by'])}"
    yield f"{printable(tiers['chosen'])} by {by}"
    for moved, word in (("raised", "raised"), ("lowered", "lowered")):
        if tiers[moved] is not None:
            tier, rule = printable(tiers[moved]["tier"]), printable(tiers[moved]["rule"])
            yield f"{word} to {tier} by rule {rule}"


def _rule(rule: Mapping[str, Any]) -> Rule:
    effects = [(printable(effect["effect"]), effect["took"]) for effect in rule["effects"]]
    return Rule(
        name=printable(rule["name"]),
        matched=rule["matched"],
        when=printable(rule["when"]),
        did=tuple(words for words, took in effects if took),
        changed_nothing=tuple(words for words, took in effects if not took),
        atoms=tuple(
            Atom(
                text=printable(atom["atom"]),
                short=short(printable(atom["atom"])),
                holds=atom["holds"],
                values=_values(atom),
            )
            for atom in rule["atoms"]
        ),
    )


def short(text: str) -> str:
    """The text where it has at most 80 characters, else its beginning and its end.

    >>> short("when(" + "x" * 100 + ") >= 20")[-14:]
    'xxxxxxx) >= 20'
    """
    if len(text) <= _SHORT:
        return text
    return f"{text[: _SHORT - _TAIL - 5]} ... {text[-_TAIL:]}"


def _values(atom: Mapping[str, Any]) -> str:
    """What an atom compared; of many features only those that are not zero."""
    if list(atom["reads"]) == [atom["atom"].removeprefix("not ")]:
        return ""  # Its truth is the value.
    found = [f"{printable(slot)} = {printable(shown)}" for slot, shown in atom["reads"].items()]
    if len(found) > _MANY:
        idle = tuple(f" = {value}" for value in _IDLE)
        found = [text for text in found if not text.endswith(idle)]
        found.append(f"{len(atom['reads']) - len(found)} others zero")
    if atom["sides"] is not None:
        left, right = atom["sides"]
        found.insert(0, f"{left} against {right}")
    return ", ".join(found)


def _chains(decision: Mapping[str, Any]) -> Iterator[Chain]:
    ruled = decision["chain_rule"]
    for number, chain in enumerate(decision["chains"]):
        if number:
            why = "escalated: nothing was left of the chain before"
        elif ruled is not None:
            why = f"chosen by rule {printable(ruled)}"
        elif decision["pin"] is not None and decision["tier"] is None:
            why = "of the pinned target"
        else:
            why = "of the tier"
        yield Chain(
            name=printable(chain["chain"]),
            why=why,
            targets=tuple(
                Target(
                    name=printable(target["target"]),
                    dropped_by=tuple(map(printable, target["dropped_by"])),
                )
                for target in chain["targets"]
            ),
        )


_PICKS = {
    "order": "as written",
    "cheapest": "the cheapest of a group first",
    "fastest": "the fastest of a group first",
    "weighted": "drawn by weight in each group",
    "round_robin": "each of a group first in turn",
}


def _order(order: Mapping[str, Any]) -> str:
    if not order["groups"]:
        return ""
    preferred = order["prefer"]
    by = "" if preferred is None else f"; preferred by rule {printable(preferred)}"
    return f"{tried(order)} ({_PICKS[order['pick']]}{by})"


_KEPT = {
    "off": "the spec keeps no target",
    "new": "nothing is known of it",
    "new-turn": "a new turn begins",
    "same-turn": "the turn goes on",
    "same-session": "the session goes on",
    "compacted": "it goes on with another beginning and fewer messages",
    "failed": "its last request failed at every target",
    "not-decided": "its target is not among those decided",
    "drifted": "the score lies too far above the tier its target was chosen in",
    "raised": "a rule asks for a higher tier than its target was chosen in",
    "break-even": "another target is cheaper, what must be cached anew included",
}


def _session(session: Mapping[str, Any] | None) -> str:
    if session is None:
        return ""
    why = _KEPT[session["reason"]]
    kept = session["kept"]
    first = "the decided order stands" if kept is None else f"{printable(kept)} goes first"
    numbers = [f"{name} {number:,}" for name, number in session["numbers"].items()]
    return f"{first}: {why}" + (f" ({', '.join(numbers)})" if numbers else "")


def _feature(feature: Mapping[str, Any]) -> Feature:
    patterns: Sequence[Mapping[str, Any]] = feature["patterns"]
    return Feature(
        name=printable(feature["slot"]),
        shown=printable(feature["shown"]),
        patterns=tuple(
            Pattern(
                text=printable(pattern["pattern"]),
                times=pattern["times"],
                places=tuple(_place(place) for place in pattern["places"]),
            )
            for pattern in patterns
        ),
    )


def _place(place: Mapping[str, Any]) -> Excerpt:
    start, end = place["chars"]
    words = place.get("excerpt", {"before": "", "match": "", "after": ""})
    return Excerpt(
        place=f"{'?' if start is None else start}..{end}",
        before=printable(words["before"]),
        match=printable(words["match"]),
        after=printable(words["after"]),
    )
