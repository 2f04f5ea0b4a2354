"""Texts and tables that nobody writes in good faith, with each kernel."""

from array import array
from random import Random

import pytest

from lynkrc_runtime.scan.engines import Engine, KernelName, engine_of, kernel_name
from lynkrc_runtime.scan.fold import TABLE
from lynkrc_runtime.scan.matcher import MAX_COUNT, Matcher
from lynkrc_runtime.scan.tables import HEAD, MAX_ENTRIES, Tables, pack, unpack
from tests.scan_cases import random_tables

MIB = 1 << 20
KERNELS: tuple[KernelName, ...] = (
    ("portable",) if kernel_name() == "portable" else ("portable", "native")
)
needs_native = pytest.mark.skipif(kernel_name() == "portable", reason="the kernel is not built")


def tables() -> Tables:
    """Every "a" (entry 0), and a text that holds an odd number of "b" so far (entry 1)."""
    byte_class = bytes({ord("a"): 1, ord("b"): 2}.get(byte, 0) for byte in range(256))
    return unpack(
        pack(
            byte_class=byte_class,
            transitions=[0, 1, 2, 0, 1, 2, 3, 4, 0, 3, 4, 0, 3, 4, 0],
            accepts=[(), (0,), (1,), (1,), (0, 1)],
            counts=[(), (0,), (1,), (1,), (0, 1)],
            sizes=(1, 1),
        )
    )


@pytest.fixture(params=KERNELS)
def engine(request: pytest.FixtureRequest) -> Engine:
    return engine_of(tables(), [3, -5], request.param)


@pytest.mark.parametrize("text", ["", " ", "c", "\x00", "\x00" * 500, "\ud800" * 500, "\U0010ffff"])
def test_texts_without_anything_in_them(engine: Engine, text: str) -> None:
    assert engine.scan(text) is None
    assert engine.present(text) == frozenset()


@pytest.mark.parametrize("letter", ["a", "A", "\uff21a", "a\ud800", "a\x00", "\u00e9a"])
def test_a_mebibyte_of_one_letter(engine: Engine, letter: str) -> None:
    text = letter * (MIB // len(letter.encode("utf-8", "surrogatepass")))
    assert engine.scan(text) == ((MAX_COUNT, 0), (1, 0), (3, 0))
    assert engine.present(text) == {0}


def test_a_mebibyte_on_which_no_guess_is_ever_right(engine: Engine) -> None:
    # An odd number of b before each cut, and none behind it.
    for text in ("b" + "a" * MIB, "b" + "c" * MIB, "ba" * (MIB // 2)):
        measures = engine.scan(text)
        assert measures is not None
        assert measures[0][1] == MAX_COUNT
        assert engine.scan("c" * 4096) is None


def test_a_scan_leaves_nothing_for_the_next(engine: Engine) -> None:
    for _ in range(3):
        assert engine.scan("xa") == ((1, 0), (1, 0), (3, 0))
        assert engine.scan("b" + "x" * 10_000) == ((0, MAX_COUNT), (0, 1), (0, -5))
        assert engine.scan("\u00e9") is None


def test_weights_are_as_many_as_entries_and_their_sum_has_63_bits() -> None:
    for kernel in KERNELS:
        most = Matcher(tables(), [2**63 - 2, -1], kernel=kernel)
        assert most.scan("ab").points == (2**63 - 2, -1)
        with pytest.raises(ValueError, match="more than 63 bits"):
            Matcher(tables(), [2**63 - 1, -1], kernel=kernel)
        with pytest.raises(ValueError, match="2 entries in the tables, 1 weights"):
            Matcher(tables(), [1], kernel=kernel)


@needs_native
def test_the_native_kernel_checks_what_it_is_given() -> None:
    from lynkrc_runtime.scan._kernel import Kernel

    data = tables().data
    Kernel(data, [1, 2], TABLE)
    for cut in range(0, len(data), 3):
        with pytest.raises(ValueError, match="lexicon table"):
            Kernel(data[:cut], [1, 2], TABLE)
    for cut in (0, 3, 11, 12, 5_000, len(TABLE) - 1):
        with pytest.raises(ValueError, match="fold table"):
            Kernel(data, [1, 2], TABLE[:cut])
    with pytest.raises(ValueError, match="2 entries in the tables, 3 weights"):
        Kernel(data, [1, 2, 3], TABLE)
    with pytest.raises(ValueError, match="63 bits"):
        Kernel(data, [1, 2**70], TABLE)
    for wrong in (b"text", None, 7):
        with pytest.raises(TypeError):
            Kernel(data, [1, 2], TABLE).scan(wrong)  # type: ignore[arg-type]


@needs_native
def test_both_readers_take_and_refuse_the_same_tables() -> None:
    from lynkrc_runtime.scan._kernel import Kernel

    chance = Random(5)
    refused = 0
    for _ in range(40):
        whole = random_tables(chance)
        for _ in range(50):
            data = bytearray(whole.data)
            at = chance.choice((chance.randrange(40), chance.randrange(HEAD, len(data))))
            data[at] = chance.choice((0, 1, 255, chance.randrange(256)))
            try:
                weights = [0] * unpack(bytes(data)).entries
            except ValueError:
                refused += 1
                with pytest.raises(ValueError, match="lexicon table"):
                    Kernel(bytes(data), [], TABLE)
            else:
                Kernel(bytes(data), weights, TABLE)
    assert refused > 200


def test_a_table_that_claims_more_entries_than_there_are_is_refused() -> None:
    sizes = array("I", [MAX_ENTRIES + 1]).tobytes()
    data = bytearray(
        pack(byte_class=bytes(256), transitions=[0], accepts=[()], counts=[()], sizes=(0,))
    )
    data[12:16] = data[-4:] = sizes
    with pytest.raises(ValueError, match="impossible head"):
        unpack(bytes(data))
    if kernel_name() == "native":
        from lynkrc_runtime.scan._kernel import Kernel

        with pytest.raises(ValueError, match="impossible head"):
            Kernel(bytes(data), [], TABLE)
