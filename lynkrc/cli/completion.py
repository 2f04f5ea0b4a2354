"""``lynkrc completion``: every command's arguments to a script that completes them in a shell."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.terminal import error

SHELLS = ("bash", "zsh", "fish")
_NEEDS = (
    "completion scripts are made by shtab, which is not installed; pip install 'lynkrc[completion]'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the shell."""
    parser.add_argument("shell", choices=SHELLS, help="whose script to print")
    parser.epilog = (
        "bash: write it to ~/.local/share/bash-completion/completions/lynkrc; zsh: to _lynkrc in a "
        "folder of fpath; fish: to ~/.config/fish/completions/lynkrc.fish."
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the script; 2 where shtab is not installed."""
    try:
        import shtab
    except ImportError:
        error(_NEEDS)
        return ExitCode.CANNOT_RUN
    parser = whole_parser()
    for name, command in commands_of(parser).items():
        for action in command._actions:
            words = _words(name, action)
            if words is not None:
                action.choices = words
            elif action.metavar == "DIR":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # shtab's way
            elif action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's way
    sys.stdout.write(shtab.complete(parser, shell=arguments.shell))
    return ExitCode.OK


def whole_parser() -> argparse.ArgumentParser:
    """The parser with every command's arguments, those that are passed on among them."""
    from lynkrc.cli.main import COMMANDS, PASSED_ON, parser_of
    from lynkrc_runtime.__main__ import add_serve_arguments

    parser = parser_of(*(name for name, _ in COMMANDS if name not in PASSED_ON))
    serve = commands_of(parser)["serve"]
    serve.prefix_chars = "-"  # here it is read by nobody, and told as it is typed
    add_serve_arguments(serve)
    return parser


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Each command's own parser."""
    (found,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    commands: Mapping[str, argparse.ArgumentParser] = found.choices
    return commands


def _words(command: str, action: argparse.Action) -> tuple[str, ...] | None:
    """What an argument may be where its parser itself takes any text; None for other arguments."""
    match command, action.dest:
        case "explain", "codes":
            from lynkrc.diagnostics.codes import CODES

            return tuple(CODES)
        case "usage", "by":
            from lynkrc.usage.tally import BY

            return tuple(BY)
        case "schema", "name":
            from lynkrc.source.resources import schema_names

            return tuple(schema_names())
        case _:
            return None
