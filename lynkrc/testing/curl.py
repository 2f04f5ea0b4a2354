"""A synthesised request, to a command that sends it, ready to be pasted into a shell."""

import json
import shlex

from lynkrc.testing.synthesize import Synthesized

_OF_CURL = ("accept", "user-agent", "content-type")
"""Headers that curl adds where it is not told otherwise."""


def as_curl(synthesized: Synthesized, base_url: str) -> str:
    """The command, one option a line; it works in any POSIX shell.

    `base_url` is the gateway's, with or without a slash or ``/v1`` at its end.
    """
    base = base_url.rstrip("/").removesuffix("/v1")
    headers = dict(synthesized.headers)
    lines = [f"curl -sS {shlex.quote(base + synthesized.path)}"]
    lines += [f"-H {shlex.quote(_header(name, value))}" for name, value in headers.items()]
    # A name without a value takes out what curl would add, which a rule may read.
    lines += [f"-H {shlex.quote(f'{name}:')}" for name in _OF_CURL if name not in headers]
    body = json.dumps(synthesized.body, ensure_ascii=False)
    lines.append(f"--data-binary {shlex.quote(body)}")
    return " \\\n  ".join(lines) + "\n"


def _header(name: str, value: str) -> str:
    """As curl reads it: an empty value is written with a semicolon."""
    return f"{name}: {value}" if value.strip() else f"{name};"
