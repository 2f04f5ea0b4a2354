"""What an attempt needs before it is made: a place to call from, and the money it may cost.

An attempt that waited for its place begins when it gets it: the wait is not the target's.
"""

from lynkrc_runtime.attempt import Fault, Try
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.metering.interface import UNMETERED, Call
from lynkrc_runtime.metering.meter import unavailable
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.resilience.places import Busy
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.server.routes import Route
from lynkrc_runtime.state.interface import StoreDown


async def hold(exchange: Exchange, step: Try) -> Try | None:
    """Hold both until `release`; the attempt as it is made now.

    None: it is skipped, and the attempts know why. Raises StoreDown, nothing held, where the money
    cannot be counted and must be.
    """
    gateway, attempts = exchange.gateway, exchange.attempts
    assert attempts is not None
    route = gateway.routes[step.target]
    loop = exchange.loop
    try:
        has_waited = await gateway.places.take(route.provider.name, step.deadline)
    except Busy as busy:
        attempts.skipped(_busy(busy), Fault.BUSY, loop.time())
        return None
    is_held = False
    try:
        if has_waited:
            resumed = attempts.resumed(loop.time())
            if resumed is None:
                return None
            step = resumed
        spent = None
        if exchange.visit is not UNMETERED:
            call = _call(exchange, route, step.deadline - loop.time())
            spent = await exchange.visit.reserve(call)
        is_held = spent is None
    except StoreDown:
        attempts.skipped(unavailable(), Fault.UNCOUNTED, loop.time())
        raise
    finally:
        if not is_held:
            gateway.places.release(route.provider.name)
    if spent is not None:
        attempts.skipped(spent, Fault.SPENT, loop.time())
        return None
    return step


def release(exchange: Exchange, step: Try) -> None:
    """Give back the place that `hold` took, and settle what was set aside for an attempt.

    One that still runs ends with the request (its client left), which settles it.
    """
    attempts = exchange.attempts
    assert attempts is not None
    exchange.gateway.places.release(exchange.gateway.routes[step.target].provider.name)
    if exchange.visit is not UNMETERED and not attempts.is_running:
        exchange.visit.settle(attempts.records[-1])


def _call(exchange: Exchange, route: Route, seconds: float) -> Call:
    is_stream = exchange.request is not None and exchange.request.options.stream
    if is_stream:
        # The deadline is over once a stream has begun: it may then last as long as any may.
        seconds += route.times.max_stream
    return Call(
        target=route.index,
        prices=route.prices,
        # Embeddings are not said.
        most_output=0 if exchange.incoming.surface == EMBEDDINGS else exchange.most_output(route),
        seconds=max(0.0, seconds),
    )


def _busy(busy: Busy) -> Failure:
    message = (
        "no call could be begun in the time allowed for waiting"
        if busy.waited
        else "as many calls run and wait as may"
    )
    return Failure(kind=FailureClass.TRANSIENT, status=0, message=message)
