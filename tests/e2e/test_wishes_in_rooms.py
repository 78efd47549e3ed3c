"""What people want beyond one edit, through the real house: words alone, albums, presses, roles, lettering, voice."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.app import spent_of
from bot.domain.actions import Act
from bot.domain.errors import EngineRefused, EngineUnavailable, ModelGone
from bot.domain.images import Picture, Provenance
from bot.domain.messages import Answer, InboundMessage
from bot.domain.refs import MessageRef, TurnId, thread_id_of, turn_id_of
from bot.domain.roles import Purpose
from bot.domain.turns import TurnState, TurnStatus, Usage
from bot.domain.wishes import Kind, Manner
from bot.domain.words import (
    ALBUM_OPEN,
    ASKED_TWICE,
    NO_PICTURE,
    NOT_CHECKED,
    OR_DRAW,
    OVER_CHAT,
    OVER_MONTH,
    OVER_PERSON,
    STORY_BROKEN,
    WHICH_ONE_IS_IT,
)
from bot.engines.exact import ExactEngine
from bot.ports import Allowance, Engine, EngineAnswer
from tests.fakes.engines import ScriptedEngine, ScriptedTextModel
from tests.rig import CAT, COFFEE, Rig, living_in
from tests.values import ANNA, BEN, CHAT

DRAWN = Picture(COFFEE, "image/jpeg", 600, 400)
OVERLOADED = EngineUnavailable("busy", retry_after_s=0.01)


def sound(seconds: float = 0.1) -> bytes:
    """A small WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\1" * int(16_000 * seconds))
    return out.getvalue()


@pytest.fixture
def gemini() -> ScriptedEngine:
    return ScriptedEngine(drawn=DRAWN)


@pytest.fixture
def text_model() -> ScriptedTextModel:
    return ScriptedTextModel()


@pytest.fixture
async def rig(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, text_model: ScriptedTextModel
) -> AsyncIterator[Rig]:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, text_model=text_model) as rig:
        yield rig


# --- from words alone


async def test_words_alone_become_a_picture_that_says_so(rig: Rig) -> None:
    asked = await rig.says("draw a fox in the snow")
    status = await rig.sees(asked)
    assert status.turn.wish.kind is Kind.IMAGINE
    assert status.outcome is not None
    assert status.outcome.images[0].provenance is Provenance.AI_GENERATED
    assert "AI-generated · Gemini" in (await rig.shown(asked.reply))["text"]


async def test_a_reply_whose_picture_is_unknown_is_never_drawn_from_words(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("draw a hat", reply_to=MessageRef(CHAT, "nobody-knows"))
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert (status.state, status.outcome.words) == (TurnState.REFUSED, NO_PICTURE)
    assert gemini.requests == []


async def test_a_picture_that_cannot_be_read_is_never_drawn_from_words(rig: Rig, gemini: ScriptedEngine) -> None:
    status = await rig.sees(await rig.says("draw a hat on him", [b"no picture at all"]))
    assert status.state is TurnState.REFUSED
    assert gemini.requests == []


async def test_a_reply_to_a_drawing_that_was_refused_keeps_what_it_was_to_show(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [EngineRefused("no")]
    first = await rig.says("draw a fox")
    await rig.sees(first)
    await rig.sees(await rig.says("make it red", reply_to=first))
    assert gemini.requests[1].instruction == "draw a fox\nmake it red"


async def test_no_reply_below_a_picture_that_was_not_found_is_ever_drawn(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("six panels of a fox at sea", reply_to=MessageRef(CHAT, "nobody-knows"))
    await rig.sees(first)
    second = await rig.says("draw it brighter", reply_to=first)
    states = [(await rig.sees(each)).state for each in (first, second)]
    pressed = await rig.sees(await rig.presses(Act.IMAGINE, first))
    assert [*states, pressed.state] == [TurnState.REFUSED] * 3
    assert gemini.requests == []


@pytest.mark.parametrize("text", ["which bird is that?", "/explain this photo", "/imagine him as a pirate"])
async def test_words_that_point_at_a_picture_are_asked_about(rig: Rig, gemini: ScriptedEngine, text: str) -> None:
    status = await rig.sees(await rig.says(text))
    assert status.outcome is not None
    assert (status.state, status.outcome.words) == (TurnState.ASKING, WHICH_ONE_IS_IT)
    assert gemini.requests == []


async def test_a_picture_sent_along_answers_which_one_was_meant(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("make it better")
    await rig.sees(asked)
    assert (await rig.sees(await rig.says("", [CAT], reply_to=asked))).state is TurnState.DONE
    assert gemini.requests[0].instruction == "make it better"


async def test_a_wish_to_draw_may_reply_to_the_help(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("/help")
    await rig.sees(asked)
    assert (await rig.sees(await rig.says("draw a fox in the snow", reply_to=asked))).state is TurnState.DONE


async def test_words_that_mean_a_picture_are_asked_about_and_go_on_with_the_last_one(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    await rig.sees(await rig.says("put a hat on her", [CAT]))
    asked = await rig.says("make it better")
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert (status.state, status.outcome.words) == (TurnState.ASKING, WHICH_ONE_IS_IT)
    pressed = await rig.sees(await rig.presses(Act.LATEST, asked))
    assert pressed.state is TurnState.DONE
    assert gemini.requests[-1].instruction == "make it better"
    assert len(gemini.requests[-1].images) == 1


async def test_a_wish_to_draw_may_follow_where_no_picture_was_ever_meant(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("make it better")
    await rig.sees(asked)
    assert (await rig.sees(await rig.says("draw a lighthouse", reply_to=asked))).state is TurnState.DONE
    assert (await rig.sees(await rig.says("make it red", reply_to=asked))).state is TurnState.REFUSED
    assert [request.wish.kind for request in gemini.requests] == [Kind.IMAGINE]


async def test_words_without_a_picture_can_be_drawn_by_one_press(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("a lighthouse at dusk with two gulls")
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert status.outcome.words == OR_DRAW
    assert gemini.requests == []
    await rig.sees(await rig.presses(Act.IMAGINE, asked))
    assert gemini.requests[0].wish.kind is Kind.IMAGINE


# --- albums


async def test_a_story_comes_as_an_album_whose_later_panels_see_the_first(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("a story in three pictures about this cat", [CAT])
    statuses = await rig.sees_all(asked)
    assert [each.state for each in statuses] == [TurnState.DONE] * 3
    first, *others = sorted(gemini.requests, key=lambda request: request.panel)
    assert first.purposes == (None,)
    assert {request.purposes for request in others} == {(None, Purpose.PANEL)}
    assert {request.plan for request in others} == {("panel 1", "panel 2", "panel 3")}
    assert [each.outcome.words for each in statuses if each.outcome] == ["panel 1", "panel 2", "panel 3"]


async def test_a_panel_can_be_replied_to_by_itself(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("a story in three pictures about a fox")
    statuses = await rig.sees_all(asked)
    reply = await rig.sees(await rig.says("put a hat on it", reply_to=asked, index=1))
    assert reply.turn.parent == statuses[1].turn.id
    assert [each.from_turn for each in reply.turn.inputs] == [statuses[1].turn.id]


async def test_a_story_whose_first_picture_is_refused_ends_there(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [EngineRefused("no")]
    statuses = await rig.sees_all(await rig.says("a story in three pictures about a fox"))
    assert [each.outcome.words for each in statuses if each.outcome] == ["no", STORY_BROKEN, STORY_BROKEN]
    assert len(gemini.requests) == 1


async def test_variations_are_asked_for_at_once_and_shown_in_one_answer(rig: Rig, gemini: ScriptedEngine) -> None:
    gate = asyncio.Event()
    gemini.script = [gate, gate, gate]
    asked = await rig.says("three variations with a hat", [CAT])
    async with asyncio.timeout(10):
        while len(gemini.requests) < 3:
            await asyncio.sleep(0.01)
    gate.set()
    statuses = await rig.sees_all(asked)
    assert sorted(request.panel for request in gemini.requests) == [1, 2, 3]
    assert {each.turn.reply for each in statuses} == {asked.reply}
    assert len(await rig.images_of(asked.reply)) == 3


async def cut_short(rig: Rig) -> InboundMessage:
    """An album of three whose second turn was never submitted: the store went away."""
    message = await rig.message("three variations with a hat", [CAT], id_="cut")
    turns = rig.house.turns
    original, submitted = turns.submit, 0

    async def dies(*args: object) -> object:
        nonlocal submitted
        submitted += 1
        if submitted == 2:
            raise ConnectionError("gone")
        return await original(*args)  # type: ignore[arg-type]

    turns.submit = dies  # type: ignore[method-assign,assignment]
    with pytest.raises(ConnectionError):
        await rig.house.hall.receive(message)
    turns.submit = original  # type: ignore[method-assign]
    return message


async def test_of_panels_that_end_at_once_the_last_filling_shows_them_all(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await rig.says("three variations with a hat", [CAT])
    statuses = await rig.sees_all(asked)
    load, looked = rig.house.turns.load, 0

    async def late(turn: TurnId) -> TurnStatus | None:
        """The first look at the third panel is from before it ended."""
        nonlocal looked
        status = await load(turn)
        if status is None or turn != statuses[2].turn.id:
            return status
        looked += 1
        return replace(status, state=TurnState.RUNNING, outcome=None) if looked == 1 else status

    fillings: list[Answer] = []

    async def filled(_: object, __: object, answer: Answer) -> None:
        fillings.append(answer)

    monkeypatch.setattr(rig.house.turns, "load", late)
    monkeypatch.setattr(type(rig.house.platforms["web"]), "fill", filled)
    await rig.house.workshop._show(statuses[0])  # pyright: ignore[reportPrivateUsage]
    assert [len(answer.images) for answer in fillings] == [2, 3]


async def test_an_album_that_a_crash_cut_short_is_completed(rig: Rig) -> None:
    message = await cut_short(rig)
    statuses = await rig.sees_all(await rig.house.hall.receive(message))
    assert [each.state for each in statuses] == [TurnState.DONE] * 3


async def test_cancelling_an_album_stops_all_of_it(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [asyncio.Event() for _ in range(3)]
    asked = await rig.says("three variations with a hat", [CAT])
    assert await rig.house.hall.cancel(asked.turn, chat=CHAT, by=ANNA)
    statuses = await rig.sees_all(asked)
    assert {each.state for each in statuses} == {TurnState.CANCELLED}


async def test_an_album_that_was_cancelled_before_it_was_complete_stays_cancelled(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [asyncio.Event()]
    message = await cut_short(rig)
    first = turn_id_of(thread_id_of(message.ref), message.origin)
    assert await rig.house.hall.cancel(first, chat=CHAT, by=ANNA)
    statuses = await rig.sees_all(await rig.house.hall.receive(message))
    assert [each.state for each in statuses] == [TurnState.CANCELLED] * 3


async def test_a_reply_to_a_whole_album_waits_until_all_are_there(rig: Rig, gemini: ScriptedEngine) -> None:
    gate = asyncio.Event()
    gemini.script = [gate, gate, gate]
    asked = await rig.says("three variations with a hat", [CAT])
    early = await rig.sees(await rig.says("make them red", reply_to=asked))
    assert early.outcome is not None
    assert early.outcome.words == ALBUM_OPEN
    gate.set()
    await rig.sees_all(asked)
    late = await rig.sees(await rig.says("make them red", reply_to=asked))
    assert len(late.turn.inputs) == 3


# --- presses


async def test_the_same_request_is_done_again_in_other_manners(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("put a hat on her", [CAT])
    status = await rig.sees(first)
    for act, manner in ((Act.EXACTLY, Manner.EXACTLY), (Act.SURPRISE, Manner.SURPRISE), (Act.AGAIN, Manner.PLAIN)):
        again = await rig.sees(await rig.presses(act, first))
        assert again.turn.parent == status.turn.parent
        assert (gemini.requests[-1].instruction, gemini.requests[-1].wish.manner) == ("put a hat on her", manner)
        assert gemini.requests[-1].images == gemini.requests[0].images


async def test_redo_from_the_original_does_all_that_was_asked_on_the_first_picture(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.result = DRAWN
    first = await rig.says("put a hat on her", [CAT])
    await rig.sees(first)
    second = await rig.says("and a scarf", reply_to=first)
    await rig.sees(second)
    await rig.sees(await rig.presses(Act.ORIGINAL, second))
    request = gemini.requests[-1]
    assert request.wish.from_original
    assert request.images[0] == gemini.requests[0].images[0]
    assert [line.instruction for line in request.story.lines] == ["put a hat on her"]


async def test_the_original_can_be_gone_back_to_in_words(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.result = DRAWN
    first = await rig.says("put a hat on her", [CAT])
    await rig.sees(first)
    await rig.sees(await rig.says("redo it from the original, in winter", reply_to=first))
    assert gemini.requests[-1].images == gemini.requests[0].images
    assert [line.instruction for line in gemini.requests[-1].story.lines] == ["put a hat on her"]


async def test_the_original_goes_along_for_likeness_and_turn_twelve_costs_what_turn_two_does(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.result = DRAWN
    last = await rig.says("put a hat on her", [CAT])
    await rig.sees(last)
    for number in range(11):
        last = await rig.says(f"change the light, take {number}", reply_to=last)
        await rig.sees(last)
    sent = [len(request.images) + len(request.originals) for request in gemini.requests]
    assert sent == [1, *[2] * 11]
    assert gemini.requests[-1].originals == gemini.requests[1].originals


async def test_larger_makes_the_result_again_at_the_size_that_was_pressed(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("put a hat on her", [CAT])
    status = await rig.sees(first)
    larger = await rig.sees(await rig.presses(Act.LARGER, first, "2K"))
    assert larger.turn.parent == status.turn.id
    assert gemini.requests[-1].wish.size == "2K"
    refused = await rig.sees(await rig.presses(Act.LARGER, first, "9K"))
    assert refused.state is TurnState.REFUSED


async def test_a_size_in_words_is_made_after_its_price_was_said(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("put a hat on her, in 4K", [CAT])
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert status.state is TurnState.ASKING
    assert "In 4K this costs up to 4 ¢" in status.outcome.words
    assert gemini.requests == []
    await rig.sees(await rig.presses(Act.LARGER, asked, "4K"))
    await rig.sees(await rig.presses(Act.AGAIN, asked))
    assert [request.wish.size for request in gemini.requests] == ["4K", ""]
    assert {request.instruction for request in gemini.requests} == {"put a hat on her, in 4K"}


async def test_variations_in_the_usual_size_are_still_variations(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await rig.says("4 variations with a hat, in 2K", [CAT])
    await rig.sees(asked)
    assert len(await rig.sees_all(await rig.presses(Act.AGAIN, asked))) == 4


async def test_a_press_reaches_nobody_elses_photo(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("put a hat on her", [CAT])
    await rig.sees(first)
    for act in (Act.AGAIN, Act.ORIGINAL):
        status = await rig.waits(await rig.presses(act, first, author=BEN))
        assert [each.user for each in status.turn.asks] == [ANNA]
    assert len(gemini.requests) == 1


async def test_each_result_offers_what_can_be_done_next_with_its_price(rig: Rig) -> None:
    first = await rig.says("put a hat on her", [CAT])
    await rig.sees(first)
    shown = await rig.shown(first.reply)
    for words in ("Exactly this", "Surprise me", "4 variations", "Larger (2K), up to"):
        assert words in shown["controls"]


# --- roles


def kinds_of(shown: Mapping[str, Any]) -> dict[str, str]:
    """What each line of an answer is."""
    return dict(zip(json.loads(shown["lines"]), json.loads(shown["kinds"]), strict=True))


async def test_roles_are_read_shown_and_fixed_by_one_press(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("put the style of picture 1 on picture 2", [COFFEE, CAT])
    await rig.sees(first)
    assert gemini.requests[0].purposes == (Purpose.STYLE, Purpose.CANVAS)
    said = kinds_of(await rig.shown(first.reply))
    assert said["Picture 1: the style · Picture 2: the one to edit"] == "roles"
    await rig.sees(await rig.presses(Act.CANVAS, first, "1"))
    assert gemini.requests[1].purposes == (Purpose.CANVAS, Purpose.STYLE)
    assert gemini.requests[1].images == gemini.requests[0].images


# --- lettering


async def test_lettering_that_came_out_wrong_is_repaired_once_and_all_calls_are_counted(
    rig: Rig, gemini: ScriptedEngine, text_model: ScriptedTextModel
) -> None:
    text_model.seen = ["HAPY BIRTHDAY", "Happy\nBirthday"]
    status = await rig.sees(await rig.says('paint a sign that says "Happy Birthday"', [CAT]))
    assert status.outcome is not None
    assert [request.misread for request in gemini.requests] == ["", "HAPY BIRTHDAY"]
    assert status.outcome.usage == Usage(
        cost_microusd=2 * gemini.cost_microusd + 2 * text_model.cost_microusd, model="gemini", calls=4
    )
    assert status.outcome.note == ""


async def test_lettering_that_stays_wrong_is_said_and_the_exact_text_is_offered(
    rig: Rig, text_model: ScriptedTextModel
) -> None:
    text_model.seen = ["HAPY", "HAPPPY"]
    status = await rig.sees(await rig.says('paint a sign that says "Happy"', [CAT]))
    assert status.outcome is not None
    assert status.state is TurnState.DONE
    assert "HAPPPY" in status.outcome.note
    assert status.outcome.suggestions[0] == 'write "Happy" at the bottom'


async def test_a_picture_whose_lettering_cannot_be_read_back_is_shown_all_the_same(
    rig: Rig, text_model: ScriptedTextModel
) -> None:
    text_model.seen = [EngineRefused("not today")]
    status = await rig.sees(await rig.says('paint a sign that says "Happy"', [CAT]))
    assert status.outcome is not None
    assert (status.state, status.outcome.note) == (TurnState.DONE, NOT_CHECKED)


async def test_whatever_breaks_while_reading_back_the_picture_is_shown(
    rig: Rig, text_model: ScriptedTextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr(ScriptedTextModel, "lettering", breaks)
    status = await rig.sees(await rig.says('paint a sign that says "Happy"', [CAT]))
    assert status.outcome is not None
    assert (status.state, status.outcome.note) == (TurnState.DONE, NOT_CHECKED)


async def test_a_repair_that_changes_nothing_keeps_its_pixels(rig: Rig, text_model: ScriptedTextModel) -> None:
    text_model.seen = ["HAPY", "Happy"]
    status = await rig.sees(await rig.says('paint a sign that says "Happy"', [CAT]))
    assert status.outcome is not None
    assert await rig.house.images.get(status.outcome.images[0].sha256)


async def test_a_cancelled_repair_leaves_no_picture_behind(
    rig: Rig, gemini: ScriptedEngine, text_model: ScriptedTextModel
) -> None:
    text_model.seen = ["HAPY"]
    gemini.result = DRAWN
    gemini.script = [passed(), asyncio.Event()]
    asked = await rig.says('paint a sign that says "Happy"', [CAT])
    async with asyncio.timeout(10):
        while len(gemini.requests) < 2:
            await asyncio.sleep(0.01)
    assert await rig.house.hall.cancel(asked.turn, chat=CHAT, by=ANNA)
    status = await rig.sees(asked)
    assert len([name async for name, _ in rig.house.images.list()]) == 1
    assert status.outcome is not None
    assert status.outcome.usage.cost_microusd == 2 * gemini.cost_microusd + text_model.cost_microusd


def passed() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_lettering_reserves_for_its_repair(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, text_model: ScriptedTextModel
) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, text_model=text_model, person_day_usd=0.05) as rig:
        status = await rig.sees(await rig.says('paint a sign that says "Happy"', [CAT]))
        assert status.outcome is not None
        assert status.outcome.words == OVER_PERSON


# --- voice


async def test_a_voice_message_is_heard_once_quoted_and_done_exactly_where_it_can_be(
    rig: Rig, gemini: ScriptedEngine, text_model: ScriptedTextModel
) -> None:
    message = await rig.says("", [CAT], voice=sound(), id_="spoken")
    status = await rig.sees(message)
    assert (status.turn.engine, status.turn.instruction) == ("exact", "make it black and white")
    shown = await rig.shown(message.reply)
    assert kinds_of(shown)["Heard: “make it black and white”"] == "heard"
    assert status.outcome is not None
    assert (status.outcome.usage.cost_microusd, text_model.listened) == (300, 1)
    assert gemini.requests == []


async def test_what_people_say_of_their_own_pictures_is_not_listened_to(
    rig: Rig, text_model: ScriptedTextModel
) -> None:
    """It is taken from people who are kept out, too."""
    status = await rig.sees(await rig.says("/mine", voice=sound()))
    assert status.outcome is not None
    assert (status.state, status.outcome.usage.cost_microusd, text_model.listened) == (TurnState.DONE, 0, 0)
    assert kinds_of(await rig.shown(status.turn.reply)).get("heard") is None


async def test_a_voice_message_without_words_is_answered_kindly(rig: Rig, text_model: ScriptedTextModel) -> None:
    text_model.heard = ""
    status = await rig.sees(await rig.says("", [CAT], voice=sound()))
    assert status.outcome is not None
    assert "could not make out any words" in status.outcome.words


async def test_a_voice_message_that_its_model_has_no_room_for_costs_nobody_anything(
    rig: Rig, text_model: ScriptedTextModel
) -> None:
    text_model.allowance = Allowance(day_requests=1)
    await rig.sees(await rig.says("", [CAT], voice=sound()))
    before = await spent_of(rig.house)
    status = await rig.sees(await rig.says("", [CAT], voice=sound()))
    assert (status.state, text_model.listened) == (TurnState.FAILED, 1)
    assert await spent_of(rig.house) == before


# --- models, money, settings


async def test_the_next_model_takes_over_from_one_that_is_overloaded_and_it_is_said(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.profile = replace(gemini.profile, models=("first", "second"))
    gemini.script = [EngineUnavailable("busy", retry_after_s=60)]
    asked = await rig.says("put a hat on her", [CAT])
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert [request.model for request in gemini.requests] == ["first", "second"]
    assert status.outcome.usage.model == "second"
    assert "first was too busy, so second made this" in (await rig.shown(asked.reply))["text"]


async def test_the_next_model_takes_over_from_one_that_was_retired(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.profile = replace(gemini.profile, models=("first", "second"))
    gemini.script = [ModelGone("gone")]
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert status.outcome is not None
    assert status.outcome.usage.cost_microusd == gemini.cost_microusd
    assert "is not offered any more" in status.outcome.note


async def test_a_connection_that_broke_off_is_counted_and_said(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [EngineUnavailable("broke off", maybe_billed=True)]
    asked = await rig.says("put a hat on her", [CAT])
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert status.outcome.usage == Usage(2 * gemini.cost_microusd, model="gemini", calls=2)
    assert ASKED_TWICE in (await rig.shown(asked.reply))["text"]


@pytest.mark.parametrize(
    ("cap", "words"), [("chat_day_usd", OVER_CHAT), ("house_month_usd", OVER_MONTH)], ids=["chat", "month"]
)
async def test_each_cap_is_said_by_its_name(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, cap: str, words: str
) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    caps: dict[str, Any] = {cap: 0.05}
    async with living_in(redis_url, tmp_path, engines, **caps) as rig:
        await rig.sees(await rig.says("put a hat on her", [CAT]))
        status = await rig.sees(await rig.says("put a hat on her", [CAT]))
        assert status.outcome is not None
        assert status.outcome.words == words


async def test_usage_is_told_to_who_asks(rig: Rig) -> None:
    await rig.sees(await rig.says("put a hat on her", [CAT]))
    asked = await rig.says("/usage")
    assert (await rig.sees(asked)).state is TurnState.DONE
    assert "about 4 ¢ of $1.00" in (await rig.shown(asked.reply))["text"]


async def test_suggestions_and_questions_are_turned_off_for_a_chat(rig: Rig, gemini: ScriptedEngine) -> None:
    await rig.sees(await rig.says("/settings suggestions off"))
    await rig.sees(await rig.says("/settings questions off"))
    await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert (gemini.requests[0].may_suggest, gemini.requests[0].may_ask) == (False, False)


async def test_a_question_is_answered_in_words_and_offers_its_options(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.answers = [EngineAnswer((), remark="Which one?", suggestions=("the left one", "the right one"))]
    asked = await rig.says("remove him", [CAT])
    status = await rig.sees(asked)
    assert status.state is TurnState.ASKING
    assert "the left one" in (await rig.shown(asked.reply))["suggestions"]
    await rig.sees(await rig.says("the left one", reply_to=asked))
    assert [line.instruction for line in gemini.requests[1].story.lines] == ["remove him", "Which one?"]


async def test_an_explanation_is_words_with_their_label(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.answers = [EngineAnswer((), remark="That is a cat.")]
    asked = await rig.says("what is this?", [CAT])
    status = await rig.sees(asked)
    assert (status.state, status.turn.wish.kind) == (TurnState.DONE, Kind.EXPLAIN)
    assert (await rig.shown(asked.reply))["text"].splitlines() == ["Answered by AI · Gemini", "That is a cat."]
