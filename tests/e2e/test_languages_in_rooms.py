"""The language that people are spoken to in: through the real house, with sentences that show which one they are in."""

from __future__ import annotations

import asyncio
import gettext
from dataclasses import replace
from typing import Any

import pytest

from bot.domain import language as languages
from bot.domain.actions import Act
from bot.domain.consent import Say, Standing
from bot.domain.language import ENGLISH, speaking
from bot.domain.messages import Answer, MessageRecord, Received
from bot.domain.own_pictures import EXPLAINED, WITHDRAWN
from bot.domain.refs import MessageRef, UserRef, thread_id_of, turn_id_of
from bot.domain.words import AGREED_ONCE, CANCELLED, LARGER, NO_WORDS
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, Rig, words_of
from tests.values import ANNA, BEN, CHAT

MAY_THEY = "{name} would like to edit your picture. May they? Please answer above."


class Tagged(gettext.NullTranslations):
    """Each sentence as it is, with its language around it: "⟦de Cancelled.⟧"."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def gettext(self, message: str) -> str:
        return f"⟦{self._language} {message}⟧" if self._language != ENGLISH else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


@pytest.fixture(autouse=True)
def _tagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "catalog", Tagged)


def de(sentence: str) -> str:
    return Tagged("de").gettext(sentence)


def uk(sentence: str) -> str:
    return Tagged("uk").gettext(sentence)


async def shown(rig: Rig, received: Received) -> Answer:
    """What stands there, looked at by somebody who reads Japanese."""
    with speaking("ja"):
        answer = await rig.house.reception.answer_of(received.turn)
    assert answer is not None
    return answer


def fills(rig: Rig, patch: pytest.MonkeyPatch, begun: asyncio.Event) -> list[Answer]:
    """All that replies are filled with from now on; `begun` with the first of it."""
    filled: list[Answer] = []
    platform = type(rig.house.platforms["web"])
    original = platform.fill

    async def fill(self: Any, reply: MessageRef, answer: Answer) -> None:
        filled.append(answer)
        begun.set()
        await original(self, reply, answer)

    patch.setattr(platform, "fill", fill)
    return filled


async def test_label_buttons_and_what_is_read_aloud_are_in_the_language_of_whoever_asked(rig: Rig) -> None:
    asked = await rig.says("make it sunny", [CAT], language="de-AT")
    await rig.sees(asked)
    answer = await shown(rig, asked)
    assert answer.lines == (f"{de('AI-edited')} · Gemini",)
    assert answer.images[0].alt == de("Picture. {label}.").format(label=answer.lines[0])
    assert [each.label for each in answer.controls][:2] == [de("Again"), de("Exactly this")]
    assert {each.label[:4] for each in answer.controls} == {"⟦de "}


async def test_what_is_being_done_is_said_in_their_language_too(
    rig: Rig, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    filled = fills(rig, monkeypatch, begun)
    gemini.script = [go]
    asked = await rig.says("make it sunny", [CAT], language="de")
    async with asyncio.timeout(15):
        await begun.wait()
    go.set()
    await rig.sees(asked)
    assert filled[0].lines == (de("Working on it."),)
    assert filled[-1].lines[0].startswith(de("AI-edited"))


async def test_what_goes_wrong_and_what_is_asked_back_is_said_in_their_language(rig: Rig) -> None:
    asked = await rig.sees(await rig.says("", [CAT], language="de"))
    assert words_of(asked) == de(NO_WORDS)
    assert asked.outcome is not None
    assert asked.outcome.suggestions[1] == de("turn it into a watercolour")
    told = await rig.sees(await rig.says("/usage", language="de"))
    assert words_of(told).startswith("⟦de Today you have used ⟦de nothing⟧ of $")


async def test_an_owner_is_called_asked_and_told_in_theirs_and_the_result_is_in_the_askers(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    async def call(_: object, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        called.append(words)

    monkeypatch.setattr(type(rig.house.platforms["web"]), "call", call)
    await rig.house.reception.speaks(BEN, "uk-UA")
    photo = await rig.quotes(BEN, [CAT])
    asked = await rig.says("make it sunny", reply_to=photo.ref, quoted=photo, language="de")
    await rig.waits(asked)
    assert (await shown(rig, asked)).lines == (uk("Waiting for {names} to say yes.").format(names="Ben"), uk(EXPLAINED))
    assert called == [uk(MAY_THEY).format(name="Anna")]
    with speaking("uk"):
        assert await rig.answers(asked, BEN, Say.ONCE) == uk(AGREED_ONCE)
    await rig.sees(asked)
    assert (await shown(rig, asked)).lines[0].startswith(de("AI-edited"))


@pytest.mark.parametrize("say", [None, Say.NEVER])
async def test_a_no_is_told_to_whoever_asked_in_their_language(rig: Rig, say: Say | None) -> None:
    photo = await rig.quotes(BEN, [CAT])
    asked = await rig.says("make it sunny", reply_to=photo.ref, quoted=photo, language="de")
    await rig.waits(asked)
    with speaking("uk"):
        assert (await rig.answers(asked, BEN, say)).startswith("⟦uk ")
    refused = words_of(await rig.sees(asked))
    assert refused == de("{name} would rather not have that picture edited, so I leave it alone.").format(name="Ben")


async def test_what_is_withdrawn_under_somebody_is_told_them_in_their_language(
    rig: Rig, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.house.reception.stand(BEN, CHAT, Standing.HERE)
    first = await rig.says("make it sunny", [CAT], author=BEN, language="uk")
    await rig.sees(first)
    gemini.script = [asyncio.Event()]
    begun = asyncio.Event()
    filled = fills(rig, monkeypatch, begun)
    await rig.says("make it rainy", reply_to=first, language="de")
    async with asyncio.timeout(15):
        await begun.wait()
    done = await rig.sees(await rig.says("/withdraw yes", reply_to=first, author=BEN, language="uk"))
    assert words_of(done).startswith("⟦uk Done.")
    said = [line for answer in filled for line in answer.lines]
    assert de(WITHDRAWN) in said
    assert uk(WITHDRAWN) not in said


async def test_who_presses_a_button_is_answered_in_theirs_and_the_turn_above_stays_in_its_own(rig: Rig) -> None:
    first = await rig.says("make it sunny", [CAT], language="de")
    await rig.sees(first)
    await rig.house.reception.stand(ANNA, CHAT, Standing.HERE)
    await rig.house.reception.speaks(BEN, "uk")
    again = await rig.presses(Act.AGAIN, first, author=BEN)
    await rig.sees(again)
    assert (await shown(rig, again)).lines[0].startswith(uk("AI-edited"))
    assert (await shown(rig, first)).lines[0].startswith(de("AI-edited"))


async def test_who_looks_at_what_is_known_of_a_turn_reads_it_in_theirs_and_others_words_as_they_were_said(
    rig: Rig,
) -> None:
    first = await rig.says("make it sunny", [CAT], language="de")
    await rig.sees(first)
    larger = await rig.presses(Act.LARGER, first, "2K")
    await rig.sees(larger)
    with speaking("uk"):
        told = (await rig.house.reception.info(larger.reply)).splitlines()
        before = (await rig.house.reception.info(first.reply)).splitlines()
    assert told[:2] == [uk("“{words}”").format(words=uk(LARGER)), uk("Asked for by {name}").format(name="Anna")]
    assert told[2].startswith(f"{uk('AI-edited')} · Gemini")
    assert before[0] == uk("“{words}”").format(words="make it sunny")


async def test_what_is_cancelled_by_a_button_is_said_in_the_language_that_it_was_asked_in(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [asyncio.Event()]
    asked = await rig.says("make it sunny", [CAT], language="de")
    with speaking("es"):
        assert await rig.house.reception.cancel(asked.turn, chat=CHAT, by=ANNA)
    assert words_of(await rig.sees(asked)) == de(CANCELLED)


async def test_a_message_that_a_crash_left_is_answered_in_its_language(rig: Rig) -> None:
    message = replace(await rig.message("/mine"), language="de")
    thread = thread_id_of(message.ref)
    record = MessageRecord(message.ref, thread, author=ANNA, author_name="Anna")
    await rig.house.hall._messages.record(message, record)  # pyright: ignore[reportPrivateUsage]
    with speaking("ja"):
        await rig.house.reconciler.look(grace_s=0)
    reply = MessageRef(CHAT, f"r-{message.ref.message}")
    status = await rig.sees(Received(turn_id_of(thread, message.origin), reply))
    assert words_of(status).startswith("⟦de In this chat, you are asked")


async def test_the_same_message_in_another_language_ends_what_was_begun_in_the_first(rig: Rig) -> None:
    photo = await rig.quotes(BEN, [CAT])
    message = replace(await rig.message("make it sunny", reply_to=photo.ref), quoted=photo, language="de")
    asked = await rig.house.hall.receive(message)
    await rig.waits(asked)
    await rig.house.hall.receive(replace(message, language="es"))
    assert (await shown(rig, asked)).lines[0].startswith("⟦de Waiting for")


async def test_an_unknown_language_is_english_and_the_known_one_is_remembered(rig: Rig) -> None:
    told = [
        words_of(await rig.sees(await rig.says("/mine", language=tag))).partition(" ")[0]
        for tag in ("tlh", "uk-UA", "", "tlh", "es")
    ]
    assert told == ["In", "⟦uk", "⟦uk", "⟦uk", "⟦es"]


async def test_the_language_of_a_chat_holds_for_whoever_nothing_is_known_of_and_is_not_remembered(rig: Rig) -> None:
    await rig.house.reception.speaks(ANNA, "de")
    told = [
        words_of(await rig.sees(await rig.says("/mine", author=author, chat_language=chat))).partition(" ")[0]
        for author, chat in ((ANNA, "ja"), (BEN, "ja"), (BEN, ""))
    ]
    assert told == ["⟦de", "⟦ja", "In"]


async def test_whoever_is_forgotten_is_spoken_to_in_english_again(rig: Rig) -> None:
    await rig.house.reception.speaks(ANNA, "de")
    with speaking("de"):
        assert (await rig.house.reception.forget(ANNA)).startswith("⟦de Done.")
    assert words_of(await rig.sees(await rig.says("/mine"))).startswith("In this chat")


async def test_a_preset_is_tapped_in_their_language(rig: Rig) -> None:
    sheet = await rig.says("/presets", [CAT], language="de")
    await rig.sees(sheet)
    assert (await shown(rig, sheet)).controls[0].label == f"1 {de('Figurine')}"
