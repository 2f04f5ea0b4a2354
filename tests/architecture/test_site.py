"""The site of the docs: all pages are in it, links lead somewhere, and it loads nothing else."""

import doctest
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config

from deploy.site import repository
from deploy.site.repository import DOCS, linked, place_of, rewritten
from lynkrc.docs.markdown import slug
from tests.architecture.page_walk import ROOT

PAGES = sorted(path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md"))
FINDINGS = sorted((ROOT / "lynkrc" / "diagnostics" / "pages").glob("*.md"))
LOADED = {
    ("audio", "src"),
    ("embed", "src"),
    ("iframe", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("link", "href"),
    ("object", "data"),
    ("script", "src"),
    ("source", "src"),
    ("source", "srcset"),
    ("track", "src"),
    ("use", "href"),
    ("video", "src"),
}
"""What a browser fetches by itself; an `a` it follows when somebody clicks."""


class Seen(HTMLParser):
    """What a page loads, which policy it has, and its text by element."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.policies: list[str] = []
        self.paragraphs: list[str] = []
        self._in_paragraph = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.loads += [value or "" for name, value in attrs if (tag, name) in LOADED]
        if tag == "meta" and told.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(told["content"] or "")
        if tag == "p":
            self._in_paragraph = True
            self.paragraphs.append("")
        if tag == "code" and self._in_paragraph:
            self.paragraphs[-1] += "`"

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._in_paragraph = False

    def handle_data(self, data: str) -> None:
        if self._in_paragraph:
            self.paragraphs[-1] += data


@dataclass(frozen=True)
class Built:
    """The site, and what the builder warned of."""

    folder: Path
    warned: tuple[str, ...]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The site as `make docs` builds it, but that warnings are kept rather than obeyed."""
    folder = tmp_path_factory.mktemp("site")
    warned = Warned()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NO_MKDOCS_2_WARNING", "1")  # what its author says of its next version
        logging.getLogger("mkdocs").addHandler(warned)
        try:
            build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=False))
        finally:
            logging.getLogger("mkdocs").removeHandler(warned)
    return Built(folder=folder, warned=tuple(warned.said))


@pytest.fixture(scope="module")
def site(built: Built) -> Path:
    return built.folder


class Warned(logging.Handler):
    """What the builder warns of, for the test to show."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(scope="module")
def seen(site: Path) -> dict[str, Seen]:
    """Every page of the site, read."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        reader = Seen()
        reader.feed(path.read_text(encoding="utf-8"))
        found[path.relative_to(site).as_posix()] = reader
    return found


def in_nav(part: object) -> Iterator[str]:
    match part:
        case str():
            yield part
        case list():
            for one in part:
                yield from in_nav(one)
        case dict():
            for one in part.values():
                yield from in_nav(one)


def test_the_navigation_has_every_page_once() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert sorted(in_nav(yaml.safe_load(text)["nav"])) == PAGES


def test_no_link_and_no_anchor_leads_nowhere(built: Built) -> None:
    assert built.warned == ()


def test_a_link_without_an_end_fails_the_build() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert config["strict"] is True
    assert {rule for part in config["validation"].values() for rule in part.values()} == {"warn"}


def test_every_page_and_every_finding_is_built(seen: dict[str, Seen]) -> None:
    sources = [*PAGES, *(place_of(path.relative_to(ROOT).as_posix()) for path in FINDINGS)]
    wanted = {
        re.sub(r"(^|/)(index|README)$", r"\1", source.removesuffix(".md")) for source in sources
    }
    pages = {f"{name.rstrip('/')}/index.html".lstrip("/") for name in wanted}
    assert pages - set(seen) == set()


def test_a_page_loads_nothing_of_other_hosts(site: Path, seen: dict[str, Seen]) -> None:
    for name, page in seen.items():
        assert page.loads, name
        assert [one for one in page.loads if urlsplit(one).scheme or one.startswith("//")] == []
        [policy] = page.policies
        assert "default-src 'none'" in policy and "http" not in policy
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", text) == [], sheet


def test_what_a_page_loads_is_there(site: Path, seen: dict[str, Seen]) -> None:
    missing = {
        load
        for name, page in seen.items()
        for load in page.loads
        if name != "404.html" and not (site / name).parent.joinpath(urlsplit(load).path).exists()
    }
    assert missing == set()


def test_lists_are_lists_here_as_on_a_forge(seen: dict[str, Seen]) -> None:
    """A forge takes a line that begins with a dash for a list; the site wants a line between."""
    torn = [
        (name, text)
        for name, page in seen.items()
        for text in page.paragraphs
        if re.search(r"^(?:[-*] |1\. |\|.*\|$|```)", text, re.MULTILINE)
    ]
    assert torn == []


def test_the_search_knows_every_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    known = {row["location"].split("#")[0].rstrip("/") for row in index["docs"]}
    wanted = {re.sub(r"/?(index|README)$", "", page.removesuffix(".md")) for page in PAGES}
    assert wanted - known == set()


def test_the_examples_in_its_code_are_so() -> None:
    assert doctest.testmod(repository).failed == 0


def test_links_out_of_the_docs_lead_to_files_of_the_site() -> None:
    assert rewritten("[a](../../CHANGELOG.md#one)", "docs/clients/x.md") == (
        "[a](../files/CHANGELOG.md#one)"
    )
    assert rewritten("```sh\n[a](../b)\n```\n", "docs/x.md") == "```sh\n[a](../b)\n```\n"
    assert rewritten("[a](https://a.test/b) [b](#c)", "docs/x.md") == (
        "[a](https://a.test/b) [b](#c)"
    )
    assert list(linked("[a](docs/ci.md) [b](LICENSE)", "README.md")) == ["docs/ci.md", "LICENSE"]
    assert place_of(DOCS + "ci.md") == "ci.md"


def test_headings_have_the_anchors_of_a_forge(site: Path) -> None:
    text = (site / "language" / "index.html").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    for heading in re.findall(r"^## (.*)$", re.sub(r"(?ms)^```.*?^```$", "", page), re.MULTILINE):
        assert f'id="{slug(heading)}"' in text
