"""A plan to JSON (`schema/plan.schema.json`): all that the other reports say, whole."""

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from lynkrc.diff.plan import VERSION, Category, Plan
from lynkrc.diff.words import headline


def render_json(plan: Plan) -> str:
    """The document, indented, ending in a newline."""
    document = {
        "version": VERSION,
        "verdict": headline(plan),
        "same_meaning": plan.same_meaning,
        "complete": plan.complete,
        "categories": {one.value: plan.count(one) for one in Category},
        **_plain(plan),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Records to objects by their members, enums to their words."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
