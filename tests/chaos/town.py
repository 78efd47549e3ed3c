"""People on three platforms, and what they get to see. One way to ask, to look and to ask again on each of them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Protocol

import aiohttp
from PIL import Image

from tests.fakes import discord, telegram
from tests.fleet import Fleet

_FINAL = {"done", "refused", "failed", "cancelled", "asking"}
_TRIES_S = 300.0


def small_picture(number: int) -> bytes:
    """A JPEG like no other, small enough that a thousand of them cost nothing."""
    colour = (number * 37 % 256, number // 7 % 256, number * 91 % 256)
    picture = Image.new("RGB", (96, 72), colour)
    for bit in range(24):
        picture.paste((255, 255, 255) if number >> bit & 1 else (0, 0, 0), (4 * bit, 0, 4 * bit + 4, 12))
    out = BytesIO()
    picture.save(out, "jpeg", quality=90)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it stands on the platform. `pictures` are the SHA-256 of the files, as they were put there."""

    is_final: bool
    pictures: tuple[str, ...]
    words: str
    labels: tuple[str, ...]
    native: Any = field(repr=False)


@dataclass(slots=True)
class Asked:
    """A message of a person that is to be answered. `answered_s` is how long that took, once it is known."""

    side: Side
    chat: Any
    person: Any
    words: str
    native: Any
    begun_at: float = field(default_factory=time.monotonic)
    answered_s: float | None = None
    cancelled: bool = False

    def answers(self) -> list[Answer]:
        return self.side.answers(self)


class Side(Protocol):
    """A platform, seen by people."""

    name: str

    def env(self) -> Mapping[str, str]: ...

    async def listened_to(self) -> None:
        """Wait until somebody hears what is said here."""
        ...

    def chat(self, number: int) -> Any:
        """A new chat of a person or several."""
        ...

    async def asks(
        self, chat: Any, words: str, pictures: Sequence[bytes] = (), *, reply_to: Answer | None = None
    ) -> Asked: ...

    def answers(self, asked: Asked) -> list[Answer]:
        """What answers this message now: placeholders that were never filled are not among it."""
        ...

    def orphans(self) -> int:
        """Placeholders that stand there and that nobody will fill."""
        ...

    async def look(self, chat: Any = None) -> None:
        """Read anew what stands there, or in this chat alone, where it is not told."""
        ...

    async def repeats(self, asked: Asked | None) -> None:
        """The platform says the same once more; None for what was said last and is still on its way."""
        ...

    async def cancels(self, asked: Asked) -> bool:
        """Whether there was something to cancel."""
        ...


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- Discord


@dataclass
class _Channel:
    channel: discord.Channel
    people: tuple[discord.Person, ...]


class OnDiscord:
    name = "discord"

    def __init__(self, fake: discord.FakeDiscord) -> None:
        self.fake = fake
        self._guild = fake.guild("Friends")
        self._asked: set[str] = set()

    def env(self) -> Mapping[str, str]:
        fake = self.fake
        return {
            "DISCORD_TOKEN": fake.token,
            "DISCORD_API_BASE": fake.api_base,
            "DISCORD_GATEWAY_URL": fake.gateway_url,
        }

    async def listened_to(self) -> None:
        await self.fake.until(lambda: self.fake.gateway.connected, within_s=30)

    def chat(self, number: int) -> _Channel:
        people = tuple(self.fake.user(f"{name}{number}") for name in ("Anna", "Ben"))
        return _Channel(self._guild.channel(f"pictures-{number}"), people)

    async def asks(
        self,
        chat: _Channel,
        words: str,
        pictures: Sequence[bytes] = (),
        *,
        reply_to: Answer | None = None,
        by: int = 0,
    ) -> Asked:
        files = [(f"picture{number}.jpg", data) for number, data in enumerate(pictures)]
        person = chat.people[by]
        replied = reply_to.native if reply_to is not None else None
        mentions = () if replied is not None and replied.author is self.fake.bot else (self.fake.bot,)
        said = await person.says(chat.channel, words, files=files, reply_to=replied, mentions=mentions)
        return Asked(self, chat, person, words, said)

    def answers(self, asked: Asked) -> list[Answer]:
        ours = [each for each in asked.chat.channel.messages() if each.author.is_the_bot]
        return [
            Answer(
                is_final=bool(each.attachments) or "Cancel" not in each.labels(),
                pictures=tuple(sha(file.data) for file in each.attachments),
                words=each.content,
                labels=tuple(each.labels()),
                native=each,
            )
            for each in ours
            if each.reply_to == asked.native.id and _was_filled(each)
        ]

    def orphans(self) -> int:
        every = [each for channel in self._guild.channels.values() for each in channel.log.values()]
        return sum(each.author.is_the_bot and not each.deleted and not _was_filled(each) for each in every)

    async def look(self, chat: Any = None) -> None: ...

    async def repeats(self, asked: Asked | None) -> None:
        assert asked is not None
        self.fake.emit_message("MESSAGE_CREATE", asked.native)

    async def cancels(self, asked: Asked) -> bool:
        for each in asked.chat.channel.messages():
            if each.reply_to == asked.native.id and "Cancel" in each.labels():
                with contextlib.suppress(discord.NotThere):
                    await asked.person.presses(each, "Cancel")
                    return True
        return False


# --- Telegram


@dataclass
class _Home:
    chat: telegram.Chat
    person: telegram.Person


class OnTelegram:
    name = "telegram"

    def __init__(self, fake: telegram.FakeTelegram) -> None:
        self.fake = fake
        self._homes: list[_Home] = []

    def env(self) -> Mapping[str, str]:
        return {"TELEGRAM_TOKEN": self.fake.token, "TELEGRAM_API_BASE": self.fake.api_base}

    async def listened_to(self) -> None: ...

    def chat(self, number: int) -> _Home:
        person = self.fake.user(f"Anna{number}")
        self._homes.append(_Home(self.fake.private(person), person))
        return self._homes[-1]

    async def asks(
        self, chat: _Home, words: str, pictures: Sequence[bytes] = (), *, reply_to: Answer | None = None
    ) -> Asked:
        replied = reply_to.native if reply_to is not None else None
        if len(pictures) > 1:
            said = (await chat.person.album(chat.chat, pictures, words, reply_to=replied))[0]
        else:
            photo = pictures[0] if pictures else None
            said = await chat.person.says(chat.chat, words, photo=photo, reply_to=replied)
        return Asked(self, chat, chat.person, words, said)

    def answers(self, asked: Asked) -> list[Answer]:
        ours = [each for each in asked.chat.chat.messages() if each.author is self.fake.bot]
        return [
            Answer(
                is_final=each.media is not None or "Cancel" not in each.labels,
                pictures=(sha(each.media.data),) if each.media is not None else (),
                words=each.words,
                labels=tuple(each.labels),
                native=each,
            )
            for each in ours
            if each.reply_to == asked.native.id and _was_filled(each)
        ]

    def orphans(self) -> int:
        every = [each for home in self._homes for each in home.chat.messages() if each.author is self.fake.bot]
        return sum(not _was_filled(each) for each in every)

    async def look(self, chat: Any = None) -> None: ...

    async def repeats(self, asked: Asked | None) -> None:
        assert asked is not None
        for update in list(self.fake.told):
            if update.raw.get("message", {}).get("message_id") == asked.native.id and update.lane == asked.chat.chat.id:
                self.fake.updates.push_again(update)

    async def cancels(self, asked: Asked) -> bool:
        for each in asked.chat.chat.messages():
            if each.author is self.fake.bot and each.reply_to == asked.native.id and "Cancel" in each.labels:
                with contextlib.suppress(telegram.NotThere):
                    await asked.person.presses(each, "Cancel")
                    return True
        return False


def _was_filled(message: Any) -> bool:
    """A placeholder that was put there and whose id nobody knows is never touched again."""
    return bool(message.edits) or bool(getattr(message, "attachments", None) or getattr(message, "media", None))


# --- the page


class OnThePage:
    """The page of whichever gateway answers: who posts comes back with the same key until it is taken."""

    name = "web"

    def __init__(self) -> None:
        self.fleet: Fleet | None = None
        self._chats: list[str] = []
        self._seen: dict[str, dict[str, Any]] = {}
        self._posts = 0
        self._last: dict[str, Any] = {}

    def env(self) -> Mapping[str, str]:
        return {}

    async def listened_to(self) -> None: ...

    def chat(self, number: int) -> str:
        self._chats.append(f"chat-{number}")
        return self._chats[-1]

    async def asks(
        self, chat: str, words: str, pictures: Sequence[bytes] = (), *, reply_to: Answer | None = None
    ) -> Asked:
        self._posts += 1
        said: dict[str, Any] = {"chat": chat, "text": words, "pictures": list(pictures), "key": f"key-{self._posts}"}
        if reply_to is not None:
            said["reply_to"] = reply_to.native["id"]
        self._last = said
        asked = Asked(self, chat, "owner", words, said)
        said |= await self._post(said)
        return asked

    async def _post(self, said: Mapping[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(_TRIES_S), aiohttp.ClientSession() as session:
            tries = 0
            while True:
                form = aiohttp.FormData({"text": said["text"]}, default_to_multipart=True)
                if "reply_to" in said:
                    form.add_field("reply_to", said["reply_to"])
                for number, data in enumerate(said["pictures"]):
                    form.add_field("image", data, filename=f"picture{number}.jpg", content_type="image/jpeg")
                address = self._page(tries)
                tries += 1
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.post(
                        f"{address}/api/chats/{said['chat']}/messages",
                        data=form,
                        headers={"Idempotency-Key": said["key"]},
                        timeout=aiohttp.ClientTimeout(8),
                    ) as response:
                        if response.status == 202:
                            return dict(await response.json())
                        assert response.status >= 429, f"{response.status}: {await response.text()}"
                await asyncio.sleep(0.2)

    def _page(self, number: int) -> str:
        assert self.fleet is not None
        living = [each.address for each in self.fleet.gateways if each.lives] or self.fleet.pages
        return living[number % len(living)]

    def answers(self, asked: Asked) -> list[Answer]:
        """As they were when somebody looked last."""
        every = [
            each
            for each in self._seen.values()
            if each["author"]["is_bot"] and each["reply_to"] == asked.native.get("message_id")
        ]
        return [
            Answer(
                is_final=each["state"] in _FINAL,
                pictures=tuple(image["sha256"] for image in each["images"]),
                words=each["text"],
                labels=(),
                native=each,
            )
            for each in every
        ]

    def orphans(self) -> int:
        return 0

    async def look(self, chat: Any = None) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(8)) as session:
            for number, each in enumerate(self._chats if chat is None else [chat]):
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await self._look_at(session, each, self._page(number))

    async def _look_at(self, session: aiohttp.ClientSession, chat: str, page: str) -> None:
        before = ""
        while True:
            address = f"{page}/api/chats/{chat}/messages?limit=200{before}"
            async with session.get(address) as response:
                if response.status != 200:
                    return
                found = await response.json()
            for each in found["messages"]:
                self._seen[each["id"]] = each
            if not found["more"] or not found["messages"]:
                return
            before = f"&before={found['messages'][0]['id']}"

    async def bytes_of(self, answer: Answer) -> list[str]:
        """The SHA-256 of what is really handed out."""
        found: list[str] = []
        async with aiohttp.ClientSession() as session:
            for image in answer.native["images"]:
                async with session.get(self._page(0) + image["url"]) as response:
                    found.append(sha(await response.read()))
        return found

    async def repeats(self, asked: Asked | None) -> None:
        said = asked.native if asked is not None else self._last
        again = await self._post(said)
        known = said.get("answer_id", again["answer_id"])
        assert again["answer_id"] == known, "a repeat was another message"

    async def cancels(self, asked: Asked) -> bool:
        turn = asked.native["turn_id"]
        address = f"{self._page(0)}/api/chats/{asked.chat}/turns/{turn}/cancel"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(8)) as session,
                session.post(address) as response,
            ):
                return bool((await response.json()).get("cancelled")) if response.status == 200 else False
        return False
