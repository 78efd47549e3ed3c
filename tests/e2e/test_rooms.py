"""The path of one reply through the real house: hall, queue, workshop, dispatch, on a real server and a folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.domain.errors import EngineRefused, EngineUnavailable
from bot.domain.images import Provenance, Role
from bot.domain.refs import ChatRef, MessageRef
from bot.domain.turns import TurnState
from bot.domain.words import CLIMBED, NO_PICTURE, NO_WORDS, OVER_PERSON, SWITCHED_OFF
from bot.engines.exact import ExactEngine
from bot.ports import Engine, EngineAnswer
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, COFFEE, Rig, living_in
from tests.values import ANNA, BEN, CHAT


async def test_a_photo_with_words_comes_back_edited_and_labelled(rig: Rig) -> None:
    asked = await rig.says("crop to a square and make it black and white", [CAT])
    status = await rig.sees(asked)
    assert status.state is TurnState.DONE
    (shown,) = await rig.images_of(asked.reply)
    assert (shown["width_px"], shown["height_px"]) == (300, 300)
    assert "Edited, no AI" in (await rig.shown(asked.reply))["text"]


async def test_a_reply_goes_on_from_the_result_and_an_older_one_starts_a_branch(rig: Rig) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    second = await rig.says("rotate 90 degrees", reply_to=first)
    await rig.sees(second)
    branch = await rig.says("make it grey", reply_to=first)
    status = await rig.sees(branch)
    parents = [each.turn.parent for each in await rig.house.turns.thread(status.turn.thread)]
    assert parents == [None, first.turn, first.turn]


async def test_a_reply_to_a_turn_that_still_runs_waits_and_then_uses_its_result(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    go_on = asyncio.Event()
    gemini.script = [go_on]
    first = await rig.says("put a hat on her", [CAT])
    second = await rig.says("crop to a square", reply_to=first)
    assert "Waiting for the picture you replied to" in (await rig.shown(second.reply))["text"]
    go_on.set()
    status = await rig.sees(second)
    assert status.state is TurnState.DONE
    assert status.turn.inputs[0].from_turn == first.turn


async def test_the_same_message_twice_is_one_turn_and_one_call(rig: Rig, gemini: ScriptedEngine) -> None:
    message = await rig.message("put a hat on her", [CAT])
    one, two = await asyncio.gather(rig.house.hall.receive(message), rig.house.hall.receive(message))
    await rig.sees(one)
    assert one == two == await rig.house.hall.receive(message)
    assert len(gemini.requests) == 1


async def test_an_exact_edit_of_a_generated_picture_is_still_called_ai(rig: Rig) -> None:
    made = await rig.says("put a hat on her", [CAT])
    await rig.sees(made)
    status = await rig.sees(await rig.says("crop to a square", reply_to=made))
    assert status.outcome is not None
    assert status.outcome.images[0].provenance is Provenance.AI_EDITED
    assert (await rig.shown(status.turn.reply))["text"].startswith("AI-edited · Gemini")


async def test_what_is_asked_later_on_a_path_is_told_with_what_was_asked_before(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    last = await rig.says("put a hat on her", [CAT])
    await rig.sees(last)
    for words in ("always keep her face clear", "now a scarf"):
        last = await rig.says(words, reply_to=last)
        await rig.sees(last)
    story = gemini.requests[-1].story
    assert [line.instruction for line in story.lines] == ["put a hat on her"]
    assert [line.instruction for line in story.pinned] == ["always keep her face clear"]


async def test_after_a_refusal_the_next_reply_goes_on_from_the_picture_before(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    gemini.script = [EngineUnavailable("Busy.", retry_after_s=99)]
    failed = await rig.says("put a hat on her", reply_to=first)
    assert (await rig.sees(failed)).state is TurnState.FAILED
    status = await rig.sees(await rig.says("make it grey", reply_to=failed))
    assert status.state is TurnState.DONE
    assert status.turn.inputs[0].from_turn == first.turn
    assert CLIMBED in (await rig.shown(status.turn.reply))["text"]


async def test_several_pictures_go_in_in_their_order_parent_first(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    status = await rig.sees(await rig.says("combine them nicely", [COFFEE], reply_to=first))
    assert [each.role for each in status.turn.inputs] == [Role.PARENT, Role.SOURCE]
    assert [(p.width_px, p.height_px) for p in gemini.requests[-1].images] == [(300, 300), (600, 400)]


async def test_an_edit_without_a_picture_never_becomes_a_generation(rig: Rig, gemini: ScriptedEngine) -> None:
    unknown = MessageRef(CHAT, "unknown")
    for received in (await rig.says("draw a cat", reply_to=unknown), await rig.says("add a hat", reply_to=unknown)):
        status = await rig.sees(received)
        assert status.outcome is not None
        assert (status.state, status.outcome.words) == (TurnState.REFUSED, NO_PICTURE)
    assert gemini.requests == []


async def test_a_picture_without_words_is_asked_about_and_the_words_may_follow(rig: Rig) -> None:
    asked = await rig.says("", [CAT])
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert status.outcome.words == NO_WORDS
    assert (await rig.sees(await rig.says("make it grey", reply_to=asked))).state is TurnState.DONE


async def test_words_can_reply_to_ones_own_photo(rig: Rig) -> None:
    asked = await rig.says("make it grey", [CAT], id_="photo")
    await rig.sees(asked)
    status = await rig.sees(await rig.says("crop to a square", reply_to=MessageRef(CHAT, "photo")))
    assert status.state is TurnState.DONE
    assert status.turn.parent is None
    assert status.turn.thread == asked.turn.partition("-")[0]


async def test_somebody_elses_photo_waits_for_their_yes_and_results_are_free(rig: Rig) -> None:
    asked = await rig.says("make it grey", [CAT], id_="photo", author=ANNA)
    await rig.sees(asked)
    waiting = await rig.waits(await rig.says("crop to a square", reply_to=MessageRef(CHAT, "photo"), author=BEN))
    assert [each.user for each in waiting.turn.asks] == [ANNA]
    assert (await rig.sees(await rig.says("crop to a square", reply_to=asked, author=BEN))).state is TurnState.DONE


async def test_somebody_elses_photo_cannot_be_reached_through_a_refusal(rig: Rig) -> None:
    refused = await rig.says("", [CAT], author=ANNA)
    await rig.sees(refused)
    status = await rig.waits(await rig.says("make it grey", reply_to=refused, author=BEN))
    assert [each.user for each in status.turn.asks] == [ANNA]


async def test_a_reply_to_a_message_of_another_chat_finds_nothing(rig: Rig) -> None:
    asked = await rig.says("make it grey", [CAT])
    await rig.sees(asked)
    status = await rig.sees(await rig.says("crop to a square", reply_to=asked, chat=ChatRef("web", "page", "other")))
    assert status.outcome is not None
    assert status.outcome.words == NO_PICTURE


async def test_cancel_stops_the_engine_and_says_so(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [asyncio.Event()]
    asked = await rig.says("put a hat on her", [CAT])
    while not gemini.requests:
        await asyncio.sleep(0.01)
    assert not await rig.house.hall.cancel(asked.turn, chat=CHAT, by=BEN)
    assert not await rig.house.hall.cancel(asked.turn, chat=ChatRef("web", "page", "other"), by=ANNA)
    assert await rig.house.hall.cancel(asked.turn, chat=CHAT, by=ANNA)
    assert (await rig.sees(asked)).state is TurnState.CANCELLED
    assert "Cancelled" in (await rig.shown(asked.reply))["text"]
    assert (await rig.sees(await rig.says("make it grey", [CAT]))).state is TurnState.DONE


async def test_a_refusal_is_said_in_the_engines_words(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [EngineRefused("The model will not draw this.", cost_microusd=5)]
    asked = await rig.says("something dreadful", [CAT])
    status = await rig.sees(asked)
    assert (status.state, status.calls) == (TurnState.REFUSED, 1)
    assert (await rig.shown(asked.reply))["text"] == "The model will not draw this."


async def test_an_answer_in_words_is_shown_and_the_reply_goes_on(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.answers = [EngineAnswer((), remark="Which of the two cats?")]
    asked = await rig.says("remove the cat", [CAT])
    assert (await rig.sees(asked)).state is TurnState.ASKING
    status = await rig.sees(await rig.says("the left one", reply_to=asked))
    assert status.state is TurnState.DONE
    assert [line.instruction for line in gemini.requests[-1].story.lines] == [
        "remove the cat",
        "Which of the two cats?",
    ]


async def test_an_overloaded_model_is_asked_again_without_another_charge(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [EngineUnavailable("Busy.", retry_after_s=0.01)]
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert (status.state, status.calls, len(gemini.requests)) == (TurnState.DONE, 1, 2)
    assert status.outcome is not None
    assert status.outcome.usage.cost_microusd == gemini.cost_microusd


async def test_a_call_that_may_have_been_billed_is_tried_once_more_and_counted(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [EngineUnavailable("Gone.", maybe_billed=True) for _ in range(3)]
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert (status.state, status.calls, len(gemini.requests)) == (TurnState.FAILED, 2, 2)
    assert status.outcome is not None
    assert status.outcome.usage.cost_microusd == 2 * gemini.cost_microusd


async def test_the_off_switch_works_at_once(rig: Rig, gemini: ScriptedEngine) -> None:
    await rig.house.switches.turn("gemini", on=False)
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert status.outcome is not None
    assert status.outcome.words == SWITCHED_OFF
    assert (await rig.sees(await rig.says("crop to a square", [CAT]))).state is TurnState.DONE
    await rig.house.switches.turn("gemini", on=True)
    assert (await rig.sees(await rig.says("put a hat on her", [CAT]))).state is TurnState.DONE
    assert len(gemini.requests) == 1


async def test_a_spend_cap_stands_between_the_chat_and_the_key(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine
) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, person_day_usd=0.1) as rig:
        outcomes = [(await rig.sees(await rig.says("put a hat on her", [CAT]))).outcome for _ in range(3)]
        words = [outcome.words for outcome in outcomes if outcome]
        assert words == ["", "", OVER_PERSON]
        other = await rig.sees(await rig.says("put a hat on her", [CAT], author=BEN))
        assert other.state is TurnState.DONE


async def test_without_a_key_the_refusal_is_kind_and_shows_what_works(redis_url: str, tmp_path: Path) -> None:
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}) as rig:
        status = await rig.sees(await rig.says("make it look like a painting by Monet", [CAT]))
        assert status.outcome is not None
        assert status.state is TurnState.REFUSED
        assert status.outcome.words.startswith("AI edits are not set up here")
        assert len(status.outcome.suggestions) == 3


async def test_a_file_that_is_no_picture_is_answered_and_the_next_message_works(rig: Rig) -> None:
    status = await rig.sees(await rig.says("make it grey", [b"PK\x03\x04 not a picture"]))
    assert status.outcome is not None
    assert (status.state, status.outcome.code) == (TurnState.REFUSED, "bad_picture")
    assert (await rig.sees(await rig.says("make it grey", [CAT]))).state is TurnState.DONE


async def test_a_text_of_ten_thousand_characters_is_answered(rig: Rig, gemini: ScriptedEngine) -> None:
    status = await rig.sees(await rig.says("x" * 10_000, [CAT]))
    assert status.outcome is not None
    assert "10,000 characters" in status.outcome.words
    assert gemini.requests == []


async def test_forgetting_a_person_leaves_nothing_of_theirs_in_the_image_store(rig: Rig) -> None:
    await rig.sees(await rig.says("crop to a square", [CAT]))
    hers = {sha async for sha, _ in rig.house.images.list()}
    await rig.sees(await rig.says("crop to a square", [COFFEE], author=BEN))
    receipt = await rig.house.forget(ANNA)
    left = {sha async for sha, _ in rig.house.images.list()}
    assert hers
    assert not hers & left
    assert left
    assert receipt.turns == 1


async def test_every_key_expires_or_stands_on_the_written_list(rig: Rig, redis_url: str) -> None:
    from fnmatch import fnmatchcase

    from storage.redis.client import open_client
    from storage.redis.keys import WITHOUT_EXPIRY

    await rig.sees(await rig.says("crop to a square", [CAT]))
    await rig.sees(await rig.says("put a hat on her", [COFFEE], author=BEN))
    await rig.house.forget(BEN)
    client = open_client(redis_url)
    keys = await client.keys("*")
    eternal = [key for key in keys if await client.ttl(key) == -1]
    await client.aclose()
    assert len(keys) > 10
    assert [key for key in eternal if not any(fnmatchcase(str(key), allowed) for allowed in WITHOUT_EXPIRY)] == []
