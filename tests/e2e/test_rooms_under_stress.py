"""The rooms when things overlap, go away, or come back late."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from redis.exceptions import ConnectionError as RedisConnectionError

from adapters.web.outbound import WebPlatform
from bot.arrivals import Arrivals
from bot.domain.errors import EngineRefused, EngineUnavailable
from bot.domain.messages import Answer, MessageRecord
from bot.domain.refs import MessageRef, TurnId, UserRef, thread_id_of
from bot.domain.turns import Outcome, Turn, TurnState
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from bot.turns import MAX_BEGINS, Workshop
from storage.objects.shelf import StoreUnavailable
from storage.redis.client import open_client
from storage.redis.messages import RedisMessageStore
from storage.redis.turns import RedisTurnStore
from tests.fakes.engines import ScriptedEngine, ScriptedTextModel
from tests.rig import CAT, Rig, living_in
from tests.values import ANNA, BEN, CHAT


def hurried(monkeypatch: pytest.MonkeyPatch, *, pace: float = 0.01) -> None:
    """Outages are waited for, but not long."""
    monkeypatch.setattr("bot.app.PATIENCE._pace", pace)


async def bucket(redis_url: str, name: str) -> int:
    client = open_client(redis_url)
    keys = await client.keys(f"rb:{{adm}}:bucket:{name}:*20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]")
    value = await client.get(keys[0]) if keys else "0"
    await client.aclose()
    return int(value or 0)


async def test_a_repeat_whose_upload_is_gone_already_changes_nothing(rig: Rig, gemini: ScriptedEngine) -> None:
    go_on = asyncio.Event()
    gemini.script = [go_on]
    message = await rig.message("put a hat on her", [CAT])
    asked = await rig.house.hall.receive(message)
    await rig.house.spool.delete(message.attachments[0].handle)
    assert await rig.house.hall.receive(message) == asked
    go_on.set()
    assert (await rig.sees(asked)).state is TurnState.DONE


async def test_two_attempts_at_one_message_of_which_one_finds_no_upload_make_one_turn(
    rig: Rig, gemini: ScriptedEngine, redis_url: str
) -> None:
    message = await rig.message("put a hat on her", [CAT])
    late = replace(message, attachments=(replace(message.attachments[0], handle="gone"),))
    one, _ = await asyncio.gather(rig.house.hall.receive(message), rig.house.hall.receive(late))
    status = await rig.sees(one)
    calls = len(gemini.requests)
    assert (status.state, calls) in {(TurnState.DONE, 1), (TurnState.REFUSED, 0)}
    assert await bucket(redis_url, "house") == calls * gemini.cost_microusd


async def test_a_result_that_cannot_be_kept_at_first_is_kept_later(
    rig: Rig, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, failures = type(rig.house.images).put, [StoreUnavailable("away"), StoreUnavailable("away")]

    async def away(self: object, *args: object) -> object:
        if gemini.requests and failures:
            raise failures.pop()
        return await original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(type(rig.house.images), "put", away)
    hurried(monkeypatch)
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert (status.state, len(gemini.requests), failures) == (TurnState.DONE, 1, [])


async def test_a_result_that_cannot_be_kept_at_all_is_counted(
    rig: Rig, gemini: ScriptedEngine, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> object:
        raise StoreUnavailable("There is no room left for pictures.")

    asked = await rig.message("put a hat on her", [CAT])
    hurried(monkeypatch, pace=0.0001)
    monkeypatch.setattr(Workshop, "_keep", away)
    status = await rig.sees(await rig.house.hall.receive(asked))
    assert status.outcome is not None
    assert (status.state, status.outcome.code) == (TurnState.FAILED, "not_kept")
    assert await bucket(redis_url, "house") == gemini.cost_microusd


async def test_a_call_that_a_dead_worker_began_is_charged_with_the_next(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine
) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, working=False) as rig:
        asked = await rig.says("put a hat on her", [CAT])
        await rig.house.turns.announce("dead", slots=1)
        claim = await rig.house.turns.claim(asked.turn)
        assert claim is not None
        await rig.house.turns.calling(asked.turn, claim.epoch, "call 1")
    async with living_in(redis_url, tmp_path, engines) as rig:
        status = await rig.sees(asked, within_s=40)
        assert (status.state, status.calls) == (TurnState.DONE, 2)
    assert await bucket(redis_url, "house") == 2 * gemini.cost_microusd


async def test_a_first_call_that_may_be_billed_counts_even_when_the_second_is_refused(
    rig: Rig, gemini: ScriptedEngine, redis_url: str
) -> None:
    gemini.script = [EngineUnavailable("Gone.", maybe_billed=True), EngineRefused("No.", cost_microusd=7)]
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert status.state is TurnState.REFUSED
    assert await bucket(redis_url, "house") == gemini.cost_microusd + 7
    assert await bucket(redis_url, "person") == 0


async def test_turns_whose_records_expired_free_their_places(rig: Rig, gemini: ScriptedEngine, redis_url: str) -> None:
    gemini.script = [asyncio.Event(), asyncio.Event()]
    stuck = [await rig.says("put a hat on her", [CAT]) for _ in range(2)]
    client = open_client(redis_url)
    for each in stuck:
        thread, _, own = each.turn.partition("-")
        await client.delete(f"rb:{{{thread}}}:turn:{own}", f"rb:{{adm}}:turn:{each.turn}")
    await client.aclose()
    await rig.house.reconciler.look(grace_s=0)
    assert (await rig.sees(await rig.says("crop to a square", [CAT]))).state is TurnState.DONE


async def test_a_reply_to_a_placeholder_whose_turn_is_still_coming_in_waits_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    original = Arrivals.brought

    async def slow(self: Arrivals, message: object) -> object:
        if getattr(message, "attachments", ()):
            reached.set()
            await go_on.wait()
        return await original(self, message)  # type: ignore[arg-type]

    monkeypatch.setattr(Arrivals, "brought", slow)
    first = asyncio.create_task(rig.says("crop to a square", [CAT], id_="photo"))
    await reached.wait()
    (placed,) = await page_of(rig)
    placeholder = MessageRef(CHAT, placed["id"])
    second = asyncio.create_task(rig.says("make it grey", reply_to=placeholder))
    await asyncio.sleep(0.05)
    go_on.set()
    await first
    status = await rig.sees(await second)
    assert status.state is TurnState.DONE
    assert status.turn.inputs[0].from_turn == (await first).turn


async def page_of(rig: Rig) -> list[dict[str, str]]:
    _, records = await rig.house.page.page(CHAT.chat, before=None, limit=10)
    return [dict(record) for record in records]


async def test_a_reply_to_a_turn_that_then_fails_is_not_told_that_it_was_done(rig: Rig, gemini: ScriptedEngine) -> None:
    go_on = asyncio.Event()
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    gemini.script = [go_on]
    parent = await rig.says("put a hat on her", reply_to=first)
    while not gemini.requests:  # it is this one that waits, and not what is said next
        await asyncio.sleep(0.01)
    child = await rig.says("now a scarf", reply_to=parent)
    await rig.house.hall.cancel(parent.turn, chat=CHAT, by=ANNA)
    status = await rig.sees(child)
    assert status.state is TurnState.DONE
    assert [line.instruction for line in gemini.requests[-1].story.lines] == ["crop to a square"]


async def test_a_turn_whose_engine_is_not_set_up_any_more_ends_with_words(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine
) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, working=False) as rig:
        asked = await rig.says("put a hat on her", [CAT])
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}) as rig:
        status = await rig.sees(asked)
        assert status.outcome is not None
        assert (status.state, status.outcome.code) == (TurnState.FAILED, "engine_gone")


async def test_an_unreadable_message_does_not_stand_in_the_way_of_the_others(rig: Rig, redis_url: str) -> None:
    bad, good = await rig.message("make it grey", [CAT]), await rig.message("make it grey", [CAT])
    client = open_client(redis_url)
    await client.zadd("rb:inbox", {bad.origin: 1.0, good.origin: 2.0})
    await client.hset(f"rb:message:{bad.ref.key}", mapping={"record": "{}", "inbound:0": '{"from": "the future"}'})
    await client.aclose()
    store = RedisMessageStore(client, retention_s=1000)
    await store.record(good, MessageRecord(good.ref, thread=thread_id_of(good.ref), author=ANNA))
    await rig.house.reconciler.look(grace_s=0)
    assert (await rig.sees(await rig.house.hall.receive(good))).state is TurnState.DONE


async def test_forgetting_somebody_frees_their_place_and_lets_others_go_on(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [asyncio.Event(), asyncio.Event()]
    for _ in range(2):
        await rig.says("put a hat on her", [CAT])
    while len(gemini.requests) < 2:
        await asyncio.sleep(0.01)
    await rig.house.forget(ANNA)
    assert (await rig.sees(await rig.says("crop to a square", [CAT], author=BEN))).state is TurnState.DONE
    assert (await rig.sees(await rig.says("crop to a square", [CAT], author=ANNA))).state is TurnState.DONE


async def test_forgetting_is_repeated_when_a_platform_could_not_be_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await rig.says("crop to a square", [CAT])
    await rig.sees(asked)
    platform = rig.house.platforms["web"]
    with monkeypatch.context() as patch:
        patch.setattr(type(platform), "retract", fails)
        with pytest.raises(ConnectionError):
            await rig.house.forget(ANNA)
    receipt = await rig.house.forget(ANNA)
    assert asked.reply in receipt.messages
    assert await page_of(rig) == []


async def test_a_platform_that_was_not_told_before_the_process_died_is_told_at_the_next_start(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, told = rig.house.platforms["web"], list[UserRef]()
    with monkeypatch.context() as patch:
        patch.setattr(type(platform), "forget", fails)
        with pytest.raises(ConnectionError):
            await rig.house.forget(ANNA)

    async def hears(_: object, user: UserRef) -> None:
        told.append(user)

    monkeypatch.setattr(type(platform), "forget", hears)
    await rig.house.replay_notes()
    assert set(told) == {ANNA}  # a sweep may be at it as well, which is harmless


async def fails(*_: object) -> None:
    raise ConnectionError


async def test_what_people_write_never_reaches_the_log(
    rig: Rig, gemini: ScriptedEngine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.cli import _log_to_stderr  # pyright: ignore[reportPrivateUsage]

    before = structlog.get_config()
    configure = structlog.configure
    monkeypatch.setattr(ScriptedEngine, "edit", breaks)
    # Loggers that are kept would go on writing to this test's standard error after it is closed.
    monkeypatch.setattr(
        structlog, "configure", lambda **given: configure(**given | {"cache_logger_on_first_use": False})
    )
    _log_to_stderr("debug")
    try:
        status = await rig.sees(await rig.says("a very private wish", [CAT]))
    finally:
        configure(**before)
        logging.getLogger().handlers.clear()
    assert status.outcome is not None
    assert status.outcome.code == "broken"
    logged = capfd.readouterr().err
    assert "turn broke" in logged
    assert "private" not in logged


async def breaks(*_: object) -> None:
    raise RuntimeError("an engine broke")


async def test_a_chat_that_takes_its_time_to_be_answered_holds_up_no_other(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filling a reply may wait for a platform's limits: the turns of others run meanwhile, also with one slot."""
    go_on = asyncio.Event()
    original = WebPlatform.fill

    async def fill(self: WebPlatform, reply: MessageRef, answer: Answer) -> None:
        if reply.chat.chat == "slow" and answer.images:
            await go_on.wait()
        await original(self, reply, answer)

    monkeypatch.setattr(WebPlatform, "fill", fill)
    async with living_in(redis_url, tmp_path, slots=1) as rig:
        held = await rig.says("crop to a square", [CAT], chat=replace(CHAT, chat="slow"))
        for number in range(3):
            await rig.sees(await rig.says("crop to a square", [CAT], author=replace(BEN, user=f"ben{number}")))
        status = await rig.house.turns.load(held.turn)
        assert status is not None
        assert (status.state, status.delivered) == (TurnState.DONE, False)
        go_on.set()
        assert (await rig.sees(held)).delivered


async def test_a_store_that_is_away_before_anything_is_paid_for_does_not_end_the_turn(
    rig: Rig, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, begins = Workshop._resolve, list[TurnState]()

    async def away_at_first(self: Workshop, turn: Turn) -> tuple[Turn, tuple[str, ...]]:
        status = await rig.house.turns.load(turn.id)
        assert status is not None
        begins.append(status.state)
        if len(begins) == 1:
            raise RedisConnectionError("away")
        return await original(self, turn)

    monkeypatch.setattr(Workshop, "_resolve", away_at_first)
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert (status.state, len(gemini.requests), begins) == (TurnState.DONE, 1, [TurnState.RUNNING] * 2)


async def test_a_turn_begins_again_after_each_outage_of_the_store(
    rig: Rig, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, begins = Workshop._resolve, list[TurnState]()

    async def away_often(self: Workshop, turn: Turn) -> tuple[Turn, tuple[str, ...]]:
        begins.append(TurnState.RUNNING)
        if len(begins) < MAX_BEGINS:
            raise RedisConnectionError("away")
        return await original(self, turn)

    monkeypatch.setattr(Workshop, "_resolve", away_often)
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert (status.state, len(gemini.requests), len(begins)) == (TurnState.DONE, 1, MAX_BEGINS)


@pytest.mark.parametrize(("error", "most"), [(RedisConnectionError("away"), MAX_BEGINS), (RuntimeError("wrong"), 2)])
async def test_a_turn_does_not_begin_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception, most: int
) -> None:
    begins = list[TurnState]()

    async def always(*_: object) -> object:
        begins.append(TurnState.RUNNING)
        raise error

    monkeypatch.setattr(Workshop, "_resolve", always)
    status = await rig.sees(await rig.says("put a hat on her", [CAT]), within_s=60)
    assert status.outcome is not None
    assert (status.outcome.code, len(begins)) == ("broken", most)


async def test_pictures_that_cannot_be_read_for_a_while_are_waited_for(
    rig: Rig, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, failures = type(rig.house.images).get, [StoreUnavailable("away")] * 9

    async def away(self: object, *args: object) -> object:
        if failures:
            raise failures.pop()
        return await original(self, *args)  # type: ignore[arg-type]

    hurried(monkeypatch, pace=0.003)
    first = await rig.says("put a hat on her", [CAT])
    await rig.sees(first)
    monkeypatch.setattr(type(rig.house.images), "get", away)
    status = await rig.sees(await rig.says("put a scarf on her", reply_to=first))
    assert (status.state, len(gemini.requests), failures) == (TurnState.DONE, 2, [])


async def test_a_turn_whose_pictures_are_waited_for_can_be_cancelled(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = asyncio.Event()

    async def away(*_: object) -> object:
        reached.set()
        raise StoreUnavailable("away")

    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    monkeypatch.setattr(type(rig.house.images), "get", away)
    asked = await rig.says("crop to a square", reply_to=first)
    await reached.wait()
    assert await rig.house.hall.cancel(asked.turn, chat=CHAT, by=ANNA)
    assert (await rig.sees(asked)).state is TurnState.CANCELLED


async def test_a_call_is_counted_once_where_the_stores_answer_was_lost(
    rig: Rig, gemini: ScriptedEngine, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, told = RedisTurnStore.calling, list[bool]()

    async def lost_at_first(self: RedisTurnStore, turn: TurnId, epoch: int, ticket: str) -> bool:
        told.append(await original(self, turn, epoch, ticket))
        if len(told) == 1:
            raise RedisConnectionError("the answer was lost")
        return told[-1]

    monkeypatch.setattr(RedisTurnStore, "calling", lost_at_first)
    hurried(monkeypatch)
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert (status.state, status.calls, told, len(gemini.requests)) == (TurnState.DONE, 1, [True, True], 1)
    assert await bucket(redis_url, "house") == gemini.cost_microusd


async def test_what_was_paid_for_is_not_begun_again_once_it_is_kept(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are counted anew from a draft on: a count of none does not mean that nothing was paid for."""
    original = RedisTurnStore.keep_draft

    async def kept_and_lost(self: RedisTurnStore, turn: Turn, epoch: int, draft: Outcome) -> bool:
        await original(self, turn, epoch, draft)
        raise RuntimeError("lost")

    monkeypatch.setattr(RedisTurnStore, "keep_draft", kept_and_lost)
    hurried(monkeypatch, pace=0.001)
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, text_model=ScriptedTextModel()) as rig:
        status = await rig.sees(await rig.says('add a sign that says "OPEN"', [CAT]))
    assert status.draft is None
    assert len(gemini.requests) == 1


async def test_a_worker_that_holds_a_result_through_an_outage_still_ends_when_it_is_told_to(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, original = asyncio.Event(), RedisTurnStore.finish

    async def away(*_: object) -> bool:
        reached.set()
        raise RedisConnectionError("away")

    monkeypatch.setattr(RedisTurnStore, "finish", away)
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines) as rig:
        asked = await rig.says("put a hat on her", [CAT])
        await reached.wait()
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 8
    monkeypatch.setattr(RedisTurnStore, "finish", original)
    async with living_in(redis_url, tmp_path, engines) as rig:
        assert (await rig.sees(asked, within_s=40)).state is TurnState.DONE
