"""One Telegram bot account, put together: its door out, and its door in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from adapters.telegram.access import Access
from adapters.telegram.albums import Gathering
from adapters.telegram.api import TelegramApi
from adapters.telegram.commands import Commands
from adapters.telegram.door import Door
from adapters.telegram.errors import Rejected, TokenRefused
from adapters.telegram.files import Files
from adapters.telegram.greeting import Greeting
from adapters.telegram.inbox import IDLE_S, Arrived, Mailroom
from adapters.telegram.inline import Inline
from adapters.telegram.menu import set_menus
from adapters.telegram.outbound import TelegramPlatform
from adapters.telegram.polling import Polling
from adapters.telegram.ports import Me, TelegramStores
from adapters.telegram.presses import Presses
from adapters.telegram.refs import account_of
from adapters.telegram.saying import Saying
from adapters.telegram.settings import Settings
from adapters.telegram.webhook import Webhook
from bot.ending import end
from bot.insisting import Hopeless, insist
from bot.ports import ImageStore, MessageStore, Rooms


class TelegramDoor:
    """Lets messages in: Telegram is asked for them, or calls. `routes` are for the page's server, where it calls."""

    def __init__(
        self, account: TelegramAccount, rooms: Rooms, *, public_url: str, holder: str, idle_s: float = IDLE_S
    ) -> None:
        self._account = account
        self._rooms = rooms
        self._idle_s = idle_s
        self._me: Me | None = None
        self._door: Door | None = None
        self._gathering: Gathering | None = None
        api, stores, id_ = account.api, account.stores, account.platform.account
        self._mail = Mailroom(stores.inbox, self._deal_with, account=id_, holder=holder, idle_s=idle_s)
        self._webhook: Webhook | None = None
        self._polling: Polling | None = None
        if public_url:
            self._webhook = Webhook(
                api,
                stores.inbox,
                stores.own,
                self._mail.arrived,
                account=id_,
                token=account.token,
                public_url=public_url,
            )
        else:
            self._polling = Polling(api, stores.inbox, stores.own, self._mail.take_in, account=id_, holder=holder)

    def routes(self) -> Sequence[web.RouteDef]:
        return self._webhook.routes() if self._webhook is not None else ()

    @property
    def trouble(self) -> str:
        """Why nothing is heard now, for the operator; empty where all is, or another process hears it."""
        hearing = self._webhook or self._polling
        return hearing.trouble if hearing is not None else ""

    async def run(self) -> None:
        """Lives until it is cancelled. Who we are is asked first; meanwhile what comes is stored all the same."""
        hearing = self._webhook or self._polling
        assert hearing is not None
        tasks = [asyncio.create_task(hearing.run(), name="telegram hears")]
        try:
            me = await insist(self._account.api.me, what="who we are on Telegram", much_later=(TokenRefused,))
            gathering = self._furnish(me)
            tasks += [
                asyncio.create_task(gathering.run(), name="telegram albums"),
                asyncio.create_task(self._set_menus(me), name="telegram menus"),
                asyncio.create_task(self._mail.run(), name="telegram mail"),
            ]
            await asyncio.gather(*tasks)
        finally:
            await end(*tasks)

    async def _set_menus(self, me: Me) -> None:
        api, own = self._account.api, self._account.stores.own
        with contextlib.suppress(Hopeless):
            await insist(lambda: set_menus(api, own, me), what="Telegram's menus", hopeless=(Rejected,))

    async def _deal_with(self, arrived: Arrived) -> None:
        assert self._door is not None
        await self._door.deal_with(arrived)

    def _furnish(self, me: Me) -> Gathering:
        rooms, account = self._rooms, self._account
        api, stores, platform = account.api, account.stores, account.platform
        saying = Saying(api, stores.ledger)
        access = Access(rooms, api)
        settings = Settings(rooms, api, saying, access)
        gathering = Gathering(rooms, api, stores.albums, stores.own, saying, me=me, life_s=self._idle_s)
        self._door = Door(
            rooms,
            api,
            stores.own,
            me=me,
            access=access,
            saying=saying,
            gathering=gathering,
            presses=Presses(
                rooms,
                api,
                stores.own,
                account.messages,
                me=me,
                saying=saying,
                access=access,
                files=Files(rooms, api, stores.own, stores.ledger, account.messages, is_local=api.local),
                settings=settings,
                orphans=platform,
                resending=platform,
                whole=gathering.whole,
            ),
            commands=Commands(rooms, account.messages, me=me, saying=saying, access=access, settings=settings),
            greeting=Greeting(api, stores.own, saying, me=me),
            orphans=platform,
            inline=Inline(rooms, api, stores.own, me=me),
        )
        return gathering


@dataclass(frozen=True, slots=True)
class TelegramAccount:
    """`platform` works by requests alone; `door_in` hears once it runs."""

    token: str = field(repr=False)
    api: TelegramApi
    stores: TelegramStores
    messages: MessageStore
    platform: TelegramPlatform
    public_url: str = ""
    _usernames: dict[str, str] = field(default_factory=dict[str, str])

    async def start_link(self, parameter: str) -> str:
        """Opens a chat with the bot that begins with /start and this (at most 64 of A-Z, a-z, 0-9, _ and -). Raises
        what asking Telegram raises."""
        if self.platform.account not in self._usernames:
            self._usernames[self.platform.account] = (await self.api.me()).username
        return f"https://t.me/{self._usernames[self.platform.account]}?start={parameter}"

    def door_in(self, rooms: Rooms, *, holder: str = "this", idle_s: float = 2.0) -> TelegramDoor:
        """`holder` names this process among those that share an account; `idle_s` is how long one of them may show no
        life before others take over what it took."""
        return TelegramDoor(self, rooms, public_url=self.public_url, holder=holder, idle_s=idle_s)


@contextlib.asynccontextmanager
async def open_account(
    token: str,
    *,
    stores: TelegramStores,
    images: ImageStore,
    messages: MessageStore,
    api_base: str = "",
    local: bool = False,
    public_url: str = "",
) -> AsyncGenerator[TelegramAccount]:
    """Asks Telegram nothing yet. Raises `ValueError` in words for the operator."""
    token = token.strip()
    account_of(token)
    api = TelegramApi(token, store=stores.own, pace=stores.pace, images=images, api_base=api_base, local=local)
    platform = TelegramPlatform(api, stores.own, stores.ledger, images, messages)
    try:
        yield TelegramAccount(token, api, stores, messages, platform, public_url)
    finally:
        await platform.close()
        await api.close()
