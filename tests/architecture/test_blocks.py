"""Every fenced block of every page is done, compiled, or says itself why it is not."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import check_jsonschema
import jsonschema
import pytest
import yaml

from lynkrc.cli.main import _parse
from lynkrc_runtime.__main__ import parser
from tests.architecture.block_register import ALSO, ELSEWHERE, NOT_RUN, ONLY_READ, PAGES
from tests.architecture.page_walk import FENCE, ROOT, joined
from tests.architecture.page_walk import NOT_RUN as MARK

SOURCES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in SOURCES}
BLOCKS = [(page, *found) for page, text in TEXTS.items() for found in FENCE.findall(text)]
WALKED = {f"docs/{name}.md" for name in (*PAGES, *(one for many in ALSO.values() for one in many))}


def test_a_fence_is_never_left_open() -> None:
    """And none is indented, quoted or of tildes, where nobody would find it."""
    for page, text in TEXTS.items():
        fences = re.findall(r"^\s*(?:> *)?(?:```|~~~)", text, re.MULTILINE)
        assert len(fences) == 2 * sum(page == one for one, _, _ in BLOCKS), page


def test_every_block_is_somebodys() -> None:
    nobody = [
        (page, language)
        for page, language, body in BLOCKS
        if not body.startswith(MARK)
        and page not in WALKED
        and language not in ELSEWHERE.get(page, {})
        and (page, language) not in ONLY_READ
    ]
    assert nobody == []


def test_the_register_has_nothing_else() -> None:
    found = {(page, language) for page, language, body in BLOCKS if not body.startswith(MARK)}
    listed = {(page, language) for page, rows in ELSEWHERE.items() for language in rows}
    assert listed - found == set()
    assert set(ONLY_READ) - found == set()
    assert WALKED - {page for page, _ in found} == set()


def test_what_is_not_run_is_counted_and_says_why() -> None:
    marked = [(page, body) for page, _, body in BLOCKS if body.startswith(MARK)]
    assert Counter(page for page, _ in marked) == NOT_RUN
    assert [page for page, body in marked if len(body.split("\n", 1)[0]) < len(MARK) + 10] == []


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_the_test_of_a_page_reads_it(page: str) -> None:
    for name in set(ELSEWHERE[page].values()):
        text = (ROOT / "tests" / name).read_text(encoding="utf-8")
        assert Path(page).name in text or f'"{Path(page).parent.name}"' in text, name


def not_run() -> list[str]:
    """Shell text that no test runs: it can be read at least."""
    marked = [body for _, language, body in BLOCKS if body.startswith(MARK) and language == "sh"]
    return [*marked, *(body for page, language, body in BLOCKS if (page, language) == CI)]


CI = ("docs/ci.md", "sh")


def test_shell_that_is_not_run_is_shell() -> None:
    shell = shutil.which("bash")
    assert shell is not None
    # One script, so that one shell is enough; a function each, so that an error has its block.
    script = "".join(f"block_{number}() {{\n{body}}}\n" for number, body in enumerate(not_run()))
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_commands_that_are_not_run_have_the_options_they_name() -> None:
    commands = [
        shlex.split(line, comments=True)
        for body in (*not_run(), *(body for *where, body in BLOCKS if tuple(where) in ONLY_READ))
        for line in joined(body)
        if line.startswith("lynkrc ")
    ]
    assert commands
    for words in commands:
        end = words.index(">") if ">" in words else len(words)
        _parse(words[1:end])


def test_options_that_the_prose_names_exist(capsys: pytest.CaptureFixture[str]) -> None:
    named: dict[tuple[str, ...], set[str]] = {}
    for text in TEXTS.values():
        for span in re.findall(r"`(lynkrc [a-z][^`]+)`", FENCE.sub("", text)):
            words = span.split()
            found = {word.split("=")[0] for word in words if word.startswith("--")}
            # `lynkrc keys add`: the only command with commands of its own.
            command = tuple(words[1 : 3 if words[1] == "keys" else 2])
            named.setdefault(command, set()).update(found)
    for command, options in named.items():
        if options:
            with pytest.raises(SystemExit):
                if command == ("serve",):
                    parser().parse_args(["serve", "--help"])
                _parse([*command, "--help"])
            told = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
            assert options - told == set(), command


def test_the_files_for_forges_are_what_their_services_take() -> None:
    vendor = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
    texts = [body for page, language, body in BLOCKS if (page, language) == ("docs/ci.md", "yaml")]
    # YAML 1.1 takes the key `on` for true.
    workflow, snippet, hooks = (
        {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}
        for text in texts
    )
    for document, name in ((workflow, "github-workflows"), (snippet, "gitlab-ci")):
        schema = json.loads((vendor / f"{name}.json").read_text(encoding="utf-8"))
        jsonschema.validate(document, schema)
    assert [set(one) for one in hooks["repos"]] == [{"repo", "rev", "hooks"}]


def test_settings_of_editors_can_be_read() -> None:
    [text] = [body for page, language, body in BLOCKS if (page, language) == EDITOR]
    assert tomllib.loads(text)


EDITOR = ("docs/language.md", "toml")
