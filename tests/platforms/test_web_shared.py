"""The page of a shared result, through the real server: for whoever has the link, with nothing but what is shared."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from aiohttp import ClientSession
from playwright.async_api import async_playwright

from adapters.web.shared import MOST
from bot.domain.images import ImageFacts
from bot.domain.messages import Rendition
from bot.domain.refs import sha256_of
from bot.domain.sharing import SharedResult
from tests.fakes.rooms import PageRig, open_page
from tests.rig import CAT

TOKEN, OTHER = "a1" * 20, "b2" * 20
CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FACTS = ImageFacts(sha256_of(CAT), "image/jpeg", 451, 300, len(CAT))
RESULT = SharedResult(
    picture=Rendition(FACTS, "Picture. AI-edited · Gemini.", "AI-edited · Gemini"),
    by="Anna <b>",
    friends=2,
    steps=("crop to a square", "make it <script>winter</script> & “quiet”", "a step by a friend"),
    remix="https://t.me/remix_test_bot?start=remix_0123",
)


@pytest.fixture
async def rig(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(redis_url, password="open sesame", public_url="https://remix.example") as rig:
        rig.core.shares[TOKEN] = RESULT
        await rig.images.put(CAT)
        yield rig


async def test_a_stranger_sees_picture_label_credit_steps_and_the_way_back(stranger: ClientSession) -> None:
    answer = await stranger.get(f"/s/{TOKEN}")
    page = await answer.text()
    assert (answer.status, answer.content_type) == (200, "text/html")
    for part in (
        f'<img src="/s/{TOKEN}/picture" alt="Picture. AI-edited · Gemini." width="451" height="300">',
        '<strong class="label">AI-edited · Gemini</strong>',
        "Made by Anna &lt;b&gt;, with 2 friends",
        "make it &lt;script&gt;winter&lt;/script&gt; &amp; “quiet”",
        '<a class="remix" href="https://t.me/remix_test_bot?start=remix_0123"',
    ):
        assert part in page


async def test_nothing_is_remembered_indexed_or_told_on(stranger: ClientSession) -> None:
    for path in (f"/s/{TOKEN}", f"/s/{TOKEN}/picture", f"/s/{OTHER}"):
        headers = (await stranger.get(path)).headers
        assert "Set-Cookie" not in headers
        assert headers["X-Robots-Tag"].startswith("noindex")
        assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "script" not in headers["Content-Security-Policy"]


async def test_the_picture_is_the_labelled_file_byte_for_byte(stranger: ClientSession) -> None:
    shown = await stranger.get(f"/s/{TOKEN}/picture")
    kept = await stranger.get(f"/s/{TOKEN}/picture?download=1")
    assert (await shown.read(), await kept.read(), shown.content_type) == (CAT, CAT, "image/jpeg")
    assert "Content-Disposition" not in shown.headers
    assert kept.headers["Content-Disposition"].startswith('attachment; filename="remixbot-')


async def test_unknown_ended_and_malformed_links_are_answered_alike(rig: PageRig, stranger: ClientSession) -> None:
    tokens = (OTHER, "x", "A1" * 20, "%00", "a" * 5000, "..%2f..%2fapi", "ü", TOKEN)
    rig.core.shares.clear()
    told = [await stranger.get(f"/s/{token}{end}") for token in tokens for end in ("", "/picture")]
    volatile = {"Date"}
    assert {(each.status, await each.text()) for each in told} == {(404, await told[0].text())}
    kinds = {tuple((k, v) for k, v in each.headers.items() if k not in volatile) for each in told}
    assert len(kinds) == 1


async def test_under_the_public_name_there_is_nothing_else(rig: PageRig, stranger: ClientSession) -> None:
    paths = ("/", "/api/session", "/api/chats/home/messages", "/s", "/static/../api/session")
    assert [(await stranger.get(path)).status for path in paths] == [421] * len(paths)
    assert (await stranger.get("/static/shared.css")).status == 200
    assert (await rig.http.get("/")).status == 200


async def test_who_looks_too_often_waits(stranger: ClientSession) -> None:
    answers = [(await stranger.get(f"/s/{OTHER}")).status for _ in range(MOST + 1)]
    assert answers == [404] * MOST + [429]
    assert (await stranger.get(f"/s/{TOKEN}")).status == 429


async def test_a_link_that_leads_elsewhere_than_to_the_web_is_no_link(rig: PageRig, stranger: ClientSession) -> None:
    for link in ("", "javascript:alert(1)", "data:text/html,x"):
        rig.core.shares[OTHER] = SharedResult(RESULT.picture, remix=link)
        page = await (await stranger.get(f"/s/{OTHER}")).text()
        assert "Remix this" not in page
        assert "Made by somebody in a chat" in page
        assert "How it came about" not in page


async def test_what_was_hidden_in_its_chat_is_hidden_here(rig: PageRig, stranger: ClientSession) -> None:
    rig.core.shares[OTHER] = SharedResult(RESULT.picture, spoiler=True)
    assert '<details class="veil"><summary>' in await (await stranger.get(f"/s/{OTHER}")).text()


@pytest.mark.browser
async def test_on_a_phone_it_stands_whole_in_light_and_dark(rig: PageRig, tmp_path: Path) -> None:
    grounds: list[str] = []
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, CHROMIUMS))), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        page.on("console", lambda said: complaints.append(said.text))
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await page.goto(f"{rig.url}s/{TOKEN}", wait_until="load")
            await page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") == 390
            assert await page.evaluate("document.querySelector('img').naturalWidth") == 451
            grounds.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        await browser.close()
    assert (len(set(grounds)), complaints) == (2, [])
