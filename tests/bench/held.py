"""Two bots that are measured side by side, each in a process of its own, held at the same places of their work."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bot.domain.images import Picture
from bot.engines.pixels import to_picture
from bot.ports import EditRequest, EngineAnswer
from tests.bench.turns import photograph
from tests.fakes.engines import ScriptedEngine

Json = dict[str, Any]

WAIT_S: Final = 600.0
KINDS: Final = {"png": ("image/png", 768), "jpeg": ("image/jpeg", 1664)}
"""Media type and side in pixels: about 1 MB each."""


def marked(data: bytes, number: int) -> bytes:
    """The same picture as another file, so that none is found twice, as in life."""
    words = b"n\0%d" % number
    if data.startswith(b"\xff\xd8"):
        return data[:2] + b"\xff\xfe" + (len(words) + 2).to_bytes(2, "big") + words + data[2:]
    chunk = b"tEXt" + words
    return data[:33] + len(words).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + data[33:]


def picture(kind: str) -> Picture:
    media_type, side_px = KINDS[kind]
    return to_picture(photograph(side_px), media_type=media_type)


class Gate:
    """Counts who has come here, and lets them on when it is opened."""

    def __init__(self) -> None:
        self._come = 0
        self._open = asyncio.Event()
        self._changed = asyncio.Condition()
        self._open.set()

    async def __call__(self) -> None:
        async with self._changed:
            self._come += 1
            self._changed.notify_all()
        await self._open.wait()

    def shut(self) -> None:
        self._come = 0
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def reached_by(self, count: int) -> None:
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(lambda: self._come >= count)


@dataclass
class Bot:
    """What both have: a reply is `reserved`; then an engine works, or would; its answer is made `ready`; then the
    reply is `filled`."""

    reserved: Gate
    engine: Gate
    ready: Gate
    filled: Gate
    kind: str = "png"

    def shut(self) -> None:
        for each in (self.reserved, self.engine, self.ready, self.filled):
            each.shut()

    def open(self) -> None:
        for each in (self.reserved, self.engine, self.ready, self.filled):
            each.open()


class HeldEngine(ScriptedEngine):
    """A fixed picture of the kind that was sent, each time as another file."""

    bot: Bot
    pictures: Mapping[str, Picture]
    calls = 0

    async def edit(self, request: EditRequest) -> EngineAnswer:
        self.requests.clear()
        await self.bot.engine()
        self.calls += 1
        fixed = self.pictures[self.bot.kind]
        self.result = replace(fixed, data=marked(fixed.data, self.calls))
        return await super().edit(request)


def resident_bytes() -> int:
    found = re.search(r"VmRSS:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@dataclass
class Child:
    """A measured process, with a platform of its own. It answers each line with a line."""

    process: subprocess.Popen[str]

    def __call__(self, name: str, kind: str = "png") -> Json:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name} {kind}\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> Json:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the measured process ended"
        found: Json = json.loads(line)
        return found
