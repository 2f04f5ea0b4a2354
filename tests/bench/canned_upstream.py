"""An upstream that answers at once with a canned body, in either dialect.

``python canned_upstream.py`` prints its port and serves until it is killed.
"""

import asyncio
import json

import uvloop
from aiohttp import web

MESSAGE = json.dumps(
    {
        "id": "msg_01Canned0000000000000",
        "type": "message",
        "role": "assistant",
        "model": "canned",
        "content": [{"type": "text", "text": "A short answer."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 4},
    }
).encode()
COMPLETION = json.dumps(
    {
        "id": "chatcmpl-canned",
        "object": "chat.completion",
        "created": 1_795_240_000,
        "model": "canned",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "A short answer.", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    }
).encode()


async def main() -> None:
    """Serve on a free loopback port."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        body = MESSAGE if request.path.endswith("/messages") else COMPLETION
        return web.Response(body=body, content_type="application/json")

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
