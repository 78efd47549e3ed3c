"""What pressing a key does on Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.telegram import lanes
from adapters.telegram.errors import OutcomeUnknown, Unavailable
from adapters.telegram.files import ALREADY, NOBODY_KNOWS, ONCE_MORE, TOO_LARGE
from adapters.telegram.ports import Key
from adapters.telegram.presses import CANNOT_POST, LEFT_OVER, TOO_OLD
from adapters.telegram.refs import press_ref, server_ref, user_ref
from adapters.telegram.render import ON_ITS_WAY, full_keyboard, keyboard
from bot.domain.access import Access
from bot.domain.actions import Act, Control, Press
from bot.domain.arena import Ballot, Choice
from bot.domain.buttons import Verb
from bot.domain.chats import ServerSettings
from bot.domain.consent import Say
from bot.domain.errors import BadRequest, ChatClosed
from bot.domain.messages import Answer, Credit, InboundMessage, Shown
from bot.domain.refs import MessageRef, Person, TurnId, thread_of
from bot.domain.turns import TurnState
from bot.domain.words import (
    BROKEN,
    DELETED,
    NOT_FOR_YOU,
    NOT_YOUR_BUTTON,
    NOT_YOURS_TO_DELETE,
    NOTHING_THERE,
    TOO_LATE,
    UNKNOWN_PRESS,
)
from bot.ending import end
from tests.fakes.discord_rooms import KEPT_OUT, RENDITION
from tests.fakes.telegram import Message
from tests.platforms.telegram_stage import Stage, key, open_stage, png

TURN = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb")
OTHER = TurnId("aaaaaaaaaaaaaaaa-cccccccccccccccc")
CANCEL = key("Cancel", Verb.CANCEL, TURN)
FILE = key("File with credentials", Verb.FILE)
INFO = key("Info", Verb.INFO)
MORE = key("More…", Verb.MORE)
DELETE = key("Delete", Verb.DELETE)


@pytest.fixture
async def stage(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(redis_url, tmp_path) as made:
        yield made


def done(stage: Stage, **given: object) -> Answer:
    """Anna's result, with a picture."""
    credit = Credit(Person(stage.user(stage.anna), "Anna"))
    controls = (Control(Act.AGAIN, "Again"), Control(Act.UNDO, "Undo"), Control(Act.LARGER, "Larger", "2K"))
    made = Answer(TurnState.DONE, ("AI-edited",), (RENDITION,), TURN, credit=credit, controls=controls)
    return replace(made, **given)  # type: ignore[arg-type]


async def result(stage: Stage, place: object = None) -> Message:
    """Anna's result, as it stands in a chat."""
    answer = stage.rooms.answers[TURN] = done(stage)
    return await stage.posts(place or stage.own_chat(), *keyboard(answer), shows=TURN)  # type: ignore[arg-type]


# --- what asks for a picture


async def test_a_control_reaches_the_core_with_its_label_and_the_message_under_which_it_stands(stage: Stage) -> None:
    group = stage.group()
    shown = await result(stage, group)
    press = await stage.presses_key(stage.ben, shown, "Again")
    assert (press.answered, press.words) == (True, "")
    (message,) = stage.rooms.received
    assert message == InboundMessage(
        ref=press_ref(stage.chat(group), press.id),
        author=stage.user(stage.ben),
        author_name="Ben",
        text="Again",
        created_at=message.created_at,
        reply_to=stage.ref(shown),
        press=Press(Act.AGAIN),
        server=server_ref(stage.me.id, group.id),
        language="en",
    )


async def test_a_suggestion_is_said_in_reply_to_its_message(stage: Stage) -> None:
    shown = await stage.posts(stage.own_chat(), [key("make it night", Verb.SAY, "0")], shows=TURN)
    await stage.presses_key(stage.anna, shown, "make it night")
    (message,) = stage.rooms.received
    assert (message.text, message.press, message.reply_to) == ("make it night", None, stage.ref(shown))


async def test_a_control_of_one_picture_comes_with_its_place(stage: Stage) -> None:
    shown = await stage.posts(stage.own_chat(), [key("2. Again", Verb.PRESS, "again", 1)], shows=TURN)
    await stage.presses_key(stage.anna, shown, "2. Again")
    assert [message.reply_index for message in stage.rooms.received] == [1]


async def test_in_a_topic_what_is_decided_in_the_group_goes_along(stage: Stage) -> None:
    forum = stage.fake.forum("Club", stage.anna)
    await stage.anna.says(forum, "hello")
    topic = forum.topic("Pictures")
    shown = await stage.posts(topic, [key("Again", Verb.PRESS, "again")], shows=TURN)
    await stage.presses_key(stage.anna, shown, "Again")
    (message,) = stage.rooms.received
    assert message.ref.chat == stage.chat(topic)
    assert message.around == (stage.chat(forum),)


async def test_a_press_that_comes_twice_is_the_same_message_and_answered_once(stage: Stage) -> None:
    shown = await result(stage)
    await stage.anna.presses(shown, "Again")
    await stage.hears(again=1)
    assert len({message.ref for message in stage.rooms.received}) == 1
    assert len(stage.fake.asked("answerCallbackQuery")) == 1


async def test_where_telegram_shows_a_message_no_more_its_keys_still_work(stage: Stage) -> None:
    shown = await result(stage)
    data = {label: data for row in shown.keyboard for label, data in row}["Again"]
    shown.deleted = True
    stage.fake.pressed(stage.anna, shown, data)
    await stage.hears()
    assert [(message.text, message.press) for message in stage.rooms.received] == [("Again", Press(Act.AGAIN))]


async def test_a_key_in_a_topic_that_telegram_names_no_more_says_what_to_do(stage: Stage) -> None:
    forum = stage.fake.forum("Club", stage.anna)
    await stage.anna.says(forum, "hello")
    shown = await stage.posts(forum.topic("Pictures"), [CANCEL, key("Again", Verb.PRESS, "again")], shows=TURN)
    shown.deleted = True
    words = [stage.fake.pressed(stage.anna, shown, data) for _, data in shown.keyboard[0]]
    await stage.hears()
    assert [press.words for press in words] == [TOO_OLD, TOO_OLD]
    assert (stage.rooms.received, stage.rooms.asked) == ([], [])


async def test_a_suggestion_that_nobody_can_read_any_more_is_said_so(stage: Stage) -> None:
    shown = await stage.posts(stage.own_chat(), [key("make it night", Verb.SAY, "0")])
    shown.deleted = True
    press = stage.fake.pressed(stage.anna, shown, shown.keyboard[0][0][1])
    await stage.hears()
    assert (press.words, stage.rooms.received) == (TOO_OLD, [])


async def test_what_a_client_makes_up_is_answered_and_does_nothing(stage: Stage) -> None:
    shown = await result(stage)
    made_up = [
        "nonsense",
        "rb:press:-:nonsense",
        "rb:edit:-:",
        "rb:allow:-:x",
        "rb:vote:-:c.x",
        "rb:settings:-:consent.all",
        "rb:whole:-:x",
    ]
    answers = [(await stage.presses_key(stage.anna, shown, data=data)).words for data in made_up]
    assert answers == [UNKNOWN_PRESS] * 6 + [NOTHING_THERE]
    assert (stage.rooms.received, stage.rooms.asked) == ([], [])


async def test_a_vote_reaches_the_core_and_is_confirmed_on_the_press(stage: Stage) -> None:
    group = stage.group()
    ballot = stage.rooms.answers[TURN] = done(stage, vote=Ballot(TURN, 3))
    shown = await stage.posts(group, *keyboard(ballot), shows=TURN)
    stage.rooms.words = "Your vote: B."
    press = await stage.presses_key(stage.ben, shown, "B")
    await stage.presses_key(stage.anna, shown, "End the vote")
    assert stage.rooms.asked == [
        ("vote", TURN, stage.chat(group), stage.user(stage.ben), Choice.B),
        ("vote", TURN, stage.chat(group), stage.user(stage.anna), None),
    ]
    assert press.words == "Your vote: B."


async def test_a_vote_that_comes_once_more_does_not_undo_the_one_after_it(stage: Stage) -> None:
    group = stage.group()
    ballot = stage.rooms.answers[TURN] = done(stage, vote=Ballot(TURN, 3))
    shown = await stage.posts(group, *keyboard(ballot), shows=TURN)
    await stage.ben.presses(shown, "A")
    (first,) = await stage.hears()
    await stage.presses_key(stage.ben, shown, "B")
    await stage.take(first)
    assert [asked[-1] for asked in stage.rooms.asked] == [Choice.A, Choice.B]


async def test_who_may_not_use_the_bot_is_told_so(stage: Stage) -> None:
    group = stage.group()
    server = server_ref(stage.me.id, group.id)
    stage.rooms.servers[server] = ServerSettings(access=Access(denied_people=(str(stage.ben.id),)))
    press = await stage.presses_key(stage.ben, await result(stage, group), "Again")
    assert "/settings" in press.words
    assert stage.rooms.received == []


@pytest.mark.parametrize("act", [Act.MINE, Act.WITHDRAW, Act.UNSHARE])
async def test_who_is_kept_out_still_decides_about_what_is_theirs(stage: Stage, act: Act) -> None:
    group = stage.group()
    server = server_ref(stage.me.id, group.id)
    stage.rooms.servers[server] = ServerSettings(access=Access(denied_people=(str(stage.ben.id),)))
    shown = await stage.posts(group, [key("This", Verb.PRESS, f"{act}.never")], shows=TURN)
    await stage.presses_key(stage.ben, shown, "This")
    assert [message.press for message in stage.rooms.received] == [Press(act, "never")]


async def test_where_nothing_can_be_posted_the_press_says_so(stage: Stage) -> None:
    stage.rooms.closed = ChatClosed("no")
    press = await stage.presses_key(stage.anna, await result(stage), "Again")
    assert (press.words, press.alert, stage.rooms.refusals) == (CANNOT_POST, True, 1)


# --- under way


async def test_cancel_ends_the_turn_in_its_key(stage: Stage) -> None:
    chat = stage.own_chat()
    press = await stage.presses_key(stage.anna, await stage.posts(chat, [CANCEL], shows=TURN), "Cancel")
    assert stage.rooms.asked == [("cancel", TURN, stage.chat(chat), stage.user(stage.anna))]
    assert (press.answered, press.words, stage.left.found_) == (True, "", [])


async def test_what_cannot_be_cancelled_is_said_to_whoever_pressed_alone(stage: Stage) -> None:
    stage.rooms.can_cancel = False
    press = await stage.presses_key(stage.anna, await stage.posts(stage.own_chat(), [CANCEL], shows=TURN), "Cancel")
    assert (press.words, press.alert) == (TOO_LATE, True)


async def test_who_runs_a_group_can_cancel_what_was_asked_in_its_name(stage: Stage) -> None:
    group = stage.group()
    stage.rooms.can_cancel = False
    await stage.presses_key(stage.anna, await stage.posts(group, [CANCEL], shows=TURN), "Cancel")
    await stage.presses_key(stage.ben, group.last(), "Cancel")
    asked_by = [call[3] for call in stage.rooms.asked]
    assert asked_by == [stage.user(stage.anna), user_ref(group.id), stage.user(stage.ben)]


async def test_a_message_that_a_crash_left_is_found_by_its_key(stage: Stage) -> None:
    stage.rooms.can_cancel = False
    orphan = await stage.posts(stage.own_chat(), [CANCEL])
    press = await stage.presses_key(stage.anna, orphan, "Cancel")
    assert stage.left.found_ == [(stage.ref(orphan), TURN)]
    assert press.words == LEFT_OVER


@pytest.mark.parametrize("made_up", [CANCEL, key("Once", Verb.ALLOW, f"once.{TURN}")])
async def test_a_press_that_names_a_turn_which_no_key_of_its_message_names_ties_nothing_to_it(
    stage: Stage, made_up: Key
) -> None:
    stage.rooms.can_cancel, stage.rooms.words = False, NOT_FOR_YOU
    chat = stage.own_chat()
    panel = await stage.posts(chat, [key("Asking back: on", Verb.SETTINGS, "questions.off")])
    others = await stage.posts(chat, [key("Cancel", Verb.CANCEL, OTHER)])
    gone = await stage.posts(chat, [CANCEL])
    gone.deleted = True
    for message in (panel, others, gone):
        press = stage.fake.pressed(stage.anna, message, made_up.data)
        await stage.hears()
        assert press.words in (TOO_LATE, NOT_FOR_YOU)
    assert stage.left.found_ == []


async def test_a_turn_is_tied_to_no_message_of_another_chat_and_to_none_before_it_is_answered(stage: Stage) -> None:
    home, group = stage.own_chat(), stage.group()
    elsewhere, before = await stage.posts(group, [CANCEL]), await stage.posts(home, [CANCEL])
    message = InboundMessage(MessageRef(stage.chat(home), "900"), stage.user(stage.anna), "Anna", "a fox", 1.0)
    stage.fake.fail("sendMessage", code=0, after_effect=True)
    await stage.platform.found(stage.ref(before), TURN)
    with pytest.raises(OutcomeUnknown):
        await stage.platform.reserve(message, TURN)
    await stage.platform.found(stage.ref(elsewhere), TURN)
    assert [await stage.messages.find(stage.ref(each)) for each in (elsewhere, before)] == [None, None]
    reply = await stage.platform.reserve(message, TURN)
    await stage.platform.found(stage.ref(elsewhere), TURN)
    assert reply.chat == stage.chat(home)
    assert [each.deleted for each in (elsewhere, before)] == [False, False]


async def test_the_answer_of_an_owner_reaches_the_core_and_they_are_thanked(stage: Stage) -> None:
    stage.rooms.words = "Thank you. I am on it."
    group = stage.group()
    asks = await stage.posts(
        group, [key("Once", Verb.ALLOW, f"once.{TURN}"), key("No", Verb.ALLOW, f"no.{TURN}")], shows=TURN
    )
    press = await stage.presses_key(stage.ben, asks, "Once")
    await stage.presses_key(stage.ben, asks, "No")
    assert (press.words, press.alert) == ("Thank you. I am on it.", False)
    assert [(call[3], call[4]) for call in stage.rooms.asked] == [
        (stage.user(stage.ben), Say.ONCE),
        (stage.user(stage.ben), None),
    ]


async def test_who_runs_a_group_answers_for_it_where_the_question_is_not_theirs(stage: Stage) -> None:
    stage.rooms.words = NOT_FOR_YOU
    group = stage.group()
    await stage.presses_key(
        stage.anna, await stage.posts(group, [key("Once", Verb.ALLOW, f"once.{TURN}")], shows=TURN), "Once"
    )
    assert [call[3] for call in stage.rooms.asked] == [stage.user(stage.anna), user_ref(group.id)]


# --- a result


async def test_info_is_shown_to_whoever_pressed_and_a_long_one_stands_below(stage: Stage) -> None:
    shown = await result(stage)
    short = await stage.presses_key(stage.anna, shown, "Info")
    stage.rooms.words = "Asked for by @ben. " * 20
    long = await stage.presses_key(stage.anna, shown, "Info")
    assert (short.words, short.alert) == ("It was made with AI.", False)
    assert (long.answered, long.words) == (True, "")
    said = shown.chat.last()
    assert said.words.startswith("Asked for by @\u2060ben.")
    assert (said.reply_to, said.notified) == (shown.id, [])


async def test_what_takes_long_is_answered_in_time_and_said_in_a_message(stage: Stage) -> None:
    shown = await result(stage)
    stage.rooms.gate = asyncio.Event()
    press = await stage.anna.presses(shown, "Info")
    hearing = asyncio.create_task(stage.hears())
    await stage.fake.until(lambda: press.answered)
    stage.rooms.gate.set()
    await hearing
    assert (press.words, shown.chat.last().words) == ("", "It was made with AI.")


async def test_the_file_comes_byte_for_byte_as_a_document(stage: Stage) -> None:
    await stage.makes_file(data := png())
    shown = await result(stage)
    press = await stage.presses_key(stage.anna, shown, "File with credentials")
    sent = shown.chat.last()
    assert (sent.kind, sent.data, sent.shown, sent.reply_to) == ("document", data, data, shown.id)
    assert (press.words, press.alert) == (ON_ITS_WAY, False)
    assert stage.rooms.asked == [("file", stage.ref(shown), 50_000_000, None)]


async def test_a_reply_to_the_file_goes_on_from_the_result_and_it_goes_when_the_result_does(stage: Stage) -> None:
    await stage.makes_file(png())
    shown = await result(stage)
    await stage.presses_key(stage.anna, shown, "File with credentials")
    record = await stage.messages.find(stage.ref(file := shown.chat.last()))
    assert record is not None
    assert record.shows == (Shown(TURN, 0),)
    await stage.platform.retract([stage.ref(shown)], [])
    assert (shown.deleted, file.deleted) == (True, True)


async def test_of_an_album_the_file_of_one_picture_shows_that_one(stage: Stage) -> None:
    await stage.makes_file(png())
    shown = await stage.posts(stage.own_chat(), [key("2. File", Verb.FILE, place=1)], shows=TURN)
    await stage.messages.attach(stage.ref(shown), thread_of(TURN), [Shown(TURN, 0), Shown(OTHER, 0)])
    await stage.presses_key(stage.anna, shown, "2. File")
    record = await stage.messages.find(stage.ref(shown.chat.last()))
    assert record is not None
    assert record.shows == (Shown(OTHER, 0),)


async def test_a_file_that_is_broken_off_is_not_sent_twice(stage: Stage) -> None:
    await stage.makes_file(png())
    shown = await result(stage)
    stage.fake.hang_after_delivery("sendDocument")
    press = await stage.anna.presses(shown, "File with credentials")
    offset, hearing = stage._offset, asyncio.create_task(stage.hears())
    await stage.fake.until(lambda: press.answered and shown.chat.last().kind == "document")
    await end(hearing)
    stage._offset = offset
    await stage.hears()
    assert [each.kind for each in shown.chat.messages()] == ["text", "document"]


async def test_two_presses_at_once_are_one_file(stage: Stage) -> None:
    await stage.makes_file(png())
    shown = await result(stage)
    stage.rooms.gate = asyncio.Event()
    first = await stage.anna.presses(shown, "File with credentials")
    hearing = asyncio.create_task(stage.hears())
    await stage.fake.until(lambda: first.answered)
    second = await stage.presses_key(stage.anna, shown, "File with credentials")
    stage.rooms.gate.set()
    await hearing
    assert (first.words, second.words) == (ON_ITS_WAY, ALREADY)
    assert [each.kind for each in shown.chat.messages()] == ["text", "document"]


async def test_pressed_again_later_the_file_is_sent_once_more_and_said_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.telegram.files.AT_ONCE_S", 0.0)
    await stage.makes_file(png())
    shown = await result(stage)
    await stage.presses_key(stage.anna, shown, "File with credentials")
    later = await stage.presses_key(stage.anna, shown, "File with credentials")
    assert later.words == ONCE_MORE
    assert [each.kind for each in shown.chat.messages()] == ["text", "document", "document"]


async def test_a_press_for_a_file_that_comes_twice_is_one_file(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.telegram.files.AT_ONCE_S", 0.0)
    await stage.makes_file(png())
    shown = await result(stage)
    await stage.anna.presses(shown, "File with credentials")
    await stage.hears(again=2)
    assert [each.kind for each in shown.chat.messages()] == ["text", "document"]


async def test_a_file_that_certainly_did_not_go_is_tried_again_by_the_same_press(stage: Stage) -> None:
    await stage.makes_file(png())
    shown = await result(stage)
    await stage.anna.presses(shown, "File with credentials")
    original, stage.rooms.file = stage.rooms.file, _away  # type: ignore[method-assign, assignment]
    offset = stage._offset
    with pytest.raises(Unavailable):
        await stage.hears()
    stage.rooms.file, stage._offset = original, offset  # type: ignore[method-assign]
    await stage.hears()
    assert [each.kind for each in shown.chat.messages()] == ["text", "document"]


async def _away(*_: object, **__: object) -> None:
    raise Unavailable


async def test_a_file_that_waited_when_the_bot_was_restarted_comes_afterwards(stage: Stage) -> None:
    await stage.makes_file(png())
    shown = await result(stage)
    await stage.api._pace.hold_back(lanes.sends(stage.chat(shown.chat))[0].name, 0.5)
    press = await stage.anna.presses(shown, "File with credentials")
    raw, hearing = stage.fake.told[-1].raw, asyncio.create_task(stage.hears())
    await stage.fake.until(lambda: press.answered)
    second = await stage.presses_key(stage.anna, shown, "File with credentials")
    await end(hearing, patience_s=0.05)
    assert (second.words, stage.fake.asked("sendDocument")) == (ALREADY, [])
    stage.fake.push_raw({"callback_query": raw["callback_query"]})
    await stage.hears()
    assert [each.kind for each in shown.chat.messages()] == ["text", "document"]


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [(413, "Request Entity Too Large", TOO_LARGE), (400, "Bad Request: SOMETHING_NEW", BROKEN)],
)
async def test_a_file_that_telegram_does_not_take_is_said_so(stage: Stage, code: int, said: str, words: str) -> None:
    await stage.makes_file(png())
    shown = await result(stage)
    stage.fake.fail("sendDocument", code=code, description=said)
    press = await stage.presses_key(stage.anna, shown, "File with credentials")
    assert (press.words, shown.chat.last().words) == (ON_ITS_WAY, words)


async def test_keys_that_telegram_does_not_take_are_said_to_be_broken(stage: Stage) -> None:
    shown = await result(stage)
    stage.fake.fail("editMessageReplyMarkup", code=400, description="Bad Request: SOMETHING_NEW")
    await stage.presses_key(stage.anna, shown, "More…")
    assert shown.chat.last().words == BROKEN


async def test_what_may_have_arrived_is_not_sent_again_by_itself(stage: Stage) -> None:
    await stage.makes_file(png())
    shown = await result(stage)
    stage.fake.fail("sendDocument", code=0, after_effect=True)
    await stage.anna.presses(shown, "File with credentials")
    await stage.hears(again=1)
    assert [each.kind for each in shown.chat.messages()] == ["text", "document", "text"]
    assert shown.chat.last().words == NOBODY_KNOWS


async def test_a_result_that_is_gone_is_said_in_words(stage: Stage) -> None:
    shown = await result(stage)
    stage.rooms.file = _gone  # type: ignore[method-assign, assignment]
    await stage.presses_key(stage.anna, shown, "File with credentials")
    assert shown.chat.last().words == NOTHING_THERE


async def _gone(*_: object, **__: object) -> None:
    raise BadRequest(NOTHING_THERE)


async def test_more_opens_all_that_can_be_done(stage: Stage) -> None:
    shown = await result(stage)
    await stage.presses_key(stage.anna, shown, "More…")
    everything = [[(each.label, each.data) for each in row] for row in full_keyboard(stage.rooms.answers[TURN])]
    assert shown.keyboard == everything
    assert "Delete" in shown.labels


# --- deleting


async def test_deleting_is_asked_once_more_and_can_be_taken_back(stage: Stage) -> None:
    shown = await stage.posts(stage.own_chat(), [DELETE], shows=TURN)
    stage.rooms.answers[TURN] = done(stage)
    await stage.presses_key(stage.anna, shown, "Delete")
    assert shown.labels == ["Delete for everybody", "Keep"]
    await stage.presses_key(stage.anna, shown, "Keep")
    assert shown.labels == [each.label for row in keyboard(done(stage)) for each in row]
    assert stage.rooms.asked == []


async def test_who_asked_for_it_deletes_it(stage: Stage) -> None:
    stage.rooms.words = ""
    shown = await stage.posts(stage.own_chat(), [DELETE], shows=TURN)
    stage.rooms.answers[TURN] = done(stage)
    await stage.presses_key(stage.anna, shown, "Delete")
    press = await stage.presses_key(stage.anna, shown, "Delete for everybody")
    assert stage.rooms.asked == [("delete", stage.ref(shown), stage.user(stage.anna), False)]
    assert press.words == DELETED


async def test_a_stranger_is_not_even_asked(stage: Stage) -> None:
    shown = await stage.posts(stage.group(), [DELETE], shows=TURN)
    stage.rooms.answers[TURN] = done(stage)
    press = await stage.presses_key(stage.ben, shown, "Delete")
    assert (press.words, shown.labels) == (NOT_YOURS_TO_DELETE, ["Delete"])


async def test_an_answer_in_words_is_no_strangers_to_delete_either(stage: Stage) -> None:
    shown = await stage.posts(stage.group(), [INFO], shows=TURN)
    stage.rooms.answers[TURN] = done(stage, images=(), credit=None)
    press = await stage.presses_key(stage.ben, shown, data=DELETE.data)
    assert (press.words, shown.labels) == (NOT_YOURS_TO_DELETE, ["Info"])
    await stage.presses_key(stage.anna, shown, data=DELETE.data)
    assert shown.labels == ["Delete for everybody", "Keep"]


async def test_who_runs_the_group_deletes_as_a_moderator(stage: Stage) -> None:
    shown = await stage.posts(stage.group(), [key("Delete for everybody", Verb.DELETE, "yes")], shows=TURN)
    await stage.presses_key(stage.anna, shown, "Delete for everybody")
    assert stage.rooms.asked == [("delete", stage.ref(shown), stage.user(stage.anna), True)]


async def test_a_stranger_neither_deletes_nor_keeps_what_somebody_else_is_asked_about(stage: Stage) -> None:
    shown = await stage.posts(stage.group(), [DELETE], shows=TURN)
    stage.rooms.answers[TURN] = done(stage)
    await stage.presses_key(stage.anna, shown, "Delete")
    stage.rooms.words = NOT_YOURS_TO_DELETE
    for label in ("Delete for everybody", "Keep"):
        assert (await stage.presses_key(stage.ben, shown, label)).words == NOT_YOURS_TO_DELETE
    assert shown.labels == ["Delete for everybody", "Keep"]
    assert [call[2:] for call in stage.rooms.asked] == [(stage.user(stage.ben), False)]


# --- once more


async def test_what_came_too_late_for_an_album_is_done_with_all_of_it_by_whoever_sent_it(stage: Stage) -> None:
    chat = stage.own_chat()
    redo = await stage.posts(chat, [key("Redo with all 3", Verb.WHOLE, "7")])
    anchor = MessageRef(stage.chat(chat), "7")
    stage.albums[anchor] = whole = InboundMessage(anchor, stage.user(stage.anna), "Anna", "warmer", 1.0)
    for _ in range(2):
        await stage.presses_key(stage.anna, redo, "Redo with all 3")
    named = press_ref(stage.chat(chat), f"whole7.{redo.id}")
    assert stage.rooms.received == [replace(whole, ref=named, language="en")] * 2


async def test_somebody_elses_album_is_not_done_again(stage: Stage) -> None:
    group = stage.group()
    redo = await stage.posts(group, [key("Redo with all 3", Verb.WHOLE, "7")])
    anchor = MessageRef(stage.chat(group), "7")
    stage.albums[anchor] = InboundMessage(anchor, stage.user(stage.anna), "Anna", "warmer", 1.0)
    press = await stage.presses_key(stage.ben, redo, "Redo with all 3")
    assert (press.words, stage.rooms.received) == (NOT_YOUR_BUTTON, [])


async def test_nobody_uses_up_what_is_offered_to_somebody_else_by_naming_an_album_of_their_own(stage: Stage) -> None:
    group = stage.group()
    offer = await stage.posts(group, [key("Redo with all 3", Verb.WHOLE, "7")])
    for anchor, person in (("7", stage.anna), ("8", stage.ben)):
        ref = MessageRef(stage.chat(group), anchor)
        stage.albums[ref] = InboundMessage(ref, stage.user(person), person.name, "warmer", 1.0)
    await stage.presses_key(stage.ben, offer, data="rb:whole:-:8")
    await stage.presses_key(stage.anna, offer, "Redo with all 3")
    assert [each.author for each in stage.rooms.received] == [stage.user(stage.ben), stage.user(stage.anna)]
    assert len({each.ref for each in stage.rooms.received}) == 2


async def test_what_may_not_have_arrived_is_sent_again_but_not_twice_at_once(stage: Stage) -> None:
    shown = await stage.posts(stage.own_chat(), [key("Send it again", Verb.REST, TURN)], shows=TURN)
    stage.rooms.answers[TURN] = done(stage)
    words = [(await stage.presses_key(stage.anna, shown, "Send it again")).words for _ in range(2)]
    assert stage.left.again == [(stage.ref(shown), done(stage))]
    assert words == [ON_ITS_WAY, ALREADY]


# --- forgetting


async def test_only_oneself_is_forgotten_and_told_what_is_gone(stage: Stage) -> None:
    stage.rooms.words = "Done."
    erase = key("Erase everything", Verb.FORGET, str(stage.anna.id))
    asks = await stage.posts(stage.group(), [erase])
    others = await stage.presses_key(stage.ben, asks, "Erase everything")
    await stage.presses_key(stage.anna, asks, "Erase everything")
    assert others.words == NOT_YOUR_BUTTON
    assert stage.rooms.asked == [("forget", stage.user(stage.anna))]
    assert (asks.words, asks.labels) == ("Done.", [])


async def test_nobody_writes_over_a_message_that_does_not_ask_them_whether_to_erase(stage: Stage) -> None:
    group = stage.group()
    shown = await stage.posts(group, [CANCEL], shows=TURN)
    for made_up in (f"rb:forget:-:{stage.ben.id}.keep", f"rb:forget:-:{stage.ben.id}"):
        press = await stage.presses_key(stage.ben, shown, data=made_up)
        assert press.answered
    assert (shown.words, shown.labels, stage.rooms.asked) == ("Here you are.", ["Cancel"], [])


async def test_where_telegram_shows_the_question_no_more_one_is_erased_and_told_so(stage: Stage) -> None:
    stage.rooms.words = "Done."
    asks = await stage.posts(stage.group(), [key("Erase everything", Verb.FORGET, str(stage.anna.id))])
    asks.deleted = True
    press = stage.fake.pressed(stage.anna, asks, asks.keyboard[0][0][1])
    await stage.hears()
    assert stage.rooms.asked == [("forget", stage.user(stage.anna))]
    assert press.words == "Done."


async def test_the_settings_are_drawn_on_no_message_but_theirs(stage: Stage) -> None:
    shown = await stage.posts(stage.group(), [CANCEL], shows=TURN)
    words = [
        (await stage.presses_key(stage.anna, shown, data=f"rb:settings:-:{each}")).words
        for each in ("show.first", "questions.off", "person.0")
    ]
    assert words == [UNKNOWN_PRESS] * 3
    assert (shown.words, shown.labels) == ("Here you are.", ["Cancel"])


async def test_whom_the_installation_keeps_out_is_told_so_at_each_press_and_still_decides_about_theirs(
    stage: Stage,
) -> None:
    group = stage.group()
    stage.rooms.out.add(stage.user(stage.ben))
    shown = await result(stage, group)
    told = [(await stage.presses_key(stage.ben, shown, "Again")).words for _ in range(2)]
    assert (told, stage.rooms.received) == ([KEPT_OUT] * 2, [])
    mine = await stage.posts(group, [key("This", Verb.PRESS, f"{Act.WITHDRAW}.yes")], shows=TURN)
    await stage.presses_key(stage.ben, mine, "This")
    assert [message.press for message in stage.rooms.received] == [Press(Act.WITHDRAW, "yes")]
