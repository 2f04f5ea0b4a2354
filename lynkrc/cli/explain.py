"""``lynkrc explain``: the page of a finding, the list of all, or what two dialects lose."""

import argparse
import sys

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.terminal import columns_of, error, wants_colour
from lynkrc.diagnostics.codes import CODES, PHASES, found
from lynkrc.diagnostics.pages import read_page
from lynkrc.diagnostics.render_page import render_page
from lynkrc.diagnostics.sema_codes import LOSSY_PAIR
from lynkrc.diagnostics.suggest import closest
from lynkrc.diagnostics.wording import shown

_PAIR = (
    "a client's dialect (messages, chat or responses) and a target's (one of these, gemini, "
    "converse or ollama)"
)
_MISREAD = str.maketrans("OIL", "011")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: codes or short names; for LK602 also two dialects."""
    parser.add_argument(
        "codes",
        nargs="*",
        metavar="CODE",
        help="such as LK101 or unknown-key; without one, all are listed. After LK602 a client's "
        "dialect and a target's, as the note names them, list all that is lost between them",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the pages, set for the terminal where there is one, or the list."""
    out = sys.stdout
    words: list[str] = arguments.codes
    if not words:
        out.write(listing())
        return ExitCode.OK
    codes = [found(word) for word in words]
    if codes[0] is LOSSY_PAIR and None in codes[1:]:
        pair = _pair(words[1:])
        if pair is None:
            error("after LK602 go " + _PAIR)
            return ExitCode.CANNOT_RUN
        page = pair
    else:
        for word, code in zip(words, codes, strict=True):
            if code is None:
                dialects = "" if word is words[0] else "; dialects go after LK602 alone"
                error(f"there is no finding {shown(word)}; {_way_out(word)}{dialects}")
                return ExitCode.CANNOT_RUN
        page = "\n".join(read_page(code.id) for code in codes if code is not None)
    columns = columns_of(out)
    if columns is not None:
        page = render_page(page, colour=wants_colour(out), columns=columns) + "\n"
    out.write(page)
    return ExitCode.OK


def listing() -> str:
    """Every code with its severity and short name, by phase."""
    lines = []
    for start, about in PHASES.items():
        codes = [code for code in CODES.values() if code.id.startswith(start)]
        if codes:
            lines.append(f"{start}xx  {about}")
            lines += [f"  {code.id}  {code.severity.value:<8} {code.name}" for code in codes]
            lines.append("")
    return "\n".join([*lines, "`lynkrc explain CODE` prints the page of one.", ""])


def _pair(words: list[str]) -> str | None:
    # Late, so that the page of a code does not wait for the tables.
    from lynkrc.docs.pair import dialect_of, pair_page
    from lynkrc_runtime.protocol.losses import CLIENTS

    names = [dialect_of(word) for word in words]
    if len(names) != 2 or names[0] not in CLIENTS or names[1] is None:
        return None
    return pair_page(names[0], names[1])


def _way_out(word: str) -> str:
    digits = word.upper().removeprefix("LK").translate(_MISREAD)
    near = closest(word, [code.name for code in CODES.values()])
    meant = found(f"LK{digits}") or (found(near) if near is not None else None)
    if meant is None:
        return "`lynkrc explain` lists all"
    return f"did you mean {meant.id} ({meant.name})?"
