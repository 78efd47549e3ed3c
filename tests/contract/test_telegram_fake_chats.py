"""The fake Telegram: who is shown what, and what becomes of messages, keys and groups."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import (
    Bot,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    MessageEntity,
    ReplyParameters,
    User,
)
from telegram.error import (
    ChatMigrated,
    Forbidden,
)

from tests.contract import telegram_trying as trying
from tests.contract.telegram_trying import Reader, keys, picture, refused
from tests.fakes.telegram import GROUP_ANONYMOUS, FakeTelegram, NotThere, Person, Press

fake, anna, bot, reader = trying.fake, trying.anna, trying.bot, trying.reader


# --- who is shown what


async def test_in_privacy_mode_a_group_shows_what_is_meant_for_the_bot(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    group = fake.group("Friends", anna, fake.user("Ben"))
    other = await anna.says(group, "not for anybody", photo=picture())
    await anna.says(group, "by name", mention=True)
    await anna.says(group, "/edit@another_bot x")
    await anna.says(group, f"/edit@{fake.bot.username} it", reply_to=other)
    ours = await bot.send_message(group.id, "mine")
    await anna.says(group, "reply", reply_to=group.last())
    fake.says_as_bot(group, "Other", "I speak last")
    await anna.says(group, "/help")
    got = [each.message for each in await reader.next() if each.message]
    assert [each.text for each in got] == [f"/edit@{fake.bot.username} it", "reply"]
    assert got[0].reply_to_message
    assert got[0].reply_to_message.photo
    assert got[1].reply_to_message
    assert got[1].reply_to_message.message_id == ours.message_id
    assert (await bot.get_me()).can_read_all_group_messages is False


@pytest.mark.parametrize("how", ["reads_all", "mentions_delivered", "administrates"])
async def test_a_mention_reaches_who_may_read_it(how: str) -> None:
    reads, mentions = how == "reads_all", how == "mentions_delivered"
    async with FakeTelegram(reads_all=reads, mentions_delivered=mentions) as fake:
        anna = fake.user("Anna")
        group = fake.supergroup("Friends", anna)
        if how == "administrates":
            fake.promote(group, fake.bot)
        await anna.says(group, "you", mention=True)
        assert [each.raw["message"]["text"] for each in fake.told if "message" in each.raw] == ["@remix_test_bot you"]


async def test_an_album_comes_in_any_order_and_in_batches(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    colours = ("red", "green", "blue")
    made = await anna.album(
        fake.private(anna), [picture(each) for each in colours], "all", order=(2, 0, 1), batches=(1, 2)
    )
    batches = [[each.message for each in await reader.next() if each.message] for _ in range(2)]
    assert [[each.message_id for each in batch] for batch in batches] == [[made[2].id], [made[0].id, made[1].id]]
    assert [each.caption for batch in batches for each in batch] == [None, "all", None]
    assert {each.media_group_id for batch in batches for each in batch} == {made[0].album}


async def test_in_a_topic_one_seems_to_reply_to_its_beginning(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    forum = fake.supergroup("Club", anna, forum=True)
    topic = forum.topic("Pictures")
    fake.promote(forum, fake.bot)
    await anna.says(topic, "hello")
    await anna.says(forum, "in General")
    opened, _, said, general = await reader.next()
    assert opened.message
    assert opened.message.forum_topic_created
    assert said.message
    assert general.message
    assert said.message.is_topic_message
    assert said.message.message_thread_id == topic.thread_id
    assert said.message.reply_to_message
    assert said.message.reply_to_message.message_id == topic.thread_id
    assert (general.message.is_topic_message, general.message.message_thread_id) == (None, None)
    await bot.send_message(forum.id, "here", message_thread_id=topic.thread_id)
    await bot.send_message(forum.id, "there", reply_parameters=ReplyParameters(said.message.message_id))
    with refused("thread not found"):
        await bot.send_message(forum.id, "General", message_thread_id=1)
    assert [each.words for each in topic.messages()] == ["hello", "here", "there"]
    topic.delete()
    with refused("thread not found"):
        await bot.send_message(forum.id, "gone", message_thread_id=topic.thread_id)


async def test_private_chats_have_topics_too(fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader) -> None:
    topic = fake.private(anna).topic("Cats")
    await anna.says(topic, "hello")
    got = await reader.message()
    assert got.is_topic_message
    assert got.message_thread_id == topic.thread_id
    assert got.reply_to_message is None
    await bot.send_message(anna.id, "hi", message_thread_id=topic.thread_id)
    assert topic.last().words == "hi"


async def test_a_reply_shows_one_level_and_the_keys_of_the_bot(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    home = fake.private(anna)
    first = await anna.says(home, "first")
    await bot.send_message(home.id, "second", reply_parameters=ReplyParameters(first.id), reply_markup=keys("Again"))
    await anna.says(home, "third", reply_to=home.last(), quote="cond")
    got = await reader.message()
    assert got.reply_to_message
    assert got.reply_to_message.reply_markup == keys("Again")
    assert got.reply_to_message.reply_to_message is None
    assert got.quote
    assert (got.quote.text, got.quote.position) == ("cond", 2)


async def test_a_reply_across_chats_shows_the_picture_from_outside(
    fake: FakeTelegram, anna: Person, reader: Reader
) -> None:
    group = fake.supergroup("Friends", anna)
    there = await anna.says(group, "cat", photo=picture())
    await anna.says(fake.private(anna), "blue", reply_to=there)
    got = await reader.message()
    assert got.reply_to_message is None
    assert got.external_reply
    assert got.external_reply.photo
    assert got.external_reply.message_id == there.id
    assert got.external_reply.origin.type == "user"


async def test_edits_and_forwards_say_that_they_are(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    home, group = fake.private(anna), fake.group("Friends", anna)
    said = await anna.says(home, "blue", photo=picture())
    await anna.edits(said, "green")
    await anna.says(home, forward_of=await anna.says(group, "from there", photo=picture()))
    _, edited, forward = await reader.next()
    assert edited.edited_message
    assert edited.edited_message.edit_date
    assert edited.edited_message.caption == "green"
    assert forward.message
    assert forward.message.forward_origin
    assert forward.message.photo
    assert forward.message.caption == "from there"


async def test_who_writes_as_a_chat_is_named_as_that(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    group = fake.supergroup("Friends", anna)
    news = fake.channel("News", anna, linked=group)
    fake.promote(group, fake.bot)
    await anna.says(group, "hidden", as_chat=group)
    await anna.says(group, "as news", as_chat=news)
    await fake.posts(news, "posted", photo=picture())
    hidden, channel, post = [each.message for each in (await reader.next())[1:] if each.message]
    assert hidden.from_user
    assert hidden.sender_chat
    assert (hidden.from_user.id, hidden.from_user.is_bot, hidden.sender_chat.id) == (GROUP_ANONYMOUS, True, group.id)
    assert channel.sender_chat
    assert channel.sender_chat.id == news.id
    assert post.from_user
    assert post.from_user.id == 777000
    assert post.is_automatic_forward
    assert post.sender_chat


async def test_the_bot_is_told_when_it_comes_and_goes(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    group = fake.group("Friends", anna, bot=False)
    fake.add_bot(group, by=anna)
    fake.kick_bot(group)
    fake.block_bot(anna)
    told = [each.my_chat_member for each in await bot.get_updates() if each.my_chat_member]
    assert [(each.old_chat_member.status, each.new_chat_member.status) for each in told] == [
        ("left", "member"), ("member", "kicked"), ("member", "kicked")
    ]  # fmt: skip
    with refused("kicked from the group chat", Forbidden):
        await bot.send_message(group.id, "x")
    with refused("blocked by the user", Forbidden):
        await bot.send_message(anna.id, "x")


async def test_chats_that_are_closed_say_why(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    stranger = fake.user("Stranger", started=False)
    fake.deactivate(anna)
    for person, said in ((anna, "deactivated"), (stranger, "can't initiate conversation")):
        with refused(said, Forbidden):
            await bot.send_message(fake.private(person).id, "x")
    with refused("not a member of the supergroup chat", Forbidden):
        await bot.send_message(fake.supergroup("Others", anna, bot=False).id, "x")


async def test_a_group_that_became_a_supergroup_says_where_it_is(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    group = fake.group("Friends", anna)
    moved = fake.migrate(group)
    with pytest.raises(ChatMigrated) as raised:
        await bot.send_message(group.id, "x")
    assert raised.value.new_chat_id == moved.id
    old, new = [each.message for each in await reader.next() if each.message]
    assert (old.migrate_to_chat_id, new.migrate_from_chat_id) == (moved.id, group.id)
    assert (await bot.send_message(moved.id, "x")).message_id == 2


async def test_message_ids_are_counted_by_supergroup_and_otherwise_together(
    fake: FakeTelegram, anna: Person, bot: Bot
) -> None:
    places = fake.private(anna), fake.group("A", anna), fake.supergroup("B", anna), fake.supergroup("C", anna)
    assert [(await bot.send_message(each.id, "x")).message_id for each in places] == [1, 2, 1, 1]


# --- edits, keys, people


async def test_a_placeholder_becomes_a_picture_once(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    sent = await bot.send_message(home.id, "On its way.", reply_markup=keys("Cancel"))
    ids: dict[str, Any] = {"chat_id": home.id, "message_id": sent.message_id}
    with refused("message is not modified"):
        await bot.edit_message_text("On its way. ", reply_markup=keys("Cancel"), **ids)
    made = await bot.edit_message_media(InputMediaPhoto(picture(), caption="done"), reply_markup=keys("Again"), **ids)
    assert isinstance(made, Message)
    again = InputMediaPhoto(made.photo[-1].file_id, caption="done")
    with refused("message is not modified"):
        await bot.edit_message_media(again, reply_markup=keys("Again"), **ids)
    with refused("no text in the message"):
        await bot.edit_message_text("x", **ids)
    await bot.edit_message_caption(caption="other", **ids)
    assert (home.last().words, home.last().keyboard, home.last().edits) == ("other", [], 2)
    with refused("message is not modified"):
        await bot.edit_message_reply_markup(**ids)


async def test_what_is_gone_or_not_ours_is_not_edited(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    said, sent = await anna.says(home, "x"), await bot.send_message(home.id, "mine")
    with refused("message can't be edited"):
        await bot.edit_message_text("y", home.id, said.id)
    with refused("no caption in the message"):
        await bot.edit_message_caption(home.id, sent.message_id, caption="y")
    fake.delete(home.last())
    with refused("message to edit not found"):
        await bot.edit_message_text("y", home.id, sent.message_id)
    with refused("message to delete not found"):
        await bot.delete_message(home.id, sent.message_id)
    reply = ReplyParameters(sent.message_id, allow_sending_without_reply=True)
    assert (await bot.send_message(home.id, "alone", reply_parameters=reply)).reply_to_message is None


async def test_messages_are_deleted_while_they_are_young(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    group = fake.group("Friends", anna)
    said, sent = await anna.says(group, "x"), await bot.send_message(group.id, "mine")
    with refused("can't be deleted"):
        await bot.delete_message(group.id, said.id)
    fake.age(group.last(), 49 * 3600)
    with refused("can't be deleted"):
        await bot.delete_messages(group.id, [sent.message_id])
    fake.promote(group, fake.bot)
    assert await bot.delete_messages(group.id, [sent.message_id, said.id, 999])
    assert group.messages() == []


async def pressed(fake: FakeTelegram, anna: Person, bot: Bot) -> Press:
    home = fake.private(anna)
    await bot.send_message(home.id, "x", reply_markup=keys("Again"))
    return await anna.presses(home.last(), "Again")


async def test_a_press_is_answered_once_and_in_time(fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader) -> None:
    press = await pressed(fake, anna, bot)
    query = (await reader.next())[0].callback_query
    assert query
    assert (query.data, query.from_user.id) == ("rb:Again", anna.id)
    with refused(r"(?i)message_too_long"):
        await query.answer("x" * 201)
    await query.answer("Done", show_alert=True)
    assert (press.words, press.alert, press.answered) == ("Done", True, True)
    with refused("query is too old"):
        await bot.answer_callback_query(press.id)
    late, fake.query_life_s = await pressed(fake, anna, bot), -1
    with refused("query is too old"):
        await bot.answer_callback_query(late.id)
    with pytest.raises(NotThere):
        await anna.presses(fake.private(anna).last(), "Nothing of the sort")


async def test_whom_a_text_calls(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    ben, carl, far = fake.user("Ben"), fake.user("Carl", username=""), fake.user("Faraway")
    group = fake.group("Friends", anna, ben, carl)
    called = [MessageEntity("text_mention", 5, 4, user=User(carl.id, "Carl", is_bot=False))]
    await bot.send_message(group.id, f"@ben Carl @{far.username} ben@example.org", entities=called)
    await bot.send_message(group.id, "@\u2060ben and @remix_test_bot")
    await bot.send_message(group.id, "@ben", entities=[MessageEntity("code", 0, 4)])
    assert [each.notified for each in group.messages()] == [[ben, carl], [], []]
    assert far not in group.messages()[0].notified


async def test_markup_is_seen_for_what_it_is(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    plain = await bot.send_message(home.id, "<b>*x*</b> 😀 [a](https://a.org)")
    html = await bot.send_message(home.id, "😀 <b>x &amp; y</b>", parse_mode="HTML")
    marked = await bot.send_message(home.id, r"*x* [a](https://a.org)\.", parse_mode="MarkdownV2")
    assert (plain.text, home.messages()[0].parse_mode) == ("<b>*x*</b> 😀 [a](https://a.org)", "")
    assert (html.text, [(each.type, each.offset, each.length) for each in html.entities]) == (
        "😀 x & y",
        [("bold", 3, 5)],
    )
    assert (marked.text, [each.type for each in marked.entities]) == ("x a.", ["bold", "text_link"])


async def test_a_group_names_its_administrators(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    ben = fake.user("Ben")
    group = fake.supergroup("Friends", anna, ben, fake.user("Carl"))
    fake.promote(group, ben, anonymous=True)
    assert {each.user.id: each.status for each in await bot.get_chat_administrators(group.id)} == {
        anna.id: "creator", ben.id: "administrator"
    }  # fmt: skip
    assert (await bot.get_chat_member(group.id, fake.bot.id)).status == "member"
    assert (await bot.get_chat_member(group.id, fake.user("Dora").id)).status == "left"
    assert await bot.get_chat_member_count(group.id) == 4
    with refused("no administrators in the private chat"):
        await bot.get_chat_administrators(fake.private(anna).id)


async def test_commands_are_kept_by_language_and_scope(fake: FakeTelegram, bot: Bot) -> None:
    await bot.set_my_commands([("edit", "Change a picture")])
    await bot.set_my_commands([("edit", "Ein Bild ändern")], language_code="de")
    assert (await bot.get_my_commands(language_code="de"))[0].description == "Ein Bild ändern"
    assert (await bot.get_my_commands())[0].description == "Change a picture"
    assert await bot.get_my_commands(language_code="fr") == ()
    with refused("bot_command_invalid"):
        await bot.set_my_commands([("Edit!", "x")])


async def test_small_signs_of_life_are_taken(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    said = await anna.says(fake.private(anna), "x")
    assert await bot.send_chat_action(anna.id, "upload_photo")
    assert await bot.set_message_reaction(anna.id, said.id, "👀")
    assert said.reactions == ["👀"]
    with refused("wrong parameter action"):
        await bot.send_chat_action(anna.id, "dancing")


async def test_an_album_may_reply_and_may_be_of_files(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    group = fake.supergroup("Friends", anna)
    await bot.send_message(group.id, "send me some")
    ours = group.last()
    files = [picture(), picture("blue")]
    made = await anna.album(group, files, "these", reply_to=ours, as_documents=True, batches=(1, 1), gap_s=0.01)
    got = [(await reader.message()) for _ in made]
    assert [each.reply_to_message and each.reply_to_message.message_id for each in got] == [ours.id, ours.id]
    assert [each.document and each.document.mime_type for each in got] == ["image/png"] * 2
    assert [each.data for each in made] == files
    with pytest.raises(NotThere):
        await anna.album(group, files[:1])


async def test_an_album_stays_of_one_sort_when_it_is_edited(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    home = fake.private(anna)
    sent = await bot.send_media_group(home.id, [InputMediaPhoto(picture(each)) for each in ("red", "blue")])
    where: dict[str, Any] = {"chat_id": home.id, "message_id": sent[1].message_id}
    with refused("can't be changed in an album"):
        await bot.edit_message_media(InputMediaDocument(picture(), filename="a.png"), **where)
    await bot.edit_message_media(InputMediaPhoto(picture("green"), caption="other"), **where)
    assert [(each.words, each.data == picture("green")) for each in home.messages()] == [("", False), ("other", True)]


async def test_where_the_bot_may_not_write_it_is_told_so(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    forum = fake.forum("Club", anna)
    topic = forum.topic("Closed")
    topic.closed, forum.cannot_send = True, {"photo"}
    with refused("topic_closed"):
        await bot.send_message(forum.id, "x", message_thread_id=topic.thread_id)
    with refused("not enough rights to send photos"):
        await bot.send_photo(forum.id, picture())
    fake.promote(forum, fake.bot)
    await bot.send_message(forum.id, "x", message_thread_id=topic.thread_id)
    assert [each.words for each in topic.messages()] == ["x"]


async def test_a_forward_says_where_it_comes_from_as_far_as_that_is_known(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    home, shy = fake.private(anna), fake.user("Shy")
    shy.hides_forwards = True
    group, news = fake.supergroup("Friends", anna, shy), fake.channel("News", anna)
    said = [await anna.says(group, "a"), await shy.says(group, "b"), await anna.says(group, "c", as_chat=group),
            await fake.posts(news, "d")]  # fmt: skip
    for each in said:
        await anna.says(home, forward_of=each)
    got = [each.message.forward_origin for each in await reader.next() if each.message]
    assert [each and each.type for each in got] == ["user", "hidden_user", "chat", "channel"]


async def test_a_reply_across_topics_is_one_from_outside(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    forum = fake.forum("Club", anna)
    one, two = forum.topic("One"), forum.topic("Two")
    there = await anna.says(one, "here")
    await anna.says(two, f"/edit@{fake.bot.username}", reply_to=there)
    told = fake.told[-1].raw["message"]
    assert (told["external_reply"]["message_id"], "reply_to_message" in told) == (there.id, False)
    reply = ReplyParameters(there.id, allow_sending_without_reply=True)
    await bot.send_message(forum.id, "lone", message_thread_id=two.thread_id, reply_parameters=reply)
    assert (two.last().words, two.last().reply_to) == ("lone", None)


async def test_in_a_supergroup_replies_carry_the_thread_they_are_in(
    fake: FakeTelegram, anna: Person, bot: Bot, reader: Reader
) -> None:
    group = fake.supergroup("Friends", anna)
    await bot.send_message(group.id, "root")
    await anna.says(group, "reply", reply_to=group.last())
    got = await reader.message()
    assert (got.message_thread_id, got.is_topic_message) == (1, None)
    with refused("message thread not found"):
        await bot.send_message(group.id, "x", message_thread_id=1)


async def test_pins_are_told_and_channels_are_read(fake: FakeTelegram, anna: Person, reader: Reader) -> None:
    home, news = fake.private(anna), fake.channel("News", anna, bot=True)
    said = await anna.says(home, "keep this")
    fake.pin(said, anna)
    await fake.posts(news, "read all about it")
    _, pinned, post = await reader.next()
    assert pinned.message
    assert pinned.message.pinned_message
    assert post.channel_post
    assert (post.channel_post.text, post.channel_post.from_user) == ("read all about it", None)


async def test_people_can_do_no_more_than_a_client_lets_them(fake: FakeTelegram, anna: Person, bot: Bot) -> None:
    ben, home = fake.user("Ben"), fake.private(anna)
    said = await anna.says(home, "mine")
    fake.block_bot(ben)
    with pytest.raises(NotThere):
        await ben.says(home, "in her chat")
    with pytest.raises(NotThere):
        await ben.edits(said, "not mine")
    with pytest.raises(NotThere):
        await ben.says(fake.private(ben), "blocked")
    with pytest.raises(NotThere):
        await anna.says(home, photo=b"no picture")
    await ben.starts()
    assert (await bot.send_message(ben.id, "welcome back")).message_id == 3
