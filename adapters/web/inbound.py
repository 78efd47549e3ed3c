"""The page's door in: a posted form, read part by part, becomes the fields of a message.

Files go to the spool as they come, one at a time in memory. What is wrong is said only after the rest of the body was
read and thrown away: a browser that is still sending would not listen. Words without files may come urlencoded, since
simple programs send them so.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from adapters.web.ports import UploadSpool
from adapters.web.problems import (
    Problem,
    bad_key,
    image_too_large,
    no_such_chat,
    no_such_reply,
    text_too_long,
    too_many_images,
    too_slow,
    unreadable_form,
)
from bot.domain.messages import Attachment

TEXT_CHARS: Final = 4000
IMAGES: Final = 10
KEY_CHARS: Final = 200
_CHAT = re.compile(r"[a-z0-9-]{1,64}")
_FIELD_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 256 * 1024
_DRAIN_BYTES: Final = 512 * 2**20
_DRAIN_S: Final = 60
_BODY_S: Final = 600
_URLENCODED: Final = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Form:
    """What was posted. Grows while it is read."""

    text: str = ""
    reply_to: str = ""
    uploads: list[Attachment] = field(default_factory=list[Attachment])


def chat_of(request: web.Request) -> str:
    """The chat that a request is about."""
    chat = request.match_info["chat"]
    if not _CHAT.fullmatch(chat):
        raise no_such_chat()
    return chat


def idempotency_key(request: web.Request) -> str:
    """What makes a post repeatable; a fresh one where the caller gave none."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return secrets.token_urlsafe(16)
    if not (0 < len(key) <= KEY_CHARS and key.isascii() and key.isprintable()):
        raise bad_key()
    return key


async def read_form(request: web.Request, spool: UploadSpool, *, message: str, max_image_bytes: int) -> Form:
    """Raises `Problem`; then nothing of it is left in the spool."""
    form = Form()
    prefix = f"{message}-{secrets.token_hex(4)}"  # two tries of one message at once do not share files
    try:
        async with asyncio.timeout(_BODY_S):
            if request.content_type == _URLENCODED:
                await _read_urlencoded(request, form)
            else:
                await _read_parts(request, spool, form, prefix, max_image_bytes)
    except BaseException as error:
        await drop(spool, form)
        match error:
            case Problem():
                await drain(request)
                raise
            case TimeoutError():
                raise too_slow() from None
            case ValueError() | LookupError() | AssertionError() | HttpProcessingError() | web.RequestPayloadError():
                await drain(request)
                raise unreadable_form() from None
            case _:
                raise
    return form


async def drop(spool: UploadSpool, form: Form) -> None:
    for upload in form.uploads:
        await spool.delete(upload.handle)


async def drain(request: web.Request) -> None:
    """Read and throw away the rest of the body, within reason."""
    left = _DRAIN_BYTES
    with contextlib.suppress(TimeoutError, web.RequestPayloadError):
        async with asyncio.timeout(_DRAIN_S):
            async for chunk in request.content.iter_any():
                left -= len(chunk)
                if left < 0:
                    return


async def _read_parts(request: web.Request, spool: UploadSpool, form: Form, prefix: str, max_image_bytes: int) -> None:
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise unreadable_form()
        match part.name:
            case "text":
                form.text = await _read_text(part, text_too_long(TEXT_CHARS))
            case "reply_to":
                form.reply_to = await _read_text(part, no_such_reply())
            case "image":
                await _spool_image(part, spool, form, prefix, max_image_bytes)
            case _:
                await part.release()


async def _read_urlencoded(request: web.Request, form: Form) -> None:
    raw = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
        raw += chunk
        if len(raw) > _FIELD_BYTES:  # 4,000 characters of four bytes each, every byte written as %XX, are 48,000
            raise text_too_long(TEXT_CHARS)
    fields = dict(parse_qsl(raw.decode(), errors="strict"))
    if "image" in fields:
        raise unreadable_form()  # a picture's name came without the picture
    form.text = _plain_text(fields.get("text", ""), text_too_long(TEXT_CHARS))
    form.reply_to = _plain_text(fields.get("reply_to", ""), no_such_reply())


async def _read_text(part: BodyPartReader, too_long: Problem) -> str:
    raw = await _read_bytes(part, _FIELD_BYTES)
    if raw is None:
        raise too_long
    return _plain_text(raw.decode(), too_long)


def _plain_text(given: str, too_long: Problem) -> str:
    text = given.replace("\r\n", "\n").replace("\0", "").strip()
    if len(text) > TEXT_CHARS:
        raise too_long
    return text


async def _spool_image(part: BodyPartReader, spool: UploadSpool, form: Form, prefix: str, max_image_bytes: int) -> None:
    data = await _read_bytes(part, max_image_bytes)
    if data is None:
        raise image_too_large(max_image_bytes)
    if not data and not part.filename:
        return  # how a browser sends a file field in which nothing was chosen
    if len(form.uploads) == IMAGES:
        raise too_many_images(IMAGES)
    upload = Attachment(f"{prefix}-{len(form.uploads)}", _plain_name(part.filename), len(data))
    form.uploads.append(upload)  # before it is put: half a file is dropped as well
    await spool.put(upload.handle, data)


async def _read_bytes(part: BodyPartReader, limit_bytes: int) -> bytes | None:
    """The part's content; None when it is longer."""
    chunks: list[bytes] = []
    size_bytes = 0
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _plain_name(filename: str | None) -> str:
    """A file's name without any folder and without what a terminal would obey."""
    name = "".join(c for c in PurePath((filename or "").replace("\\", "/")).name if c.isprintable())
    return name[-100:] or "picture"
