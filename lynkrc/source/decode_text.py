"""Bytes of a file to a `SourceFile`: size limit, UTF-8, and the characters a spec may hold.

Everything after this counts code points of a text whose only line ends are ``\\n`` and ``\\r\\n``.
"""

import re
from itertools import islice

from lynkrc.diagnostics.codes import BAD_CHARACTER, FILE_TOO_LARGE, NOT_UTF8
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.source.fixes import replacing
from lynkrc.source.text import SourceFile, Span

MAX_BYTES = 1 << 20
"""Greatest size of one file."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Control characters are not text; NEL, LS and PS end a line in YAML 1.1 but not in 1.2, a lone CR
# ends one nowhere else in the compiler, some characters cannot be seen (those that join letters of
# Persian or the parts of an emoji may stand), and controls of writing direction show a reviewer
# another text than the one that is compiled.
_BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufffe\uffff\U000e0000-\U000e007f]"
    "|\r(?!\n)"
)
_MOST = 20
_LINE_ENDS = "\r\x85\u2028\u2029"


def decode_source(path: str, data: bytes) -> tuple[SourceFile, list[Diagnostic]]:
    """The text of `data`, to be shown under `path`. With findings the text is not to be read on.

    A UTF-8 byte order mark is dropped.
    """
    if len(data) > MAX_BYTES:
        file = SourceFile(path=path, text="")
        message = f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read"
        hint = "split it into base specs named by `extends`"
        span = Span(file=file, start=0, end=0)
        return file, [Diagnostic(code=FILE_TOO_LARGE, message=message, span=span, help=hint)]
    data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(path, data, error.start)
    file = SourceFile(path=path, text=text)
    return file, check_characters(file)


def check_characters(file: SourceFile) -> list[Diagnostic]:
    """A finding for each character that may not stand in a spec; of many the first, and how many
    more there are."""
    findings: list[Diagnostic] = []
    for match in islice(_BAD.finditer(file.text), _MOST):
        char = match.group()
        is_line_end = char in _LINE_ENDS
        what = "line end" if is_line_end else "character"
        more = 0
        if len(findings) == _MOST - 1:
            more = len(_BAD.findall(file.text, match.end()))
        span = Span(file=file, start=match.start(), end=match.end())
        findings.append(
            Diagnostic(
                code=BAD_CHARACTER,
                message=f"the {what} U+{ord(char):04X} may not stand in the file"
                + (f", nor may {more:,} more after it" if more > 0 else ""),
                span=span,
                help=f'remove it, or write it as "\\u{ord(char):04X}" in double quotes',
                fix=None if is_line_end else replacing(span, "", "remove it", safe=False),
            )
        )
    return findings


def _not_utf8(path: str, data: bytes, start: int) -> tuple[SourceFile, list[Diagnostic]]:
    file = SourceFile(path=path, text=data.decode("utf-8", errors="replace"))
    offset = len(data[:start].decode("utf-8"))
    if data.startswith(_UTF16_MARKS):
        message = "the file is UTF-16, not UTF-8"
    else:
        message = f"the byte 0x{data[start]:02X} here is not UTF-8"
    span = Span(file=file, start=offset, end=offset + 1)
    hint = "save the file as UTF-8"
    return file, [Diagnostic(code=NOT_UTF8, message=message, span=span, help=hint)]
