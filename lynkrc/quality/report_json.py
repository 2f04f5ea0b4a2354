"""An evaluation, or a log's outcomes, to JSON: `schema/{eval,outcomes}.schema.json`."""

import json
from dataclasses import asdict
from typing import Any

from lynkrc.quality.outcome_results import Outcomes
from lynkrc.quality.results import Evaluation

VERSION = 1
"""Of the form."""
_DIGITS = 9
"""Behind the point: what is behind them differs from machine to machine."""


def render_json(found: Evaluation | Outcomes) -> str:
    """Everything that was found; shares and scores between 0 and 1, costs in USD a request.

    ValueError for a figure that is no number: `evaluate` makes none.
    """
    document = {"version": VERSION, **rounded(asdict(found))}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def rounded(value: Any) -> Any:
    """A value of lists, mappings and numbers with as many digits as every machine agrees on."""
    match value:
        case float():
            return round(value, _DIGITS)
        case dict():
            return {name: rounded(one) for name, one in value.items()}
        case list() | tuple():
            return [rounded(one) for one in value]
        case _:
            return value
