"""Where the microseconds from bytes to an upstream request go, without sockets: prints tables.

    PYTHONPATH=.:runtime python tests/bench/measure_reading.py [TREE]

TREE is the checkout whose runtime is measured, this one where none is given. Bodies are those of a
coding agent (`agent_bodies`), and an ask of 2 kB without tools. Each figure is the least CPU time
of several rounds in microseconds. The scan of the texts is told apart: it is the kernel's, and what
stands in "features" is worked out with a matcher that finds the same at no cost.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROUNDS = 15
NAMES = ("ask", "history", "envelope")
SPAN = 0.004
"""Seconds of CPU of a round, at least."""
ASK = "Compare the trade-offs of two cache designs and write a function that measures both. " * 24
_HERE = Path(__file__).resolve().parents[2]


def least(run: Callable[[], object]) -> float:
    """Microseconds of CPU a run takes, the least of the rounds."""
    run()
    begun = time.process_time()
    run()
    count = max(1, round(SPAN / max(time.process_time() - begun, 1e-6)))
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(count):
            run()
        best = min(best, (time.process_time() - begun) / count)
    return best * 1e6


def plain_ask(dialect: str) -> bytes:
    """One user message of 2 kB, no tools."""
    made: dict[str, Any] = {"model": "served"}
    if dialect == "openai-responses":
        made |= {"input": ASK}
    else:
        made |= {"max_tokens": 100, "messages": [{"role": "user", "content": ASK}]}
    return json.dumps(made).encode()


def main(arguments: Sequence[str]) -> None:
    """Print a table for each body."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tree", nargs="?", type=Path, default=_HERE, metavar="TREE")
    tree = parser.parse_args(arguments).tree.resolve()
    sys.path[:0] = [str(tree), str(tree / "runtime")]
    table(tree)


def table(tree: Path) -> None:
    """Of the runtime that is first on the path now."""
    from lynkrc.cli.specs import compile_file
    from lynkrc.pipeline import pack_bundle
    from lynkrc_runtime.ask import count_turns, find_ask, markers_of
    from lynkrc_runtime.bundle import load_opened, open_bundle
    from lynkrc_runtime.clients import Clients
    from lynkrc_runtime.decide import Decider
    from lynkrc_runtime.features import Extractor, RequestFacts
    from lynkrc_runtime.protocol.estimate import estimate_tokens
    from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
    from lynkrc_runtime.scan.matcher import Matcher
    from lynkrc_runtime.sessions.identity import Recogniser
    from tests.bench import agent_bodies, work

    spec = tree / "examples" / "quickstart" / "routing.yaml"
    packed, why_not = pack_bundle(compile_file(spec), native=True)
    if why_not is not None:
        print(why_not, file=sys.stderr)
    with tempfile.NamedTemporaryFile(suffix=".lynkr") as file:
        file.write(packed)
        file.flush()
        bundle = load_opened(open_bundle(Path(file.name)), is_just_built=True)
    dispatch = bundle.dispatch
    extractor = Extractor(dispatch, bundle.tables)
    decider = Decider(dispatch, bundle.scorer)
    markers = markers_of(dispatch.clients)
    recogniser = Recogniser(markers, Clients(dispatch.clients), whole=False)
    print(f"{tree.name}, engine {bundle.engine}; microseconds of CPU, least of {ROUNDS} rounds")

    scan_before = Matcher.scan
    # As the gateway does when it has started.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    for size in (0, 2_000, 20_000, 200_000):
        rows: dict[str, list[float]] = {}
        for client, short in work.SHORT.items():
            data = agent_bodies.body(client, size) if size else plain_ask(client)
            dialect = CLIENT_DIALECTS[client]
            facts = RequestFacts(surface=short, headers={"user-agent": "curl/8"})
            request = dialect.read_request(data, {})
            matcher = extractor._matcher
            assert matcher is not None
            texts = [extractor.text(request, facts, name) for name in NAMES]
            told = {text: matcher.scan(text) for text in texts}

            def cheap(_: Any, text: str, told: Any = told) -> Any:
                return told[text]

            def put(name: str, run: Callable[[], object], rows: Any = rows) -> None:
                rows.setdefault(name, []).append(least(run))

            put("read", lambda d=dialect, b=data: d.read_request(b, {}))
            Matcher.scan = cheap  # type: ignore[method-assign,assignment]  # the kernel's part
            put("features", lambda r=request, f=facts: extractor.extract(r, f))
            vector = extractor.extract(request, facts)
            Matcher.scan = scan_before  # type: ignore[method-assign]  # put back
            put("  estimate", lambda r=request: estimate_tokens(r))

            def ask_and_turns(messages: Any = request.messages) -> Any:
                return count_turns(messages, find_ask(messages, markers), markers)

            put("  ask, turns", ask_and_turns)
            put("fold and scan of the ask", lambda m=matcher, text=texts[0]: m.scan(text))
            put("decide", lambda v=vector: decider.decide(v))
            put("session name", lambda r=request: recogniser.identify(r, {}, None))
            for target in ("anthropic-messages", "openai-chat", "openai-responses"):
                known_target, source = work.facts(), TARGET_DIALECTS[target]
                write = source.pass_request if target == client else source.write_request
                assert write is not None
                word = f"to {work.SHORT[target]}"
                put(word, lambda w=write, r=request, k=known_target: w(r, k, {}))
        what = f"{size // 1000} kB" if size else "an ask of 2 kB"
        print(f"\n{what:28}" + "".join(f"{short:>12}" for short in work.SHORT.values()))
        for name, times in rows.items():
            print(f"{name:28}" + "".join(f"{one:12.1f}" for one in times))


if __name__ == "__main__":
    main(sys.argv[1:])
