"""Words of a command line that nothing is called to a message with what was probably meant."""

import argparse
from collections.abc import Iterable, Sequence

from lynkrc.diagnostics.suggest import closest
from lynkrc.diagnostics.wording import printable


def no_command(word: str, commands: Iterable[str]) -> str:
    """Why a word is no command.

    >>> no_command("trce", ["test", "trace"])
    'there is no command `trce`; did you mean `trace`?'
    """
    near = closest(word, commands)
    wayout = "`lynkrc --help` lists all" if near is None else f"did you mean `{near}`?"
    return f"there is no command `{printable(word)}`; {wayout}"


def reader_of(words: Iterable[str], parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser that reads the last words of a command line: of a command, or of its action."""
    for word in words:
        # argparse gives no other way to what a parser knows, here and below.
        choices = [
            action.choices
            for action in parser._actions
            if isinstance(action, argparse._SubParsersAction)
        ]
        parser = next((one[word] for one in choices if word in one), parser)
    return parser


def not_understood(words: Sequence[str], command: argparse.ArgumentParser) -> str:
    """Why a command cannot take the words that its parser has left over."""
    told = printable(" ".join(words))
    # A dash alone is what commands call standard input.
    wrong = next((word for word in words if word.startswith("-") and word != "-"), None)
    if wrong is None:
        return f"too many arguments: {told}"
    known = [option for action in command._actions for option in action.option_strings]
    long = {option[2:] for option in known if option.startswith("--")}
    near = closest(wrong.lstrip("-").partition("=")[0], long)
    wayout = "" if near is None else f"; did you mean `--{near}`?"
    return f"no option of `{command.prog}`: {told}{wayout}"
