"""People who use the bot: what they can do with a client, and nothing that a client would not let them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from tests.fakes.telegram import entities
from tests.fakes.telegram.media import Media, shrink
from tests.fakes.telegram.refusals import Json, Refused
from tests.fakes.telegram.state import CHANNEL_BOT, GROUP_ANONYMOUS, Chat, Message, Place, User
from tests.fakes.telegram.wire import external_reply, message_json, origin

if TYPE_CHECKING:
    from tests.fakes.telegram.server import FakeTelegram

_ALBUM = range(2, 11)


class NotThere(AssertionError):
    """What a person wanted to press, answer or send cannot be."""


@dataclass(eq=False)
class Press:
    """A key that was pressed; `words` and `alert` are what the bot answered, once it has."""

    id: str
    message: Message = field(repr=False)
    person: User
    data: str
    at: float
    words: str = ""
    alert: bool = False
    answered: bool = False


@dataclass(eq=False)
class Inline:
    """Words behind the bot's name in any chat; `results` are what is offered, once the bot has answered."""

    id: str
    person: User
    words: str
    at: float
    results: list[Json] = field(default_factory=list)
    options: Json = field(default_factory=dict)
    answered: bool = False


class Person(User):
    @property
    def _fake(self) -> FakeTelegram:
        from tests.fakes.telegram.server import FakeTelegram

        return cast(FakeTelegram, self.world)

    async def says(
        self,
        place: Place,
        words: str = "",
        *,
        photo: bytes | None = None,
        document: tuple[str, bytes] | None = None,
        voice: bytes | None = None,
        sticker: bytes | None = None,
        video: bytes | None = None,
        animation: bytes | None = None,
        audio: bytes | None = None,
        reply_to: Message | None = None,
        quote: str = "",
        as_chat: Chat | None = None,
        mention: bool = False,
        mentions: Sequence[User] = (),
        spoiler: bool = False,
        forward_of: Message | None = None,
    ) -> Message:
        """`mention` puts @bot before the words; `mentions` these people, by name where they have no username."""
        media = await self._media(photo, document, voice, sticker, video, animation, audio)
        if mention:
            words = f"@{self.world.bot_user.username} {words}".strip()
        words, named = _called(words, mentions)
        made = self._message(place, words, named, media, reply_to=reply_to, quote=quote, as_chat=as_chat)
        made.spoiler = spoiler
        if forward_of is not None:
            made.forward = {"forward_origin": origin(forward_of)}
            made.text, made.caption, made.media = forward_of.text, forward_of.caption, forward_of.media
            made.entities = [dict(each) for each in forward_of.entities]
        if made.kind == "text" and not made.text:
            raise NotThere("an empty message cannot be sent")
        return self.world.post(made)

    async def album(
        self,
        place: Place,
        pictures: Sequence[bytes],
        caption: str = "",
        *,
        order: Sequence[int] | None = None,
        batches: Sequence[int] | None = None,
        gap_s: float = 0.0,
        reply_to: Message | None = None,
        as_documents: bool = False,
        as_chat: Chat | None = None,
        mention: bool = False,
    ) -> list[Message]:
        """Several pictures as one, the caption below the first. They reach the bot in this `order`, in `batches` of so
        many (an answer to getUpdates never holds two of these), with `gap_s` between the batches. Given as an album
        shows them, whatever their order."""
        if len(pictures) not in _ALBUM:
            raise NotThere("an album has 2 to 10 pictures")
        order = list(range(len(pictures))) if order is None else list(order)
        sizes = list(batches or (len(order),))
        if sorted(order) != list(range(len(pictures))) or sum(sizes) != len(order):
            raise AssertionError("every picture comes once")
        if mention:
            caption = f"@{self.world.bot_user.username} {caption}".strip()
        group, made = self._fake.album_id(), list[Message]()
        for index, data in enumerate(pictures):
            named = (f"picture{index + 1}.png", data)
            media = await self._media(None if as_documents else data, named if as_documents else None)
            words = caption if index == 0 else ""
            made.append(self._message(place, words, [], media, reply_to=reply_to, as_chat=as_chat))
            made[-1].album = group
        for number, size in enumerate(sizes):
            if number and gap_s:
                await asyncio.sleep(gap_s)
            for index in order[:size]:
                self.world.post(made[index])
            order = order[size:]
            self._fake.ends_batch()
        return made

    async def edits(self, message: Message, words: str = "", *, photo: bytes | None = None) -> None:
        if message.author is not self and message.sender_chat is None:
            raise NotThere("only one's own messages can be edited")
        told, found = entities.settled(words, ())
        if photo is not None:
            message.media = await self._media(photo)
        if message.media:
            message.caption = told
        else:
            message.text = told
        message.entities = found
        self.world.edited(message)

    async def deletes(self, message: Message) -> None:
        self._fake.delete(message)

    async def presses(self, message: Message, label: str = "", *, data: str = "") -> Press:
        """Press the key with this label, or send this data as a client of one's own could. Comes back at once: the
        answer, if there is one, is in the `Press` later."""
        if message.deleted or message.author is not self.world.bot_user:
            raise NotThere("there are no keys")
        if not data:
            found = [carries for row in message.keyboard for shown, carries in row if shown == label]
            if not found:
                raise NotThere(f"no key “{label}”, but {message.labels}")
            data = found[0]
        self._enters(message.chat)
        return self._fake.pressed(self, message, data)

    async def starts(self) -> Message:
        """Begins to talk to the bot, or does so again after blocking it."""
        self._fake.unblock_bot(self)
        return await self.says(self._fake.private(self), "/start")

    def _enters(self, chat: Chat) -> None:
        if chat.moved_to:
            raise NotThere("the group is a supergroup by now")
        if chat.person:
            if chat.person is not self:
                raise NotThere("this is somebody else's chat")
            self.started = True
            if self.blocks_bot:
                raise NotThere("they have blocked the bot")
        elif not chat.has(self):
            self._fake.join(chat, self)

    async def _media(
        self,
        photo: bytes | None = None,
        document: tuple[str, bytes] | None = None,
        voice: bytes | None = None,
        sticker: bytes | None = None,
        video: bytes | None = None,
        animation: bytes | None = None,
        audio: bytes | None = None,
    ) -> Media | None:
        files = self.world.files
        given: list[Any] = [photo, document, voice, sticker, video, animation, audio]
        if sum(each is not None for each in given) > 1:
            raise NotThere("a message has one file")
        if photo is not None:
            try:
                return files.photo(photo, await asyncio.to_thread(shrink, photo))
            except Refused as refused:
                raise NotThere(f"that is no photo: {refused.description}") from None
        if document is not None:
            return await asyncio.to_thread(files.other, "document", document[1], document[0])
        if voice is not None:
            return files.other("voice", voice, "voice.oga", mime="audio/ogg", duration_s=2)
        if sticker is not None:
            return await asyncio.to_thread(files.other, "sticker", sticker, "sticker.webp")
        if video is not None:
            return files.other("video", video, "video.mp4", mime="video/mp4", duration_s=3)
        if animation is not None:
            return files.other("animation", animation, "animation.mp4", mime="video/mp4", duration_s=3)
        return files.other("audio", audio, "song.mp3", mime="audio/mpeg", duration_s=3) if audio is not None else None

    def _message(
        self,
        place: Place,
        words: str,
        named: Sequence[Json],
        media: Media | None,
        *,
        reply_to: Message | None = None,
        quote: str = "",
        as_chat: Chat | None = None,
    ) -> Message:
        """Made, and not posted yet."""
        chat = place.chat
        self._enters(chat)
        words, found = entities.settled(words, named)
        made = Message(self.world, chat.next_id(), chat, self, entities=found, media=media, thread_id=place.thread_id)
        made.text, made.caption = ("", words) if media else (words, "")
        if as_chat is not None:
            made.author = self.world.users[GROUP_ANONYMOUS if as_chat is chat else CHANNEL_BOT]
            made.sender_chat = as_chat
        if reply_to is not None:
            self._reply(made, reply_to, quote)
        return made

    def _reply(self, made: Message, reply_to: Message, quote: str) -> None:
        if reply_to.deleted:
            raise NotThere("that message is gone")
        if reply_to.chat is made.chat and reply_to.thread_id == made.thread_id:
            made.reply_to_message = reply_to
        else:
            made.reply["external_reply"] = external_reply(reply_to)
        if quote:
            position = entities.units(reply_to.words[: reply_to.words.index(quote)])
            made.reply["quote"] = {"text": quote, "position": position, "is_manual": True}


def _called(words: str, people: Sequence[User]) -> tuple[str, list[Json]]:
    """The words with these people named before them, and the entities for those without a username."""
    told, found = "", list[Json]()
    for each in people:
        if each.username:
            told += f"@{each.username} "
        else:
            user = each.json()
            found.append({"type": "text_mention", "offset": entities.units(told),
                          "length": entities.units(each.name), "user": user})  # fmt: skip
            told += f"{each.name} "
    return told + words, found


def username_of(name: str) -> str:
    return re.sub(r"\W", "", name.lower())


def query_json(press: Press, instance: str) -> Json:
    message = press.message
    told = message_json(message)
    if message.deleted:
        told = {"chat": message.chat.json(), "message_id": message.id, "date": 0}
    return {
        "id": press.id,
        "from": press.person.json(),
        "message": told,
        "chat_instance": instance,
        "data": press.data,
    }
