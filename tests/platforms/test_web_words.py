"""Which language the page's server answers in."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator

import pytest

from adapters.web import problems
from adapters.web.records import inbound_of, person_record
from bot.domain.images import ImageFacts
from bot.domain.messages import Rendition
from bot.domain.refs import sha256_of
from bot.domain.sharing import SharedResult
from tests import brackets
from tests.fakes.rooms import PageRig, open_page
from tests.platforms.test_web import CAT

TOKEN = "a1" * 20
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
CHINESE = {"Accept-Language": "zh-CN"}
FACTS = ImageFacts(sha256_of(CAT), "image/jpeg", 451, 300, len(CAT))


@pytest.fixture
async def page(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(redis_url) as rig:
        yield rig


async def test_whoever_writes_or_presses_is_known_by_the_language_of_their_browser(page: PageRig) -> None:
    _, ids = await page.says("black and white", CAT, headers=GERMAN)
    await page.says("again", reply_to=ids["answer_id"], act="again", headers=CHINESE)
    await page.says("black and white", CAT, headers={"Accept-Language": "fr-FR,fr;q=0.9"})
    await page.says("black and white", CAT)
    assert [message.language for message in page.core.received] == ["de", "zh", "", ""]


async def test_a_message_that_is_handed_in_anew_is_still_in_its_language(page: PageRig) -> None:
    await page.says("black and white", CAT, headers=GERMAN)
    (message,) = page.core.received
    assert inbound_of("home", person_record(message, key="")) == message


async def test_what_is_said_about_a_request_is_in_its_language(page: PageRig, monkeypatch: pytest.MonkeyPatch) -> None:
    brackets.speak(monkeypatch)
    for headers, tag in ((GERMAN, "de"), (CHINESE, "zh-Hans"), ({"Accept-Language": "fr"}, "en"), ({}, "en")):
        async with page.http.get("/api/chats/home/messages/none", headers=headers) as answer:
            told = await answer.json()
            said = (answer.headers["Content-Language"], answer.headers["Vary"], answer.headers["Cache-Control"])
        assert said == (tag, "Accept-Language", "no-store")
        assert told["error"]["message"].startswith("⟦I can't find that message")
    status, told = await page.gets("/nowhere")
    assert (status, told["error"]["message"][0]) == (404, "⟦")
    status, told = await page.posts("/words.json")
    assert (status, told["error"]["message"]) == (405, "⟦That can't be done here (Method Not Allowed).⟧")


def test_every_problem_has_words_in_the_catalogs(monkeypatch: pytest.MonkeyPatch) -> None:
    brackets.speak(monkeypatch)
    given = {"int": 4000, "str": "x"}
    for name, make in inspect.getmembers(problems, inspect.isfunction):
        if inspect.signature(make).return_annotation == "Problem":
            needed = [
                each for each in inspect.signature(make).parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD
            ]
            if [each.name for each in needed] in (["words"], ["error"]):
                continue  # it passes on what was said elsewhere
            words = make(*(given[each.annotation] for each in needed)).words
            assert (name, words[:1], words[-1:]) == (name, "⟦", "⟧")


async def test_the_page_and_its_words_are_kept_until_they_change_or_another_language_is_asked_for(
    page: PageRig,
) -> None:
    for path in ("/", "/words.json"):
        async with page.http.get(path, headers=GERMAN) as answer:
            mark = answer.headers["ETag"]
            said = [answer.headers[name] for name in ("Content-Language", "Vary", "Cache-Control")]
            assert (answer.status, said) == (200, ["de", "Accept-Language", "no-cache"])
        async with page.http.get(path, headers=GERMAN | {"If-None-Match": mark}) as again:
            assert (again.status, await again.read(), again.headers["Vary"]) == (304, b"", "Accept-Language")
        async with page.http.get(path, headers=CHINESE | {"If-None-Match": mark}) as other:
            assert (other.status, other.headers["Content-Language"]) == (200, "zh-Hans")
    async with page.http.get("/words.json") as english:
        assert await english.json() == {"language": "en", "words": {}}


async def test_a_shared_page_speaks_to_whoever_looks_and_is_not_kept(
    page: PageRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    brackets.speak(monkeypatch)
    picture = Rendition(FACTS, "Bild.", "KI-bearbeitet")
    page.core.shares[TOKEN] = SharedResult(picture, steps=("dunkler",), spoiler=True, remix="https://t.me/x?start=y")
    for path, status in ((f"/s/{TOKEN}", 200), ("/s/" + "b2" * 20, 404)):
        async with page.http.get(path, headers=GERMAN) as answer:
            text = await answer.text()
            said = [answer.headers[name] for name in ("Content-Language", "Vary", "Cache-Control")]
        assert (answer.status, said) == (status, ["de", "Accept-Language", "no-store"])
        assert '<html lang="de">' in text
        assert "$" not in text
    shown = await (await page.http.get(f"/s/{TOKEN}", headers=GERMAN)).text()
    for words in ("A picture made with Remixbot", "Download", "Remix this", "How it came about", "With this picture"):
        assert f"⟦{words}⟧" in shown
