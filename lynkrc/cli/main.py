"""``lynkrc``: arguments to one command's module, imported only when it is called."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Protocol, TextIO, cast

from lynkrc import __version__
from lynkrc.cli.exit_codes import ExitCode
from lynkrc_runtime.installed import told_version

COMMANDS: tuple[tuple[str, str], ...] = (
    ("init", "write a first spec, or take over another gateway's settings"),
    ("check", "report every finding in a spec, and make fixes"),
    ("fmt", "write specs in their canonical form"),
    ("build", "check, prove, compile and pack a bundle"),
    ("prove", "whether what a spec asserts holds, or one question"),
    ("trace", "why a request goes where it goes"),
    ("test", "whether requests go where they must, and what that covers"),
    ("graph", "a picture of tiers, rules and chains"),
    ("diff", "what a change of the spec does to requests"),
    ("eval", "how well a spec tells hard requests from easy ones"),
    ("tune", "weights fitted to labelled requests, as a diff to review"),
    ("usage", "what requests used and cost"),
    ("report", "what a log's requests cost, beside all on one flagship"),
    ("inspect", "what a bundle holds, and who has signed it"),
    ("sign", "sign a bundle, or add a signature to those it has"),
    ("verify", "whether a bundle is whole, signed and what its sources make"),
    ("bench", "what a policy costs here, and what its table is made of"),
    ("catalog", "the models we know, with their prices and who says so"),
    ("keys", "make, revoke and list the keys of clients"),
    ("schema", "print a JSON Schema, or list them"),
    ("explain", "the page of a finding, or a list of all"),
    ("lsp", "the language server, for editors"),
    ("serve", "start the gateway on a bundle"),
    ("wrap", "run Claude Code, Codex or aider behind a gateway of its own"),
    ("top", "a live table of what a gateway does"),
    ("statusline", "what was routed and spent, in one line for a prompt"),
    ("completion", "complete commands and options in a shell"),
)
"""Every command with its one-line help, in the order of the help page."""


PASSED_ON = ("serve",)
"""Commands whose arguments are another program's, which reads them."""

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
"""Why what a command writes may not be taken, by whatever holds it."""

PASSED_AFTER = ("wrap",)
"""Commands whose arguments after ``--`` are another program's: `rest` has them."""


class Command(Protocol):
    """A module of `lynkrc.cli` that is a command."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; returns the exit code."""
        ...


def load(name: str) -> Command:
    """The module of a command."""
    return cast(Command, import_module(f"lynkrc.cli.{name}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    _write_anything(sys.stdout, sys.stderr)
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parse(words)
    try:
        code = load(arguments.command).run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output went away (`lynkrc trace ... | head`); nobody hears more of it.
        _write_no_more()
        sys.stderr.close()
        return ExitCode.OK
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _write_no_more()
        name = "" if error.filename is None else f" to {error.filename}"
        told = f"cannot write{name}: {error.strerror}; what was written is not whole"
        sys.stderr.write(f"lynkrc {arguments.command}: error: {told}\n")
        return ExitCode.CANNOT_RUN
    except KeyboardInterrupt:
        return 130


def _write_no_more() -> None:
    """What standard output still holds would be written at exit: it goes where nobody minds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parse(words: Sequence[str]) -> argparse.Namespace:
    chosen = next((word for word in words if not word.startswith("-")), "")
    parser = parser_of(chosen)
    if words[:1] == [chosen] and chosen not in dict(COMMANDS):
        from lynkrc.cli.misspelt import no_command

        parser.error(no_command(chosen, dict(COMMANDS)))
    if chosen not in PASSED_AFTER:
        return _parse_all(parser, words)
    end = words.index("--") if "--" in words else len(words)
    rest = argparse.Namespace(rest=words[end + 1 :])
    arguments, unknown = parser.parse_known_args(words[:end], rest)
    if unknown:
        from lynkrc.cli.misspelt import reader_of
        from lynkrc.diagnostics.wording import printable

        told = f"no option of `lynkrc {chosen}`: {printable(' '.join(unknown))}"
        reader_of(words[:end], parser).error(f"{told}; put the program's own after `--`")
    return arguments


def _parse_all(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """As `parse_args` does, but what is left over is told with the usage of its own command."""
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        from lynkrc.cli.misspelt import not_understood, reader_of

        command = reader_of(words, parser)
        command.error(not_understood(unknown, command))
    return arguments


def parser_of(*chosen: str) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of those chosen."""
    parser = argparse.ArgumentParser(
        prog="lynkrc",
        description="Compile LLM routing policy: routing.yaml in, one checked bundle out.",
    )
    parser.add_argument(
        "--version", action="version", version=f"lynkrc {told_version(__version__)}"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS:
        passed_on = name in PASSED_ON
        child = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            add_help=not passed_on,
            # No argument can begin with this one, so `--port` is a word like any other.
            prefix_chars="\0" if passed_on else "-",
        )
        if name in chosen:
            load(name).add_arguments(child)
    return parser


def _write_anything(*streams: TextIO) -> None:
    """Let a stream that cannot hold a character show its number instead of failing."""
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
