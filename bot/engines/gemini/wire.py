"""Pictures onto the wire and off it without holding them as text.

The SDK base64-encodes every picture into one JSON text before it sends a byte, and reads an answer the same way: for
14 pictures, or one of 4K, that is hundreds of milliseconds on the event loop and four times their weight in memory. So
each way the SDK sees a ticket, a few random bytes, in place of a picture. Going out, the pictures are encoded piece by
piece where their tickets stand in the finished body; coming back, they are decoded piece by piece out of the JSON, and
put into the parsed answer. Everything else stays the SDK's, and it judges whatever is not plain base64.
"""

from __future__ import annotations

import asyncio
import binascii
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from typing import TYPE_CHECKING

import pybase64
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from google.genai.errors import UnknownApiResponseError
from pydantic import ConfigDict, TypeAdapter

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse

MOST_ANSWER_BYTES = 84_000_000
"""A picture of 60 MB, the most that is taken, as base64, and what stands around it. A longer answer is not read on."""
MOST_AROUND_BYTES = 4_000_000
"""The most that an answer may hold besides pictures and signatures: the SDK parses it on the event loop."""

_under_way: ContextVar[Exchange | None] = ContextVar("_under_way", default=None)


class Exchange:
    """The pictures of one call, on their way out and back. `tickets` stand for those that go out, in order."""

    def __init__(self, pictures: Sequence[bytes]) -> None:
        self.tickets = [_MARK + secrets.token_bytes(_RANDOM_BYTES) for _ in pictures]
        self._sent = dict(zip(map(urlsafe_b64encode, self.tickets), pictures, strict=True))
        self._reader = AnswerReader()

    async def put_into(self, request: ClientRequest) -> None:
        """Have the pictures sent where their tickets stand."""
        if not isinstance(request.body, Payload):
            return
        # Alternately: JSON, ticket, JSON, ticket, …, JSON.
        pieces = _TICKET.split(await request.body.as_bytes())
        if len(pieces) > 1:
            pieces[1::2] = [self._sent[ticket] for ticket in pieces[1::2]]
            await request.update_body(_StreamedBody(pieces))

    async def taken_out_of(self, response: ClientResponse) -> bytes:
        """The body of an answer with tickets for its pictures. Raises like `AnswerReader.feed`, or as the network."""
        self._reader = AnswerReader()
        async for piece in response.content.iter_chunked(_READ_BYTES):
            self._reader.feed(piece)
            await asyncio.sleep(0)  # what has arrived already never waits, and others have work too
        return self._reader.rest()

    def restore(self, response: GenerateContentResponse) -> None:
        """Put the pictures that came back in place of their tickets."""
        self._reader.restore(response)


@contextmanager
def exchange(pictures: Sequence[bytes]) -> Generator[Exchange]:
    """For the one call that is made within the block."""
    begun = Exchange(pictures)
    before = _under_way.set(begun)
    try:
        yield begun
    finally:
        _under_way.reset(before)


async def streaming(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """A client middleware that puts the pictures of the call under way in place of their tickets."""
    under_way = _under_way.get()
    if under_way is not None:
        await under_way.put_into(request)
    return await send(request)


class StreamedResponse(ClientResponse):
    """A response whose body, if it is an answer to the call under way, has tickets in place of pictures."""

    async def read(self) -> bytes:
        under_way = _under_way.get()
        if self._body is None and self.status == 200 and under_way is not None:
            try:
                self._body = await under_way.taken_out_of(self)
            except BaseException:
                self.close()
                raise
        return await super().read()


# --- going out

_MARK = b"remixbot-pic"
_RANDOM_BYTES = 18
_TICKET = re.compile(b'"(' + urlsafe_b64encode(_MARK) + b'[A-Za-z0-9_-]{24})"')
_WRITE_BYTES = 384 * 1024
"""A multiple of three, so that the encoded pieces join without padding."""


class _StreamedBody(Payload):
    """A JSON body of known length. Every second piece is a picture, sent as a base64 string."""

    _value: list[bytes]
    _autoclose = True

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(pieces, content_type="application/json")
        quoted = sum(2 + 4 * -(-len(picture) // 3) for picture in pieces[1::2])
        self._size = sum(map(len, pieces[::2])) + quoted

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        raise TypeError("a body that is streamed is never one text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        for index, piece in enumerate(self._value):
            if index % 2:
                await _write_quoted(writer, memoryview(piece))
            else:
                await writer.write(piece)


async def _write_quoted(writer: AbstractStreamWriter, picture: memoryview) -> None:
    await writer.write(b'"')
    for start in range(0, len(picture), _WRITE_BYTES):
        await writer.write(pybase64.b64encode(picture[start : start + _WRITE_BYTES]))
        await asyncio.sleep(0)  # a fast socket never waits, and others have work too
    await writer.write(b'"')


# --- coming back

_READ_BYTES = 64 * 1024
"""Small enough that even an answer of nothing but quotes is read in turns of tens of milliseconds."""
_SIGN = re.compile(rb'["{}\[\]:,]')
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_ESCAPE = re.compile(rb"\\(u00[0-9A-Fa-f]{2}|.)", re.DOTALL)
_ESCAPE_BYTES = 6
_ESCAPES = {b"/": b"/", b"u002b": b"+", b"u002f": b"/", b"u003d": b"="}
"""What an encoder may write differently in base64. Anything else is left to the SDK."""
_KEY_BYTES = 32
_PART = [b"", b"candidates", b"", b"content", b"parts", b""]
_KEYS = {b"inline_data": b"inlineData", b"thought_signature": b"thoughtSignature"}
"""The SDK takes both spellings."""
_NEITHER, _STANDARD, _URLSAFE = b"A", b"+", b"-"
_BASE64 = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64"))
"""What the SDK decodes with. It is four times as fast as the standard library."""
_TICKET_BYTES, _ALPHABET_BYTES = 24, 3


class AnswerReader:
    """Takes the pictures out of an answer's JSON as it comes, and leaves the thought signatures out.

    A picture becomes a ticket, then four signs of the alphabet it was written in, then its end as it came: so the SDK
    itself judges padding, length and mixed alphabets. The rest of a string that is not plain base64 is given to it as
    it came, too. Signatures are for sending a conversation back, which is not done (docs/adr/0008).
    """

    def __init__(self) -> None:
        self._pictures: dict[bytes, BytesIO] = {}
        self._around = bytearray()
        self._read_bytes = 0
        self._waiting = b""
        """What cannot be told before more has come: the beginning of an escape."""
        self._path: list[bytes] = []
        """The key of each object and array that is open; empty for an element of an array."""
        self._key = b""
        self._word = b""
        self._picture = BytesIO()
        self._alphabet = _NEITHER
        self._group = b""
        """The signs of a picture that are not decoded yet."""
        self._step: Callable[[bytes, int], int] = self._between

    def feed(self, piece: bytes) -> None:
        """Raises `UnknownApiResponseError`, which is the SDK's, where an answer is too long to be one."""
        self._read_bytes += len(piece)
        data, at, before = self._waiting + piece, 0, -1
        while before < at < len(data):
            before, at = at, self._step(data, at)
        self._waiting = data[at:]
        if self._read_bytes > MOST_ANSWER_BYTES or len(self._around) > MOST_AROUND_BYTES:
            raise UnknownApiResponseError("the answer is too long")

    def rest(self) -> bytes:
        """The JSON with tickets, once everything was fed."""
        return bytes(self._around) + self._waiting

    def restore(self, response: GenerateContentResponse) -> None:
        for candidate in response.candidates or ():
            for part in (candidate.content.parts if candidate.content else None) or ():
                blob = part.inline_data
                if blob and blob.data and (picture := self._pictures.pop(blob.data[:_TICKET_BYTES], None)):
                    picture.write(blob.data[_TICKET_BYTES + _ALPHABET_BYTES :])
                    blob.data = picture.getvalue()

    # Each step takes what it can of `data` from `at` on, and returns how far it came.

    def _between(self, data: bytes, at: int) -> int:
        for found in _SIGN.finditer(data, at):
            match found[0]:
                case b'"':
                    self._around += data[at : found.end()]
                    self._begin_string()
                    return found.end()
                case b":":
                    self._key = _KEYS.get(self._word, self._word)
                case b"{" | b"[":
                    self._path.append(self._key)
                    self._key = b""
                case b"}" | b"]":
                    del self._path[-1:]
                    self._key = b""
                case _:
                    self._key = b""
        self._around += data[at:]
        return len(data)

    def _begin_string(self) -> None:
        self._word = b""
        if self._key == b"data" and self._path == [*_PART, b"inlineData"]:
            self._picture, self._alphabet, self._group = BytesIO(), _NEITHER, b""
            self._step = self._in_picture
        elif self._key == b"thoughtSignature" and self._path == _PART:
            self._step = self._in_signature
        else:
            self._step = self._in_text

    def _in_text(self, data: bytes, at: int) -> int:
        end = _end_of_string(data, at)
        self._word += data[at : min(end, at + _KEY_BYTES)] if len(self._word) < _KEY_BYTES else b""
        self._around += data[at:end]
        return self._past_quote(data, end)

    def _in_signature(self, data: bytes, at: int) -> int:
        return self._past_quote(data, _end_of_string(data, at))

    def _past_quote(self, data: bytes, end: int) -> int:
        if data[end : end + 1] != b'"':
            return end
        self._around += b'"'
        self._step = self._between
        return end + 1

    def _in_picture(self, data: bytes, at: int) -> int:
        end = _end_of_string(data, at)
        closed = data[end : end + 1] == b'"'
        if not closed:
            end = _before_cut_escape(data, at, end)
        text = self._group + _without_escapes(data[at:end])
        whole = len(text) // 4 * 4
        if text[:whole].endswith(b"="):
            whole -= 4
        plain = self._decode(text[:whole])
        self._group = text[whole:] if plain else text
        if closed or not plain:
            self._issue_ticket()
            self._step = self._in_text
        return self._past_quote(data, end) if closed else end

    def _decode(self, text: bytes) -> bool:
        """Whether it is base64 to the end, in the one alphabet of this picture, without padding."""
        standard, urlsafe = b"+" in text or b"/" in text, b"-" in text or b"_" in text
        if (standard and (urlsafe or self._alphabet == _URLSAFE)) or (urlsafe and self._alphabet == _STANDARD):
            return False
        if text.endswith(b"="):
            return False
        try:
            decoded = _BASE64.validate_python(str(text, "ascii"))
        except ValueError:
            return False
        self._picture.write(decoded)
        if standard or urlsafe:
            self._alphabet = _STANDARD if standard else _URLSAFE
        return True

    def _issue_ticket(self) -> None:
        ticket = secrets.token_hex(_TICKET_BYTES * 4 // 3 // 2).encode()
        self._pictures[binascii.a2b_base64(ticket)] = self._picture
        self._around += ticket + self._alphabet * 4 + self._group


def _end_of_string(data: bytes, at: int) -> int:
    """Where the closing quote stands; without one, where what cannot be told yet begins."""
    end = data.find(b'"', at)
    end = end if end >= 0 else len(data)
    if data.find(b"\\", at, end) < 0:
        return end
    found = _IN_STRING.match(data, at)
    return found.end() if found else at


def _before_cut_escape(data: bytes, at: int, end: int) -> int:
    """`end`, or where an escape begins that may go on beyond it."""
    cut = data.rfind(b"\\", max(at, end - _ESCAPE_BYTES + 1), end)
    return end if cut < 0 or data[at:cut].endswith(b"\\") else cut


def _without_escapes(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1].lower(), found[0]), text) if b"\\" in text else text
