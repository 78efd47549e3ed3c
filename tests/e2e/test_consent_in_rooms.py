"""Whose picture it is: through the real house, by every way in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.asking import MOST_OPEN
from bot.domain.actions import Act
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Policy, Say, Standing
from bot.domain.images import Role
from bot.domain.messages import Attachment
from bot.domain.refs import ChatRef, MessageRef, Person, ServerRef, TurnId, UserRef
from bot.domain.turns import Turn, TurnState
from bot.domain.words import (
    AGREED_HERE,
    AGREED_ONCE,
    NO_PICTURES_HERE,
    NOBODY_TO_ASK,
    NOT_FOR_YOU,
    NOT_YOURS,
    PRESS_GONE,
    SAID_NEVER,
    SETTLED,
    THEIRS_STANDS_THERE,
    not_answered,
    still_asked,
    would_rather_not,
)
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, COFFEE, Rig, words_of
from tests.values import ANNA, BEN, CHAT

CARL = UserRef("web", "carl")
SERVER = ServerRef("web", "page", "club")
OTHER = ChatRef("web", "page", "other")


async def calls_of(rig: Rig, patch: pytest.MonkeyPatch) -> list[tuple[UserRef, str]]:
    """Everybody who is called from now on, with the key of the call."""
    called: list[tuple[UserRef, str]] = []

    async def call(_: object, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        called.append((person, key))

    patch.setattr(type(rig.house.platforms["web"]), "call", call)
    return called


async def test_a_friends_photo_that_was_never_sent_to_us_waits_for_their_yes_and_then_is_edited(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = await calls_of(rig, monkeypatch)
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    waiting = await rig.waits(asked)
    assert waiting.turn.asks == (Person(ANNA, "Anna"),)
    assert called == [(ANNA, f"{asked.turn}:{ANNA.key}")]
    assert await rig.answers(asked, ANNA, Say.ONCE) == AGREED_ONCE
    status = await rig.sees(asked)
    assert (status.state, status.turn.owners) == (TurnState.DONE, (ANNA,))
    assert [(each.role, each.owner) for each in status.turn.inputs] == [(Role.SOURCE, ANNA)]


async def test_once_is_once_and_the_result_is_open(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    await rig.sees(asked)
    await rig.waits(await rig.says("make it sepia", reply_to=photo.ref, quoted=photo, author=BEN))
    assert (await rig.sees(await rig.says("rotate 90 degrees", reply_to=asked, author=CARL))).state is TurnState.DONE


async def test_always_here_holds_for_everybody_in_this_chat_and_in_no_other(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    first = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    second = await rig.says("crop to a square", reply_to=photo.ref, quoted=photo, author=CARL)
    await rig.waits(first)
    await rig.waits(second)
    assert await rig.answers(first, ANNA, Say.HERE) == AGREED_HERE
    assert (await rig.sees(first)).state is TurnState.DONE
    assert (await rig.sees(second)).state is TurnState.DONE
    again = await rig.says("make it sepia", reply_to=photo.ref, author=CARL)
    assert (await rig.sees(again)).state is TurnState.DONE
    elsewhere = await rig.quotes(ANNA, [CAT], chat=OTHER)
    await rig.waits(await rig.says("make it grey", reply_to=elsewhere.ref, quoted=elsewhere, author=BEN, chat=OTHER))


async def test_never_ends_all_that_waits_and_holds_everywhere_and_for_what_grew_from_it(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    once = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(once)
    await rig.answers(once, ANNA, Say.ONCE)
    await rig.sees(once)
    first = await rig.says("make it sepia", reply_to=photo.ref, quoted=photo, author=BEN)
    elsewhere = await rig.quotes(ANNA, [CAT], chat=OTHER)
    second = await rig.says("make it grey", reply_to=elsewhere.ref, quoted=elsewhere, author=CARL, chat=OTHER)
    await rig.waits(first)
    await rig.waits(second)
    assert await rig.answers(first, ANNA, Say.NEVER) == SAID_NEVER
    for asked in (first, second):
        assert words_of(await rig.sees(asked)) == would_rather_not("Anna")
    assert words_of(await rig.sees(await rig.says("crop to a square", reply_to=once, author=CARL))) == (
        would_rather_not("")
    )
    own = await rig.says("crop to a square", [CAT], author=ANNA)
    assert (await rig.sees(own)).state is TurnState.DONE


async def test_never_keeps_a_picture_from_being_fetched_at_all(rig: Rig) -> None:
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    photo = await rig.quotes(ANNA, [CAT])
    status = await rig.sees(await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN))
    assert words_of(status) == would_rather_not("Anna")
    assert (await rig.house.spool.get(photo.attachments[0].handle)) == CAT
    assert status.turn.inputs == ()


async def test_nobody_but_the_owner_answers_and_only_once(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    for by, chat in ((BEN, CHAT), (CARL, CHAT), (ANNA, OTHER)):
        assert await rig.answers(asked, by, Say.HERE, chat=chat) == NOT_FOR_YOU
    await rig.answers(asked, ANNA, None)
    assert words_of(await rig.sees(asked)) == would_rather_not("Anna")
    assert await rig.answers(asked, ANNA, Say.ONCE) == SETTLED


async def test_a_forwarded_picture_and_a_portrait_stay_their_owners(rig: Rig) -> None:
    message = await rig.message("put a hat on her", [CAT, COFFEE], author=BEN)
    cat, coffee = message.attachments
    brought = (replace(cat, owner=Person(ANNA, "Anna")), coffee)
    asked = await rig.house.hall.receive(replace(message, attachments=brought))
    waiting = await rig.waits(asked)
    assert waiting.turn.asks == (Person(ANNA, "Anna"),)
    assert [each.owner for each in waiting.turn.inputs] == [ANNA, BEN]
    later = await rig.waits(await rig.says("make it grey", reply_to=message.ref, index=0, author=BEN))
    assert later.turn.asks == (Person(ANNA, "Anna"),)


@pytest.mark.parametrize(
    ("policy", "author", "words"),
    [
        (Policy.OFF, ANNA, NO_PICTURES_HERE),
        (Policy.OWN, BEN, NOT_YOURS),
        (Policy.ALL, BEN, ""),
        (Policy.OWN, ANNA, ""),
    ],
)
async def test_what_is_decided_for_a_chat_or_its_server_holds(
    rig: Rig, policy: Policy, author: UserRef, words: str
) -> None:
    for settings, server in ((policy, None), (Policy.ALL, policy), (None, policy)):
        await rig.house.reception.change_chat(CHAT, ChatSettings(consent=settings))
        if server is not None:
            await rig.house.reception.change_server(SERVER, ServerSettings(consent=server))
        photo = await rig.quotes(ANNA, [CAT])
        status = await rig.sees(
            await rig.says(
                "make it grey", reply_to=photo.ref, quoted=photo, author=author, server=SERVER if server else None
            )
        )
        assert words_of(status) == words


async def test_where_nobody_can_be_asked_the_picture_is_left_alone(rig: Rig) -> None:
    photo = await rig.quotes(None, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    assert words_of(await rig.sees(asked)) == NOBODY_TO_ASK


async def test_a_result_of_ours_that_is_not_remembered_any_more_is_open(rig: Rig) -> None:
    photo = await rig.quotes(UserRef("web", "bot"), [CAT], ours=True)
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    status = await rig.sees(asked)
    assert (status.state, status.turn.owners) == (TurnState.DONE, ())


async def test_variations_of_a_friends_photo_are_one_question(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    called = await calls_of(rig, monkeypatch)
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("3 variations with a hat", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    assert [each.state for each in await rig.sees_all(asked)] == [TurnState.DONE] * 3
    assert len(called) == 1


async def test_a_question_that_nobody_answers_ends(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    rig.house.reconciler._consent_s = 0  # pyright: ignore[reportPrivateUsage]
    await rig.house.reconciler.look(grace_s=0)
    assert words_of(await rig.sees(asked)) == not_answered("Anna")


async def test_a_turn_that_waits_for_a_yes_keeps_nobody_else_waiting_and_can_be_cancelled(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    waiting = [
        await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=author)
        for author in (BEN, CARL)
        for _ in range(3)
    ]
    for asked in waiting:
        await rig.waits(asked)
    assert (await rig.sees(await rig.says("crop to a square", [CAT], author=BEN))).state is TurnState.DONE
    assert await rig.house.hall.cancel(waiting[0].turn, chat=CHAT, by=BEN)
    assert (await rig.sees(waiting[0])).state is TurnState.CANCELLED


async def shown_by(rig: Rig, message: MessageRef) -> Sequence[str]:
    return [each["sha256"] for each in await rig.images_of(message)]


async def test_undo_shows_what_the_picture_was_made_of_and_a_reply_goes_on_from_there(rig: Rig) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    second = await rig.says("rotate 90 degrees", reply_to=first)
    await rig.sees(second)
    back = await rig.presses(Act.UNDO, second)
    await rig.sees(back)
    assert await shown_by(rig, back.reply) == await shown_by(rig, first.reply)
    onward = await rig.sees(await rig.says("make it grey", reply_to=back))
    assert (onward.turn.inputs[0].from_turn, onward.turn.note) == (first.turn, "")


async def test_undo_does_not_show_a_friends_own_photo_again(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    await rig.sees(asked)
    back = await rig.presses(Act.UNDO, asked, author=BEN)
    assert words_of(await rig.sees(back)) == THEIRS_STANDS_THERE
    assert await rig.images_of(back.reply) == []
    own = await rig.presses(Act.UNDO, asked, author=ANNA)
    assert (await rig.sees(own)).state is TurnState.DONE


async def labelled_by_ai(rig: Rig) -> bytes:
    """A file of a result by AI, as somebody saves it."""
    asked = await rig.says("put a hat on her", [CAT])
    await rig.sees(asked)
    (shown,) = await rig.images_of(asked.reply)
    return await rig.house.images.get(shown["sha256"])


async def test_undo_of_a_picture_that_ai_made_elsewhere_still_says_so(rig: Rig) -> None:
    made = await labelled_by_ai(rig)
    first = await rig.says("make it grey", [made])
    await rig.sees(first)
    back = await rig.presses(Act.UNDO, first)
    await rig.sees(back)
    assert (await rig.shown(back.reply))["text"].startswith("AI-edited")
    assert [each["alt"] for each in await rig.images_of(back.reply)] == ["Picture. AI-edited."]


async def test_undo_leads_to_nothing_that_was_deleted(rig: Rig) -> None:
    first = await rig.says("make it grey", [CAT])
    await rig.sees(first)
    second = await rig.says("rotate 90 degrees", reply_to=first)
    await rig.sees(second)
    await rig.house.reception.delete(first.reply, by=ANNA, moderates=False)
    assert words_of(await rig.sees(await rig.presses(Act.UNDO, second))) == PRESS_GONE


@pytest.mark.parametrize(("say", "state"), [(Say.ONCE, TurnState.DONE), (None, TurnState.REFUSED)])
async def test_an_answer_that_comes_while_an_album_is_taken_in_holds_for_all_of_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, say: Say | None, state: TurnState
) -> None:
    async def call(_: object, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        turn = TurnId(key.partition(":")[0])
        await rig.house.reception.allow(turn, chat=reply.chat, by=person, say=say)

    monkeypatch.setattr(type(rig.house.platforms["web"]), "call", call)
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("3 variations with a hat", reply_to=photo.ref, quoted=photo, author=BEN)
    assert [each.state for each in await rig.sees_all(asked)] == [state] * 3


async def test_whoever_answers_while_the_call_is_on_its_way_is_not_called_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    async def call(_: object, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        await rig.house.reception.allow(TurnId(key.partition(":")[0]), chat=reply.chat, by=person, say=Say.ONCE)
        happened.append("called")

    async def call_off(_: object, reply: MessageRef, *, key: str) -> None:
        happened.append("called off")

    monkeypatch.setattr(type(rig.house.platforms["web"]), "call", call)
    monkeypatch.setattr(type(rig.house.platforms["web"]), "call_off", call_off)
    photo = await rig.quotes(ANNA, [CAT])
    await rig.sees(await rig.says("put a hat on her", reply_to=photo.ref, quoted=photo, author=BEN))
    assert happened == ["called off", "called", "called off"]


async def test_never_outlives_forgetting_where_all_pictures_may_be_edited(rig: Rig) -> None:
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.ALL))
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    photo = await rig.quotes(ANNA, [CAT])
    await rig.sees(await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN))
    await rig.house.forget(ANNA)
    status = await rig.sees(await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN))
    assert words_of(status) == would_rather_not("Anna")


async def test_by_words_nobody_decides_that_others_need_not_be_asked(rig: Rig) -> None:
    await rig.sees(await rig.says("/settings pictures all", author=BEN))
    photo = await rig.quotes(ANNA, [CAT])
    await rig.waits(await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN))


async def test_a_no_after_the_yes_changes_nothing_and_never_stops_what_runs_and_counts_it(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.script = [asyncio.Event()]
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("put a hat on her", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    while not gemini.requests:
        await asyncio.sleep(0.01)
    assert await rig.answers(asked, ANNA, None) == SETTLED
    assert await rig.answers(asked, ANNA, Say.NEVER) == SAID_NEVER
    status = await rig.sees(asked)
    assert (status.state, words_of(status)) == (TurnState.REFUSED, would_rather_not("Anna"))
    house = [each for each in rig.house.budget.buckets(0, person=BEN, chat=CHAT) if each.name.startswith("house:")]
    assert await rig.house.meter.reserved(house) == [gemini.cost_microusd] * 3


@pytest.mark.parametrize(("words", "state"), [("/settings mine here", "done"), ("/settings mine never", "refused")])
async def test_what_is_said_of_ones_pictures_settles_what_waits(rig: Rig, words: str, state: str) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.sees(await rig.says(words, author=ANNA))
    assert (await rig.sees(asked)).state == state


async def test_never_that_is_said_while_a_message_is_taken_in_holds_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = type(rig.house.turns).submit
    called = await calls_of(rig, monkeypatch)

    async def submit(self: Any, turn: Turn, buckets: Any) -> Any:
        await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
        return await original(self, turn, buckets)

    monkeypatch.setattr(type(rig.house.turns), "submit", submit)
    photo = await rig.quotes(ANNA, [CAT])
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    assert words_of(await rig.sees(asked)) == would_rather_not("Anna")
    assert called == []


async def test_what_was_forwarded_is_judged_by_who_made_it_and_not_even_fetched(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    original = type(rig.house.platforms["web"]).fetch

    async def fetch(self: Any, attachment: Attachment, *, max_bytes: int) -> bytes:
        fetched.append(attachment.handle)
        return await original(self, attachment, max_bytes=max_bytes)

    monkeypatch.setattr(type(rig.house.platforms["web"]), "fetch", fetch)
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    message = await rig.message("put a hat on her", [CAT], author=BEN)
    hers = tuple(replace(each, owner=Person(ANNA, "Anna")) for each in message.attachments)
    refused = await rig.sees(await rig.house.hall.receive(replace(message, attachments=hers)))
    assert (words_of(refused), fetched) == (would_rather_not("Anna"), [])
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.OWN))
    photo = await rig.quotes(BEN, [CAT])
    his = replace(photo, attachments=tuple(replace(each, owner=Person(CARL, "Carl")) for each in photo.attachments))
    own = await rig.says("make it grey", reply_to=photo.ref, quoted=his, author=CARL)
    assert (await rig.sees(own)).state is TurnState.DONE


async def test_nobodys_picture_stays_nobodys_when_it_is_redone_from_the_original(rig: Rig) -> None:
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.ALL))
    photo = await rig.quotes(None, [CAT])
    first = await rig.says("put a hat on her", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.sees(first)
    second = await rig.says("put a scarf on her", reply_to=first, author=BEN)
    await rig.sees(second)
    await rig.house.reception.change_chat(CHAT, ChatSettings())
    again = await rig.sees(await rig.presses(Act.ORIGINAL, second, author=CARL))
    assert words_of(again) == NOBODY_TO_ASK


async def test_nobody_is_asked_more_than_a_few_things_at_once_by_one_person(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    for _ in range(MOST_OPEN):
        await rig.waits(await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN))
    more = await rig.sees(await rig.says("make it sepia", reply_to=photo.ref, author=BEN))
    assert words_of(more) == still_asked("Anna")
    await rig.waits(await rig.says("make it sepia", reply_to=photo.ref, author=CARL))


async def test_what_is_decided_for_a_channel_holds_in_its_threads(rig: Rig) -> None:
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.OWN))
    await rig.house.reception.change_chat(OTHER, ChatSettings(consent=Policy.ALL))
    photo = await rig.quotes(ANNA, [CAT], chat=OTHER)
    asked = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN, chat=OTHER, around=(CHAT,))
    assert words_of(await rig.sees(asked)) == NOT_YOURS


async def test_a_delete_that_broke_off_can_be_repeated(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = await rig.says("make it grey", [CAT])
    await rig.sees(asked)

    async def fails(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(rig.house.platforms["web"]), "retract", fails)
        with pytest.raises(ConnectionError):
            await rig.house.reception.delete(asked.reply, by=ANNA, moderates=False)
    assert await rig.house.reception.delete(asked.reply, by=ANNA, moderates=False) == ""
    assert await rig.house.page.find(CHAT.chat, [asked.reply.message]) == [None]


async def test_one_of_several_pictures_is_named(rig: Rig) -> None:
    photo = await rig.quotes(BEN, [CAT, COFFEE])
    both = await rig.sees(await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN))
    one = await rig.sees(await rig.says("make the second grey", reply_to=photo.ref, author=BEN))
    assert [each.image for each in one.turn.inputs] == [both.turn.inputs[1].image]
    assert one.state is TurnState.DONE


async def test_a_hidden_picture_stays_hidden_all_the_way(rig: Rig) -> None:
    photo = await rig.quotes(BEN, [CAT], spoiler=True)
    first = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    assert (await rig.sees(first)).turn.spoiler
    assert (await rig.sees(await rig.says("crop to a square", reply_to=first, author=CARL))).turn.spoiler


async def test_a_result_is_deleted_by_who_asked_for_it_or_by_a_moderator(rig: Rig) -> None:
    for moderates, by in ((False, ANNA), (True, BEN)):
        asked = await rig.says("make it grey", [CAT])
        status = await rig.sees(asked)
        assert status.outcome is not None
        refused = await rig.house.reception.delete(asked.reply, by=BEN, moderates=False)
        assert refused
        assert await rig.house.reception.delete(asked.reply, by=by, moderates=moderates) == ""
        with pytest.raises(KeyError):
            await rig.house.images.get(status.outcome.images[0].sha256)
        erased = await rig.house.turns.load(asked.turn)
        assert erased is not None
        assert erased.erased


async def test_what_is_known_of_a_result_is_told_in_words(rig: Rig) -> None:
    asked = await rig.says("put a hat on her", [CAT])
    await rig.sees(asked)
    told = await rig.house.reception.info(asked.reply)
    assert told.startswith("“put a hat on her”\nAsked for by Anna\nAI-edited · Gemini")
    assert "600 × 600" in told or "pixels" in told


async def test_a_servers_own_cap_holds_beside_the_installations(rig: Rig, gemini: ScriptedEngine) -> None:
    await rig.house.reception.change_server(SERVER, ServerSettings(person_day_microusd=gemini.cost_microusd))
    first = await rig.sees(await rig.says("put a hat on her", [CAT], server=SERVER))
    second = await rig.sees(await rig.says("put a scarf on her", [CAT], server=SERVER))
    elsewhere = await rig.sees(await rig.says("put a scarf on her", [CAT]))
    states = [first.state, second.state, elsewhere.state]
    assert states == [TurnState.DONE, TurnState.REFUSED, TurnState.DONE]
