"""What happens in a chat, as server-sent events: `message` (as it stands now), `gone`, and `reset` where the browser
has been away for too long and must read the chat anew."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from aiohttp import web

from adapters.web.inbound import chat_of
from adapters.web.ports import PageStore
from adapters.web.problems import too_many_streams
from adapters.web.records import public

HEARTBEAT_S: Final = 15.0
STREAM_S: Final = 900.0
"""A stream ends after this long and the browser comes back: then who may look is asked again."""
STREAMS: Final = 200
_PATIENCE_S: Final = 0.05

_EVENT = re.compile(r"\d{1,15}-\d{1,9}")


class Streams:
    """The open streams of this process."""

    def __init__(self, store: PageStore) -> None:
        self._store = store
        self._open: set[asyncio.Task[object]] = set()

    async def follow(self, _: web.Application) -> AsyncIterator[None]:
        """For `cleanup_ctx`: hear what other processes write as long as the page stands."""
        following = asyncio.create_task(self._store.follow())
        yield
        while not following.done():  # once may not do: in Python 3.11 `asyncio.wait_for` can swallow a cancellation
            following.cancel()
            await asyncio.wait([following], timeout=_PATIENCE_S)

    async def close(self, _: web.Application) -> None:
        """For `on_shutdown`: a stream would never end by itself."""
        while self._open:
            for task in self._open:
                task.cancel()
            await asyncio.sleep(_PATIENCE_S)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """GET …/events"""
        chat, task = chat_of(request), asyncio.current_task()
        if len(self._open) >= STREAMS:
            raise too_many_streams()
        after = await self._start(request, chat)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(ConnectionResetError):
                await self._write(response, chat, after)
        except asyncio.CancelledError:
            task.uncancel()  # the page closes: the stream ends as if it were over
        finally:
            self._open.discard(task)
        return response

    async def _start(self, request: web.Request, chat: str) -> str:
        """The event to go on after: where the browser was cut, where its list of messages ends, or now."""
        given = request.headers.get("Last-Event-ID") or request.query.get("after", "")
        if _EVENT.fullmatch(given):
            return given
        last, _ = await self._store.page(chat, before=None, limit=0)
        return last

    async def _write(self, response: web.StreamResponse, chat: str, after: str) -> None:
        await response.write(b"retry: 2000\n: hello\n\n")
        ends_at = time.monotonic() + STREAM_S
        while time.monotonic() < ends_at:
            try:
                events = await self._store.events(chat, after=after, wait_s=HEARTBEAT_S)
            except LookupError:
                after, _ = await self._store.page(chat, before=None, limit=0)
                await response.write(_frame(after, "reset", {}))
                continue
            if not events:
                await response.write(b": still here\n\n")
                continue
            after = events[-1][0]
            await response.write(await self._frames(chat, events))

    async def _frames(self, chat: str, events: Sequence[tuple[str, str]]) -> bytes:
        """Each message once, as it stands now, in the chat's order. Only the last frame carries an id: whoever is cut
        in the middle hears all of it again."""
        messages = list(dict.fromkeys(message for _, message in events))
        records = await self._store.find(chat, messages)
        gone = [("gone", {"id": message}) for message, record in zip(messages, records, strict=True) if not record]
        shown = sorted((public(chat, record) for record in records if record), key=lambda message: message["number"])
        frames = gone + [("message", message) for message in shown]
        last = len(frames) - 1
        return b"".join(_frame(events[-1][0] if i == last else "", *frame) for i, frame in enumerate(frames))


def _frame(event: str, kind: str, content: object) -> bytes:
    named = f"id: {event}\n" if event else ""
    return f"{named}event: {kind}\ndata: {json.dumps(content)}\n\n".encode()
