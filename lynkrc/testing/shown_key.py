"""A spec's virtual keys and whose request is wanted, to the key that it is sent with.

>>> from lynkrc.ir.table import StringClass as C
>>> keys = {"ci": Key(secret="${CI_KEY}"), "legal": Key(sha256="0" * 64, team="legal")}
>>> classes = (C(kind="absent"), C(kind="other"), C(kind="literal", text="legal"))
>>> for wanted in (0, 2):
...     key_for(keys, {"key.team": StringWish(classes=classes, wanted=wanted)}).header
'"x-lynkr-key: $CI_KEY"'
"'x-lynkr-key: <key legal>'"
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.testing.strings import classes_of
from lynkrc.testing.wanted import StringWish
from lynkrc_runtime.settings import Key

_HEADER = "x-lynkr-key"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """A key of the spec; `variable` holds it where it is a plain reference."""

    name: str
    variable: str | None
    team: str | None
    tenant: str | None
    tiers: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def header(self) -> str:
        """The header as a word of a shell: the variable, or a note of which key goes there."""
        if self.variable is not None:
            return f'"{_HEADER}: ${self.variable}"'
        return shlex.quote(f"{_HEADER}: <key {self.name}>")

    @property
    def case(self) -> Mapping[str, str]:
        """What a test says of it; empty where it has no team and no tenant."""
        pairs = (("team", self.team), ("tenant", self.tenant))
        return {name: value for name, value in pairs if value is not None}

    def lacks(self, tier: str | None, targets: Sequence[str]) -> str | None:
        """What the key would have to reach for a decision, and does not; None: it reaches all."""
        if self.tiers and tier is not None and tier not in self.tiers:
            return f"key {self.name} reaches tier {tier}"
        beyond = [name for name in targets if self.targets and name not in self.targets]
        return f"key {self.name} reaches {' and '.join(beyond)}" if beyond else None


def key_for(keys: Mapping[str, Key], wishes: Mapping[str, StringWish]) -> ShownKey | None:
    """The key that fits best, one that may reach anything before others; None without `keys`.

    `wishes` are for ``key.team`` and ``key.tenant``. Where no key fits it is any: what is read back
    of the request tells.
    """

    def rank(key: Key) -> tuple[bool, bool]:
        values = {"key.team": key.team, "key.tenant": key.tenant}
        fits = all(
            classes_of(wish.classes).classify(values[name]) == wish.wanted
            for name, wish in wishes.items()
        )
        return not fits, bool(key.tiers or key.targets)

    if not keys:
        return None
    name, key = min(sorted(keys.items()), key=lambda item: rank(item[1]))
    reference = _REFERENCE.fullmatch(key.secret or "")
    return ShownKey(
        name=name,
        variable=reference[1] if reference else None,
        team=key.team,
        tenant=key.tenant,
        tiers=tuple(key.tiers),
        targets=tuple(key.targets),
    )
