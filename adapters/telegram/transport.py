"""How python-telegram-bot's `Bot` reaches Telegram: one aiohttp session, files streamed, answers bounded.

Addresses hold the bot's token, so none of them is ever logged, nor part of an error, nor its context.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypedDict, TypeVar, cast
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yarl
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from telegram._utils.defaultvalue import DefaultValue  # what "not given" is, in the signature that we implement
from telegram._utils.types import JSONDict, ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

CONNECT_S: Final = 10.0
READ_S: Final = 75.0
"""An answer that comes late is still an answer: after a time-out nobody knows whether a message stands there."""
UPLOAD_S: Final = 300.0
"""At most, for a body with files, beside the wait for its answer."""
ANSWER_BYTES: Final = 32 * 2**20
KEEP_S: Final = 20.0
"""How long an idle connection is kept: less than the other side does."""
CONNECTIONS: Final = 128
_PIECE = 2**18
_CHUNK = 2**16

T = TypeVar("T")


class NotSent(NetworkError):
    """There was no connection: the request never left."""


class TooMuch(NetworkError):
    """The answer is longer than was wanted."""


class FileGone(NetworkError):
    """There is no file at that address (any more)."""


class _Proxy(TypedDict, total=False):
    """Arguments of aiohttp's."""

    proxy: yarl.URL
    proxy_headers: dict[str, str]


class AiohttpRequest(BaseRequest):
    """See `telegram.request.BaseRequest`. Opened by the first request; may be closed and opened again."""

    __slots__ = ("_proxy", "_read_s", "_session")

    def __init__(self, *, read_s: float = READ_S) -> None:
        self._read_s = read_s
        self._session: aiohttp.ClientSession | None = None
        self._proxy: _Proxy = {}

    @property
    def read_timeout(self) -> float:
        return self._read_s

    async def initialize(self) -> None:
        """Nothing: which proxy is on the way is known by the first address."""

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @staticmethod
    def parse_json_payload(payload: bytes) -> JSONDict:
        """The library's own logs what it can't read, with whatever is in it."""
        try:
            found: Any = json.loads(payload)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return cast(JSONDict, found)
        raise NetworkError("an answer that is none")

    async def do_request(  # noqa: PLR0917 - as the library declares it
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - part of the signature
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002
    ) -> tuple[int, bytes]:
        files = request_data is not None and request_data.contains_files
        read_s = _given(read_timeout, self._read_s)
        timeout = aiohttp.ClientTimeout(
            total=CONNECT_S + read_s + (UPLOAD_S if files else 0),
            sock_connect=_given(connect_timeout, CONNECT_S),
            sock_read=read_s,
        )
        body = _body(request_data) if request_data is not None else None

        async def ask() -> tuple[int, bytes]:
            address = yarl.URL(url, encoded=True)
            session = self._opened(address)
            async with session.request(
                method, address, data=body, timeout=timeout, allow_redirects=False, **self._proxy
            ) as response:
                return response.status, await _read(response, ANSWER_BYTES)

        return await _meaning(ask)

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """A file. Not a byte more is read than it takes to know that it is too large: then `TooMuch` is raised."""
        timeout = aiohttp.ClientTimeout(total=CONNECT_S + UPLOAD_S, sock_connect=CONNECT_S, sock_read=self._read_s)

        async def get() -> bytes:
            address = yarl.URL(url, encoded=True)
            session = self._opened(address)
            async with session.get(address, timeout=timeout, allow_redirects=False, **self._proxy) as response:
                if response.status in {400, 401, 403, 404, 410}:
                    raise FileGone(f"no file (status {response.status})")
                if response.status != 200:
                    raise NetworkError(f"no file now (status {response.status})")
                return await _read(response, max_bytes)

        return await _meaning(get)

    def _opened(self, address: yarl.URL) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._proxy = _proxy_to(address)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEP_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT, "Accept-Encoding": "identity"},
                trust_env=False,
            )
        return self._session


def _proxy_to(address: yarl.URL) -> _Proxy:
    """What the environment says, asked once: aiohttp would ask at each request, which costs more than the request."""
    found = getproxies().get(address.scheme)
    if not found or proxy_bypass(address.host or ""):
        return {}
    proxy = yarl.URL(found)
    if not proxy.user:
        return {"proxy": proxy}
    auth = aiohttp.encode_basic_auth(proxy.user, proxy.password or "")
    return {"proxy": proxy.with_user(None), "proxy_headers": {"Proxy-Authorization": auth}}


async def _meaning(ask: Callable[[], Awaitable[T]]) -> T:
    """aiohttp's errors as the library wants them. They are raised out here, so that none of aiohttp's, which know
    addresses, is their context."""
    failure: NetworkError
    try:
        return await ask()
    except NetworkError:
        raise
    except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError, ValueError) as error:  # or no address at all
        failure = NotSent(type(error).__name__)
    except TimeoutError:
        failure = TimedOut()
    except (OSError, aiohttp.ClientError) as error:
        failure = NetworkError(type(error).__name__)
    raise failure


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    size, parts = 0, list[bytes]()
    if (response.content_length or 0) <= most:
        async for part in response.content.iter_chunked(_CHUNK):
            parts.append(part)
            if (size := size + len(part)) > most:
                break
        else:
            return b"".join(parts) if len(parts) != 1 else parts[0]
    response.close()  # the rest is not wanted
    raise TooMuch("more than was wanted")


def _given(value: ODVInput[float], otherwise: float) -> float:
    given = value.value if isinstance(value, DefaultValue) else value
    return otherwise if given is None else float(given)


# --- bodies


class _Parts(Payload):
    """Bytes one after the other, of which none is copied to put them together."""

    _autoclose = True

    def __init__(self, parts: list[bytes], content_type: str) -> None:
        super().__init__(parts, content_type=content_type)
        self._parts = parts
        self._size = sum(map(len, parts))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._parts).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Small enough at once that the loop gets its turn, and that what the socket does not take is no big copy."""
        for part in self._parts:
            for piece in _pieces(part):
                await writer.write(piece)


def _pieces(part: bytes) -> Iterator[bytes | memoryview]:
    if len(part) <= _PIECE:
        yield part
        return
    view = memoryview(part)
    for start in range(0, len(part), _PIECE):
        yield view[start : start + _PIECE]


def _body(data: RequestData) -> Payload | None:
    if not data.contains_files:
        encoded = data.url_encoded_parameters().encode()
        return _Parts([encoded], "application/x-www-form-urlencoded") if encoded else None
    boundary = secrets.token_hex(16)
    parts: list[bytes] = []
    for name, value in data.json_parameters.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        parts.append(head.encode())
    for name, each in data.multipart_data.items():
        parts += [_file_head(boundary, name, *_named(each)), _content(each), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return _Parts(parts, f"multipart/form-data; boundary={boundary}")


def _file_head(boundary: str, name: str, filename: str, media_type: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"; filename="{_quoted(filename)}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    ).encode()


def _named(field: Any) -> tuple[str, str]:
    return str(field[0]), str(field[2])


def _content(field: Any) -> bytes:
    content = field[1]
    return content if isinstance(content, bytes) else bytes(content.read())


def _quoted(text: str) -> str:
    """As browsers do it (WHATWG, multipart/form-data encoding)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
