"""A RouteTable to everything the compiler writes: the files of a bundle, as one frozen record."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

from lynkrc.codegen.dispatch import print_dispatch
from lynkrc.codegen.explain import print_explain
from lynkrc.codegen.routes import print_routes
from lynkrc.codegen.scorer import print_scorer
from lynkrc.codegen.tables import packed
from lynkrc.ir.table import RouteTable
from lynkrc.ir.text import print_table
from lynkrc.source.text import Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SpecSource:
    """A spec file that took part: the path its spans carry, and its name in a bundle.

    `name` is relative and the same on every machine (``routing.yaml``, ``builtin/lynkr.yaml``);
    `path` may be anything. The first source of a build is the spec itself.
    """

    path: str
    name: str
    data: bytes = field(repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """The generated files of one spec, and what its bundle says of it."""

    name: str
    source_digest: str
    meaning_digest: str
    capabilities: tuple[str, ...]
    """What a runtime must know to serve it: ``feature:ask.words``, ``kind:ollama``; sorted."""
    sources: tuple[SpecSource, ...]
    routes: str = field(repr=False)
    dispatch: bytes = field(repr=False)
    scorer: str = field(repr=False)
    scorer_pxd: str = field(repr=False)
    explain: str = field(repr=False)
    ir: str = field(repr=False)
    lexicons: bytes = field(repr=False)
    source_map: bytes = field(repr=False)

    def reviewed(self) -> tuple[tuple[str, bytes], ...]:
        """The files that are committed and read: name and bytes, sorted by name."""
        return (
            ("dispatch.json", self.dispatch),
            ("ir.txt", self.ir.encode()),
            ("routes.txt", self.routes.encode()),
            ("scorer.pxd", self.scorer_pxd.encode()),
            ("scorer.py", self.scorer.encode()),
        )

    def bundled(self) -> tuple[tuple[str, bytes], ...]:
        """Every file a bundle holds beside its manifest and report, sorted by name."""
        files = [
            *self.reviewed(),
            ("explain.py", self.explain.encode()),
            ("lexicons.dfa", self.lexicons),
            ("source_map.json", self.source_map),
            *((f"source/{source.name}", source.data) for source in self.sources),
        ]
        return tuple(sorted(files))


def generate(
    table: RouteTable,
    *,
    sources: tuple[SpecSource, ...],
    source_digest: str,
    meaning_digest: str,
) -> Artifacts:
    """All files for a table that went through the passes.

    The digests are of the spec's bytes and of the table right after lowering
    (`lynkrc.ir.digest`). Every span of the table must lie in one of the sources.
    """
    scorer, scorer_pxd = print_scorer(table)
    return Artifacts(
        name=table.name,
        source_digest=source_digest,
        meaning_digest=meaning_digest,
        capabilities=_capabilities(table),
        sources=sources,
        routes=print_routes(table, meaning_digest),
        dispatch=print_dispatch(table),
        scorer=scorer,
        scorer_pxd=scorer_pxd,
        explain=print_explain(table),
        ir=print_table(table),
        lexicons=print_lexicons(table),
        source_map=_source_map(table, sources),
    )


def print_lexicons(table: RouteTable) -> bytes:
    """The bytes of ``lexicons.dfa``."""
    return packed(table.automaton, [len(lexicon.entries) for lexicon in table.lexicons])


def _capabilities(table: RouteTable) -> tuple[str, ...]:
    needed = {f"feature:{slot.feature}" for slot in table.slots}
    needed |= {f"kind:{provider.kind}" for provider in table.providers}
    return tuple(sorted(needed))


def _source_map(table: RouteTable, sources: tuple[SpecSource, ...]) -> bytes:
    """Where each named thing was written, as ``file:line`` with the file's name in the bundle."""
    names = {source.path: source.name for source in sources}

    def places(rows: Iterator[tuple[str, Span]]) -> dict[str, str]:
        return {name: f"{names[span.file.path]}:{span.line}" for name, span in rows}

    document = {
        "dimensions": places((d.name, d.span) for d in table.dimensions),
        "rules": places((rule.name, rule.span) for rule in table.rules),
        "targets": places((target.name, target.span) for target in table.targets),
        "tiers": places((tier.name, tier.span) for tier in table.tiers),
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
