"""The documents an editor has open to what is known of each: its text, names and findings.

Everything is computed from the texts at the moment of the call; a result is kept until its text
changes. Methods may be called from several threads: they only ever replace whole values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.lsp.analysis import Analysis, analyse
from lynkrc.lsp.loader import OpenLoader
from lynkrc.pipeline import Checked, check_spec
from lynkrc.sema.catalog_read import read_catalog
from lynkrc.sema.loader import Loader
from lynkrc.source.text import SourceFile

_MARK = "\ufeff"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The findings about one version of a document, and every file that took part."""

    text: str
    checked: Checked

    @property
    def paths(self) -> frozenset[str]:
        """The paths of the files that took part."""
        return frozenset(file.path for _, file in self.checked.sources)


@final
class Session:
    """Open documents by path; of a document that is not open nothing is known: None."""

    def __init__(self, loader: Loader, catalog: Sequence[SourceFile]) -> None:
        self._inner = loader
        self._catalog_files = tuple(catalog)
        self._catalog, _ = read_catalog(catalog)
        self._texts: dict[str, str] = {}
        self._analyses: dict[str, tuple[str, Analysis]] = {}
        self._checks: dict[str, Check] = {}

    def put(self, path: str, text: str) -> None:
        """Open a document, or change its text."""
        self._texts[path] = text.removeprefix(_MARK)

    def drop(self, path: str) -> None:
        """Close a document."""
        self._texts.pop(path, None)
        self._analyses.pop(path, None)
        self._checks.pop(path, None)

    def paths(self) -> tuple[str, ...]:
        """The paths of the open documents."""
        return tuple(self._texts)

    def is_open(self, path: str) -> bool:
        """Whether a document is open."""
        return path in self._texts

    def text(self, path: str) -> str | None:
        """The text of a document."""
        return self._texts.get(path)

    def loader(self) -> OpenLoader:
        """Gives base specs as they stand in the editor at this moment."""
        return OpenLoader(self._inner, dict(self._texts).get)

    def analysis(self, path: str) -> Analysis | None:
        """What is known of a document as it is now."""
        text = self._texts.get(path)
        if text is None:
            return None
        known = self._analyses.get(path)
        # Another document may be its base: only with a single one open is an old answer good.
        if known is not None and known[0] is text and len(self._texts) == 1:
            return known[1]
        before = None if known is None else known[1]
        analysis = analyse(path, text, loader=self.loader(), catalog=self._catalog, before=before)
        self._analyses[path] = (text, analysis)
        return analysis

    def check(self, path: str) -> Check | None:
        """Find everything there is to find in a document as it is now."""
        text = self._texts.get(path)
        if text is None:
            return None
        checked = check_spec(
            path,
            text.encode("utf-8", "replace"),
            loader=self.loader(),
            catalog=self._catalog_files,
        )
        check = Check(text=text, checked=checked)
        if path in self._texts:
            self._checks[path] = check
        return check

    def last_check(self, path: str) -> Check | None:
        """The findings about a document as it is now, found before if they were."""
        known = self._checks.get(path)
        is_current = known is not None and known.text is self._texts.get(path)
        return known if is_current else self.check(path)

    def dependents(self, path: str) -> tuple[str, ...]:
        """Open documents that have the file at `path` among their bases."""
        return tuple(
            other
            for other, check in list(self._checks.items())
            if other != path and path in check.paths
        )
