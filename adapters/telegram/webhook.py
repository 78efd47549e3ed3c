"""Telegram calls us, where the page has a public address. Several processes may be called at once.

What it brings is stored before it is answered; where that is not possible, it is asked to come again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web

from adapters.telegram.api import ALLOWED_UPDATES
from adapters.telegram.errors import TokenRefused
from adapters.telegram.polling import CONFLICT, FIRST_WAIT_S, LONGEST_WAIT_S, REFUSED_WORDS
from adapters.telegram.ports import Inbox, Json, Telegram, TelegramStore
from bot.ending import is_ending

log = structlog.get_logger("telegram")

PATH: Final = "/telegram"
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
MOST_BYTES: Final = 2**20
"""Of one update."""
STORE_S: Final = 10.0
"""Longer than that, the store is taken for down. Telegram itself waits for 60 s."""
CHECK_EVERY_S: Final = 600.0
CONNECTIONS: Final = 40
"""At once, of Telegram's (100 at most)."""


OTHER_WORDS: Final = (
    "another program has told Telegram to bring this bot's messages elsewhere; stop it, or give this one a token of "
    "its own"
)


def secret_of(token: str) -> str:
    """What Telegram shows to be let in: 64 characters of [0-9a-f]. All who know the token know it."""
    return hmac.new(token.encode(), b"remixbot: telegram webhook", hashlib.sha256).hexdigest()


class Webhook:
    """`routes` are for the page's server; `run` tells Telegram where they are, and sees that it stays so."""

    def __init__(
        self,
        telegram: Telegram,
        inbox: Inbox,
        store: TelegramStore,
        arrived: Callable[[], None],
        *,
        account: str,
        token: str,
        public_url: str,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        self._telegram = telegram
        self._inbox = inbox
        self._store = store
        self._arrived = arrived
        self._account = account
        self._secret = secret_of(token)
        self._check_every_s = check_every_s
        self.url = public_url.rstrip("/") + PATH
        self.trouble = "Telegram was not told yet where to call"
        """Why nothing is heard now, for the operator; empty where all is."""

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post(PATH, self.called)]

    # --- being called

    async def called(self, request: web.Request) -> web.Response:
        """Says nothing but a number, to whomever."""
        shown = request.headers.get(HEADER, "").encode(errors="surrogateescape")
        if not hmac.compare_digest(shown, self._secret.encode()):
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        body = await _body_of(request)
        if body is None:
            return web.Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        update_id = _id_of(body)
        if update_id is None:
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        try:
            async with asyncio.timeout(STORE_S):
                await self._inbox.take_in(self._account, [(update_id, body)])
        except Exception as error:
            log.warning("message not stored", error=type(error).__name__)
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        self._arrived()
        return web.Response()

    # --- telling Telegram

    async def run(self) -> None:
        """Lives until it is cancelled. The address stays with Telegram when it ends: another process may be there, and
        what comes meanwhile is kept."""
        is_told = False
        wait_s = FIRST_WAIT_S
        while not is_ending():
            try:
                if not is_told:
                    await self._tell()
                    is_told = True
                    self.trouble = ""
                await asyncio.sleep(self._check_every_s)
                is_told = await self._stands()
                self.trouble = "" if is_told else "Telegram calls another address"
                wait_s = FIRST_WAIT_S
                continue
            except TokenRefused:
                log.error(REFUSED_WORDS)
                self.trouble = "Telegram refuses TELEGRAM_TOKEN"
                wait_s = LONGEST_WAIT_S
            except Exception as error:
                log.warning("Telegram was not told where to call", error=type(error).__name__, again_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _tell(self) -> None:
        told: Json = {
            "url": self.url,
            "secret_token": self._secret,
            "allowed_updates": list(ALLOWED_UPDATES),
            "max_connections": CONNECTIONS,
            "drop_pending_updates": False,
        }
        await self._telegram.call("setWebhook", told)
        log.info("Telegram calls us")

    async def _stands(self) -> bool:
        """Whether Telegram still calls us. What went wrong there is worth a line in the log."""
        info: Any = await self._telegram.call("getWebhookInfo", {})
        is_ours = bool(info.get("url") == self.url)
        if not is_ours:
            log.error(OTHER_WORDS)
        await self._store.note(CONFLICT, "" if is_ours else OTHER_WORDS)
        if info.get("last_error_message") and info.get("pending_update_count"):
            log.warning("Telegram has trouble to call us", waiting=info["pending_update_count"])
        return is_ours


async def _body_of(request: web.Request) -> bytes | None:
    """None where it is too large."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(2**16):
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _id_of(body: bytes) -> int | None:
    """The update's number; None for what is no update."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    number = found.get("update_id") if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return number if isinstance(number, int) and not isinstance(number, bool) else None
