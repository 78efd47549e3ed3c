"""Fingerprints kept and looked up: what the index promises, against a real server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from fnmatch import fnmatchcase

import numpy as np
import pytest
from PIL import Image
from redis.asyncio import Redis

from bot.domain.images import Picture
from bot.domain.recognition import UNKNOWN, Kept, Kind, Near, Recognition, Tier
from bot.domain.refs import TurnId
from bot.labels.fingerprint import fingerprint_of
from bot.labels.ports import FingerprintIndex, Row, TurnRows
from bot.labels.recogniser import Recogniser
from storage.redis.client import open_client
from storage.redis.fingerprints import SEGMENT_ROWS, RedisFingerprintIndex
from storage.redis.keys import WITHOUT_EXPIRY, Keys
from tests import pictures
from tests.bench import recognition as study

ONE, TWO, THREE = (TurnId(f"aaaaaaaaaaaaaaaa-{letter * 16}") for letter in "bcd")
Stand = Callable[[TurnId], Awaitable[None]]


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


def code(seed: int, *flipped: int) -> bytes:
    bits = np.random.default_rng(seed).permutation(256) % 2
    bits[list(flipped)] ^= 1
    return np.packbits(bits.astype(np.uint8)).tobytes()


def ours(turn: TurnId, *codes: bytes) -> TurnRows:
    return TurnRows(turn, tuple(Row(Kind.OURS, n, each) for n, each in enumerate(codes)))


class FingerprintContract:
    """What every index promises. `stand` makes the record of a turn."""

    async def test_what_is_near_is_found_nearest_first_each_once(self, index: FingerprintIndex, stand: Stand) -> None:
        await asyncio.gather(stand(ONE), stand(TWO))
        sent = Row(Kind.SENT, 0, code(1, 5))
        await index.put([ours(ONE, code(1), code(2)), TurnRows(TWO, (sent, Row(Kind.OURS, 0, code(1, 5, 6, 7, 8))))])
        expected = [
            Near(Kept(ONE, Kind.OURS, 0), 0),
            Near(Kept(TWO, Kind.SENT, 0), 1),
            Near(Kept(TWO, Kind.OURS, 0), 4),
        ]
        assert await index.nearest([code(1)], radius_bits=20) == expected
        by_two = await index.nearest([code(1), code(1, 5, 6, 7)], radius_bits=3)
        assert {(near.kept, near.distance_bits) for near in by_two} == {
            (near.kept, min(1, near.distance_bits)) for near in expected
        }
        assert await index.nearest([], radius_bits=20) == await index.nearest([code(9)], radius_bits=20) == []

    async def test_a_repeat_changes_nothing_and_what_is_put_anew_replaces(
        self, index: FingerprintIndex, stand: Stand
    ) -> None:
        await stand(ONE)
        for _ in range(2):
            await index.put([ours(ONE, code(1), code(2), code(3))])
        assert await index.count() == 3
        await index.put([ours(ONE, code(4))])
        assert await index.count() == 1
        assert await index.rows([ONE, TWO]) == [ours(ONE, code(4))]
        assert await index.nearest([code(1), code(2), code(3)], radius_bits=40) == []
        await index.put([ours(ONE)])
        assert (await index.count(), await index.rows([ONE])) == (0, [])

    async def test_every_process_sees_at_once_what_came_and_what_went(
        self, index: FingerprintIndex, other: FingerprintIndex, stand: Stand
    ) -> None:
        await stand(ONE)
        for seed in range(5):
            await index.put([ours(ONE, code(seed))])
            assert [near.kept.turn for near in await other.nearest([code(seed)], radius_bits=9)] == [ONE]
            await index.forget([ONE, TWO])
            assert await other.nearest([code(seed)], radius_bits=9) == []
        assert await other.count() == 0

    async def test_whoever_was_away_for_long_sees_all_that_came(
        self, index: FingerprintIndex, other: FingerprintIndex, stand: Stand
    ) -> None:
        await stand(ONE)
        await index.put([ours(ONE, code(0))])
        assert len(await other.nearest([code(0)], radius_bits=9)) == 1
        for count in range(1, 130):
            await index.put([ours(ONE, *(code(n) for n in range(max(0, count - 3), count)))])
        found = [len(await other.nearest([code(n)], radius_bits=9)) for n in (0, 125, 126, 127, 128)]
        assert found == [0, 0, 1, 1, 1]

    async def test_nothing_is_told_of_a_turn_without_a_record(
        self, index: FingerprintIndex, stand: Stand, end: Stand, erase: Stand
    ) -> None:
        for turn in (ONE, TWO, THREE):
            await stand(turn)
        await index.put([ours(ONE, code(1)), ours(TWO, code(1)), ours(THREE, code(1))])
        await end(ONE)
        await erase(TWO)
        assert await index.nearest([code(1)], radius_bits=9) == [Near(Kept(THREE, Kind.OURS, 0), 0)]
        assert (await index.sweep(), await index.count()) == (2, 1)
        assert (await index.sweep(), await index.count()) == (0, 1)

    async def test_of_thousands_it_finds_exactly_the_near_ones(self, index: FingerprintIndex, stand: Stand) -> None:
        turns = [
            TurnId(f"{'abcdefgh'[n % 8] * 16}-{study.turn_of(n, 0)[:16].translate(_LETTERS)}") for n in range(1500)
        ]
        chance = np.random.default_rng(5)
        near = [code(7, *chance.permutation(256)[: n % 60]) for n in range(300)]
        every = near + [code(100 + n) for n in range(300)]
        await asyncio.gather(*(stand(turn) for turn in turns))
        await index.put([ours(turn, *every[2 * n : 2 * n + 2]) for n, turn in enumerate(turns)])
        asked = int.from_bytes(code(7))
        expected = sorted((int.from_bytes(each) ^ asked).bit_count() for each in every)
        found = await index.nearest([code(7)], radius_bits=6)
        assert [near.distance_bits for near in found] == [bits for bits in expected if bits <= 6]
        assert len(await index.nearest([code(7)], radius_bits=60)) == 64

    async def test_what_was_sent_is_found_behind_any_number_of_results(
        self, index: FingerprintIndex, stand: Stand
    ) -> None:
        await asyncio.gather(stand(ONE), stand(TWO))
        await index.put([ours(ONE, *[code(1)] * 200), TurnRows(TWO, (Row(Kind.SENT, 0, code(1, 5)),))])
        found = await index.nearest([code(1)], radius_bits=9)
        assert found[-1] == Near(Kept(TWO, Kind.SENT, 0), 1)

    async def test_many_at_once_get_in_each_others_way_nowhere(
        self, index: FingerprintIndex, other: FingerprintIndex, stand: Stand
    ) -> None:
        turns = [TurnId(f"{'a' * 16}-{letter * 16}") for letter in "abcdefghijklmnop"]
        await asyncio.gather(*(stand(turn) for turn in turns))
        writes = [(index, other)[n % 2].put([ours(turn, code(n), code(n, 1))]) for n, turn in enumerate(turns)]
        await asyncio.gather(*writes, *(other.nearest([code(n)], radius_bits=9) for n in range(9)))
        found = [await other.nearest([code(n)], radius_bits=0) for n in range(len(turns))]
        assert found == [[Near(Kept(turn, Kind.OURS, 0), 0)] for turn in turns]


_LETTERS = str.maketrans("0123456789", "abcdefghij")


class TestRedis(FingerprintContract):
    @pytest.fixture
    def index(self, client: Redis) -> FingerprintIndex:
        return RedisFingerprintIndex(client)

    @pytest.fixture
    def other(self, client: Redis) -> FingerprintIndex:
        return RedisFingerprintIndex(client)

    @pytest.fixture
    def stand(self, client: Redis) -> Stand:
        async def stand(turn: TurnId) -> None:
            await client.hset(Keys().turn(turn), "state", "done")

        return stand

    @pytest.fixture
    def erase(self, client: Redis) -> Stand:
        async def erase(turn: TurnId) -> None:
            await client.hset(Keys().turn(turn), "erased", "1")

        return erase

    @pytest.fixture
    def end(self, client: Redis) -> Stand:
        async def end(turn: TurnId) -> None:
            await client.delete(Keys().turn(turn))

        return end

    async def test_nothing_of_a_forgotten_row_is_left_and_its_place_is_used_again(
        self, client: Redis, index: FingerprintIndex
    ) -> None:
        for seed in range(4):
            await index.put([ours(ONE, code(seed), code(seed, 1))])
            await index.forget([ONE])
        keys = {str(key) async for key in client.scan_iter("*")}
        prints = Keys().prints
        assert keys == {f"{prints}:{name}" for name in ("rows:0", "free", "state", "changes")}
        assert all(any(fnmatchcase(key, allowed) for allowed in WITHOUT_EXPIRY) for key in keys)
        assert set(str(await client.get(f"{prints}:rows:0"))) == {"\0"}
        assert await client.hget(f"{prints}:state", "next") == "2"

    async def test_whoever_missed_too_much_reads_all_of_it_again(
        self, client: Redis, index: FingerprintIndex, other: FingerprintIndex, stand: Stand
    ) -> None:
        await stand(ONE)
        await index.put([ours(ONE, code(1))])
        assert len(await other.nearest([code(1)], radius_bits=9)) == 1
        await index.put([ours(ONE, code(2))])
        await index.put([ours(ONE, code(3))])
        await client.xtrim(f"{Keys().prints}:changes", maxlen=1)
        assert [len(await other.nearest([code(n)], radius_bits=9)) for n in (1, 2, 3)] == [0, 0, 1]
        await client.flushdb()
        assert await other.nearest([code(3)], radius_bits=9) == []
        await stand(TWO)
        await index.put([ours(TWO, code(4))])
        assert len(await other.nearest([code(4)], radius_bits=9)) == 1

    async def test_rows_go_on_in_the_next_segment(self, client: Redis, index: FingerprintIndex, stand: Stand) -> None:
        await client.hset(f"{Keys().prints}:state", "next", SEGMENT_ROWS - 1)
        await stand(ONE)
        await index.put([ours(ONE, code(1), code(2))])
        found = [await index.nearest([code(n)], radius_bits=0) for n in (1, 2)]
        assert found == [[Near(Kept(ONE, Kind.OURS, n), 0)] for n in (0, 1)]


# --- the whole of it


def picture(pixels: Image.Image) -> Picture:
    return Picture(study._saved(pixels, quality=93), "image/jpeg", *pixels.size)


@pytest.fixture
def recogniser(client: Redis) -> Recogniser:
    return Recogniser(RedisFingerprintIndex(client))


async def test_a_result_is_recognised_and_the_original_is_not_even_when_the_first_turn_is_gone(
    client: Redis, recogniser: Recogniser
) -> None:
    original = pictures.image("cat")
    first, second = (
        study._marked(original, random.Random(1)),
        study._large_thing(original, random.Random(2)),
    )
    for turn in (ONE, TWO):
        await client.hset(Keys().turn(turn), "state", "done")
    await recogniser.remember(ONE, [[picture(first)]], [picture(original)])
    await recogniser.remember(TWO, [[picture(second)]], [], stands_on=[ONE])
    await client.delete(Keys().turn(ONE))
    assert await recogniser.recognise(picture(second)) == Recognition(Tier.MATCH, TWO, 0)
    assert await recogniser.recognise(picture(original)) == UNKNOWN
    assert await recogniser.recognise(picture(pictures.image("rocket"))) == UNKNOWN


@pytest.mark.parametrize("is_kept", [True, False])
async def test_what_a_branch_began_with_is_looked_at_where_no_turn_before_keeps_it(
    client: Redis, recogniser: Recogniser, is_kept: bool
) -> None:
    original, looked = pictures.image("cat"), list[str]()
    for turn in (ONE, TWO):
        await client.hset(Keys().turn(turn), "state", "done")
    if is_kept:
        await recogniser.remember(ONE, [], [picture(original)])

    async def pinned() -> list[Picture]:
        looked.append("original")
        return [picture(original)]

    result = picture(study._style(original, random.Random(3)))
    await recogniser.remember(TWO, [[result]], [], stands_on=[ONE], pinned=pinned)
    assert looked == ([] if is_kept else ["original"])
    (kept,) = await RedisFingerprintIndex(client).rows([TWO])
    came = fingerprint_of(picture(original).data, "image/jpeg")
    assert came is not None
    assert {row.code for row in kept.rows if row.kind is Kind.SENT} == set(came.codes)


async def test_a_result_that_somebody_sends_again_stays_ours(client: Redis, recogniser: Recogniser) -> None:
    original = pictures.image("cat")
    result = study._large_thing(original, random.Random(2))
    again = Picture(study._smaller(result, 500, 70), "image/jpeg", 500, 400)
    for turn in (ONE, TWO):
        await client.hset(Keys().turn(turn), "state", "done")
    await recogniser.remember(ONE, [[picture(result)]], [picture(original)])
    await recogniser.remember(TWO, [[picture(study._style(original, random.Random(3)))]], [again])
    assert await recogniser.recognise(picture(result)) == Recognition(Tier.MATCH, ONE, 0)


async def test_a_copy_with_a_mark_in_its_corner_is_the_same_result(client: Redis, recogniser: Recogniser) -> None:
    await client.hset(Keys().turn(ONE), "state", "done")
    master = pictures.image("rocket")
    copy = study._marked(master, random.Random(1))
    await recogniser.remember(ONE, [[picture(master), picture(copy)]], [])
    assert {await recogniser.recognise(picture(each)) for each in (master, copy)} == {Recognition(Tier.MATCH, ONE, 0)}


async def test_a_flat_picture_is_neither_kept_nor_recognised(client: Redis, recogniser: Recogniser) -> None:
    flat = picture(Image.new("RGB", (200, 200), "teal"))
    await client.hset(Keys().turn(ONE), "state", "done")
    await recogniser.remember(ONE, [[flat]], [flat])
    assert fingerprint_of(flat.data, flat.media_type) is None
    assert (await recogniser.recognise(flat), await RedisFingerprintIndex(client).count()) == (UNKNOWN, 0)
