"""The Discord application behind a bot: what it may do, who may add it, and the links to add it by."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

import aiohttp
import discord

from adapters.discord.api import TokenRefused, Unavailable, point_at
from adapters.discord.gateway import ContentIntent, content_intent_of
from adapters.discord.refs import account_of

PERMISSIONS: Final = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    embed_links=True,
    read_message_history=True,
)
"""All that the bot needs in a server."""
_NAMES: Final = {
    "read_messages": "View Channels",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}
"""As Discord's own settings call them."""
MOST_SERVERS: Final = 1000
"""Of more it is not asked what the bot may do there."""
_AT_ONCE: Final = 200
_ASK_S = 20.0


@dataclass(frozen=True, slots=True)
class Lack:
    """A server that does not let the bot do all that it needs, by the roles that the bot has there; `names` say what,
    as Discord's settings do. What single channels allow or forbid is not in it."""

    server: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """As Discord describes it. `by_people`: people may add it to their own account. `elsewhere`: what people press is
    sent to an address on the web, so that it never reaches the bot. `lacks` are of the first `MOST_SERVERS` servers."""

    id: str
    bot_name: str
    servers: int
    content: ContentIntent
    public: bool
    by_people: bool
    elsewhere: bool
    lacks: tuple[Lack, ...] = ()


async def ask_application(token: str, *, api_base: str = "") -> Application:
    """Sign in and look, without going online. Raises `ValueError` in words for the operator, or `Unavailable`."""
    account_of(token)
    point_at(api_base)
    client = discord.Client(intents=discord.Intents(guilds=True))
    try:
        async with asyncio.timeout(_ASK_S):
            await client.login(token)
            return replace(_application_of(client), lacks=await _lacks(client))
    except discord.LoginFailure:
        failure: Exception = TokenRefused()
    except (OSError, TimeoutError, aiohttp.ClientError, discord.HTTPException) as error:
        failure = Unavailable(f"Discord does not answer ({type(error).__name__})")
    finally:
        await client.close()
    raise failure  # out here, so that no library error is its context


def _application_of(client: discord.Client) -> Application:
    about, user = client.application, client.user
    if about is None or user is None:
        raise Unavailable("Discord said nothing of the application")
    return Application(
        id=str(about.id),
        bot_name=user.display_name,
        servers=about.approximate_guild_count,
        content=content_intent_of(about.flags),
        public=about.bot_public,
        by_people=_is_for_people(about),
        elsewhere=about.interactions_endpoint_url is not None,
    )


async def _lacks(client: discord.Client) -> tuple[Lack, ...]:
    """Asked once for every 200 servers."""
    found: list[Lack] = []
    after: int | None = None
    for _ in range(MOST_SERVERS // _AT_ONCE):
        servers = await client.http.get_guilds(_AT_ONCE, after=after, with_counts=False)
        for each in servers:
            if missing := missing_of(discord.Permissions(int(each.get("permissions", 0)))):
                found.append(Lack(each["name"], missing))
        if len(servers) < _AT_ONCE:
            break
        after = int(servers[-1]["id"])
    return tuple(found)


def missing_of(given: discord.Permissions) -> tuple[str, ...]:
    """What of all that the bot needs is not given."""
    if given.administrator:
        return ()
    return tuple(_NAMES[name] for name, needed in PERMISSIONS if needed and not getattr(given, name))


def _is_for_people(about: discord.AppInfo) -> bool:
    try:
        return about.user_integration_config is not None
    except TypeError:  # the library on an installation without settings of its own
        return True


def server_link(application: str) -> str:
    """Where a server's owner adds the bot, with exactly what it needs."""
    link = discord.utils.oauth_url(application, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))
    return f"{link}&integration_type=0"


def personal_link(application: str) -> str:
    """Where anybody adds the bot to their own account."""
    return f"{discord.utils.oauth_url(application, scopes=('applications.commands',))}&integration_type=1"
