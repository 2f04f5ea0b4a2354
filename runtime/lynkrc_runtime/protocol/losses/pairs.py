"""A client dialect and a target dialect, to what becomes of everything the client can say.

A client whose own dialect the target speaks is passed through, and loses nothing to the dialect.
What a model takes of its dialect is another matter: its request shape says it (`shapes.py`), and
its changes have the same names (`TRANSFORMS`).

>>> pair_table("anthropic-messages", "openai-chat")["cache_control"].does.value
'drops'
>>> lossy("openai-chat", "openai-chat")
()
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from lynkrc_runtime.protocol.losses.content import BLOCKS, HISTORY, MARKS
from lynkrc_runtime.protocol.losses.members import MEMBERS, UNKNOWN
from lynkrc_runtime.protocol.losses.model import CARRIED, Does, Feature, Outcome
from lynkrc_runtime.protocol.losses.options import FORM, LIMITS, REASONING
from lynkrc_runtime.protocol.losses.tools import CHOICE, TOOLS
from lynkrc_runtime.protocol.losses.transforms import losses_in

PARTS: tuple[tuple[str, tuple[Feature, ...]], ...] = (
    ("The conversation", (*MARKS, *BLOCKS)),
    ("Its history", HISTORY),
    ("Tools", (*TOOLS, *CHOICE)),
    ("Limits and sampling", LIMITS),
    ("Reasoning", REASONING),
    ("The answer", FORM),
    ("Members for one API", (*MEMBERS, UNKNOWN)),
)
"""Every feature under a heading."""

FEATURES: Mapping[str, Feature] = MappingProxyType(
    {one.name: one for _, features in PARTS for one in features}
)
"""Every feature by name, in order."""


@cache
def pair_table(client: str, target: str) -> Mapping[str, Outcome]:
    """What becomes of each feature that clients of a dialect can express; KeyError for neither."""
    return MappingProxyType(
        {
            one.name: CARRIED if client == target else one.at[target]
            for one in FEATURES.values()
            if client in one.clients
        }
    )


@cache
def lossy(client: str, target: str) -> tuple[str, ...]:
    """The features that are lost, always or where the target's model does not take them."""
    return tuple(
        name
        for name, outcome in pair_table(client, target).items()
        if outcome.does in (Does.DROPS, Does.CHANGES)
        and losses_in(listed for listed in outcome.names if "=" in listed)
    )


@cache
def refused(client: str, target: str) -> tuple[str, ...]:
    """The features that make a request a misfit of the target."""
    table = pair_table(client, target)
    return tuple(name for name, outcome in table.items() if outcome.does is Does.REFUSES)
