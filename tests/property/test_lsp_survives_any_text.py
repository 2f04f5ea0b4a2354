"""Whatever stands in the editor, every question about any place of it has an answer."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.lsp.complete import complete
from lynkrc.lsp.define import definition, references, rename
from lynkrc.lsp.hover import hover
from lynkrc.lsp.spot import find_spot
from lynkrc.lsp.symbols import outline
from tests.property.effort import tried
from tests.unit.lsp_sample import LOADER, SPEC, known

QUICKSTART = (
    Path(__file__).resolve().parents[2] / "examples" / "quickstart" / "routing.yaml"
).read_text(encoding="utf-8")
SOUND = known()
WORDS = [
    *"{}[]:,'\"|>-#&*!% \t\\(",
    "\n",
    "\n  ",
    "- ",
    ": ",
    " #",
    "${X}",
    "\r",
    "\U0001f600",
    "漢",
]

_place = st.integers(0, 5_000)
_change = st.tuples(_place, st.integers(0, 40), st.sampled_from(["", *WORDS]))


def ask_everything(text: str, offset: int) -> None:
    analysis = known(text, SOUND)
    for item in complete(text, offset, analysis):
        assert 0 <= item.start <= offset <= max(item.end, offset) <= len(text)
    found = hover(offset, analysis)
    assert found is None or found.start <= offset <= found.end
    definition(offset, analysis, LOADER)
    references(offset, analysis, with_definition=True)
    rename(offset, "other_name", analysis, LOADER)
    outline(analysis.root)


@tried(10)
@given(st.sampled_from([SPEC, QUICKSTART]), st.lists(_change, max_size=4), _place)
def test_any_change_of_a_spec(spec: str, changes: list[tuple[int, int, str]], place: int) -> None:
    text = spec
    for where, length, word in changes:
        at = where % (len(text) + 1)
        text = text[:at] + word + text[at + length :]
    ask_everything(text, place % (len(text) + 1))


@tried(10)
@given(st.integers(0, len(QUICKSTART)))
def test_any_beginning_of_the_quickstart(end: int) -> None:
    ask_everything(QUICKSTART[:end], end)


def test_every_beginning_has_a_spot() -> None:
    for end in range(len(QUICKSTART) + 1):
        spot = find_spot(QUICKSTART[:end])
        assert not (spot.keys or spot.values) or spot.typed == QUICKSTART[spot.start : end]


@tried(10)
@given(st.text(), _place)
def test_any_text(text: str, place: int) -> None:
    ask_everything(text, place % (len(text) + 1))
