"""A Redis or Valkey that Sentinel watches: whoever is the master now is asked for at every new connection.

    redis+sentinel://[user:password@]host[:port][,host[:port]…]/service[/database][?sentinel_password=…]

User and password are the server's; those of the sentinels themselves stand behind the question mark
(`sentinel_username`, `sentinel_password`). `rediss+sentinel` speaks TLS with both. The queue engine reads it the same.
"""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection
from redis.backoff import NoBackoff

SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")
PORT: Final = 26379
_ANSWER_S: Final = 1.0
"""How long one sentinel may take to say who the master is; then the next one is asked."""


class FollowingConnection(SentinelManagedConnection):
    """The library repeats a command at the server that it was sent to first (redis-py 8.1), for as long as it is
    repeated. Here each repeat goes to whoever is the master by then."""

    async def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        if retry_socket_connect and not self.is_connected:  # otherwise the master was asked for just now
            await cast(Any, self)._connect_retry()
            return
        await super().connect_check_health(check_health, retry_socket_connect)


class FollowingSSLConnection(FollowingConnection, SSLConnection):
    """The same with TLS."""


class WaitingSentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whoever is the master. Callers wait for a free one; the library's own pool fails instead."""

    async def aclose(self) -> None:
        await super().aclose()
        for watcher in cast(Any, self.sentinel_manager).sentinels:
            await watcher.aclose()


def sentinel_pool(url: str, **options: Any) -> WaitingSentinelPool:
    """`options` are those of a connection pool. Raises `ValueError` in words for the operator."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    hosts, _, path = place.partition("/")
    who, at, hosts = hosts.rpartition("@")
    service, _, database = path.strip("/").partition("/")
    if not service:
        raise ValueError("REDIS_URL names no service: redis+sentinel://host:26379/service")
    fields = dict(parse_qsl(query, keep_blank_values=True))
    of_sentinels = {
        name: fields.pop(f"sentinel_{name}") for name in ("username", "password") if f"sentinel_{name}" in fields
    }
    tls = scheme == "rediss+sentinel"
    given: dict[str, Any] = dict(
        parse_url(f"redis{'s' if tls else ''}://{who}{at}master/{database or 0}?{urlencode(fields)}")
    )
    given = {name: value for name, value in given.items() if name not in ("host", "port", "connection_class")}
    shared = {name: value for name, value in given.items() if name.startswith("ssl_")} | ({"ssl": True} if tls else {})
    watchers = cast(Any, Sentinel)(
        [_address(each) for each in hosts.split(",")],
        sentinel_kwargs={
            "socket_timeout": _ANSWER_S,
            "socket_connect_timeout": _ANSWER_S,
            "retry": Retry(NoBackoff(), 0),
            **shared,
            **of_sentinels,
        },
    )
    ours = {name: value for name, value in {**options, **given, **shared}.items() if name != "ssl"}
    kind = FollowingSSLConnection if tls else FollowingConnection
    pool: WaitingSentinelPool = cast(Any, WaitingSentinelPool)(service, watchers, connection_class=kind, **ours)
    return pool


def _address(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text.strip()}")
    if not parts.hostname:
        raise ValueError("REDIS_URL names no sentinel: redis+sentinel://host:26379/service")
    return parts.hostname, parts.port or PORT
