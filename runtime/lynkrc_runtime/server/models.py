"""The names a client may ask for, as both dialects' model lists.

`auto`, a pin for every tier and target (also as ``claude-lynkr-*``, since some clients' pickers
show only such names), and the names the spec maps; never an upstream's catalog.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.access.rights import Reach
from lynkrc_runtime.dispatch import Dispatch

_WILD = "*"


def offered(
    dispatch: Dispatch, *, anthropic: bool, caller: Caller | None = None
) -> tuple[str, ...]:
    """Every name, in the order they are listed; mapped patterns with a wildcard are no names.

    Names for embeddings are offered in OpenAI's shape alone: a client of Messages has no call for
    them. Of pins a caller is offered those its key reaches.
    """
    reach = Reach(Caller(name="") if caller is None else caller, dispatch)
    pins = [tier.name for tier in dispatch.tiers if reach.tier(tier.name)]
    pins += [target.name for target in dispatch.targets if reach.target(target.name)]
    names = ["auto", *(f"lynkr/{pin}" for pin in pins), *(f"claude-lynkr-{pin}" for pin in pins)]
    names += [name for name in dispatch.models if _WILD not in name]
    if not anthropic:
        names += [
            name
            for name, target in dispatch.settings.embeddings.items()
            if _WILD not in name and (caller is None or caller.may_reach(target))
        ]
    return tuple(dict.fromkeys(names))


def entry(name: str, *, anthropic: bool, created: int) -> Mapping[str, Any]:
    """One model in a dialect's shape; `created` is Unix seconds."""
    if not anthropic:
        return {"id": name, "object": "model", "created": created, "owned_by": "lynkr"}
    moment = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": name,
        "type": "model",
        "display_name": name,
        "created_at": moment,
        "lifecycle": "active",
    }


def listing(
    names: Sequence[str], *, anthropic: bool, created: int, query: Mapping[str, str]
) -> Mapping[str, Any]:
    """The whole list; in Anthropic's shape a page of it (`limit`, `after_id`, `before_id`).

    Raises ValueError on a `limit` that is no number from 1 to 1000.
    """
    if not anthropic:
        return {
            "object": "list",
            "data": [entry(name, anthropic=False, created=created) for name in names],
        }
    limit = int(query.get("limit", "1000"))
    if not 1 <= limit <= 1000:
        raise ValueError("limit must be 1 to 1000")
    page = list(names)
    after, before = query.get("after_id"), query.get("before_id")
    if after is not None and after in page:
        page = page[page.index(after) + 1 :]
    backwards = before is not None and before in page
    if before is not None and backwards:
        page = page[: page.index(before)]
    more = len(page) > limit
    page = page[-limit:] if backwards else page[:limit]
    return {
        "data": [entry(name, anthropic=True, created=created) for name in page],
        "has_more": more,
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }
