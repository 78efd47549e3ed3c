"""One Discord bot account, put together: its door out, and its door in."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from adapters.discord.api import DiscordApi
from adapters.discord.gateway import DiscordGateway
from adapters.discord.interactions import Interactions
from adapters.discord.outbound import DiscordPlatform
from adapters.discord.ports import DiscordStore, ShardStore
from adapters.discord.refs import account_of
from adapters.discord.shards import Shards
from bot.ports import ImageStore, MessageStore, Rooms


@dataclass(frozen=True, slots=True)
class DiscordAccount:
    """`platform` works by REST alone; `door_in` connects to the gateway once it runs."""

    token: str = field(repr=False)
    api: DiscordApi
    store: DiscordStore
    platform: DiscordPlatform

    def door_in(self, rooms: Rooms, shards: Shards | None = None) -> DiscordGateway:
        """`shards` are those that this process shares with others."""
        account = self.platform.account
        interactions = Interactions(rooms, self.store, self.platform, self.api, account=account)
        return DiscordGateway(
            rooms, self.store, self.api, token=self.token, account=account, interactions=interactions, shards=shards
        )

    def shared(self, store: ShardStore, *, holder: str, wanted: int) -> Shards:
        """What this process, known as `holder`, hears of all. `wanted` shards there are to be; 0: as Discord says."""
        return Shards(store, account=self.platform.account, holder=holder, wanted=wanted)


@contextlib.asynccontextmanager
async def open_account(
    token: str,
    *,
    store: DiscordStore,
    images: ImageStore,
    messages: MessageStore,
    api_base: str = "",
    gateway_url: str = "",
) -> AsyncGenerator[DiscordAccount]:
    """Asks Discord nothing yet: what runs here may never need to. Raises `ValueError` in words for the operator."""
    token = token.strip()
    account = account_of(token)
    api = DiscordApi(token, api_base=api_base, gateway_url=gateway_url)
    platform = DiscordPlatform(api, store, images, account=account, messages=messages)
    try:
        yield DiscordAccount(token, api, store, platform)
    finally:
        await platform.close()
        await api.close()
