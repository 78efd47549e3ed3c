"""discord.py's client, kept small: nothing is remembered of a server but what is asked of it here.

The one place that reaches into the library (2.7). Payloads of messages are handed on as they come, instead of being
built into objects of which most would be looked at and dropped. And of what a server says of itself, the large parts
that nobody here reads are left out before they are kept: overwrites among them, so that a channel's `permissions_for`
is not to be asked (interactions bring their own).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import discord
import structlog
import yarl
from discord.state import AutoShardedConnectionState

from adapters.discord.inbound import snowflake_at
from adapters.discord.shards import Shards
from adapters.discord.talked import TALKED_S, talked_in
from bot.ending import end

log = structlog.get_logger("discord")

Take = Callable[[Mapping[str, Any], bool], None]
"""A message's payload, and whether it is an update of one. Called for every message: it must return at once."""

_UNREAD_OF_A_SERVER = (
    "presences",
    "voice_states",
    "emojis",
    "stickers",
    "soundboard_sounds",
    "stage_instances",
    "guild_scheduled_events",
    "embedded_activities",
    "description",
)
_UNREAD_OF_A_CHANNEL = ("topic", "permission_overwrites", "available_tags", "default_reaction_emoji", "icon_emoji")
_UNREAD_OF_A_ROLE = ("icon", "unicode_emoji", "colors")


class Doorbell(Protocol):
    """What commands, buttons and forms come to."""

    async def setup(self, client: discord.Client) -> None:
        """Called once the client is logged in, and before it hears anything."""
        ...

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None: ...

    async def close(self) -> None:
        """No more will be taken. Returns when what was taken is dealt with, or after a few seconds."""
        ...


class Listener(Protocol):
    """What happens to the connection. Called in order; must return at once."""

    def began(self, shard: int) -> None:
        """A new session: what came before it is not sent."""
        ...

    def ready(self, shard: int) -> None:
        """The servers of a new session are known."""
        ...

    def resumed(self, shard: int) -> None:
        """The session goes on, and what was missed has been sent."""
        ...

    def lost(self, shard: int) -> None: ...

    def left(self, shard: int) -> None:
        """Another process hears it from now on."""
        ...

    def changed(self, server: int, channel: int | None) -> None:
        """Permissions may be others than before, in this channel or in all of the server."""
        ...


class _LeanState(AutoShardedConnectionState[discord.AutoShardedClient]):
    take: Take
    talked: dict[int, Mapping[int, int]]

    def end_waiting(self) -> None:
        """The library leaves the tasks behind that wait for a session's last server."""
        for task in self._ready_tasks.values():
            task.cancel()

    def parse_message_create(self, data: Any) -> None:
        self._hand_on(data, updated=False)

    def parse_message_update(self, data: Any) -> None:
        self._hand_on(data, updated=True)

    def _hand_on(self, data: Any, *, updated: bool) -> None:
        """What is raised in here would end the connection."""
        try:
            if not updated:
                self._note_newest(data)
            self.take(data, updated)
        except Exception as error:
            log.error("message not understood", error=type(error).__name__)

    def _note_newest(self, data: Any) -> None:
        """As the library does it: by it is known whether a chat has anything to be read (`catching_up`)."""
        guild = self._get_guild(int(data.get("guild_id") or 0))
        channel = None if guild is None else guild.get_channel_or_thread(int(data["channel_id"]))
        if isinstance(channel, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.Thread)):
            channel.last_message_id = int(data["id"])

    def parse_guild_create(self, data: Any) -> None:
        try:
            after = snowflake_at(time.time() - TALKED_S)
            self.talked[int(data["id"])] = talked_in(data, self.self_id, after=after)
        except (LookupError, TypeError, ValueError) as error:
            log.error("server not understood", error=type(error).__name__)
        super().parse_guild_create(_lean_guild(data, self.self_id))

    def parse_guild_update(self, data: Any) -> None:
        super().parse_guild_update(_lean_guild(data, self.self_id))

    def parse_channel_create(self, data: Any) -> None:
        super().parse_channel_create(_lean_channel(data))

    def parse_channel_update(self, data: Any) -> None:
        super().parse_channel_update(_lean_channel(data))


class LeanClient(discord.AutoShardedClient):
    """One connection per shard, which the library keeps up by itself. It remembers no messages and no members."""

    def __init__(
        self,
        *,
        intents: discord.Intents,
        take: Take,
        listener: Listener,
        doorbell: Doorbell,
        shards: Shards | None = None,
    ) -> None:
        """`shards` are those that this process shares with others; without, it hears all."""
        self._shares = shards
        self._dividing: asyncio.Task[None] | None = None
        self._gateway_url = yarl.URL()
        self._known: set[int] = set()
        self._take = take
        self._listener = listener
        self._doorbell = doorbell
        # Below this level the library logs all that it hears, word for word, and interactions' tokens.
        logging.getLogger("discord.gateway").setLevel(logging.INFO)
        super().__init__(
            intents=intents,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    def _get_state(self, **options: Any) -> Any:
        state = _LeanState(
            dispatch=self.dispatch, handlers=self._handlers, hooks=self._hooks, http=self.http, **options
        )
        state.take = self._take
        state.talked = {}
        self._lean = state
        return state

    async def close(self) -> None:
        if self._dividing is not None and self._dividing is not asyncio.current_task():
            await end(self._dividing)
        self._lean.end_waiting()
        await super().close()

    def knows(self, server: int) -> bool:
        """Whether all servers of that one's shard are known here."""
        return (server >> 22) % (self.shard_count or 1) in self._known

    @property
    def talked(self) -> Mapping[int, Mapping[int, int]]:
        """Servers → chats there in which somebody wrote within `TALKED_S` before the session began, and which the bot
        may read → the newest message of that time."""
        return self._lean.talked

    # --- shards that are shared (adapters.discord.shards.Connections)

    async def launch_shards(self) -> None:
        if self._shares is None:
            await super().launch_shards()
            return
        recommended, url, limits = await self.http.get_bot_gateway()
        count = await self._shares.begin(recommended, cast(Mapping[str, Any], limits))
        self._gateway_url = yarl.URL(url)
        self.shard_count = self._connection.shard_count = count
        self._dividing = asyncio.create_task(self._shares.keep(self, count), name="shards")

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if self._shares is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self._shares.may_identify(shard_id or 0)

    async def open_shard(self, shard: int) -> None:
        await self.launch_shard(self._gateway_url, shard, initial=True)

    async def close_shard(self, shard: int) -> None:
        self._known.discard(shard)
        self._listener.left(shard)
        connected = self.get_shard(shard)
        if connected is not None:
            await connected.disconnect()

    async def setup_hook(self) -> None:
        try:
            await self._doorbell.setup(self)
        finally:
            # Given up while it slept for a global limit, the library would hold all later requests for ever.
            cast(Any, self.http)._global_over.set()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await self._doorbell.on_interaction(interaction)

    # --- the connection

    async def on_shard_connect(self, shard: int) -> None:
        self._listener.began(shard)

    async def on_shard_ready(self, shard: int) -> None:
        self._known.add(shard)
        self._listener.ready(shard)

    async def on_shard_resumed(self, shard: int) -> None:
        self._listener.resumed(shard)

    async def on_shard_disconnect(self, shard: int) -> None:
        self._listener.lost(shard)

    # --- what may have opened a chat again

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self._listener.changed(guild.id, None)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.permissions != after.permissions and _is_ours(after):
            self._listener.changed(after.guild.id, None)

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        self._listener.changed(role.guild.id, None)

    async def on_member_update(self, _before: discord.Member, after: discord.Member) -> None:
        # Of members only the bot itself is known.
        self._listener.changed(after.guild.id, None)

    async def on_guild_channel_update(self, _before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        self._listener.changed(after.guild.id, after.id)

    async def on_raw_thread_update(self, update: discord.RawThreadUpdateEvent) -> None:
        self._listener.changed(update.guild_id, update.thread_id)


def _is_ours(role: discord.Role) -> bool:
    """Whether the bot has that role; everybody has the first one."""
    return role.is_default() or role in role.guild.me.roles


def _lean_guild(guild: dict[str, Any], own_id: int | None) -> Any:
    lean = _without(guild, _UNREAD_OF_A_SERVER)
    if "channels" in lean:
        lean["channels"] = [_lean_channel(each) for each in lean["channels"]]
    if "roles" in lean:
        lean["roles"] = [_without(each, _UNREAD_OF_A_ROLE) for each in lean["roles"]]
    if "members" in lean:
        lean["members"] = [each for each in lean["members"] if each["user"]["id"] == str(own_id)]
    return lean


def _lean_channel(channel: dict[str, Any]) -> Any:
    return _without(channel, _UNREAD_OF_A_CHANNEL)


def _without(payload: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key not in keys}
