"""``lynkrc test``: requests and where the policy must send them, by every engine."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from lynkrc import __version__
from lynkrc.analysis.relations import violated
from lynkrc.cli.built import load_built
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.progress import Progress
from lynkrc.cli.rewriting import difference, replace_file
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, compile_file, read_bytes
from lynkrc.cli.terminal import error, note, print_findings
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.places import Run as Report
from lynkrc.diagnostics.wording import shown
from lynkrc.interp.goals import seen
from lynkrc.ir.table import RouteTable
from lynkrc.pipeline import Compilation
from lynkrc.source.edits import apply_edits
from lynkrc.source.text import SourceFile
from lynkrc.testing.case import Case
from lynkrc.testing.cases import CaseFile, read_cases
from lynkrc.testing.coverage import Coverage
from lynkrc.testing.report_github import render_github
from lynkrc.testing.report_json import render_json
from lynkrc.testing.report_junit import render_junit
from lynkrc.testing.report_text import percent, render_text
from lynkrc.testing.results import FileRuns, Results
from lynkrc.testing.runner import Engines, engines_of, run_case
from lynkrc.testing.update import update
from lynkrc_runtime.bundle import BrokenBundle

SUFFIX = ".test.yaml"
HEAD = "version: 1\ncases:\n"
"""What a file of tests begins with."""
_FORMATS = ("text", "json", "junit", "github")
_MARK = b"\xef\xbb\xbf"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec, the files of tests, what is run of them, and what is told."""
    parser.add_argument(
        "spec", nargs="?", type=Path, default=DEFAULT_SPEC, help="default: %(default)s"
    )
    parser.add_argument(
        "--tests",
        action="append",
        type=Path,
        metavar="FILE",
        help=f"a file of tests, or a folder of files *{SUFFIX}; repeatable; "
        f"default: the file beside the spec that has its name, as routing{SUFFIX}",
    )
    parser.add_argument("--filter", metavar="NAME", help="only cases whose name has this in it")
    parser.add_argument(
        "--native", action="store_true", help="also decide by the scorer compiled for this machine"
    )
    parser.add_argument("--format", choices=_FORMATS, default="text", help="default: %(default)s")
    parser.add_argument("--quiet", action="store_true", help="say nothing of cases that pass")
    parser.add_argument(
        "--update", action="store_true", help="make failing cases expect what is so; show it"
    )
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="report what of the spec the cases show; what is proved to be shown by no request "
        "does not count, nor do rules that the spec extends or uses",
    )
    parser.add_argument(
        "--inherited",
        action="store_true",
        help="list what is not shown of inherited rules too; implies --coverage",
    )
    parser.add_argument(
        "--suggest",
        action="store_true",
        help="print cases for what is not covered, to be appended to a file of tests "
        "(with --inherited, for inherited rules too); the report goes to stderr",
    )
    parser.add_argument(
        "--fail-under",
        type=_percent,
        metavar="N",
        help="fail where less than N percent is covered; implies --coverage",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Run the tests; 1 for failures, findings and too little coverage, 2 where nothing is run."""
    try:
        return _run(arguments)
    except (CannotRead, BrokenBundle) as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN


def _run(arguments: argparse.Namespace) -> ExitCode:
    if arguments.format != "text":
        if arguments.update:
            raise CannotRead("--update shows what it changes as text: leave --format out")
        if arguments.suggest:
            raise CannotRead("--suggest prints cases as YAML: leave --format out")
    if arguments.update and arguments.suggest:
        raise CannotRead("--update and --suggest both print what is to be written: ask in turn")
    compilation = compile_file(arguments.spec)
    table = compilation.table
    if compilation.has_errors or table is None:
        print_findings(compilation.diagnostics, arguments.format, spec=arguments.spec)
        return ExitCode.FINDINGS
    paths = _test_paths(arguments.spec, arguments.tests, may_be_none=arguments.suggest)
    data = {path: read_bytes(path, "name your tests with --tests") for path in paths}
    files, findings = _read(data, table)
    if findings:
        print_findings(findings, arguments.format, spec=arguments.spec)
        return ExitCode.FINDINGS
    engines = _engines(compilation, table, native=arguments.native)
    results, suggested = _results(files, engines, arguments)
    if arguments.update and results.failed:
        if not _update(data, results, table):
            return ExitCode.CANNOT_RUN
        files, _ = _read(data, table)
        results, suggested = _results(files, engines, arguments)
    (sys.stderr if arguments.suggest else sys.stdout).write(_report(results, arguments))
    if suggested:
        sys.stdout.write(suggested if files else HEAD + suggested)
    return _verdict(results, arguments)


def _report(results: Results, arguments: argparse.Namespace) -> str:
    report = Report(root=str(Path.cwd()), spec=str(arguments.spec), version=__version__)
    match arguments.format:
        case "json":
            return render_json(results, report)
        case "junit":
            return render_junit(results, report)
        case "github":
            return render_github(results, report)
        case _:
            return render_text(results, quiet=arguments.quiet)


def _verdict(results: Results, arguments: argparse.Namespace) -> ExitCode:
    code = ExitCode.FINDINGS if results.failed else ExitCode.OK
    if arguments.fail_under is not None and results.coverage is not None:
        share = results.coverage.own.count().share
        if share < arguments.fail_under:
            note(f"{percent(share)} % covered; --fail-under wants {arguments.fail_under:g} %")
            code = ExitCode.FINDINGS
    return code


def _test_paths(
    spec: Path, named: Sequence[Path] | None, *, may_be_none: bool = False
) -> list[Path]:
    """The files of tests, each once, in the order named; those of a folder by name."""
    if named is None:
        beside = spec.with_name(spec.stem + SUFFIX)
        if not beside.is_file():
            if may_be_none:
                return []
            raise CannotRead(
                f"there is no {beside}; write tests there, name them with --tests, or begin with "
                "those that --suggest prints"
            )
        return [beside]
    paths: list[Path] = []
    for path in named:
        if path.is_dir():
            inside = sorted(path.glob(f"*{SUFFIX}"))
            if not inside:
                raise CannotRead(f"the folder {path} has no file *{SUFFIX}")
            paths += inside
        else:
            paths.append(path)
    return list(dict.fromkeys(paths))


def _read(data: dict[Path, bytes], table: RouteTable) -> tuple[list[CaseFile], list[Diagnostic]]:
    files, findings = [], []
    for path, content in data.items():
        file, found = read_cases(
            str(path), content, table, bodies=_Bodies(folder=path.parent).read, violated=violated
        )
        files.append(file)
        findings += found
    return files, findings


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Bodies:
    """Files that cases name, relative to the folder of the file of tests."""

    folder: Path

    def read(self, name: str) -> bytes | None:
        try:
            # An absolute path means something else on the next machine.
            return None if Path(name).is_absolute() else (self.folder / name).read_bytes()
        except (OSError, ValueError):
            return None


def _engines(compilation: Compilation, table: RouteTable, *, native: bool) -> Engines:
    bundle, _ = load_built(compilation)
    if not native:
        return engines_of(table, bundle)
    compiled, why_not = load_built(compilation, native=True)
    if why_not is not None:
        raise CannotRead(f"no native scorer: {why_not}")
    return engines_of(table, bundle, compiled.scorer)


def _results(
    files: Sequence[CaseFile], engines: Engines, arguments: argparse.Namespace
) -> tuple[Results, str]:
    """The results of all files, and the suggested cases."""
    total = sum(len(file.cases) for file in files)
    wanted = [
        (file, [case for case in file.cases if _is_wanted(case, arguments.filter)])
        for file in files
    ]
    count = sum(len(cases) for _, cases in wanted)
    if count == 0 and files:
        raise CannotRead(f"no case has {arguments.filter!r} in its name")
    ran: list[FileRuns] = []
    with Progress("testing") as say:
        for file, cases in wanted:
            runs = []
            for number, case in enumerate(cases, start=1):
                say(f"{number} of {len(cases)} cases of {file.file.path}")
                runs.append(run_case(case, engines))
            ran.append(FileRuns(path=file.file.path, runs=tuple(runs)))
    coverage, suggested = None, ""
    implying = (arguments.fail_under is not None, arguments.inherited, arguments.suggest)
    if arguments.coverage or any(implying):
        names = {case.name for file in files for case in file.cases}
        coverage, suggested = _covered(ran, engines, arguments, names)
    results = Results(
        spec=str(arguments.spec),
        files=tuple(ran),
        skipped=total - count,
        coverage=coverage,
        lists_inherited=arguments.inherited,
    )
    return results, suggested


def _covered(
    files: Sequence[FileRuns], engines: Engines, arguments: argparse.Namespace, taken: set[str]
) -> tuple[Coverage, str]:
    # Imported here: tests alone do not wait for the solver.
    from lynkrc.cli.covering import cover

    vectors = dict.fromkeys(
        run.vector for file in files for run in file.runs if run.vector is not None
    )
    parts = ("own", "inherited") if arguments.inherited else ("own",)
    return cover(
        engines,
        [seen(engines.table, vector) for vector in vectors],
        str(arguments.spec),
        suggests=parts if arguments.suggest else (),
        taken=taken,
    )


def _is_wanted(case: Case, filter: str | None) -> bool:
    return filter is None or filter.casefold() in case.name.casefold()


def _update(data: dict[Path, bytes], results: Results, table: RouteTable) -> bool:
    """Rewrite the files, in `data` too; whether that was possible. Shows what changed."""
    for path, file in zip(data, results.files, strict=True):
        found = update(run for run in file.runs if not run.is_passed)
        for left in found.left:
            note(f"{file.path}: case {left.run.case.name!r}: {left.reason}")
        if not found.edits:
            continue
        source: SourceFile = found.edits[0].span.file
        text = apply_edits(source.text, found.edits)
        mark = _MARK if data[path].startswith(_MARK) else b""
        changed = mark + text.encode()
        _, findings = _read({path: changed}, table)
        if findings:
            error(f"{path} would not be read back; it is left as it is")
            return False
        try:
            replace_file(path, changed)
        except OSError as problem:
            error(f"cannot write {path}: {problem.strerror}")
            return False
        data[path] = changed
        sys.stdout.writelines(difference(source.text, text, str(path)))
    return True


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{shown(text)} is no number from 0 to 100")
    return value
