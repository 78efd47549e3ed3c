"""The whole house on a real server and a folder, driven as a platform drives it."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.app import House, Machines, at_work, open_house
from bot.domain.actions import Act, Press
from bot.domain.consent import Say
from bot.domain.messages import Attachment, InboundMessage, Quoted, Received
from bot.domain.refs import ChatRef, MessageRef, Person, ServerRef, TurnId, UserRef
from bot.domain.turns import FINAL_STATES, Hold, TurnStatus
from bot.ports import Engine, TextModel
from bot.settings import Settings
from tests.values import ANNA, CHAT

SAMPLES = Path(__file__).parent.parent / "adapters" / "web" / "static" / "samples"
CAT = (SAMPLES / "cat.jpg").read_bytes()
COFFEE = (SAMPLES / "coffee.jpg").read_bytes()


def words_of(status: TurnStatus) -> str:
    """What its answer says; empty where there is none."""
    return status.outcome.words if status.outcome is not None else ""


@dataclass
class Rig:
    """`says` is a message from a person; `sees` is the answer once its turn is final."""

    house: House
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    delivered: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        """Hear of each delivery, instead of asking the store again and again."""
        original = self.house.turns.delivered

        async def told(turn: TurnId) -> bool:
            first = await original(turn)
            async with self.delivered:
                self.delivered.notify_all()
            return first

        self.house.turns.delivered = told  # type: ignore[method-assign]

    async def says(
        self,
        text: str,
        images: Sequence[bytes] = (),
        *,
        reply_to: Received | MessageRef | None = None,
        author: UserRef = ANNA,
        chat: ChatRef = CHAT,
        id_: str = "",
        index: int | None = None,
        voice: bytes | None = None,
        server: ServerRef | None = None,
        **fields: Any,
    ) -> Received:
        message = await self.message(text, images, reply_to=reply_to, author=author, chat=chat, id_=id_)
        if voice is not None:
            handle = f"{message.ref.message}-voice"
            await self.house.spool.put(handle, voice)
            message = replace(message, voice=Attachment(handle, "voice.wav", len(voice)))
        return await self.house.hall.receive(replace(message, reply_index=index, server=server, **fields))

    async def quotes(
        self,
        author: UserRef | None,
        images: Sequence[bytes],
        *,
        chat: ChatRef = CHAT,
        id_: str = "",
        ours: bool = False,
        spoiler: bool = False,
    ) -> Quoted:
        """A message in the chat that was not sent to us, as a platform shows it to us when somebody replies to it."""
        message = await self.message("", images, chat=chat, id_=id_)
        return Quoted(
            ref=message.ref,
            author=Person(author, author.user.title()) if author else None,
            attachments=tuple(replace(each, spoiler=spoiler) for each in message.attachments),
            ours=ours,
        )

    async def answers(self, received: Received, by: UserRef, say: Say | None, *, chat: ChatRef = CHAT) -> str:
        """Somebody answers the question that a turn waits for."""
        return await self.house.reception.allow(received.turn, chat=chat, by=by, say=say)

    async def waits(self, received: Received, *, within_s: float = 15) -> TurnStatus:
        """The turn, once it waits for somebody's consent."""
        async with asyncio.timeout(within_s):
            while True:
                status = await self.house.turns.load(received.turn)
                if status is not None and Hold.CONSENT in status.holds:
                    return status
                await asyncio.sleep(0.01)

    async def presses(
        self,
        act: Act,
        under: Received,
        argument: str = "",
        *,
        author: UserRef = ANNA,
        index: int | None = None,
        chat: ChatRef = CHAT,
    ) -> Received:
        """Somebody presses a control under an answer."""
        message = await self.message(act.value, reply_to=under, author=author, chat=chat)
        return await self.house.hall.receive(replace(message, press=Press(act, argument), reply_index=index))

    async def sees_all(self, received: Received, *, within_s: float = 15) -> list[TurnStatus]:
        """Every turn of an album, once all are final."""
        first = await self.sees(received, within_s=within_s)
        return [await self.sees(replace(received, turn=id_), within_s=within_s) for id_ in first.turn.album]

    async def message(
        self,
        text: str,
        images: Sequence[bytes] = (),
        *,
        reply_to: Received | MessageRef | None = None,
        author: UserRef = ANNA,
        chat: ChatRef = CHAT,
        id_: str = "",
    ) -> InboundMessage:
        """A message as the page's door in makes it, its uploads in the spool."""
        number = id_ or f"m{next(self.numbers)}"
        attachments: list[Attachment] = []
        for index, data in enumerate(images):
            handle = f"{number}-{index}"
            await self.house.spool.put(handle, data)
            attachments.append(Attachment(handle, "photo.jpg", len(data)))
        return InboundMessage(
            ref=MessageRef(chat, number),
            author=author,
            author_name=author.user.title(),
            text=text,
            created_at=time.time(),
            attachments=tuple(attachments),
            reply_to=reply_to.reply if isinstance(reply_to, Received) else reply_to,
        )

    async def sees(self, received: Received, *, within_s: float = 15) -> TurnStatus:
        """The turn, once it is final and its answer stands in the chat."""
        async with asyncio.timeout(within_s), self.delivered:
            while True:
                status = await self.house.turns.load(received.turn)
                if status is not None and status.state in FINAL_STATES and status.delivered:
                    return status
                await self.delivered.wait()

    async def shown(self, message: MessageRef) -> Mapping[str, Any]:
        """The message as the page keeps it."""
        (record,) = await self.house.page.find(message.chat.chat, [message.message])
        assert record is not None
        return record

    async def images_of(self, message: MessageRef) -> list[dict[str, Any]]:
        """The images that a message of the page shows."""
        return list(json.loads((await self.shown(message)).get("images", "[]")))


class Shown:
    """Counts the answers that stand in their chats from now on, without asking the store."""

    def __init__(self, rig: Rig) -> None:
        self._count = 0
        self._changed = asyncio.Event()
        original = rig.house.turns.delivered

        async def delivered(turn: TurnId) -> bool:
            first = await original(turn)
            self._count += 1
            self._changed.set()
            return first

        rig.house.turns.delivered = delivered  # type: ignore[method-assign]

    async def reach(self, count: int, *, within_s: float = 15) -> None:
        async with asyncio.timeout(within_s):
            while self._count < count:
                self._changed.clear()
                await self._changed.wait()


_HURRY = asyncio.Event()
_HURRY.set()


@asynccontextmanager
async def living_in(
    redis_url: str,
    data: Path,
    engines: Mapping[str, Engine] | None = None,
    *,
    text_model: TextModel | None = None,
    working: bool = True,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """A rig; with its worker and reconciler at work, unless it is not to be `working`."""
    given = Settings(data=data, redis_url=SecretStr(redis_url), **settings)
    machines = Machines(engines, text_model) if engines is not None else None
    async with open_house(given, machines=machines) as house:
        rig = Rig(house)
        if not working:
            yield rig
            return
        async with at_work(house, hurry=_HURRY):
            yield rig
