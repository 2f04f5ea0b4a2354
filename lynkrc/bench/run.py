"""A loaded bundle to everything that is measured of it: scan, decisions, whole requests, table."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, final

from lynkrc.bench.engines import engines
from lynkrc.bench.examples import example
from lynkrc.bench.measure import Cost, Work, measure
from lynkrc.bench.requests import BODIES, DIALECT, SURFACE
from lynkrc.bench.table import Shape, shape_of
from lynkrc.bench.texts import SIZES, kinds, text_of
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.bundle import LoadedBundle
from lynkrc_runtime.decide import Decider, Scorer
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS

SECONDS: Final = 5.0
"""How long is measured, about."""


class UnreadPattern(Exception):
    """A pattern of a bundle that this version does not read; fit to print."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScanCost:
    """What an engine takes for a text of `bytes` UTF-8 bytes, folding it included."""

    engine: str
    kind: str
    bytes: int
    cost: Cost

    @property
    def mb_per_s(self) -> float:
        """Millions of bytes a second."""
        return self.bytes * 1e3 / self.cost.median


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCost:
    """What a scorer takes for one vector."""

    engine: str
    cost: Cost


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCost:
    """What a body of `bytes` takes until it is decided."""

    kind: str
    bytes: int
    cost: Cost


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything there is to tell. `engine` is the scorer of the whole requests."""

    name: str
    digest: str
    engine: str
    notice: str | None
    table: Shape
    decisions: tuple[DecisionCost, ...]
    scans: tuple[ScanCost, ...]
    requests: tuple[RequestCost, ...]


def bench(
    bundle: LoadedBundle,
    interpreted: Scorer,
    *,
    table_bytes: int,
    notice: str | None = None,
    seconds: float = SECONDS,
    sizes: Sequence[int] = SIZES,
) -> Bench:
    """Measure a bundle for about `seconds`, and take its table apart for some more.

    `interpreted` is its scorer as Python, `table_bytes` the size of its packed table, `notice` why
    what was wished for is not there. Runs take turns, so that all suffer alike from what else the
    machine does. UnreadPattern where another version has made the bundle.
    """
    dispatch = bundle.dispatch
    lexicons = _lexicons(dispatch)
    examples = [example(pattern) for _, patterns in lexicons for pattern in patterns]
    work: dict[tuple[str, ...], Work] = {}
    vectors = _vectors(bundle, sizes)
    for engine, scorer in _scorers(bundle, interpreted):
        # The loop runs in C: it adds a few nanoseconds.
        work["decision", engine] = partial(_decide_all, scorer, vectors)
    lengths: dict[tuple[str, ...], int] = {}
    scans = engines(bundle.tables)
    for kind in kinds(examples):
        for size in sizes:
            text = text_of(kind, size, examples)
            for one in scans:
                key: tuple[str, ...] = ("scan", one.name, kind, str(size))
                work[key], lengths[key] = partial(one.scan, text), len(text.encode())
    decides = _deciding(bundle)
    for name, write in BODIES.items():
        for size in sizes:
            body = write(size)
            key = ("request", name, str(size))
            work[key], lengths[key] = partial(decides, body), len(body)
    costs = measure(work, seconds)
    return Bench(
        name=dispatch.name,
        digest=bundle.manifest.meaning_digest,
        engine=bundle.engine,
        notice=notice,
        table=shape_of(lexicons, table_bytes),
        decisions=tuple(
            DecisionCost(engine=key[1], cost=cost.each(len(vectors)))
            for key, cost in costs.items()
            if key[0] == "decision"
        ),
        scans=tuple(
            ScanCost(engine=key[1], kind=key[2], bytes=lengths[key], cost=cost)
            for key, cost in costs.items()
            if key[0] == "scan"
        ),
        requests=tuple(
            RequestCost(kind=key[1], bytes=lengths[key], cost=cost)
            for key, cost in costs.items()
            if key[0] == "request"
        ),
    )


def _lexicons(dispatch: Dispatch) -> list[tuple[str, list[Pattern]]]:
    """The patterns of a bundle's lexicons, read again: what was built has no findings."""
    nowhere = Span(file=SourceFile(path="-", text=""), start=0, end=0)
    read = []
    for lexicon in dispatch.lexicons:
        patterns = []
        for text in lexicon.patterns:
            pattern, findings = parse_pattern(text, nowhere, None)
            if pattern is None:
                raise UnreadPattern(f"{lexicon.name}: {text!r}: {findings[0].message}")
            patterns.append(pattern)
        read.append((lexicon.name, patterns))
    return read


def _scorers(bundle: LoadedBundle, interpreted: Scorer) -> list[tuple[str, Scorer]]:
    both = [("interpreted", interpreted)]
    return [("native", bundle.scorer), *both] if bundle.engine == "native" else both


def _decide_all(scorer: Scorer, vectors: Sequence[list[int]]) -> None:
    deque(map(scorer, vectors), maxlen=0)


def _vectors(bundle: LoadedBundle, sizes: Sequence[int]) -> list[list[int]]:
    """Vectors that requests have, and the corners of the slots."""
    dispatch = bundle.dispatch
    lowest = [slot.low for slot in dispatch.slots]
    extractor = Extractor(dispatch, bundle.tables)
    reader = CLIENT_DIALECTS[DIALECT]
    facts = RequestFacts(surface=SURFACE, headers={})
    vectors = [lowest, [slot.high for slot in dispatch.slots]]
    for write in BODIES.values():
        for size in sizes:
            vectors.append(extractor.extract(reader.read_request(write(size), {}), facts))
    return vectors


def _deciding(bundle: LoadedBundle) -> Callable[[bytes], object]:
    """From the bytes of a request to its decision, as the gateway goes."""
    extractor = Extractor(bundle.dispatch, bundle.tables)
    decider = Decider(bundle.dispatch, bundle.scorer)
    reader = CLIENT_DIALECTS[DIALECT]
    facts = RequestFacts(surface=SURFACE, headers={})

    def decide(body: bytes) -> object:
        return decider.decide(extractor.extract(reader.read_request(body, {}), facts))

    return decide
