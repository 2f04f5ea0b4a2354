"""What docs/versioning.md promises, as far as a test can hold the tree to it."""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
import yaml

import lynkrc
import lynkrc_runtime
from lynkrc.bundle.manifest import MINIMUM_RUNTIME
from lynkrc.bundle.provenance import BUILD_TYPE
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.main import COMMANDS
from lynkrc_runtime.bundle_archive import BrokenBundle
from lynkrc_runtime.bundle_manifest import FORMAT, Manifest, read_manifest
from lynkrc_runtime.scan.tables import MAGIC
from lynkrc_runtime.usage_record import VERSION as USAGE_VERSION

ROOT = Path(__file__).resolve().parents[2]
PAGE = " ".join((ROOT / "docs" / "versioning.md").read_text(encoding="utf-8").split())
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "schema").glob("*.schema.json"))
}
VERSION = lynkrc.__version__


def toml(path: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_all_that_is_released_together_has_one_number() -> None:
    chart = yaml.safe_load((ROOT / "deploy/helm/lynkrc/Chart.yaml").read_text(encoding="utf-8"))
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text(encoding="utf-8"))
    image = re.compile(r"^lynkrc:\$\{LYNKRC_VERSION:-(.+)\}$")
    composed = [
        found[1]
        for service in compose["services"].values()
        if (found := image.match(service.get("image", "")))
    ]
    assert composed
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert {
        toml("pyproject.toml")["project"]["version"],
        toml("runtime/pyproject.toml")["project"]["version"],
        lynkrc_runtime.__version__,
        chart["appVersion"],
        *composed,
    } == {VERSION}
    assert numbers(MINIMUM_RUNTIME) <= numbers(VERSION)


# -- bundles -------------------------------------------------------------------------------------


def manifest(**changed: object) -> bytes:
    whole = Manifest(
        format=FORMAT,
        name="example",
        source_digest="0" * 64,
        meaning_digest="0" * 64,
        minimum_runtime=MINIMUM_RUNTIME,
        capabilities=[],
        native=[],
        files={},
    )
    return msgspec.json.encode(msgspec.to_builtins(whole) | changed)


REFUSED: dict[str, dict[str, object]] = {
    "bundle format 2 is newer than this runtime reads (1)": {"format": 2, "and": "what comes"},
    "there is no bundle format 0": {"format": 0},
    "needs lynkrc-runtime 9.0.0, this is ": {"minimum_runtime": "9.0.0"},
    "needs kind:NAME, which this runtime does not have": {"capabilities": ["kind:NAME"]},
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_runtime_refuses_by_name_what_it_cannot_serve(words: str) -> None:
    assert f"`{words}" in PAGE
    with pytest.raises(BrokenBundle, match=re.escape(words)):
        read_manifest(Path("routing.lynkr"), manifest(**REFUSED[words]))


def test_a_bundle_of_an_older_compiler_is_read() -> None:
    data = manifest(minimum_runtime="0.0.1")
    assert read_manifest(Path("routing.lynkr"), data).minimum_runtime == "0.0.1"


def test_the_page_has_the_numbers_of_the_code() -> None:
    assert f"how the bundle is laid out: {FORMAT} |" in PAGE
    assert f"(`{MAGIC.decode()}` of `lexicons.dfa`)" in PAGE
    assert f"lines of `version` {USAGE_VERSION}," in PAGE
    assert f"build type `{BUILD_TYPE}`" in PAGE
    codes = {code.value: words for code, words in EXITS.items()}
    assert ", ".join(f"{number} {words}" for number, words in sorted(codes.items())) in PAGE


EXITS = {
    ExitCode.OK: "all is well",
    ExitCode.FINDINGS: "findings",
    ExitCode.CANNOT_RUN: "could not run",
}


# -- the language and what programs read ---------------------------------------------------------


def test_the_language_is_version_1() -> None:
    assert SCHEMAS["routing"]["properties"]["version"]["const"] == 1
    assert "`version: 1` on the first line of a spec" in PAGE


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_id_of_a_schema_has_the_number_of_its_documents(name: str) -> None:
    schema = SCHEMAS[name]
    number = re.fullmatch(rf"urn:lynkrc:schema:{name}:(\d+)", schema["$id"])
    assert number is not None, schema["$id"]
    members = schema.get("properties", {})
    written = members.get("version", members.get("format", {})).get("const")
    assert written in (None, int(number[1]))


PROFILES = {
    "lynkr-13": "b52f375b03321ab88c0d3104382be0d01d41003c0deab4adb8ddd90e1384cdd1",
    "lynkrc-1": "1cbb6df94cc159d872e6906f573f29f814aac0ff49ad4ce93424730d3dfabdcd",
}
"""Of what each profile says, without its comments. A profile that is to say something else gets
another name."""


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_with_a_number_keeps_its_meaning(name: str) -> None:
    text = (ROOT / "specs" / "builtin" / f"{name}.yaml").read_text(encoding="utf-8")
    said = json.dumps(yaml.load(text, yaml.BaseLoader), sort_keys=True)
    assert f"`builtin/{name}`" in PAGE
    assert hashlib.sha256(said.encode()).hexdigest() == PROFILES[name]


def test_every_profile_with_a_number_is_held() -> None:
    found = {path.stem for path in (ROOT / "specs" / "builtin").glob("*-[0-9]*.yaml")}
    assert found == set(PROFILES)


# -- the changelog -------------------------------------------------------------------------------

HEADS = re.findall(r"^(#+) (.+)$", CHANGELOG, re.MULTILINE)
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def test_the_headings_of_the_changelog_are_those_of_keep_a_changelog() -> None:
    assert HEADS[0] == ("#", "Changelog")
    releases: list[tuple[int, ...]] = []
    for depth, words in HEADS[1:]:
        if depth == "##":
            found = re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (unreleased|\d{4}-\d\d-\d\d)", words)
            assert found is not None, words
            assert found[2] != "unreleased" or not releases, "only the newest is to come"
            releases.append(numbers(found[1]))
        else:
            assert (depth, words in KINDS) == ("###", True), words
            assert releases
    assert releases == sorted(set(releases), reverse=True)
    assert releases[0] == numbers(VERSION)


def test_the_commands_that_the_changelog_names_exist() -> None:
    known = {name for name, _ in COMMANDS}
    tools = CHANGELOG.split("The tools:\n")[1].split("\nThe gateway:\n")[0]
    named = set(re.findall(r"(?:^- |[.,;:] | and )`([a-z]+)[ `]", tools, re.MULTILINE))
    named |= set(re.findall(r"`lynkrc ([a-z]+)", CHANGELOG))
    assert {"wrap", "top", "diff", "bench", "usage"} <= named
    assert named - known == set()


def test_the_targets_of_make_that_the_changelog_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", CHANGELOG))
    assert {"dist", "docs"} <= named
    assert named - targets == set()
