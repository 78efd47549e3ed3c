"""What a fingerprint costs, and finding one among a million. By hand:

    python -m tests.bench.fingerprints                  both; two minutes, most of them to fill the index
    python -m tests.bench.fingerprints --rows 100000    with fewer rows

Everything is measured in one run, in turns with what it is compared with; medians. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bot.domain.recognition import RADIUS_BITS, Kind
from bot.domain.refs import TurnId
from bot.labels.fingerprint import fingerprint_of
from bot.labels.ports import Row, TurnRows
from storage.redis.client import open_client
from storage.redis.fingerprints import RedisFingerprintIndex
from storage.redis.keys import Keys
from storage.valkey.server import embedded_valkey
from tests import pictures

_FILES: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 93},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 90, "method": 0},
}
_TURNS_AT_ONCE = 1000


def pixels() -> None:
    """Against one whole decode of the same file by Pillow."""
    print("| file | one decode, ms of CPU | fingerprint | ratio |\n| --- | --- | --- | --- |")
    for side_px, rounds in ((1024, 15), (4096, 5)):
        photo = pictures.image("coffee").resize((side_px, side_px), Image.Resampling.LANCZOS)
        for kind, options in _FILES.items():
            data, media_type = pictures.saved(photo, kind, **options), f"image/{kind.lower()}"
            decode, ours = [], []
            for _ in range(rounds):
                decode.append(_cpu_ms(partial(_decoded, data)))
                ours.append(_cpu_ms(partial(fingerprint_of, data, media_type)))
            one, other = statistics.median(decode), statistics.median(ours)
            print(f"| {kind} {side_px}² | {one:.1f} | {other:.1f} | {other / one:.2f} × |")


def _decoded(data: bytes) -> None:
    Image.open(BytesIO(data)).load()


def _cpu_ms(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return (time.thread_time() - begin) * 1000


async def index(rows: int) -> None:
    """In the server that comes with the bot, every write on the disk before it is answered."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            client = open_client(url)
            await _filled(client, rows)
            await _looked_up(client)
            await client.aclose()


async def _filled(client: Any, rows: int) -> None:
    index = RedisFingerprintIndex(client)
    before = int((await client.info("memory"))["used_memory"])
    took: list[float] = []
    for first in range(0, rows // 2, _TURNS_AT_ONCE):
        batch = list(_turns(first, min(_TURNS_AT_ONCE, rows // 2 - first)))
        took.append(await _ms(partial(index.put, batch)))
    used = int((await client.info("memory"))["used_memory"]) - before
    singles = [await _ms(partial(index.put, list(_turns(rows + n, 1)))) for n in range(300)]
    print(f"\n{await index.count():,} rows, two for each turn")
    print(f"memory of the server: {used / rows:.0f} bytes for each row")
    print(f"put, a thousand turns at once: {_TURNS_AT_ONCE * 2 / statistics.median(took) * 1000:,.0f} rows/s")
    print(f"put, one turn, on the disk: {_spread(singles)}")


async def _looked_up(client: Any) -> None:
    began, resident = time.perf_counter(), _resident_mb()
    fresh = RedisFingerprintIndex(client)
    await fresh.nearest([_codes(1)[0]], radius_bits=RADIUS_BITS)
    print(f"start-up with the first look-up: {time.perf_counter() - began:.2f} s, {_resident_mb() - resident:.0f} MB")
    near = partial(fresh.nearest, radius_bits=RADIUS_BITS)
    writer, known = RedisFingerprintIndex(client), next(_turns(3, 1))
    await client.hset(Keys().turn(known.turn), "state", "done")
    ping: list[float] = []
    strangers, hits, two, seen = list[float](), list[float](), list[float](), list[float]()
    for n in range(200):
        ping.append(await _ms(client.ping))
        code, new = _codes(10_000_000 + n)[0], next(_turns(20_000_000 + n, 1))
        strangers.append(await _ms(partial(near, [code])))
        hits.append(await _ms(partial(near, [known.rows[0].code])))
        two.append(await _ms(partial(near, [code, code[::-1]])))
        await client.hset(Keys().turn(new.turn), "state", "done")
        await writer.put([new])
        seen.append(await _ms(partial(near, [new.rows[0].code])))
        await writer.forget([new.turn])
        if await near([new.rows[0].code]):
            print("a forgotten row was found")
    cpu = [_cpu_ms(partial(fresh._codes.near, [known.rows[0].code], RADIUS_BITS, 64)) for _ in range(30)]
    print(f"one round trip to the server: {_spread(ping)}")
    print(
        f"look-up of a stranger: {_spread(strangers)}, {statistics.median(strangers) / statistics.median(ping):.1f} ×"
    )
    print(f"look-up of a picture that is there: {_spread(hits)}")
    print(f"look-up of one with borders, two codes: {_spread(two)}")
    print(f"look-up of what another process has just put: {_spread(seen)}")
    print(f"the comparing alone: {statistics.median(cpu):.1f} ms of CPU")


def _turns(first: int, count: int) -> Iterator[TurnRows]:
    for number in range(first, first + count):
        text = base64.b32encode(hashlib.sha256(str(number).encode()).digest()[:20]).decode().lower()
        made, sent = _codes(number)
        yield TurnRows(TurnId(f"{text[:16]}-{text[16:]}"), (Row(Kind.OURS, 0, made), Row(Kind.SENT, 0, sent)))


def _codes(seed: int) -> list[bytes]:
    """Two, as they would be of pictures that have nothing in common: half of the bits of each square are ones."""
    levels = np.random.default_rng(seed).random((2, 4, 64))
    bits = levels > np.median(levels, axis=2, keepdims=True)
    return [np.packbits(each).tobytes() for each in bits]


async def _ms(work: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await work()
    return (time.perf_counter() - begin) * 1000


def _spread(took_ms: list[float]) -> str:
    ordered = sorted(took_ms)
    return f"{statistics.median(ordered):.2f} ms, p95 {ordered[int(len(ordered) * 0.95)]:.2f} ms"


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked: Any = parser.parse_args()
    pixels()
    asyncio.run(index(asked.rows))


if __name__ == "__main__":
    main()
