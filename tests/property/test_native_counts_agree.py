"""What is counted in C is what the Python form counts, whatever the script."""

import ctypes
import shlex
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lynkrc_runtime.scan.engines import native_count
from lynkrc_runtime.scan.fold import fold_text
from lynkrc_runtime.text_counts import COUNTS, MEASURED, TextCounts
from tests.native_tools import needs_compiler
from tests.property.effort import tried

pytestmark = needs_compiler

SOURCE = Path(__file__).resolve().parents[2] / "runtime" / "lynkrc_runtime" / "scan" / "counts.c"
_FOLD = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)

Numbers = dict[str, int]
Count = Callable[[str], Numbers]
FIELDS = (
    "bytes",
    "cjk",
    "words",
    "sentences",
    "longest_sentence",
    "lines",
    "commas",
    "periods",
    "parens",
    "quotes",
    "questions",
)
"""Those of `lk_counts`; but for `cjk` a feature is called so."""


class _Counts(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_size_t) for name in FIELDS)


@pytest.fixture(scope="module", params=["-DNDEBUG", "-U__SSE2__"])
def in_c(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Count]:
    """As it is built here, and as for machines without these vectors."""
    made = tmp_path_factory.mktemp("counts") / "counts.so"
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    strict = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
    subprocess.run([*compiler, *strict, request.param, "-o", str(made), str(SOURCE)], check=True)
    library = ctypes.CDLL(str(made))
    library.lk_count_ascii.restype = library.lk_count_codes.restype = _Counts
    library.lk_count_codes.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        _FOLD,
        ctypes.c_void_p,
    )
    library.lk_count_ascii.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
    fold = _FOLD(lambda _, code: ord(fold_text(chr(code))))

    def count(text: str) -> Numbers:
        codes = (ctypes.c_uint32 * len(text))(*map(ord, text))
        found = library.lk_count_codes(codes, len(text), fold, None)
        numbers = {name: getattr(found, name) for name in FIELDS}
        if text.isascii():
            same = library.lk_count_ascii(text.encode(), len(text))
            assert numbers == {name: getattr(same, name) for name in FIELDS}
        del numbers["cjk"]
        return numbers

    yield count


def assert_alike(in_c: Count, text: str, *where: object) -> None:
    """The C files, the kernel that is built, and Python say the same."""
    counts = TextCounts(text)
    by_hand = {name: COUNTS[name](counts) for name in MEASURED}
    assert in_c(text) == {n: by_hand[f"ask.{n}"] for n in FIELDS if n != "cjk"}, where
    assert by_hand["ask.words"] == len(counts.words), where
    assert by_hand["ask.sentences"] == len(counts.sentences), where
    if native_count is not None:
        assert native_count(text) == tuple(by_hand.values()), where


_TIGHT = st.sampled_from("aZ7_' .!?x\n\r\t\"()],-\x1c\x0b\x00")
_WIDE = st.sampled_from(
    "a' .)\u2019\u02bc\uff07\u3002\uff1f\uff01\uff61\uff0e\u4e2d\u3042\uff71\u0e01\u1780\u00e9"
    "\u0301\u2028\u00a0\u0085\u2014\u2212\ud800\udfff\U0001f600\U00020000\u0661\u2026\u300d\uff09"
    "\u212a\ufe63\u0e46\u0fff\u3400\u9fff\uac00\u3005"
    '\n"\u201c\u201d\u201e\uff02,\uff0c\u3001\u060c\uff08\u061f'
)
_ANY = st.characters().filter(lambda character: len(fold_text(character)) == 1)


@tried(600)
@given(st.text(_TIGHT, max_size=40) | st.text(_WIDE, max_size=40) | st.text(_ANY, max_size=30))
@example("")
@example("It''s 'tis. \u4e2d'a'\u4e2d\u3002b")
@example("3.14 of a.py?! Yes...")
@example("... !!")
def test_numbers_are_those_of_the_python_form(in_c: Count, text: str) -> None:
    assert_alike(in_c, text)


@tried(300)
@given(st.text(_TIGHT, min_size=55, max_size=210))
def test_long_texts_are_counted_over_the_edges_of_blocks(in_c: Count, text: str) -> None:
    assert_alike(in_c, text)


def test_each_character_counts_alike_at_each_edge(in_c: Count) -> None:
    for code in range(128):
        for size in (*range(60, 68), 127, 128, 129):
            one = chr(code)
            for end in (f"{one}b c", f"'{one}b", f". {one}", f".{one}", f"!{one} x."):
                text = (" to be" * 30)[:size] + end
                assert_alike(in_c, text, code, size, end)


def test_each_code_point_is_of_the_same_kind(in_c: Count) -> None:
    """Beside a letter, behind an apostrophe, and behind a stop."""
    edges = (0x3400, 0x9FFF, 0xA000, 0xA9E0, 0xA9FF, 0xAA5F, 0xAA60, 0xAA7F, 0xAA80)
    planes = (0x10428, 0x1AFF0, 0x1B000, 0x1B16F, 0x1B170, 0x20000, 0x2FA1D, 0x3134A, 0xE0100)
    for code in [*range(0x3200), *range(0xF900, 0x10000), *edges, *planes]:
        character = chr(code)
        if len(fold_text(character)) == 1:
            text = f"a{character}b. {character}'c.{character}d {character}\n{character}"
            assert_alike(in_c, text, hex(code))
