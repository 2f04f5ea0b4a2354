"""Positions of an editor and offsets of a text."""

import pytest

from lynkrc.lsp.positions import Lines, Unit

TEXT = "a\r\n漢\U0001f600b\rend\n"


@pytest.mark.parametrize("unit", Unit)
def test_every_place_leads_back(unit: Unit) -> None:
    lines = Lines(TEXT)
    for offset in range(len(TEXT) + 1):
        if TEXT[offset - 1 : offset + 1] != "\r\n":
            assert lines.offset(*lines.place(offset, unit), unit) == offset


@pytest.mark.parametrize(("unit", "character"), [(Unit.UTF8, 7), (Unit.UTF16, 3), (Unit.UTF32, 2)])
def test_characters_are_counted_in_the_unit(unit: Unit, character: int) -> None:
    assert Lines(TEXT).place(TEXT.index("b"), unit) == (1, character)


def test_a_position_inside_a_character_is_its_beginning() -> None:
    assert Lines(TEXT).offset(1, 2, Unit.UTF16) == TEXT.index("\U0001f600")


def test_what_lies_beyond_is_the_end() -> None:
    lines = Lines(TEXT)
    assert lines.offset(0, 99, Unit.UTF16) == 1
    assert lines.offset(0, 99, Unit.UTF32) == 1
    assert lines.offset(99, 0, Unit.UTF8) == len(TEXT)
