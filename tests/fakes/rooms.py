"""A core small enough to read, for tests of the page: it answers each message by itself, in memory.

What a message says decides what happens: "wait" leaves the answer open until it is released or cancelled, "refuse"
refuses with suggestions, "ask" asks back, "fail" fails, "black and white" is done, anything else turns the picture.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, CookieJar, FormData
from PIL import Image, ImageOps
from redis.asyncio import Redis

from adapters.web.outbound import WebPlatform
from adapters.web.server import build_app, serve
from bot.domain.images import ImageFacts, Provenance
from bot.domain.labels import Label, label_line
from bot.domain.messages import Answer, InboundMessage, Received, Rendition
from bot.domain.refs import ChatRef, MessageRef, Sha256, ThreadId, TurnId, UserRef, sha256_of, thread_id_of, turn_id_of
from bot.domain.turns import Hold, TurnState
from bot.ports import ImageStore, Platform
from storage.redis.page import RedisPageStore

SUGGESTIONS = ("make it black and white", "crop to a square", "rotate 90 degrees")


class MemorySpool:
    """`adapters.web.ports.UploadSpool` in a dict."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, handle: str, data: bytes) -> None:
        self.files[handle] = data

    async def get(self, handle: str) -> bytes:
        return self.files[handle]

    async def delete(self, handle: str) -> None:
        self.files.pop(handle, None)

    async def list(self) -> AsyncIterator[tuple[str, float]]:
        for handle in list(self.files):
            yield handle, 0.0


class MemoryImages:
    """`bot.ports.ImageStore` in a dict."""

    def __init__(self) -> None:
        self.pixels: dict[Sha256, bytes] = {}

    async def put(self, data: bytes, sha256: Sha256 | None = None) -> Sha256:
        name = sha256 or sha256_of(data)
        self.pixels[name] = data
        return name

    async def get(self, sha256: Sha256) -> bytes:
        return self.pixels[sha256]

    async def delete(self, sha256: Sha256) -> None:
        self.pixels.pop(sha256, None)

    async def list(self) -> AsyncIterator[tuple[Sha256, float]]:
        for sha256 in list(self.pixels):
            yield sha256, 0.0


@dataclass
class SmallCore:
    """`adapters.web.ports.Rooms`. `received` is every message that came, with repeats; `broken` makes it fall over."""

    platform: Platform
    images: ImageStore
    received: list[InboundMessage] = field(default_factory=list)
    answers: dict[TurnId, MessageRef] = field(default_factory=dict)
    broken: bool = False
    _shown: dict[MessageRef, list[Sha256]] = field(default_factory=dict)
    _threads: dict[MessageRef, ThreadId] = field(default_factory=dict)
    _open: dict[TurnId, UserRef] = field(default_factory=dict)

    async def receive(self, message: InboundMessage) -> Received:
        self.received.append(message)
        if self.broken:
            raise RuntimeError("the core fell over")
        thread = self._threads.get(message.reply_to, thread_id_of(message.ref)) if message.reply_to else None
        turn = turn_id_of(thread or thread_id_of(message.ref), message.origin)
        reply = await self.platform.reserve(message, turn)
        if turn not in self.answers:
            self.answers[turn] = reply
            self._threads[message.ref] = self._threads[reply] = ThreadId(turn.partition("-")[0])
            await self._answer(message, turn, reply)
        await self.platform.done(message)
        return Received(turn, reply)

    async def cancel(self, turn: TurnId, *, chat: ChatRef, by: UserRef) -> bool:
        if self._open.get(turn) != by:
            return False
        del self._open[turn]
        await self.platform.fill(self.answers[turn], Answer(TurnState.CANCELLED, ("Cancelled.",), turn=turn))
        return True

    async def run(self, turn: TurnId) -> None:
        """Let a waiting turn run, as a worker would."""
        answer = Answer(TurnState.RUNNING, ("Working on it.",), turn=turn, started_at=1_700_000_000.0)
        await self.platform.fill(self.answers[turn], answer)

    async def _answer(self, message: InboundMessage, turn: TurnId, reply: MessageRef) -> None:
        files = [await self.platform.fetch(each, max_bytes=2**30) for each in message.attachments]
        brought = [await self._keep(data) for data in files]
        if brought:
            await self.platform.show_sources(message.ref, brought)
            self._shown[message.ref] = [each.image.sha256 for each in brought]
        sources = self._shown.get(message.ref) or self._shown.get(message.reply_to or message.ref, [])
        await self.platform.fill(reply, await self._made(message, turn, reply, sources))

    async def _made(self, message: InboundMessage, turn: TurnId, reply: MessageRef, sources: list[Sha256]) -> Answer:
        match message.text.split(" ")[0].lower():
            case "wait":
                self._open[turn] = message.author
                return Answer(
                    TurnState.WAITING, ("Waiting in line.",), turn=turn, holds=frozenset({Hold.SLOT}), position=2
                )
            case "refuse":
                words = "I can't do “blur the background” yet. These would work:"
                self._shown[reply] = sources
                return Answer(TurnState.REFUSED, (words,), turn=turn, suggestions=SUGGESTIONS)
            case "ask":
                return Answer(TurnState.ASKING, ("Which of the two cats do you mean?",), turn=turn)
            case "fail":
                return Answer(TurnState.FAILED, ("That didn't work. Please try again in a moment.",), turn=turn)
            case _:
                return await self._done(message, turn, reply, sources)

    async def _done(self, message: InboundMessage, turn: TurnId, reply: MessageRef, sources: list[Sha256]) -> Answer:
        made = [await asyncio.to_thread(_edited, await self.images.get(each), message.text) for each in sources[:1]]
        shown = [await self._keep(data) for data in made]
        self._shown[reply] = [each.image.sha256 for each in shown]
        line = label_line(Label(Provenance.UNKNOWN, edited_by_ai=False))
        return Answer(TurnState.DONE, (line,), tuple(shown), turn=turn)

    async def _keep(self, data: bytes) -> Rendition:
        with Image.open(io.BytesIO(data)) as image:
            size, media_type = image.size, image.get_format_mimetype() or ""
        sha256 = await self.images.put(data)
        return Rendition(ImageFacts(sha256, media_type, *size, len(data)), alt="A picture. Edited, no AI")


def _edited(data: bytes, text: str) -> bytes:
    words = text.lower()
    with Image.open(io.BytesIO(data)) as opened:
        picture: Image.Image = opened.convert("RGB")
    if "black and white" in words:
        picture = ImageOps.grayscale(picture)
    if "square" in words:
        picture = ImageOps.fit(picture, (min(picture.size),) * 2)
    if "turn" in words or "rotate" in words:
        picture = picture.transpose(Image.Transpose.ROTATE_270)
    if "border" in words:
        picture = ImageOps.expand(picture.convert("RGB"), border=24, fill="white")
    if "sepia" in words:
        picture = ImageOps.colorize(ImageOps.grayscale(picture), "#2b1a08", "#ffefd0")
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


@dataclass(frozen=True)
class PageRig:
    """The real page on a real socket with a real store, and somebody who visits it."""

    url: str
    http: ClientSession
    core: SmallCore
    store: RedisPageStore
    platform: WebPlatform
    spool: MemorySpool
    images: MemoryImages

    async def says(
        self,
        text: str = "",
        *images: bytes,
        chat: str = "home",
        reply_to: str = "",
        key: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Post a message; gives the status and the answer."""
        form = FormData(default_to_multipart=True)
        form.add_field("text", text)
        if reply_to:
            form.add_field("reply_to", reply_to)
        for number, data in enumerate(images):
            form.add_field("image", data, filename=f"{number}.jpg", content_type="image/jpeg")
        sent = {**({"Idempotency-Key": key} if key else {}), **(headers or {})}
        async with self.http.post(f"/api/chats/{chat}/messages", data=form, headers=sent) as response:
            return response.status, await response.json()

    async def gets(self, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.http.get(path, **options) as response:
            return response.status, await response.json()

    async def posts(self, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.http.post(path, **options) as response:
            return response.status, await response.json()

    async def sees(self, chat: str = "home") -> list[dict[str, Any]]:
        """The messages that stand in a chat."""
        _, answer = await self.gets(f"/api/chats/{chat}/messages")
        return list(answer["messages"])


@asynccontextmanager
async def open_page(redis_url: str, *, port: int = 0, **options: Any) -> AsyncGenerator[PageRig, None]:
    """A page that listens on this machine, by default on a free port. `options` go to `build_app`."""
    client = Redis.from_url(redis_url)
    store = RedisPageStore(client, prefix="test", retention_s=1000)
    spool, images = MemorySpool(), MemoryImages()
    platform = WebPlatform(store=store, spool=spool)
    core = SmallCore(platform, images)
    app = build_app(rooms=core, store=store, spool=spool, images=images, **options)
    async with (
        serve(app, host="127.0.0.1", port=port) as url,
        ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as http,
    ):
        yield PageRig(url, http, core, store, platform, spool, images)
    await client.aclose()
