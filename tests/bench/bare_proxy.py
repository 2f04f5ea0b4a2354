"""The yardstick: a bare aiohttp reverse proxy on uvloop that passes bodies through unread.

``python bare_proxy.py UPSTREAM_URL`` prints its port and serves until it is killed.
"""

import asyncio
import sys

import aiohttp
import uvloop
from aiohttp import web


async def main(upstream: str) -> None:
    """Serve on a free loopback port."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), auto_decompress=False, trust_env=False
    )

    async def relay(request: web.Request) -> web.StreamResponse:
        async with session.request(
            request.method,
            upstream + request.rel_url.raw_path_qs,
            headers={"content-type": request.headers.get("content-type", "")},
            data=request.content,
        ) as answer:
            response = web.StreamResponse(
                status=answer.status, headers={"content-type": answer.headers["content-type"]}
            )
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", relay)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
