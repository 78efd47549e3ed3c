"""Discord as people see it: the real house and the real client library, on a Discord of this machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.discord.gateway import DiscordGateway
from adapters.discord.refs import message_ref, user_ref
from bot.app import House
from bot.domain.actions import Act
from bot.domain.arena import Choice
from bot.domain.buttons import ButtonId, Verb, read_button_id
from bot.domain.consent import Say
from bot.domain.refs import MessageRef, TurnId
from bot.ending import end
from bot.engines.exact import ExactEngine
from bot.ports import Engine, TextModel
from tests.fakes.discord import Channel, FakeDiscord, Interaction, Message, Person
from tests.fakes.discord.interactions import COMPONENT
from tests.fakes.discord.payloads import message_json
from tests.fakes.engines import ScriptedEngine
from tests.platforms.contract import (
    AT,
    BY_VERB,
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
    means,
)
from tests.rig import Rig, living_in

_ESCAPED = re.compile(r"\\([^A-Za-z0-9\s])")
_LINK = re.compile(r"<(https?://[^>]+)>")
_MENTION = re.compile(r"<@(\d+)>")


@asynccontextmanager
async def living_on(
    fake: FakeDiscord, redis_url: str, data: Path, engines: Mapping[str, Engine] | None, **settings: Any
) -> AsyncIterator[tuple[Rig, DiscordGateway]]:
    """The house, with its door to that Discord open."""
    places: dict[str, Any] = {
        "discord_token": fake.token,
        "discord_api_base": fake.api_base,
        "discord_gateway_url": fake.gateway_url,
    }
    async with living_in(redis_url, data, engines, **places, **settings) as rig:
        assert rig.house.discord is not None
        gateway = rig.house.discord.door_in(rig.house.reception)
        running = asyncio.create_task(gateway.run())
        try:
            await fake.until(lambda: fake.gateway.connected and fake.gateway.connected[-1].names.count("GUILD_CREATE"))
            yield rig, gateway
        finally:
            await end(running)


def buttons_of(message: Message) -> list[ButtonId]:
    """All that can be pressed or chosen under a message."""
    texts = [each["custom_id"] for each in message.controls()]
    texts += [option["value"] for each in message.controls() for option in each.get("options") or ()]
    return [found for text in texts if (found := read_button_id(text)) is not None]


@dataclass
class DiscordRig:
    """See `PlatformRig`. The chats are two channels of one server."""

    redis_url: str
    data: Path
    fake: FakeDiscord
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    text_model: TextModel | None = None
    settings: dict[str, Any] = field(default_factory=lambda: {"web_public_url": AT})
    company: Sequence[Who] = TWO
    people: dict[Who, Person] = field(default_factory=dict)
    chats: dict[Where, Channel] = field(default_factory=dict)
    _before: dict[Post, set[str]] = field(default_factory=dict)
    """What stood in the chat when a button was pressed."""
    replies: dict[TurnId, MessageRef] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _house: House | None = None

    def __post_init__(self) -> None:
        guild = self.fake.guild("Friends")
        self.people = {who: self.fake.user(who.value) for who in self.company}
        for person in self.people.values():
            guild.join(person)
        self.chats = {where: guild.channel(where.value) for where in Where}

    @property
    def house(self) -> House:
        assert self._house is not None
        return self._house

    async def open(self) -> None:
        rig, _ = await self._stack.enter_async_context(
            living_on(self.fake, self.redis_url, self.data, self.engines(), text_model=self.text_model, **self.settings)
        )
        self._house = rig.house
        original = self.house.turns.delivered

        async def told(turn: TurnId) -> bool:
            status = await self.house.turns.load(turn)
            assert status is not None
            self.replies[turn] = status.turn.reply
            return await original(turn)

        self.house.turns.delivered = told  # type: ignore[method-assign]

    def engines(self) -> Mapping[str, Engine] | None:
        """None for those that the settings name."""
        return {"exact": ExactEngine(), "gemini": self.engine}

    async def restart(self) -> None:
        await self.close()
        self._stack = AsyncExitStack()
        await self.open()

    async def close(self) -> None:
        await self._stack.aclose()

    # --- what people do

    async def shares(self, image: bytes, *, by: Who) -> Post:
        said = await self.people[by].says(self.chats[Where.HOME], "look", files=[("photo.jpg", image)])
        return Post(Where.HOME, said.id)

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
        """The bot is called where the reply does not do so. Discord lets nobody reply to another chat."""
        if reply_to is not None and reply_to.chat != chat:
            return None
        replied = self.fake.messages[reply_to.id] if reply_to else None
        ours = replied is not None and replied.author is self.fake.bot
        if replied is not None and not ours and not self.fake.content_intent and replied.author is not self.people[by]:
            return await self._by_menu(text if index is None else f"picture {index + 1}: {text}", replied, by, chat)
        words = text if index is None else f"picture {index + 1}: {text}"
        files = [(f"{number}.jpg", data) for number, data in enumerate(images)]
        mentions = [] if ours else [self.fake.bot]
        said = await self.people[by].says(self.chats[chat], words, files=files, reply_to=replied, mentions=mentions)
        return Post(chat, said.id)

    async def _by_menu(self, text: str, message: Message, by: Who, chat: Where) -> Post:
        """Where the bot is shown nothing of others' messages, this is the way."""
        before = {each.id for each in message.channel.messages()}
        person = self.people[by]
        opened = await person.menu("Edit this image", message)
        form = await opened.form()
        field = next(each["label"] for each in form["components"] if each["component"]["type"] == 4)
        sent = await person.submits(opened, {field: text})
        post = Post(chat, sent.id)
        self._before[post] = before
        return post

    async def repeats(self, post: Post) -> None:
        """As after a resumed session; and as by another process, which has not seen it yet."""
        message = self.fake.messages[post.id]
        for session in self.fake.gateway.connected:
            self.fake.gateway.dispatch(session, "MESSAGE_CREATE", message_json(message))
        reply = await self.waits_for(post, lambda _: True)
        assert reply.is_ours

    async def presses(self, what: Button, under: Post, argument: str = "", *, by: Who = Who.ANNA) -> Pressed:
        message, person = self.fake.messages[under.id], self.people[by]
        before = {each.id for each in message.channel.messages()}
        custom_id = self._custom_id(what, message, argument)
        if custom_id is None:
            return await self._presses_what_is_gone(what, under, person)
        interaction = await self._press(str(custom_id), message, person)
        if isinstance(what, Act):
            post = Post(under.chat, interaction.id)
            self._before[post] = before
            return Pressed(post=post)
        await interaction.response()
        if what is Do.CANCEL and by is Who.ANNA:
            return Pressed()
        told = await interaction.answer()
        if what is Do.DELETE and told.controls():
            known = {(each.id, each.content) for each in person.sees(message.channel)}
            await person.presses(told, custom_id=told.controls()[0]["custom_id"])
            told = await self.fake.until(lambda: self._told_beside(known, person, message) or message.deleted)
        return Pressed(self._rendered(told.texts()) if isinstance(told, Message) else "")

    def _told_beside(self, known: set[tuple[str, str]], person: Person, message: Message) -> Message | None:
        """What only this person sees, and did not see before: anew, or in place of the question."""
        mine = [each for each in person.sees(message.channel) if each.seen_by is person]
        return next((each for each in mine if (each.id, each.content) not in known), None)

    def _custom_id(self, what: Button, message: Message, argument: str) -> ButtonId | None:
        found = next((each for each in buttons_of(message) if means(each, what, argument)), None)
        assert found is not None or isinstance(what, Say) or what is Do.NOT_NOW
        return found

    async def _presses_what_is_gone(self, what: Button, under: Post, person: Person) -> Pressed:
        """A client that is behind still shows it. What the press stands for reaches the house all the same."""
        assert isinstance(what, Say) or what is Do.NOT_NOW
        account = self.fake.bot.id
        reply = message_ref(account, self.chats[under.chat].id, under.id)
        turn = await self.fake.until(
            lambda: next((turn for turn, shown in self.replies.items() if shown == reply), None)
        )
        say = what if isinstance(what, Say) else None
        words = await self.house.reception.allow(turn, chat=reply.chat, by=user_ref(person.id), say=say)
        return Pressed(words)

    async def _press(self, custom_id: str, message: Message, person: Person) -> Interaction:
        """Discord's own client shows an old message as it was for a moment: whatever stood there can be pressed."""
        select = next(
            (each for each in message.controls() if custom_id in [o["value"] for o in each.get("options") or ()]), None
        )
        data: dict[str, Any] = {"component_type": 2, "custom_id": custom_id, "id": 1}
        if select is not None:
            data = {"component_type": 3, "custom_id": select["custom_id"], "values": [custom_id], "id": 1}
        return self.fake.interactions.start(COMPONENT, person, message.channel, data, message=message)

    # --- what people see

    async def sees(self, chat: Where = Where.HOME, *, by: Who = Who.ANNA) -> list[Seen]:
        return [self._seen(chat, message) for message in self.chats[chat].messages()]

    async def waits_for(self, post: Post, until: Callable[[Seen], bool] = is_final, *, by: Who = Who.ANNA) -> Seen:
        def found() -> Seen | None:
            seen = [self._seen(post.chat, each) for each in self._answers(post)]
            return next((each for each in seen if until(each)), None)

        answer: Seen = await self.fake.until(found, within_s=15)
        return answer

    def _answers(self, post: Post) -> list[Message]:
        ours = [each for each in self.chats[post.chat].messages() if each.author is self.fake.bot]
        if post in self._before:
            return [each for each in ours if each.id not in self._before[post]][:1]
        return [each for each in ours if each.reply_to == post.id]

    def _seen(self, chat: Where, message: Message) -> Seen:
        standing = buttons_of(message)
        verbs = {each.verb for each in standing}
        acts = {each.argument.partition(".")[0] for each in standing if each.verb is Verb.PRESS}
        buttons: set[Button] = {Act(act) for act in acts}
        buttons |= {what for verb, what in BY_VERB.items() if verb in verbs}
        buttons |= CONSENT if Verb.ALLOW in verbs else set()
        buttons |= {*Choice, Do.END_VOTE} if Verb.VOTE in verbs else set()
        return Seen(
            post=Post(chat, message.id),
            is_ours=message.author is self.fake.bot,
            words=self._rendered(message.texts()),
            pictures=tuple(Shown(each.data, each.description or "") for each in message.attachments),
            buttons=frozenset(buttons),
            is_open=bool(verbs & {Verb.CANCEL, Verb.ALLOW}),
            notified=tuple(each.name for each in message.mentions),
        )

    def _rendered(self, text: str) -> str:
        """As a client shows it: names for mentions, and what is escaped as it is."""

        def named(match: re.Match[str]) -> str:
            user = self.fake.users.get(match[1])
            return f"@{user.name}" if user else match[0]

        people = _MENTION.sub(named, text.replace("\\<", "\0"))
        return _ESCAPED.sub(r"\1", _LINK.sub(r"\1", people).replace("\0", "<")).replace("\u200b", "")
