"""One way to open a client, and the scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bot.domain.errors import RemixError
from bot.ports import Bucket
from storage.redis import cluster, sentinel


def open_client(url: str, *, connections: int = 64) -> Redis:
    """A client whose callers wait for a free connection instead of failing at the 101st: of one server, of the master
    that Sentinel names (`storage.redis.sentinel`), or of a cluster (`storage.redis.cluster`).

    redis-py 8 caps a plain pool at 100 connections and raises. Commands are repeated for about two seconds when the
    server goes away, and for about twelve where another is to take its place: every write here is harmless to
    repeat. Raises `StateUnavailable` for what is no address.
    """
    scheme = url.partition("://")[0]
    timeouts: dict[str, Any] = {"socket_timeout": 10, "socket_connect_timeout": 5, "decode_responses": True}
    try:
        if scheme in cluster.SCHEMES:
            # The commands of a cluster are those of a server: the types of redis-py only do not say so.
            return cast(Redis, cluster.open_cluster(url, connections=connections, **timeouts))
        waiting: dict[str, Any] = {
            "max_connections": connections,
            "timeout": 20,
            "retry_on_error": [RedisConnectionError, RedisTimeoutError],
        }
        if scheme in sentinel.SCHEMES:
            patience = Retry(ExponentialBackoff(cap=1.0, base=0.05), 16)
            return Redis.from_pool(sentinel.sentinel_pool(url, retry=patience, **waiting, **timeouts))
        patience = Retry(ExponentialBackoff(cap=0.5, base=0.02), 6)
        return Redis.from_pool(BlockingConnectionPool.from_url(url, retry=patience, **waiting, **timeouts))
    except ValueError as error:
        raise StateUnavailable(f"REDIS_URL cannot be read: {error}") from error


class StateUnavailable(RemixError):
    """The server that keeps the state does not answer. The words are for the operator."""

    code = "state_unavailable"
    retryable = True


_AWAY = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    ClusterDownError,
    SlotNotCoveredError,
    TryAgainError,
    OutOfMemoryError,
    StateUnavailable,
    ConnectionError,
    TimeoutError,
)
_REFUSALS = ("MISCONF", "NOREPLICAS", "BUSY ")
"""What a server says that cannot write for now."""


def is_outage(error: Exception) -> bool:
    """Whether the server was away, or takes nothing for now: the same may work later."""
    return isinstance(error, _AWAY) or (isinstance(error, ResponseError) and str(error).startswith(_REFUSALS))


async def check_server(client: Redis) -> tuple[str, ...]:
    """Raises `StateUnavailable` when the server does not answer; gives what is wrong with how it is set up.

    A server that evicts keys, or that keeps no append-only file, loses what was accepted.
    """
    try:
        async with asyncio.timeout(8):
            about: Any = await client.info()
    except (RedisError, OSError, TimeoutError) as error:
        reason = "it refused the password" if isinstance(error, AuthenticationError) else "it does not answer"
        raise StateUnavailable(f"The server of REDIS_URL cannot be used: {reason}. Check the address.") from error
    troubles: list[str] = []
    if not int(about.get("aof_enabled", 1)):
        troubles.append("it keeps no append-only file, so a crash of it loses edits: set appendonly yes")
    if str(about.get("maxmemory_policy", "noeviction")) != "noeviction":
        troubles.append("it throws keys away when memory is short: set maxmemory-policy noeviction")
    if int(about.get("connected_slaves", 0)) and "min_slaves_good_slaves" not in about:
        # This field is there only where it is set.
        troubles.append("it answers before its replicas have a copy: set min-replicas-to-write 1 and -max-lag 10")
    return tuple(troubles)


def bucket_args(buckets: Sequence[Bucket]) -> list[str | int | float]:
    """Buckets as the scripts of the admission slot take them, one after the other."""
    flat: list[str | int | float] = []
    for bucket in buckets:
        flat += [bucket.name, bucket.estimate, bucket.limit, bucket.window_s, bucket.life_s]
    return flat


@cache
def _source(name: str) -> str:
    return resources.files("storage.redis").joinpath("scripts", name).read_text("utf-8")


class Script:
    """A Lua script with the text that it shares with its neighbours."""

    def __init__(self, client: Redis, *files: str) -> None:
        self._text = "\n".join(_source(file) for file in files)
        self._script: AsyncScript = client.register_script(self._text)

    async def __call__(
        self, keys: Sequence[str], args: Sequence[str | int | float | bytes], *, within: Pipeline | None = None
    ) -> Any:
        """Run it; or, `within` a pipeline, add it to that."""
        if within is None:
            return await self._script(keys=list(keys), args=list(args))
        # With its text, which is short: by its hash alone, redis-py asks the server first whether it knows the script.
        plain = (each if isinstance(each, bytes) else str(each) for each in args)
        return within.eval(self._text, len(keys), *keys, *plain)
