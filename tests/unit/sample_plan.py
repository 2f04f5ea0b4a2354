"""Plans by hand, with one of everything: what the reports are made of, without a search."""

from dataclasses import replace

from lynkrc.diff.intervals import share_interval
from lynkrc.diff.plan import (
    Category,
    Change,
    Item,
    Plan,
    Region,
    Relation,
    SentRequest,
    Side,
    Spec,
    What,
    Witness,
)
from lynkrc.diff.replayed import BadLine, Interval, Missing, Move, Replay, ReplayCost

LOW = Side(
    outcome="route",
    tier="LOW",
    rule="score",
    first=("small",),
    targets=("small", "mid"),
    chain="small -> mid",
    trust="internal",
    answer=None,
    cost=21_500,
)
FAR = replace(
    LOW,
    tier="HIGH",
    first=("mid", "large"),
    targets=("mid", "large", "small"),
    chain="[mid | large] weighted 3:1 -> small",
    trust="cloud",
    cost=1_250_000,
)
DENIED = Side(
    outcome="deny",
    tier=None,
    rule="legal",
    first=(),
    targets=(),
    chain="",
    trust=None,
    answer="403 not here | <b>ask</b> the `team`",
    cost=0,
)
TIER = Item(
    kind="tier",
    name="LOW",
    change="changed",
    before="score 0..50, chain small -> mid",
    after="score 0..40, chain small -> mid",
)
RULE = Item(kind="rule", name="legal", change="added", before=None, after="deny 403 when urgent")
GONE = Item(kind="lexicon", name="pay", change="removed", before="2 entries: pay, *", after=None)
NAMED = Item(kind="rule", name="at-once", change="renamed", before="urgent", after="at-once")

REGIONS = (
    Region(
        category=Category.PRIVACY,
        what=What.TRUST,
        before=LOW,
        after=FAR,
        rules=("score", "builtin/audits"),
        items=(TIER, RULE),
        witness=Witness(
            features=(("ask.words", "9"), ('header("x-team")', '"a | b"')),
            point=(9, 2),
            request=SentRequest(
                surface="messages",
                headers=(("x-team", "a | b"),),
                body='{"model":"auto"}',
                curl="curl http://localhost:8081/v1/messages \\\n  -H 'x-team: a | b' -d '{}'",
                test="- name: moves\n  request: {model: auto}\n  expect: {tier: LOW}\n# ```",
            ),
        ),
        gains=True,
        loses=False,
    ),
    Region(
        category=Category.OUTCOME,
        what=What.OUTCOME,
        before=LOW,
        after=DENIED,
        rules=("legal",),
        items=(RULE,),
        witness=Witness(features=(), point=(0, 0)),
        gains=False,
        loses=True,
    ),
    Region(
        category=Category.CHAIN,
        what=What.LATER,
        before=LOW,
        after=replace(LOW, chain="small", targets=("small",), trust="local", cost=None),
        rules=("score",),
        items=(),
        witness=Witness(
            features=(("turns", "3"),), point=(3, 0), missed=("turns (wanted 3, got 0)",)
        ),
        gains=False,
        loses=True,
    ),
)
CHANGES = (
    Change(
        category=Category.COST,
        item=Item(
            kind="target",
            name="large.price",
            change="changed",
            before="3 in, 15 out, 3 cache read, 3 cache write",
            after="4 in, 15 out, 4 cache read, 4 cache write",
        ),
        words="dearer",
    ),
    Change(category=Category.COSMETIC, item=NAMED, words="it changes no route"),
)
REPLAY = Replay(
    log="usage.jsonl",
    records=1_012,
    replayed=1_000,
    moved=120,
    moved_share=share_interval(120, 1_000),
    outcomes=(
        Move(before="route", after="route", count=1_000, share=share_interval(1_000, 1_000)),
    ),
    tiers=(
        Move(before="LOW", after="LOW", count=880, share=share_interval(880, 1_000)),
        Move(before="LOW", after="HIGH", count=120, share=share_interval(120, 1_000)),
    ),
    targets=(
        Move(before="small", after="small", count=880, share=share_interval(880, 1_000)),
        Move(
            before="small",
            after="[mid | large] weighted 3:1",
            count=120,
            share=share_interval(120, 1_000),
        ),
    ),
    cost=ReplayCost(
        requests=990,
        before=12_345_678,
        after=14_000_000,
        difference=Interval(low=1_100_000.0, high=2_300_000.0),
    ),
    missing=(Missing(what="ask.lines (new spec reads it)", count=12),),
    uncosted=(Missing(what="the new spec states no price of large", count=10),),
    bad_lines=(BadLine(line=7, problem="not JSON"),),
    bad=3,
)
PLAN = Plan(
    old=Spec(
        label="main:routing.yaml",
        name="shop",
        digest="a" * 64,
        routes="shop\n\nTIERS\n  LOW   0..50   small -> mid\n  HIGH  51..100 mid\n",
    ),
    new=Spec(
        label="routing.yaml",
        name="shop",
        digest="b" * 64,
        routes="shop\n\nTIERS\n  LOW   0..40   small -> mid\n  HIGH  41..100 mid\n",
    ),
    relation=Relation.INCOMPARABLE,
    unknown=(),
    regions=REGIONS,
    changes=CHANGES,
    items=(TIER, RULE, GONE, NAMED),
    cost_before=1_000_000,
    cost_after=1_250_000,
    replay=REPLAY,
)
SAME = replace(
    PLAN,
    new=replace(PLAN.old, label="routing.yaml"),
    relation=Relation.EQUIVALENT,
    regions=(),
    changes=CHANGES[1:],
    items=(NAMED,),
    cost_after=1_000_000,
    replay=None,
)
UNPROVED = replace(
    SAME, relation=None, unknown=("the solver gave up on `ask.words` after 1,000,000 steps",)
)
PLANS = {"moves": PLAN, "same": SAME, "unproved": UNPROVED}
