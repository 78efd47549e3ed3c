"""What Discord sends → what the core gets, on payloads."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.inbound import (
    Concern,
    Place,
    Pointer,
    Snag,
    concern_of,
    created_at,
    inbound_of,
    is_edited,
    pointers_of,
    portrait_url,
    quoted_of,
    roles_of,
    snowflake_at,
)
from adapters.discord.refs import message_ref, server_ref, user_ref
from bot.domain.messages import Attachment, InboundMessage, Quoted
from bot.domain.refs import Person

US, ANNA, BEN, ROLE = "9000", "101", "102", "7000"
GUILD, CHANNEL = "500", "600"
ID = str(snowflake_at(1_760_000_000.25))
PLACE = Place(US, own_role=ROLE, role_name={"71": "Painters"}.get, channel_name={"61": "sketches"}.get)
WITHOUT_INTENT = Place(US, reads_content=False)
CDN = "https://cdn.discordapp.com"


def user(id_: str, name: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "username": name.lower(),
        "global_name": name or None,
        "avatar": None,
        "discriminator": "0",
    } | more


BOT = user(US, "Remixbot", bot=True)


def message(content: str = "", **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": ID,
        "channel_id": CHANNEL,
        "guild_id": GUILD,
        "type": 0,
        "author": user(ANNA, "Anna"),
        "member": {"nick": None, "roles": ["71"]},
        "content": content,
        "attachments": [],
        "mentions": [],
        "mention_roles": [],
        "edited_timestamp": None,
        "flags": 0,
    }
    return plain | more


def file(name: str = "cat.png", **more: Any) -> dict[str, Any]:
    return {"id": "801", "filename": name, "size": 1234, "url": f"{CDN}/attachments/600/801/{name}?ex=1"} | more


def reply(content: str, to: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    reference = {"type": 0, "channel_id": CHANNEL, "message_id": to["id"] if to else "777", "guild_id": GUILD}
    return message(content, type=19, message_reference=reference, referenced_message=to, **more)


def dm(content: str = "", **more: Any) -> dict[str, Any]:
    return {key: value for key, value in message(content, **more).items() if key not in ("guild_id", "member")}


def said(payload: dict[str, Any], place: Place = PLACE, known: dict[str, Any] | None = None) -> InboundMessage:
    found = inbound_of(payload, place, known or {})
    assert isinstance(found, InboundMessage)
    return found


OURS = message("Here it is.", id="700", author=BOT, attachments=[file("result.png", content_type="image/png")])
BENS = message("my cat", id="701", author=user(BEN, "Ben"), attachments=[file("cat.png", content_type="image/png")])

# --- whether it is for us


@pytest.mark.parametrize(
    ("payload", "concern"),
    [
        (message("make it blue"), Concern.NO),
        (message(f"<@{US}> make it blue", mentions=[BOT]), Concern.YES),
        (message(f"<@&{ROLE}> make it blue", mention_roles=[ROLE]), Concern.YES),
        (message("<@&71> make it blue", mention_roles=["71"]), Concern.NO),
        (message(f"`<@{US}>` is how it is written"), Concern.NO),
        (reply("make it blue", OURS), Concern.YES),
        (reply("make it blue", BENS), Concern.NO),
        (reply(f"<@{US}> make it blue", BENS, mentions=[BOT]), Concern.YES),
        (reply("make it blue", None), Concern.NO),
        (dm("make it blue"), Concern.YES),
        (message(f"<@{US}>", mentions=[BOT], author=user("103", "Other", bot=True)), Concern.NO),
        (message(f"<@{US}>", mentions=[BOT], webhook_id="55"), Concern.NO),
        (message(f"<@{US}>", mentions=[BOT], author=BOT), Concern.NO),
        (message(f"<@{US}>", mentions=[BOT], author=user("0", "Discord", system=True)), Concern.NO),
        (message(f"<@{US}>", mentions=[BOT], type=7), Concern.NO),
        (reply("", OURS, sticker_items=[{"id": "1", "name": "wow"}]), Concern.NO),
    ],
)
def test_only_what_people_say_to_the_bot_is_for_it(payload: dict[str, Any], concern: Concern) -> None:
    assert concern_of(payload, PLACE) is concern


def test_a_reply_whose_target_is_not_shown_is_for_us_once_that_proves_to_be_ours() -> None:
    payload = reply("make it blue", OURS)
    del payload["referenced_message"]

    assert concern_of(payload, PLACE) is Concern.UNSURE
    assert pointers_of(payload, {}) == (Pointer(CHANNEL, "700", GUILD),)
    assert concern_of(payload, PLACE, {"700": OURS}) is Concern.YES
    assert concern_of(payload, PLACE, {"700": BENS}) is Concern.NO
    assert concern_of(payload, PLACE, {"700": None}) is Concern.NO
    assert pointers_of(payload, {"700": None}) == ()


# --- words


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f"<@{US}> make it blue", "make it blue"),
        (f"<@!{US}>, make it blue", "make it blue"),
        (f"<@&{ROLE}>: make it blue", "make it blue"),
        (f"make it <@{US}> blue", "make it blue"),
        (f"<@{US}> -5 brightness", "-5 brightness"),
        (f"<@{US}> <3 add hearts", "<3 add hearts"),
        (f"<@{US}>", ""),
        (f"like <@{BEN}> in <#61> with <:hat:12345> for <@&71>", "like @Benny in #sketches with :hat: for @Painters"),
        (
            "ask <@99> of <@&98> in <#97> with <a:wave:96> by </edit:95>",
            "ask @somebody of @a role in #a channel with :wave: by /edit",
        ),
        ("two\nlines", "two\nlines"),
    ],
)
def test_words_are_as_people_read_them(content: str, text: str) -> None:
    people = [BOT, user(BEN, "Ben", member={"nick": "Benny"})]
    assert said(message(content, mentions=people)).text == text


def test_a_message_says_who_where_and_when() -> None:
    found = said(message("hi", member={"nick": "Annie", "roles": []}))
    assert found == InboundMessage(
        ref=message_ref(US, CHANNEL, ID),
        author=user_ref(ANNA),
        author_name="Annie",
        text="hi",
        created_at=1_760_000_000.25,
        server=server_ref(US, GUILD),
    )


def test_a_direct_message_belongs_to_no_server() -> None:
    assert said(dm("hi")).server is None


def test_an_edited_message_is_another_version_and_a_preview_of_a_link_is_not() -> None:
    edited = message("hi", edited_timestamp="2026-11-21T13:00:00.250000+00:00")
    assert (is_edited(edited), is_edited(message("hi"))) == (True, False)
    assert said(edited).version == 1_795_266_000_250
    assert said(message("hi")).version == 0


# --- pictures


def test_attachments_come_with_the_way_to_fetch_them() -> None:
    found = said(message(attachments=[file(), file("SPOILER_dog.png", id="802"), file("a.png", flags=1 << 3)]))
    assert found.attachments == (
        Attachment(f"600:{ID}:801:{CDN}/attachments/600/801/cat.png?ex=1", "cat.png", 1234),
        Attachment(f"600:{ID}:802:{CDN}/attachments/600/801/SPOILER_dog.png?ex=1", "dog.png", 1234, spoiler=True),
        Attachment(f"600:{ID}:801:{CDN}/attachments/600/801/a.png?ex=1", "a.png", 1234, spoiler=True),
    )


def test_a_voice_message_stands_in_place_of_words() -> None:
    found = said(dm(attachments=[file("voice-message.ogg", waveform="AAAA", duration_secs=2.0)], flags=1 << 13))
    assert found.attachments == ()
    assert found.voice is not None
    assert found.voice.filename == "voice-message.ogg"


def forward(**more: Any) -> dict[str, Any]:
    reference = {"type": 1, "channel_id": CHANNEL, "message_id": "701", "guild_id": GUILD}
    return dm(message_reference=reference, message_snapshots=[{"message": {"attachments": [file()]}}], **more)


def test_a_forwarded_picture_belongs_to_whoever_sent_it_first() -> None:
    assert pointers_of(forward(), {}) == (Pointer(CHANNEL, "701", GUILD),)
    (found,) = said(forward(), known={"701": BENS}).attachments
    assert found.owner == Person(user_ref(BEN), "Ben")


@pytest.mark.parametrize("original", [None, OURS | {"id": "701"}, BENS | {"webhook_id": "55"}])
def test_a_forwarded_picture_of_nobody_who_can_be_asked_belongs_to_the_forwarder(original: dict[str, Any]) -> None:
    (found,) = said(forward(), known={"701": original}).attachments
    assert found.owner is None


def test_a_recipes_file_is_no_picture_and_comes_along_by_itself() -> None:
    recipe, cat = file("look.recipe.json", content_type="application/json"), file("cat.png", id="802")
    theirs = message("mine", id="701", author=user(BEN, "Ben"), attachments=[recipe])
    own, replying = said(dm("", attachments=[cat, recipe])), said(reply("/recipe import", theirs))
    passed_on = said(dm("", message_snapshots=[{"message": {"attachments": [recipe]}}]))
    assert own.file is not None
    assert (own.file.filename, [each.filename for each in own.attachments]) == ("look.recipe.json", ["cat.png"])
    assert replying.quoted_file is not None
    assert (replying.quoted_file.filename, replying.file, replying.quoted) == ("look.recipe.json", None, None)
    assert passed_on.file is not None
    assert passed_on.attachments == ()


# --- replies


def test_a_reply_to_somebodys_picture_shows_it_with_its_owner() -> None:
    found = said(reply(f"<@{US}> blue", BENS, mentions=[BOT, user(BEN, "Ben", member={"nick": "Benny"})]))
    picture = Attachment(f"600:701:801:{CDN}/attachments/600/801/cat.png?ex=1", "cat.png", 1234)
    assert found.reply_to == message_ref(US, CHANNEL, "701")
    assert found.quoted == Quoted(message_ref(US, CHANNEL, "701"), Person(user_ref(BEN), "Benny"), (picture,))


def test_a_reply_to_our_own_picture_says_that_it_is_ours() -> None:
    quoted = said(reply("blue", OURS)).quoted
    assert quoted is not None
    assert (quoted.ours, quoted.author) == (True, None)


@pytest.mark.parametrize("made_by", [{"author": user("103", "Other", bot=True)}, {"webhook_id": "55"}])
def test_nobody_can_be_asked_for_the_picture_of_a_machine(made_by: dict[str, Any]) -> None:
    quoted = said(reply(f"<@{US}> blue", BENS | made_by, mentions=[BOT])).quoted
    assert quoted is not None
    assert (quoted.ours, quoted.author) == (False, None)


def test_what_is_replied_to_without_a_picture_is_not_quoted() -> None:
    notes = message("see this", id="702", attachments=[file("notes.txt", content_type="text/plain")])
    assert said(reply(f"<@{US}> blue", notes, mentions=[BOT])).quoted is None


def test_a_reply_to_a_forward_shows_what_was_forwarded() -> None:
    forwarded = forward(id="703", author=user(ANNA, "Anna"))
    payload = reply(f"<@{US}> blue", forwarded, mentions=[BOT])
    assert pointers_of(payload, {}) == (Pointer(CHANNEL, "701", GUILD),)
    quoted = said(payload, known={"701": BENS}).quoted
    assert quoted is not None
    assert (quoted.author, quoted.attachments[0].owner) == (
        Person(user_ref(ANNA), "Anna"),
        Person(user_ref(BEN), "Ben"),
    )


def test_a_reply_to_the_head_of_a_thread_shows_what_the_thread_began_with() -> None:
    head = message(id="704", type=21, author=user(BEN, "Ben"))
    head["message_reference"] = {"channel_id": "599", "message_id": "701", "guild_id": GUILD}
    payload = reply(f"<@{US}> blue", head, mentions=[BOT])
    assert pointers_of(payload, {}) == (Pointer("599", "701", GUILD),)
    quoted = said(payload, known={"701": BENS}).quoted
    assert quoted is not None
    assert (quoted.ref, quoted.author) == (message_ref(US, CHANNEL, "704"), Person(user_ref(BEN), "Ben"))


# --- without the right to read


def test_a_reply_that_arrives_empty_is_not_an_empty_wish() -> None:
    assert inbound_of(reply("", OURS), WITHOUT_INTENT, {}) is Snag.EMPTY_REPLY
    assert isinstance(inbound_of(reply("", OURS), PLACE, {}), InboundMessage)


def test_a_picture_that_is_not_shown_to_us_is_said_to_be_unseen() -> None:
    hidden = BENS | {"content": "", "attachments": []}
    payload = reply(f"<@{US}> blue", hidden, mentions=[BOT])
    assert inbound_of(payload, WITHOUT_INTENT, {}) is Snag.UNSEEN_PICTURE
    assert isinstance(inbound_of(payload | {"attachments": [file()]}, WITHOUT_INTENT, {}), InboundMessage)
    assert isinstance(inbound_of(payload, PLACE, {}), InboundMessage)


# --- portraits


def test_who_is_named_is_seen_where_no_picture_is_at_hand() -> None:
    ben = user(BEN, "Ben", avatar="a_f00")
    found = said(message(f"<@{US}> give <@{BEN}> a hat", mentions=[BOT, ben]))
    url = f"{CDN}/avatars/{BEN}/a_f00.png?size=1024"
    assert found.attachments == (Attachment(f":::{url}", "Ben.png", owner=Person(user_ref(BEN), "Ben")),)


@pytest.mark.parametrize(
    "payload",
    [
        message(f"<@{US}> give <@{BEN}> a hat", mentions=[BOT, user(BEN, "Ben")], attachments=[file("own.png")]),
        reply(f"<@{US}> give <@{BEN}> a hat", BENS, mentions=[BOT, user(BEN, "Ben")]),
        reply(f"give <@{BEN}> a hat", OURS | {"attachments": []}, mentions=[BOT, user(BEN, "Ben")]),
        reply(f"<@{US}> a hat", message("hi", id="705", author=user(BEN, "Ben")), mentions=[BOT, user(BEN, "Ben")]),
        message(f"<@{US}> give <@103> a hat", mentions=[BOT, user("103", "Other", bot=True)]),
    ],
)
def test_nobodys_portrait_is_taken_where_it_was_not_meant(payload: dict[str, Any]) -> None:
    assert all(each.owner is None for each in said(payload).attachments)


def test_a_portrait_is_the_one_that_others_see() -> None:
    anna = user("4194304", avatar="abc")
    assert portrait_url(anna, {"avatar": "def"}, server="5", cdn="c") == (
        "c/guilds/5/users/4194304/avatars/def.png?size=1024"
    )
    assert portrait_url(anna, {"avatar": None}, server="5", cdn="c") == "c/avatars/4194304/abc.png?size=1024"
    assert portrait_url(user("4194304"), cdn="c") == "c/embed/avatars/1.png"
    assert portrait_url(user("4194304", discriminator="0007"), cdn="c") == "c/embed/avatars/2.png"


# --- the rest


def test_what_a_command_was_used_on_is_quoted_the_same_way() -> None:
    quoted = quoted_of(BENS, Place(US), {}, names={BEN: "Benny"})
    assert quoted is not None
    assert quoted.author == Person(user_ref(BEN), "Benny")


def test_history_does_not_say_which_roles_somebody_has() -> None:
    assert roles_of(message()) == ("71",)
    assert roles_of(dm()) is None


def test_ids_tell_the_time() -> None:
    assert created_at(snowflake_at(1_760_000_000.5)) == 1_760_000_000.5
    assert snowflake_at(0) == 0
