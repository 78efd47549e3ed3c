"""Discord's REST interface, through the library's own client: its rate limiter, its retries, no gateway.

JSON goes in and comes out as it is: no objects are made of it. What goes wrong becomes one of these:

    ChatGone            (bot.domain.errors) the chat or the message is not there any more
    ChatClosed          (bot.domain.errors) as `Closed`: we may not write there for now
    DiscordError
    ├── Unavailable     limits, outages, the network: the same may work later
    ├── TokenExpired    an interaction's token is worth nothing any more
    ├── TooLarge        a file, or all of them together
    └── Rejected        Discord does not take what we sent; the same again would not help
    TokenRefused        (a ValueError) the bot's own token: words for the operator

No token is in any of them, nor in what is logged.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route

from adapters.discord.pace import Pace
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.language import N_, tr
from bot.sight.figures import platform_error

T = TypeVar("T")
Payload = dict[str, Any]
"""JSON that goes to Discord or comes from it."""

API: Final = "https://discord.com/api/v10"
GATEWAY: Final = DiscordWebSocket.DEFAULT_GATEWAY
CALL_S: Final = 60
UPLOAD_S: Final = 120
_LIMIT_S = 30.0
"""Longest wait for a rate limit before it is an error."""
_BANNED_S = 60.0
_REFUSED_S = 600.0
_TRIES = 3

_GONE = {10003, 10004, 10008}
_CLOSED = {50001, 50013, 160002, 160005, 50007, 50009, 20016}
_EXPIRED = {50027, 10015, 10062}
_ARCHIVED = 50083
_TOO_LARGE = 40005
_LATER = {20028, 30046, 130000, 40062}

CLOSED_WORDS = N_("I am not allowed to write there at the moment.")
GONE_WORDS = N_("That chat or message is not there any more.")


class DiscordError(Exception):
    """Root of what Discord answers beside an answer."""


class Unavailable(DiscordError):
    """The same may work later."""


class TokenExpired(DiscordError):
    """The interaction is over."""


class TooLarge(DiscordError):
    """More bytes than are taken there."""


class Rejected(DiscordError):
    """`code` is Discord's, 0 where it said none."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"Discord does not take this (status {status}, code {code}).")
        self.code = code


class TokenRefused(ValueError):
    """The words are for the operator."""

    def __init__(self) -> None:
        super().__init__(
            "Discord refused DISCORD_TOKEN. Make a new one on the page “Bot” of your Discord application, and copy it."
        )


class Closed(ChatClosed):
    """`discord_code` says why, in Discord's words."""

    def __init__(self, discord_code: int) -> None:
        super().__init__(tr(CLOSED_WORDS))
        self.discord_code = discord_code


class _Archived(DiscordError):
    """The thread is archived."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a message."""

    filename: str
    data: bytes


class _WithoutSecrets(logging.Filter):
    """What the library logs of its requests: below a warning it is bodies, and addresses hold interactions' tokens."""

    _TOKEN = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/?\s]+")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return False
        if "responded with 429" in str(record.msg):  # the library waits and tries again by itself
            platform_error("discord", "429")
        record.msg, record.args = self._TOKEN.sub(r"\1…", record.getMessage()), None
        return True


_WITHOUT_SECRETS = _WithoutSecrets()


def point_at(api_base: str = "", gateway_url: str = "") -> None:
    """Which server the library speaks to, in this whole process; empty for Discord's own."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody speaks here
    Route.BASE = api_base.rstrip("/") or API
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url) if gateway_url else GATEWAY
    for name in ("discord.http", "discord.webhook.async_", "discord.webhook"):
        logging.getLogger(name).addFilter(_WITHOUT_SECRETS)


class DiscordApi:
    """The calls that the door out makes. Opened by the first of them; each ends within `CALL_S`, uploads `UPLOAD_S`."""

    def __init__(self, token: str, *, api_base: str = "", gateway_url: str = "", pause_s: float = 1.0) -> None:
        """`pause_s` lies between the first two tries to sign in; the next one is twice as long."""
        point_at(api_base, gateway_url)
        self.api_base = api_base
        self._token = token.strip()
        self._pause_s = pause_s
        self._http: HTTPClient | None = None
        self._opening = asyncio.Lock()
        self._pace = Pace()
        self._quiet_until = 0.0
        self._refused_until = 0.0

    async def open(self) -> None:
        """Sign in. Raises `TokenRefused`, or `Unavailable` after a few tries."""
        await self._within(CALL_S, self._opened)

    async def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    # --- messages of chats

    async def post(self, channel: str, payload: Payload, files: Sequence[Upload] = ()) -> Payload:
        """Gives the message. With a nonce that Discord saw in the last minutes, the one that stands for it."""
        return await self._in_chat(channel, "POST", "/channels/{channel_id}/messages", payload, files)

    async def edit(self, channel: str, message: str, payload: Payload, files: Sequence[Upload] = ()) -> Payload:
        path = "/channels/{channel_id}/messages/{message_id}"
        return await self._in_chat(channel, "PATCH", path, payload, files, message_id=message)

    async def delete(self, channel: str, message: str) -> None:
        await self._in_chat(channel, "DELETE", "/channels/{channel_id}/messages/{message_id}", message_id=message)

    async def message(self, channel: str, message: str) -> Payload:
        path = "/channels/{channel_id}/messages/{message_id}"
        return await self._in_chat(channel, "GET", path, message_id=message)

    async def typing(self, channel: str) -> None:
        await self._in_chat(channel, "POST", "/channels/{channel_id}/typing")

    # --- what is known of chats and people

    async def channel(self, channel: str) -> Payload:
        return await self._call("GET", "/channels/{channel_id}", channel_id=channel)

    async def history(self, channel: str, *, after: int, limit: int) -> Sequence[Payload]:
        """Messages after this id, newest first, at most a hundred."""
        path = "/channels/{channel_id}/messages?after={after}&limit={limit}"
        found: Any = await self._call("GET", path, channel_id=channel, after=str(after), limit=str(limit))
        return cast(Sequence[Payload], found)

    async def member(self, guild: str, user: str) -> Payload:
        return await self._call("GET", "/guilds/{guild_id}/members/{user_id}", guild_id=guild, user_id=user)

    async def direct(self, user: str) -> Payload:
        """The channel of direct messages with somebody."""
        return await self._call("POST", "/users/@me/channels", {"recipient_id": user})

    # --- responses of interactions

    async def edit_response(
        self,
        application: str,
        token: str,
        payload: Payload,
        files: Sequence[Upload] = (),
        *,
        message: str = "@original",
    ) -> Payload:
        """Edit an interaction's response; or the follow-up that has this id."""
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
        about = {"webhook_id": application, "webhook_token": token, "message_id": message}
        return await self._call("PATCH", path, payload, files, **about)

    async def response(self, application: str, token: str) -> Payload:
        """An interaction's response, as it stands."""
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
        return await self._call("GET", path, webhook_id=application, webhook_token=token)

    async def follow_up(self, application: str, token: str, payload: Payload, files: Sequence[Upload] = ()) -> Payload:
        about = {"webhook_id": application, "webhook_token": token}
        return await self._call("POST", "/webhooks/{webhook_id}/{webhook_token}", payload, files, **about)

    async def delete_response(self, application: str, token: str, message: str) -> None:
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
        await self._call("DELETE", path, webhook_id=application, webhook_token=token, message_id=message)

    # --- one request

    async def _in_chat(
        self,
        channel: str,
        method: str,
        path: str,
        payload: Payload | None = None,
        files: Sequence[Upload] = (),
        **about: str,
    ) -> Payload:
        """An archived thread is opened once, as anybody does who writes in it."""
        try:
            return await self._call(method, path, payload, files, channel_id=channel, **about)
        except _Archived:
            pass
        try:
            await self._call("PATCH", "/channels/{channel_id}", {"archived": False}, channel_id=channel)
            return await self._call(method, path, payload, files, channel_id=channel, **about)
        except (_Archived, Rejected):
            raise Closed(_ARCHIVED) from None

    async def _call(
        self, method: str, path: str, payload: Payload | None = None, files: Sequence[Upload] = (), **about: str
    ) -> Payload:
        route = Route(method, path, **about)

        async def call() -> Payload:
            if "webhook_id" not in about:  # interactions have limits of their own
                await self._pace.turn()
            http = await self._opened()  # last: while it waited, Discord may have stopped to listen
            return cast(Payload, await self._request(http, route, payload, files))

        return await self._within(UPLOAD_S if files else CALL_S, call, webhook="webhook_id" in about)

    async def _within(self, seconds: float, call: Callable[[], Awaitable[T]], *, webhook: bool = False) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await call()
        except discord.HTTPException as error:
            failure = self._failure(error, webhook=webhook)
            platform_error("discord", str(error.status))
        except discord.RateLimited as error:
            failure = Unavailable(f"Discord asks to wait for {error.retry_after:.0f} seconds.")
            platform_error("discord", "429")
        except (OSError, aiohttp.ClientError) as error:
            failure = Unavailable(f"Discord does not answer ({type(error).__name__}).")
            platform_error("discord", type(error).__name__)
        raise failure  # out here, so that no library error is its context: those know addresses with tokens

    async def _request(self, http: HTTPClient, route: Route, payload: Payload | None, files: Sequence[Upload]) -> Any:
        try:
            if not files:
                return await (http.request(route) if payload is None else http.request(route, json=payload))
            # `File` can be read again, which the library's retries need.
            parts = [discord.File(io.BytesIO(each.data), filename=each.filename) for each in files]
            form: list[Payload] = [{"name": "payload_json", "value": json.dumps(payload)}]
            for index, part in enumerate(parts):
                form.append(
                    {
                        "name": f"files[{index}]",
                        "value": part.fp,
                        "filename": files[index].filename,
                        "content_type": "application/octet-stream",
                    }
                )
            return await http.request(route, files=parts, form=form)
        except asyncio.CancelledError:
            # Cancelled while it slept for a global limit, the library would hold all later requests for ever.
            cast(Any, http)._global_over.set()
            raise

    def _failure(self, error: discord.HTTPException, *, webhook: bool) -> Exception:
        now = asyncio.get_running_loop().time()
        if error.status == 401 and not webhook:
            self._refused_until = now + _REFUSED_S
        if error.status == 429 and not error.response.headers.get("Via"):
            self._quiet_until = now + max(_BANNED_S, _seconds(error.response.headers.get("Retry-After")))
        return failure_of(error.status, error.code, webhook=webhook)

    async def _opened(self) -> HTTPClient:
        """Nothing is asked while Discord would not listen: many refusals in a row shut out the whole host."""
        now = asyncio.get_running_loop().time()
        if now < self._refused_until:
            raise TokenRefused
        if now < self._quiet_until:
            raise Unavailable("Discord refuses this host's requests for now.")
        if self._http is not None:
            return self._http
        async with self._opening:
            if self._http is None:
                self._http = await self._sign_in()
            return self._http

    async def _sign_in(self) -> HTTPClient:
        for left in reversed(range(_TRIES)):
            http = HTTPClient(asyncio.get_running_loop(), max_ratelimit_timeout=_LIMIT_S)
            signed_in = False
            try:
                await http.static_login(self._token)
                signed_in = True
                return http
            except discord.LoginFailure:
                self._refused_until = asyncio.get_running_loop().time() + _REFUSED_S
                break
            except (OSError, aiohttp.ClientError, discord.DiscordServerError):
                if not left:
                    raise
            finally:
                if not signed_in:
                    await http.close()
            await asyncio.sleep(self._pause_s * (_TRIES - left))
        raise TokenRefused


def failure_of(status: int, code: int, *, webhook: bool) -> Exception:
    """What an error of Discord's means. `webhook` for an interaction's own addresses."""
    meanings = (
        (code == _ARCHIVED, _Archived()),
        (code == _TOO_LARGE or status == 413, TooLarge("The files are larger than Discord takes here.")),
        (webhook and (code in _EXPIRED or status == 401), TokenExpired("The interaction is over.")),
        (code in _LATER or status == 429 or status >= 500, Unavailable(f"Discord can't do it now ({status}, {code}).")),
        (status == 401, TokenRefused()),
        (code in _GONE or status == 404, ChatGone(tr(GONE_WORDS))),
        (code in _CLOSED or status == 403, Closed(code)),
    )
    return next((failure for holds, failure in meanings if holds), Rejected(status, code))


def _seconds(header: str | None) -> float:
    try:
        return min(3600.0, float(header or 0))
    except ValueError:
        return 0.0
