"""A store that loses what it acknowledged: not a fault that the bot can undo, but one that it must notice and say.

python -m tests.chaos.losing --out losing.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from signal import SIGKILL
from typing import Any

from bot.tide import TideTable
from storage.objects.witness import witness
from storage.redis.client import open_client
from storage.redis.tide import RedisTide
from tests.chaos.books import quiet
from tests.chaos.matrix import side_of
from tests.chaos.town import Asked, OnThePage, Side, small_picture
from tests.fleet import Fleet

OLDER_S = 4.0
NOTICED_S = 30.0
SAID = "the store lost what it had acknowledged"
QUIET_S = 60.0


def nothing(_: Path) -> None:
    """It is killed, and the kernel keeps what it was given."""


def half_of_the_tail(files: Path) -> None:
    """A power cut: the end of the append-only file never got to the disk."""
    newest = max(files.glob("appendonlydir/*.incr.aof"), key=lambda each: each.stat().st_mtime)
    with newest.open("r+b") as file:
        file.truncate(newest.stat().st_size * 9 // 10)


def older_copy(files: Path) -> None:
    """Somebody started it from a copy of some seconds before."""
    shutil.rmtree(files / "appendonlydir")
    shutil.copytree(files.parent / "copy", files / "appendonlydir")


def emptied(files: Path) -> None:
    shutil.rmtree(files / "appendonlydir")


LOSSES: dict[str, Callable[[Path], None]] = {
    "killed, appendfsync everysec": nothing,
    "the last tenth of its file cut off": half_of_the_tail,
    f"started from a copy {OLDER_S:.0f} s old": older_copy,
    "emptied": emptied,
}


async def say(sides: Sequence[Side], first: int) -> list[Asked]:
    """One message in a chat of its own on each platform, and a moment to be answered."""
    asked = [
        await side.asks(side.chat(first + number), f"put hat {first + number} on her", [small_picture(first + number)])
        for number, side in enumerate(sides)
    ]
    async with asyncio.timeout(QUIET_S):
        while not all(any(answer.is_final for answer in each.answers()) for each in asked):
            for side in sides:
                await side.look()
            await asyncio.sleep(0.1)
    return asked


async def lose(how: str, folder: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(side_of(name)) for name in ("discord", "telegram", "web")]
        env = {key: value for side in sides for key, value in side.env().items()} | {"LOG_LEVEL": "warning"}
        fleet = Fleet(folder, gateways=1, workers=1, env=env, fsync="everysec")
        for side in sides:
            if isinstance(side, OnThePage):
                side.fleet = fleet
        await stack.enter_async_context(fleet)
        for side in sides:
            await side.listened_to()
        asked = [*await say(sides, 1), *await say(sides, 11)]
        await quiet(fleet, within_s=QUIET_S)
        await asyncio.to_thread(shutil.copytree, fleet.valkey.folder / "appendonlydir", folder / "copy")
        await asyncio.sleep(OLDER_S)
        asked += await say(sides, 21)
        calls = await fleet.calls()
        await fleet.valkey.end(SIGKILL)
        before = (await asyncio.to_thread(fleet.everything_said)).count(SAID)
        await asyncio.to_thread(LOSSES[how], fleet.valkey.folder)
        begun = time.monotonic()
        await fleet.valkey.start()
        noticed_s = await _noticed(fleet, before) if how != next(iter(LOSSES)) else None
        took_s = time.monotonic() - begun
        left = await quiet(fleet, within_s=QUIET_S)
        for side in sides:
            await side.look()
        answers = [each.answers() for each in asked]
        losses = await _losses(fleet)
        return {
            "how": how,
            "asked": len(asked),
            "unanswered": sum(not any(answer.is_final for answer in each) for each in answers),
            "answers_twice": sum(max(0, len(each) - 1) for each in answers),
            "calls_again": await fleet.calls() - calls,
            "noticed_s": round(took_s, 1) if noticed_s is not None else None,
            "said": [each.words for each in losses],
            "left": {key: str(value) for key, value in left.items()},
        }


async def _noticed(fleet: Fleet, known: int) -> float | None:
    begun = time.monotonic()
    while time.monotonic() - begun < NOTICED_S:
        if (await asyncio.to_thread(fleet.everything_said)).count(SAID) > known:
            return time.monotonic() - begun
        await asyncio.sleep(0.1)
    return None


async def _losses(fleet: Fleet) -> Sequence[Any]:
    client = open_client(fleet.valkey.url)
    try:
        return await TideTable(RedisTide(client), witness(fleet.env()["IMAGE_STORE_URL"])).losses()
    finally:
        await client.aclose()


async def run() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for how in LOSSES:
        with tempfile.TemporaryDirectory(prefix="losing-") as folder:
            found.append(await lose(how, Path(folder)))
            print(json.dumps(found[-1], ensure_ascii=False), flush=True)
    return found


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="tests.chaos.losing")
    parser.add_argument("--out", default="")
    given = parser.parse_args()
    found = asyncio.run(run())
    if given.out:
        Path(given.out).write_text(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
