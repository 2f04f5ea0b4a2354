"""``lynkrc trace``: why a request goes where it goes, by exactly the code that serves."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lynkrc.cli.built import load_built
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, compile_file, read_bytes
from lynkrc.cli.terminal import columns_of, error, note, print_findings, wants_colour
from lynkrc.tracing.excerpts import texts_read, with_excerpts
from lynkrc.tracing.page import render_page
from lynkrc.tracing.text import render_trace
from lynkrc_runtime.bundle import BrokenBundle, LoadedBundle, load_bundle
from lynkrc_runtime.decide import Decider
from lynkrc_runtime.feature_table import DIALECTS, SURFACES
from lynkrc_runtime.features import Extractor, RefusedRequest, RequestFacts, SessionFacts
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.trace import trace_of

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
    parser.add_argument("--team", help="the team of the caller's key")
    parser.add_argument("--tenant", help="the tenant of the caller's key")
    parser.add_argument(
        "--turn", type=_count, default=0, metavar="N", help="turns of the session before this one"
    )
    parser.add_argument("--session-tier", metavar="TIER", help="the last tier of the session")
    parser.add_argument(
        "--warm-tokens", type=_count, default=0, metavar="N", help="tokens in a provider's cache"
    )
    parser.add_argument(
        "--budget-used", type=_count, default=0, metavar="PERCENT", help="of the caller's budget"
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--format", choices=("text", "json"), default="text")
    output.add_argument("--html", type=Path, metavar="FILE", help="write one page for a browser")


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
    tiers = [tier.name for tier in bundle.dispatch.tiers]
    if arguments.session_tier is not None and arguments.session_tier not in tiers:
        error(f"--session-tier {arguments.session_tier}: the tiers are {', '.join(tiers)}")
        return ExitCode.CANNOT_RUN
    facts = RequestFacts(
        surface=arguments.surface,
        headers=headers,
        repeated=repeated,
        team=arguments.team,
        tenant=arguments.tenant,
        session=SessionFacts(
            turn=arguments.turn,
            tier=arguments.session_tier,
            warm_tokens=arguments.warm_tokens,
        ),
        budget_used=arguments.budget_used,
    )
    try:
        request = CLIENT_DIALECTS[_DIALECTS[arguments.surface]].read_request(body, headers)
        if arguments.surface == "messages":
            require_max_tokens(request)
        extractor = Extractor(bundle.dispatch, bundle.tables)
        features = extractor.explain(request, facts)
    except MalformedRequest as problem:
        is_named = problem.field is None or problem.field in problem.message
        place = "" if is_named else f"{problem.field}: "
        error(f"{arguments.request}: the gateway answers 400: {place}{problem.message}")
        return ExitCode.FINDINGS
    except RefusedRequest as problem:
        error(f"{arguments.request}: the gateway answers 400: {problem.message}")
        return ExitCode.FINDINGS
    vector = [feature.value for feature in features]
    trace = trace_of(
        bundle=bundle.manifest.meaning_digest,
        surface=arguments.surface,
        dispatch=bundle.dispatch,
        features=features,
        explained=bundle.explain(vector),
        decision=Decider(bundle.dispatch, bundle.scorer).decide(vector),
    )
    texts = {name: extractor.text(request, facts, name) for name in texts_read(trace)}
    return _write(with_excerpts(trace, texts), arguments)


def _write(trace: dict[str, Any], arguments: argparse.Namespace) -> ExitCode:
    """The trace to where it is wanted: the page to its file, the rest to standard output."""
    if arguments.html is not None:
        try:
            arguments.html.write_text(render_page(trace), encoding="utf-8")
        except OSError as problem:
            error(f"cannot write {arguments.html}: {problem.strerror}")
            return ExitCode.CANNOT_RUN
        note(f"wrote {arguments.html}")
    elif arguments.format == "json":
        print(json.dumps(trace, indent=2, ensure_ascii=False))
    else:
        out = sys.stdout
        text = render_trace(trace, colour=wants_colour(out), columns=columns_of(out))
        out.write(text)
    return ExitCode.OK


def _build(arguments: argparse.Namespace) -> LoadedBundle | None:
    compilation = compile_file(arguments.spec)
    if compilation.has_errors:
        print_findings(compilation.diagnostics, arguments.format, spec=arguments.spec)
        return None
    bundle, _ = load_built(compilation)
    return bundle


def _count(written: str) -> int:
    """A whole number from 0 on."""
    if not (written.isascii() and written.isdecimal()):
        raise argparse.ArgumentTypeError(f"{written!r} is not a whole number from 0 on")
    return int(written)


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
