"""Fetching what people sent. Addresses come out of messages, so they are hostile until checked: only Discord's own
hosts for files, and the host that stands in for Discord where one is set; no redirects, no cookies, no credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import yarl

from adapters.discord.api import DiscordApi, Rejected, Unavailable
from bot.domain.errors import BadPicture, ChatClosed
from bot.domain.language import N_, tr
from bot.domain.messages import Attachment

HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
FETCH_S: Final = 60
_CHUNK = 2**16
_EXPIRED = {401, 403, 404, 410}


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said of one kind of file that cannot be had."""

    gone: str
    unopened: str
    foreign: str
    too_large: str


_PICTURE = _Words(
    gone=N_("That picture is not here any more. Please send it once more."),
    unopened=N_("That picture can't be opened. Please send it once more."),
    foreign=N_("I can only take a picture that was sent on Discord itself."),
    too_large=N_("That picture is too large for me. I can take up to {megabytes} MB."),
)
_RECORDING = _Words(
    gone=N_("That recording is not here any more. Please send it once more."),
    unopened=N_("That recording can't be opened. Please send it once more."),
    foreign=N_("I can only take a recording that was sent on Discord itself."),
    too_large=N_("That recording is too large for me. I can take up to {megabytes} MB."),
)


def handle_of(channel_id: int | str, message_id: int | str, attachment_id: int | str, url: str) -> str:
    """How an attachment is found again. The ids may be empty: what belongs to no message has its address alone."""
    return f"{channel_id}:{message_id}:{attachment_id}:{url}"


class Fetcher:
    """Opened by the first fetch."""

    def __init__(self, api: DiscordApi) -> None:
        self._api = api
        self._stand_in = yarl.URL(api.api_base).origin() if api.api_base else None
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Raises `BadPicture`, or `Unavailable` where it may work later."""
        channel, message, file, url = attachment.handle.split(":", 3)
        words = _RECORDING if attachment.filename.endswith(".ogg") else _PICTURE
        data = await self._get(url, max_bytes, words)
        if data is None:  # an address lives about a day; the message knows its new one
            again = await self._address(channel, message, file) if message and file else None
            data = await self._get(again, max_bytes, words) if again else None
        if data is None:
            raise BadPicture(tr(words.gone))
        return data

    async def _address(self, channel: str, message: str, file: str) -> str | None:
        try:
            found = await self._api.message(channel, message)
        except (ChatClosed, Rejected):
            return None
        return next((str(each["url"]) for each in _attachments(found) if str(each.get("id")) == file), None)

    async def _get(self, address: str, max_bytes: int, words: _Words) -> bytes | None:
        """None where there is nothing at this address any more."""
        url = self._checked(address, words)
        try:
            async with asyncio.timeout(FETCH_S), self._opened().get(url, allow_redirects=False) as response:
                if response.status in _EXPIRED:
                    return None
                if response.status == 429 or response.status >= 500:
                    raise Unavailable(f"Discord's files can't be had now (status {response.status}).")
                if response.status != 200:
                    raise BadPicture(tr(words.unopened))
                return await _read(response, max_bytes, words)
        except (OSError, aiohttp.ClientError) as error:
            failure = f"Discord's files can't be had now ({type(error).__name__})."
        raise Unavailable(failure)

    def _checked(self, address: str, words: _Words) -> yarl.URL:
        try:
            url = yarl.URL(_as_uploaded(address), encoded=True)
            theirs = url.scheme == "https" and url.host in HOSTS and url.port == 443
            ours = self._stand_in is not None and url.absolute and url.origin() == self._stand_in
        except ValueError:
            theirs = ours = False
            url = yarl.URL()
        if not (theirs or ours) or url.user is not None or url.password is not None:
            raise BadPicture(tr(words.foreign))
        return url

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=32),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity"},
                trust_env=False,
            )
        return self._session


_MADE_ANEW: Final = ("format=", "width=", "height=", "quality=")


def _as_uploaded(address: str) -> str:
    """Without what asks Discord to make the picture anew: that takes out what its file says."""
    base, mark, query = address.partition("?")
    return base + mark + "&".join(part for part in query.split("&") if not part.startswith(_MADE_ANEW))


async def _read(response: aiohttp.ClientResponse, max_bytes: int, words: _Words) -> bytes:
    """Not a byte more is read than it takes to know that it is too large."""
    size, parts = 0, list[bytes]()
    if (response.content_length or 0) <= max_bytes:
        async for part in response.content.iter_chunked(_CHUNK):
            parts.append(part)
            if (size := size + len(part)) > max_bytes:
                break
        else:
            return b"".join(parts)
    response.close()  # the rest is not wanted
    raise BadPicture(tr(words.too_large).format(megabytes=max_bytes // 2**20))


def _attachments(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of a message, and of what it forwards."""
    yield from message.get("attachments", ())
    for snapshot in message.get("message_snapshots", ()):
        yield from snapshot.get("message", {}).get("attachments", ())
