"""The cast of a chat: saved, used, shown and taken out, each time only as far as whose picture it is agrees."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from bot.domain.actions import Act
from bot.domain.cast import (
    MOST_PICTURES,
    NO_PICTURE_TO_SAVE,
    in_cast_now,
    name_is_taken,
    no_such_member,
    nobody_in_cast,
    not_yours_to_delete,
    taken_out,
    too_many_pictures,
    yours_taken_out,
)
from bot.domain.chats import ChatSettings
from bot.domain.consent import Policy, Say, Standing
from bot.domain.images import Picture, Role
from bot.domain.messages import Answer, Quoted, Received
from bot.domain.refs import ChatRef, MessageRef, Person, UserRef
from bot.domain.roles import Purpose
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.wishes import Kind
from bot.domain.words import (
    NO_PICTURE,
    NO_PICTURES_HERE,
    NOT_YOURS,
    NOTHING_TO_COMPARE,
    NOTHING_TO_DRAW,
    PRESS_GONE,
    too_many,
    would_rather_not,
)
from bot.ports import EngineProfile
from tests.fakes.engines import ScriptedEngine
from tests.pictures import saved as filed
from tests.rig import CAT, COFFEE, Rig, words_of
from tests.values import ANNA, BEN, CHAT

OTHER = ChatRef("web", "page", "other")
TOPIC = ChatRef("web", "page", "topic")
CARL = UserRef("web", "carl")
CARPET = "put Rex on the red carpet"


def a_picture(width_px: int, height_px: int) -> bytes:
    return filed(Image.new("RGB", (width_px, height_px), "teal"), "PNG")


async def saved(rig: Rig, name: str = "Rex", picture: bytes = CAT, author: UserRef = ANNA) -> TurnStatus:
    """Somebody's own picture, sent along."""
    status = await rig.sees(await rig.says(f"/cast save {name}", [picture], author=author))
    assert words_of(status) == in_cast_now(name, 1)
    return status


async def photo_of(rig: Rig, owner: UserRef | None, picture: bytes = CAT) -> Quoted:
    """Somebody's picture in the chat, which was never sent to us."""
    return await rig.quotes(owner, [picture])


async def cast_of(rig: Rig, chat: ChatRef = CHAT, author: UserRef = ANNA) -> str:
    return words_of(await rig.sees(await rig.says("/cast", chat=chat, author=author)))


# --- saving and using


async def test_a_name_brings_its_picture_along_and_alone_makes_a_picture_with_it(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    first = await saved(rig)
    made = await rig.sees(await rig.says("Put REX on the red carpet"))
    assert (made.state, made.turn.wish.kind, made.turn.parent) == (TurnState.DONE, Kind.IMAGINE, None)
    assert [(each.role, each.owner, each.image, each.called) for each in made.turn.inputs] == [
        (Role.SOURCE, ANNA, first.turn.inputs[0].image, "Rex")
    ]
    assert (gemini.requests[0].names, len(gemini.requests[0].images)) == (("Rex",), 1)
    assert made.turn.owners == (ANNA,)


async def test_in_reply_to_a_picture_it_goes_into_that_one(rig: Rig, gemini: ScriptedEngine) -> None:
    await saved(rig)
    cup = await rig.says("crop to a square", [COFFEE])
    await rig.sees(cup)
    made = await rig.sees(await rig.says("put Rex into the cup", reply_to=cup))
    assert [(each.purpose, each.called) for each in made.turn.inputs] == [
        (Purpose.CANVAS, ""),
        (Purpose.SUBJECT, "Rex"),
    ]
    assert gemini.requests[0].names == ("", "Rex")


async def test_a_style_that_has_a_name_is_taken_as_a_style(rig: Rig) -> None:
    await saved(rig, "Inkwash", COFFEE)
    cup = await rig.sees(await rig.says("repaint it in the style of Inkwash", [CAT]))
    alone = await rig.sees(await rig.says("draw a fox in the style of Inkwash"))
    assert [each.purpose for each in cup.turn.inputs] == [Purpose.CANVAS, Purpose.STYLE]
    assert [each.purpose for each in alone.turn.inputs] == [Purpose.STYLE]


async def test_two_names_in_one_instruction_bring_both_along(rig: Rig) -> None:
    await saved(rig, "Rex", CAT)
    await saved(rig, "Rex the Second", COFFEE, BEN)
    await rig.house.reception.stand(BEN, CHAT, Standing.HERE)
    made = await rig.sees(await rig.says("Rex the Second chases Rex, in a “Rex” shirt"))
    assert [(each.called, each.owner) for each in made.turn.inputs] == [("Rex the Second", BEN), ("Rex", ANNA)]
    assert set(made.turn.owners) == {ANNA, BEN}


async def test_a_set_is_saved_at_once_grows_and_begins_anew(rig: Rig) -> None:
    pictures = [a_picture(64 + 8 * n, 64) for n in range(MOST_PICTURES + 1)]
    await rig.sees(await rig.says("/cast save Wardrobe", pictures[:3]))
    await rig.sees(await rig.says("/cast save wardrobe", pictures[2:5]))
    assert await cast_of(rig) == "Wardrobe: 5 pictures, saved by Anna"
    full = await rig.sees(await rig.says("/cast save Wardrobe", pictures[4:7]))
    assert (full.state, words_of(full)) == (TurnState.REFUSED, too_many_pictures("Wardrobe", 5))
    made = await rig.sees(await rig.says("a mannequin in front of Wardrobe"))
    assert [each.called for each in made.turn.inputs] == ["Wardrobe"] * 5
    await rig.sees(await rig.says("/cast save Wardrobe anew", pictures[6:]))
    assert await cast_of(rig) == "Wardrobe: 1 picture, saved by Anna"


async def test_of_an_album_the_touched_picture_is_saved_and_all_that_came_with_the_command(rig: Rig) -> None:
    album = await rig.message("", [CAT, COFFEE])
    quoted = Quoted(album.ref, Person(ANNA, "Anna"), album.attachments)
    one = await rig.says("/cast save Cup", reply_to=album.ref, quoted=quoted, index=1, among=True)
    assert words_of(await rig.sees(one)) == in_cast_now("Cup", 1)
    both = await rig.says("/cast save Twins", [CAT, COFFEE])
    assert words_of(await rig.sees(both)) == in_cast_now("Twins", 2)


async def test_a_name_beside_one_of_an_album_still_asks_which_and_comes_along_then(rig: Rig) -> None:
    await saved(rig)
    album = await rig.message("", [a_picture(80, 60), COFFEE])
    quoted = Quoted(album.ref, Person(ANNA, "Anna"), album.attachments)
    asked = await rig.says("put Rex on it", reply_to=album.ref, quoted=quoted, index=1, among=True)
    assert (await rig.sees(asked)).state is TurnState.ASKING
    only = await rig.sees(await rig.presses(Act.ONLY, asked, "2"))
    assert [(each.called, each.purpose) for each in only.turn.inputs] == [
        ("", Purpose.CANVAS),
        ("Rex", Purpose.SUBJECT),
    ]


async def test_a_result_can_be_saved_and_what_was_drawn_from_words_is_nobodys(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.drawn = gemini.result = Picture(a_picture(90, 60), "image/png", 90, 60)
    drawn = await rig.says("draw a fox in the snow")
    await rig.sees(drawn)
    await rig.sees(await rig.says("/cast save Foxy", reply_to=drawn, author=BEN))
    made = await rig.sees(await rig.says("Foxy on a skateboard", author=CARL))
    assert (made.state, made.turn.owners) == (TurnState.DONE, ())
    assert [each.role for each in made.turn.inputs] == [Role.PARENT]


async def test_an_exact_edit_stays_exact_and_quoted_names_call_nobody(rig: Rig) -> None:
    await saved(rig, "Invert", COFFEE)
    exact = await rig.sees(await rig.says("invert the colours", [CAT]))
    quoted = await rig.sees(await rig.says("write “Invert” on the sign", [CAT]))
    assert [len(each.turn.inputs) for each in (exact, quoted)] == [1, 1]
    assert exact.turn.engine == "exact"


async def test_what_goes_on_by_itself_leaves_the_last_picture_alone_where_a_name_is_said(rig: Rig) -> None:
    await saved(rig)
    cup = await rig.says("crop to a square", [COFFEE])
    await rig.sees(cup)
    await cast_of(rig)  # the sheet is no picture to go on from
    made = await rig.sees(await rig.says(CARPET, goes_on=True))
    went_on = await rig.sees(await rig.says("crop to 2:1", goes_on=True))
    assert [each.called for each in made.turn.inputs] == ["Rex"]
    assert went_on.turn.parent == made.turn.id


async def test_a_picture_that_was_meant_and_is_not_there_is_not_replaced_by_a_drawing(rig: Rig) -> None:
    await saved(rig)
    lost = await rig.message("where is Rex?", author=BEN)
    status = await rig.sees(await rig.says(CARPET, reply_to=lost.ref))
    assert (status.state, words_of(status)) == (TurnState.REFUSED, NO_PICTURE)


async def test_the_engine_takes_only_so_many(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.profile = EngineProfile("gemini", "Gemini", True, max_inputs=2)
    await rig.sees(await rig.says("/cast save Twins", [CAT, COFFEE]))
    status = await rig.sees(await rig.says("put Twins on this", [a_picture(80, 60)]))
    assert words_of(status) == too_many(3, 2)


async def test_undo_leads_back_to_what_stood_there_and_the_original_gets_the_name_again(rig: Rig) -> None:
    await saved(rig)
    await rig.house.reception.stand(ANNA, CHAT, Standing.HERE)
    cup = await rig.says("crop to a square", [COFFEE], author=BEN)
    await rig.sees(cup)
    made = await rig.says("put Rex into the cup", reply_to=cup, author=BEN)
    await rig.sees(made)
    back = await rig.sees(await rig.presses(Act.UNDO, made, author=BEN))
    anew = await rig.sees(await rig.presses(Act.ORIGINAL, made, author=BEN))
    assert [each.from_turn for each in back.turn.inputs] == [cup.turn]
    assert [(each.owner, each.called) for each in anew.turn.inputs] == [(BEN, ""), (ANNA, "Rex")]
    alone = await rig.says(CARPET)
    await rig.sees(alone)
    assert words_of(await rig.sees(await rig.presses(Act.UNDO, alone))) == PRESS_GONE


# --- whose picture it is

SAVING = [
    (Policy.ASK, ANNA, ANNA, ""),
    (Policy.ASK, ANNA, BEN, "asks"),
    (Policy.ASK, None, BEN, "refused"),
    (Policy.OWN, ANNA, BEN, NOT_YOURS),
    (Policy.OWN, ANNA, ANNA, ""),
    (Policy.ALL, ANNA, BEN, ""),
    (Policy.OFF, ANNA, ANNA, NO_PICTURES_HERE),
]


async def becomes(rig: Rig, asked: Received, expected: str) -> None:
    if expected == "asks":
        assert [each.user for each in (await rig.waits(asked)).turn.asks] == [ANNA]
        return
    status = await rig.sees(asked)
    assert status.state is (TurnState.REFUSED if expected else TurnState.DONE)
    assert expected in ("", "refused", words_of(status))


@pytest.mark.parametrize(("policy", "owner", "asker", "expected"), SAVING)
async def test_a_picture_is_saved_only_as_its_owner_and_the_chat_allow(
    rig: Rig, policy: Policy, owner: UserRef | None, asker: UserRef, expected: str
) -> None:
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=policy))
    photo = await photo_of(rig, owner)
    asked = await rig.says("/cast save Rex", reply_to=photo.ref, quoted=photo, author=asker)
    await becomes(rig, asked, expected)
    assert ("Rex:" in await cast_of(rig)) is (not expected)


@pytest.mark.parametrize(
    ("policy", "asker", "expected"),
    [
        (Policy.ASK, ANNA, ""),
        (Policy.ASK, BEN, "asks"),
        (Policy.OWN, BEN, NOT_YOURS),
        (Policy.OWN, ANNA, ""),
        (Policy.ALL, BEN, ""),
        (Policy.OFF, ANNA, NO_PICTURES_HERE),
        (Policy.OFF, BEN, NO_PICTURES_HERE),
    ],
)
async def test_a_saved_picture_is_used_only_as_its_owner_and_the_chat_allow(
    rig: Rig, policy: Policy, asker: UserRef, expected: str
) -> None:
    await saved(rig)
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=policy))
    for words, pictures in ((CARPET, []), ("put Rex into this", [COFFEE])):
        await becomes(rig, await rig.says(words, pictures, author=asker), expected)


async def test_a_yes_saves_it_and_each_use_by_another_asks_again(rig: Rig) -> None:
    photo = await photo_of(rig, ANNA)
    asked = await rig.says("/cast save Rex", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    assert await cast_of(rig) == nobody_in_cast()
    await rig.answers(asked, ANNA, Say.ONCE)
    assert words_of(await rig.sees(asked)) == in_cast_now("Rex", 1)
    assert await cast_of(rig) == "Rex: 1 picture, saved by Ben"
    used = await rig.says(CARPET, author=BEN)
    await rig.waits(used)
    await rig.answers(used, ANNA, Say.ONCE)
    assert (await rig.sees(used)).state is TurnState.DONE
    again = await rig.waits(await rig.presses(Act.AGAIN, used, author=CARL))
    assert again.turn.asks == (Person(ANNA, "Anna"),)


async def test_a_no_saves_nothing(rig: Rig) -> None:
    photo = await photo_of(rig, ANNA)
    asked = await rig.says("/cast save Rex", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, None)
    assert words_of(await rig.sees(asked)) == would_rather_not("Anna")
    assert await cast_of(rig) == nobody_in_cast()


async def test_a_result_of_anothers_picture_is_saved_and_used_only_with_their_yes(rig: Rig) -> None:
    result = await rig.says("crop to a square", [CAT])
    await rig.sees(result)
    asked = await rig.says("/cast save Rex", reply_to=result, author=BEN)
    assert [each.user for each in (await rig.waits(asked)).turn.asks] == [ANNA]
    await rig.answers(asked, ANNA, Say.ONCE)
    await rig.sees(asked)
    assert [each.user for each in (await rig.waits(await rig.says(CARPET, author=BEN))).turn.asks] == [ANNA]


async def test_the_sheet_with_others_pictures_is_nothing_to_edit(rig: Rig) -> None:
    await saved(rig)
    sheet = await rig.says("/cast", author=BEN)
    shown = await rig.sees(sheet)
    assert shown.outcome is not None
    assert (len(shown.outcome.images), shown.turn.owners) == (1, (ANNA,))
    for words in ("crop to a square", "make it winter"):
        assert (await rig.sees(await rig.says(words, reply_to=sheet, author=BEN))).outcome.images == ()  # type: ignore[union-attr]
    for words, said in (
        ("/tree", NOTHING_TO_DRAW),
        ("/compare", NOTHING_TO_COMPARE),
        ("/cast save Anna", NO_PICTURE_TO_SAVE),
    ):
        assert words_of(await rig.sees(await rig.says(words, reply_to=sheet, author=BEN))) == said
    await becomes(rig, await rig.says(CARPET, reply_to=sheet, author=BEN), "asks")


async def test_who_said_never_is_neither_saved_nor_used_nor_shown(rig: Rig) -> None:
    photo = await photo_of(rig, ANNA)
    await saved(rig)
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    assert await cast_of(rig, author=BEN) == nobody_in_cast()
    unknown = await rig.sees(await rig.says(CARPET, author=BEN))
    assert unknown.turn.inputs == ()
    asked = await rig.says("/cast save Rex", reply_to=photo.ref, quoted=photo, author=BEN)
    assert words_of(await rig.sees(asked)) == would_rather_not("Anna")
    await saved(rig)  # her own, for herself
    assert words_of(await rig.sees(await rig.says(CARPET, author=BEN))) == would_rather_not("Anna")
    assert (await rig.sees(await rig.says(CARPET))).state is TurnState.DONE


async def test_never_takes_them_out_of_a_set_and_leaves_what_is_others(rig: Rig) -> None:
    photo = await photo_of(rig, ANNA)
    asked = await rig.says("/cast save Pals", [COFFEE], reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    assert words_of(await rig.sees(asked)) == in_cast_now("Pals", 2)
    await rig.sees(await rig.says("/settings mine never"))
    assert await cast_of(rig) == "Pals: 1 picture, saved by Ben"


async def test_whoever_is_forgotten_is_in_no_cast_and_their_pixels_are_gone(rig: Rig) -> None:
    photo = await photo_of(rig, ANNA, COFFEE)
    asked = await rig.says("/cast save Rex", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    status = await rig.sees(asked)
    (picture,) = status.turn.inputs
    assert picture.image is not None
    await rig.house.forget(ANNA)
    assert await cast_of(rig, author=BEN) == nobody_in_cast()
    with pytest.raises(KeyError):
        await rig.house.images.get(picture.image.sha256)


async def test_whoever_is_forgotten_is_not_named_in_a_list_without_pictures(rig: Rig) -> None:
    await saved(rig, author=BEN)
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.OFF))
    listed = await rig.says("/cast")
    assert "saved by Ben" in words_of(await rig.sees(listed))
    await rig.house.forget(BEN)
    assert "Ben" not in words_of(await rig.sees(listed))


async def test_forgetting_who_gave_the_name_takes_it_out_and_others_pixels_stay_theirs(rig: Rig) -> None:
    photo = await photo_of(rig, ANNA, COFFEE)
    asked = await rig.says("/cast save Rex", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    await rig.sees(asked)
    await rig.house.forget(BEN)
    assert await cast_of(rig) == nobody_in_cast()
    own = await rig.says("crop to a square", reply_to=photo.ref, quoted=photo)
    assert (await rig.sees(own)).state is TurnState.DONE


async def test_a_saved_picture_outlives_the_message_that_it_came_with_and_goes_with_the_cast(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    gemini.result = Picture(a_picture(90, 60), "image/png", 90, 60)
    status = await saved(rig)
    (picture,) = status.turn.inputs
    assert picture.image is not None
    ledger = rig.house.reconciler._ledger  # pyright: ignore[reportPrivateUsage]
    assert await ledger.release(f"message:{status.turn.origin.key}", [picture.image]) == []
    assert (await rig.sees(await rig.says(CARPET))).state is TurnState.DONE
    await rig.sees(await rig.says("/cast delete rex"))
    assert await ledger.facts(picture.image.sha256) is None


async def test_what_was_saved_when_the_answer_could_not_be_shown_is_saved_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, tries = type(rig.house.platforms["web"]).fill, itertools.count()

    async def fill(self: Any, reply: MessageRef, answer: Answer) -> None:
        if in_cast_now("Rex", 1) in answer.lines and next(tries) == 0:
            raise ConnectionError
        await original(self, reply, answer)

    monkeypatch.setattr(type(rig.house.platforms["web"]), "fill", fill)
    asked = await rig.says("/cast save Rex", [CAT])
    async with asyncio.timeout(10):
        while "Rex:" not in await cast_of(rig):
            await asyncio.sleep(0.01)
    await rig.house.reconciler.look(grace_s=0)
    assert words_of(await rig.sees(asked)) == in_cast_now("Rex", 1)
    assert await cast_of(rig) == "Rex: 1 picture, saved by Anna"


# --- where it holds, and who may


async def test_a_cast_is_of_its_chat_alone_and_a_topic_sees_that_of_its_group(rig: Rig) -> None:
    await saved(rig)
    assert await cast_of(rig, OTHER) == nobody_in_cast()
    elsewhere = await rig.sees(await rig.says(CARPET, chat=OTHER))
    within = await rig.sees(await rig.says(CARPET, chat=TOPIC, around=(CHAT,)))
    assert [len(each.turn.inputs) for each in (elsewhere, within)] == [0, 1]
    await rig.house.reception.move(CHAT, OTHER)
    assert await cast_of(rig, OTHER) == "Rex: 1 picture, saved by Anna"


async def test_who_saved_it_takes_it_out_or_whose_picture_it_is_and_nobody_else(rig: Rig) -> None:
    photo = await photo_of(rig, ANNA)
    asked = await rig.says("/cast save Pals", [COFFEE], reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    await rig.answers(asked, ANNA, Say.ONCE)
    await rig.sees(asked)
    said = [words_of(await rig.sees(await rig.says("/cast delete pals", author=by))) for by in (CARL, ANNA, BEN, BEN)]
    assert said == [not_yours_to_delete("Pals"), yours_taken_out("Pals"), taken_out("Pals"), no_such_member("pals")]


async def test_a_name_is_whose_who_gave_it(rig: Rig) -> None:
    await saved(rig)
    status = await rig.sees(await rig.says("/cast save rex anew", [COFFEE], author=BEN))
    assert (status.state, words_of(status)) == (TurnState.REFUSED, name_is_taken("Rex"))


async def test_without_a_picture_nothing_is_saved(rig: Rig) -> None:
    status = await rig.sees(await rig.says("/cast save Rex"))
    assert (status.state, words_of(status)) == (TurnState.REFUSED, NO_PICTURE_TO_SAVE)


async def test_a_forwarded_picture_is_saved_only_with_the_yes_of_whose_it_is(rig: Rig) -> None:
    message = await rig.message("/cast save Rex", [CAT], author=BEN)
    hers = tuple(replace(each, owner=Person(ANNA, "Anna")) for each in message.attachments)
    asked = await rig.house.hall.receive(replace(message, attachments=hers))
    assert (await rig.waits(asked)).turn.asks == (Person(ANNA, "Anna"),)
