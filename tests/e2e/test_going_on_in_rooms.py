"""What a message goes on from that replies to nothing, which of several pictures it means, and what comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.actions import Act
from bot.domain.consent import Say
from bot.domain.errors import EngineRefused
from bot.domain.images import Picture, picture_of
from bot.domain.messages import InboundMessage, MessageRecord, Quoted
from bot.domain.refs import Person, TurnId, thread_id_of
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.words import PRESS_GONE, THIS_OR_ALL, WHICH_ONE_IS_IT
from bot.engines.exact import ExactEngine
from bot.ports import Engine, Rooms
from storage.redis.client import open_client
from storage.redis.messages import RedisMessageStore
from storage.redis.turns import RedisTurnStore
from tests.fakes.engines import ScriptedEngine, ScriptedTextModel
from tests.rig import CAT, COFFEE, Rig, living_in, words_of
from tests.values import ANNA, BEN, CHAT, turn

HAT = "put a hat on her"
CAT_PX, COFFEE_PX = (451, 300), (600, 400)


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, gemini: ScriptedEngine) -> AsyncIterator[Rig]:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, text_model=ScriptedTextModel(), person_turns=2) as rig:
        yield rig


def sizes_of(status: TurnStatus) -> list[tuple[int, int]]:
    assert status.outcome is not None
    return [(each.width_px, each.height_px) for each in status.outcome.images]


def bens(message: InboundMessage) -> InboundMessage:
    """The same, passed on: the pictures are Ben's."""
    owner = Person(BEN, "Ben")
    return replace(message, attachments=tuple(replace(each, owner=owner) for each in message.attachments))


async def made(rig: Rig, status: TurnStatus) -> Picture:
    assert status.outcome is not None
    (facts,) = status.outcome.images
    return picture_of(facts, await rig.house.images.get(facts.sha256))


# --- what replies to nothing


async def test_words_alone_go_on_from_the_last_result(rig: Rig) -> None:
    first = await rig.sees(await rig.says("crop to a square", [CAT]))
    then = await rig.sees(await rig.says("rotate 90 degrees and crop to 2:1", goes_on=True))
    assert (then.turn.parent, sizes_of(then)) == (first.turn.id, [(300, 150)])


async def test_words_alone_answer_what_was_asked_about_a_picture(rig: Rig) -> None:
    asked = await rig.sees(await rig.says("", [CAT]))
    then = await rig.sees(await rig.says("crop to a square", goes_on=True))
    assert (asked.state, sizes_of(then)) == (TurnState.ASKING, [(300, 300)])


async def test_other_words_after_a_refusal_go_on_with_its_picture(rig: Rig, gemini: ScriptedEngine) -> None:
    await rig.sees(await rig.says("crop to a square", [COFFEE]))
    gemini.script = [EngineRefused("The image model would rather not draw that.")]
    await rig.sees(await rig.says(HAT, [CAT]))
    then = await rig.sees(await rig.says("rotate 90 degrees", goes_on=True))
    assert sizes_of(then) == [(300, 451)]


async def test_a_drawing_a_question_and_a_command_begin_anew(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.sees(await rig.says("crop to a square", [CAT]))
    assert first.outcome is not None
    gemini.drawn = await made(rig, first)
    drawn = await rig.sees(await rig.says("draw a fox in the snow", goes_on=True))
    told = await rig.sees(await rig.says("/help", goes_on=True))
    assert (drawn.turn.parent, drawn.turn.inputs, told.turn.parent) == (None, (), None)


async def test_where_nothing_was_made_yet_it_is_asked_which_picture_is_meant(rig: Rig) -> None:
    asked = await rig.sees(await rig.says("make it brighter", goes_on=True))
    assert (asked.state, words_of(asked)) == (TurnState.ASKING, WHICH_ONE_IS_IT)


async def test_nobody_goes_on_from_somebody_elses_last_result_unasked(rig: Rig) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    then = await rig.sees(await rig.says("rotate 90 degrees", goes_on=True, author=BEN))
    assert (then.state, then.turn.inputs) == (TurnState.ASKING, ())


async def test_the_same_message_again_goes_on_from_what_it_went_on_from(rig: Rig) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    message = replace(await rig.message("rotate 90 degrees", id_="said"), goes_on=True)
    once = await rig.house.hall.receive(message)
    await rig.sees(once)
    await rig.sees(await rig.says("crop to a square", [COFFEE]))
    assert await rig.house.hall.receive(message) == once


async def test_a_voice_message_alone_goes_on_unless_it_wants_a_drawing(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.sees(await rig.says("crop to a square", [CAT]))
    sound = b"RIFF\0\0\0\0WAVEfmt "
    edit = await rig.sees(await rig.says("", voice=sound, goes_on=True))
    model = rig.house.machines.text_model
    assert isinstance(model, ScriptedTextModel)
    model.heard, gemini.drawn = "draw a fox in the snow", await made(rig, first)
    drawn = await rig.sees(await rig.says("", voice=sound, goes_on=True))
    assert (edit.turn.parent, drawn.turn.parent, drawn.turn.inputs) == (first.turn.id, None, ())


async def test_what_meant_nothing_the_first_time_means_nothing_when_it_comes_again(rig: Rig, redis_url: str) -> None:
    message = replace(await rig.message("make it brighter", id_="said"), goes_on=True)
    begun = MessageRecord(ref=message.ref, thread=thread_id_of(message.ref), author=ANNA)
    async with open_client(redis_url) as client:
        await RedisMessageStore(client, retention_s=600).record(message, begun)  # and there the process died
    await rig.sees(await rig.says("crop to a square", [CAT]))
    asked = await rig.sees(await rig.house.hall.receive(message))
    assert (asked.state, asked.turn.parent) == (TurnState.ASKING, None)


async def test_words_changed_into_a_drawing_begin_anew(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.sees(await rig.says("crop to a square", [CAT]))
    message = replace(await rig.message("rotate 90 degrees", id_="said"), goes_on=True)
    await rig.sees(await rig.house.hall.receive(message))
    gemini.drawn = await made(rig, first)
    edited = replace(message, text="draw a fox in the snow", version=1)
    drawn = await rig.sees(await rig.house.hall.receive(edited))
    assert (drawn.turn.parent, drawn.turn.inputs) == (None, ())


# --- one of several, or all


async def test_a_reply_to_one_picture_of_several_is_asked_about_and_one_tap_takes_that_one(rig: Rig) -> None:
    both = await rig.quotes(ANNA, [CAT, COFFEE])
    asked = await rig.says("crop to a square", reply_to=both.ref, quoted=both, index=1, among=True)
    question = await rig.sees(asked)
    answer = await rig.house.reception.answer_of(asked.turn)
    assert answer is not None
    assert (question.state, words_of(question)) == (TurnState.ASKING, THIS_OR_ALL.format(count=2))
    assert [each.label for each in answer.controls] == ["This one", "All 2"]
    only = await rig.sees(await rig.presses(Act.ONLY, asked, "2"))
    assert (sizes_of(only), len(only.turn.pins)) == ([(400, 400)], 1)


async def test_another_tap_takes_all_of_them(rig: Rig, gemini: ScriptedEngine) -> None:
    both = await rig.quotes(ANNA, [CAT, COFFEE])
    asked = await rig.says("combine them nicely", reply_to=both.ref, quoted=both, index=0, among=True)
    await rig.sees(asked)
    assert gemini.requests == []
    await rig.sees(await rig.presses(Act.ALL, asked))
    (request,) = gemini.requests
    assert [(each.width_px, each.height_px) for each in request.images] == [CAT_PX, COFFEE_PX]


async def test_words_that_name_one_of_them_are_not_asked_about(rig: Rig) -> None:
    both = await rig.quotes(ANNA, [CAT, COFFEE])
    done = await rig.sees(
        await rig.says("crop the second to a square", reply_to=both.ref, quoted=both, index=0, among=True)
    )
    assert (done.state, sizes_of(done)) == (TurnState.DONE, [(400, 400)])


async def test_the_question_can_not_be_pressed_into_anything_else(rig: Rig) -> None:
    done = await rig.says("crop to a square", [CAT])
    await rig.sees(done)
    for act, argument in ((Act.ONLY, "1"), (Act.ALL, "")):
        refused = await rig.sees(await rig.presses(act, done, argument))
        assert (refused.state, words_of(refused)) == (TurnState.REFUSED, PRESS_GONE)


async def test_one_of_several_is_the_one_that_was_touched_when_more_came_since(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    await rig.sees(await rig.house.hall.receive(await rig.message("combine them nicely", [CAT, COFFEE], id_="album")))
    late = await rig.message("combine them nicely", [COFFEE, CAT, COFFEE], id_="album")
    assert not await rig.house.reception.join(late)
    whole = Quoted(ref=late.ref, author=Person(ANNA, "Anna"), attachments=late.attachments)
    asked = await rig.says("crop to a square", reply_to=whole.ref, quoted=whole, index=1, among=True)
    assert words_of(await rig.sees(asked)) == THIS_OR_ALL.format(count=3)
    assert sizes_of(await rig.sees(await rig.presses(Act.ONLY, asked, "2"))) == [(300, 300)]


async def test_a_size_that_was_asked_for_is_not_lost_with_the_question(rig: Rig) -> None:
    both = await rig.quotes(ANNA, [CAT, COFFEE])
    asked = await rig.says("put a hat on them, in 4K", reply_to=both.ref, quoted=both, index=0, among=True)
    await rig.sees(asked)
    price = await rig.sees(await rig.presses(Act.ONLY, asked, "1"))
    assert (price.state, words_of(price)[:5]) == (TurnState.ASKING, "In 4K")


# --- what comes late


async def test_a_picture_that_comes_late_goes_along_while_nothing_has_begun(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [go_on := asyncio.Event(), other := asyncio.Event()]
    running = [await rig.says(HAT, [CAT]), await rig.says(HAT, [COFFEE])]
    waiting = await rig.house.hall.receive(await rig.message("combine them nicely", [CAT], id_="album"))
    late = await rig.message("combine them nicely", [CAT, COFFEE], id_="album")
    rooms: Rooms = rig.house.reception
    assert await rooms.join(late)
    assert await rooms.join(late)
    go_on.set()
    other.set()
    for each in (*running, waiting):
        await rig.sees(each)
    assert [(each.width_px, each.height_px) for each in gemini.requests[-1].images] == [CAT_PX, COFFEE_PX]
    assert len(gemini.requests) == 3


async def test_a_picture_that_comes_too_late_changes_nothing(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [go_on := asyncio.Event()]
    running = await rig.house.hall.receive(await rig.message("combine them nicely", [CAT], id_="album"))
    while not gemini.requests:
        await asyncio.sleep(0.01)
    late = await rig.message("combine them nicely", [CAT, COFFEE], id_="album")
    assert not await rig.house.reception.join(late)
    go_on.set()
    assert len((await rig.sees(running)).turn.inputs) == 1
    assert not await rig.house.reception.join(late)
    assert len(gemini.requests) == 1


async def test_what_comes_late_for_an_album_that_replies_to_a_picture_goes_along(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [go_on := asyncio.Event(), other := asyncio.Event()]
    running = [await rig.says(HAT, [CAT]), await rig.says(HAT, [COFFEE])]
    seen = await rig.quotes(ANNA, [CAT])
    first = await rig.message("combine them nicely", [CAT, COFFEE], id_="album", reply_to=seen.ref)
    waiting = await rig.house.hall.receive(replace(first, quoted=seen))
    late = await rig.message("combine them nicely", [CAT, COFFEE, CAT], id_="album", reply_to=seen.ref)
    assert await rig.house.reception.join(replace(late, quoted=seen))
    go_on.set()
    other.set()
    for each in (*running, waiting):
        await rig.sees(each)
    assert [each.width_px for each in gemini.requests[-1].images] == [451, 451, 600, 451]


async def test_what_comes_late_for_an_album_without_words_is_meant_by_the_words_that_follow(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    asked = await rig.house.hall.receive(await rig.message("", [COFFEE], id_="album"))
    await rig.sees(asked)
    late = await rig.message("", [CAT, COFFEE, CAT], id_="album")
    rooms: Rooms = rig.house.reception
    assert await rooms.join(late)
    assert await rooms.join(late)
    then = await rig.sees(await rig.says("combine them nicely", goes_on=True))
    assert then.turn.parent == asked.turn
    assert [each.width_px for each in gemini.requests[-1].images] == [451, 600, 451]
    assert not await rooms.join(await rig.message("", [CAT, COFFEE, CAT, CAT], id_="album"))


async def test_what_comes_late_for_an_album_that_was_forgotten_is_not_kept(rig: Rig) -> None:
    await rig.sees(await rig.house.hall.receive(await rig.message("", [CAT], id_="album")))
    late = await rig.message("", [CAT, COFFEE], id_="album")
    await rig.house.forget(ANNA)
    assert not await rig.house.reception.join(late)
    assert [name async for name in rig.house.images.list()] == []


async def test_what_comes_late_while_an_album_is_taken_in_is_never_lost_unsaid(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [go_on := asyncio.Event(), other := asyncio.Event()]
    running = [await rig.says(HAT, [CAT]), await rig.says(HAT, [COFFEE])]
    first = await rig.message("combine them nicely", [CAT], id_="album")
    late = await rig.message("combine them nicely", [CAT, COFFEE], id_="album")
    waiting, joined = await asyncio.gather(rig.house.hall.receive(first), rig.house.reception.join(late))
    go_on.set()
    other.set()
    for each in (*running, waiting):
        await rig.sees(each)
    assert len((await rig.sees(waiting)).turn.inputs) == (2 if joined else 1)


async def test_somebody_who_said_yes_to_a_picture_did_not_say_so_of_those_that_come_late(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [go_on := asyncio.Event(), other := asyncio.Event()]
    running = [await rig.says(HAT, [CAT]), await rig.says(HAT, [COFFEE])]
    waiting = await rig.house.hall.receive(bens(await rig.message("combine them nicely", [CAT], id_="album")))
    await rig.waits(waiting)
    await rig.answers(waiting, BEN, Say.ONCE)
    late = bens(await rig.message("combine them nicely", [CAT, COFFEE], id_="album"))
    assert not await rig.house.reception.join(late)
    go_on.set()
    other.set()
    for each in (*running, waiting):
        await rig.sees(each)
    assert [each.width_px for each in gemini.requests[-1].images] == [451]


async def test_an_album_that_nobody_has_heard_of_is_taken_like_any_message(rig: Rig) -> None:
    message = await rig.message("crop to a square", [CAT], id_="album")
    assert await rig.house.reception.join(message)
    assert sizes_of(await rig.sees(await rig.house.hall.receive(message))) == [(300, 300)]


# --- what is under way


async def test_what_somebody_has_under_way_is_told_newest_first_and_only_theirs(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [go_on := asyncio.Event(), other := asyncio.Event(), third := asyncio.Event()]
    first = await rig.says(HAT, [CAT])
    second = await rig.says(HAT, [CAT])
    await rig.says(HAT, [CAT], author=BEN)
    rooms = rig.house.reception
    assert list(await rooms.under_way(CHAT, by=ANNA)) == [second.turn, first.turn]
    assert await rooms.under_way(replace(CHAT, chat="elsewhere"), by=ANNA) == ()
    for event in (go_on, other, third):
        event.set()
    await rig.sees(first)
    await rig.sees(second)
    assert await rooms.under_way(CHAT, by=ANNA) == ()


async def test_among_what_many_others_have_under_way_ones_own_is_looked_for_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, load = rig.house.turns, RedisTurnStore.load
    others = [replace(turn(author=BEN if number % 10 else ANNA), created_at=number) for number in range(1, 81)]
    for each in others:
        await turns.submit(each, [])
    now = most = 0

    async def counted(store: RedisTurnStore, id_: TurnId) -> TurnStatus | None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        found = await load(store, id_)
        now -= 1
        return found

    monkeypatch.setattr(RedisTurnStore, "load", counted)
    mine = [each.id for each in reversed(others) if each.author == ANNA]
    assert list(await rig.house.reception.under_way(CHAT, by=ANNA)) == mine
    assert 20 < most < 60
