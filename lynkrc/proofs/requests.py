"""The witnesses of proofs to their requests as people use them: told, sent, kept as a test.

What a test expects is what is wanted where that is clear (a target that may not be reached is in no
chain), else what is decided now.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from lynkrc.ir.domain import Domain
from lynkrc.ir.table import RouteTable
from lynkrc.proofs.prove import Proof, Witness
from lynkrc.testing.case_text import as_test_case
from lynkrc.testing.curl import as_script

GATEWAY = "http://localhost:8081"
"""Where printed commands send the request."""

MOST_PRINTED = 1_500
"""Characters of a body; longer ones are told in short."""

_MOST_TEXT, _MOST_ITEMS = 60, 4
_MOST_CASE_NAME = 160
_CURL_AGENT = "curl/"
_HEADERS = ("accept", "user-agent", "content-type")


def read_headers(table: RouteTable, domain: Domain) -> frozenset[str]:
    """The headers that decide something, of those that curl adds."""
    read = {slot.args[0].lower() for slot in domain.slots if slot.feature == "header"}
    prefixes = (prefix.lower() for client in table.clients for prefix in client.user_agent)
    if any(prefix.startswith(_CURL_AGENT) or _CURL_AGENT.startswith(prefix) for prefix in prefixes):
        read.add("user-agent")
    return frozenset(read.intersection(_HEADERS)) | {"content-type"}


# -- in short ------------------------------------------------------------------------------------


def body_text(body: Mapping[str, Any]) -> str:
    """The whole body as JSON on one line."""
    return json.dumps(body, ensure_ascii=False)


def is_long(witness: Witness) -> bool:
    """Whether the body is too long to be printed."""
    return len(body_text(witness.request.body)) > MOST_PRINTED


def in_short(body: Mapping[str, Any]) -> str:
    """The body as JSON in which long texts and lists are cut.

    >>> in_short({"model": "auto", "stop": ["a", "b", "c", "d", "e", "f"]})
    '{"model": "auto", "stop": ["a", "b", "c", "… 2 more", "f"]}'
    """
    return body_text({name: _cut(value) for name, value in body.items()})


def _cut(value: Any) -> Any:
    match value:
        case str() if len(value) > _MOST_TEXT:
            return f"{value[: _MOST_TEXT // 2]}… ({len(value):,} characters)"
        case dict():
            return {name: _cut(one) for name, one in value.items()}
        case list() if len(value) > _MOST_ITEMS + 1:
            left = len(value) - _MOST_ITEMS
            return [*map(_cut, value[: _MOST_ITEMS - 1]), f"… {left:,} more", _cut(value[-1])]
        case list():
            return [_cut(one) for one in value]
        case _:
            return value


# -- tests and files -----------------------------------------------------------------------------


def names_of(proofs: Sequence[Proof]) -> list[str]:
    """A file name for each proof, without an end: its own name, else its number and what it says.

    Of letters, digits, ``-`` and ``_`` alone, and no two alike on any file system.
    """
    names: list[str] = []
    for number, proof in enumerate(proofs, start=1):
        wished = proof.assertion.name or f"{number}-{proof.assertion.source}"
        name = re.sub(r"[^a-z0-9_]+", "-", wished.lower()).strip("-")[:60].strip("-") or "proof"
        names.append(f"{number}-{name}" if name in names else name)
    return names


def test_case(proof: Proof, witness: Witness, body_file: str | None = None) -> str:
    """The request as a case of ``routing.test.yaml``; `body_file` is where its body stands."""
    assertion = proof.assertion
    name = (assertion.name or assertion.source)[:_MOST_CASE_NAME]
    if len(proof.witnesses) > 1:
        name += ", the lesser" if witness is proof.witnesses[0] else ", the greater"
    if witness.unwanted:
        expected: dict[str, Any] = {"chain_lacks": list(witness.unwanted)}
    else:
        expected = {"outcome": witness.trace.outcome, "chain": list(witness.trace.targets)}
        if witness.trace.tier is not None:
            expected["tier"] = witness.trace.tier
        name += ", as it is now"
    return as_test_case(witness.request, expected, name, body_file, witness.beside)


def is_case(witness: Witness) -> bool:
    """Whether a test can say all that has to be so: not that a key may reach what it may not."""
    key, decision = witness.request.key, witness.trace
    return key is None or key.lacks(decision.tier, decision.targets) is None


def request_files(proofs: Sequence[Proof], reads: Collection[str]) -> Iterator[tuple[str, str]]:
    """Name and content of what ``--requests`` writes: body, command and test of each witness."""
    for name, proof in zip(names_of(proofs), proofs, strict=True):
        for number, witness in enumerate(proof.witnesses):
            if not witness.request.realised:
                continue
            stem = name if len(proof.witnesses) == 1 else f"{name}-{('lesser', 'greater')[number]}"
            body = f"{stem}.json"
            yield body, body_text(witness.request.body) + "\n"
            yield f"{stem}.sh", as_script(witness.request, GATEWAY, body, reads)
            if is_case(witness):
                case = test_case(proof, witness, body)
                lines = "".join(f"  {line}\n" for line in case.splitlines())
                yield f"{stem}.test.yaml", f"version: 1\ncases:\n{lines}"
