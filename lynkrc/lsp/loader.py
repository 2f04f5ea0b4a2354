"""Names of base specs to their files, as they stand in the editor before they are saved."""

import posixpath
from collections.abc import Callable
from typing import final

from lynkrc.sema.loader import BaseFile, Loader
from lynkrc.sema.merge import BUILTIN
from lynkrc.source.resources import spec_location


@final
class OpenLoader:
    """A loader that prefers what is open in the editor.

    Shipped specs come under the path they lie at, so that an editor can show them.
    """

    def __init__(self, inner: Loader, open_text: Callable[[str], str | None]) -> None:
        self._inner = inner
        self._open_text = open_text

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """A base spec, None where there is none that can be read."""
        if name.startswith(f"{BUILTIN}/"):
            file = self._inner.load(name, from_path)
            location = spec_location(name)
            if file is None or location is None:
                return file
            return BaseFile(path=str(location), data=file.data)
        folder = posixpath.dirname(from_path.replace("\\", "/"))
        path = posixpath.normpath(posixpath.join(folder, name))
        text = None if posixpath.isabs(name) else self._open_text(path)
        if text is not None:
            return BaseFile(path=path, data=text.encode("utf-8", "replace"))
        return self._inner.load(name, from_path)
