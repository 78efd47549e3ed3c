"""Forgetting over a fleet: what is noted beside the pictures, gone on with by others, and replayed."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.app import back_up, receipt_of
from bot.deletion import LONGEST_S, delete_pixels
from bot.domain.consent import Say, Standing, mark_of
from bot.domain.images import ImageFacts
from bot.domain.messages import Received
from bot.domain.refs import ChatRef, Sha256, UserRef, sha256_of
from bot.domain.turns import TurnState
from bot.domain.words import AGREED_HERE, would_rather_not
from bot.engines.exact import ExactEngine
from bot.ports import DELETION_S, Engine, Notes
from storage.objects.notes import notes
from storage.redis.client import open_client
from storage.redis.images import RedisImageLedger
from storage.redis.keys import Keys
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, COFFEE, SAMPLES, Rig, living_in, words_of
from tests.values import ANNA, BEN, CHAT

DAY = 24 * 3600.0
CARL, DORA, EVE, ZOE = (UserRef("web", name) for name in ("carl", "dora", "eve", "zoe"))
OTHER = ChatRef("web", "page", "other")
ROCKET = (SAMPLES / "rocket.jpg").read_bytes()


class HangingBucket:
    """A deletion is done once `may_go_on` is set."""

    def __init__(self) -> None:
        self.held: dict[Sha256, bytes] = {}
        self.may_go_on = asyncio.Event()
        self.deleting = 0

    async def put(self, data: bytes, sha256: Sha256 | None = None) -> Sha256:
        sha256 = sha256 or sha256_of(data)
        self.held[sha256] = data
        return sha256

    async def get(self, sha256: Sha256) -> bytes:
        return self.held[sha256]

    async def delete(self, sha256: Sha256) -> None:
        self.deleting += 1
        try:
            await self.may_go_on.wait()
            self.held.pop(sha256, None)
        finally:
            self.deleting -= 1

    async def list(self) -> AsyncIterator[tuple[Sha256, float]]:
        for sha256 in self.held:
            yield sha256, 0.0


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}) as living:
        yield living


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    opened = open_client(redis_url)
    yield opened
    await opened.aclose()


async def test_notes_are_read_back_and_the_last_word_on_a_picture_counts(tmp_path: Path) -> None:
    kept = notes(str(tmp_path), keep_s=DAY)
    one, two = sha256_of(CAT), sha256_of(COFFEE)
    await kept.forgotten(ANNA, 5e8)
    await kept.forgotten(ANNA, 1e9)
    await kept.withdrawn(BEN, [one, two])
    await kept.restored(BEN, [two])
    read = await kept.read()
    assert read.forgotten == {ANNA: 1e9}
    assert read.withdrawn == {BEN: [one]}


async def test_a_note_has_an_end_and_one_that_cannot_be_read_stands_in_nobodys_way(tmp_path: Path) -> None:
    kept = notes(str(tmp_path), keep_s=DAY)
    now = time.time()
    await kept.forgotten(ANNA, now - 2 * DAY)
    await kept.forgotten(BEN, now)
    (tmp_path / "notes" / "forgotten" / "torn").write_bytes(b"")
    assert await kept.drop_old() == 1
    assert list((await kept.read()).forgotten) == [BEN]


async def test_what_people_said_last_is_read_back_and_what_it_makes_meaningless_goes(tmp_path: Path) -> None:
    kept = notes(str(tmp_path), keep_s=DAY)
    t = time.time() - 100
    for at, (standing, chat) in enumerate(
        [
            (Standing.UNSAID, CHAT),
            (Standing.NEVER, CHAT),
            (Standing.HERE, CHAT),
            (Standing.UNSAID, OTHER),
            (Standing.UNSAID, OTHER),
        ]
    ):
        await kept.said(ANNA, standing, chat, at=t + at)
    await kept.said(BEN, Standing.NEVER, CHAT, at=t)
    await kept.said(BEN, Standing.UNSAID, None, at=t + 1)
    for went in (3, 0):
        said = (await kept.read()).said
        assert said[ANNA].never == pytest.approx(t + 1, abs=0.001)
        assert (said[ANNA].is_never, said[BEN].is_never) == (False, False)
        assert said[ANNA].ended(mark_of(OTHER.key)) == pytest.approx(t + 4, abs=0.001)
        assert said[ANNA].ended(mark_of(CHAT.key)) == pytest.approx(t + 1, abs=0.001)
        assert await kept.drop_old() == went


async def test_of_who_is_forgotten_only_a_never_that_held_is_left_of_what_they_said(tmp_path: Path) -> None:
    kept = notes(str(tmp_path), keep_s=DAY)
    t = time.time() - 100
    for person, standings in ((ANNA, (Standing.HERE, Standing.NEVER)), (BEN, (Standing.NEVER, Standing.HERE))):
        for at, standing in enumerate(standings):
            await kept.said(person, standing, CHAT, at=t + at)
    await kept.said(BEN, Standing.UNSAID, CHAT, at=t + 50)
    shutil.copytree(tmp_path / "notes", tmp_path / "copy")
    for person in (ANNA, BEN):
        await kept.forgotten(person, t + 10)
        await kept.unsay(person, t + 10)
    for _ in range(2):
        left = sorted(each.name.split(".", 2)[2] for each in (tmp_path / "notes" / "said").iterdir())
        assert left == ["never", f"unsaid.{mark_of(CHAT.key)}"]
        # A copy of the notes that was put back brings nothing back, either.
        shutil.copytree(tmp_path / "copy", tmp_path / "notes", dirs_exist_ok=True)
        assert await kept.drop_old() == 3


async def test_a_receipt_says_what_was_done_and_not_for_whom(rig: Rig, tmp_path: Path) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    receipt = await rig.house.forget(ANNA)
    said = await receipt_of(rig.house.settings, receipt.number)
    assert said is not None
    assert (said["done"], said["edits"], said["messages"]) == (True, 1, len(receipt.messages))
    file = tmp_path / "pictures" / "notes" / "receipts" / receipt.number
    assert ANNA.user not in file.read_text()
    assert await receipt_of(rig.house.settings, "../forgotten") is None


async def test_who_asks_in_a_chat_and_is_kept_in_great_number_is_told_that_it_goes_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    may_go_on, platform = asyncio.Event(), rig.house.platforms["web"]
    retract = platform.retract

    async def slowly(ours: object, theirs: object) -> None:
        await may_go_on.wait()
        await retract(ours, theirs)  # type: ignore[arg-type]

    monkeypatch.setattr(platform, "retract", slowly)
    told = await rig.house.forgetting.ask(ANNA, patience_s=0.01)
    assert not told.is_done
    assert (await receipt_of(rig.house.settings, told.number) or {})["done"] is False
    may_go_on.set()
    async with asyncio.timeout(10):
        while await rig.house.erasure.begun():
            await asyncio.sleep(0.01)
    assert (await receipt_of(rig.house.settings, told.number) or {})["done"] is True


async def test_another_process_goes_on_with_what_one_that_ended_had_begun(
    rig: Rig, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await rig.sees(await rig.says("crop to a square", [CAT]))

    async def dies(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(rig.house.platforms["web"], "retract", dies)
    with pytest.raises(ConnectionError):
        await rig.house.forget(ANNA)
    (begun,) = await rig.house.erasure.begun()
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}, working=False) as other:
        await other.house.forgetting.go_on(silent_s=3600)
        assert len(await other.house.erasure.begun()) == 1
        await other.house.forgetting.go_on(silent_s=0)
        async with asyncio.timeout(10):
            while await other.house.erasure.begun():
                await asyncio.sleep(0.01)
        erased = await other.house.turns.load(made.turn.id)
    assert erased is not None
    assert erased.erased
    assert (await receipt_of(rig.house.settings, begun.number) or {})["done"] is True


async def test_going_on_with_a_long_one_keeps_nobody_from_repairing(
    rig: Rig, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    await rig.house.erasure.begin(ANNA, before=time.time(), number="one")
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}, working=False) as other:
        asked, taken_away = 0, asyncio.Event()

        async def slowly(*_: object, **__: object) -> None:
            nonlocal asked
            asked += 1
            await taken_away.wait()

        monkeypatch.setattr(other.house.platforms["web"], "retract", slowly)
        async with asyncio.timeout(10):
            await other.house.forgetting.go_on(silent_s=0)
            while not asked:
                await asyncio.sleep(0.01)
            await other.house.forgetting.go_on(silent_s=0)  # which is at it already
            taken_away.set()
            while await other.house.erasure.begun():
                await asyncio.sleep(0.01)
    assert asked == 1


async def test_what_is_noted_of_who_was_forgotten_and_what_the_database_knows_are_the_same_time(rig: Rig) -> None:
    for person in (ANNA, BEN):
        await rig.house.forget(person)
    assert (await rig.house.notes.read()).forgotten == await rig.house.erasure.forgotten()


async def test_a_worker_of_another_process_that_finishes_afterwards_brings_nothing_back(
    redis_url: str, tmp_path: Path
) -> None:
    gemini = ScriptedEngine()
    gemini.script = [held := asyncio.Event()]
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with (
        living_in(redis_url, tmp_path, engines) as worker,
        living_in(redis_url, tmp_path, engines, working=False) as gateway,
    ):
        asked = await worker.says("put a hat on her", [CAT])
        async with asyncio.timeout(10):
            while not gemini.requests:
                await asyncio.sleep(0.01)
        await gateway.house.forget(ANNA)
        held.set()
        await worker.house.workshop.idle()
        status = await gateway.house.turns.load(asked.turn)
        assert status is not None
        assert (status.state, status.erased, status.turn.instruction) == (TurnState.CANCELLED, True, "")
        async with asyncio.timeout(10):
            while left := [sha async for sha, _ in gateway.house.images.list()]:
                await asyncio.sleep(0.01)
        assert left == []


async def test_what_is_held_while_it_is_deleted_is_stored_after_that(client: Redis) -> None:
    ledger = RedisImageLedger(client, retention_s=60)
    image = ImageFacts(Sha256("a" * 64), "image/png", 1, 1, 1)
    await ledger.keep("turn:one", [(image, image)], target="")
    assert list(await ledger.release("turn:one", [image])) == [image.sha256]
    holding = asyncio.create_task(ledger.keep("turn:two", [(image, image)], target=""))
    async with asyncio.timeout(5):
        while not await client.exists(Keys().image_holders(image.sha256)):
            await asyncio.sleep(0.01)
    assert not await ledger.take([image.sha256])
    assert not holding.done()
    await ledger.deleted([image.sha256])
    async with asyncio.timeout(5):
        await holding


async def test_a_deletion_that_hangs_is_given_up_before_anybody_stores_the_same_anew(client: Redis) -> None:
    ledger, bucket = RedisImageLedger(client, retention_s=60), HangingBucket()
    image = ImageFacts(await bucket.put(b"one"), "image/png", 1, 1, 1)
    await ledger.keep("turn:one", [(image, image)], target="")
    gone = await ledger.release("turn:one", [image])
    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await delete_pixels(bucket, ledger, gone, longest_s=0.05)
    assert bucket.deleting == 0
    # Who holds it meanwhile waits, as long as the request may still be on its way.
    left_s = await client.pttl(Keys().image_going(image.sha256)) / 1000
    assert DELETION_S - LONGEST_S < left_s <= DELETION_S
    bucket.may_go_on.set()
    assert await delete_pixels(bucket, ledger, gone) == 1
    assert not await client.exists(Keys().image_going(image.sha256))


async def test_what_was_let_go_of_too_long_ago_is_not_deleted_under_who_has_stored_it_since(client: Redis) -> None:
    ledger, bucket = RedisImageLedger(client, retention_s=60), HangingBucket()
    bucket.may_go_on.set()
    old, young = [ImageFacts(await bucket.put(each), "image/png", 1, 1, 1) for each in (b"old", b"young")]
    await ledger.keep("turn:one", [(old, old), (young, young)], target="")
    gone = await ledger.release("turn:one", [old, young])
    await client.delete(Keys().image_going(old.sha256))  # as it ends by itself
    await client.expire(Keys().image_going(young.sha256), 1)
    await ledger.keep("turn:two", [(old, old)], target="")
    assert list(await ledger.still_going(gone)) == [young.sha256]
    assert await client.ttl(Keys().image_going(young.sha256)) > DELETION_S - 5
    assert await delete_pixels(bucket, ledger, gone) == 1
    assert [sha async for sha, _ in bucket.list()] == [old.sha256]


async def test_a_rendition_goes_with_what_the_collector_finds_that_nobody_holds(client: Redis) -> None:
    ledger = RedisImageLedger(client, retention_s=60)
    master, smaller, held = (ImageFacts(Sha256(each * 64), "image/png", 1, 1, 1) for each in "abc")
    await ledger.keep("turn:one", [(master, smaller), (held, held)], target="small")
    await client.delete(Keys().image(master.sha256), Keys().image_holders(master.sha256))  # as they end by themselves
    nobodys = Sha256("d" * 64)
    taken = await ledger.take([master.sha256, held.sha256, nobodys])
    assert sorted(taken) == [master.sha256, smaller.sha256, nobodys]


async def test_the_collector_asks_for_many_images_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    kept = {sha async for sha, _ in rig.house.images.list()}
    for number in range(450):
        await rig.house.images.put(b"%d" % number)
    reconciler = rig.house.reconciler
    reconciler._unheld_s = -1.0  # pyright: ignore[reportPrivateUsage]
    trips = 0
    execute = Pipeline.execute

    async def counted(self: Pipeline, raise_on_error: bool = True) -> Any:
        nonlocal trips
        trips += 1
        return await execute(self, raise_on_error)

    monkeypatch.setattr(Pipeline, "execute", counted)
    assert await reconciler._collect() == 450  # pyright: ignore[reportPrivateUsage]
    assert {sha async for sha, _ in rig.house.images.list()} == kept
    # Three times to ask, and twice for each twenty that are deleted; whatever else runs beside has its own.
    assert trips < 100


async def test_one_process_collects_at_a_time_and_what_is_held_stays(rig: Rig, client: Redis) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    kept = {sha async for sha, _ in rig.house.images.list()}
    nobodys = await rig.house.images.put(b"nobody's")
    reconciler = rig.house.reconciler
    reconciler._unheld_s = -1.0  # pyright: ignore[reportPrivateUsage]
    ledger = RedisImageLedger(client, retention_s=60)
    await client.delete(Keys().collector)  # of the look at the start, after which others rest
    assert await ledger.collects("somebody else", life_s=60)
    assert await reconciler.sweep() == 0
    assert await ledger.collects("somebody else", life_s=0)
    async with asyncio.timeout(5):
        while not await reconciler.sweep():
            await asyncio.sleep(0.01)
    assert {sha async for sha, _ in rig.house.images.list()} == kept
    assert nobodys not in kept


async def test_a_back_up_taken_while_it_runs_is_restored_without_who_was_forgotten_since(tmp_path: Path) -> None:
    data, copy, restored = (tmp_path / name for name in ("data", "copy", "restored"))
    exact = {"exact": ExactEngine()}
    async with living_in("", data, exact) as rig:
        hers = await rig.sees(await rig.says("crop to a square", [CAT]))
        his = await rig.says("crop to a square", [COFFEE], author=BEN)
        await rig.sees(his)
        other = await rig.sees(await rig.says("make it sepia", [ROCKET], author=BEN))
        await back_up(rig.house.settings, copy)
        await rig.house.forget(ANNA)
        await rig.sees(await rig.says("/withdraw yes", reply_to=his, author=BEN))
    shutil.copytree(copy, restored)
    # The notes since then: those of a fleet lie in a bucket; those of one machine are copied more often than all else.
    shutil.copytree(data / "pictures" / "notes", restored / "pictures" / "notes", dirs_exist_ok=True)
    async with living_in("", restored, exact, working=False) as rig:
        back = await rig.house.turns.load(hers.turn.id)
        assert back is not None
        assert not back.erased
        await rig.house.replay_notes()
        states = [await rig.house.turns.load(turn) for turn in (hers.turn.id, his.turn, other.turn.id)]
        assert [each.erased for each in states if each] == [True, True, False]
    async with living_in("", restored, exact) as rig:
        rig.numbers = itertools.count(1000)
        again = await rig.sees(await rig.says("rotate 90 degrees", reply_to=other.turn.reply, author=BEN))
        assert again.state is TurnState.DONE


async def test_an_older_database_edits_nobodys_picture_against_what_they_said_since(tmp_path: Path) -> None:
    data, copy, restored = (tmp_path / name for name in ("data", "copy", "restored"))
    exact = {"exact": ExactEngine()}

    async def wants(rig: Rig, owner: UserRef) -> Received:
        photo = await rig.quotes(owner, [CAT])
        return await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=ZOE)

    async with living_in("", data, exact) as rig:
        for person, said in ((BEN, "here"), (CARL, "here"), (DORA, "here"), (EVE, "never")):
            await rig.sees(await rig.says(f"/mine {said}", author=person))
        waiting = await wants(rig, ANNA)
        await rig.waits(waiting)
        await back_up(rig.house.settings, copy)
        for person, said in ((ANNA, "never"), (BEN, "never"), (CARL, "ask"), (DORA, "everywhere"), (EVE, "here")):
            await rig.sees(await rig.says(f"/mine {said}", author=person))
    shutil.copytree(copy, restored)
    shutil.copytree(data / "pictures" / "notes", restored / "pictures" / "notes", dirs_exist_ok=True)
    async with living_in("", restored, exact) as rig:
        rig.numbers = itertools.count(1000)
        await rig.sees(await wants(rig, DORA))  # the older one knows no better
        await rig.house.replay_notes()
        assert words_of(await rig.sees(waiting)) == would_rather_not("Anna")
        for owner in (ANNA, BEN):
            assert words_of(await rig.sees(await wants(rig, owner))) == would_rather_not(owner.user.title())
        for owner in (CARL, DORA, EVE):
            await rig.waits(await wants(rig, owner))
        assert await rig.answers(await wants(rig, CARL), CARL, Say.HERE) == AGREED_HERE
        await rig.house.replay_notes()
        assert (await rig.sees(await wants(rig, CARL))).state is TurnState.DONE


async def test_what_is_said_while_the_notes_are_replayed_holds(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    read, says = rig.house.notes.read, rig.house.reception
    first = await read()

    async def meanwhile() -> Notes:
        monkeypatch.undo()
        await says.stand(ANNA, CHAT, Standing.UNSAID)
        return first

    monkeypatch.setattr(rig.house.notes, "read", meanwhile)
    await rig.house.replay_notes()
    assert await rig.house.reception.standing(ANNA, CHAT) is Standing.UNSAID


async def test_forgetting_leaves_a_never_in_the_notes_and_nothing_else_of_what_was_said(
    rig: Rig, tmp_path: Path
) -> None:
    for person, standings in ((ANNA, (Standing.HERE, Standing.NEVER)), (BEN, (Standing.NEVER, Standing.HERE))):
        for standing in standings:
            await rig.house.reception.stand(person, CHAT, standing)
            await asyncio.sleep(0.002)
        await rig.house.forget(person)
    (left,) = (tmp_path / "pictures" / "notes" / "said").iterdir()
    assert left.name.endswith(".never")
    await rig.house.replay_notes()
    stand = [await rig.house.reception.standing(person, CHAT) for person in (ANNA, BEN)]
    assert stand == [Standing.NEVER, Standing.UNSAID]
