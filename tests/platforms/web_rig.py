"""The page as people see it: the real house behind its real server, and a browser for each person."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, CookieJar, FormData

from adapters.web.server import build_app, serve
from bot.app import House
from bot.domain.actions import Act
from bot.domain.arena import Choice
from bot.domain.consent import Say
from bot.engines.exact import ExactEngine
from bot.ports import Engine, Rooms
from tests.fakes.engines import ScriptedEngine
from tests.platforms.contract import (
    AT,
    CONSENT,
    TWO,
    Button,
    Do,
    Post,
    Pressed,
    Seen,
    Shown,
    Where,
    Who,
    is_final,
)
from tests.rig import living_in

PASSWORD = "correct horse – battery staple"
FINAL = {"asking", "done", "refused", "failed", "cancelled"}


@dataclass
class WebRig:
    """See `PlatformRig`. Each person is a browser that signed in, on a page that listens on this machine."""

    redis_url: str
    data: Path
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    through: Callable[[Rooms], Rooms] = lambda rooms: rooms
    """What stands between the page and the house."""
    company: Sequence[Who] = TWO
    settings: dict[str, Any] = field(default_factory=lambda: {"web_public_url": AT})
    people: dict[Who, ClientSession] = field(default_factory=dict)
    ids: dict[Who, str] = field(default_factory=dict)
    sent: dict[Post, tuple[Who, dict[str, str], Sequence[bytes]]] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _house: House | None = None
    _url: str = ""

    @property
    def house(self) -> House:
        assert self._house is not None
        return self._house

    async def open(self) -> None:
        """Bring the house and its page up."""
        living = await self._stack.enter_async_context(
            living_in(self.redis_url, self.data, self.engines(), **self.settings)
        )
        self._house = living.house
        app = build_app(
            rooms=self.through(self.house.reception),
            store=self.house.page,
            spool=self.house.spool,
            images=self.house.images,
            password=PASSWORD,
            public_url=AT,
        )
        self._url = (await self._stack.enter_async_context(serve(app, host="127.0.0.1", port=0))).rstrip("/")

    def engines(self) -> Mapping[str, Engine] | None:
        """None for those that the settings name."""
        return {"exact": ExactEngine(), "gemini": self.engine}

    async def sign_in(self, who: Who) -> None:
        self.people[who] = ClientSession(cookie_jar=CookieJar(unsafe=True))
        given = {"password": PASSWORD, "name": who.value}
        async with self.people[who].post(f"{self._url}/api/session", json=given) as response:
            self.ids[who] = (await response.json())["person"]["id"]

    async def restart(self) -> None:
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        await self.open()

    async def close(self) -> None:
        for session in self.people.values():
            await session.close()
        await self._stack.aclose()

    # --- what people do

    async def shares(self, image: bytes, *, by: Who) -> Post:
        """Every message of the page is for the bot, which asks what to do with it."""
        post = await self.says("", [image], by=by)
        assert post is not None
        await self.waits_for(post, by=by)
        return post

    async def says(
        self,
        text: str,
        images: Sequence[bytes] = (),
        *,
        reply_to: Post | None = None,
        by: Who = Who.ANNA,
        chat: Where = Where.HOME,
        index: int | None = None,
    ) -> Post | None:
        fields = {"text": text, "reply_to": reply_to.id if reply_to else ""}
        fields |= {} if index is None else {"reply_index": str(index)}
        return await self._post(by, chat, fields, images, key=secrets.token_hex(8))

    async def repeats(self, post: Post) -> None:
        who, fields, images = self.sent[post]
        assert await self._post(who, post.chat, fields, images, key=fields["key"]) == post

    async def presses(self, what: Button, under: Post, argument: str = "", *, by: Who = Who.ANNA) -> Pressed:
        message = f"/api/chats/{under.chat}/messages/{under.id}"
        match what:
            case Act():
                controls = (await self._asks(by, "GET", message))["controls"]
                standing = [each["argument"] for each in controls if each["act"] == what]
                assert argument in ("", *standing), (argument, standing)
                argument = argument or next(iter(standing), "")
                fields = {"text": what.value, "act": what.value, "argument": argument, "reply_to": under.id}
                return Pressed(post=await self._post(by, under.chat, fields, (), key=secrets.token_hex(8)))
            case Say() | Do.NOT_NOW:
                turn = (await self._asks(by, "GET", message))["turn_id"]
                path = f"/api/chats/{under.chat}/turns/{turn}/consent"
                return Pressed((await self._asks(by, "POST", path, json={"say": what.value}))["words"])
            case Choice() | Do.END_VOTE:
                turn = (await self._asks(by, "GET", message))["vote"]["turn_id"]
                path = f"/api/chats/{under.chat}/turns/{turn}/vote"
                return Pressed((await self._asks(by, "POST", path, json={"choice": what.value}))["words"])
            case Do.CANCEL:
                turn = (await self._asks(by, "GET", message))["turn_id"]
                await self._asks(by, "POST", f"/api/chats/{under.chat}/turns/{turn}/cancel")
                return Pressed()
            case Do.INFO:
                return Pressed((await self._asks(by, "GET", f"{message}/info"))["words"])
            case Do.DELETE:
                return Pressed((await self._asks(by, "DELETE", message))["words"])

    async def _post(
        self, who: Who, chat: Where, fields: dict[str, str], images: Sequence[bytes], *, key: str
    ) -> Post | None:
        form = FormData(default_to_multipart=True)
        for name, value in fields.items():
            if value or name == "text":
                form.add_field(name, value)
        for number, data in enumerate(images):
            form.add_field("image", data, filename=f"{number}.jpg", content_type="image/jpeg")
        url, headers = f"{self._url}/api/chats/{chat}/messages", {"Idempotency-Key": key}
        async with self.people[who].post(url, data=form, headers=headers) as response:
            if response.status != 202:
                return None
            post = Post(chat, (await response.json())["message_id"])
        self.sent[post] = (who, fields | {"key": key}, images)
        return post

    # --- what people see

    async def sees(self, chat: Where = Where.HOME, *, by: Who = Who.ANNA) -> list[Seen]:
        told = await self._asks(by, "GET", f"/api/chats/{chat}/messages?limit=200")
        asked = {message["id"]: message["author"]["id"] for message in told["messages"]}
        return [await self._seen(chat, message, asked, by) for message in told["messages"]]

    async def waits_for(self, post: Post, until: Callable[[Seen], bool] = is_final, *, by: Who = Who.ANNA) -> Seen:
        """As a browser does: look once, then listen to the stream of events."""
        path = f"{self._url}/api/chats/{post.chat}/events"
        async with asyncio.timeout(15), self.people[by].get(path) as stream:
            while True:
                line = await stream.content.readline()
                if line not in (b": hello\n", b"event: message\n"):
                    continue
                for seen in await self._answers(post, by):
                    if until(seen):
                        return seen

    async def _answers(self, post: Post, by: Who) -> list[Seen]:
        told = await self._asks(by, "GET", f"/api/chats/{post.chat}/messages?limit=200")
        asked = {message["id"]: message["author"]["id"] for message in told["messages"]}
        answers = [each for each in told["messages"] if each["reply_to"] == post.id and each["author"]["is_bot"]]
        return [await self._seen(post.chat, message, asked, by) for message in answers]

    async def _seen(self, chat: Where, message: dict[str, Any], asked: dict[str, str], by: Who) -> Seen:
        is_ours, me = message["author"]["is_bot"], self.ids[by]
        is_open = is_ours and message["state"] not in FINAL
        is_mine = asked.get(message["reply_to"]) == me
        buttons: set[Button] = {Act(each["act"]) for each in message["controls"]}
        if is_ours and is_open:
            buttons |= {Do.CANCEL} if is_mine else set()
            buttons |= CONSENT if me in [each["id"] for each in message["asks"]] else set()
        buttons |= {*Choice, Do.END_VOTE} if message["vote"] else set()
        if is_ours and message["images"]:
            buttons |= {Do.INFO, Do.DELETE} if is_mine else {Do.INFO}
        pictures = [Shown(await self._file(by, image["url"]), image["alt"]) for image in message["images"]]
        return Seen(Post(chat, message["id"]), is_ours, message["text"], tuple(pictures), frozenset(buttons), is_open)

    async def _file(self, who: Who, path: str) -> bytes:
        async with self.people[who].get(self._url + path) as response:
            response.raise_for_status()
            return await response.read()

    async def _asks(self, who: Who, method: str, path: str, **options: Any) -> Any:
        async with self.people[who].request(method, self._url + path, **options) as response:
            response.raise_for_status()
            return json.loads(await response.read())


_Rig = TypeVar("_Rig", bound=WebRig)


@contextlib.asynccontextmanager
async def opened(rig: _Rig) -> AsyncGenerator[_Rig]:
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(rig.close)
        await rig.open()
        for who in rig.company:
            await rig.sign_in(who)
        yield rig
