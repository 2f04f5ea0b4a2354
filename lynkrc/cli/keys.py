"""``lynkrc keys``: virtual keys made, revoked and listed in the spec that declares them.

A key is shown once, alone on standard output; the spec gets its digest. Words go to standard error.
"""

import argparse
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.rewriting import replace_file
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, check_bytes, spec_bytes
from lynkrc.cli.terminal import columns_of, error, note, wants_colour
from lynkrc.diagnostics.model import Diagnostic, Edit, Severity
from lynkrc.diagnostics.render_text import render_text
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import listed, printable
from lynkrc.source.additions import Member, addition
from lynkrc.source.decode_text import decode_source
from lynkrc.source.edits import apply_edits
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, plain
from lynkrc.source.parts import removal
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.fmt import format_spec
from lynkrc_runtime.access.digest import digest_of

PREFIX = "lk_"
"""By which scanners for leaked secrets know a key."""
_SECTION = "keys"
_RANDOM_BYTES = 32
_SHORT = 20
_MARK = b"\xef\xbb\xbf"
_BASE = "come from a base that it extends"
_COLUMNS = ("name", "team", "tenant", "tiers", "targets", "debug", "proved by")


@final
class CannotDo(Exception):
    """Why nothing was changed; the message says what to do."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    """A spec as it is written; `keys` are its entries."""

    path: Path
    data: bytes
    file: SourceFile
    keys: Mapping[str, tuple[ScalarNode, Node]]

    def place(self, key: ScalarNode) -> str:
        """Where a key is written."""
        return f"{self.path}:{self.file.position(key.span.start)[0]}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: what to do, with which key, in which spec."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key, and print it once")
    create.add_argument("name", metavar="NAME", help="what limits, budgets and logs call it")
    create.add_argument("--team", help="the team it belongs to")
    create.add_argument("--tenant", help="the tenant it belongs to")
    create.add_argument("--tiers", type=_names, metavar="A,B", help="the tiers it reaches")
    create.add_argument("--targets", type=_names, metavar="A,B", help="the targets it reaches")
    create.add_argument("--debug", action="store_true", help="it may ask for explanations")
    revoke = actions.add_parser("revoke", help="remove a key")
    revoke.add_argument("name", metavar="NAME")
    listing = actions.add_parser("list", help="the keys, without what would prove one")
    for action in (create, revoke, listing):
        action.add_argument(
            "--spec", type=Path, default=DEFAULT_SPEC, metavar="FILE", help="default: %(default)s"
        )
    actions.add_parser("digest", help="the SHA-256 of the key on standard input, for `sha256`")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Do it; 2 where nothing was done, 1 where the spec has errors afterwards."""
    try:
        match arguments.action:
            case "create":
                return _create(arguments)
            case "revoke":
                return _revoke(_read(arguments.spec), arguments.name)
            case "list":
                return _list(_read(arguments.spec))
            case _:
                return _digest()
    except (CannotRead, CannotDo) as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN


def _create(arguments: argparse.Namespace) -> ExitCode:
    spec, name = _read(arguments.spec), arguments.name
    if name in spec.keys:
        place = spec.place(spec.keys[name][0])
        raise CannotDo(
            f"key {printable(name)} exists already, at {place}; choose another name, or "
            f"`lynkrc keys revoke {printable(name)}` first"
        )
    if not spec.keys and (others := _inherited(spec)):
        # A section replaces that of a base: every key there would be refused from now on.
        raise CannotDo(
            f"{listed(others, 'and')} {_BASE}; name the base with --spec: a section in {spec.path} "
            "would replace the one there"
        )
    key = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    members: dict[str, Member] = {"sha256": digest_of(key)}
    for member in ("team", "tenant", "tiers", "targets", "debug"):
        value = getattr(arguments, member)
        if value:
            members[member] = value
    edit = addition(spec.file, _SECTION, name, members)
    if edit is None:
        raise CannotDo(f"{spec.path}: `keys` is no mapping to add to; write it by hand")
    data = _edited(spec, edit)
    _accept(spec, data)
    added = {**_entries(spec.file), name: members}
    if _entries(_source(spec.path, data)) != added:
        raise CannotDo(f"{spec.path}: cannot add to `keys` as it is written; write it by hand")
    _write(spec, data)
    if not spec.keys:
        note("the gateway asks everybody for a key from now on")
    note(f"key {name} is in {spec.path}; it is shown here once, and kept nowhere")
    try:
        print(key, flush=True)
    except OSError as problem:
        raise CannotDo(
            f"the key could not be shown ({problem.strerror}); `lynkrc keys revoke {name}`, and "
            "create another"
        ) from problem
    return ExitCode.OK


def _revoke(spec: _Spec, name: str) -> ExitCode:
    found = spec.keys.get(name)
    if found is None:
        if spec.keys:
            near = did_you_mean(name, list(spec.keys), "keys")
        else:
            others = _inherited(spec)
            near = f"{listed(others, 'and')} {_BASE}" if others else "it declares none"
        raise CannotDo(f"{spec.path} has no key {printable(name)}; {near}")
    key, _ = found
    place = spec.place(key)
    if len(spec.keys) == 1:
        raise CannotDo(
            f"key {name}, at {place}, is the last one: without keys the gateway is open to "
            "everybody; create another first, or remove the section `keys` by hand"
        )
    edit = removal(key.span)
    if edit is None:
        raise CannotDo(f"{place}: cannot remove key {name} as it is written; do it by hand")
    data = _edited(spec, edit)
    kept = {other: entry for other, entry in _entries(spec.file).items() if other != name}
    if _entries(_source(spec.path, data)) != kept:
        raise CannotDo(f"{place}: cannot remove key {name} as it is written; do it by hand")
    _write(spec, data)
    note(f"key {name} is no longer in {spec.path}; a gateway knows it until it has the new bundle")
    errors = _errors(spec.path, data)
    if not errors:
        return ExitCode.OK
    # A limit or a budget may name it: the spec cannot be built before that is settled.
    err = sys.stderr
    err.write(render_text(errors, colour=wants_colour(err), columns=columns_of(err)))
    return ExitCode.FINDINGS


def _list(spec: _Spec) -> ExitCode:
    rows = [_COLUMNS, *(_row(name, plain(node)) for name, (_, node) in spec.keys.items())]
    if len(rows) == 1:
        others = _inherited(spec)
        told = f"{listed(others, 'and')} {_BASE}" if others else "the gateway is open"
        note(f"{spec.path} declares no keys: {told}")
        return ExitCode.OK
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return ExitCode.OK


def _row(name: str, entry: object) -> tuple[str, ...]:
    members = entry if isinstance(entry, dict) else {}
    digest, secret = members.get("sha256"), members.get("secret")
    # A secret that is no reference is a finding, and nothing to show.
    is_reference = isinstance(secret, str) and secret.startswith("${")
    proof = (
        f"sha256 {str(digest)[:8]}..." if digest else f"secret {secret if is_reference else '?'}"
    )
    return tuple(
        printable(cell)
        for cell in (
            name,
            str(members.get("team", "-")),
            str(members.get("tenant", "-")),
            _joined(members.get("tiers")),
            _joined(members.get("targets")),
            "yes" if members.get("debug") is True else "no",
            proof,
        )
    )


def _joined(names: object) -> str:
    return ",".join(map(str, names)) if isinstance(names, list) else "all"


def _digest() -> ExitCode:
    if sys.stdin.isatty():
        note("type the key, and end the line")
    key = sys.stdin.readline().rstrip("\r\n")
    if not key.strip():
        raise CannotDo("there is no key on standard input; as in `lynkrc keys digest < FILE`")
    if sys.stdin.read(1):
        raise CannotDo("standard input has more than one line; a key is one")
    if len(key) < _SHORT:
        note(f"a key of {len(key)} characters can be guessed; `lynkrc keys create` makes long ones")
    print(digest_of(key))
    return ExitCode.OK


def _names(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"names with commas between them, not {text!r}")
    return names


def _read(path: Path) -> _Spec:
    data = spec_bytes(path)
    file = _source(path, data)
    node = _section(file)
    keys = {} if node is None else {key.text: (key, value) for key, value in node.entries}
    return _Spec(path=path, data=data, file=file, keys=keys)


def _source(path: Path, data: bytes) -> SourceFile:
    file, findings = decode_source(str(path), data)
    if not findings:
        root, found = read_nodes(file)
        findings = [one for one in found if one.severity is Severity.ERROR]
        if root is None and not findings:
            findings = found
    if findings:
        raise CannotDo(f"{path} cannot be read; `lynkrc check {path}` says why")
    return file


def _section(file: SourceFile) -> MappingNode | None:
    root, _ = read_nodes(file)
    node = root.get(_SECTION) if isinstance(root, MappingNode) else None
    return node if isinstance(node, MappingNode) else None


def _entries(file: SourceFile) -> Mapping[str, object]:
    node = _section(file)
    return {} if node is None else {key.text: plain(value) for key, value in node.entries}


def _edited(spec: _Spec, edit: Edit) -> bytes:
    """The spec with an edit; in its canonical form where it was in that before."""
    text = apply_edits(spec.file.text, [edit])
    is_marked = spec.data.startswith(_MARK)
    if not is_marked and format_spec(spec.file)[0] == spec.file.text:
        text = format_spec(SourceFile(path=spec.file.path, text=text))[0] or text
    return (_MARK if is_marked else b"") + text.encode()


def _errors(path: Path, data: bytes) -> list[Diagnostic]:
    found = check_bytes(path, data).diagnostics
    return [finding for finding in found if finding.severity is Severity.ERROR]


def _accept(spec: _Spec, data: bytes) -> None:
    """Refuse errors of the spec with its new key: those the key cures were not in its way."""
    errors = _errors(spec.path, data)
    if not errors:
        return
    before = {(finding.code, finding.message) for finding in _errors(spec.path, spec.data)}
    first = next((one for one in errors if (one.code, one.message) not in before), None)
    if first is None:
        raise CannotDo(f"{spec.path} has errors; `lynkrc check {spec.path}` shows them")
    raise CannotDo(f"{first.message}; {first.help}" if first.help else first.message)


def _inherited(spec: _Spec) -> Sequence[str]:
    """The keys of a spec that has no section of its own; none where it has errors."""
    typed = check_bytes(spec.path, spec.data).typed
    return () if typed is None else [*typed.settings.keys]


def _write(spec: _Spec, data: bytes) -> None:
    path = spec.path
    try:
        # Checking takes a while: what an editor saved meanwhile is not to be lost.
        if path.read_bytes() != spec.data:
            raise CannotDo(f"{path} was changed meanwhile; nothing was done, so try again")
        replace_file(path, data)
    except OSError as problem:
        raise CannotDo(f"cannot write {path}: {problem.strerror}") from problem
