"""What every Python driver has in common: a task on stdin, a report on stdout, two tools."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MOST_TURNS = 6
NUMBER = {"type": "number"}
SCHEMAS: Mapping[str, dict[str, Any]] = {
    "read": {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    },
    "add": {
        "type": "object",
        "properties": {"a": NUMBER, "b": NUMBER},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
}
RUN: Mapping[str, Callable[..., str]] = {
    "read": lambda path: f"content of {path}",
    "add": lambda a, b: str(a + b),
}


def main(modes: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
    """Do the task of stdin. An error is a report where the task expects one."""
    task = json.load(sys.stdin)
    try:
        report = modes[task["mode"]](task)
    except Exception as error:
        if task["mode"] not in ("error", "cut"):
            raise
        status = getattr(error, "status_code", None)
        report = {"error": {"status": status, "message": str(error)}}
    print(json.dumps(report))
