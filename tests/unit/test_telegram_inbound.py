"""What Telegram sends → what the core gets, on payloads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Message, Update

from adapters.telegram.inbound import (
    Command,
    Snag,
    around_of,
    attachments_of,
    chat_of,
    command_of,
    concern_of,
    file_handle,
    file_id_of,
    identity_of,
    inbound_of,
    replied_of,
    server_of,
    tag_of,
    turn_in,
    version_of,
    words_of,
)
from adapters.telegram.ports import Album, Me
from adapters.telegram.refs import chat_ref, message_ref, server_ref, user_ref
from bot.domain.images import Provenance
from bot.domain.labels import Label, label_line
from bot.domain.language import LANGUAGES, speaking
from bot.domain.messages import NOBODY, Attachment, InboundMessage, Quoted
from bot.domain.refs import Person
from bot.domain.utf16 import units

ME = Me("9000", "remix_bot", "Remixbot")
ANNA: dict[str, Any] = {"id": 101, "is_bot": False, "first_name": "Anna", "last_name": "Berg", "language_code": "en"}
BEN: dict[str, Any] = {"id": 102, "is_bot": False, "first_name": "Ben"}
US: dict[str, Any] = {"id": 9000, "is_bot": True, "first_name": "Remixbot", "username": "remix_bot"}
OTHER_BOT: dict[str, Any] = {"id": 9001, "is_bot": True, "first_name": "Weather", "username": "weather_bot"}
HOME: dict[str, Any] = {"id": 101, "first_name": "Anna", "last_name": "Berg", "type": "private"}
GROUP: dict[str, Any] = {"id": -500, "title": "Friends", "type": "group"}
FORUM: dict[str, Any] = {"id": -1001500, "title": "Painters", "type": "supergroup", "is_forum": True}
CHANNEL: dict[str, Any] = {"id": -1001900, "title": "Birds of the day", "username": "birds", "type": "channel"}
ANONYMOUS: dict[str, Any] = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
SERVICE: dict[str, Any] = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
A_PERSON = Person(user_ref(101), "Anna Berg")
B_PERSON = Person(user_ref(102), "Ben")


def by(who: dict[str, Any]) -> dict[str, Any]:
    return {"from": who}


def sizes(name: str) -> list[dict[str, Any]]:
    """A photo as it comes: its sizes, the small ones first; here not, so that order proves nothing."""
    return [
        {"file_id": f"{name}-x", "file_unique_id": f"u{name}", "width": 800, "height": 600, "file_size": 90_000},
        {"file_id": f"{name}-y", "file_unique_id": f"v{name}", "width": 1280, "height": 960, "file_size": 200_000},
        {"file_id": f"{name}-s", "file_unique_id": f"w{name}", "width": 90, "height": 67, "file_size": 1_500},
    ]


def photo_of(name: str, **more: Any) -> Attachment:
    """What comes of it."""
    return Attachment(file_handle(f"{name}-y", f"v{name}"), "photo.jpg", 200_000, stripped=True, **more)


def document(name: str | None = "picture.png", mime: str | None = "image/png") -> dict[str, Any]:
    file: dict[str, Any] = {"file_id": "doc", "file_unique_id": "udoc", "file_size": 5_000_000}
    return file | ({"file_name": name} if name else {}) | ({"mime_type": mime} if mime else {})


def sticker(**more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "file_id": "sticker",
        "file_unique_id": "usticker",
        "type": "regular",
        "width": 512,
        "height": 512,
        "is_animated": False,
        "is_video": False,
        "file_size": 20_000,
    }
    return plain | more


VIDEO: dict[str, Any] = {
    "file_id": "v",
    "file_unique_id": "uv",
    "width": 640,
    "height": 480,
    "duration": 3,
    "mime_type": "video/mp4",
}
GIF: dict[str, Any] = {"animation": VIDEO, "document": document("giphy.mp4", "video/mp4")}
NOTE: dict[str, Any] = {"file_id": "n", "file_unique_id": "un", "length": 240, "duration": 3}
VOICE: dict[str, Any] = {
    "file_id": "o",
    "file_unique_id": "uo",
    "duration": 2,
    "mime_type": "audio/ogg",
    "file_size": 9_000,
}


def raw(chat: dict[str, Any] = HOME, *, id_: int = 70, **more: Any) -> dict[str, Any]:
    return {"message_id": id_, "from": ANNA, "chat": chat, "date": 1_790_000_000} | more


def said(chat: dict[str, Any] = HOME, **more: Any) -> Message:
    return Message.de_json(raw(chat, **more))


def calling(text: str, *, key: str = "text", chat: dict[str, Any] = GROUP, **more: Any) -> Message:
    """With the entities that Telegram finds in such words: a command at the beginning, and mentions."""
    entities = [
        {
            "type": "bot_command" if found[0].startswith("/") else "mention",
            "offset": units(text[: found.start()]),
            "length": units(found[0]),
        }
        for found in re.finditer(r"(?<!\S)[/@]\w+(?:@\w+)?", text)
    ]
    return said(chat, **{key: text, "entities" if key == "text" else "caption_entities": entities}, **more)


def read(message: Message, **more: Any) -> InboundMessage:
    inbound = inbound_of(message, ME, **more)
    assert isinstance(inbound, InboundMessage), inbound
    return inbound


# --- where and who


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        (by(ANNA | {"language_code": "pt-br"}), "pt-br"),
        (by(BEN), ""),
        (by(ANONYMOUS) | {"sender_chat": GROUP}, ""),
        ({"from": SERVICE, "sender_chat": CHANNEL, "is_automatic_forward": True}, ""),
    ],
)
def test_the_language_is_the_one_that_telegram_tells_of_whoever_wrote(told: dict[str, Any], tag: str) -> None:
    assert tag_of(said(GROUP, text="hello", **told)) == tag


def test_the_language_of_an_update_is_that_of_whoever_did_it() -> None:
    german, shown = ANNA | {"language_code": "de"}, raw(GROUP, **by(US))
    press = {"id": "1", "from": german, "chat_instance": "2", "data": "x", "message": shown}
    asked = {"id": "1", "from": german, "query": "", "offset": ""}
    member = {"user": US, "status": "member"}
    changed = {"from": german, "chat": GROUP, "date": 1, "old_chat_member": member, "new_chat_member": member}
    done = {"callback_query": press, "inline_query": asked, "my_chat_member": changed}
    done |= {kind: raw(GROUP, text="hello", **by(german)) for kind in ("message", "edited_message")}
    assert [tag_of(Update.de_json({"update_id": 1, kind: each}, None)) for kind, each in done.items()] == ["de"] * 5


def test_an_album_is_in_the_language_of_whoever_sent_it() -> None:
    items = {id_: raw(id_=id_, photo=sizes(str(id_)), media_group_id="5") for id_ in (71, 72)}
    album = Album(chat_of(said(), ME), "5", items, began_at=1.0, last_at=1.0)
    assert read(said(id_=71, photo=sizes("71"), media_group_id="5"), album=album).language == "en"


def test_a_photo_with_words_is_handed_on_whole() -> None:
    message = said(caption="make it night", photo=sizes("a"), has_media_spoiler=True, id_=71)
    assert inbound_of(message, ME) == InboundMessage(
        ref=message_ref("9000", 101, 71),
        author=user_ref(101),
        author_name="Anna Berg",
        text="make it night",
        created_at=1_790_000_000.0,
        attachments=(photo_of("a", spoiler=True),),
        goes_on=True,
        language="en",
    )


def test_a_topic_is_a_chat_of_its_own_around_which_the_group_lies() -> None:
    message = said(FORUM, text="hi", message_thread_id=7, is_topic_message=True)
    assert chat_of(message, ME) == chat_ref("9000", -1001500, 7)
    assert around_of(message, ME) == (chat_ref("9000", -1001500),)
    assert server_of(message, ME) == server_ref("9000", -1001500)


def test_general_and_a_chain_of_replies_are_no_topics() -> None:
    chain = said(FORUM, text="hi", message_thread_id=55)
    general = said(FORUM, text="hi", message_thread_id=1, is_topic_message=True)
    for message in (chain, general, said(FORUM, text="hi")):
        assert chat_of(message, ME) == chat_ref("9000", -1001500)
        assert around_of(message, ME) == ()


def test_a_private_chat_has_topics_and_no_server() -> None:
    message = said(text="hi", message_thread_id=1, is_topic_message=True)
    assert chat_of(message, ME) == chat_ref("9000", 101, 1)
    assert around_of(message, ME) == (chat_ref("9000", 101),)
    assert server_of(message, ME) is None


def test_who_writes_as_a_chat_is_that_chat_and_another_bot_is_nobody() -> None:
    admin = said(FORUM, text="hi", **by(ANONYMOUS), sender_chat=FORUM)
    post = said(FORUM, text="hi", **by(SERVICE), sender_chat=CHANNEL, is_automatic_forward=True)
    assert identity_of(admin) == Person(user_ref(-1001500), "Painters")
    assert identity_of(post) == Person(user_ref(-1001900), "Birds of the day")
    assert identity_of(said(GROUP, text="hi")) == A_PERSON
    assert identity_of(said(GROUP, text="hi", **by(OTHER_BOT))) is None


def test_an_anonymous_admin_is_dealt_with_under_the_name_of_the_group() -> None:
    inbound = read(calling("@remix_bot a fox", chat=FORUM, **by(ANONYMOUS), sender_chat=FORUM))
    assert (inbound.author, inbound.author_name) == (user_ref(-1001500), "Painters")


def test_a_version_is_when_it_was_edited() -> None:
    edits = [said(text="hi", edit_date=1_790_000_060 + second) for second in range(3)]
    assert [version_of(each) // 1000 for each in edits] == [1_790_000_060, 1_790_000_061, 1_790_000_062]
    assert version_of(said(text="ho", edit_date=1_790_000_060)) != version_of(edits[0])
    assert version_of(said(text="hi", edit_date=1_790_000_060)) == version_of(edits[0])
    assert version_of(said(text="hi")) == 0
    assert read(said(text="hi"), version=5).version == 5


# --- replies


def test_what_stands_in_a_topic_without_a_reply_replies_to_nothing() -> None:
    opening = raw(FORUM, id_=7, forum_topic_created={"name": "Pictures", "icon_color": 7322096})
    stripped_opening = raw(FORUM, id_=7, text="")
    for replied in (opening, stripped_opening):
        message = calling(
            "@remix_bot a fox", chat=FORUM, message_thread_id=7, is_topic_message=True, reply_to_message=replied
        )
        assert replied_of(message) is None
        assert read(message).reply_to is None


def test_nobody_replies_to_the_opening_of_a_topic() -> None:
    opening = raw(FORUM, id_=7, forum_topic_created={"name": "Pictures", "icon_color": 7322096})
    assert replied_of(said(FORUM, text="hi", reply_to_message=opening)) is None


def test_a_reply_to_what_began_a_chain_of_replies_is_a_reply() -> None:
    """A comment on a channel's post: the post's id is the thread's, and no topic is meant."""
    post = raw(FORUM, id_=55, **by(SERVICE), sender_chat=CHANNEL, is_automatic_forward=True, photo=sizes("p"))
    inbound = read(calling("/edit@remix_bot night", chat=FORUM, message_thread_id=55, reply_to_message=post))
    ref = message_ref("9000", -1001500, 55)
    assert inbound.reply_to == ref
    assert inbound.quoted == Quoted(ref, Person(user_ref(-1001900), "Birds of the day"), (photo_of("p"),))


def test_a_reply_names_the_message_in_its_own_chat_and_topic() -> None:
    replied = raw(FORUM, id_=30, **by(BEN), photo=sizes("b"), message_thread_id=7, is_topic_message=True)
    inbound = read(
        calling(
            "/edit@remix_bot night", chat=FORUM, message_thread_id=7, is_topic_message=True, reply_to_message=replied
        )
    )
    ref = message_ref("9000", -1001500, 30, 7)
    assert (inbound.ref, inbound.reply_to) == (message_ref("9000", -1001500, 70, 7), ref)
    assert inbound.quoted == Quoted(ref, B_PERSON, (photo_of("b"),))
    assert inbound.text == "night"


def test_the_same_number_in_another_chat_is_another_message() -> None:
    here, there = read(said(text="hi")), read(calling("@remix_bot hi"))
    assert here.ref.message == there.ref.message
    assert here.ref != there.ref


def test_a_picture_of_another_bot_is_nobodys_to_give() -> None:
    replied = raw(GROUP, id_=30, **by(OTHER_BOT), photo=sizes("b"))
    quoted = read(calling("/edit@remix_bot night", reply_to_message=replied)).quoted
    assert quoted is not None
    assert (quoted.author, quoted.ours) == (None, False)


@pytest.mark.parametrize(
    ("caption", "known"),
    [
        ("AI-generated · Gemini\nA fox in the snow.", Provenance.AI_GENERATED),
        ("AI-edited · Gemini · Other", Provenance.AI_EDITED),
        ("2. The fox finds a hat\nAI-generated · Gemini", Provenance.AI_GENERATED),
        ("Edited, no AI", None),
        ("", Provenance.AI_EDITED),
        ("Reply to this picture with what you want changed.", None),
    ],
)
def test_the_label_of_a_result_that_nobody_remembers_is_read_from_its_caption(
    caption: str, known: Provenance | None
) -> None:
    ours = raw(id_=30, **by(US), photo=sizes("r"), caption=caption)
    inbound = read(said(text="brighter", reply_to_message=ours))
    picture = photo_of("r", provenance=known)
    assert inbound.quoted == Quoted(message_ref("9000", 101, 30), None, (picture,), ours=True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("known", [Provenance.AI_EDITED, Provenance.AI_GENERATED])
def test_a_label_is_read_in_every_language_that_it_is_shown_in(language: str, known: Provenance) -> None:
    with speaking(language):
        caption = label_line(Label(known, edited_by_ai=True, engines=("Gemini",)))
    ours = raw(id_=30, **by(US), photo=sizes("r"), caption=caption)
    assert [each.provenance for each in attachments_of(Message.de_json(ours), ME)] == [known]


def test_what_a_person_writes_under_their_own_photo_is_no_label() -> None:
    (picture,) = attachments_of(said(photo=sizes("a"), caption="AI-generated · Gemini"), ME)
    assert picture.provenance is None


def test_a_reply_to_a_message_without_a_picture_quotes_none() -> None:
    inbound = read(said(text="brighter", reply_to_message=raw(id_=30, **by(US), text="Which one?")))
    assert inbound.reply_to == message_ref("9000", 101, 30)
    assert inbound.quoted is None


def test_only_in_private_does_what_replies_to_nothing_go_on() -> None:
    assert read(said(text="brighter")).goes_on
    assert not read(said(text="brighter", reply_to_message=raw(id_=30, text="x"))).goes_on
    assert not read(calling("@remix_bot brighter")).goes_on


def external(origin: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"origin": {"date": 1_780_000_000} | origin} | more


def test_a_picture_that_stands_in_another_chat_comes_along_with_its_owner() -> None:
    reply = external({"type": "user", "sender_user": BEN}, photo=sizes("b"), chat=FORUM, message_id=4)
    inbound = read(calling("/edit@remix_bot night", external_reply=reply, quote={"text": "the red car", "position": 0}))
    assert (inbound.reply_to, inbound.quoted) == (None, None)
    assert inbound.attachments == (photo_of("b", owner=B_PERSON),)
    assert inbound.text == "night"


@pytest.mark.parametrize(
    ("origin", "owner"),
    [
        ({"type": "user", "sender_user": BEN}, B_PERSON),
        ({"type": "user", "sender_user": OTHER_BOT}, NOBODY),
        ({"type": "hidden_user", "sender_user_name": "Anna Berg"}, NOBODY),
        ({"type": "chat", "sender_chat": FORUM}, Person(user_ref(-1001500), "Painters")),
        ({"type": "channel", "chat": CHANNEL, "message_id": 3}, Person(user_ref(-1001900), "Birds of the day")),
    ],
)
def test_what_is_passed_on_stays_whose_it_was(origin: dict[str, Any], owner: Person) -> None:
    dated = {"date": 1_780_000_000} | origin
    assert attachments_of(said(photo=sizes("b"), forward_origin=dated), ME) == (photo_of("b", owner=owner),)
    elsewhere = calling("/edit@remix_bot night", external_reply=external(origin, sticker=sticker()))
    assert [each.owner for each in read(elsewhere).attachments] == [owner]


def test_a_result_of_ours_that_is_passed_on_keeps_its_label_and_is_whose_who_brings_it() -> None:
    origin = {"type": "user", "sender_user": US, "date": 1_780_000_000}
    message = said(photo=sizes("r"), caption="AI-generated · Gemini\nA fox", forward_origin=origin)
    assert attachments_of(message, ME) == (photo_of("r", provenance=Provenance.AI_GENERATED),)
    elsewhere = calling("/edit@remix_bot night", external_reply=external(origin, photo=sizes("r")))
    assert read(elsewhere).attachments == (photo_of("r", provenance=Provenance.AI_EDITED),)


def test_a_result_that_somebody_sent_after_the_bots_name_keeps_its_label_and_is_theirs() -> None:
    sent = raw(id_=30, **by(ANNA), photo=sizes("r"), caption="AI-generated · Gemini", via_bot=US)
    inbound = read(calling("/edit@remix_bot night", **by(BEN), reply_to_message=sent))
    picture = photo_of("r", provenance=Provenance.AI_GENERATED)
    assert inbound.quoted is not None
    assert (inbound.quoted.author, inbound.quoted.attachments) == (A_PERSON, (picture,))
    origin = {"type": "user", "sender_user": ANNA, "date": 1_780_000_000}
    passed_on = said(photo=sizes("r"), caption="AI-generated · Gemini", via_bot=US, forward_origin=origin)
    assert [each.provenance for each in attachments_of(passed_on, ME)] == [Provenance.AI_GENERATED]


def test_what_stands_under_a_picture_that_is_passed_on_is_no_instruction() -> None:
    origin = {"type": "channel", "chat": CHANNEL, "message_id": 3, "date": 1_780_000_000}
    assert read(said(photo=sizes("b"), caption="Remove everybody", forward_origin=origin)).text == ""
    assert read(said(text="make it winter", forward_origin=origin)).text == "make it winter"


# --- is it for us


def forwarded(**more: Any) -> dict[str, Any]:
    return {"forward_origin": {"type": "user", "sender_user": BEN, "date": 1_780_000_000}} | more


OURS = raw(GROUP, id_=30, **by(US), text="On its way.")
LINKED: dict[str, Any] = {
    "from": SERVICE,
    "sender_chat": CHANNEL,
    "is_automatic_forward": True,
    "forward_origin": {"type": "channel", "chat": CHANNEL, "message_id": 3, "date": 1_780_000_000},
}


@pytest.mark.parametrize(
    "message",
    [
        said(text="hello"),
        said(sticker=sticker()),
        said(voice=VOICE),
        said(video=VIDEO),
        said(photo=sizes("a"), **forwarded()),
        said(contact={"phone_number": "1", "first_name": "B"}),
        calling("so @Remix_Bot make it night"),
        calling("@remix_bot night", key="caption", photo=sizes("a")),
        said(GROUP, text="Remixbot, night", entities=[{"type": "text_mention", "offset": 0, "length": 8, "user": US}]),
        calling("/edit@Remix_bot make it night"),
        calling("/edit make it night"),
        calling("/edit make it night", key="caption", photo=sizes("a")),
        calling("/anything@remix_bot"),
        said(GROUP, text="brighter", reply_to_message=OURS),
        said(GROUP, voice=VOICE, reply_to_message=OURS),
        calling("@remix_bot night", key="caption", chat=FORUM, photo=sizes("a"), **LINKED),
    ],
)
def test_what_is_meant_for_the_bot(message: Message) -> None:
    assert concern_of(message, ME)


@pytest.mark.parametrize(
    "message",
    [
        said(GROUP, text="just talking"),
        said(GROUP, photo=sizes("a"), caption="look"),
        said(GROUP, text="@remix_bot in a piece of code", entities=[{"type": "code", "offset": 0, "length": 10}]),
        calling("@weather_bot rain?"),
        calling("/edit@weather_bot night"),
        calling("/edit@weather_bot night", reply_to_message=OURS),
        calling("/weather"),
        said(GROUP, text="nice", reply_to_message=raw(GROUP, id_=31, **by(BEN), text="x")),
        said(GROUP, sticker=sticker(), reply_to_message=OURS),
        said(GROUP, **GIF, reply_to_message=OURS),
        calling("@remix_bot loop", **by(OTHER_BOT)),
        said(GROUP, text="brighter", **by(OTHER_BOT), reply_to_message=OURS),
        said(text="On its way.", **by(US)),
        said(GROUP, text="brighter", via_bot=US, reply_to_message=OURS),
        calling("@remix_bot night", **forwarded()),
        said(GROUP, new_chat_members=[BEN]),
        said(text="to be sent tomorrow", id_=0),
        said(GROUP, pinned_message=OURS),
        said(id_=72, pinned_message=raw(id_=30, text="x")),
        said(FORUM, text="a post", **LINKED),
    ],
)
def test_what_is_not_meant_for_the_bot(message: Message) -> None:
    assert not concern_of(message, ME)


def test_a_message_in_a_topic_is_no_reply_to_the_bot_that_opened_it() -> None:
    opening = raw(FORUM, id_=7, **by(US), forum_topic_created={"name": "Pictures", "icon_color": 7322096})
    topic = {"message_thread_id": 7, "is_topic_message": True, "reply_to_message": opening}
    assert not concern_of(said(FORUM, text="just talking", **topic), ME)


# --- words


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/edit@remix_bot make it night", Command("edit", "make it night")),
        ("/Usage", Command("usage")),
        ("/start@remix_bot deep-link", Command("start", "deep-link")),
        ("/story@REMIX_BOT 6 a fox with @ben", Command("story", "6 a fox with @ben")),
        ("/edit@weather_bot night", None),
        ("/weather", None),
        ("see /edit night", None),
    ],
)
def test_a_command_is_ours_by_its_address_or_its_name(text: str, command: Command | None) -> None:
    assert command_of(calling(text), ME) == command


def test_what_is_passed_on_commands_nothing() -> None:
    assert command_of(calling("/forget", chat=HOME, **forwarded()), ME) is None
    assert command_of(calling("/forget", chat=HOME), ME) == Command("forget")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@remix_bot make it night", "make it night"),
        ("@remix_bot, make it night", "make it night"),
        ("please @remix_bot make it night", "please make it night"),
        ("make it night @remix_bot", "make it night"),
        ("/edit@remix_bot make it night", "make it night"),
        ("/edit", ""),
        ("/edit@weather_bot night", "/edit@weather_bot night"),
        ("/story@remix_bot 6 panels of a fox", "/story 6 panels of a fox"),
        ("/imagine a fox", "/imagine a fox"),
        ("/usage@remix_bot", "/usage"),
        ("put @ben on the moon", "put @ben on the moon"),
        ("👩‍🚀  two  spaces\n\n@remix_bot\tstay", "👩‍🚀  two  spaces\n\nstay"),
    ],
)
def test_words_are_what_was_said_but_for_calling_the_bot(text: str, words: str) -> None:
    assert words_of(calling(text), ME) == words


def test_a_person_without_a_username_stays_as_people_read_them_and_the_bot_goes() -> None:
    text = "Remixbot: put Ben Müller beside me"
    mentions = [
        {"type": "text_mention", "offset": 0, "length": 8, "user": US},
        {"type": "text_mention", "offset": 14, "length": 10, "user": BEN},
    ]
    assert words_of(said(GROUP, text=text, entities=mentions), ME) == "put Ben Müller beside me"


def test_a_name_that_is_marked_twice_is_left_out_once() -> None:
    twice = [{"type": "text_mention", "offset": 0, "length": length, "user": US} for length in (8, 4)]
    assert words_of(said(GROUP, text="Remixbot night", entities=twice), ME) == "night"


def test_a_caption_is_read_like_a_text() -> None:
    message = calling("/edit@remix_bot make it night", key="caption", photo=sizes("a"))
    assert (read(message).text, read(message).attachments) == ("make it night", (photo_of("a"),))


@pytest.mark.parametrize(("offset", "length"), [(-1, 4), (0, 0), (3, 99), (99, 1), (0, -5)])
def test_a_mention_that_lies_outside_of_the_words_changes_nothing(offset: int, length: int) -> None:
    entity = {"type": "text_mention", "offset": offset, "length": length, "user": US}
    assert words_of(said(text="make it night", entities=[entity]), ME) == "make it night"


def test_words_are_text_that_can_be_stored_even_where_half_a_letter_came() -> None:
    half = {"type": "text_mention", "offset": 1, "length": 1, "user": US}
    for message in (said(text="🦊 fox", entities=[half]), said(text="a \ud83e fox")):
        assert words_of(message, ME).encode().decode().endswith("fox")


WORDS = st.text(alphabet=st.sampled_from(list("ab é漢,:;@/🦊👩\u200d🚀\n\t")), max_size=12)
CALLED = "@remix_bot"


@given(st.lists(WORDS, min_size=1, max_size=6), st.booleans())
def test_nothing_but_the_calls_is_lost_whatever_letters_stand_around_them(parts: list[str], in_caption: bool) -> None:
    """Spaces are joined where a name goes, and one sign behind a leading name goes with it."""
    text, entities = parts[0], list[dict[str, Any]]()
    for part in parts[1:]:
        entities.append({"type": "mention", "offset": units(text), "length": units(CALLED)})
        text += CALLED + part
    words = {"caption": text, "caption_entities": entities} if in_caption else {"text": text, "entities": entities}
    kept = "".join("".join(parts).split())
    found = "".join(words_of(said(GROUP, **words), ME).split())
    assert CALLED not in found
    assert found == kept or (not parts[0].strip() and kept[1:] == found and kept[0] in ",:;")


@given(WORDS, WORDS, WORDS)
def test_other_entities_change_nothing(before: str, marked: str, behind: str) -> None:
    text = before + marked + behind
    kinds = ("bold", "mention", "code", "text_link", "hashtag", "blockquote", "spoiler", "custom_emoji")
    entities = [{"type": kind, "offset": units(before), "length": units(marked)} for kind in kinds]
    assert words_of(said(text=text, entities=entities), ME) == text.strip()


# --- files


def test_the_largest_size_of_a_photo_is_taken_and_its_bytes_are_a_claim() -> None:
    assert attachments_of(said(photo=sizes("a")), ME) == (photo_of("a"),)
    bare = [{"file_id": "a", "file_unique_id": "ua", "width": 90, "height": 60}]
    assert [each.size_bytes for each in attachments_of(said(photo=bare), ME)] == [None]


def test_a_live_photo_is_its_still() -> None:
    live = VIDEO | {"photo": sizes("still")}
    assert attachments_of(said(live_photo=live, photo=sizes("a")), ME) == (photo_of("a"),)
    assert attachments_of(said(live_photo=live), ME) == (photo_of("still"),)


@pytest.mark.parametrize(
    ("name", "mime", "called"),
    [
        ("holiday.png", "image/png", "holiday.png"),
        ("IMG_1.HEIC", "application/octet-stream", "IMG_1.HEIC"),
        ("scan.TIFF", None, "scan.TIFF"),
        (None, "image/heic", "picture.heic"),
        ("without an ending", "image/webp", "without an ending"),
    ],
)
def test_a_file_that_is_a_picture_comes_along(name: str | None, mime: str | None, called: str) -> None:
    expected = Attachment(file_handle("doc", "udoc"), called, 5_000_000)
    assert attachments_of(said(document=document(name, mime)), ME) == (expected,)


@pytest.mark.parametrize(("carries", "stripped"), [({"photo": sizes("a")}, True), ({"document": document()}, False)])
def test_a_photo_has_lost_what_its_file_said_and_a_file_has_not(carries: dict[str, Any], stripped: bool) -> None:
    asked = read(said(text="/verify", reply_to_message=raw(id_=69, **carries)))
    assert asked.quoted is not None
    assert [each.stripped for each in asked.quoted.attachments] == [stripped]


def test_a_still_sticker_is_a_picture() -> None:
    expected = Attachment(file_handle("sticker", "usticker"), "sticker.webp", 20_000, stripped=True)
    assert attachments_of(said(sticker=sticker()), ME) == (expected,)


def test_a_gif_is_no_picture_whatever_its_file_is_called() -> None:
    assert attachments_of(said(animation=VIDEO, document=document("fun.gif", "image/gif")), ME) == ()
    assert len(attachments_of(said(document=document("fun.gif", "image/gif")), ME)) == 1


def test_a_handle_gives_back_the_id_of_its_file_and_nothing_else_does() -> None:
    assert file_id_of(file_handle("AgAC-x_1", "AQAD")) == "AgAC-x_1"
    for wrong in ("", "AgAC", "AQAD:"):
        with pytest.raises(ValueError, match="no handle"):
            file_id_of(wrong)


def test_a_voice_note_and_a_sound_file_are_listened_to() -> None:
    sound = VOICE | {"file_name": "idea.m4a", "title": "Idea"}
    voice = read(said(voice=VOICE))
    assert voice.voice == Attachment(file_handle("o", "uo"), "voice.ogg", 9_000)
    assert (voice.text, voice.attachments) == ("", ())
    assert read(said(audio=sound, caption="like this")).voice == Attachment(file_handle("o", "uo"), "idea.m4a", 9_000)


def test_a_recipes_file_is_no_picture_and_comes_along_by_itself() -> None:
    file = document("look.recipe.json", "application/json")
    expected = Attachment(file_handle("doc", "udoc"), "look.recipe.json", 5_000_000)
    theirs = raw(GROUP, id_=30, **by(BEN), document=file)
    alone, replying = read(said(document=file)), read(calling("/recipe import", reply_to_message=theirs))
    assert (alone.file, alone.attachments, alone.text) == (expected, (), "")
    assert (replying.file, replying.quoted_file, replying.quoted) == (None, expected, None)
    assert concern_of(said(document=file), ME)


# --- what is in the way


@pytest.mark.parametrize(
    ("content", "snag"),
    [
        ({"video": VIDEO}, Snag.VIDEO),
        (GIF, Snag.ANIMATION),
        ({"video_note": NOTE}, Snag.VIDEO_NOTE),
        ({"sticker": sticker(is_animated=True)}, Snag.MOVING_STICKER),
        ({"sticker": sticker(is_video=True)}, Snag.MOVING_STICKER),
        ({"document": document("plan.pdf", "application/pdf")}, Snag.FILE),
        ({"document": document("clip.mkv", "video/x-matroska")}, Snag.VIDEO),
        ({"location": {"latitude": 1.0, "longitude": 2.0}}, Snag.OTHER),
    ],
)
def test_what_cannot_be_edited_is_said_wherever_the_bot_is_called(content: dict[str, Any], snag: Snag) -> None:
    theirs = raw(GROUP, id_=30, **by(BEN), **content)
    assert inbound_of(said(**content), ME) is snag
    assert inbound_of(said(**content, caption="make it night"), ME) is snag
    assert inbound_of(calling("/edit@remix_bot night", reply_to_message=theirs), ME) is snag
    assert snag.words


def test_what_cannot_be_edited_is_no_matter_where_there_is_something_to_go_by() -> None:
    ours, theirs = raw(id_=30, **by(US), photo=sizes("r")), raw(GROUP, id_=30, **by(BEN), video=VIDEO)
    assert read(said(video=VIDEO, caption="brighter", reply_to_message=ours)).text == "brighter"
    assert read(calling("/imagine@remix_bot a fox", reply_to_message=theirs)).text == "/imagine a fox"
    own = calling("@remix_bot night", key="caption", photo=sizes("a"), reply_to_message=theirs)
    assert read(own).attachments == (photo_of("a"),)
    assert read(said(GROUP, voice=VOICE, reply_to_message=theirs)).voice is not None


def test_a_video_without_words_that_answers_a_result_is_a_snag() -> None:
    ours = raw(id_=30, **by(US), photo=sizes("r"))
    assert inbound_of(said(video=VIDEO, reply_to_message=ours), ME) is Snag.VIDEO


# --- albums


def album_of(*items: dict[str, Any], chat: dict[str, Any] = HOME, anchor: int | None = None) -> Album:
    """As it is stored: items under their ids."""
    whole = {each["message_id"]: raw(chat, media_group_id="g1") | each for each in items}
    return Album(chat_ref("9000", chat["id"]), "g1", whole, 0.0, 1.0, anchor=anchor)


def item(id_: int, **more: Any) -> dict[str, Any]:
    return {"message_id": id_, "photo": sizes(str(id_))} | more


def test_an_album_is_one_message_in_order_with_the_words_of_whichever_item_has_them() -> None:
    replied = raw(id_=30, **by(US), photo=sizes("r"), caption="Edited, no AI")
    album = album_of(item(73), item(71, reply_to_message=replied), item(72, caption="a collage"))
    inbound = read(said(**{k: v for k, v in item(73).items() if k != "message_id"}, id_=73), album=album)
    assert inbound.ref == message_ref("9000", 101, 71)
    assert inbound.attachments == (photo_of("71"), photo_of("72"), photo_of("73"))
    assert inbound.text == "a collage"
    assert inbound.reply_to == message_ref("9000", 101, 30)


def test_a_straggler_that_stands_before_the_others_does_not_rename_the_album() -> None:
    inbound = read(said(photo=sizes("70")), album=album_of(item(70), item(71), anchor=71))
    assert inbound.ref == message_ref("9000", 101, 71)
    assert inbound.attachments == (photo_of("70"), photo_of("71"))


def test_an_album_of_files_and_videos_brings_its_pictures() -> None:
    mixed = album_of({"message_id": 71, "video": VIDEO}, {"message_id": 72, "document": document()})
    assert [each.filename for each in read(said(), album=mixed).attachments] == ["picture.png"]
    only = album_of({"message_id": 71, "video": VIDEO, "caption": "x"}, {"message_id": 72, "video": VIDEO})
    assert inbound_of(said(), ME, album=only) is Snag.VIDEO


def test_a_reply_to_one_photo_of_an_album_offers_that_one_and_all() -> None:
    album = album_of(*(item(id_, **by(BEN)) for id_ in (41, 43, 42)), chat=GROUP)
    replied = raw(GROUP, id_=42, **by(BEN), photo=sizes("42"), media_group_id="g1")
    inbound = read(calling("/edit@remix_bot night", reply_to_message=replied), replied_album=album)
    ref = message_ref("9000", -500, 41)
    assert (inbound.reply_to, inbound.reply_index, inbound.among) == (ref, 1, True)
    assert inbound.quoted == Quoted(ref, B_PERSON, (photo_of("41"), photo_of("42"), photo_of("43")))


def test_a_reply_to_the_only_picture_of_an_album_asks_nothing() -> None:
    album = album_of(item(41), {"message_id": 42, "video": VIDEO})
    inbound = read(said(text="night", reply_to_message=raw(id_=41, photo=sizes("41"))), replied_album=album)
    assert (inbound.reply_to, inbound.reply_index, inbound.among) == (message_ref("9000", 101, 41), None, False)


def test_a_reply_to_the_video_of_an_album_means_none_of_its_pictures() -> None:
    album = album_of(item(41), {"message_id": 42, "video": VIDEO})
    replied = raw(id_=42, video=VIDEO)
    assert inbound_of(said(text="night", reply_to_message=replied), ME, replied_album=album) is Snag.VIDEO
    own = read(said(photo=sizes("a"), caption="night", reply_to_message=replied), replied_album=album)
    assert (own.reply_to, own.quoted) == (message_ref("9000", 101, 42), None)


# --- orphans


def keys(*rows: list[str]) -> dict[str, Any]:
    return {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": d} for d in row] for row in rows]}}


@pytest.mark.parametrize(
    ("rows", "turn"),
    [
        ([["rb:press:-:again", "rb:cancel:-:aaaa-bbbb"]], "aaaa-bbbb"),
        ([["rb:allow:-:once.aaaa-bbbb"], ["rb:allow:-:no.aaaa-bbbb"]], "aaaa-bbbb"),
        ([["rb:allow:-:no.aaaa-bbbb"]], "aaaa-bbbb"),
        ([["rb:press:-:again"], ["rb:cancel:-:", "somebody's own"]], None),
        ([], None),
    ],
)
def test_a_message_of_ours_that_is_open_names_its_turn(rows: list[list[str]], turn: str | None) -> None:
    assert turn_in(said(**by(US), text="On its way.", **keys(*rows))) == turn


def test_keys_that_open_a_page_name_no_turn() -> None:
    page = {"reply_markup": {"inline_keyboard": [[{"text": "Page", "url": "https://example.org"}]]}}
    assert turn_in(said(text="x", **page)) is None
    assert turn_in(said(text="x")) is None
