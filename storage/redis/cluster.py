"""A Redis or Valkey Cluster: the library's client, with the few things that it leaves open.

    redis+cluster://[user:password@]host[:port]        rediss+cluster:// with TLS

- The library sends the commands of a pipeline to all nodes at once. Here they are sent in order: commands that follow
  each other and go to one node go together, and the next node is asked when that one has answered. What is written
  first for the sake of a crash (an entry in a list, before what it leads to) is written first here, too. On one node
  it is one trip, as anywhere.
- It refuses a transaction over several slots. Here what follows each other in one slot is one transaction, and the next
  slot's is begun when that one has ended.
- It fails at the first command for which no connection is free. Here callers wait.
- It tries again without a pause. Here a node may be away for about twelve seconds, until another has taken its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import groupby
from typing import Any, Final, TypeVar, cast

from redis.asyncio.cluster import ClusterPipeline, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ClusterDownError, RedisClusterException, SlotNotCoveredError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

T = TypeVar("T")

SCHEMES: Final = ("redis+cluster", "rediss+cluster")
_FOR_SUBSCRIPTIONS: Final = 16
"""Connections beyond those for commands."""
_KEY_AT: Final = {"EVAL": 3, "EVALSHA": 3}
"""Where a command's first key stands; elsewhere it is the first word behind the command."""
_LATER: Final[Any] = (RedisConnectionError, RedisTimeoutError, ClusterDownError, SlotNotCoveredError)
_NOBODY: Final = "cannot be connected"
"""What the library says where no node answers at all, in an error that is no `RedisError`."""
_PIPELINE: Any = ClusterPipeline
"""As types it and its children count as abstract (redis-py 8.1); they are not."""
_AT_IT: Final = ContextVar("at it", default=False)


class PatientCluster(RedisCluster):
    """`connections` commands at once, per process."""

    def __init__(self, *, connections: int, **options: Any) -> None:
        self._room = asyncio.Semaphore(connections)
        super().__init__(max_connections=connections + _FOR_SUBSCRIPTIONS, retry=Retry(NoBackoff(), 1), **options)

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        return await self.patiently(partial(super().execute_command, *args, **kwargs))

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Once a connection is free; again, where a node is away."""
        if _AT_IT.get():  # a command that was sent on to another node
            return await ask()
        retry = Retry(ExponentialBackoff(cap=1.0, base=0.05), 16, supported_errors=_LATER)

        async def asking() -> T:
            try:
                return await ask()
            except RedisClusterException as error:
                if _NOBODY in str(error):
                    raise RedisConnectionError(str(error)) from error
                raise

        async with self._room:
            before = _AT_IT.set(True)
            try:
                return await retry.call_with_retry(asking, _nothing)
            finally:
                _AT_IT.reset(before)

    def pipeline(self, transaction: Any | None = None, shard_hint: Any | None = None) -> ClusterPipeline:  # noqa: ARG002 the library's own
        return cast(ClusterPipeline, cast(Any, PipelineInOrder)(self, transaction=bool(transaction)))

    async def bgrewriteaof(self, **kwargs: Any) -> Any:
        """On every node: each has a file of its own."""
        await self.initialize()
        return await cast(Any, super()).bgrewriteaof(**{"target_nodes": self.get_nodes(), **kwargs})


class PipelineInOrder(ClusterPipeline):
    """Its commands are done in the order in which they were added, whichever nodes they go to."""

    __slots__ = ("_asked", "_cluster", "_is_transaction")

    def __init__(self, cluster: PatientCluster, *, transaction: bool) -> None:
        super().__init__(cluster)
        self._cluster = cluster
        self._is_transaction = transaction
        self._asked: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._asked)

    def execute_command(self, *args: Any, **kwargs: Any) -> ClusterPipeline:
        self._asked.append((args, kwargs))
        return self

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        asked, self._asked = self._asked, []
        found: list[Any] = []
        for _, run in [(node, list(run)) for node, run in groupby(asked, key=self._place_of)]:
            found += await self._cluster.patiently(partial(self._ask, run, raise_on_error, allow_redirections))
        return found

    async def reset(self) -> Any:
        self._asked = []
        await cast(Any, super()).reset()

    async def _ask(self, run: Sequence[tuple[Any, ...]], raise_on_error: bool, allow_redirections: bool) -> list[Any]:
        together = _PIPELINE(self._cluster, transaction=self._is_transaction)
        for args, kwargs in run:
            together.execute_command(*args, **dict(kwargs))
        return list(await together.execute(raise_on_error, allow_redirections))

    def _place_of(self, asked: tuple[Any, ...]) -> str:
        """What is done together has one: a slot, or a node."""
        words = asked[0]
        key = words[_KEY_AT.get(str(words[0]).upper(), 1)]
        if self._is_transaction:
            return str(self._cluster.keyslot(key))
        return str(self._cluster.get_node_from_key(key).name)  # type: ignore[union-attr]


def open_cluster(url: str, *, connections: int, **options: Any) -> PatientCluster:
    """A client that finds all nodes by the one that the address names. Asks nothing yet."""
    given: dict[str, Any] = dict(parse_url(url.replace("+cluster://", "://", 1)))
    if given.pop("connection_class", None) is not None:
        given["ssl"] = True
    return PatientCluster(connections=connections, **{**options, **given})


async def _nothing(_: Exception) -> None: ...
