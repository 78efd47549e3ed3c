"""Asking Telegram for updates: stored before acknowledged, by one process at a time, whatever goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from ssl import SSLCertVerificationError
from typing import Any

import pytest
from redis.exceptions import ConnectionError as StoreDown
from structlog.testing import capture_logs

from adapters.telegram import inbox as inbox_module
from adapters.telegram import polling as polling_module
from adapters.telegram.inbox import MOST_OF_A_CHAT, MOST_TRIES
from adapters.telegram.polling import CONFLICT, CONFLICT_WORDS, UNHEARD_WORDS
from adapters.telegram.ports import Json, Key, Stored
from adapters.telegram.refs import message_ref
from bot import insisting
from bot.domain.messages import InboundMessage, Received
from bot.ending import end
from storage.redis.client import open_client
from storage.redis.telegram_inbox import RedisInbox
from tests.fakes.discord_rooms import RecordingRooms
from tests.platforms.telegram_doors import Scene, a_scene


@pytest.fixture
async def scene(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(insisting, "_FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(polling_module, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(polling_module, "STAND_BY_S", 0.05)
    async with a_scene(redis_url, floods=False) as found:
        yield found


class Watched(RedisInbox):
    """Notes how often Telegram had been asked whenever something was stored; `down` times it stores nothing, and with
    `stops` nothing happens any more once something is stored."""

    def __init__(self, client: Any, scene: Scene, *, down: int = 0, stops: bool = False) -> None:
        super().__init__(client)
        self.scene = scene
        self.down = down
        self.stops = stops
        self.stored: list[tuple[int, int]] = []

    async def take_through(
        self, account: str, updates: Sequence[tuple[int, bytes]], *, holder: str, most: int
    ) -> Sequence[Stored]:
        if self.down:
            self.down -= 1
            raise StoreDown
        taken = await super().take_through(account, updates, holder=holder, most=most)
        self.stored += [(id_, len(self.scene.fake.asked("getUpdates"))) for id_, _ in updates]
        if self.stops:
            await asyncio.Event().wait()
        return taken


class Slow(RecordingRooms):
    """Who says “wait” does so until it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()
        self.waiting = 0

    @property
    def tried(self) -> int:
        return self.waiting + self.refusals

    def tried_more_than(self, before: int) -> bool:
        return self.tried > before

    async def receive(self, message: InboundMessage) -> Received:
        if message.text == "wait":
            self.waiting += 1
            await self.goes_on.wait()
        return await super().receive(message)


def offsets(scene: Scene) -> list[int | None]:
    return [each.arguments.get("offset") for each in scene.fake.asked("getUpdates")]


async def test_a_message_is_stored_before_it_is_acknowledged(scene: Scene) -> None:
    inbox = Watched(scene.client, scene)
    anna = scene.fake.user("Anna")
    scene.process(inbox=inbox).begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: inbox.stored and inbox.stored[0][0] + 1 in offsets(scene))
    ((number, asked_before),) = inbox.stored
    assert offsets(scene)[:asked_before] == [None] * asked_before
    assert offsets(scene)[asked_before] == number + 1
    await scene.until(lambda: scene.texts() == ["a fox"])


async def test_a_process_killed_between_storing_and_acknowledging_loses_and_doubles_nothing(scene: Scene) -> None:
    inbox = Watched(scene.client, scene, stops=True)
    anna = scene.fake.user("Anna")
    killed = scene.process(inbox=inbox).begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: inbox.stored)
    await killed.dies()
    assert offsets(scene) == [None]
    after = scene.process().begins()
    await anna.says(scene.fake.private(anna), "a hen")
    await scene.until(lambda: "a hen" in scene.texts())
    await scene.settled(after)
    assert sorted(scene.texts()) == ["a fox", "a hen"]


async def test_what_a_killed_process_had_begun_is_taken_up_by_another(scene: Scene) -> None:
    scene.rooms = rooms = Slow()
    anna = scene.fake.user("Anna")
    stuck = scene.process().begins()
    await anna.says(scene.fake.private(anna), "wait")
    await scene.until(lambda: rooms.waiting)
    await stuck.dies()
    rooms.goes_on.set()
    after = scene.process().begins()
    await scene.settled(after)
    assert scene.texts() == ["wait"]


class Looking(RedisInbox):
    """Counts how often one looked for what others left behind."""

    looks = 0

    async def left_behind(self, account: str, *, holder: str, idle_s: float, most: int) -> Sequence[Stored]:
        found = await super().left_behind(account, holder=holder, idle_s=idle_s, most=most)
        self.looks += 1
        return found


async def test_what_takes_long_stays_with_whoever_shows_life(scene: Scene) -> None:
    scene.rooms = rooms = Slow()
    anna = scene.fake.user("Anna")
    first = scene.process().begins()
    await anna.says(scene.fake.private(anna), "wait")
    await scene.until(lambda: rooms.waiting)
    inbox = Looking(scene.client)
    scene.process(inbox=inbox).begins()
    await scene.until(lambda: inbox.looks >= 6)  # over twice as long as one may show no life
    rooms.goes_on.set()
    await scene.settled(first)
    assert rooms.waiting == 1


async def test_while_the_store_is_down_nothing_is_acknowledged_and_it_is_tried_again(scene: Scene) -> None:
    inbox = Watched(scene.client, scene, down=3)
    anna = scene.fake.user("Anna")
    scene.process(inbox=inbox).begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    assert inbox.down == 0
    assert offsets(scene)[0] is None
    assert inbox.stored[0][1] == 1  # one question, however often it was tried


async def test_an_update_that_cannot_be_read_is_set_aside_and_the_next_goes_on(scene: Scene) -> None:
    anna = scene.fake.user("Anna")
    process = scene.process().begins()
    number = scene.fake.push_raw({"message": {"message_id": "none", "chat": 7}})
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    await scene.settled(process)
    (aside,) = await process.inbox.aside(scene.me.id)
    assert (aside.update_id, aside.why) == (number, "KeyError")
    assert len(scene.fake.asked("getUpdates")) <= 4


@pytest.mark.parametrize("odd", [{"poll": {"id": "1"}}, {"something_new": {"id": 1}}, {}])
async def test_an_update_that_means_nothing_to_us_is_done_with(scene: Scene, odd: dict[str, Any]) -> None:
    process = scene.process().begins()
    scene.fake.push_raw(odd)
    await scene.until(lambda: not scene.fake.updates.pending)
    await scene.settled(process)
    assert scene.received == []


async def test_a_server_whose_answers_have_no_numbers_is_not_asked_without_a_pause(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    async def updates(**_: object) -> list[Json]:
        asked.append(time.monotonic())
        return [{"message": {}}, {"update_id": "7"}]

    process = scene.process()
    monkeypatch.setattr(process.telegram, "updates", updates)
    process.begins()
    await scene.until(lambda: len(asked) >= 4)
    assert asked[3] - asked[0] > 0.5


async def test_updates_whose_ids_begin_anew_below_the_last_are_not_missed(scene: Scene) -> None:
    anna = scene.fake.user("Anna")
    scene.process(polling={"long_poll_s": 1}).begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    await scene.until(lambda: offsets(scene)[-1] is None)
    scene.fake.restart_update_ids(at=7)
    await anna.says(scene.fake.private(anna), "a hen")
    await scene.until(lambda: scene.texts() == ["a fox", "a hen"])


async def test_a_second_program_with_the_same_token_is_named_once_and_noted_until_it_is_gone(scene: Scene) -> None:
    words = "Conflict: terminated by other getUpdates request"
    scene.fake.fail("getUpdates", code=409, description=words, times=3)
    process = scene.process(polling={"long_poll_s": 1})
    with capture_logs() as logs:
        process.begins()
        await scene.until(lambda: len(offsets(scene)) == 3)
        assert int(await process.store.noted(CONFLICT)) == pytest.approx(time.time(), abs=60)
        anna = scene.fake.user("Anna")
        await anna.says(scene.fake.private(anna), "a fox")
        await scene.until(lambda: scene.texts() == ["a fox"])
    assert [each["event"] for each in logs].count(CONFLICT_WORDS) == 1
    assert await process.store.noted(CONFLICT) == ""
    times = [each.at for each in scene.fake.asked("getUpdates")[:4]]
    first, second, third = (after - before for before, after in itertools.pairwise(times))
    assert first < second < third


async def test_a_webhook_that_is_set_is_taken_away_without_losing_what_waits(scene: Scene) -> None:
    anna = scene.fake.user("Anna")
    scene.fake.updates.set_webhook("http://127.0.0.1:9/nowhere", secret="", max_connections=1)
    await anna.says(scene.fake.private(anna), "a fox")
    scene.process().begins()
    await scene.until(lambda: scene.texts() == ["a fox"])
    (asked,) = scene.fake.asked("deleteWebhook")
    assert not asked.arguments.get("drop_pending_updates")


async def test_of_two_processes_one_asks_and_the_other_takes_over_when_it_is_killed(scene: Scene) -> None:
    anna = scene.fake.user("Anna")
    first = scene.process().begins()
    await scene.until(lambda: scene.fake.updates.polls == 1)
    second = scene.process().begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    assert await first.inbox.lead(scene.me.id, holder=second.holder, life_s=1.0) is False
    await first.dies()
    await anna.says(scene.fake.private(anna), "a hen")
    await scene.until(lambda: scene.texts() == ["a fox", "a hen"])
    assert all(each.status != 409 for each in scene.fake.asked("getUpdates"))


async def test_a_process_that_stops_gives_the_lead_back_at_once(scene: Scene) -> None:
    first = scene.process().begins()
    await scene.until(lambda: scene.fake.updates.polls == 1)
    await first.ends()
    assert await first.inbox.lead(scene.me.id, holder="another", life_s=1.0) is True


async def test_a_question_that_hangs_is_broken_off_and_silence_is_said_once(scene: Scene) -> None:
    scene.fake.hang_after_delivery("getUpdates", times=1)
    anna = scene.fake.user("Anna")
    await anna.says(scene.fake.private(anna), "a fox")
    with capture_logs() as logs:
        scene.process(polling={"long_poll_s": 0, "patience_s": 0.9, "unheard_s": 0.3}).begins()
        await scene.until(lambda: scene.texts() == ["a fox"])
    assert [each["event"] for each in logs].count(UNHEARD_WORDS) == 1
    assert scene.fake.hanging == 1


class Deadly(Slow):
    """Whoever is told “boom” is about to die."""

    def __init__(self) -> None:
        super().__init__()
        self.struck = asyncio.Event()

    async def receive(self, message: InboundMessage) -> Received:
        if message.text == "boom":
            self.struck.set()
            await asyncio.Event().wait()
        return await super().receive(message)


async def test_an_update_that_kills_processes_is_set_aside_and_those_that_were_at_work_with_it_are_not(
    scene: Scene,
) -> None:
    scene.rooms = rooms = Deadly()
    anna = scene.fake.user("Anna")
    home = scene.fake.private(anna)
    for words in ("wait", "boom", "wait", "wait"):
        await anna.says(home, words)
    process = scene.process(idle_s=0.15).begins()
    await scene.until(lambda: rooms.waiting == 3)
    for _ in range(MOST_TRIES):
        await asyncio.wait_for(rooms.struck.wait(), 10)
        rooms.struck.clear()
        await process.dies()
        rooms.goes_on.set()
        process = scene.process(idle_s=0.15).begins(asks=False)
    await scene.settled(process)
    assert not rooms.struck.is_set()
    assert [each.why for each in await process.inbox.aside(scene.me.id)] == ["ProcessesDied"]
    assert scene.texts() == ["wait"] * 3


async def test_what_only_waits_for_its_place_in_its_chat_is_no_try(scene: Scene) -> None:
    scene.rooms = rooms = Slow()
    anna = scene.fake.user("Anna")
    home = scene.fake.private(anna)
    process = scene.process()
    for _ in range(MOST_OF_A_CHAT + 3):
        await anna.says(home, "wait")
    process.begins()
    await scene.until(lambda: rooms.waiting == MOST_OF_A_CHAT)
    async with asyncio.timeout(10):
        while await _noted(scene) != MOST_OF_A_CHAT:
            await asyncio.sleep(0.01)
    rooms.goes_on.set()
    await scene.settled(process)
    assert await _noted(scene) == 0


async def _noted(scene: Scene) -> int:
    """How many updates have a try that counts, should nothing more be heard of who took them."""
    return len(await scene.client.hkeys(f"rb:telegram:{{{scene.me.id}}}:tries"))


@pytest.mark.parametrize("words", ["wait", "a fox"])
async def test_however_often_the_bot_is_restarted_while_something_is_down_nothing_is_set_aside(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """What waits is broken off, the other fails."""
    monkeypatch.setattr(inbox_module, "LEAVE_S", 0.02)
    scene.rooms = rooms = Slow()
    rooms.closed = StoreDown()
    anna = scene.fake.user("Anna")
    await anna.says(scene.fake.private(anna), words)
    for number in range(MOST_TRIES + 1):
        process = scene.process(idle_s=0.1).begins(asks=not number)
        await scene.until(partial(rooms.tried_more_than, rooms.tried))
        await process.ends()
    rooms.closed = None
    rooms.goes_on.set()
    await scene.settled(process := scene.process(idle_s=0.1).begins(asks=False))
    assert await process.inbox.aside(scene.me.id) == []
    assert scene.texts() == [words]


async def test_what_a_process_died_at_and_takes_long_does_not_hold_up_the_next_for_good(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "ALONE_S", 0.1)
    scene.rooms = rooms = Slow()
    anna = scene.fake.user("Anna")
    first = scene.process().begins()
    for words in ("wait", "wait"):
        await anna.says(scene.fake.private(anna), words)
    await scene.until(lambda: rooms.waiting == 2)
    await first.dies()
    scene.process().begins(asks=False)
    await scene.until(lambda: rooms.waiting == 4)
    rooms.goes_on.set()


async def test_a_chat_that_takes_its_time_holds_up_nobody_else(scene: Scene) -> None:
    scene.rooms = rooms = Slow()
    anna, ben = scene.fake.user("Anna"), scene.fake.user("Ben")
    process = scene.process().begins()
    for _ in range(80):
        await anna.says(scene.fake.private(anna), "wait")
    await ben.says(scene.fake.private(ben), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    await scene.until(lambda: rooms.waiting >= MOST_OF_A_CHAT)
    assert rooms.waiting == MOST_OF_A_CHAT
    rooms.goes_on.set()
    await scene.settled(process)
    assert len(scene.texts()) == 81


async def test_many_chats_that_wait_with_all_they_may_hold_up_nobody_else(scene: Scene) -> None:
    scene.rooms = rooms = Slow()
    process = scene.process().begins()
    chats = [scene.fake.private(scene.fake.user(f"Anna {number}")) for number in range(40)]
    busy = [_update(number, chat.id) for number, chat in enumerate(chats * (MOST_OF_A_CHAT + 1))]
    await process.inbox.take_in(scene.me.id, busy)
    process.mailroom.arrived()
    await scene.until(lambda: rooms.waiting == 40 * MOST_OF_A_CHAT)
    ben = scene.fake.user("Ben")
    await ben.says(scene.fake.private(ben), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    rooms.goes_on.set()
    await scene.settled(process)


def _update(number: int, person: int) -> tuple[int, bytes]:
    who = {"id": person, "first_name": "Anna"}
    chat, sender = who | {"type": "private"}, who | {"is_bot": False}
    message = {"message_id": 9000 + number, "date": 1, "chat": chat, "from": sender, "text": "wait"}
    return number, json.dumps({"update_id": number, "message": message}).encode()


async def test_a_pressed_key_does_not_wait_for_what_others_wait_for_in_its_chat(scene: Scene) -> None:
    scene.rooms = rooms = Slow()
    anna = scene.fake.user("Anna")
    process = scene.process().begins()
    home = scene.fake.private(anna)
    said = await anna.says(home, "a fox")
    result = await process.telegram.say(
        message_ref(scene.me.id, home.id, said.id), "A fox", keyboard=((Key("Info", "rb:info:-:"),),)
    )
    for _ in range(2 * MOST_OF_A_CHAT):
        await anna.says(home, "wait")
    await scene.until(lambda: rooms.waiting == MOST_OF_A_CHAT)
    await anna.presses(home.log[int(result.message)], "Info")
    await scene.until(lambda: scene.beside.pressed)
    rooms.goes_on.set()


async def test_what_fails_is_tried_again_until_it_works(scene: Scene) -> None:
    scene.rooms.closed = StoreDown()
    anna = scene.fake.user("Anna")
    process = scene.process().begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.rooms.refusals >= 2)
    scene.rooms.closed = None
    await scene.settled(process)
    assert scene.texts() == ["a fox"]


async def test_an_update_that_meets_a_plain_bug_again_and_again_is_set_aside(scene: Scene) -> None:
    scene.rooms.closed = TypeError("a plain bug")
    anna = scene.fake.user("Anna")
    process = scene.process().begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.settled(process)
    assert [each.why for each in await process.inbox.aside(scene.me.id)] == ["TypeError"]
    assert scene.rooms.refusals == insisting.MOST_BUGS


@pytest.mark.parametrize("away", [StoreDown(), SSLCertVerificationError(), TimeoutError()])
async def test_an_update_that_meets_a_store_or_a_network_that_is_away_is_not_set_aside(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    monkeypatch.setattr(insisting, "_LONGEST_WAIT_S", 0.02)
    scene.rooms.closed = away
    anna = scene.fake.user("Anna")
    process = scene.process().begins()
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.rooms.refusals > 2 * insisting.MOST_BUGS)
    scene.rooms.closed = None
    await scene.settled(process)
    assert scene.texts() == ["a fox"]


async def test_a_lead_outlives_a_short_failure_of_the_store(scene: Scene, redis_url: str) -> None:
    class Blinks(RedisInbox):
        fails = 0

        async def lead(self, account: str, *, holder: str, life_s: float) -> bool:
            if self.fails:
                self.fails -= 1
                raise StoreDown
            return await super().lead(account, holder=holder, life_s=life_s)

    inbox = Blinks(open_client(redis_url))
    process = scene.process(inbox=inbox).begins()
    await scene.until(lambda: scene.fake.updates.polls == 1)
    inbox.fails = 1
    await scene.until(lambda: not inbox.fails)
    anna = scene.fake.user("Anna")
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.settled(process)
    assert len(scene.fake.asked("deleteWebhook")) == 1


@pytest.mark.parametrize("part", ["poller", "mailroom"])
async def test_a_loop_ends_when_it_is_asked_once_though_the_store_swallowed_that(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """As redis-py does now and then."""
    process, waiting, calls = scene.process(), asyncio.Event(), 0

    async def swallows(*_: object, **__: object) -> Any:
        nonlocal calls
        calls += 1
        waiting.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return part == "poller" or ()

    for asked in ("lead", "next", "left_behind"):
        monkeypatch.setattr(process.inbox, asked, swallows)
    task = asyncio.create_task(getattr(process, part).run())
    await asyncio.wait_for(waiting.wait(), 10)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    is_over = task.done()
    monkeypatch.undo()
    await end(task)
    assert (is_over, calls) == (True, 1)
