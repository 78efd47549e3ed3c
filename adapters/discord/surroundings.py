"""What is known and what can be asked about the chats that the gateway hears."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import discord
import structlog
import yarl

from adapters.discord.api import GONE_WORDS, DiscordApi, Rejected, Unavailable
from adapters.discord.door import Spot
from adapters.discord.inbound import Payload, Place, Pointer
from adapters.discord.lean import LeanClient
from adapters.discord.locales import chosen_by
from adapters.discord.ports import ChatFacts
from adapters.discord.refs import chat_ref, nonce_of
from adapters.discord.render import NOBODY
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.language import tr
from bot.domain.refs import ChatRef, MessageRef, UserRef
from bot.recent import Recent

log = structlog.get_logger("discord")

_MOST_REMEMBERED = 1000


class DiscordSurroundings:
    """Answers out of the client's cache where it can, and asks Discord's API otherwise.

    `client` is the one that is connected now; the gateway changes it."""

    def __init__(self, api: DiscordApi, *, account: str) -> None:
        self.client: LeanClient | None = None
        self.reads_content = True
        self._api = api
        self._account = account
        self._cdn = str(yarl.URL(api.api_base).origin()) if api.api_base else discord.Asset.BASE
        self._above_sleeping: Recent[int, int] = Recent(_MOST_REMEMBERED)

    # --- where a message stands

    def place(self, payload: Payload) -> Place:
        guild = self._guild(payload.get("guild_id"))
        role = guild.self_role if guild is not None and payload.get("mention_roles") else None
        return Place(
            account=self._account,
            own_role="" if role is None else str(role.id),
            reads_content=self.reads_content,
            role_name=partial(_role_name, guild),
            channel_name=partial(_channel_name, guild),
            cdn=self._cdn,
            language=chosen_by(None if guild is None else guild.preferred_locale),
        )

    def shard(self, payload: Payload) -> int:
        return self._shard_of(payload.get("guild_id"))

    async def spot(self, channel: str, server: str) -> Spot:
        if not server:
            return Spot((channel,), (channel,), ChatFacts())
        guild = self._known_guild(server)
        parent_id = await self._above(guild, int(channel))
        parent = guild.get_channel(parent_id) if parent_id else None
        category = parent if parent_id and isinstance(parent, discord.CategoryChannel) else None
        in_thread = bool(parent_id) and category is None
        above_parent = parent.category_id if in_thread and parent is not None else None
        around = [channel, *(str(each) for each in (parent_id, above_parent) if each)]
        settled = [channel, str(parent_id)] if in_thread else [channel]
        age_limited = _is_age_limited(parent if in_thread else guild.get_channel(int(channel)))
        return Spot(tuple(around), tuple(settled), ChatFacts(guild.filesize_limit, age_limited, server))

    async def _above(self, guild: discord.Guild, channel: int) -> int:
        """The id of what a channel lies in, 0 for nothing."""
        known = guild.get_channel_or_thread(channel)
        if isinstance(known, discord.Thread):
            return known.parent_id
        if known is not None:
            return known.category_id or 0
        if channel not in self._above_sleeping:
            # A thread that slept when the session began.
            payload = await self._api.channel(str(channel))
            self._above_sleeping[channel] = int(payload.get("parent_id") or 0)
        return self._above_sleeping[channel]

    async def roles(self, server: str, person: str) -> tuple[str, ...]:
        member = await self._api.member(server, person)
        return tuple(str(role) for role in member.get("roles", ()))

    def chats_in(self, server: int, channel: int | None) -> set[str]:
        """The ids of a channel and its threads, or of all of a server's."""
        guild = None if self.client is None else self.client.get_guild(server)
        if guild is None:
            return set()
        if channel is None:
            return {str(each.id) for each in (*guild.channels, *guild.threads)}
        return {str(channel), *(str(each.id) for each in guild.threads if each.parent_id == channel)}

    # --- what was said

    async def look_up(self, pointer: Pointer, *, near: str) -> Payload | None:
        """Elsewhere only in servers where the bot is a member."""
        try:
            if pointer.channel != near and self._connected().knows(int(pointer.server or 0)):
                self._known_guild(pointer.server)  # of what others hear, Discord says itself whether it is for us
            return await self._api.message(pointer.channel, pointer.message)
        except (ChatClosed, Rejected):
            return None

    def hears(self, shard: int, server: str) -> bool:
        self._connected()
        return self._shard_of(server) == shard and (not server or self._guild(server) is not None)

    async def server_of(self, chat: ChatRef) -> str:
        channel = await self._api.channel(chat.chat)
        return str(channel.get("guild_id") or "")

    def newest(self, chat: ChatRef) -> int | None:
        client = self.client
        channel = None if client is None else client.get_channel(int(chat.chat))
        return getattr(channel, "last_message_id", None)

    def talked_in(self, shard: int, *, after: int) -> Sequence[tuple[ChatRef, str]]:
        client = self.client
        if client is None:
            return ()  # the session is over: another one tells it anew
        found = [
            (newest, channel, str(server))
            for server, channels in client.talked.items()
            if self.hears(shard, str(server))
            for channel, newest in channels.items()
            if newest > after
        ]
        return [(chat_ref(self._account, channel), server) for _, channel, server in sorted(found, reverse=True)]

    async def history(self, chat: ChatRef, server: str, *, after: int, limit: int) -> Sequence[Payload]:
        found = await self._api.history(chat.chat, after=after, limit=limit)
        self._connected()  # what a message means is told by what the client knows
        of_server = {"guild_id": server} if server else {}
        return [each | of_server for each in sorted(found, key=_id_of)]

    # --- what is said beside answers

    async def say(self, to: MessageRef, words: str) -> None:
        reference = {"message_id": to.message, "fail_if_not_exists": False}
        payload: dict[str, Any] = {
            "content": words,
            "message_reference": reference,
            "allowed_mentions": NOBODY,
            "nonce": nonce_of(f"{to.key} {words}"),
            "enforce_nonce": True,
        }
        await self._api.post(to.chat.chat, payload)

    async def tell(self, person: UserRef, words: str) -> None:
        try:
            chat = await self._api.direct(person.user)
            await self._api.post(str(chat["id"]), {"content": words, "allowed_mentions": NOBODY})
        except Exception as error:
            log.info("person not told", error=type(error).__name__)

    # --- the client

    def _connected(self) -> LeanClient:
        if self.client is None:
            raise Unavailable("Not connected.")
        return self.client

    def _known_guild(self, server: str) -> discord.Guild:
        """Raises `Unavailable` until it is known, and `ChatGone` where the bot is no member any more: without it
        nobody can tell who may what there."""
        client = self._connected()
        guild = client.get_guild(int(server or 0))
        if guild is not None and not guild.unavailable:
            return guild
        if guild is None and client.knows(int(server or 0)):
            raise ChatGone(tr(GONE_WORDS))
        raise Unavailable("That server is not known yet.")

    def _guild(self, server: str | None) -> discord.Guild | None:
        return self.client.get_guild(int(server)) if self.client is not None and server else None

    def _shard_of(self, server: str | None) -> int:
        """Direct messages come by the first one."""
        count = (self.client.shard_count if self.client is not None else None) or 1
        return (int(server) >> 22) % count if server else 0


def _id_of(payload: Payload) -> int:
    return int(payload["id"])


def _role_name(guild: discord.Guild | None, id_: str) -> str | None:
    role = None if guild is None else guild.get_role(int(id_))
    return None if role is None else role.name


def _channel_name(guild: discord.Guild | None, id_: str) -> str | None:
    channel = None if guild is None else guild.get_channel_or_thread(int(id_))
    return None if channel is None else channel.name


def _is_age_limited(channel: object) -> bool:
    return bool(getattr(channel, "nsfw", False))
