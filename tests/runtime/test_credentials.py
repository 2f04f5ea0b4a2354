"""A folder of secrets beside the environment: what is found, what is refused, what is handed on."""

from pathlib import Path

import pytest

from lynkrc_runtime.credentials import (
    FOLDER,
    LARGEST,
    UnusableCredentials,
    environment,
    lacking_note,
)
from lynkrc_runtime.references import MissingVariable, expand


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "TOKEN").write_bytes(b"from-file\n")
    return tmp_path


def test_a_reference_finds_the_file_without_its_line_end(folder: Path) -> None:
    environ = environment({FOLDER: str(folder)})
    assert expand("redis://:${TOKEN}@h", environ) == "redis://:from-file@h"
    (folder / "TOKEN").write_bytes(b"two\nlines\r\n")
    assert environ["TOKEN"] == "two\nlines"


def test_the_environment_comes_first_and_an_empty_variable_counts_as_unset(folder: Path) -> None:
    assert environment({FOLDER: str(folder), "TOKEN": "here"}).get("TOKEN") == "here"
    assert environment({FOLDER: str(folder), "TOKEN": ""}).get("TOKEN") == "from-file"


def test_a_file_that_is_replaced_is_read_anew_and_one_that_goes_is_unset(folder: Path) -> None:
    environ = environment({FOLDER: str(folder)})
    (folder / "TOKEN").write_text("next")
    assert environ.get("TOKEN") == "next"
    (folder / "TOKEN").write_bytes(b"\xff")
    assert environ.get("TOKEN") is None
    (folder / "TOKEN").unlink()
    with pytest.raises(MissingVariable):
        expand("${TOKEN}", environ)


def test_what_is_handed_on_holds_no_secret_of_a_file(folder: Path) -> None:
    environ = environment({FOLDER: str(folder), "HOME": "/"})
    assert dict(environ) == {FOLDER: str(folder), "HOME": "/"}
    assert len(environ) == 2


def test_no_name_leads_out_of_the_folder(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    environ = environment({FOLDER: str(inner)})
    assert environ.get("../TOKEN") is None
    assert environ.get("") is None
    assert environ.get(".") is None


def test_links_as_kubernetes_makes_them(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "TOKEN").write_text("linked")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "TOKEN").symlink_to("..data/TOKEN")
    assert environment({FOLDER: str(tmp_path)}).get("TOKEN") == "linked"


def test_every_file_that_is_no_text_stops_the_start(folder: Path) -> None:
    (folder / "BINARY").write_bytes(b"\xff")
    (folder / "LONG").write_bytes(b"x" * (LARGEST + 1))
    (folder / "NUL").write_bytes(b"planted\0")
    (folder / "not-a-name").write_bytes(b"\xff")
    with pytest.raises(UnusableCredentials) as caught:
        environment({FOLDER: str(folder)})
    said = str(caught.value)
    assert [name for name in ("BINARY", "LONG", "NUL") if name in said] == said_names(said)
    assert "planted" not in said and "not-a-name" not in said


def said_names(said: str) -> list[str]:
    return [line.removeprefix(f"{FOLDER}: ").split()[0] for line in said.splitlines()]


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnusableCredentials, match="No such file"):
        environment({FOLDER: str(tmp_path / "none")})


def test_without_a_folder_it_is_the_environment_itself() -> None:
    environ = {"A": "b"}
    assert environment(environ) is environ


def test_a_variable_that_is_not_set_may_be_a_file_that_is_missing(folder: Path) -> None:
    problem = "key team: environment variable TEAM is not set"
    [note] = lacking_note(problem, environment({FOLDER: str(folder)}))
    assert str(folder) in note and "missing there too, or empty" in note
    assert lacking_note("another", {FOLDER: str(folder)}) == ()
