"""A plan to JSON (`schema/plan.schema.json`): all that the other reports say, whole."""

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from lynkrc.diff.plan import VERSION, Category, Plan
from lynkrc.diff.words import headline, title


def render_json(plan: Plan) -> str:
    """The document, indented, ending in a newline."""
    document = {
        "version": VERSION,
        "verdict": headline(plan),
        "same_meaning": plan.same_meaning,
        "complete": plan.complete,
        "categories": {one.value: plan.count(one) for one in Category},
        "groups": _groups(plan),
        **_plain(plan),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _groups(plan: Plan) -> list[dict[str, Any]]:
    """Regions that are one change to people, by their places in `regions`."""
    places = {region: number for number, region in enumerate(plan.regions)}
    return [
        {
            "category": group.leader.category.value,
            "what": group.leader.what.value,
            "title": title(group),
            "regions": [places[region] for region in group.regions],
        }
        for group in plan.groups
    ]


def _plain(value: Any) -> Any:
    """Records to objects by their members, enums to their words."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
