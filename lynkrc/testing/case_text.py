"""A synthesised request and what is expected of it, to a case of ``routing.test.yaml``."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lynkrc.testing.synthesize import Synthesized


def as_test_case(
    synthesized: Synthesized,
    expectations: Mapping[str, Any],
    name: str = "witness",
    body_file: str | None = None,
    beside: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """The case as one entry of a list: a name, the request, and what it is to come to.

    Values are written in JSON, which YAML reads alike. `body_file` is a file that holds the body.
    `beside` is what the gateway knows beside the request, by the case's keys: ``session`` and more;
    the request's own key is told without it.
    """
    known = {"key": synthesized.key.case} if synthesized.key and synthesized.key.case else {}
    lines = [
        f"- name: {_json(name)}",
        "  request:",
        f"    surface: {synthesized.surface}",
    ]
    if synthesized.headers:
        lines.append("    headers:")
        for header, value in synthesized.headers.items():
            lines.append(f"      {_json(header)}: {_json(value)}")
    if body_file is not None:
        lines.append(f"    file: {_json(body_file)}")
    else:
        lines.append("    body:")
        lines += [
            f"      {_json(member)}: {_json(value)}" for member, value in synthesized.body.items()
        ]
    lines += [f"  {key}: {_json(value)}" for key, value in {**known, **beside}.items()]
    lines.append("  expect:")
    lines += [f"    {key}: {_json(value)}" for key, value in expectations.items()]
    return "\n".join(lines) + "\n"


def _json(value: Any) -> str:
    """JSON that is YAML too: in ASCII, since YAML takes not every character as it is.

    Characters beyond the first plane stay as they are: YAML knows no pairs of surrogates.
    """
    return "".join(
        char if char.isascii() or ord(char) > 0xFFFF else f"\\u{ord(char):04x}"
        for char in json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    )
