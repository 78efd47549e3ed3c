"""The page's JSON interface, against the real server and a real store (docs/page-api.md)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, MultipartWriter
from redis.asyncio import Redis

from adapters.web import inbound
from adapters.web.records import inbound_of
from bot.domain.actions import Act, Press
from bot.domain.errors import BadPicture
from bot.domain.files import TextFile
from bot.domain.messages import Answer, Attachment
from bot.domain.refs import ChatRef, MessageRef, TurnId
from bot.domain.turns import TurnState
from bot.engines.exact.engine import ExactEngine
from tests.fakes.rooms import PLAN, SUGGESTIONS, PageRig, open_page

SAMPLES = Path("adapters/web/static/samples")
CAT = (SAMPLES / "cat.jpg").read_bytes()
COFFEE = (SAMPLES / "coffee.jpg").read_bytes()
MAX_IMAGE_BYTES = 1_000_000
MANUAL = Path("docs/page-api.md").read_text()


@pytest.fixture
async def page(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(redis_url, max_image_bytes=MAX_IMAGE_BYTES) as rig:
        yield rig


def words(answer: tuple[int, dict[str, Any]]) -> tuple[int, str, str]:
    status, body = answer
    return status, body["error"]["code"], body["error"]["message"]


# --- a message and its answer


async def test_a_posted_message_is_answered_with_the_ids_of_message_turn_and_answer(page: PageRig) -> None:
    status, ids = await page.says("black and white", CAT)
    message, answer = await page.sees()
    assert status == 202
    assert ids == {"message_id": message["id"], "turn_id": answer["turn_id"], "answer_id": answer["id"]}


async def test_a_persons_message_shows_their_words_and_their_cleaned_picture(page: PageRig) -> None:
    await page.says("black and white", CAT)
    message, _ = await page.sees()
    (image,) = message.pop("images")
    assert (image["width_px"], image["height_px"], image["media_type"]) == (451, 300, "image/jpeg")
    wanted = {
        "chat": "home",
        "author": {"id": "owner", "name": "You", "is_bot": False},
        "text": "black and white",
        "reply_to": None,
        "turn_id": None,
        "state": None,
    }
    assert message.items() >= wanted.items()


async def test_the_answer_replies_to_the_message_and_says_what_it_is(page: PageRig) -> None:
    await page.says("black and white", CAT)
    message, answer = await page.sees()
    assert answer["reply_to"] == message["id"]
    assert answer["author"] == {"id": "remixbot", "name": "Remixbot", "is_bot": True}
    assert (answer["state"], answer["text"], len(answer["images"])) == ("done", "Edited, no AI", 1)


async def test_the_answer_exists_before_it_is_filled_and_keeps_its_id(page: PageRig) -> None:
    _, ids = await page.says("wait for it", CAT)
    _, waiting = await page.sees()
    await page.posts(f"/api/chats/home/turns/{ids['turn_id']}/cancel")
    _, cancelled = await page.sees()
    assert (waiting["state"], waiting["position"], waiting["holds"]) == ("waiting", 2, ["slot"])
    assert (cancelled["id"], cancelled["state"]) == (waiting["id"], "cancelled")


async def test_a_refusal_comes_with_things_that_would_work(page: PageRig) -> None:
    await page.says("refuse it", CAT)
    _, answer = await page.sees()
    assert (answer["state"], answer["suggestions"], answer["images"]) == ("refused", list(SUGGESTIONS), [])


async def test_a_reply_reaches_the_core_with_the_message_it_replies_to(page: PageRig) -> None:
    _, first = await page.says("black and white", CAT)
    await page.says("crop to a square", reply_to=first["answer_id"])
    assert page.core.received[1].reply_to == MessageRef(ChatRef("web", "page", "home"), first["answer_id"])


async def test_several_pictures_keep_their_order(page: PageRig) -> None:
    await page.says("side by side", CAT, COFFEE)
    message, _ = await page.sees()
    assert [image["width_px"] for image in message["images"]] == [451, 600]


async def test_uploads_leave_the_spool_once_the_core_has_taken_them(page: PageRig) -> None:
    await page.says("black and white", CAT)
    assert page.spool.files == {}


async def test_text_that_looks_like_code_comes_back_as_it_was_written(page: PageRig) -> None:
    text = "<img src=x onerror=alert(1)> & 'quotes' \u202e 🐈"
    await page.says(text, CAT)
    message, _ = await page.sees()
    assert message["text"] == text


async def test_words_alone_may_come_as_an_urlencoded_form(page: PageRig) -> None:
    _, first = await page.says("black and white", CAT)
    fields = {"text": "crop to 50% & 1+1 “größer”\r\n🐈", "reply_to": first["answer_id"], "colour": "blue"}
    status, ids = await page.posts("/api/chats/home/messages", data=fields)
    assert (status, ids["message_id"]) == (202, (await page.sees())[2]["id"])
    assert page.core.received[1].text == "crop to 50% & 1+1 “größer”\n🐈"
    assert page.core.received[1].reply_to == MessageRef(ChatRef("web", "page", "home"), first["answer_id"])


async def test_an_urlencoded_form_knows_the_same_limits(page: PageRig) -> None:
    longest, *wrong = ({"text": "🐈" * 4000}, {"text": "🐈" * 4001}, {"text": "a" * 2_000_000}, {"text": " "})
    status, _ = await page.posts("/api/chats/home/messages", data=longest)
    told = [words(await page.posts("/api/chats/home/messages", data=fields))[1] for fields in wrong]
    assert (status, told) == (202, ["text_too_long", "text_too_long", "empty"])


# --- one picture of several, controls, voices, albums


async def test_a_reply_to_one_picture_of_several_says_which(page: PageRig) -> None:
    _, first = await page.says("album", CAT)
    await page.says("make it sepia", reply_to=first["answer_id"], reply_index="2")
    await page.says("make it sepia", reply_to=first["answer_id"])
    assert [message.reply_index for message in page.core.received] == [None, 2, None]
    assert [message["reply_index"] for message in await page.sees()][::2] == [None, 2, None]


async def test_a_pressed_control_reaches_the_core_with_what_it_does(page: PageRig) -> None:
    _, first = await page.says("black and white, with ideas", CAT)
    fields = {"text": "Larger (2K)", "act": "larger", "argument": "2K", "reply_to": first["answer_id"]}
    await page.posts("/api/chats/home/messages", data=fields)
    await page.says(reply_to=first["answer_id"], act="again")
    assert [message.press for message in page.core.received] == [None, Press(Act.LARGER, "2K"), Press(Act.AGAIN)]
    _, _, larger, _, again, _ = await page.sees()
    assert (larger["text"], larger["press"]) == ("Larger (2K)", {"act": "larger", "argument": "2K"})
    assert again["text"] == "again"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"act": "explode"}, "unknown_act"),
        ({"act": "larger", "argument": "2" * 101}, "unknown_act"),
        ({"reply_index": "-1"}, "bad_parameter"),
        ({"reply_index": "100"}, "bad_parameter"),
        ({"reply_index": "²"}, "bad_parameter"),
        ({"act": "again", "reply_to": ""}, "no_reply"),
        ({"reply_index": "0", "reply_to": ""}, "no_reply"),
    ],
)
async def test_what_was_never_there_cannot_be_pressed(page: PageRig, fields: dict[str, str], code: str) -> None:
    _, first = await page.says("black and white", CAT)
    told = await page.says("hello", **({"reply_to": first["answer_id"]} | fields))
    assert (words(told)[:2], len(page.core.received)) == ((400, code), 1)


async def test_a_voice_message_needs_no_words_and_may_bring_pictures(page: PageRig) -> None:
    page.core.broken = True
    await page.says("", CAT, voice=b"RIFF....WAVE", key="k1")
    heard = page.core.received[0].voice
    assert heard is not None
    assert (heard.filename, heard.size_bytes, await page.platform.fetch(heard, max_bytes=12)) == (
        "voice.wav",
        12,
        b"RIFF....WAVE",
    )
    page.core.broken = False
    status, _ = await page.says("", CAT, voice=b"RIFF....WAVE", key="k1")
    message, answer = await page.sees()
    assert (status, page.core.received[1], page.spool.files) == (202, page.core.received[0], {})
    assert (message["has_voice"], message["uploads"], answer["has_voice"]) == (True, 1, False)


async def test_a_recipes_file_is_no_picture_and_is_handed_out_as_it_is(page: PageRig) -> None:
    form = FormData({"text": ""})
    form.add_field("image", b'{"remixbot": "recipe"}', filename="look.recipe.json")
    form.add_field("image", CAT, filename="cat.jpg")
    page.core.broken = True
    await page.posts("/api/chats/home/messages", data=form)
    (received,) = page.core.received
    assert received.file is not None
    assert (received.file.filename, [each.filename for each in received.attachments]) == (
        "look.recipe.json",
        ["cat.jpg"],
    )
    assert await page.platform.fetch(received.file, max_bytes=22) == b'{"remixbot": "recipe"}'
    (message,) = await page.sees()
    assert (message["file"], message["files"], message["uploads"]) == ("look.recipe.json", [], 1)
    await page.platform.done(received)
    assert page.spool.files == {}


async def test_an_answer_hands_out_files(page: PageRig) -> None:
    _, ids = await page.says("black and white", CAT)
    reply = MessageRef(ChatRef("web", "page", "home"), ids["answer_id"])
    file = TextFile("look.recipe.json", '{"steps": ["</script>зима"]}')
    await page.platform.fill(
        reply, Answer(TurnState.DONE, ("Here it is.",), turn=TurnId(ids["turn_id"]), files=(file,))
    )
    assert (await page.sees())[1]["files"] == [{"name": file.name, "text": file.text}]
    await page.platform.fill(reply, Answer(TurnState.DONE, ("Gone.",), turn=TurnId(ids["turn_id"])))
    assert (await page.sees())[1]["files"] == []


async def test_a_retracted_voice_message_leaves_no_sound_behind(page: PageRig) -> None:
    page.core.broken = True
    await page.says("", voice=b"RIFF....WAVE")
    (message,) = await page.sees()
    kept = len(page.spool.files)
    await page.platform.retract([MessageRef(ChatRef("web", "page", "home"), message["id"])], [])
    assert (kept, page.spool.files) == (1, {})


async def test_a_recording_that_is_too_large_is_answered_kindly(page: PageRig) -> None:
    told = words(await page.says("", CAT, voice=b"x" * (inbound.VOICE_BYTES + 1)))
    assert (told[:2], page.spool.files) == ((413, "voice_too_large"), {})


async def test_two_voices_at_once_are_one_too_many(page: PageRig) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field("voice", b"RIFF", filename="a.wav")
    form.add_field("voice", b"RIFF", filename="b.wav")
    told = words(await page.posts("/api/chats/home/messages", data=form))
    assert (told[:2], page.spool.files) == ((400, "too_many_voices"), {})


async def test_an_album_shows_each_panel_with_its_words_as_it_stands(page: PageRig) -> None:
    await page.says("album wait", CAT)
    _, answer = await page.sees()
    told = [(panel["state"], panel["words"], panel["image"] is not None) for panel in answer["panels"]]
    assert told == [
        ("done", PLAN[0][1], True),
        ("done", PLAN[1][1], True),
        ("running", "Working on it.", False),
        ("waiting", "Waiting in line.", False),
    ]
    assert answer["panels"][0]["controls"][0] == {"act": "again", "label": "Again", "argument": ""}


async def test_a_picture_of_an_album_keeps_its_place_where_one_before_it_is_missing(page: PageRig) -> None:
    await page.says("album", CAT)
    _, answer = await page.sees()
    panels = answer["panels"]
    assert [image["index"] for image in answer["images"]] == [0, 1, 3]
    assert [panels[image["index"]]["image"] for image in answer["images"]] == answer["images"]
    async with page.http.get(answer["images"][2]["url"]) as response:
        assert response.status == 200


async def test_an_answer_in_words_names_its_sources(page: PageRig) -> None:
    await page.says("explain the leaves")
    _, answer = await page.sees()
    assert (answer["state"], answer["images"]) == ("done", [])
    assert answer["sources"][0] == {"title": "Why leaves change colour", "url": "https://www.example.org/leaves"}


async def test_a_picture_says_whether_it_is_see_through(page: PageRig) -> None:
    await page.says("a transparent background", CAT)
    told = [message["images"][0]["has_alpha"] for message in await page.sees()]
    assert told == [False, True]


async def test_messages_from_before_there_were_controls_still_stand(page: PageRig) -> None:
    old = {"id": "m1", "author_id": "ann", "author_name": "Ann", "text": "hello", "reply_to": "", "created_at": "1.5"}
    image = {"sha256": "0" * 64, "media_type": "image/png", "width_px": 3, "height_px": 2, "alt": "A picture"}
    record = old | {"key": "k", "uploads": '[["h", "cat.jpg", 3]]', "images": json.dumps([image])}
    await page.store.append("home", "m1", record)
    (message,) = await page.sees()
    told = (message["press"], message["reply_index"], message["panels"], message["images"][0]["has_alpha"])
    assert (told, message["images"][0]["index"]) == ((None, None, [], None), 0)
    inbound_again = inbound_of("home", record)
    assert (inbound_again.attachments, inbound_again.press, inbound_again.voice, inbound_again.reply_index) == (
        (Attachment("h", "cat.jpg", 3),),
        None,
        None,
        None,
    )


# --- repeating


async def test_while_pictures_cannot_be_kept_a_message_is_to_be_sent_again_and_then_taken(page: PageRig) -> None:
    page.spool.away = True
    assert words(await page.says("black and white", CAT, key="k1"))[:2] == (503, "store_unavailable")
    page.spool.away = False
    status, _ = await page.says("black and white", CAT, key="k1")
    assert (status, len(await page.sees())) == (202, 2)


async def test_the_same_key_is_the_same_message_and_the_same_turn(page: PageRig) -> None:
    first = await page.says("black and white", CAT, key="k1")
    second = await page.says("black and white", CAT, key="k1")
    assert first == second
    assert (len(await page.sees()), len(page.core.received)) == (2, 1)


async def test_the_same_key_in_another_chat_is_another_message(page: PageRig) -> None:
    _, first = await page.says("black and white", CAT, key="k1")
    _, second = await page.says("black and white", CAT, key="k1", chat="garden")
    assert first["message_id"] != second["message_id"]


async def test_a_repeat_goes_on_where_the_first_try_died(page: PageRig) -> None:
    page.core.broken = True
    status, code, _ = words(await page.says("black and white", CAT, key="k1"))
    page.core.broken = False
    again, _ = await page.says("black and white", CAT, key="k1")
    first, second = page.core.received
    assert (status, code, again) == (503, "unavailable", 202)
    assert first == second
    assert [message["state"] for message in await page.sees()] == [None, "done"]


async def test_two_tries_at_once_are_one_message(page: PageRig) -> None:
    tries = await asyncio.gather(*(page.says("black and white", CAT, key="k1") for _ in range(8)))
    assert {tuple(ids.values()) for _, ids in tries} == {tuple(tries[0][1].values())}
    assert len(await page.sees()) == 2
    assert page.spool.files == {}


async def test_a_deleted_message_is_not_brought_back_by_a_repeat(page: PageRig) -> None:
    _, ids = await page.says("black and white", CAT, key="k1")
    await page.platform.retract([MessageRef(ChatRef("web", "page", "home"), ids["message_id"])], [])
    assert words(await page.says("black and white", CAT, key="k1"))[:2] == (410, "deleted")


@pytest.mark.parametrize("key", ["x" * 201, "tab\tin it"])
async def test_a_key_that_is_no_key_is_refused(page: PageRig, key: str) -> None:
    assert words(await page.says("hello", CAT, key=key))[:2] == (400, "bad_idempotency_key")


# --- what is wrong is said


async def test_an_empty_message_is_answered_kindly(page: PageRig) -> None:
    told = (400, "empty", "Your message is empty. Write what you want changed, or add a picture.")
    assert words(await page.says("  \n ")) == told


async def test_an_empty_reply_is_answered_kindly(page: PageRig) -> None:
    _, first = await page.says("black and white", CAT)
    assert words(await page.says("", reply_to=first["answer_id"]))[:2] == (400, "empty")


async def test_ten_thousand_characters_are_too_long(page: PageRig) -> None:
    status, code, message = words(await page.says("a" * 10_000, CAT))
    assert (status, code) == (400, "text_too_long")
    assert "4,000 characters" in message


async def test_four_thousand_characters_are_passed_on(page: PageRig) -> None:
    status, _ = await page.says("a" * 4000, CAT)
    assert (status, page.core.received[0].text) == (202, "a" * 4000)


@pytest.mark.parametrize("reply_to", ["mnothing", "m" * 5000, "../home", "🐈"])
async def test_a_reply_to_nothing_is_answered_kindly(page: PageRig, reply_to: str) -> None:
    status, code, message = words(await page.says("black and white", reply_to=reply_to))
    assert (status, code) == (404, "unknown_reply")
    assert message.startswith("I can't find the message you replied to here.")


async def test_a_picture_that_is_too_large_is_answered_while_the_sender_still_sends(page: PageRig) -> None:
    status, code, message = words(await page.says("smaller please", b"x" * (60 * 2**20)))
    assert (status, code) == (413, "image_too_large")
    assert "too large" in message
    assert page.spool.files == {}


async def test_eleven_pictures_are_too_many(page: PageRig) -> None:
    status, code, message = words(await page.says("collage", *[CAT] * 11))
    assert (status, code, page.spool.files) == (400, "too_many_images", {})
    assert "up to 10 pictures" in message


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nhalf a", "multipart/form-data; boundary=x"),
        (b"no boundary at all", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data"),
        (b'{"text": "hello"}', "application/json"),
        (b"text=%ff%fe", "application/x-www-form-urlencoded"),
        (b"text=\xff\xfe", "application/x-www-form-urlencoded"),
        (b"text=hello&image=cat.jpg", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\xfe\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"", "multipart/form-data; boundary=x"),
    ],
)
async def test_a_form_that_cannot_be_read_is_answered_kindly(page: PageRig, body: bytes, content_type: str) -> None:
    answer = await page.posts("/api/chats/home/messages", data=body, headers={"Content-Type": content_type})
    assert words(answer)[:2] == (400, "bad_form")
    assert await page.sees() == []


async def test_a_body_that_never_comes_is_not_waited_for(page: PageRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "_BODY_S", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        await asyncio.Event().wait()

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await page.posts("/api/chats/home/messages", data=stalled(), headers=headers)
    assert words(answer)[:2] == (408, "too_slow")


async def test_a_form_within_a_form_is_refused(page: PageRig) -> None:
    with MultipartWriter("form-data") as outer, MultipartWriter("mixed") as inner:
        inner.append("deep")
        outer.append(inner)
        answer = await page.posts("/api/chats/home/messages", data=outer)
    assert words(answer)[:2] == (400, "bad_form")


async def test_fields_that_nobody_knows_are_passed_over(page: PageRig) -> None:
    fields = {"colour": "blue", "text": "black and white"}
    form = FormData(fields, quote_fields=False, default_to_multipart=True)
    form.add_field("image", b"", filename="")
    form.add_field("image", CAT, filename="me/../../cat.jpg")
    status, _ = await page.posts("/api/chats/home/messages", data=form)
    assert (status, [each.filename for each in page.core.received[0].attachments]) == (202, ["cat.jpg"])


@pytest.mark.parametrize("chat", ["Home", "a" * 65, "a_b", "a.b", "caf%C3%A9"])
async def test_a_chat_whose_name_is_none_is_not_found(page: PageRig, chat: str) -> None:
    assert words(await page.gets(f"/api/chats/{chat}/messages"))[:2] == (404, "unknown_chat")


async def test_an_address_that_leads_nowhere_says_so(page: PageRig) -> None:
    assert words(await page.gets("/api/nothing"))[:2] == (404, "not_found")
    assert words(await page.posts("/api/chats/home/events"))[:2] == (405, "not_possible")


async def test_a_failure_inside_is_not_shown(page: PageRig) -> None:
    page.core.broken = True
    told = "Something went wrong on my side. Nothing that you sent is lost; please try again in a moment."
    assert words(await page.says("hello", CAT)) == (503, "unavailable", told)


# --- reading


async def test_messages_come_in_pages_from_the_newest(page: PageRig) -> None:
    for number in range(3):
        await page.says(f"turn it {number}", CAT)
    _, last = await page.gets("/api/chats/home/messages?limit=4")
    _, first = await page.gets(f"/api/chats/home/messages?limit=4&before={last['messages'][0]['id']}")
    told = [message["text"] for message in first["messages"] + last["messages"] if not message["author"]["is_bot"]]
    assert told == ["turn it 0", "turn it 1", "turn it 2"]
    assert (last["more"], first["more"]) == (True, False)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=many", "limit=²"])
async def test_a_limit_that_is_no_number_is_answered_kindly(page: PageRig, query: str) -> None:
    assert words(await page.gets(f"/api/chats/home/messages?{query}"))[:2] == (400, "bad_parameter")


async def test_one_message_can_be_read_by_its_id(page: PageRig) -> None:
    _, ids = await page.says("black and white", CAT)
    assert await page.gets(f"/api/chats/home/messages/{ids['answer_id']}") == (200, (await page.sees())[1])


async def test_a_thread_is_its_answers_and_what_they_answer(page: PageRig) -> None:
    _, first = await page.says("black and white", CAT)
    await page.says("turn it", COFFEE)
    _, branch = await page.says("crop to a square", reply_to=first["answer_id"])
    thread = first["turn_id"].partition("-")[0]
    _, answer = await page.gets(f"/api/chats/home/threads/{thread}")
    wanted = [first["message_id"], first["answer_id"], branch["message_id"], branch["answer_id"]]
    assert [message["id"] for message in answer["messages"]] == wanted


async def test_an_image_comes_with_its_type_and_nothing_that_runs(page: PageRig) -> None:
    await page.says("black and white", CAT)
    _, answer = await page.sees()
    async with page.http.get(answer["images"][0]["url"]) as response:
        data = await response.read()
        told = response.headers
    assert data.startswith(b"\x89PNG")
    assert (told["Content-Type"], told["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert told["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert told["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Content-Disposition" not in told


async def test_a_download_has_a_name(page: PageRig) -> None:
    await page.says("black and white", CAT)
    _, answer = await page.sees()
    (image,) = answer["images"]
    async with page.http.get(image["url"], params={"download": "1"}) as response:
        named = response.headers["Content-Disposition"]
    assert named == f'attachment; filename="remixbot-{image["sha256"][:8]}.png"'


async def test_an_image_that_the_browser_has_is_not_sent_again(page: PageRig) -> None:
    await page.says("black and white", CAT)
    _, answer = await page.sees()
    (image,) = answer["images"]
    async with page.http.get(image["url"], headers={"If-None-Match": f'"{image["sha256"]}"'}) as response:
        assert response.status == 304


async def test_an_image_whose_pixels_were_erased_is_not_found(page: PageRig) -> None:
    await page.says("black and white", CAT)
    page.images.pixels.clear()
    url = (await page.sees())[1]["images"][0]["url"]
    assert words(await page.gets(url))[:2] == (404, "unknown_image")


# --- nothing crosses chats


async def test_a_message_of_another_chat_cannot_be_replied_to(page: PageRig) -> None:
    _, elsewhere = await page.says("black and white", CAT, chat="garden")
    answer = await page.says("turn it", reply_to=elsewhere["answer_id"], chat="home")
    assert words(answer)[:2] == (404, "unknown_reply")


async def test_a_message_of_another_chat_cannot_be_read(page: PageRig) -> None:
    _, elsewhere = await page.says("black and white", CAT, chat="garden")
    thread = elsewhere["turn_id"].partition("-")[0]
    assert words(await page.gets(f"/api/chats/home/messages/{elsewhere['answer_id']}"))[:2] == (404, "unknown_message")
    assert words(await page.gets(f"/api/chats/home/messages?before={elsewhere['answer_id']}"))[0] == 404
    assert await page.gets(f"/api/chats/home/threads/{thread}") == (200, {"messages": []})


async def test_an_image_of_another_chat_cannot_be_seen(page: PageRig) -> None:
    await page.says("black and white", CAT, chat="garden")
    _, answer = await page.sees("garden")
    url = answer["images"][0]["url"].replace("garden", "home")
    assert words(await page.gets(url))[:2] == (404, "unknown_image")


@pytest.mark.parametrize("name", ["0" * 64, "..%2f..%2fetc%2fpasswd", "A" * 64, "0"])
async def test_a_guessed_image_is_not_found(page: PageRig, name: str) -> None:
    assert words(await page.gets(f"/api/chats/home/images/{name}"))[:2] == (404, "unknown_image")


async def test_pixels_that_no_message_shows_are_not_handed_out(page: PageRig) -> None:
    master = await page.images.put(CAT)
    assert words(await page.gets(f"/api/chats/home/images/{master}"))[:2] == (404, "unknown_image")


async def test_a_turn_of_another_chat_cannot_be_cancelled(page: PageRig) -> None:
    _, elsewhere = await page.says("wait for it", CAT, chat="garden")
    answer = await page.posts(f"/api/chats/home/turns/{elsewhere['turn_id']}/cancel")
    assert words(answer)[:2] == (404, "unknown_turn")
    assert (await page.sees("garden"))[1]["state"] == "waiting"


# --- the door out


async def test_a_message_that_another_brought_to_its_end_leaves_no_file_behind(page: PageRig) -> None:
    page.core.broken = True
    await page.says("black and white", CAT, key="k1")
    page.core.broken = False
    (message,) = page.core.received
    kept = len(page.spool.files)
    received = await page.core.receive(message)
    await page.platform.done(message)
    assert (kept, page.spool.files) == (1, {})
    again, ids = await page.says("black and white", CAT, key="k1")
    assert (again, ids["turn_id"], page.spool.files) == (202, received.turn, {})


async def test_cancelling_a_finished_turn_changes_nothing(page: PageRig) -> None:
    _, ids = await page.says("black and white", CAT)
    assert await page.posts(f"/api/chats/home/turns/{ids['turn_id']}/cancel") == (200, {"cancelled": False})
    assert (await page.sees())[1]["state"] == "done"


async def test_a_late_word_of_progress_does_not_undo_an_answer(page: PageRig) -> None:
    _, ids = await page.says("black and white", CAT)
    before = await page.sees()
    await page.core.run(TurnId(ids["turn_id"]))
    assert await page.sees() == before


async def test_reserving_twice_is_the_same_answer(page: PageRig) -> None:
    await page.says("black and white", CAT)
    before = await page.sees()
    (message,) = page.core.received
    (turn,) = page.core.answers
    assert await page.platform.reserve(message, turn) == page.core.answers[turn]
    assert await page.sees() == before


async def test_what_is_retracted_is_gone_with_its_image(page: PageRig) -> None:
    await page.says("black and white", CAT)
    message, answer = await page.sees()
    home = ChatRef("web", "page", "home")
    await page.platform.retract([MessageRef(home, message["id"]), MessageRef(home, answer["id"])], [])
    await page.platform.fill(MessageRef(home, answer["id"]), Answer(TurnState.DONE, ("Here it is",)))
    assert await page.sees() == []
    assert words(await page.gets(answer["images"][0]["url"]))[0] == 404


async def test_an_image_stays_as_long_as_another_message_shows_it(page: PageRig) -> None:
    _, first = await page.says("black and white", CAT)
    await page.says("turn it", CAT)
    url = (await page.sees())[0]["images"][0]["url"]
    await page.platform.retract([MessageRef(ChatRef("web", "page", "home"), first["message_id"])], [])
    async with page.http.get(url) as response:
        assert response.status == 200


async def test_retracting_a_message_drops_files_that_nobody_fetched(page: PageRig) -> None:
    page.core.broken = True
    await page.says("black and white", CAT)
    (message,) = await page.sees()
    assert len(page.spool.files) == 1
    await page.platform.retract([MessageRef(ChatRef("web", "page", "home"), message["id"])], [])
    assert page.spool.files == {}


async def test_a_file_that_is_gone_or_too_large_is_said_in_words(page: PageRig) -> None:
    await page.spool.put("here", b"12345")
    with pytest.raises(BadPicture, match="not here any more"):
        await page.platform.fetch(Attachment("elsewhere", "cat.jpg"), max_bytes=4)
    with pytest.raises(BadPicture, match="too large"):
        await page.platform.fetch(Attachment("here", "cat.jpg"), max_bytes=4)


async def test_every_key_expires(page: PageRig, redis_url: str) -> None:
    _, first = await page.says("black and white", CAT)
    await page.says("crop to a square", reply_to=first["answer_id"])
    await page.platform.retract([MessageRef(ChatRef("web", "page", "home"), first["answer_id"])], [])
    async with Redis.from_url(redis_url) as client:
        lives = {key: await client.ttl(key) async for key in client.scan_iter()}
    assert len(lives) > 5
    assert {key for key, life_s in lives.items() if life_s < 0} == set()


# --- what is documented


def test_every_code_of_an_error_is_documented() -> None:
    codes = re.findall(r'\d{3},\s+"(\w+)"', Path("adapters/web/problems.py").read_text())
    documented = re.findall(r"`(\w+)`", MANUAL.partition("| status | codes |")[2])
    assert sorted({*codes, "not_possible"}) == sorted(documented)


async def test_every_field_of_a_message_is_documented(page: PageRig) -> None:
    await page.says("black and white", CAT)
    example = json.loads(MANUAL.split("```json")[1].partition("```")[0])
    message, answer = await page.sees()
    assert message.keys() == answer.keys() == example.keys()
    assert answer["images"][0].keys() == example["images"][0].keys()


def test_every_example_of_the_first_visit_is_done_without_ai() -> None:
    tries = re.findall(r"tries: (\[.*?\]) \}", (SAMPLES.parent / "welcome.js").read_text())
    examples = [json.loads(words) for found in tries for words in re.findall(r't\(("(?:[^"\\]|\\.)*")\)', found)]
    not_understood = [words for words in examples if not ExactEngine().read(words, images=1).whole]
    assert (len(examples), not_understood) == (12, [])
