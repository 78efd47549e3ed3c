"""The page of one shared result, for whoever has its link: no login, no session, no cookie, and nothing else of the
chat that it comes from. Whether it may be seen is asked anew each time, so nobody may keep a copy of the answer."""

from __future__ import annotations

import re
import time
from html import escape
from pathlib import Path
from string import Template
from typing import Final, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from adapters.web.often import Often
from adapters.web.speech import headers_of_speech, tag_spoken
from bot.domain.images import EXTENSIONS
from bot.domain.language import N_, tr
from bot.domain.sharing import SharedResult, credit_words
from bot.ports import Clock, ImageStore

STATIC: Final = Path(__file__).parent / "static"
MOST: Final = 120
"""So often one address may ask within a minute, pictures included."""

_TOKEN = re.compile(r"[0-9a-f]{40}")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive, noimageindex",
}
_GONE: Final = (
    N_("There is nothing to see here"),
    N_("This link leads nowhere, or what it showed is not shared any more."),
)
_TOO_OFTEN: Final = (N_("One moment, please"), N_("You have looked here very often. Please try again in a minute."))


class Shown(Protocol):
    """The part of `bot.ports.Rooms` that is needed here."""

    async def shared(self, token: str) -> SharedResult | None: ...


class SharedPages:
    """`behind_https`: a proxy of ours stands in front, and says whom it speaks for."""

    def __init__(
        self, *, rooms: Shown, images: ImageStore, behind_https: bool = False, now: Clock = time.monotonic
    ) -> None:
        self._rooms = rooms
        self._images = images
        self._often = Often(MOST, behind_https=behind_https, now=now)
        self._page = Template((STATIC / "shared.html").read_text("utf-8"))
        self._nothing = Template((STATIC / "nothing-shared.html").read_text("utf-8"))

    async def page(self, request: web.Request) -> web.Response:
        """GET /s/{token}"""
        if self._often.is_too_often(request):
            return self._told(429, *_TOO_OFTEN)
        token = request.match_info["token"]
        shared = await self._find(token)
        if shared is None:
            return self._told(404, *_GONE)
        return _html(200, self._page.substitute(_fields(token, shared)))

    async def picture(self, request: web.Request) -> web.Response:
        """GET /s/{token}/picture: the labelled file, byte for byte. With ?download=1, to be kept."""
        if self._often.is_too_often(request):
            return self._told(429, *_TOO_OFTEN)
        shared = await self._find(request.match_info["token"])
        if shared is None:
            return self._told(404, *_GONE)
        image = shared.picture.image
        try:
            data = await self._images.get(image.sha256)
        except KeyError:
            return self._told(404, *_GONE)
        headers = _HEADERS | {"Content-Security-Policy": "default-src 'none'; sandbox"}
        if request.query.get("download"):
            name = f"remixbot-{image.sha256[:8]}.{EXTENSIONS[image.media_type]}"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return web.Response(body=data, content_type=image.media_type, headers=headers)

    async def _find(self, token: str) -> SharedResult | None:
        return await self._rooms.shared(token) if _TOKEN.fullmatch(token) else None

    def _told(self, status: int, title: str, words: str) -> web.Response:
        return _html(
            status, self._nothing.substitute(lang=tag_spoken(), title=escape(tr(title)), words=escape(tr(words)))
        )


def _html(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS | headers_of_speech())


def _fields(token: str, shared: SharedResult) -> dict[str, str]:
    """What goes into the page. Everything that people wrote is escaped."""
    image, address = shared.picture.image, f"/s/{token}/picture"
    picture = (
        f'<img src="{address}" alt="{escape(shared.picture.alt)}" width="{image.width_px}" height="{image.height_px}">'
    )
    if shared.spoiler:
        opens = escape(tr("Hidden. Open it to see the picture."))
        picture = f'<details class="veil"><summary>{opens}</summary>{picture}</details>'
    steps = "".join(f'<li dir="auto">{escape(step)}</li>' for step in shared.steps)
    # TRANSLATORS: a heading above the steps that led to a picture
    way = escape(tr("How it came about"))
    return {
        "lang": tag_spoken(),
        "title": escape(tr("A picture made with Remixbot")),
        "actions": escape(tr("With this picture")),
        # TRANSLATORS: a button
        "keep": escape(tr("Download")),
        # TRANSLATORS: a link to a page on which people find out where a picture comes from
        "check": escape(tr("Check a picture")),
        "from": escape(tr("Shared from a chat with Remixbot. The file itself says how it was made, too.")),
        "label": escape(shared.picture.label),
        "credit": escape(credit_words(shared)),
        "picture": picture,
        "steps": f'<section><h2>{way}</h2><ol class="steps">{steps}</ol></section>' if steps else "",
        "download": f"{address}?download=1",
        "remix": _remix(shared.remix),
    }


def _remix(link: str) -> str:
    if urlsplit(link).scheme not in {"https", "http"}:
        return ""
    # TRANSLATORS: a button that leads to the chat where this picture can be edited further
    words = escape(tr("Remix this"))
    return f'<a class="remix" href="{escape(link)}" rel="noopener noreferrer">{words}</a>'
