"""``lynkrc init``: what is there, or another gateway's file, to a commented `routing.yaml`."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from lynkrc.cli.detect import detect
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, catalog_files, read_bytes
from lynkrc.cli.terminal import error, note
from lynkrc.migrate.account import Fate, account_lines
from lynkrc.migrate.detected import draft_detected
from lynkrc.migrate.draft import Known, Stated, variables_of
from lynkrc.migrate.litellm import migrate_litellm
from lynkrc.migrate.lynkr_env import migrate_env
from lynkrc.migrate.migration import Migration, Unreadable
from lynkrc.migrate.write_spec import write_spec
from lynkrc.sema.catalog import facts_of, price_of, provision_of
from lynkrc.sema.catalog_read import read_catalog
from lynkrc.source.resources import read_schema

SCHEMA_NAME = ".routing.schema.json"
"""The schema beside the spec: editors find it offline, and it fits the installed lynkrc."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: where to, and from what."""
    parser.add_argument(
        "spec",
        nargs="?",
        type=Path,
        default=DEFAULT_SPEC,
        metavar="FILE",
        help="what to write (default: %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.add_argument("--stdout", action="store_true", help="write no file; print the spec")
    parser.add_argument(
        "--no-schema", action="store_true", help=f"do not write {SCHEMA_NAME} for editors"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--from-env", type=Path, metavar=".env", help="take over a Lynkr .env")
    source.add_argument(
        "--from-litellm", type=Path, metavar="CONFIG", help="take over a LiteLLM config.yaml"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Write the spec and say what became of the old settings; 2 when nothing is written."""
    target: Path = arguments.spec
    if not arguments.stdout and not arguments.force and target.exists():
        error(f"{target} is there already; `--force` writes over it, `--stdout` shows what would")
        return ExitCode.CANNOT_RUN
    try:
        found = _migrate(arguments)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if isinstance(found, Unreadable):
        for line in found.lines:
            print(line, file=sys.stderr)
        return ExitCode.FINDINGS
    schema = None if arguments.no_schema or arguments.stdout else SCHEMA_NAME
    text = write_spec(found.draft, schema=schema)
    if arguments.stdout:
        sys.stdout.write(text)
    else:
        try:
            _write(target, text, with_schema=schema is not None)
        except OSError as problem:
            error(f"cannot write {problem.filename or target}: {problem.strerror}")
            return ExitCode.CANNOT_RUN
    _tell(found, None if arguments.stdout else target, schema)
    return ExitCode.OK


def _migrate(arguments: argparse.Namespace) -> Migration | Unreadable:
    known = known_models()
    if arguments.from_env is not None:
        path: Path = arguments.from_env
        data = read_bytes(path, "name your .env, as in `lynkrc init --from-env path/to/.env`")
        return migrate_env(str(path), data, known)
    if arguments.from_litellm is not None:
        path = arguments.from_litellm
        hint = "name your config, as in `lynkrc init --from-litellm path/to/config.yaml`"
        return migrate_litellm(str(path), read_bytes(path, hint), known)
    draft = draft_detected(detect(os.environ), known)
    return Migration(draft=draft, accounts=(), notices=())


def known_models() -> Known:
    """What the shipped catalog states of a model at a provider."""
    facts, _ = read_catalog(catalog_files())

    def known(model: str, kind: str, base_url: str | None) -> Stated:
        provision = provision_of(kind, base_url)
        found = facts_of(facts, model, provision)
        return Stated(
            context=found.context,
            max_output=found.max_output,
            capabilities=found.capabilities,
            priced=price_of(found, provision) is not None,
        )

    return known


def _write(target: Path, text: str, *, with_schema: bool) -> None:
    target.write_text(text, encoding="utf-8", newline="\n")
    if with_schema:
        schema = target.parent / SCHEMA_NAME
        schema.write_text(read_schema("routing"), encoding="utf-8", newline="\n")


def _tell(found: Migration, target: Path | None, schema: str | None) -> None:
    """What was written, what to know of it, and what to do next; all on standard error."""
    for notice in found.notices:
        note(notice)
    lines = account_lines(found.accounts, Fate)
    if lines:
        if found.notices:
            print(file=sys.stderr)
        print("\n".join(lines), file=sys.stderr)
    if target is None:
        return
    if found.notices or lines:
        print(file=sys.stderr)
    path = shlex.quote(str(target))
    providers = ", ".join(provider.name for provider in found.draft.providers)
    assumed = ", ".join(one.name for one in found.draft.targets if one.assumed)
    print(f"wrote {target}: {providers}", file=sys.stderr)
    if schema is not None:
        print(f"wrote {target.parent / schema}, by which editors complete it", file=sys.stderr)
    if assumed:
        print(f"check what it assumes of the models of these targets: {assumed}", file=sys.stderr)
    unpriced = ", ".join(one.name for one in found.draft.targets if one.unpriced)
    if unpriced:
        print(f"before it checks, write the price of: {unpriced}", file=sys.stderr)
    unset = ", ".join(name for name in variables_of(found.draft) if not os.environ.get(name))
    if unset:
        print(f"set in the environment before you serve it: {unset}", file=sys.stderr)
    print(f"next: lynkrc check {path}", file=sys.stderr)
