"""Definitions, uses, renaming, the outline."""

import pytest

from lynkrc.lsp.define import Refused, definition, references, rename
from lynkrc.lsp.roles import DEFINING_VALUES, OWN_NAMES, USING_VALUES, role
from lynkrc.lsp.schema_words import shape_at
from lynkrc.lsp.symbols import outline
from lynkrc.source.edits import apply_edits
from lynkrc.syntax.shape import Shape, root_shape
from tests.unit.lsp_sample import LOADER, SPEC, at, known

KNOWN = known()


@pytest.mark.parametrize(
    ("use", "defined"),
    [
        ("{provider: ho^use", "^house:  {kind"),
        ("chain: [sm^all", "^small: {provider"),
        ("floor: COM^PLEX", "{name: ^COMPLEX"),
        ("count(ask, secret^_words)", "^secret_words: ["),
        ("when: sec^ret", "^secret: header"),
        ("'hea^vy and", "^heavy: >"),
    ],
)
def test_a_use_leads_to_its_definition(use: str, defined: str) -> None:
    span = definition(at(use), KNOWN, LOADER)
    assert span is not None
    assert (span.file.path, span.start) == (KNOWN.file.path, at(defined))


def test_inherited_names_and_bases_lead_to_other_files() -> None:
    client = definition(at('"claude^-code"'), KNOWN, LOADER)
    assert client is not None
    assert client.text == "claude-code"
    assert client.file.path.endswith("builtin/lynkr.yaml")
    base = definition(at("extends: builtin/^lynkr"), KNOWN, LOADER)
    assert base is not None
    assert (base.file.path, base.start) == (client.file.path, 0)


def test_references_are_all_uses() -> None:
    spans = references(at("^secret_words: ["), KNOWN, with_definition=False)
    assert [span.text for span in spans] == ["secret_words"] * 2
    assert len(references(at("^secret_words: ["), KNOWN, with_definition=True)) == 3


def test_renaming_keeps_the_spec_whole() -> None:
    edits = rename(at("[sm^all"), "tiny-one", KNOWN, LOADER)
    assert not isinstance(edits, Refused)
    text = apply_edits(SPEC, edits)
    assert text.count("tiny-one") == 5
    assert "small" not in text


@pytest.mark.parametrize(
    ("words", "name", "why"),
    [
        ("'hea^vy and", "he-avy", "is no name of a feature"),
        ("^secret_words: [", "secret-words", "without quotes"),
        ("[sm^all", "big", "already"),
        ("[sm^all", "off", "read as something else"),
        ('"claude^-code"', "x", "not defined in this file"),
        ("ask.to^kens", "x", "no name of the spec"),
        ("{name: ^COMPLEX", "HARD", "`builtin/lynkr` names `COMPLEX` too"),
    ],
)
def test_renaming_is_refused_with_a_reason(words: str, name: str, why: str) -> None:
    found = rename(at(words), name, KNOWN, LOADER)
    assert isinstance(found, Refused)
    assert why in found.reason


def test_the_outline_lists_sections_and_definitions() -> None:
    symbols = {symbol.name: symbol for symbol in outline(KNOWN.root)}
    assert [below.name for below in symbols["tiers"].below] == [
        "SIMPLE",
        "MEDIUM",
        "COMPLEX",
        "REASONING",
    ]
    assert [below.name for below in symbols["features"].below] == ["secret", "heavy"]
    assert outline(None) == ()


def _places(shape: Shape, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Places of the schema that take a name."""
    if len(path) > 6:
        return []
    found = []
    if any(part.get("$ref") == "#/$defs/name" for part in shape.schemas):
        found.append(path)
    for key in (*shape.keys(), "*"):
        below = shape.at(key)
        if below.schemas:
            found += _places(below, (*path, key))
    if shape.item().schemas:
        found += _places(shape.item(), (*path, "#"))
    return found


def test_every_place_of_the_schema_that_takes_a_name_says_which() -> None:
    unknown = [
        path
        for path in _places(root_shape(), ())
        if path not in OWN_NAMES
        and role(USING_VALUES, path) is None
        and role(DEFINING_VALUES, path) is None
    ]
    assert unknown == []


def test_every_place_with_a_role_is_in_the_schema() -> None:
    places = [*USING_VALUES, *DEFINING_VALUES, *OWN_NAMES]
    assert [path for path in places if not shape_at(path).schemas] == []
