"""“@bot words” in any Telegram chat, and the way back from a shared page: one's own results, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.telegram import inline
from adapters.telegram.refs import chat_ref
from bot.domain.consent import Standing
from bot.domain.refs import UserRef
from bot.domain.sharing import REMIX_IT
from tests.fakes.telegram import FakeTelegram, Message
from tests.fakes.telegram.people import Inline
from tests.platforms.contract import CAT, Where, Who
from tests.platforms.telegram_rig import TelegramRig, unpaced

AT = "https://remix.example"


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TelegramRig]:
    unpaced(monkeypatch)
    async with FakeTelegram(floods=False) as fake:
        rig = TelegramRig(redis_url, tmp_path, fake, settings={"web_public_url": AT})
        await rig.open()
        yield rig
        await rig.close()


async def made(rig: TelegramRig, words: str, *, by: Who = Who.ANNA, reply_to: Message | None = None) -> Message:
    """The result that somebody asked for in the group."""
    place, person = rig.chats[Where.HOME], rig.people[by]
    ours = reply_to is not None and reply_to.author is rig.fake.bot
    said = words if ours else f"/edit@{rig.fake.bot.username} {words}"
    asked = await person.says(place, said, photo=None if reply_to else CAT, reply_to=reply_to)
    return await answer_to(rig, asked, "photo")


async def answer_to(rig: TelegramRig, asked: Message, kind: str, words: str = "") -> Message:
    def found() -> Message | None:
        every = [each for each in asked.chat.messages() if each.reply_to == asked.id and each.author is rig.fake.bot]
        return next((each for each in every if each.kind == kind and words in each.words), None)

    answer: Message = await rig.fake.until(found, within_s=15)
    return answer


async def offered(rig: TelegramRig, words: str = "", *, to: Who = Who.ANNA) -> Inline:
    asked = rig.fake.inline(rig.people[to], words)
    await rig.fake.until(lambda: asked.answered)
    return asked


def titles(asked: Inline) -> list[str]:
    return [str(each["title"]) for each in asked.results]


async def test_ones_own_last_results_are_offered_as_photos_with_their_label(rig: TelegramRig) -> None:
    await made(rig, "crop to a square")
    last = await made(rig, "put a hat on her")
    await made(rig, "crop to a square", by=Who.BEN)
    asked = await offered(rig)
    assert titles(asked) == ["put a hat on her", "crop to a square"]
    assert [each["caption"] for each in asked.results] == ["AI-edited · Gemini", "Edited, no AI"]
    assert [each["type"] for each in asked.results] == ["photo", "photo"]
    assert last.media is not None
    assert (asked.options["is_personal"], asked.options["cache_time"]) == (True, inline.CACHE_S)


async def test_words_choose_among_them(rig: TelegramRig) -> None:
    await made(rig, "crop to a square")
    await made(rig, "put a hat on her")
    assert titles(await offered(rig, "HAT put")) == ["put a hat on her"]
    assert titles(await offered(rig, "no such thing")) == []
    assert titles(await offered(rig, "hat", to=Who.BEN)) == []


async def test_what_grew_from_others_pictures_is_offered_once_they_have_said_so(rig: TelegramRig) -> None:
    first = await made(rig, "crop to a square")
    await made(rig, "put a hat on her", by=Who.BEN, reply_to=first)
    assert titles(await offered(rig, to=Who.BEN)) == []
    home = rig.chats[Where.HOME]
    chat, anna = chat_ref(str(rig.fake.bot.id), home.id), UserRef("telegram", str(rig.people[Who.ANNA].id))
    await rig.house.reception.stand(anna, chat, Standing.HERE)
    assert titles(await offered(rig, to=Who.BEN)) == ["put a hat on her"]
    await rig.house.reception.stand(anna, chat, Standing.NEVER)
    assert titles(await offered(rig, to=Who.BEN)) == []


async def test_a_question_that_is_too_old_holds_up_nothing(rig: TelegramRig) -> None:
    rig.fake.query_life_s = -1.0
    asked = rig.fake.inline(rig.people[Who.ANNA], "x")
    await rig.fake.until(lambda: any(each.method == "answerInlineQuery" for each in rig.fake.requests))
    await made(rig, "crop to a square")
    assert not asked.answered


async def test_a_shared_page_leads_back_to_a_private_chat_with_the_bot(rig: TelegramRig) -> None:
    result = await made(rig, "crop to a square")
    anna, ben = rig.people[Who.ANNA], rig.people[Who.BEN]
    asked = await anna.says(rig.chats[Where.HOME], "/share", reply_to=result)
    question = await answer_to(rig, asked, "text", "Shall your name")
    await anna.presses(question, "With my name")
    linked = await rig.fake.until(
        lambda: next((m for m in rig.chats[Where.HOME].messages() if f"{AT}/s/" in m.words), None), within_s=15
    )
    shared = await rig.house.reception.shared(linked.words.partition("/s/")[2].split()[0])
    assert shared is not None
    assert (shared.by, len(linked.keyboard)) == ("Anna", 1)
    address, _, parameter = shared.remix.partition("?start=")
    assert (address, len(parameter) <= 64) == (f"https://t.me/{rig.fake.bot.username}", True)
    started = await ben.says(rig.fake.private(ben), f"/start {parameter}")
    shown = await answer_to(rig, started, "photo", REMIX_IT)
    assert "Anna" not in shown.words
    assert shown.entities == []
