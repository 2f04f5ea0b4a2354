"""Pages of the docs, and files outside docs/ that they link to, to the pages of one site.

On a forge the docs link to examples, schemas and findings by their paths in the repository. The
site has no forge to point at, so these files come along: Markdown as a page, other text as a page
that shows it. They are found by following links, and stand under `files/`.

>>> place_of("docs/clients/codex.md"), place_of("CHANGELOG.md"), place_of("schema/x.json")
('clients/codex.md', 'files/CHANGELOG.md', 'files/schema/x.json.md')
>>> rewritten("[a](../LICENSE#b)", "docs/ci.md")
'[a](files/LICENSE.md#b)'
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lynkrc.docs.markdown import slug

ROOT = Path(__file__).resolve().parents[2]
DOCS, OUTSIDE, ASSETS = "docs/", "files/", "deploy/site/assets"
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")
_LANGUAGES = {".json": "json", ".py": "python", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}


def place_of(path: str) -> str:
    """Where in the site a file of the repository stands, as a path of its source."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    return OUTSIDE + path if path.endswith(".md") else f"{OUTSIDE}{path}.md"


def linked(text: str, origin: str) -> Iterator[str]:
    """Paths in the repository that a page links to; `origin` is the page's own."""
    for part in _FENCED.split(text)[::2]:
        for target in _LINK.findall(part):
            yield _resolved(target, origin)


def rewritten(text: str, origin: str) -> str:
    """The page with its links as they are in the site."""
    here = posixpath.dirname(place_of(origin))

    def there(found: re.Match[str]) -> str:
        return posixpath.relpath(place_of(_resolved(found[1], origin)), here or ".")

    parts = _FENCED.split(text)
    parts[::2] = [_LINK.sub(there, part) for part in parts[::2]]
    return "".join(parts)


def _resolved(target: str, origin: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))


def shown(path: str) -> str:
    """A file as a page: Markdown is one, other text stands in a block."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return rewritten(text, path)
    language = _LANGUAGES.get(Path(path).suffix, "text")
    return f"# {path}\n\n````{language}\n{text.rstrip()}\n````\n"


def on_config(config: MkDocsConfig) -> None:
    """Headings get the anchors that links on a forge use."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = lambda text, _separator: slug(text)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files that pages link to, and those that these link to, are files of the site."""
    waiting = [DOCS + file.src_uri for file in files.documentation_pages()]
    done = set(waiting)
    while waiting:
        origin = waiting.pop()
        if not origin.endswith(".md"):
            continue
        for path in linked((ROOT / origin).read_text(encoding="utf-8"), origin):
            outside = not path.startswith(DOCS)
            if outside and path not in done and (ROOT / path).is_file():
                done.add(path)
                waiting.append(path)
                page = File.generated(config, place_of(path), content=shown(path))
                files.append(page)
    for asset in sorted((ROOT / ASSETS).iterdir()):
        uri = f"assets/{asset.name}"
        files.append(File.generated(config, uri, abs_src_path=str(asset)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Links of a page of docs/ lead to where the files stand in the site."""
    path = page.file.src_uri
    return markdown if path.startswith(OUTSIDE) else rewritten(markdown, DOCS + path)
