"""Questions that are asked at the same time go to the server together.

What several stores are asked side by side (`asyncio.gather`) is one pipeline, and so one trip, whoever asks: each
question waits for two turns of the event loop, some microseconds, for others to join it. They are answered in the order
in which they were asked. Only for what depends on nothing that is asked beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

Ask: TypeAlias = Callable[[Pipeline], object]
"""Adds one command to a pipeline."""


class Together:
    """Of one client."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Sequence[Ask], asyncio.Future[list[Any]]]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, client: Redis, *questions: Ask) -> list[Any]:
        """The answers, in order. Raises what the client raises; an error of one question is of nobody else."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append((questions, answered))
        if len(self._waiting) == 1:
            loop.call_soon(loop.call_soon, self._send, client)
        return await answered

    def _send(self, client: Redis) -> None:
        asked, self._waiting = self._waiting, []
        task = asyncio.create_task(_trip(client, asked), name="ask together")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


async def _trip(client: Redis, asked: Sequence[tuple[Sequence[Ask], asyncio.Future[list[Any]]]]) -> None:
    try:
        async with client.pipeline(transaction=False) as pipe:
            for questions, _ in asked:
                for question in questions:
                    question(pipe)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
    except asyncio.CancelledError:
        for _, answered in asked:
            answered.cancel()
        raise
    except Exception as error:
        for _, answered in asked:
            if not answered.done():
                answered.set_exception(error)
        return
    first = 0
    for questions, answered in asked:
        own = answers[first : first + len(questions)]
        first += len(questions)
        wrong = next((each for each in own if isinstance(each, Exception)), None)
        if answered.done():  # whoever asked has gone
            continue
        if wrong is not None:
            answered.set_exception(wrong)
        else:
            answered.set_result(own)


_OF: WeakKeyDictionary[Redis, Together] = WeakKeyDictionary()


async def ask_together(client: Redis, *questions: Ask) -> list[Any]:
    """See above."""
    if client not in _OF:
        _OF[client] = Together()
    return await _OF[client].ask(client, *questions)
