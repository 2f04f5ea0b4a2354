"""A small policy as a bundle, by hand: two tiers by the length of an ask, a rule that denies."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from lynkrc_runtime.dispatch import Chain, Deny, Dispatch, Price, Rule, Slot, StringClass, Tier
from lynkrc_runtime.settings import Budget, Settings
from tests.e2e import small_bundle
from tests.runtime.by_hand import dispatch, provider, target

HIGHEST_LOW = 30
"""The highest score of tier LOW."""

_SCORER = """\
def decide(v):
    words, gold = v
    if gold == 2:
        return (1, -1, 0, -1, 0, -1, -1)
    score = min(100, 5 * words)
    return (0, 0, -1, 0, 0b10, score, -1) if score <= UP_TO else (0, 1, -1, 1, 0b11, score, -1)


def explain(v):
    verdict = decide(v)
    outcome, tier, _, chain, _, score, _ = verdict
    points = {"name": "size", "measures": "ramp(ask.words, 0, 20)", "value": 5 * v[0]}
    chains = [("LOW", ["small"]), ("HIGH", ["large", "small"])]
    name, targets = chains[tier]
    kept = [{"target": one, "dropped_by": []} for one in targets]
    return {
        "verdict": list(verdict),
        "outcome": ("route", "deny")[outcome],
        "tier": None if outcome else name,
        "rule": "no-gold" if outcome else "score",
        "score": None if outcome else score,
        "chain": None if outcome else name,
        "targets": [] if outcome else targets,
        "points": {
            "offset": 0,
            "dimensions": [points | {"factor": 6400, "points": 6400 * 5 * v[0]}],
            "adds": [],
            "sum": 6400 * 5 * v[0],
            "rounded": 5 * v[0],
        },
        "rules": [{
            "name": "no-gold",
            "when": 'header("x-gold") == "yes"',
            "matched": v[1] == 2,
            "atoms": [],
            "effects": [{"effect": "deny with status 403", "took": v[1] == 2}],
        }],
        "pin": None,
        "tiers": None,
        "needs": [],
        "chain_rule": None,
        "prefer": None,
        "chains": [] if outcome else [{"chain": name, "targets": kept}],
    }
"""
_ROUTES = """\
shown

TIERS, cheapest first
  tier  score  chain, in the order tried
  LOW   0..UP_TO  small (near, local)
  HIGH         large (far, cloud) -> small (near, local)

RULES, in order
  rule     effect    when
  no-gold  deny 403  header("x-gold") == "yes"
"""


def shown(path: Path, *, up_to: int = HIGHEST_LOW, digest: str = "d" * 64) -> Path:
    """Write the bundle `path`; calls of `large` fail with 529."""
    scorer = _SCORER.replace("UP_TO", str(up_to)).encode()
    files = small_bundle.files(_table(up_to)) | {
        "scorer.py": scorer,
        "explain.py": scorer,
        "routes.txt": _ROUTES.replace("UP_TO", str(up_to)).encode(),
    }
    return small_bundle.write(path, files, digest=digest)


def _table(up_to: int) -> Dispatch:
    made: dict[str, Any] = {"base_url": None, "api_key": None}
    near = provider("near", "simulator", trust="local", **made)
    far = provider("far", "simulator", simulate="fail:529", **made)
    usual: dict[str, Any] = {"pick": "order", "weights": []}
    return replace(
        dispatch([far, near], [_target("large", 0, "10"), _target("small", 1, "1")]),
        name="shown",
        slots=[
            Slot(feature="ask.words", args=[], type="int", low=0, high=100_000, classes=[]),
            Slot(
                feature="header",
                args=["x-gold"],
                type="class",
                low=0,
                high=2,
                classes=[
                    StringClass(kind="absent", text=""),
                    StringClass(kind="other", text=""),
                    StringClass(kind="literal", text="yes"),
                ],
            ),
        ],
        chains=[
            Chain(name="LOW", groups=[[1]], **usual),
            Chain(name="HIGH", groups=[[0], [1]], **usual),
        ],
        tiers=[Tier(name="LOW", up_to=up_to, chain=0), Tier(name="HIGH", up_to=None, chain=1)],
        rules=[
            Rule(
                name="no-gold",
                deny=Deny(status=403, message="no gold here"),
                respond=None,
                prefer=None,
            )
        ],
        dimensions=["size"],
        models=["auto"],
        settings=Settings(budgets=[Budget(name="purse", usd="5", period="day")]),
    )


def _target(name: str, place: int, price: str) -> Any:
    made = Price(input=price, output=price, cache_read=price, cache_write=price)
    return target(name, place, context=8_000, price=made)
