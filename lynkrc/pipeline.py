"""The whole compiler on one screen: text -> config -> typed -> RouteTable -> passes -> artifacts.

`compile_spec` is pure: the spec's bytes, a loader of base specs and the catalog go in; findings and
artifacts come out. Nothing here prints, and nothing reads what was not passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.bundle.pack import pack
from lynkrc.bundle.report import print_report
from lynkrc.codegen.artifacts import Artifacts, SpecSource, generate
from lynkrc.diagnostics.model import Diagnostic, Severity, in_order
from lynkrc.ir.digest import meaning_digest, source_digest
from lynkrc.ir.table import RouteTable
from lynkrc.lower.table import lower
from lynkrc.native.build import NativeBuilt, NativeMissing, build_native
from lynkrc.passes import run_passes
from lynkrc.sema.cascade import without_cascades
from lynkrc.sema.merge import Loader
from lynkrc.sema.resolve import resolve
from lynkrc.source.text import SourceFile
from lynkrc.syntax.read import read_source


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What became of one spec: findings in the order of the text, and, without errors, the rest."""

    diagnostics: tuple[Diagnostic, ...]
    table: RouteTable | None
    artifacts: Artifacts | None

    @property
    def has_errors(self) -> bool:
        """Whether the spec cannot be built."""
        return _has_errors(self.diagnostics)


@final
class RecordingLoader:
    """A loader that remembers what it gave, so that a bundle holds every source that took part."""

    def __init__(self, inner: Loader) -> None:
        self._inner = inner
        self.given: dict[str, SourceFile] = {}

    def load(self, name: str, from_path: str) -> SourceFile | None:
        """As the inner loader does."""
        file = self._inner.load(name, from_path)
        if file is not None:
            self.given.setdefault(name, file)
        return file


def compile_spec(path: str, data: bytes, *, loader: Loader, catalog: SourceFile) -> Compilation:
    """Compile the spec `data`, shown in findings under `path`.

    `loader` gives base specs, `catalog` is the text of the model catalog.
    """
    config, findings = read_source(path, data)
    if config is None:
        return _stopped(findings)
    recording = RecordingLoader(loader)
    typed, found = resolve(config, recording, catalog)
    if _has_errors(findings):
        # The tree holds what is sound of the document: what else is wrong with that is told too.
        return _stopped([*findings, *without_cascades(found, config.span.file)])
    findings = [*findings, *found]
    if typed is None:
        return _stopped(findings)
    lowered, found = lower(typed)
    findings = [*findings, *found]
    if lowered is None:
        return _stopped(findings)
    table = run_passes(lowered)
    artifacts = generate(
        table,
        sources=(
            SpecSource(path=path, name="routing.yaml", data=data),
            *(
                SpecSource(path=file.path, name=f"{name}.yaml", data=file.text.encode())
                for name, file in sorted(recording.given.items())
            ),
        ),
        source_digest=source_digest(data),
        meaning_digest=meaning_digest(lowered),
    )
    return Compilation(diagnostics=tuple(in_order(findings)), table=table, artifacts=artifacts)


def pack_bundle(compilation: Compilation, *, native: bool) -> tuple[bytes, str | None]:
    """The bundle of a compilation without errors, and why it is not native where that was asked.

    ValueError for a compilation with errors.
    """
    table, artifacts = compilation.table, compilation.artifacts
    if table is None or artifacts is None:
        raise ValueError("a spec with errors has no bundle")
    report = print_report(table, compilation.diagnostics, artifacts.sources)
    if not native:
        return pack(artifacts, report=report), None
    match build_native(artifacts):
        case NativeBuilt(path=path, library=library):
            return pack(artifacts, report=report, native={path: library}), None
        case NativeMissing(reason=reason, detail=detail):
            return pack(artifacts, report=report), f"{reason}\n{detail}".strip()


def _has_errors(findings: Sequence[Diagnostic]) -> bool:
    return any(found.code.severity is Severity.ERROR for found in findings)


def _stopped(findings: list[Diagnostic]) -> Compilation:
    return Compilation(diagnostics=tuple(in_order(findings)), table=None, artifacts=None)
