"""Requests as they arrive: arguments in the query, in a form, as JSON, in parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web

from tests.fakes.telegram.media import UPLOAD_BYTES
from tests.fakes.telegram.refusals import Json, Refused, bad

File = tuple[str, bytes]
_ROOM = 2**20


@dataclass
class Body:
    fields: Json = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    """By the name of the part: file name and bytes."""

    def file_at(self, value: str) -> File | None:
        """What `attach://name` names; None for anything else."""
        if not value.startswith("attach://"):
            return None
        found = self.files.get(value.removeprefix("attach://"))
        if found is None:
            raise bad("wrong file identifier/HTTP URL specified")
        if not found[1]:
            raise bad("file must be non-empty")
        return found


async def read(request: web.Request) -> Body:
    """413 for what is larger than any file may be."""
    body = Body(dict(request.query))
    if not request.can_read_body:
        return body
    kind = request.content_type
    if kind.startswith("multipart/"):
        await _parts(request, body)
        return body
    raw = await request.content.read()
    if kind == "application/json":
        try:
            told = json.loads(raw)
        except ValueError:
            raise bad("can't parse JSON object") from None
        if not isinstance(told, dict):
            raise bad("can't parse JSON object")
        body.fields |= {key: value for key, value in told.items() if value is not None}
    else:
        body.fields |= dict(parse_qsl(raw.decode(), keep_blank_values=True))
    return body


async def _parts(request: web.Request, body: Body) -> None:
    total = 0
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        data = bytearray()
        while chunk := await part.read_chunk(1 << 18):
            total += len(chunk)
            if total <= UPLOAD_BYTES + _ROOM:
                data += chunk
        if part.filename is not None:
            body.files[part.name or ""] = (part.filename, bytes(data))
        else:
            body.fields[part.name or ""] = data.decode()
    if total > UPLOAD_BYTES + _ROOM:
        raise Refused(413, "Request Entity Too Large")


def names(files: dict[str, File]) -> Sequence[str]:
    return list(files)
