"""What people decide on the page: consent, what is known of a result, deleting it (docs/page-api.md)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.actions import Act
from bot.domain.arena import ENDED, ONLY_WHO_ASKED, Choice, your_vote
from bot.domain.consent import Standing
from bot.domain.invitations import NO_OPERATOR
from bot.domain.refs import ChatRef, UserRef
from tests.fakes.rooms import (
    AGREED,
    CODE,
    JOINED,
    KEPT_OUT,
    NOT_FOR_YOU,
    NOT_YOURS,
    NOTHING_THERE,
    SAID_NEVER,
    SAID_NO,
    SETTLED,
    STILL_MADE,
    PageRig,
    open_page,
)
from tests.platforms.test_web import CAT, words
from tests.platforms.test_web_guard import PASSWORD, sign_in

HOME = ChatRef("web", "page", "home")
Headers = dict[str, str]


@pytest.fixture
async def page(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(redis_url, password=PASSWORD) as rig:
        yield rig


@pytest.fixture
async def people(page: PageRig) -> tuple[tuple[str, Headers], tuple[str, Headers]]:
    """Ann and Ben: each one's id, and the header that lets them in."""
    return await sign_in(page, "Ann"), await sign_in(page, "Ben")


async def ask(page: PageRig, ann: Headers, ben: Headers, text: str = "black and white") -> dict[str, Any]:
    """Ann sends a picture, Ben replies to it: gives the ids of what Ben asked for."""
    _, shared = await page.says("turn it", CAT, headers=ann)
    _, ids = await page.says(text, reply_to=shared["message_id"], headers=ben)
    return ids


async def sees(page: PageRig, message: str, headers: Headers) -> dict[str, Any]:
    _, told = await page.gets(f"/api/chats/home/messages/{message}", headers=headers)
    return told


def consent(ids: dict[str, Any], chat: str = "home") -> str:
    return f"/api/chats/{chat}/turns/{ids['turn_id']}/consent"


# --- consent


async def test_an_answer_that_waits_for_a_yes_says_whose(page: PageRig, people: Any) -> None:
    (ann, as_ann), (_, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    told = await sees(page, ids["answer_id"], as_ben)
    assert (told["state"], told["holds"], told["images"]) == ("waiting", ["consent"], [])
    assert told["asks"] == [{"id": ann, "name": "Ann"}]


@pytest.mark.parametrize(
    ("say", "told", "state", "standing"),
    [
        ("once", AGREED, "done", Standing.UNSAID),
        ("here", AGREED, "done", Standing.HERE),
        ("never", SAID_NEVER, "refused", Standing.NEVER),
        ("not_now", SAID_NO, "refused", Standing.UNSAID),
    ],
)
async def test_the_owner_of_a_picture_decides(
    page: PageRig, people: Any, say: str, told: str, state: str, standing: Standing
) -> None:
    (ann, as_ann), (_, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    answer = await page.posts(consent(ids), json={"say": say}, headers=as_ann)
    after = await sees(page, ids["answer_id"], as_ben)
    assert answer == (200, {"words": told})
    assert (after["state"], after["asks"]) == (state, [])
    assert page.core.standings.of(UserRef("web", ann), HOME) is standing


async def test_nobody_else_can_say_yes_and_a_yes_is_said_once(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    stolen = await page.posts(consent(ids), json={"say": "once"}, headers=as_ben)
    waiting = await sees(page, ids["answer_id"], as_ben)
    await page.posts(consent(ids), json={"say": "not_now"}, headers=as_ann)
    late = await page.posts(consent(ids), json={"say": "once"}, headers=as_ann)
    assert (stolen, waiting["state"]) == ((200, {"words": NOT_FOR_YOU}), "waiting")
    assert (late, (await sees(page, ids["answer_id"], as_ben))["state"]) == ((200, {"words": SETTLED}), "refused")


async def test_a_question_cannot_be_answered_from_another_chat(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    told = words(await page.posts(consent(ids, "garden"), json={"say": "once"}, headers=as_ann))
    assert told[:2] == (404, "unknown_turn")
    assert (await sees(page, ids["answer_id"], as_ben))["state"] == "waiting"


@pytest.mark.parametrize("content", [{"say": "maybe"}, {"say": None}, {"say": ["once"]}, {}])
async def test_what_is_no_answer_to_the_question_changes_nothing(page: PageRig, people: Any, content: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    told = words(await page.posts(consent(ids), json=content, headers=as_ann))
    assert (told[:2], (await sees(page, ids["answer_id"], as_ben))["asks"] != []) == ((400, "unknown_choice"), True)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"say"', "application/json"),
        (b'["once"]', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"say": "once"}', "application/json; charset=klingon"),
        (b"\xff\xfe", "application/json"),
        (b"say=once", "application/x-www-form-urlencoded"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_answered_kindly(
    page: PageRig, people: Any, body: bytes, content_type: str
) -> None:
    (_, as_ann), (_, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    headers = as_ann | {"Content-Type": content_type}
    assert words(await page.posts(consent(ids), data=body, headers=headers))[:2] == (400, "bad_form")


async def test_another_site_and_a_stranger_can_neither_say_yes_nor_delete(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    answer = f"/api/chats/home/messages/{ids['answer_id']}"
    foreign: Headers = as_ann | {"Origin": "https://evil.example"}
    strangers: list[Headers] = [foreign, {}]
    told = [words(await page.posts(consent(ids), json={"say": "once"}, headers=h))[:2] for h in strangers]
    for headers in strangers:
        async with page.http.delete(answer, headers=headers) as response:
            told.append((response.status, (await response.json())["error"]["code"]))
        async with page.http.put("/api/chats/home/standing", json={"standing": "here"}, headers=headers) as response:
            told.append((response.status, (await response.json())["error"]["code"]))
    closed, out = (403, "cross_site"), (401, "sign_in")
    assert told == [closed, out, closed, closed, out, out]
    assert (await sees(page, ids["answer_id"], as_ben))["state"] == "waiting"


# --- one's own pictures


async def test_what_holds_for_ones_own_pictures_is_kept_and_is_ones_own(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    where = "/api/chats/home/standing"
    told = [await page.gets(where, headers=as_ann)]
    for standing in ("here", "never", "unsaid", "never"):
        async with page.http.put(where, json={"standing": standing}, headers=as_ann) as response:
            told.append((response.status, await response.json()))
    said = ["unsaid", "here", "never", "unsaid", "never"]
    assert told == [(200, {"standing": each}) for each in said]
    assert await page.gets("/api/chats/garden/standing", headers=as_ann) == (200, {"standing": "never"})
    assert await page.gets(where, headers=as_ben) == (200, {"standing": "unsaid"})


async def test_whoever_said_never_is_not_asked_again(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    async with page.http.put("/api/chats/home/standing", json={"standing": "never"}, headers=as_ann):
        ids = await ask(page, as_ann, as_ben)
    told = await sees(page, ids["answer_id"], as_ben)
    assert (told["state"], told["asks"]) == ("refused", [])


@pytest.mark.parametrize("content", [{"standing": "once"}, {"standing": 1}, {}])
async def test_what_is_no_standing_is_answered_kindly(page: PageRig, people: Any, content: Any) -> None:
    (_, as_ann), _ = people
    async with page.http.put("/api/chats/home/standing", json=content, headers=as_ann) as response:
        assert words((response.status, await response.json()))[:2] == (400, "unknown_choice")


# --- credit, hidden pictures, a step back


async def test_a_result_says_who_asked_and_whose_picture_it_grew_from(page: PageRig, people: Any) -> None:
    (ann, as_ann), (ben, as_ben) = people
    ids = await ask(page, as_ann, as_ben)
    await page.posts(consent(ids), json={"say": "once"}, headers=as_ann)
    told = await sees(page, ids["answer_id"], as_ann)
    assert told["credit"] == {"asker": {"id": ben, "name": "Ben"}, "owners": [ann]}


async def test_a_hidden_picture_says_so_and_others_do_not(page: PageRig, people: Any) -> None:
    (_, as_ann), _ = people
    said = [await page.says(text, CAT, headers=as_ann) for text in ("turn it, hidden", "turn it")]
    told = [(await sees(page, ids["answer_id"], as_ann))["spoiler"] for _, ids in said]
    assert told == [True, False]


async def test_a_step_back_shows_what_it_was_made_from(page: PageRig, people: Any) -> None:
    (_, as_ann), _ = people
    _, first = await page.says("crop to a square", CAT, headers=as_ann)
    _, second = await page.says("turn it", reply_to=first["answer_id"], headers=as_ann)
    _, undone = await page.says("Undo", act=Act.UNDO.value, reply_to=second["answer_id"], headers=as_ann)
    shown = [(await sees(page, ids["answer_id"], as_ann))["images"][0]["sha256"] for ids in (first, second, undone)]
    assert (shown[2] == shown[0], shown[1] == shown[0]) == (True, False)


# --- what is known of a result, and deleting it


async def test_what_is_known_of_a_result_is_told_to_anybody_in_its_chat(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    _, ids = await page.says("album", CAT, headers=as_ann)
    path = f"/api/chats/home/messages/{ids['answer_id']}/info"
    told = [(await page.gets(path + which, headers=as_ben))[1]["words"] for which in ("", "?index=1")]
    assert [each.partition(",")[0] for each in told] == ["4 pictures", "Picture 2"]
    assert words(await page.gets(f"{path}?index=-1", headers=as_ben))[:2] == (400, "bad_parameter")


async def test_a_deleted_answer_is_gone_for_everybody_with_its_pictures(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    _, ids = await page.says("black and white", CAT, headers=as_ann)
    path = f"/api/chats/home/messages/{ids['answer_id']}"
    url = (await sees(page, ids["answer_id"], as_ann))["images"][0]["url"]
    async with page.http.delete(path, headers=as_ann) as response:
        assert await response.json() == {"deleted": True, "words": ""}
    assert words(await page.gets(path, headers=as_ben))[:2] == (404, "unknown_message")
    assert words(await page.gets(url, headers=as_ben))[:2] == (404, "unknown_image")


async def test_only_who_asked_can_delete_and_not_while_it_is_made(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    ids = [(await page.says(text, CAT, headers=as_ann))[1]["answer_id"] for text in ("black and white", "wait")]
    told = []
    for answer, headers in zip(ids, (as_ben, as_ann), strict=True):
        async with page.http.delete(f"/api/chats/home/messages/{answer}", headers=headers) as response:
            told.append(await response.json())
    assert told == [{"deleted": False, "words": NOT_YOURS}, {"deleted": False, "words": STILL_MADE}]
    assert [(await sees(page, answer, as_ann))["state"] for answer in ids] == ["done", "waiting"]


async def test_of_a_persons_message_and_of_another_chat_there_is_nothing_to_know_or_delete(
    page: PageRig, people: Any
) -> None:
    (_, as_ann), _ = people
    _, ids = await page.says("black and white", CAT, headers=as_ann)
    for path in (f"home/messages/{ids['message_id']}", f"garden/messages/{ids['answer_id']}", "home/messages/nothing"):
        told = words(await page.gets(f"/api/chats/{path}/info", headers=as_ann))
        async with page.http.delete(f"/api/chats/{path}", headers=as_ann) as response:
            assert told[:2] == words((response.status, await response.json()))[:2] == (404, "unknown_message")


async def test_where_nothing_is_left_the_words_say_so(page: PageRig, people: Any) -> None:
    (_, as_ann), _ = people
    _, ids = await page.says("refuse it", headers=as_ann)
    _, told = await page.gets(f"/api/chats/home/messages/{ids['answer_id']}/info", headers=as_ann)
    assert told == {"words": NOTHING_THERE}


# --- votes


async def test_anybody_votes_and_only_who_asked_ends_it(page: PageRig, people: Any) -> None:
    (_, as_ann), (_, as_ben) = people
    _, ids = await page.says("vote", CAT, headers=as_ann)
    assert (await sees(page, ids["answer_id"], as_ben))["vote"] == {"turn_id": ids["turn_id"], "voted": 2}
    path = f"/api/chats/home/turns/{ids['turn_id']}/vote"
    said = [
        await page.posts(path, json={"choice": choice}, headers=who)
        for choice, who in (("b", as_ben), ("end", as_ben), ("end", as_ann))
    ]
    assert said == [(200, {"words": words}) for words in (your_vote(Choice.B), ONLY_WHO_ASKED, ENDED)]
    assert (await sees(page, ids["answer_id"], as_ben))["vote"]["voted"] == 3
    assert (await page.posts(path, json={"choice": "c"}, headers=as_ben))[0] == 400
    assert (await page.posts(path.replace("home", "other"), json={"choice": "a"}, headers=as_ben))[0] == 404


# --- who may


async def stands(page: PageRig, headers: Headers) -> list[Any]:
    _, told = await page.gets("/api/chats/home/messages", headers=headers)
    return list(told["messages"])


async def test_who_is_kept_out_of_the_page_is_told_so_and_still_decides_about_theirs(
    page: PageRig, people: Any
) -> None:
    (ann, as_ann), _ = people
    page.core.out.add(UserRef("web", ann))
    told = words(await page.says("turn it", CAT, headers=as_ann))
    assert told == (403, "kept_out", KEPT_OUT)
    assert (page.core.received, await stands(page, as_ann)) == ([], [])
    assert (await page.says("/withdraw", headers=as_ann))[0] == 202


async def test_a_code_lets_in_on_the_page(page: PageRig, people: Any) -> None:
    (ann, as_ann), _ = people
    page.core.out.add(UserRef("web", ann))
    assert await page.posts("/api/join", json={"code": CODE}, headers=as_ann) == (200, {"words": JOINED})
    assert page.core.out == set()


async def test_a_code_that_is_sent_as_a_message_lets_in_and_stands_nowhere(page: PageRig, people: Any) -> None:
    (ann, as_ann), _ = people
    page.core.out.add(UserRef("web", ann))
    assert words(await page.says(f"/join {CODE}", headers=as_ann)) == (409, "told", JOINED)
    assert (page.core.out, page.core.received, await stands(page, as_ann)) == (set(), [], [])


async def test_behind_a_password_nobody_operates(page: PageRig, people: Any) -> None:
    _, (_, as_ben) = people
    assert words(await page.says("/operator door closed", headers=as_ben)) == (409, "told", NO_OPERATOR)


async def test_the_owner_of_a_page_without_a_password_operates_where_they_are_an_operator(redis_url: str) -> None:
    async with open_page(redis_url) as page:
        told = words(await page.says("/operator door closed"))
        assert told == (409, "told", "The door hears: door closed")
        assert await stands(page, {}) == []


async def test_the_door_says_to_each_person_whether_and_why_they_are_kept_out(page: PageRig, people: Any) -> None:
    (ann, as_ann), (_, as_ben) = people
    page.core.out.add(UserRef("web", ann))
    told = [await page.gets("/api/chats/home/door", headers=headers) for headers in (as_ann, as_ben)]
    assert told == [(200, {"kept_out": KEPT_OUT}), (200, {"kept_out": ""})]
    assert words(await page.gets("/api/chats/No Chat/door", headers=as_ann))[:2] == (404, "unknown_chat")
