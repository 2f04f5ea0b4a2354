"""A provider kind and a model to the endpoints the target may be called at, the first one first.

Pure, and shared with the compiler, which must know what a target may be told and lose.

>>> from lynkrc_runtime.providers.table import KINDS
>>> [way.dialect for way in ways(KINDS["deepseek"], "deepseek-flash", None, None)]
['openai-chat', 'anthropic-messages']
"""

from collections.abc import Sequence

from lynkrc_runtime.providers.kind import Endpoint, ProviderKind


def ways(
    kind: ProviderKind, model: str, written: str | None, preferred: Sequence[str] | None
) -> tuple[Endpoint, ...]:
    """The endpoints of a target, the one for clients of every other dialect first.

    `written` is the spec's `dialect`, which leaves one. `preferred` are the only dialects the
    model is served in, the best first (its shape's `dialects`). Empty where the kind has no
    endpoint for `written`.
    """
    if written is not None:
        return tuple(one for one in kind.endpoints if one.dialect == written)[:1]
    offered = kind.endpoints
    if preferred is not None:
        by_name = {one.dialect: one for one in offered}
        chosen = tuple(by_name[name] for name in preferred if name in by_name)
        if chosen:
            return chosen
    own = next((one for one in offered if one.models and model.startswith(one.models)), None)
    first = offered[0] if own is None else own
    others = (one for one in offered if one is not first and one.passes and own is None)
    return (first, *others)


def chosen(endpoints: Sequence[Endpoint], client: str) -> Endpoint:
    """The endpoint for a client of a dialect: its own where there is one, else the first."""
    return next((one for one in endpoints if one.dialect == client), endpoints[0])
