"""`lynkrc lsp` as an editor meets it: a process that is spoken to over its pipes."""

from pathlib import Path

import pytest

from tests.e2e.lsp_client import Editor
from tests.unit.lsp_sample import SPEC


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "routing.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def place(text: str, words: str, inside: int = 0) -> tuple[int, int]:
    """Line and character of the first occurrence of `words`, in UTF-16 code units."""
    offset = text.index(words) + inside
    line = text.count("\n", 0, offset)
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line, len(before.encode("utf-16-le")) // 2


def test_a_session_from_opening_to_exit(spec: Path) -> None:
    with Editor(spec.parent, is_forked=False) as editor:
        assert editor.capabilities["positionEncoding"] == "utf-16"
        uri = editor.open(spec)
        assert [d for d in editor.diagnostics(uri) if d["severity"] == 1] == []

        broken = SPEC.replace("target.trust == local", "target.trust == locl")
        editor.change(uri, broken, 2)
        (error,) = [
            d
            for d in editor.diagnostics(uri, lambda note: note["version"] == 2)
            if d["severity"] == 1
        ]
        assert (error["range"]["start"]["line"], error["range"]["start"]["character"]) == place(
            broken, "locl"
        )
        assert error["code"].startswith("LK")
        assert error["source"] == "lynkrc"
        assert "help: did you mean `local`?" in error["message"]
        assert error["data"]["explain"] == f"lynkrc explain {error['code']}"
        assert error["data"]["meaning"]

        actions = editor.ask(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": uri},
                "range": error["range"],
                "context": {"diagnostics": [error]},
            },
        )
        edits = [a["edit"]["changes"][uri] for a in actions if a["kind"] == "quickfix"]
        assert [[edit["newText"] for edit in one] for one in edits] == [["local"]]

        editor.change(uri, SPEC, 3)
        hover = editor.at("hover", uri, *place(SPEC, "ask.tokens", 5))
        assert "an integer 0..16777215" in hover["contents"]["value"]

        items = editor.at("completion", uri, *place(SPEC, "matches(ask, ", 13))["items"]
        assert "secret_words" in [item["label"] for item in items]

        found = editor.at("definition", uri, *place(SPEC, "matches(ask, secret", 15))
        line, character = place(SPEC, "secret_words:")
        assert found["uri"] == uri
        assert found["range"]["start"] == {"line": line, "character": character}

        base = editor.at("definition", uri, *place(SPEC, "builtin/lynkr", 3))
        assert base["uri"].endswith("/builtin/lynkr.yaml")

        symbols = editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        assert "tiers" in [symbol["name"] for symbol in symbols]
        assert editor.end() == 0


def test_formatting_edits_what_differs(spec: Path) -> None:
    text = "version: 1\nname: x\nrules:\n  - {name: a, when: ask.tokens>4k, add: 1}\nextends: b\n"
    with Editor(spec.parent) as editor:
        uri = editor.open(spec, text)
        options = {"tabSize": 2, "insertSpaces": True}
        params = {"textDocument": {"uri": uri}, "options": options}
        (edit,) = editor.ask("textDocument/formatting", params)
        assert edit["range"]["start"] == {"line": 2, "character": 0}
        assert "when: ask.tokens > 4k" in edit["newText"]
        editor.change(uri, "version: 1\nname: [", 2)
        assert editor.ask("textDocument/formatting", params) == []
        assert editor.end() == 0


def test_an_unsaved_base_is_read_from_the_editor(spec: Path) -> None:
    base = spec.parent / "team.yaml"
    base.write_text("version: 1\nname: team\n", encoding="utf-8")
    text = SPEC.replace("extends: builtin/lynkr", "extends: [builtin/lynkr, team.yaml]")
    text = text.replace("when: secret,", "when: secret and urgent,")
    with Editor(spec.parent) as editor:
        uri = editor.open(spec, text)
        assert "urgent" in "".join(d["message"] for d in editor.diagnostics(uri))
        base_uri = editor.open(base)
        editor.change(base_uri, "version: 1\nname: team\nfeatures: {urgent: turns > 3}\n", 2)
        found = editor.diagnostics(
            uri,
            lambda note: not any("urgent" in d["message"] for d in note["diagnostics"]),
        )
        assert [d["message"] for d in found if d["severity"] == 1] == []
        place_of = editor.at("definition", uri, *place(text, "and urgent", 5))
        assert (place_of["uri"], place_of["range"]["start"]["line"]) == (base_uri, 2)
        assert editor.end() == 0


def test_positions_count_what_was_agreed(spec: Path) -> None:
    line = SPEC[: SPEC.index("matches(ask")].count("\n")
    before = SPEC.splitlines()[line].partition("secret_words")[0]
    widths = {
        "utf-8": len(before.encode()),
        "utf-16": len(before.encode("utf-16-le")) // 2,
        "utf-32": len(before),
    }
    assert len(set(widths.values())) == 3
    for encoding, width in widths.items():
        with Editor(spec.parent, encodings=(encoding,)) as editor:
            assert editor.capabilities["positionEncoding"] == encoding
            uri = editor.open(spec)
            hover = editor.at("hover", uri, line, width)
            assert hover["range"]["start"] == {"line": line, "character": width}
            assert "a lexicon of 3 entries" in hover["contents"]["value"]
            assert editor.end() == 0


def test_renaming_and_its_refusal(spec: Path) -> None:
    with Editor(spec.parent) as editor:
        uri = editor.open(spec)
        line, character = place(SPEC, "secret_words:")
        edit = editor.at("rename", uri, line, character, newName="private_words")
        assert [one["newText"] for one in edit["changes"][uri]] == ["private_words"] * 3
        refused = editor.answer(
            "textDocument/rename",
            {
                "textDocument": {"uri": uri},
                "position": {"line": line, "character": character},
                "newName": "secret words",
            },
        )
        assert "is no name of a lexicon" in refused["error"]["message"]
        assert editor.end() == 0


def test_going_away_without_a_word_is_told(spec: Path) -> None:
    with Editor(spec.parent) as editor:
        editor.tell("exit", None)
        assert editor.process.wait() == 1


def test_the_server_outlives_garbage(spec: Path) -> None:
    with Editor(spec.parent) as editor:
        uri = editor.open(spec, "")
        for version, end in enumerate(range(0, len(SPEC), 97), start=2):
            editor.change(uri, SPEC[:end] + "\n  - {a: [b", version)
            lines = SPEC[:end].splitlines() or [""]
            editor.at("completion", uri, len(lines) - 1, len(lines[-1]))
            editor.at("hover", uri, len(lines) - 1, 3)
        editor.change(uri, SPEC, 1000)
        found = editor.diagnostics(uri, lambda note: note["version"] == 1000)
        assert [d for d in found if d["severity"] == 1] == []
        assert editor.end() == 0
