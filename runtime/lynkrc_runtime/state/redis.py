"""A store in Redis: any number of gateways, each operation one script that Redis runs whole.

What Redis is told survives as its own configuration says (`appendonly`, `appendfsync`). Nothing is
sent twice: who does not get an answer hears StoreDown, and may repeat what may be repeated. All
keys begin with ``lynkr:``. One server, or a primary that a name or a proxy leads to; a cluster
would spread the keys of one script over several, and is not served.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, final
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from lynkrc_runtime.state import redis_scripts as scripts
from lynkrc_runtime.state.interface import (
    Account,
    Balance,
    CannotOpen,
    Reserved,
    Settled,
    StoreDown,
    Taken,
    Window,
)
from lynkrc_runtime.state.memory import REMEMBERED
from lynkrc_runtime.state.windows import slice_seconds

CONNECT_WITHIN = 1.0
"""Seconds a connection may take."""
ANSWER_WITHIN = 1.0
"""Seconds Redis may take to answer."""
CONNECTIONS = 50
"""Most connections of one process; operations beyond wait for one."""

_T = TypeVar("_T")


@final
class RedisStore:
    """See `Store`. `ahead` gives seconds to add to Redis' time: for tests, which cannot wait."""

    def __init__(self, url: str, ahead: Callable[[], float] = lambda: 0.0) -> None:
        """A client of the server at `url` (redis:// or rediss://), not connected yet.

        Raises CannotOpen for a URL that is none.
        """
        try:
            parts = urlsplit(url)
            self._where = f"redis at {parts.hostname or 'localhost'}:{parts.port or 6379}"
            self._secrets = [text for text in (parts.password,) if text]
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=ANSWER_WITHIN,
                socket_connect_timeout=CONNECT_WITHIN,
                socket_timeout=ANSWER_WITHIN,
                socket_keepalive=True,
                # A call that is repeated might count twice.
                retry=Retry(NoBackoff(), 0),
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
            )
        except ValueError as fault:
            # Its message may repeat the URL, and with it the password.
            raise CannotOpen(
                "state: the value of `url` is no address of Redis; write "
                "redis://HOST:PORT/NUMBER, or rediss:// for an encrypted connection"
            ) from fault
        self._secrets += [unquote(text) for text in self._secrets]
        self._redis: Redis = Redis.from_pool(pool)
        self._ahead = ahead
        self._take = self._script(scripts.TAKE)
        self._correct = self._script(scripts.CORRECT)
        self._reserve = self._script(scripts.RESERVE)
        self._settle = self._script(scripts.SETTLE)
        self._balances = self._script(scripts.BALANCES)

    def _script(self, text: str) -> AsyncScript:
        """Called by its digest; where Redis does not know it (any more) it is told, once."""
        return self._redis.register_script(text)

    async def take(self, windows: Sequence[Window]) -> Taken:
        """See `Store`."""
        if not windows:
            return Taken()
        answer = await self._run(self._take, _windows(windows), _counts(windows))
        if not answer:
            return Taken()
        return Taken(over=answer[0], wait=max(float(answer[1]), 0.0) if answer[1:] else None)

    async def correct(self, windows: Sequence[Window]) -> None:
        """See `Store`."""
        if windows:
            await self._run(self._correct, _windows(windows), _counts(windows))

    async def reserve(
        self, reservation: str, accounts: Sequence[Account], expires: float
    ) -> Reserved:
        """See `Store`."""
        keys = [_mark(reservation), *_accounts([account.key for account in accounts])]
        told: list[str | int | float] = [reservation, expires]
        for account in accounts:
            told += [account.limit, account.amount, int(account.hard), account.until]
        over, balances = await self._run(self._reserve, keys, told)
        return Reserved(balances=_read_balances(balances), over=None if over < 0 else over)

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        """See `Store`."""
        keys = [_mark(reservation), *_accounts([account.key for account in accounts])]
        told: list[str | int | float] = [reservation, int(REMEMBERED * 1000)]
        for account in accounts:
            told += [account.amount, account.until]
        again, balances = await self._run(self._settle, keys, told)
        return Settled(balances=_read_balances(balances), again=bool(again))

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        """See `Store`."""
        if not keys:
            return ()
        return _read_balances(await self._run(self._balances, _accounts(keys), []))

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """See `Store`."""
        if not keys:
            return {}
        found = await self._ask(self._redis.mget([_value(key) for key in keys]))
        pairs = zip(keys, found, strict=True)
        return {key: value for key, value in pairs if isinstance(value, bytes)}

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        """See `Store`."""
        del room  # `maxmemory` bounds what is kept, and which of it leaves first
        if not values:
            return
        pipeline = self._redis.pipeline(transaction=True)
        for key, value in values.items():
            pipeline.set(_value(key), value, px=max(int(ttl * 1000), 1))
        await self._ask(pipeline.execute())

    async def delete(self, keys: Sequence[str]) -> int:
        """See `Store`."""
        if not keys:
            return 0
        return await self._ask(self._redis.delete(*(_value(key) for key in keys)))

    async def ping(self) -> None:
        """See `Store`."""
        # A server that may not write (a replica, or one that is full) answers PING, not this.
        await self._ask(self._redis.set("lynkr:ping", b"", px=1000))

    async def close(self) -> None:
        """See `Store`."""
        await self._redis.aclose()

    async def _run(
        self, script: AsyncScript, keys: Sequence[str], told: Sequence[str | int | float]
    ) -> Any:
        return await self._ask(script(keys=keys, args=[self._ahead(), *told]))

    async def _ask(self, answer: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(CONNECT_WITHIN + ANSWER_WITHIN):
                return await answer
        except (RedisError, OSError, TimeoutError) as fault:
            is_alone = isinstance(fault, ResponseError) and _is_of_values(str(fault))
            raise StoreDown(f"{self._where}: {self._safe(fault)}", is_alone=is_alone) from None

    def _safe(self, fault: Exception) -> str:
        text = str(fault) or "no answer in time"
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _is_of_values(text: str) -> bool:
    """Whether Redis complains of what is under the keys, or what would be; not of its own state."""
    return text.startswith("WRONGTYPE") or any(
        word in text for word in ("not an integer", "overflow", "attempt to ")
    )


def _windows(windows: Sequence[Window]) -> list[str]:
    return [f"lynkr:w:{window.within:g}:{window.key}" for window in windows]


def _counts(windows: Sequence[Window]) -> list[str | int | float]:
    told: list[str | int | float] = []
    for window in windows:
        told += [window.limit, window.amount, window.within, slice_seconds(window.within)]
    return told


def _accounts(keys: Sequence[str]) -> list[str]:
    return [name for key in keys for name in (f"lynkr:a:{key}", f"lynkr:e:{key}")]


def _mark(reservation: str) -> str:
    return f"lynkr:s:{reservation}"


def _value(key: str) -> str:
    return f"lynkr:v:{key}"


def _read_balances(numbers: Sequence[bytes]) -> tuple[Balance, ...]:
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return tuple(Balance(spent=int(spent), reserved=int(reserved)) for spent, reserved in pairs)
