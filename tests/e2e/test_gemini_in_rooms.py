"""The real Gemini engine in the real house, against the fake server: what people see, and what it cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from bot.domain.refs import Sha256
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.words import ASKED_TWICE
from tests.fakes.gemini import (
    FakeGemini,
    asks,
    cites,
    drops,
    misspells,
    paints_checkerboard,
    refuses,
    retires,
    spoken,
)
from tests.rig import CAT, COFFEE, Rig, living_in

FIRST, SECOND = "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image"


@pytest.fixture
async def fake() -> AsyncIterator[FakeGemini]:
    async with FakeGemini() as fake:
        yield fake


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, fake: FakeGemini) -> AsyncIterator[Rig]:
    async with living_in(
        redis_url,
        tmp_path,
        gemini_api_key=SecretStr("key"),
        gemini_api_base=fake.url,
        person_day_usd=50,
        chat_day_usd=50,
        house_day_usd=50,
        house_ten_minutes_usd=50,
    ) as rig:
        yield rig


async def pixels_of(rig: Rig, status: TurnStatus) -> Image.Image:
    from io import BytesIO

    assert status.outcome is not None
    return Image.open(BytesIO(await rig.house.images.get(Sha256(status.outcome.images[0].sha256))))


async def test_twenty_turns_on_one_picture_send_and_cost_the_same_each(rig: Rig, fake: FakeGemini) -> None:
    last = await rig.says("put a hat on her, take 1", [CAT])
    statuses = [await rig.sees(last)]
    for number in range(2, 21):
        last = await rig.says(f"put a hat on her, take {number}", reply_to=last)
        statuses.append(await rig.sees(last))
    assert [len(call.pictures) for call in fake.calls] == [1, *[2] * 19]
    tokens = [status.outcome.usage.input_tokens for status in statuses[1:] if status.outcome]
    words_bytes = [call.body_bytes - sum(4 * -(-p.size_bytes // 3) for p in call.pictures) for call in fake.calls[7:]]
    assert max(tokens) <= 1.1 * tokens[0]
    assert max(words_bytes) - min(words_bytes) < 40


async def test_suggestions_come_with_the_result_in_the_same_call(rig: Rig, fake: FakeGemini) -> None:
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert status.outcome is not None
    assert len(status.outcome.suggestions) == 3
    assert fake.posts == 1


async def test_a_question_comes_with_its_answers_as_buttons(rig: Rig, fake: FakeGemini) -> None:
    fake.then(asks("Who should go?", "the man", "the woman"))
    asked = await rig.says("remove him", [CAT])
    status = await rig.sees(asked)
    assert status.outcome is not None
    assert (status.state, status.outcome.words) == (TurnState.ASKING, "Who should go?")
    assert status.outcome.suggestions == ("the man", "the woman")
    assert (await rig.sees(await rig.says("the man", reply_to=asked))).state is TurnState.DONE


async def test_a_story_is_planned_in_its_first_call_and_keeps_its_character(rig: Rig, fake: FakeGemini) -> None:
    statuses = await rig.sees_all(await rig.says("a story in three panels about this cat at sea", [CAT]))
    assert [status.state for status in statuses] == [TurnState.DONE] * 3
    assert len({status.outcome.words for status in statuses if status.outcome}) == 3
    assert fake.posts == 3
    first = statuses[0].outcome
    assert first is not None
    assert {call.pictures[1].sha256 for call in fake.calls[1:]} == {first.images[0].sha256}


async def test_a_model_that_is_gone_gives_way_to_the_next(rig: Rig, fake: FakeGemini) -> None:
    fake.gone = {FIRST}
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert status.outcome is not None
    assert status.outcome.usage.model == SECOND
    assert status.outcome.note == f"{FIRST} is not offered any more, so {SECOND} made this."


async def test_one_dropped_connection_is_two_requests_counted_and_said(rig: Rig, fake: FakeGemini) -> None:
    fake.then(drops())
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert status.outcome is not None
    assert (fake.posts, status.outcome.usage.calls) == (2, 2)
    assert status.outcome.note == ASKED_TWICE


async def test_a_transparent_background_is_real(rig: Rig) -> None:
    status = await rig.sees(await rig.says("remove the background", [CAT]))
    picture = await pixels_of(rig, status)
    alpha = picture.getchannel("A")
    assert (alpha.getpixel((2, 2)), alpha.getpixel((picture.width // 2, picture.height // 2))) == (0, 255)


async def test_a_painted_checkerboard_is_not_called_transparent(rig: Rig, fake: FakeGemini) -> None:
    fake.then(paints_checkerboard())
    status = await rig.sees(await rig.says("remove the background", [CAT]))
    assert status.outcome is not None
    assert not status.outcome.images[0].has_alpha
    assert "transparent" in status.outcome.note


async def test_a_misspelled_sign_is_repaired(rig: Rig, fake: FakeGemini) -> None:
    fake.then(misspells("HAPY BIRTHDAY"))
    status = await rig.sees(await rig.says('paint a sign that says "HAPPY BIRTHDAY"', [CAT]))
    assert status.outcome is not None
    assert (status.outcome.usage.calls, status.outcome.note) == (4, "")
    assert [call.model for call in fake.calls] == [FIRST, "gemini-3.5-flash-lite"] * 2


async def test_a_voice_message_is_heard_and_done(rig: Rig, fake: FakeGemini) -> None:
    asked = await rig.says("", [CAT], voice=spoken("put a hat on her", "audio/wav"))
    status = await rig.sees(asked)
    assert (status.state, status.turn.instruction) == (TurnState.DONE, "put a hat on her")
    assert "Heard: “put a hat on her”" in (await rig.shown(asked.reply))["text"]
    assert [call.model for call in fake.calls] == ["gemini-3.5-flash-lite", FIRST]


async def test_an_explanation_names_its_sources(rig: Rig, fake: FakeGemini) -> None:
    fake.then(cites(("Bees", "https://example.org/bees")))
    status = await rig.sees(await rig.says("how do bees find flowers?"))
    assert status.outcome is not None
    assert status.state is TurnState.DONE
    assert "https://example.org/bees" in [source.url for source in status.outcome.sources]


async def test_the_end_of_a_model_is_noted_for_who_runs_the_bot(rig: Rig, fake: FakeGemini) -> None:
    fake.then(retires("2026-12-31"))
    await rig.sees(await rig.says("put a hat on her", [CAT]))
    (facts,) = await rig.house.meter.models()
    assert facts.retirement is not None
    assert (facts.model, facts.retirement.when, facts.seen) == (FIRST, "2026-12-31", 1)


async def test_roles_reach_the_model_in_the_order_of_the_pictures(rig: Rig, fake: FakeGemini) -> None:
    await rig.sees(await rig.says("put the style of picture 1 on picture 2", [COFFEE, CAT]))
    (call,) = fake.calls
    introduced = [text for text, kind in zip(call.texts, call.order, strict=False) if kind == "text"]
    assert "style" in introduced[0]
    assert call.config["imageConfig"]["aspectRatio"] == "3:2"


async def test_a_refusal_is_metered_and_not_charged_to_the_person(rig: Rig, fake: FakeGemini) -> None:
    fake.then(refuses("IMAGE_SAFETY").using(promptTokenCount=10_000, thoughtsTokenCount=2_000))
    status = await rig.sees(await rig.says("put a hat on her", [CAT]))
    assert status.outcome is not None
    assert status.state is TurnState.REFUSED
    (row,) = await rig.house.meter.used(days=1)
    assert row.cost_microusd == status.outcome.usage.cost_microusd > 0
    person, chat, *_ = rig.house.budget.buckets(0, person=status.turn.author, chat=status.turn.chat)
    assert list(await rig.house.meter.reserved([person, chat])) == [0, row.cost_microusd]
