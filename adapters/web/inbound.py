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
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from adapters.web.ports import UploadSpool
from adapters.web.problems import (
    Problem,
    bad_key,
    bad_number,
    image_too_large,
    no_such_chat,
    no_such_reply,
    text_too_long,
    too_many_images,
    too_many_voices,
    too_slow,
    unknown_act,
    unreadable_form,
    voice_too_large,
)
from adapters.web.records import VOICE
from bot.domain.actions import Act, Press
from bot.domain.messages import Attachment

TEXT_CHARS: Final = 4000
IMAGES: Final = 10
VOICE_BYTES: Final = 10 * 2**20
ARGUMENT_CHARS: Final = 100
KEY_CHARS: Final = 200
_CHAT = re.compile(r"[a-z0-9-]{1,64}")
_PLACE = re.compile(r"[0-9]{1,2}")
_FIELDS: Final = frozenset({"text", "reply_to", "reply_index", "act", "argument"})
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
    reply_index: int | None = None
    act: Act | None = None
    argument: str = ""
    uploads: list[Attachment] = field(default_factory=list[Attachment])
    voice: Attachment | None = None

    @property
    def press(self) -> Press | None:
        return None if self.act is None else Press(self.act, self.argument)


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


async def read_picture(request: web.Request, *, max_bytes: int) -> bytes:
    """The one file, `picture`, of a form: held in memory, put nowhere. Empty where there is none. Raises `Problem`."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            if (request.content_length or 0) > max_bytes + _FIELD_BYTES:
                raise image_too_large(max_bytes)
            async for part in await request.multipart():
                if isinstance(part, BodyPartReader) and part.name == "picture":
                    data = await _read_bytes(part, max_bytes)
                    if data is None:
                        raise image_too_large(max_bytes)
                    return data
                if not isinstance(part, BodyPartReader):
                    raise unreadable_form()
                await part.release()
    except Problem:
        await drain(request)
        raise
    except TimeoutError:
        raise too_slow() from None
    except (ValueError, LookupError, AssertionError, HttpProcessingError, web.RequestPayloadError):
        await drain(request)
        raise unreadable_form() from None
    return b""


async def json_object(request: web.Request) -> dict[str, Any]:
    """A small request's content. Raises `Problem` where it is no JSON object."""
    try:
        given: Any = await request.json()
    except (ValueError, LookupError, RecursionError):  # no JSON, in no known alphabet, or without a bottom
        raise unreadable_form() from None
    if not isinstance(given, dict):
        raise unreadable_form()
    return cast(dict[str, Any], given)


async def drop(spool: UploadSpool, form: Form) -> None:
    for upload in [*form.uploads, *([form.voice] if form.voice else [])]:
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
            case "image":
                await _spool_image(part, spool, form, prefix, max_image_bytes)
            case "voice":
                await _spool_voice(part, spool, form, prefix)
            case str() as name if name in _FIELDS:
                raw = await _read_bytes(part, _FIELD_BYTES)
                if raw is None:
                    raise text_too_long(TEXT_CHARS)
                _take(form, name, raw.decode())
            case _:
                await part.release()


async def _read_urlencoded(request: web.Request, form: Form) -> None:
    raw = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
        raw += chunk
        if len(raw) > _FIELD_BYTES:  # 4,000 characters of four bytes each, every byte written as %XX, are 48,000
            raise text_too_long(TEXT_CHARS)
    fields = dict(parse_qsl(raw.decode(), errors="strict"))
    if {"image", "voice"} & fields.keys():
        raise unreadable_form()  # a file's name came without the file
    for name in _FIELDS & fields.keys():
        _take(form, name, fields[name])


def _take(form: Form, name: str, given: str) -> None:
    """Check a field of words, and keep it. Empty is as if it had not come."""
    match name:
        case "text":
            form.text = _plain_text(given, TEXT_CHARS, text_too_long(TEXT_CHARS))
        case "reply_to":
            form.reply_to = _plain_text(given, TEXT_CHARS, no_such_reply())
        case "reply_index":
            form.reply_index = _place(given)
        case "act":
            form.act = _act(given)
        case _:
            form.argument = _plain_text(given, ARGUMENT_CHARS, unknown_act())


def _plain_text(given: str, most_chars: int, too_long: Problem) -> str:
    text = given.replace("\r\n", "\n").replace("\0", "").strip()
    if len(text) > most_chars:
        raise too_long
    return text


def _place(given: str) -> int | None:
    text = given.strip()
    if not text:
        return None
    if not _PLACE.fullmatch(text):
        raise bad_number("reply_index", least=0)
    return int(text)


def _act(given: str) -> Act | None:
    try:
        return Act(given.strip()) if given.strip() else None
    except ValueError:
        raise unknown_act() from None


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


async def _spool_voice(part: BodyPartReader, spool: UploadSpool, form: Form, prefix: str) -> None:
    data = await _read_bytes(part, VOICE_BYTES)
    if data is None:
        raise voice_too_large(VOICE_BYTES)
    if not data and not part.filename:
        return
    if form.voice is not None:
        raise too_many_voices()
    form.voice = Attachment(f"{prefix}{VOICE}", _plain_name(part.filename), len(data))
    await spool.put(form.voice.handle, data)


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
