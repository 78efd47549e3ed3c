"""Taking a picture back with all that grew from it, what was said of one's pictures, and who is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actions import Act
from bot.domain.chats import ChatSettings
from bot.domain.consent import Policy, Standing
from bot.domain.messages import Received, Rendition
from bot.domain.own_pictures import (
    ALREADY_WITHDRAWN,
    ASKED_EVERYWHERE,
    EXPLAINED,
    NO_SUCH_SAY,
    NOT_YOURS_TO_WITHDRAW,
    NOTHING_KEPT,
    WITHDRAW_WHAT,
    WITHDRAWN,
    YOU_WITHDREW,
    withdraw_asks,
    withdrawn_words,
)
from bot.domain.refs import ChatRef, MessageRef, Person, UserRef
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.words import would_rather_not
from storage.redis.cast import RedisCastStore
from storage.redis.client import open_client
from storage.redis.consent import RedisConsentStore
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, COFFEE, Rig, words_of
from tests.values import ANNA, BEN, CHAT

CLARA = UserRef("web", "clara")
OTHER = ChatRef("web", "page", "garden")


async def said(rig: Rig, text: str, *, by: UserRef = ANNA, **fields: Any) -> str:
    return words_of(await rig.sees(await rig.says(text, author=by, **fields)))


async def grown(rig: Rig) -> list[Received]:
    """Anna's cat in grey (0), turned by Ben (1), made small by Clara with her own coffee below (2)."""
    first = await rig.says("make it grey", [CAT])
    await rig.sees(first)
    second = await rig.says("rotate 90 degrees", reply_to=first, author=BEN)
    await rig.sees(second)
    third = await rig.says("put it on the cup", [COFFEE], reply_to=second, author=CLARA)
    await rig.sees(third)
    return [first, second, third]


async def are_erased(rig: Rig, *all_of: Received) -> list[bool]:
    found = [await rig.house.turns.load(each.turn) for each in all_of]
    return [each is not None and each.erased for each in found]


async def stand_there(rig: Rig, *messages: MessageRef) -> list[bool]:
    found = [await rig.house.page.find(each.chat.chat, [each.message]) for each in messages]
    return [record is not None for (record,) in found]


# --- withdrawing


async def test_the_owner_is_told_first_what_will_go_and_then_it_goes(rig: Rig) -> None:
    results = await grown(rig)
    beside = await rig.says("make it grey", [COFFEE], author=BEN)
    await rig.sees(beside)
    statuses = [await rig.sees(each) for each in results]
    asked = await rig.says("/withdraw", reply_to=results[1])
    assert words_of(await rig.sees(asked)) == withdraw_asks(1, 3)
    assert await are_erased(rig, *results) == [False] * 3
    assert words_of(await rig.sees(await rig.presses(Act.WITHDRAW, asked))) == withdrawn_words(1, 3)
    assert await are_erased(rig, *results, beside) == [True, True, True, False]
    assert await stand_there(rig, *(each.reply for each in results), beside.reply) == [False] * 3 + [True]
    photo = statuses[0].turn.inputs[0].image
    made = [status.outcome.images[0] for status in statuses if status.outcome is not None]
    for image in (photo, *made):
        assert image is not None
        with pytest.raises(KeyError):
            await rig.house.images.get(image.sha256)


async def test_other_peoples_pictures_and_what_did_not_grow_from_it_stay(rig: Rig) -> None:
    results = await grown(rig)
    assert await said(rig, "/withdraw yes", by=CLARA, reply_to=results[2]) == withdrawn_words(1, 1)
    assert await are_erased(rig, *results) == [False, False, True]
    went_on = await rig.sees(await rig.says("rotate 90 degrees", reply_to=results[1], author=CLARA))
    assert went_on.state is TurnState.DONE


async def test_nobody_but_the_owner_withdraws_a_picture(rig: Rig) -> None:
    results = await grown(rig)
    asked = await rig.says("/withdraw", reply_to=results[0])
    await rig.sees(asked)
    assert await said(rig, "/withdraw", by=BEN, reply_to=results[1]) == NOT_YOURS_TO_WITHDRAW
    assert await said(rig, "/withdraw yes", by=BEN, reply_to=results[0]) == NOT_YOURS_TO_WITHDRAW
    pressed = await rig.sees(await rig.presses(Act.WITHDRAW, asked, author=BEN))
    assert words_of(pressed) == NOT_YOURS_TO_WITHDRAW
    assert await said(rig, "/withdraw") == WITHDRAW_WHAT
    assert await are_erased(rig, *results) == [False] * 3


async def test_what_is_under_way_with_it_ends_with_words_for_whoever_asked(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [asyncio.Event()]
    photo = await rig.quotes(ANNA, [CAT])
    mine = await rig.says("make it grey", reply_to=photo.ref, quoted=photo)
    await rig.sees(mine)
    running = await rig.says("put a hat on her", reply_to=mine, author=BEN)
    while not gemini.requests:
        await asyncio.sleep(0.01)
    child = await rig.says("make it sepia", reply_to=running, author=CLARA)
    waiting = await rig.says("make it sepia", reply_to=photo.ref, author=BEN)
    await rig.waits(waiting)
    assert await said(rig, "/withdraw yes", reply_to=photo.ref) == withdrawn_words(1, 1)
    for asked in (running, child, waiting):
        status = await rig.sees(asked)
        assert (status.state, words_of(status)) == (TurnState.REFUSED, WITHDRAWN)
        assert (await rig.shown(asked.reply))["text"].startswith(WITHDRAWN)
    assert await stand_there(rig, mine.reply) == [False]


async def test_a_withdrawn_picture_is_edited_by_nobody_wherever_it_still_stands(rig: Rig) -> None:
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.ALL))
    photo = await rig.quotes(ANNA, [CAT])
    await rig.sees(await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN))
    await said(rig, "/withdraw yes", reply_to=photo.ref)
    assert await said(rig, "make it grey", by=BEN, reply_to=photo.ref, quoted=photo) == WITHDRAWN
    assert await said(rig, "make it grey", reply_to=photo.ref, quoted=photo) == YOU_WITHDREW
    message = await rig.message("put a hat on her", [CAT], author=BEN)
    hers = tuple(replace(each, owner=Person(ANNA, "Anna")) for each in message.attachments)
    forwarded = await rig.sees(await rig.house.hall.receive(replace(message, attachments=hers)))
    assert words_of(forwarded) == WITHDRAWN
    anew = await rig.says("make it grey", [CAT])
    assert (await rig.sees(anew)).state is TurnState.DONE
    assert (await rig.sees(await rig.says("make it sepia", reply_to=anew, author=BEN))).state is TurnState.DONE


BUTTONS = (
    (Act.AGAIN, ""),
    (Act.EXACTLY, ""),
    (Act.SURPRISE, ""),
    (Act.ORIGINAL, ""),
    (Act.VARIATIONS, "4"),
    (Act.LARGER, "2K"),
    (Act.CANVAS, "2"),
    (Act.UNDO, ""),
    (Act.ONLY, "1"),
    (Act.ALL, ""),
    (Act.GO, "1"),
)


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_no_button_and_no_words_lead_around_a_no(rig: Rig, gemini: ScriptedEngine, withdrawn: bool) -> None:
    """Nothing is erased here: what is pressed stands there in full, as between the note and the erasure."""
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.ALL))
    photos = await rig.quotes(ANNA, [CAT, COFFEE])
    result = await rig.says("put the cat on the cup", reply_to=photos.ref, quoted=photos, author=BEN)
    status = await rig.sees(result)
    unsure = await rig.says("make it grey", reply_to=photos.ref, quoted=photos, author=BEN, index=0, among=True)
    assert (await rig.sees(unsure)).state is TurnState.ASKING
    tree = await rig.says("/tree", reply_to=result, author=BEN)
    await rig.sees(tree)
    if withdrawn:
        pictures = [each.image.sha256 for each in status.turn.inputs if each.image is not None]
        await RedisConsentStore(rig.house.turns._client).withdraw(ANNA, pictures)
    else:
        await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    asked = len(gemini.requests)
    stands_on = {Act.ONLY: unsure, Act.ALL: unsure, Act.GO: tree}
    for act, argument in BUTTONS:
        pressed = await rig.presses(act, stands_on.get(act, result), argument, author=BEN)
        answer = await rig.sees(pressed)
        noes = (WITHDRAWN,) if withdrawn else (would_rather_not("Anna"), would_rather_not(""))
        assert (answer.state, words_of(answer) in noes) == (TurnState.REFUSED, True), act
    for words, onto in (
        ("/compare", result),
        ("from 1: make it grey", tree),
        ("make it grey, from the original", result),
        ("make it grey", photos.ref),
        ("/explain", result),
    ):
        answer = await rig.sees(await rig.says(words, reply_to=onto, author=BEN))
        assert (answer.state, words_of(answer) in noes) == (TurnState.REFUSED, True), words
    assert len(gemini.requests) == asked


async def test_one_of_several_pictures_is_withdrawn_and_the_others_still_stand_there(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[MessageRef, int]] = []

    async def show_sources(_: object, message: MessageRef, pictures: Sequence[Rendition]) -> None:
        shown.append((message, len(pictures)))

    both = await rig.message("make them grey", [CAT, COFFEE])
    await rig.sees(await rig.house.hall.receive(both))
    monkeypatch.setattr(type(rig.house.platforms["web"]), "show_sources", show_sources)
    assert await said(rig, "/withdraw yes", reply_to=both.ref, index=0) == withdrawn_words(1, 1)
    assert shown == [(both.ref, 1)]
    left = await rig.sees(await rig.says("make it grey", reply_to=both.ref))
    assert (left.state, len(left.turn.inputs)) == (TurnState.DONE, 1)


async def test_a_drawn_tree_goes_with_what_it_shows(rig: Rig) -> None:
    results = await grown(rig)
    tree = await rig.says("/tree", reply_to=results[0], author=BEN)
    await rig.sees(tree)
    await said(rig, "/withdraw yes", reply_to=results[0])
    assert await are_erased(rig, tree) == [True]
    assert await stand_there(rig, tree.reply) == [False]


async def test_a_withdrawal_that_broke_off_is_continued_and_repeating_it_is_harmless(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = await grown(rig)
    message = await rig.message("/withdraw yes", reply_to=results[0])
    original = type(rig.house.erasure)._erase_turns

    async def breaks(self: Any, found: Sequence[TurnStatus]) -> Any:
        ids = [each.turn.id for each in found]
        if results[1].turn not in ids:
            return await original(self, found)
        await original(self, found[: ids.index(results[1].turn)])
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(rig.house.erasure), "_erase_turns", breaks)
        with pytest.raises(ConnectionError):
            await rig.house.hall.receive(message)
        assert await said(rig, "make it sepia", by=BEN, reply_to=results[1]) == WITHDRAWN
    await rig.house.reconciler.look(grace_s=0)
    assert await are_erased(rig, *results) == [True] * 3
    assert await said(rig, "/withdraw yes", reply_to=results[0]) == NOT_YOURS_TO_WITHDRAW
    photo = await rig.house.turns.load(results[0].turn)
    assert photo is not None
    assert await said(rig, "/withdraw", reply_to=photo.turn.origin) == NOTHING_KEPT


async def test_a_question_that_is_pressed_twice_finds_nothing_left(rig: Rig) -> None:
    results = await grown(rig)
    asked = await rig.says("/withdraw", reply_to=results[0])
    await rig.sees(asked)
    await rig.sees(await rig.presses(Act.WITHDRAW, asked))
    assert words_of(await rig.sees(await rig.presses(Act.WITHDRAW, asked))) == ALREADY_WITHDRAWN


async def test_what_was_asked_elsewhere_with_the_same_picture_goes_and_is_not_counted_here(rig: Rig) -> None:
    results = await grown(rig)
    elsewhere = await rig.says("make it grey", [CAT], chat=OTHER)
    await rig.sees(elsewhere)
    assert await said(rig, "/withdraw", reply_to=results[0]) == withdraw_asks(1, 3)
    await said(rig, "/withdraw yes", reply_to=results[0])
    assert await are_erased(rig, elsewhere) == [True]


async def test_the_same_file_of_somebody_else_stays_theirs(rig: Rig) -> None:
    results = await grown(rig)
    his = await rig.says("make it sepia", [CAT], author=BEN)
    status = await rig.sees(his)
    await said(rig, "/withdraw yes", reply_to=results[0])
    assert await are_erased(rig, his) == [False]
    assert status.turn.inputs[0].image is not None
    assert await rig.house.images.get(status.turn.inputs[0].image.sha256)


# --- what was said


@pytest.mark.parametrize("words", ["/mine here", "/settings mine ask"])
async def test_an_older_message_does_not_take_back_a_never(rig: Rig, words: str) -> None:
    """It comes once more after a crash, or late."""
    late = await rig.message(words)
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    answered = await rig.house.hall.receive(replace(late, created_at=time.time() - 60))
    told = await rig.sees(answered)
    assert told.outcome is not None
    assert told.outcome.words == "Nobody but you may have your pictures edited, here or anywhere else."
    assert await rig.house.reception.standing(ANNA, CHAT) is Standing.NEVER


async def test_what_was_said_is_listed_and_changed_and_other_chats_are_only_counted(rig: Rig) -> None:
    assert (await said(rig, "/mine")).startswith("In this chat, you are asked before")
    assert await said(rig, "/mine here") == "Everybody in this chat may have your pictures edited."
    await said(rig, "/mine here", chat=OTHER)
    listed = await said(rig, "/settings mine")
    assert "In one other chat, too, everybody may." in listed
    assert OTHER.chat not in listed
    asked = await rig.says("/mine")
    answer = await rig.house.reception.answer_of((await rig.sees(asked)).turn.id)
    assert answer is not None
    assert [each.label for each in answer.controls] == ["Ask me", "Always here", "Never", "Ask me everywhere"]
    await rig.sees(await rig.presses(Act.MINE, asked, "never", author=BEN))
    await rig.sees(await rig.presses(Act.MINE, asked, "ask"))
    stand = [await rig.house.reception.standing(person, chat) for person in (ANNA, BEN) for chat in (CHAT, OTHER)]
    assert stand == [Standing.UNSAID, Standing.HERE, Standing.NEVER, Standing.NEVER]
    assert await said(rig, "/mine everywhere") == ASKED_EVERYWHERE
    assert await rig.house.reception.standing(ANNA, OTHER) is Standing.UNSAID
    assert await said(rig, "/mine perhaps") == NO_SUCH_SAY


async def test_whoever_is_asked_for_the_first_time_reads_what_the_answers_mean(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    first = await rig.says("make it grey", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(first)
    await rig.house.hall.receive(await rig.message("make it sepia", reply_to=photo.ref, author=CLARA))
    second = await rig.says("make it sepia", reply_to=photo.ref, author=CLARA, chat=CHAT)
    await rig.waits(second)
    answers = [await rig.house.reception.answer_of(each.turn) for each in (first, second, first)]
    assert [EXPLAINED in each.lines for each in answers if each is not None] == [True, False, True]


async def test_a_tree_does_not_show_anew_what_grew_from_a_picture_of_who_said_never(rig: Rig) -> None:
    results = await grown(rig)
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    tree = await rig.sees(await rig.says("/tree", reply_to=results[0], author=BEN))
    own = await rig.sees(await rig.says("/tree", reply_to=results[0], author=ANNA))
    assert (tree.turn.lent, tree.turn.owners) == ((), ())
    assert {each.owner for each in own.turn.lent if each.image} == {ANNA, CLARA}


# --- credit


async def test_a_result_names_whose_picture_it_grew_from_and_who_edited_on_the_way(rig: Rig) -> None:
    results = await grown(rig)
    info = await rig.house.reception.info(results[1].reply)
    assert "From a picture by Anna; then Anna: “make it grey”; then Ben: “rotate 90 degrees”" in info
    both = await rig.house.reception.info(results[2].reply)
    assert "From pictures by Anna and Clara; then Anna" in both
    answer = await rig.house.reception.answer_of(results[2].turn)
    assert answer is not None
    assert answer.credit is not None
    assert dict(zip(answer.credit.owners, answer.credit.names, strict=True)) == {ANNA: "Anna", CLARA: "Clara"}


async def test_whoever_is_forgotten_is_not_named_on_anybodys_branch(rig: Rig) -> None:
    drawn = await rig.says("make it grey", [COFFEE], author=CLARA)
    await rig.sees(drawn)
    second = await rig.says("rotate 90 degrees", reply_to=drawn, author=ANNA)
    await rig.sees(second)
    third = await rig.says("crop to a square", reply_to=second, author=BEN)
    await rig.sees(third)
    assert "Anna" in await rig.house.reception.info(third.reply)
    await rig.house.forget(ANNA)
    info = await rig.house.reception.info(third.reply)
    assert "From a picture by Clara; then Clara: “make it grey”; then Ben: “crop to a square”" in info


async def test_a_withdrawn_picture_and_what_grew_from_it_leave_the_cast(rig: Rig, redis_url: str) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    await rig.sees(await rig.says("/cast save Rex", reply_to=photo.ref, quoted=photo))
    square = await rig.says("crop to a square", reply_to=photo.ref, quoted=photo)
    await rig.sees(square)
    await rig.sees(await rig.says("/cast save Squared", reply_to=square))
    await rig.sees(await rig.says("/cast save Cup", [COFFEE]))
    await rig.sees(await rig.says("/withdraw yes", reply_to=square))
    async with open_client(redis_url) as client:
        members = await RedisCastStore(client, retention_s=3600).members([CHAT])
    assert [member.name for member in members] == ["Cup"]


async def test_what_was_made_through_a_name_goes_with_the_picture_that_the_name_grew_from(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    square = await rig.says("crop to a square", reply_to=photo.ref, quoted=photo)
    await rig.sees(square)
    await rig.sees(await rig.says("/cast save Rex", reply_to=square))
    sheet = await rig.says("/cast")
    through_name = await rig.says("put Rex on the red carpet")
    for each in (sheet, through_name):
        await rig.sees(each)
    await rig.sees(await rig.says("/withdraw yes", reply_to=square))
    assert await are_erased(rig, square, sheet, through_name) == [True, True, True]


async def test_of_a_name_with_pictures_of_two_people_each_takes_back_what_was_made_through_it(rig: Rig) -> None:
    await rig.house.reception.stand(BEN, CHAT, Standing.HERE)
    bens = await rig.says("crop to a square", [COFFEE], author=BEN)
    await rig.sees(bens)
    both = await rig.says("put the cat on the cup", [CAT], reply_to=bens)
    await rig.sees(both)
    await rig.sees(await rig.says("/cast save Rex", reply_to=both))
    through_name = await rig.says("put Rex on the red carpet")
    made = await rig.sees(through_name)
    assert set(made.turn.owners) == {ANNA, BEN}
    await rig.sees(await rig.says("/withdraw yes", reply_to=both))
    assert await are_erased(rig, bens, both, through_name) == [False, True, True]


async def test_a_result_is_compared_across_threads_of_its_chat(rig: Rig) -> None:
    square = await rig.says("crop to a square", [CAT])
    await rig.sees(square)
    asked = await rig.says("make it grey")
    await rig.sees(asked)
    grey = await rig.presses(Act.LATEST, asked)
    await rig.sees(grey)
    compared = await rig.sees(await rig.says("/compare", reply_to=grey))
    assert compared.state is TurnState.DONE
    assert [each.from_turn for each in compared.turn.inputs] == [square.turn, grey.turn]
