"""The language that a request is answered in, as its browser asks for it."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.domain.language import accepted_language, speaking, spoken

_TAGS: Final = {"zh": "zh-Hans"}
"""Where fonts and voices need to know more than the language (BCP 47)."""


@web.middleware
async def speak(request: web.Request, handler: Handler) -> web.StreamResponse:
    """All that is done for a request speaks one language."""
    with speaking(language_of_request(request)):
        return await handler(request)


def language_of_request(request: web.Request) -> str:
    """Empty where the browser asks for none that we speak."""
    return accepted_language(", ".join(request.headers.getall("Accept-Language", ())))


def tag_spoken() -> str:
    """What a page says of its language."""
    return _TAGS.get(spoken(), spoken())


def headers_of_speech() -> dict[str, str]:
    """For answers that hold words of ours: nobody may take them for what another language would have got."""
    return {"Content-Language": tag_spoken(), "Vary": "Accept-Language"}
