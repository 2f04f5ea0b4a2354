"""A synthesised request, to a command that sends it, ready to be pasted into a shell."""

import json
import shlex
from collections.abc import Collection

from lynkrc.testing.synthesize import Synthesized

OF_CURL = frozenset({"accept", "user-agent", "content-type"})
"""Headers that curl adds where it is not told otherwise."""


def as_curl(synthesized: Synthesized, base_url: str, reads: Collection[str] = OF_CURL) -> str:
    """The command, one option a line; it works in any POSIX shell, and shows a key of the spec.

    `base_url` is the gateway's, with or without a slash or ``/v1`` at its end. `reads` are the
    headers that a policy reads: of those, curl adds none of its own.
    """
    base = base_url.rstrip("/").removesuffix("/v1")
    body = json.dumps(synthesized.body, ensure_ascii=False)
    url, data = shlex.quote(base + synthesized.path), shlex.quote(body)
    return _command(synthesized, url, data, reads)


def as_script(
    synthesized: Synthesized, base_url: str, file: str, reads: Collection[str] = OF_CURL
) -> str:
    """The command as a script that sends a file beside it, to ``$GATEWAY`` where that is set.

    `file` has no characters that a shell gives a meaning to.
    """
    url = f'"${{GATEWAY:-{base_url}}}{synthesized.path}"'
    return "#!/bin/sh\n" + _command(synthesized, url, f'"@$(dirname "$0")/{file}"', reads)


def _command(synthesized: Synthesized, url: str, data: str, reads: Collection[str]) -> str:
    """`url` and `data` are words of a shell."""
    headers = dict(synthesized.headers)
    lines = [f"curl -sS {url}"]
    lines += [f"-H {shlex.quote(_header(name, value))}" for name, value in headers.items()]
    if synthesized.key is not None:
        lines.append(f"-H {synthesized.key.header}")
    # A name without a value takes out what curl would add, which a rule may read.
    added = sorted(OF_CURL.intersection(reads).difference(headers))
    lines += [f"-H {shlex.quote(f'{name}:')}" for name in added]
    return " \\\n  ".join([*lines, f"--data-binary {data}"]) + "\n"


def _header(name: str, value: str) -> str:
    """As curl reads it: an empty value is written with a semicolon."""
    return f"{name}: {value}" if value.strip() else f"{name};"
