"""The operators' page: its files as they lie in the package, and what it asks for beside them.

The files hold no data and are given without a token; whatever they show is asked for with it. No
script but ours runs on the page, nothing is fetched from elsewhere, and nobody may frame it.
"""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from aiohttp import web

from lynkrc_runtime.metering.standing import budgets_standing
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.http import SITE, nothing_here
from lynkrc_runtime.unserved import unserved_parts

FOLDER: Final = Path(__file__).parent.parent / "page"
PAGE, FILES = "/", "/page/"
LIVE, BOARD = "/v1/admin/live", "/v1/admin/board"
POLICY, CHANGES = "/v1/admin/policy", "/v1/admin/changes"

_KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_CURSOR: Final = 4_096
"""Characters of a cursor that are looked at."""

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "content-security-policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
)
"""Of every answer that is a file of the page."""


def add_page_routes(app: web.Application) -> None:
    """Have an application of operators answer them."""
    app.router.add_get("/", file)
    app.router.add_get("/page/{name}", file)
    app.router.add_get("/v1/admin/live", _live)
    app.router.add_get("/v1/admin/board", _board)
    app.router.add_get("/v1/admin/policy", _policy)
    app.router.add_get("/v1/admin/changes", _changes)


async def file(request: web.Request) -> web.Response:
    """`GET /` and what the page consists of."""
    name = request.match_info.get("name", "index.html")
    found = page_files().get(name)
    if found is None or (name == "index.html" and request.path != PAGE):
        return nothing_here(request)
    kind, data = found
    return web.Response(body=data, content_type=kind, charset="utf-8", headers=dict(HEADERS))


def page_files() -> Mapping[str, tuple[str, bytes]]:
    """Content type and bytes of each file, by its name; read when first asked for."""
    if not _READ:
        for path in FOLDER.iterdir():
            if path.suffix in _KINDS:
                _READ[path.name] = (_KINDS[path.suffix], path.read_bytes())
    return _READ


_READ: Final[dict[str, tuple[str, bytes]]] = {}


async def _live(request: web.Request) -> web.Response:
    """`GET /v1/admin/live[?after=CURSOR]`: the last requests, or those since it was asked last."""
    after = request.query.get("after", "")[:_CURSOR]
    return _told(request.app[SITE].gateway.board.last(after))


async def _board(request: web.Request) -> web.Response:
    """`GET /v1/admin/board`: sums over time, budgets, and how the stores fare."""
    site = request.app[SITE]
    gateway, now = site.gateway, time.time()
    settings = gateway.policy.dispatch.settings
    keys = settings.keys if len(gateway.keys) else {}
    store = "memory" if gateway.settings.dry_run else settings.state.store
    return _told(
        {
            "time": int(now),
            "started": site.started,
            "series": gateway.board.series(),
            "store": {"kind": store, "status": site.stores.status, "down": site.stores.down},
            "running": len(site.stopping),
            **await budgets_standing(gateway.policy.dispatch, keys, site.stores.state, now),
        }
    )


async def _policy(request: web.Request) -> web.Response:
    """`GET /v1/admin/policy`: the bundle that serves, as facts and as its route table."""
    gateway = request.app[SITE].gateway
    return _told(policy_facts(gateway.policy) | {"dry_run": gateway.settings.dry_run})


async def _changes(request: web.Request) -> web.Response:
    """`GET /v1/admin/changes`: the last reloads, and what the last change was."""
    return _told(await asyncio.to_thread(request.app[SITE].changes.told))


def policy_facts(policy: Policy) -> dict[str, Any]:
    """What the page shows of a bundle: names and numbers of its tiers, chains and targets."""
    dispatch = policy.dispatch
    names = [one.name for one in dispatch.targets]
    return {
        "name": dispatch.name,
        "bundle": policy.digest,
        "engine": policy.engine,
        "tiers": [
            {"name": one.name, "up_to": one.up_to, "chain": dispatch.chains[one.chain].name}
            for one in dispatch.tiers
        ],
        "chains": [
            {
                "name": one.name,
                "groups": [[names[at] for at in group] for group in one.groups],
                "pick": one.pick,
            }
            for one in dispatch.chains
        ],
        "targets": [
            {
                "name": one.name,
                "model": one.model,
                "provider": dispatch.providers[one.provider].name,
                "kind": dispatch.providers[one.provider].kind,
                "trust": dispatch.providers[one.provider].trust,
                "context": one.context,
                "max_output": one.max_output,
                "capabilities": one.capabilities,
                "price": None if one.price is None else [one.price.input, one.price.output],
            }
            for one in dispatch.targets
        ],
        "rules": [one.name for one in dispatch.rules],
        "routes": policy.routes_text,
        "unserved": list(unserved_parts(dispatch)),
    }


def _told(members: Mapping[str, Any]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(members),
        content_type="application/json",
        headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
    )
