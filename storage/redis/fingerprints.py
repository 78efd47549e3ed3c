"""Fingerprints: the rows in Redis, and their codes in every process that looks anything up. See docs/adr/0015.

    {prefix}:{prints}:rows:<n>     text    4,096 places of 54 bytes: code, turn, kind, index
    {prefix}:{prints}:of:<n>       hash    turn → its places
    {prefix}:{prints}:free         list    places without a row
    {prefix}:{prints}:state        hash    "next" place, "count" of rows
    {prefix}:{prints}:changes      stream  places that changed, the last few thousand times

Before each look-up the process reads what changed: one round trip. What looks near by the codes in memory is then read
from Redis, with the record of its turn: nothing is told of a row that was forgotten meanwhile, or of a turn that is
gone.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis
from redis.client import NEVER_DECODE

from bot.domain.recognition import Kept, Kind, Near
from bot.domain.refs import TurnId
from bot.labels.ports import Row, TurnRows
from storage.redis.client import Script
from storage.redis.keys import Keys

SEGMENT_ROWS: Final = 4096
"""As in _prints.lua. So much is read at once at the start."""

_ROW_BYTES, _CODE_BYTES, _KIND_AT = 54, 32, 52
_WORDS = 4
"""A code is four numbers of 64 bits."""
_AT_ONCE = 1 << 16
"""Rows that are compared in one go: what it takes stays in the processor's cache."""
_TURNS_AT_ONCE, _ROWS_AT_ONCE, _CHANGES_AT_ONCE = 100, 500, 50
"""In one request: nobody else waits for long, here or at the server."""
_NEAREST_MAX = 64
_KINDS = (Kind.OURS, Kind.SENT)
_RAW: dict[str, Any] = {NEVER_DECODE: True}


class RedisFingerprintIndex:
    """See `bot.labels.ports.FingerprintIndex`."""

    def __init__(self, client: Redis, *, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._prints = self._keys.prints
        self._put = Script(client, "_prints.lua", "prints_put.lua")
        self._forget = Script(client, "_prints.lua", "prints_forget.lua")
        self._codes = Codes()
        self._read_up_to: str | None = None
        self._reading = asyncio.Lock()

    # --- writing

    async def put(self, turns: Sequence[TurnRows]) -> None:
        for first in range(0, len(turns), _TURNS_AT_ONCE):
            args: list[str | int | float | bytes] = []
            for each in turns[first : first + _TURNS_AT_ONCE]:
                args += [_packed(each.turn), b"".join(_row(row) for row in each.rows)]
            await self._put([self._prints], args)

    async def forget(self, turns: Iterable[TurnId]) -> None:
        every = [_packed(turn) for turn in turns]
        for first in range(0, len(every), _TURNS_AT_ONCE):
            await self._forget([self._prints], every[first : first + _TURNS_AT_ONCE])

    async def sweep(self) -> int:
        swept = 0
        for number in range(-(-await self._places() // SEGMENT_ROWS)):
            data = await self._segment(number)
            read = (_read(data, at) for at in range(0, len(data), _ROW_BYTES))
            turns = sorted({turn for turn, _, _ in read if turn is not None})
            standing = await self._standing(turns)
            gone = [turn for turn in turns if turn not in standing]
            await self.forget(gone)
            swept += len(gone)
        return swept

    # --- reading

    async def count(self) -> int:
        return int(await self._client.hget(f"{self._prints}:state", "count") or 0)

    async def rows(self, turns: Sequence[TurnId]) -> Sequence[TurnRows]:
        async with self._client.pipeline(transaction=False) as pipe:
            for turn in turns:
                packed = _packed(turn)
                pipe.hget(f"{self._prints}:of:{_bucket(packed)}", packed)
            found = await pipe.execute()
        places = [[int(place) for place in str(text or "").split()] for text in found]
        data = await self._rows([place for some in places for place in some])
        read = iter(_read(row, 0) for row in data)
        every = [(turn, [next(read) for _ in some]) for turn, some in zip(turns, places, strict=True)]
        return [
            TurnRows(turn, tuple(row for owner, row, _ in found if owner == turn and row))
            for turn, found in every
            if found
        ]

    async def nearest(self, codes: Sequence[bytes], *, radius_bits: int) -> Sequence[Near]:
        if not codes:
            return []
        await self._catch_up()
        places = await asyncio.to_thread(self._codes.near, codes, radius_bits, _NEAREST_MAX)
        found: dict[Kept, int] = {}
        for data in await self._rows(places):
            turn, row, code = _read(data, 0)
            if turn is None or row is None:
                continue
            kept, bits = Kept(turn, row.kind, row.index), min(_distance(code, asked) for asked in codes)
            if bits <= radius_bits:
                found[kept] = min(bits, found.get(kept, bits))
        standing = await self._standing(sorted({kept.turn for kept in found}))
        near = [Near(kept, bits) for kept, bits in found.items() if kept.turn in standing]
        return sorted(near, key=lambda each: each.distance_bits)

    async def _standing(self, turns: Sequence[TurnId]) -> set[TurnId]:
        """Those whose record is there and not erased."""
        found: list[Any] = []
        for first in range(0, len(turns), _TURNS_AT_ONCE):
            async with self._client.pipeline(transaction=False) as pipe:
                for turn in turns[first : first + _TURNS_AT_ONCE]:
                    pipe.hmget(self._keys.turn(turn), ["state", "erased"])
                found += await pipe.execute()
        return {turn for turn, (state, erased) in zip(turns, found, strict=True) if state and not erased}

    async def _rows(self, places: Sequence[int]) -> list[bytes]:
        if not places:
            return []
        async with self._client.pipeline(transaction=False) as pipe:
            for place in places:
                at = place % SEGMENT_ROWS * _ROW_BYTES
                key = f"{self._prints}:rows:{place // SEGMENT_ROWS}"
                pipe.execute_command("GETRANGE", key, at, at + _ROW_BYTES - 1, **_RAW)
            return [row or bytes(_ROW_BYTES) for row in await pipe.execute()]

    async def _segment(self, number: int) -> bytes:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.execute_command("GET", f"{self._prints}:rows:{number}", **_RAW)
            found: list[Any] = await pipe.execute()
        return bytes(found[0] or b"")

    async def _places(self) -> int:
        return int(await self._client.hget(f"{self._prints}:state", "next") or 0)

    # --- following

    async def _catch_up(self) -> None:
        async with self._reading:
            while self._read_up_to is not None:
                # From the last one that was read, it included: where that is not there any more, too much was missed.
                found = self._client.xrange(f"{self._prints}:changes", min=self._read_up_to, count=_CHANGES_AT_ONCE)
                entries: Any = await found
                if not entries or entries[0][0] != self._read_up_to:
                    break
                places = sorted({int(place) for _, fields in entries[1:] for place in fields["places"].split()})
                for first in range(0, len(places), _ROWS_AT_ONCE):
                    some = places[first : first + _ROWS_AT_ONCE]
                    self._codes.write(some, b"".join(await self._rows(some)))
                self._read_up_to = str(entries[-1][0])
                if len(entries) < _CHANGES_AT_ONCE:
                    return
            await self._load()

    async def _load(self) -> None:
        """All of it. What changes meanwhile is read after."""
        latest: Any = await self._client.xrevrange(f"{self._prints}:changes", count=1)
        codes = Codes(await self._places())
        for number in range(-(-codes.places // SEGMENT_ROWS)):
            data = await self._segment(number)
            codes.write(range(number * SEGMENT_ROWS, number * SEGMENT_ROWS + len(data) // _ROW_BYTES), data)
        self._codes = codes
        # Nothing was ever changed: it costs little to load that again.
        self._read_up_to = str(latest[0][0]) if latest else None


class Codes:
    """The codes and kinds of all places, in memory: 33 bytes each. A place without a row is all zeroes, and near to
    nothing."""

    def __init__(self, places: int = 0) -> None:
        self.places = places
        room = -(-max(places, 1) // SEGMENT_ROWS) * SEGMENT_ROWS
        self._words, self._kinds = np.zeros((_WORDS, room), np.uint64), np.zeros(room, np.uint8)

    def write(self, places: Sequence[int], rows: bytes) -> None:
        """`rows` one after the other. There may be looked up at the same time."""
        if not places:
            return
        most = places[-1] + 1
        if most > self._words.shape[1]:
            more = max(most, self._words.shape[1] * 3 // 2) - self._words.shape[1]
            self._words, self._kinds = np.pad(self._words, ((0, 0), (0, more))), np.pad(self._kinds, (0, more))
        read = np.frombuffer(rows, np.uint8).reshape(-1, _ROW_BYTES)
        self._words[:, places] = np.ascontiguousarray(read[:, :_CODE_BYTES]).view(np.uint64).T
        self._kinds[places] = read[:, _KIND_AT]
        self.places = max(self.places, most)

    def near(self, codes: Sequence[bytes], radius_bits: int, most: int) -> list[int]:
        """The places with a code that differs from one of these by at most so many bits, the `most` nearest of
        each kind."""
        words, found = self._words[:, : self.places], dict[int, int]()
        scratch = np.empty(_AT_ONCE, np.uint64), np.empty(_AT_ONCE, np.uint8), np.empty(_AT_ONCE, np.uint8)
        for code in codes:
            asked = np.frombuffer(code, np.uint64)
            for first in range(0, self.places, _AT_ONCE):
                for place, bits in _near(words[:, first : first + _AT_ONCE], asked, radius_bits, scratch):
                    found[first + place] = min(bits, found.get(first + place, bits))
        nearest = sorted(found, key=lambda place: found[place])
        return [place for kind in range(len(_KINDS)) for place in [p for p in nearest if self._kinds[p] == kind][:most]]


Scratch = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.uint8]]
"""Room for what comes in between: to ask for it anew each time costs as much as the work."""


def _near(
    words: NDArray[np.uint64], asked: NDArray[np.uint64], radius_bits: int, scratch: Scratch
) -> list[tuple[int, int]]:
    """Half of the code decides for nearly all of them: what differs by more there does so as a whole. Of strangers one
    in four hundred is looked at whole."""
    apart, bits, more = (each[: words.shape[1]] for each in scratch)
    np.bitwise_count(np.bitwise_xor(words[0], asked[0], out=apart), out=bits)
    np.bitwise_count(np.bitwise_xor(words[1], asked[1], out=apart), out=more)
    np.add(bits, more, out=bits)
    candidates = np.flatnonzero(bits <= radius_bits)
    whole = bits[candidates].astype(np.int64)
    for n in (2, 3):
        whole += np.bitwise_count(words[n, candidates] ^ asked[n])
    return [(int(candidates[n]), int(whole[n])) for n in np.flatnonzero(whole <= radius_bits)]


def _distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


# --- rows as bytes


def _row(row: Row) -> bytes:
    return row.code + bytes((_KINDS.index(row.kind), row.index))


def _read(data: bytes, at: int) -> tuple[TurnId, Row, bytes] | tuple[None, None, bytes]:
    """Whose row it is; None where the place has none."""
    code = bytes(data[at : at + _CODE_BYTES])
    if not any(code):
        return None, None, code
    turn = data[at + _CODE_BYTES : at + _KIND_AT]
    return _unpacked(turn), Row(_KINDS[data[at + _KIND_AT]], data[at + _KIND_AT + 1], code), code


def _packed(turn: TurnId) -> bytes:
    """20 bytes: both halves are base32."""
    return base64.b32decode(turn.replace("-", "").upper())


def _unpacked(turn: bytes) -> TurnId:
    text = base64.b32encode(turn).decode("ascii").lower()
    return TurnId(f"{text[:16]}-{text[16:]}")


def _bucket(turn: bytes) -> int:
    return int.from_bytes(turn[-2:]) % 16384
