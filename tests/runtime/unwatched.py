"""A watch that knows nothing: attempts of one request alone."""

from collections.abc import Sequence
from typing import final

from lynkrc_runtime.attempt_records import Closed


@final
class Unwatched:
    """Nothing is known of any target."""

    def closed(self, *_: object, **__: object) -> Closed | None:
        """See `Watch`."""
        return None

    def may_retry(self, *_: object, **__: object) -> bool:
        """See `Watch`."""
        return True

    def begun(self, *_: object, **__: object) -> None:
        """See `Watch`."""

    def heard(self, *_: object, **__: object) -> None:
        """See `Watch`."""

    def ended(self, *_: object, **__: object) -> None:
        """See `Watch`."""

    def ranked(self, group: Sequence[int], *_: object, **__: object) -> Sequence[int]:
        """See `Watch`."""
        return group
