"""What the page starts with: itself, and its words in the language of whoever opens it."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from aiohttp import ETag, web

from adapters.web.speech import headers_of_speech, tag_spoken
from bot.domain.language import spoken, tr
from bot.domain.refs import short_hash

STATIC: Final = Path(__file__).parent / "static"


class Words:
    """Reads them once. The browser keeps them, and asks each time whether they still hold."""

    def __init__(self) -> None:
        self._front = Template((STATIC / "index.html").read_text("utf-8"))
        catalogs = (STATIC / "words").glob("*.json")
        self._catalogs = {path.stem: json.loads(path.read_text("utf-8")) for path in catalogs}

    async def front(self, request: web.Request) -> web.Response:
        """GET /"""
        needs_script = tr("This page needs JavaScript to talk to Remixbot.")
        text = self._front.substitute(
            lang=tag_spoken(),
            no_script=escape(needs_script),
            description=escape(tr("Reply to a picture with what you want changed.")),
        )
        return _kept(request, text, "text/html")

    async def catalog(self, request: web.Request) -> web.Response:
        """GET /words.json: by English words, a text, or its forms by the number's category. English has none."""
        told = {"language": tag_spoken(), "words": self._catalogs.get(spoken(), {})}
        return _kept(request, json.dumps(told, ensure_ascii=False), "application/json")


def _kept(request: web.Request, text: str, media_type: str) -> web.Response:
    mark = ETag(short_hash(text))
    headers = {**headers_of_speech(), "Cache-Control": "no-cache", "ETag": f'"{mark.value}"'}
    if mark in (request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(text=text, content_type=media_type, headers=headers)
