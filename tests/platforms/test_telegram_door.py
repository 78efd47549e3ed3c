"""What becomes of one update: messages, edits, changes of the bot's place in a chat, and who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from adapters.telegram.access import ADMINS, CHAT_DENIED, PERSON_DENIED
from adapters.telegram.door import SILENCED
from adapters.telegram.inbound import Snag
from adapters.telegram.ports import Key
from adapters.telegram.refs import chat_ref, message_ref, server_ref, user_ref
from bot import insisting
from bot.domain.access import Access
from bot.domain.buttons import ButtonId, Verb
from bot.domain.chats import ServerSettings
from bot.domain.errors import ChatClosed
from bot.domain.refs import ChatRef, MessageRef
from tests.fakes.discord_rooms import KEPT_OUT
from tests.fakes.telegram import Chat, Message, Person
from tests.platforms.telegram_doors import Process, Scene, a_scene


@pytest.fixture
async def scene(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(insisting, "_FIRST_WAIT_S", 0.02)
    async with a_scene(redis_url, floods=False, reads_all=True) as found:
        yield found
        assert found.fake.faults() == []


@pytest.fixture
async def process(scene: Scene) -> Process:
    return scene.process().begins()


@pytest.fixture
def anna(scene: Scene) -> Person:
    return scene.fake.user("Anna")


@pytest.fixture
def ben(scene: Scene) -> Person:
    return scene.fake.user("Ben")


@pytest.fixture
def group(scene: Scene, anna: Person, ben: Person) -> Chat:
    return scene.fake.supergroup("Friends", anna, ben)


def picture(colour: str = "red") -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


def chat_of(scene: Scene, chat: Chat) -> ChatRef:
    return chat_ref(scene.me.id, chat.id)


def ref_of(scene: Scene, message: Message) -> MessageRef:
    return message_ref(scene.me.id, message.chat.id, message.id, message.thread_id)


async def ours(scene: Scene, process: Process, to: Message, words: str = "A fox", **options: Any) -> Message:
    """A message of the bot's that replies to that one."""
    said = await process.telegram.say(ref_of(scene, to), words, **options)
    return to.chat.log[int(said.message)]


def answers(scene: Scene, chat: Chat) -> list[str]:
    """What the bot says there."""
    return [each.words for each in chat.messages() if each.author is scene.fake.bot]


# --- messages


async def test_a_message_comes_twice_and_once_more_under_another_number_and_is_one(
    scene: Scene, process: Process, anna: Person
) -> None:
    said = await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.received)
    scene.fake.redeliver(said)
    scene.fake.redeliver(said, as_new=True)
    await scene.settled(process)
    assert len({each.origin for each in scene.received}) == 1
    assert len(scene.received) == 2  # the same update was known by its number


async def test_what_groups_say_among_themselves_is_left_alone(
    scene: Scene, process: Process, anna: Person, ben: Person, group: Chat
) -> None:
    photo = await anna.says(group, "look", photo=picture())
    await ben.says(group, "lovely", reply_to=photo)
    await scene.settled(process)
    assert scene.received == []
    assert answers(scene, group) == []


async def test_a_reply_to_a_picture_of_the_bots_is_a_wish_and_the_group_is_told_how_to_call_it(
    scene: Scene, process: Process, anna: Person, ben: Person, group: Chat
) -> None:
    asked = await anna.says(group, "a fox", mention=True)
    await scene.until(lambda: len(scene.received) == 1)
    result = await ours(scene, process, asked)
    reply = await ben.says(group, "make it blue", reply_to=result)
    await scene.until(lambda: len(scene.received) == 2)
    await scene.settled(process)
    message = scene.received[1]
    assert (message.ref, message.reply_to) == (ref_of(scene, reply), ref_of(scene, result))
    assert message.server == server_ref(scene.me.id, group.id)
    assert scene.beside.used_in == [chat_of(scene, group)]


async def test_what_is_said_in_a_topic_without_a_reply_replies_to_nothing(
    scene: Scene, process: Process, anna: Person
) -> None:
    forum = scene.fake.forum("Club", anna)
    topic = forum.topic("Pictures")
    said = await anna.says(topic, "a fox", mention=True)
    await scene.until(lambda: scene.received)
    (message,) = scene.received
    assert message.ref == ref_of(scene, said)
    assert message.ref.chat.chat == f"{forum.id}/{topic.thread_id}"
    assert (message.reply_to, message.around) == (None, (chat_of(scene, forum),))


async def test_an_edit_with_other_words_is_a_branch_and_one_with_the_same_words_is_nothing(
    scene: Scene, process: Process, anna: Person
) -> None:
    said = await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    await anna.edits(said, "a fox")
    await scene.settled(process)
    assert scene.texts() == ["a fox"]
    await anna.edits(said, "a hen")
    await scene.until(lambda: scene.texts() == ["a fox", "a hen"])
    first, second = scene.received
    assert first.ref == second.ref
    assert (first.version, second.version // 1000) == (0, said.edited_at)
    scene.fake.redeliver(said, as_new=True)
    await scene.settled(process)
    assert len({each.origin for each in scene.received}) == 2


async def test_two_edits_within_one_second_are_two_branches(scene: Scene, process: Process, anna: Person) -> None:
    said = await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.texts() == ["a fox"])
    await anna.edits(said, "a hen")
    await anna.edits(said, "a cat")
    await scene.until(lambda: sorted(scene.texts()) == ["a cat", "a fox", "a hen"])
    assert len({each.origin for each in scene.received}) == 3
    scene.fake.redeliver(said, as_new=True)
    await scene.settled(process)
    assert len({each.origin for each in scene.received}) == 3


async def test_another_picture_under_the_same_words_is_a_branch(scene: Scene, process: Process, anna: Person) -> None:
    said = await anna.says(scene.fake.private(anna), "warmer", photo=picture("red"))
    await scene.until(lambda: scene.received)
    await anna.edits(said, "warmer", photo=picture("blue"))
    await scene.until(lambda: len(scene.received) == 2)
    first, second = scene.received
    assert first.attachments != second.attachments
    assert first.version < second.version


async def test_what_cannot_be_edited_is_named_once(scene: Scene, process: Process, anna: Person) -> None:
    home = scene.fake.private(anna)
    said = await anna.says(home, "make it funny", video=b"\0" * 100)
    await scene.until(lambda: answers(scene, home))
    scene.fake.redeliver(said, as_new=True)
    await scene.settled(process)
    assert answers(scene, home) == [Snag.VIDEO.words]
    assert home.last().reply_to == said.id
    assert scene.received == []


async def test_commands_that_are_answered_at_the_door_do_not_reach_the_core(
    scene: Scene, process: Process, anna: Person
) -> None:
    await anna.says(scene.fake.private(anna), "/help")
    await anna.says(scene.fake.private(anna), "/imagine a fox")
    await scene.until(lambda: scene.received)
    await scene.settled(process)
    assert sorted(each.name for each in scene.beside.commanded) == ["help", "imagine"]
    assert scene.texts() == ["/imagine a fox"]


async def test_a_pressed_key_goes_to_whoever_knows_keys(scene: Scene, process: Process, anna: Person) -> None:
    said = await anna.says(scene.fake.private(anna), "a fox")
    data = str(ButtonId(Verb.INFO))
    result = await ours(scene, process, said, keyboard=((Key("Info", data),),))
    await anna.presses(result, "Info")
    await scene.until(lambda: scene.beside.pressed == [data])


async def test_a_reply_to_a_message_that_is_still_open_says_which_turn_it_was_for(
    scene: Scene, process: Process, anna: Person
) -> None:
    said = await anna.says(scene.fake.private(anna), "a fox")
    turn = "a" * 16 + "-" + "b" * 16
    left = await ours(scene, process, said, keyboard=((Key("Cancel", str(ButtonId(Verb.CANCEL, None, turn))),),))
    await anna.says(scene.fake.private(anna), "well?", reply_to=left)
    await scene.until(lambda: scene.beside.orphans == [(ref_of(scene, left), turn)])


async def test_a_message_that_was_passed_on_or_came_through_another_bot_names_no_turn(
    scene: Scene, process: Process, anna: Person
) -> None:
    home = scene.fake.private(anna)
    said = await anna.says(home, "a fox")
    left = await ours(scene, process, said, keyboard=((Key("Cancel", str(ButtonId(Verb.CANCEL, None, "a-b"))),),))
    await anna.says(home, "well?", reply_to=left)
    await scene.until(lambda: scene.beside.orphans)
    update = dict(scene.fake.told[-1].raw["message"])
    bot, user = {"id": 77, "is_bot": True, "first_name": "Other"}, scene.fake.bot.json()
    forwarded = {"forward_origin": {"type": "user", "date": 1, "sender_user": user}}
    for number, foreign in enumerate((forwarded, {"via_bot": bot}), 1):
        replied = update["reply_to_message"] | foreign
        said_so = update | {"message_id": 9000 + number, "text": f"again {number}", "reply_to_message": replied}
        scene.fake.push_raw({"message": said_so})
    await scene.until(lambda: {"again 1", "again 2"} <= set(scene.texts()))
    assert len(scene.beside.orphans) == 1


async def test_a_chat_that_cannot_be_posted_to_is_no_reason_to_try_again(
    scene: Scene, process: Process, anna: Person
) -> None:
    scene.rooms.closed = ChatClosed("no")
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.rooms.refusals)
    await scene.settled(process)
    assert scene.rooms.refusals == 1


# --- who may


def only(**lists: tuple[str, ...]) -> ServerSettings:
    return ServerSettings(access=Access(**lists))


async def test_who_is_kept_out_is_told_once_a_day_and_heard_no_more(
    scene: Scene, process: Process, ben: Person, group: Chat
) -> None:
    scene.rooms.servers[server_ref(scene.me.id, group.id)] = only(denied_people=(str(ben.id),))
    for words in ("a fox", "a hen"):
        await ben.says(group, words, mention=True)
    await scene.until(lambda: answers(scene, group))
    await scene.settled(process)
    assert answers(scene, group) == [PERSON_DENIED]
    assert scene.received == []


async def test_where_only_those_who_run_the_group_are_let_in_an_anonymous_one_is_as_well(
    scene: Scene, process: Process, anna: Person, ben: Person, group: Chat
) -> None:
    scene.rooms.servers[server_ref(scene.me.id, group.id)] = only(allowed_roles=(ADMINS,))
    scene.fake.promote(group, anna, anonymous=True)
    await anna.says(group, "a fox", mention=True)
    await anna.says(group, "a hen", mention=True, as_chat=group)
    await ben.says(group, "a cow", mention=True)
    await scene.until(lambda: len(scene.received) == 2 and answers(scene, group))
    assert sorted(scene.texts()) == ["a fox", "a hen"]
    assert {each.author for each in scene.received} == {user_ref(anna.id), user_ref(group.id)}


async def test_a_group_that_is_not_served_is_told_so_and_a_topic_of_it_as_well(
    scene: Scene, process: Process, anna: Person
) -> None:
    forum = scene.fake.forum("Club", anna)
    topic = forum.topic("Pictures")
    scene.rooms.servers[server_ref(scene.me.id, forum.id)] = only(denied_chats=(str(forum.id),))
    await anna.says(topic, "a fox", mention=True)
    await scene.until(lambda: [each.words for each in topic.messages()][1:] == [CHAT_DENIED])
    assert scene.received == []


async def test_who_runs_a_group_can_change_what_keeps_them_out_and_everybody_be_forgotten(
    scene: Scene, process: Process, anna: Person, ben: Person, group: Chat
) -> None:
    scene.rooms.servers[server_ref(scene.me.id, group.id)] = only(denied_chats=(str(group.id),))
    for person in (anna, ben):
        for words in ("/settings@remix_test_bot", "/forget@remix_test_bot"):
            await person.says(group, words)
    await scene.until(lambda: len(scene.beside.commanded) == 3 and answers(scene, group))
    assert sorted(each.name for each in scene.beside.commanded) == ["forget", "forget", "settings"]
    assert answers(scene, group) == [CHAT_DENIED]


async def test_who_is_kept_out_still_decides_about_what_is_theirs(
    scene: Scene, process: Process, ben: Person, group: Chat
) -> None:
    scene.rooms.servers[server_ref(scene.me.id, group.id)] = only(denied_people=(str(ben.id),))
    for words in ("/presets", "/mine never", "/withdraw", "/unshare"):
        await ben.says(group, words)
    await scene.until(lambda: len(scene.received) == 3 and answers(scene, group))
    assert sorted(scene.texts()) == ["/mine never", "/unshare", "/withdraw"]
    assert answers(scene, group) == [PERSON_DENIED]


async def test_what_is_decided_for_a_group_holds_in_its_topics_and_private_chats_are_nobodys_business(
    scene: Scene, process: Process, ben: Person
) -> None:
    forum = scene.fake.forum("Club", scene.fake.user("Cem"), ben)
    whole = chat_of(scene, forum)
    settings, _ = await scene.rooms.settings(whole, None)
    scene.rooms.chats[whole] = replace(settings, access=Access(denied_people=(str(ben.id),)))
    await ben.says(forum.topic("Pictures"), "a fox", mention=True)
    await ben.says(scene.fake.private(ben), "a hen")
    await scene.until(lambda: scene.received)
    await scene.settled(process)
    assert scene.texts() == ["a hen"]


# --- the chat itself


async def test_a_group_that_becomes_a_supergroup_takes_its_settings_along(
    scene: Scene, process: Process, anna: Person
) -> None:
    old = scene.fake.group("Friends", anna)
    await anna.says(old, "a fox", mention=True)
    await scene.until(lambda: scene.received)
    new = scene.fake.migrate(old)
    await scene.until(lambda: ("move", chat_of(scene, old), chat_of(scene, new)) in scene.rooms.asked)
    await scene.settled(process)
    assert await process.store.moved_to(chat_of(scene, old)) == chat_of(scene, new)
    await anna.says(new, "a hen", mention=True)
    await scene.until(lambda: len(scene.received) == 2)
    assert scene.received[1].ref.chat == chat_of(scene, new)


async def test_thrown_out_the_chat_is_closed_and_let_in_again_it_is_open_and_greeted(
    scene: Scene, process: Process, group: Chat
) -> None:
    scene.fake.kick_bot(group)
    await scene.settled(process)
    assert await process.store.closed(chat_of(scene, group)) == "kicked"
    assert scene.beside.greeted == []
    scene.fake.add_bot(group)
    await scene.settled(process)
    assert await process.store.closed(chat_of(scene, group)) == ""
    assert scene.beside.greeted == [group.id]


async def test_a_word_of_being_thrown_out_that_comes_once_more_does_not_close_what_is_open_again(
    scene: Scene, process: Process, group: Chat
) -> None:
    scene.fake.kick_bot(group)
    kicked = scene.fake.told[-1]
    await scene.settled(process)
    scene.fake.add_bot(group)
    await scene.settled(process)
    await scene.client.delete(*[key async for key in scene.client.scan_iter("*:seen:*")])
    scene.fake.push_raw(dict(kicked.raw))
    await scene.settled(process)
    assert await process.store.closed(chat_of(scene, group)) == ""


async def test_blocked_by_a_person_the_chat_is_closed_and_open_again_without_a_greeting(
    scene: Scene, process: Process, anna: Person
) -> None:
    home = scene.fake.private(anna)
    scene.fake.block_bot(anna)
    await scene.settled(process)
    assert await process.store.closed(chat_of(scene, home)) == "kicked"
    scene.fake.unblock_bot(anna)
    await scene.settled(process)
    assert await process.store.closed(chat_of(scene, home)) == ""
    assert scene.beside.greeted == []


async def test_who_writes_has_let_the_bot_in_again_although_nobody_said_so(
    scene: Scene, process: Process, anna: Person
) -> None:
    home = chat_of(scene, scene.fake.private(anna))
    await process.store.close_chat(home, "kicked")
    await anna.says(scene.fake.private(anna), "a fox")
    await scene.until(lambda: scene.received)
    assert await process.store.closed(home) == ""


async def test_where_the_bot_may_not_write_the_chat_is_closed_until_it_may(
    scene: Scene, process: Process, group: Chat
) -> None:
    scene.fake.push_raw(silenced(scene, group, at=1_790_000_000, can_send=False))
    await scene.settled(process)
    assert await process.store.closed(chat_of(scene, group)) == SILENCED
    scene.fake.push_raw(silenced(scene, group, at=1_790_000_001, can_send=True))
    await scene.settled(process)
    assert await process.store.closed(chat_of(scene, group)) == ""
    assert scene.beside.greeted == []


def silenced(scene: Scene, group: Chat, *, at: int, can_send: bool) -> dict[str, Any]:
    rights = dict.fromkeys(
        [
            "can_send_messages",
            "can_send_audios",
            "can_send_documents",
            "can_send_photos",
            "can_send_videos",
            "can_send_video_notes",
            "can_send_voice_notes",
            "can_send_polls",
            "can_send_other_messages",
            "can_add_web_page_previews",
            "can_change_info",
            "can_invite_users",
            "can_pin_messages",
            "can_manage_topics",
            "can_edit_tag",
            "can_react_to_messages",
        ],
        can_send,
    )
    bot = scene.fake.bot.json()
    new = {"status": "restricted", "user": bot, "is_member": True, "until_date": 0, **rights}
    change = {"chat": group.json(), "from": bot, "date": at, "new_chat_member": new}
    return {"my_chat_member": change | {"old_chat_member": {"status": "member", "user": bot}}}


# --- whom the installation keeps out


async def test_whom_the_installation_keeps_out_is_told_once_a_day_in_each_chat(
    scene: Scene, process: Process, ben: Person, group: Chat
) -> None:
    scene.rooms.out.add(user_ref(ben.id))
    own = scene.fake.private(ben)
    for words in ("a fox", "a hen"):
        await ben.says(group, words, mention=True)
        await ben.says(own, words)
    await scene.until(lambda: answers(scene, group) and answers(scene, own))
    await scene.settled(process)
    assert (answers(scene, group), answers(scene, own)) == ([KEPT_OUT], [KEPT_OUT])
    assert scene.received == []


async def test_who_is_kept_out_may_bring_a_code_in_private_and_decide_about_what_is_theirs(
    scene: Scene, process: Process, ben: Person, group: Chat
) -> None:
    scene.rooms.out.add(user_ref(ben.id))
    own = scene.fake.private(ben)
    for words in ("/join abc", "/start join-abc", "/start", "/forget", "/mine never"):
        await ben.says(own, words)
    await ben.says(group, "/join@remix_test_bot abc")
    await scene.until(lambda: len(scene.beside.commanded) == 4 and answers(scene, group) and answers(scene, own))
    await scene.settled(process)
    assert sorted(each.name for each in scene.beside.commanded) == ["forget", "join", "mine", "start"]
    assert (answers(scene, group), answers(scene, own)) == ([KEPT_OUT], [KEPT_OUT])
