"""An upstream's answer: read within bounds, judged empty or not, noted for our own headers."""

import asyncio

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.simulator import SIMULATED
from lynkrc_runtime.upstream import UpstreamFault, UpstreamResponse

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of a whole answer."""
MAX_ERROR = 1024 * 1024
"""Bytes of an error answer."""
ERROR_TIME = 10.0
"""Seconds an upstream has to finish an error answer."""

_IDS = ("request-id", "x-request-id", "x-amzn-requestid", "apim-request-id")
"""Headers that hold an upstream's id of a request."""
_NOTED = (*_IDS, SIMULATED)


async def read_all(response: UpstreamResponse, limit: int) -> bytes:
    """The whole body. Raises UpstreamFault, also when it is longer than `limit` bytes."""
    whole = response.at_once()
    if whole is not None:
        _check(len(whole), limit)
        return whole
    pieces: list[bytes] = []
    size = 0
    while piece := await response.read():
        pieces.append(piece)
        size += len(piece)
        _check(size, limit)
    return b"".join(pieces)


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise UpstreamFault(Fault.BROKEN, f"the answer is longer than {limit} bytes")


async def read_error(response: UpstreamResponse) -> bytes:
    """The body of an error answer; b'' if it does not come whole and in time.

    The status alone says what kind of failure it is: a stalled or broken text must not hide it.
    """
    try:
        async with asyncio.timeout(ERROR_TIME):
            return await read_all(response, MAX_ERROR)
    except (TimeoutError, UpstreamFault):
        return b""


def note_response(exchange: Exchange, response: UpstreamResponse) -> None:
    """Remember the upstream's id for this request, and whether it was simulated."""
    noted = response.named(_NOTED)
    exchange.upstream_id = None
    for name in _IDS:
        if noted.get(name):
            exchange.upstream_id = noted[name]
            break
    exchange.simulated = SIMULATED in noted


def is_empty(produced: bool, stop: Stop, usage: Usage) -> bool:
    """Whether a translated answer says nothing although it claims to have ended well.

    Design, "Empty": such an answer is an upstream's failure in disguise; `max_tokens: 0`,
    refusals and pauses are not.
    """
    return not produced and stop is Stop.END and usage.output == 0
