"""The whole compiler on one screen: text -> config -> typed -> RouteTable -> passes -> artifacts.

`check_spec` and `compile_spec` are pure: the spec's bytes, a loader of base specs and the catalog
go in; findings and artifacts come out. Nothing here prints or reads what was not passed in.
What only a build needs is imported where it is used: `lynkrc check` does not wait for it.
"""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, final

from lynkrc.diagnostics.codes import MORE_FINDINGS
from lynkrc.diagnostics.model import MAX_FINDINGS, Diagnostic, Severity, in_order
from lynkrc.lower.patterns import check_size
from lynkrc.sema.cascade import without_cascades
from lynkrc.sema.loader import BaseFile, Loader
from lynkrc.sema.resolve import resolve
from lynkrc.sema.typed_config import TypedConfig
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.config import Assertion
from lynkrc.syntax.read import read_source

if TYPE_CHECKING:
    from lynkrc.analysis.study import Study
    from lynkrc.bundle.report import Verdicts
    from lynkrc.codegen.artifacts import Artifacts
    from lynkrc.ir.assertion import Assertions
    from lynkrc.ir.table import RouteTable
    from lynkrc.native.build import Libraries
    from lynkrc.proofs.run import Compare, Proved

Say: TypeAlias = Callable[[str], None]
"""Told what is being done, in a few words."""

SPEC_NAME = "routing.yaml"
"""What a bundle calls the spec it was built from."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found in one spec, and, without errors, what it means."""

    diagnostics: tuple[Diagnostic, ...]
    typed: TypedConfig | None
    sources: tuple[tuple[str, BaseFile], ...]
    """Every file that took part under its name in a bundle: the spec, then its bases by name."""

    @property
    def has_errors(self) -> bool:
        """Whether the spec cannot be built."""
        return _has_errors(self.diagnostics)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What became of one spec: findings in the order of the text, and, without errors, the rest.

    `lowered` is the table as written, `table` the one after the passes, `assertions` what is
    claimed of it: nothing here says whether they hold (`prove_compiled`). `study` is where that
    asked about what was written: who has more questions asks there.
    """

    diagnostics: tuple[Diagnostic, ...]
    typed: TypedConfig | None = None
    lowered: "RouteTable | None" = None
    table: "RouteTable | None" = None
    assertions: "Assertions | None" = None
    artifacts: "Artifacts | None" = None
    study: "Study | None" = None

    @property
    def has_errors(self) -> bool:
        """Whether the spec cannot be built."""
        return _has_errors(self.diagnostics)


def place_in_bundle(name: str, from_place: str) -> tuple[str, str]:
    """Where the file `name`, as the file at `from_place` refers to it, stands, and its name in a
    bundle's ``source/``. The place of the spec itself is empty.

    >>> place_in_bundle("../team/base.yaml", "")
    ('../team/base.yaml', 'extends/_up_/team/base.yaml')
    """
    if name.startswith("builtin/"):
        return f"{name}.yaml", f"{name}.yaml"
    folder = posixpath.dirname(from_place)
    place = posixpath.normpath(posixpath.join(folder, name.replace("\\", "/")))
    # A name in a bundle leads nowhere else, so it holds no "..".
    steps = ("_up_" if step == ".." else step for step in place.split("/"))
    return place, "/".join(("extends", *steps))


@final
class RecordingLoader:
    """A loader that remembers what it gave, so that a bundle holds every source that took part.

    Names in a bundle follow from how the files refer to one another, never from where they lie:
    ``source/builtin/lynkr.yaml``, ``source/extends/team/base.yaml``.
    """

    def __init__(self, inner: Loader, spec_path: str) -> None:
        self._inner = inner
        self._places = {spec_path: ""}
        self._given: dict[str, BaseFile] = {}

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """As the inner loader does."""
        file = self._inner.load(name, from_path)
        if file is not None and file.path not in self._places:
            place, bundled = place_in_bundle(name, self._places[from_path])
            self._places[file.path] = place
            self._given[bundled] = file
        return file

    def given(self) -> tuple[tuple[str, BaseFile], ...]:
        """The files with their names in a bundle, sorted by name."""
        return tuple(sorted(self._given.items()))


def check_spec(path: str, data: bytes, *, loader: Loader, catalog: Sequence[SourceFile]) -> Checked:
    """Find everything there is to find in the spec `data`, shown in findings under `path`.

    `loader` gives base specs, `catalog` is the files of the model catalog.
    """
    checked = _resolved(path, data, loader, catalog)
    found: list[Diagnostic] = []
    if checked.typed is not None:
        # What lowering can find, without lowering.
        lexicons = (one.lexicon for one in checked.typed.lexicons)
        found = check_size([[entry.pattern for entry in one.entries] for one in lexicons])
    return replace(
        checked,
        diagnostics=_bounded([*checked.diagnostics, *found]),
        typed=None if found else checked.typed,
    )


def prove(
    checked: Checked, compare: "Compare | None" = None, say: Say = lambda _: None
) -> "tuple[Checked, Proved | None]":
    """What was checked with what only the solver finds, and the proofs of what the spec asserts.

    A spec with errors is given back as it is, one without assertions has no proofs. Deterministic
    and bounded, but not as quick as `check_spec`: an editor does without. `compare` decides
    `same_as`, `say` is told what is done.
    """
    if checked.typed is None or checked.has_errors:
        return checked, None
    from lynkrc.lower.table import lower, lower_decision

    if _rests_on_entries(checked.typed) or checked.typed.assertions:
        lowered, _ = lower(checked.typed)
    else:
        lowered = lower_decision(checked.typed)
    if lowered is None:
        return checked, None
    found, proved, _ = _proved(checked.typed, lowered, checked.diagnostics, compare, say)
    return replace(checked, diagnostics=_bounded([*checked.diagnostics, *found])), proved


def prove_compiled(
    compilation: Compilation, compare: "Compare | None" = None, say: Say = lambda _: None
) -> "tuple[Compilation, Proved | None]":
    """`prove` for what was compiled; with an error among what is found nothing is left to pack."""
    typed, lowered = compilation.typed, compilation.lowered
    if typed is None or lowered is None:
        return compilation, None
    found, proved, asked = _proved(typed, lowered, compilation.diagnostics, compare, say)
    diagnostics = _bounded([*compilation.diagnostics, *found])
    return replace(compilation, diagnostics=diagnostics, study=asked), proved


def _proved(
    typed: TypedConfig,
    lowered: "RouteTable",
    told: Sequence[Diagnostic],
    compare: "Compare | None",
    say: Say,
) -> "tuple[list[Diagnostic], Proved | None, Study]":
    from lynkrc.analysis.findings import find
    from lynkrc.analysis.study import study
    from lynkrc.lower.assertions import lower_assertions
    from lynkrc.lower.table import without_automaton
    from lynkrc.passes import run_passes
    from lynkrc.sema.allows import after_proofs

    def settled(questions: int, of: int) -> None:
        say(f"{questions:,} of {of:,} questions")

    # Findings are about what was written, proofs about what is generated from it.
    asked = study(lowered if _rests_on_entries(typed) else without_automaton(lowered))
    found = after_proofs(find(asked, typed.path, told, settled), typed.allows)
    assertions = lower_assertions(typed)
    if not assertions.items:
        return found, None, asked
    from lynkrc.proofs.run import run

    proved = run(run_passes(lowered), assertions, compare, say)
    return [*found, *proved.diagnostics], proved, asked


def _rests_on_entries(typed: TypedConfig) -> bool:
    """Whether findings need to know which entries of lexicons never occur without others.

    That takes the automaton, which is dear. It matters where a request that is found is an error:
    without `otherwise`, one that has no target left. The entries of large lexicons are never asked
    about one by one.
    """
    from lynkrc.analysis.terms import MOST_ENTRIES

    return typed.otherwise is None and any(
        len({entry.pattern.text for entry in one.lexicon.entries}) <= MOST_ENTRIES
        for one in typed.lexicons
    )


def ask_spec(
    path: str, data: bytes, question: str, *, loader: Loader, catalog: Sequence[SourceFile]
) -> Checked:
    """`check_spec` of the spec with one more assertion, which is then the only one.

    The question is typed with the spec, so that what it alone reads (a lexicon) is part of what is
    lowered. Findings about it point into a file called `lynkrc.syntax.read_question.PATH`.
    """
    from lynkrc.syntax.read_question import PATH, read_question

    asked, found = read_question(question)
    if asked is None:
        return Checked(diagnostics=_bounded(found), typed=None, sources=())
    checked = _resolved(path, data, loader, catalog, (asked,))
    # A fix is made in a file, by `lynkrc check`, which never sees a question: its help must do.
    told = [
        replace(one, fix=None) if one.span.file.path == PATH else one for one in checked.diagnostics
    ]
    checked = replace(checked, diagnostics=_bounded(told))
    if checked.typed is None:
        return checked
    only = tuple(one for one in checked.typed.assertions if one.span.file.path == PATH)
    return replace(checked, typed=replace(checked.typed, assertions=only))


def _resolved(
    path: str,
    data: bytes,
    loader: Loader,
    catalog: Sequence[SourceFile],
    asked: tuple[Assertion, ...] = (),
) -> Checked:
    """The spec as far as `sema` goes, with all that was found up to there.

    `asked` is asserted beside what the spec asserts.
    """
    recording = RecordingLoader(loader, path)
    typed = None
    config, findings = read_source(path, data)
    if config is not None:
        config = replace(config, assertions=(*config.assertions, *asked))
        typed, found = resolve(config, recording, catalog)
        if _has_errors(findings):
            # The tree holds what is sound of the document: what else is wrong with that is told.
            typed, found = None, without_cascades(found, config)
        findings = [*findings, *found]
    return Checked(
        diagnostics=tuple(findings),
        typed=typed,
        sources=((SPEC_NAME, BaseFile(path=path, data=data)), *recording.given()),
    )


def compile_spec(
    path: str, data: bytes, *, loader: Loader, catalog: Sequence[SourceFile]
) -> Compilation:
    """`check_spec`, and for a spec without errors everything that is generated from it."""
    from lynkrc.codegen.artifacts import SpecSource, generate
    from lynkrc.ir.digest import meaning_digest, source_digest
    from lynkrc.lower.assertions import lower_assertions
    from lynkrc.lower.table import lower
    from lynkrc.passes import run_passes

    checked = _resolved(path, data, loader, catalog)
    typed = checked.typed
    lowered, found = (None, []) if typed is None else lower(typed)
    diagnostics = _bounded([*checked.diagnostics, *found])
    if typed is None or lowered is None:
        return Compilation(diagnostics=diagnostics)
    table = run_passes(lowered)
    artifacts = generate(
        table,
        sources=tuple(
            SpecSource(path=file.path, name=name, data=file.data) for name, file in checked.sources
        ),
        source_digest=source_digest(data),
        meaning_digest=meaning_digest(lowered),
    )
    return Compilation(
        diagnostics=diagnostics,
        typed=typed,
        lowered=lowered,
        table=table,
        assertions=lower_assertions(typed),
        artifacts=artifacts,
    )


def claims_of(typed: TypedConfig) -> "tuple[RouteTable, Assertions] | None":
    """The table that proofs are about and what is claimed of it; None where `lower` fails."""
    from lynkrc.lower.assertions import lower_assertions
    from lynkrc.lower.table import lower
    from lynkrc.passes import run_passes

    lowered, _ = lower(typed)
    return None if lowered is None else (run_passes(lowered), lower_assertions(typed))


def pack_bundle(
    compilation: Compilation,
    *,
    native: bool,
    verdicts: "Verdicts | None" = None,
    libraries: "Libraries | None" = None,
) -> tuple[bytes, str | None]:
    """The bundle of a compilation without errors, and why it is not native where that was asked.

    `verdicts` is what was proved, for its report; `libraries` are those made before.
    ValueError for a compilation with errors.
    """
    from lynkrc.bundle.pack import pack
    from lynkrc.bundle.report import print_report

    table, artifacts = compilation.table, compilation.artifacts
    if table is None or artifacts is None:
        raise ValueError("a spec with errors has no bundle")
    report = print_report(table, compilation.diagnostics, artifacts.sources, verdicts)
    if not native:
        return pack(artifacts, report=report), None
    from lynkrc.native.build import NativeBuilt, NativeMissing, build_native

    match build_native(artifacts, libraries):
        case NativeBuilt(path=path, library=library):
            return pack(artifacts, report=report, native={path: library}), None
        case NativeMissing(reason=reason, detail=detail):
            return pack(artifacts, report=report), f"{reason}\n{detail}".strip()


def _bounded(findings: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in order; of very many the gravest, and a note that there are more."""
    ordered = in_order(findings)
    if len(ordered) < MAX_FINDINGS:
        return tuple(ordered)
    grave = {severity: rank for rank, severity in enumerate(Severity)}
    kept = in_order(sorted(ordered, key=lambda one: grave[one.severity])[:MAX_FINDINGS])
    last = kept[-1].span.file
    end = Span(file=last, start=len(last.text), end=len(last.text))
    hidden = len(ordered) - MAX_FINDINGS
    note = Diagnostic(
        code=MORE_FINDINGS,
        message=f"only {MAX_FINDINGS:,} findings are shown; "
        + (f"at least {hidden:,} more are left out" if hidden else "there may be more"),
        span=end,
        help="correct these first; errors are shown before warnings",
    )
    return (*kept, note)


def _has_errors(findings: Sequence[Diagnostic]) -> bool:
    return any(found.severity is Severity.ERROR for found in findings)
