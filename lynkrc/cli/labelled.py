"""What `eval` and `tune` share: the rows of data files, a spec's bundle, the words of arguments."""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lynkrc.cli.built import load_built
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import print_findings
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.pipeline import Compilation
from lynkrc.quality.rows import Row, read_rows
from lynkrc_runtime.bundle import LoadedBundle

FEWEST_DRAWS = 100
PROBLEMS = 20
"""Mistakes of a data file that are shown."""


def loaded(compilation: Compilation, path: Path) -> LoadedBundle | None:
    """The bundle of a compilation; None where it has errors, which are then printed."""
    if compilation.has_errors:
        print_findings(compilation.diagnostics, "text", spec=path)
        return None
    return load_built(compilation)[0]


def rows_of(files: Sequence[Path], suites: Sequence[str] | None) -> tuple[Row, ...]:
    """All rows of the files. CannotRead for one that is wrong: what is left would be other data."""
    rows: list[Row] = []
    for path in files:
        try:
            found, problems = read_rows(path)
        except OSError as problem:
            raise CannotRead(f"cannot read {path}: {problem.strerror}") from None
        if problems:
            told = [
                f"{one.place.file}:{one.place.line}: {one.message}; {one.help}"
                for one in problems[:PROBLEMS]
            ]
            if len(problems) > PROBLEMS:
                told.append(f"and {len(problems) - PROBLEMS} more")
            raise CannotRead("\n".join(told))
        rows += found
    if not rows:
        raise CannotRead(
            f"{', '.join(map(str, files))}: no rows; `lynkrc schema eval-data` describes one"
        )
    seen: dict[str, Row] = {}
    for row in rows:
        other = seen.setdefault(row.id, row)
        if other is not row:
            raise CannotRead(
                f"{row.place.file}:{row.place.line}: the id {shown(row.id)} is taken by "
                f"{other.place.file}:{other.place.line}; give one of them another"
            )
    names = tuple(dict.fromkeys(row.suite for row in rows))
    for name in suites or ():
        if name not in names:
            near = did_you_mean(name, names, "the data has")
            raise CannotRead(f"--suite {shown(name)}: no row is of it; {near}")
    return tuple(row for row in rows if suites is None or row.suite in suites)


def strong_from(name: str | None, tiers: Sequence[str]) -> int:
    """The index of a tier; by default the first of the upper half."""
    if name is None:
        return len(tiers) // 2
    if name not in tiers:
        raise CannotRead(
            f"--strong-from {shown(name)}; {did_you_mean(name, tiers, 'the tiers are')}"
        )
    return tiers.index(name)


def whole(written: str) -> int:
    """A whole number of an argument. ArgumentTypeError otherwise."""
    if re.fullmatch("[0-9]{1,7}", written) is None:
        raise argparse.ArgumentTypeError(f"{shown(written)} is not a whole number from 0 on")
    return int(written)


def draws(written: str) -> int:
    """So many that intervals of them tell something. ArgumentTypeError otherwise."""
    if whole(written) < FEWEST_DRAWS:
        raise argparse.ArgumentTypeError(
            f"{shown(written)} is fewer than {FEWEST_DRAWS}: intervals of so few tell nothing"
        )
    return int(written)


def told_of(rows: Sequence[Row], say: Callable[[str], None]) -> Iterator[Row]:
    """The rows, and how far it is every now and then."""
    for number, row in enumerate(rows):
        if number % 500 == 0:
            say(f"{number:,} of {len(rows):,} requests")
        yield row
