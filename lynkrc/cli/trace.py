"""``lynkrc trace``: why a request goes where it goes, by exactly the code that serves."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, compile_file, read_bytes
from lynkrc.cli.terminal import error, print_findings
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.bundle import BrokenBundle, LoadedBundle, load_bundle
from lynkrc_runtime.decide import Decider, Decision
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.feature_table import DIALECTS, SURFACES
from lynkrc_runtime.features import Extractor, RefusedRequest, RequestFacts, SlotValue
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS

_DIALECTS = dict(zip(SURFACES, DIALECTS, strict=True))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the request, and the spec or bundle that decides."""
    parser.add_argument("request", type=Path, help="the request's JSON body")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--spec", type=Path, default=DEFAULT_SPEC, help="default: %(default)s")
    source.add_argument("--bundle", type=Path, help="decide by a built bundle instead")
    parser.add_argument(
        "--surface", choices=sorted(SURFACES), default="messages", help="default: %(default)s"
    )
    parser.add_argument(
        "-H", "--header", action="append", default=[], metavar="NAME: VALUE", help="repeatable"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the trace; 1 when the spec has errors or the request would be refused."""
    try:
        body = read_bytes(arguments.request, "give the JSON body of a request")
        bundle = load_bundle(arguments.bundle) if arguments.bundle else _build(arguments)
        headers, repeated = _headers(arguments.header)
    except (CannotRead, BrokenBundle) as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if bundle is None:
        return ExitCode.FINDINGS
    facts = RequestFacts(surface=arguments.surface, headers=headers, repeated=repeated)
    try:
        request = CLIENT_DIALECTS[_DIALECTS[arguments.surface]].read_request(body, headers)
        if arguments.surface == "messages":
            require_max_tokens(request)
        features = Extractor(bundle.dispatch, bundle.tables).explain(request, facts)
    except MalformedRequest as problem:
        is_named = problem.field is None or problem.field in problem.message
        place = "" if is_named else f"{problem.field}: "
        error(f"{arguments.request}: the gateway answers 400: {place}{problem.message}")
        return ExitCode.FINDINGS
    except RefusedRequest as problem:
        error(f"{arguments.request}: the gateway answers 400: {problem.message}")
        return ExitCode.FINDINGS
    vector = [feature.value for feature in features]
    explained = bundle.explain(vector)
    if arguments.format == "json":
        document = {"features": [asdict(feature) for feature in features], "decision": explained}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        decision = Decider(bundle.dispatch, bundle.scorer).decide(vector)
        sys.stdout.write(render(features, explained, tried(bundle.dispatch, decision)))
    return ExitCode.OK


def tried(dispatch: Dispatch, decision: Decision) -> str:
    """The targets in the order they are tried; a group whose order changes is bracketed."""
    texts = []
    for group in decision.groups:
        names = [dispatch.targets[target].name for target in group]
        if len(group) > 1 and decision.varies:
            texts.append(f"[{' | '.join(names)}] {decision.pick}")
        else:
            texts += names
    return " -> ".join(texts)


def render(features: Sequence[SlotValue], why: dict[str, Any], targets: str) -> str:
    """The trace as a person reads it: the answer first, then what led to it."""
    score = "-" if why["score"] is None else why["score"]
    lines = [
        f"outcome   {why['outcome']}",
        f"tier      {why['tier'] or '-'}",
        f"rule      {why['rule']}",
        f"score     {score}",
        f"targets   {targets or '-'}",
        "",
        "features of the request (those that are not zero)",
    ]
    width = max((len(feature.slot) for feature in features), default=0)
    for feature in features:
        if not feature.value:
            continue
        found = ", ".join(
            f"{pattern!r}" + (f" x{times}" if times > 1 else "")
            for pattern, times in feature.patterns
        )
        lines.append(f"  {feature.slot:<{width}}  {feature.shown:>7}  {found}".rstrip())
    if why["dimensions"]:
        lines += ["", "points"]
        width = max(len(dimension["name"]) for dimension in why["dimensions"])
        for dimension in why["dimensions"]:
            points = dimension["points6400"] / 6400
            lines.append(f"  {dimension['name']:<{width}}  {dimension['value']:>4}  {points:+8.2f}")
        for added in why["adds"]:
            lines.append(f"  {added['rule']:<{width}}   add  {added['points6400'] / 6400:+8.2f}")
        if why["offset6400"]:
            lines.append(f"  {'offset':<{width}}        {why['offset6400'] / 6400:+8.2f}")
    lines += ["", "steps"]
    lines += [f"  {label:<9} {text}" for label, text in _steps(why) if text]
    for chain in why["chains"]:
        kept = [
            target["target"]
            + (f" (dropped by {', '.join(target['dropped_by'])})" if target["dropped_by"] else "")
            for target in chain["targets"]
        ]
        lines.append(f"  {'chain':<9} {chain['chain']}: {', '.join(kept)}")
    return "\n".join(lines) + "\n"


def _steps(why: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("matched", ", ".join(why["matched"]) or "no rule"),
        ("pin", why["pin"] or ""),
        ("tier", why["chosen_tier"] or ""),
        ("floors", ", ".join(why["floors"])),
        ("ceilings", ", ".join(why["ceilings"])),
        ("needs", ", ".join(why["needs"])),
        ("chain of", why["chain_rule"] or ""),
        ("prefers", why["prefer"] or ""),
    ]


def _build(arguments: argparse.Namespace) -> LoadedBundle | None:
    compilation = compile_file(arguments.spec)
    if compilation.has_errors:
        print_findings(compilation.diagnostics, arguments.format, spec=arguments.spec)
        return None
    packed, _ = pack_bundle(compilation, native=False)
    with tempfile.TemporaryDirectory(prefix="lynkrc-trace-") as folder:
        path = Path(folder) / "traced.lynkr"
        path.write_bytes(packed)
        return load_bundle(path)


def _headers(written: Sequence[str]) -> tuple[dict[str, str], frozenset[str]]:
    headers: dict[str, str] = {}
    repeated = set()
    for line in written:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise CannotRead(f"--header {line!r}: write it as 'name: value'")
        key = name.strip().lower()
        if key in headers:
            repeated.add(key)
        headers[key] = value.strip()
    return headers, frozenset(repeated)
