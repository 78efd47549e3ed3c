"""The page that says where a picture comes from, through the real server: for anybody, and keeping nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, FormData
from playwright.async_api import async_playwright
from redis.asyncio import Redis

from adapters.web.verify import MOST
from bot.domain.containers import jpeg_segment
from bot.domain.errors import BadPicture
from bot.domain.verifying import Known, Likeness, Match, Report, report_of
from bot.labels.verify import Trust, findings_of
from tests.credentials import anchors, turned
from tests.fakes.rooms import PageRig, open_page
from tests.pictures import photo, with_jpeg_segments
from tests.rig import CAT

CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MOST_BYTES = 2**21
EVIL = json.dumps({"Label": "1", "ContentProducer": "<script>alert(1)</script><b>&"})


async def check(data: bytes) -> Report:
    if data == b"refused":
        raise BadPicture("That picture has too many pixels for me.")
    found = findings_of(data, Trust(anchors()))
    return report_of(Known(found, match=Match(Likeness.UNKNOWN)))


@pytest.fixture
async def rig(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(
        redis_url, password="x", public_url="https://remix.example", check=check, max_image_bytes=MOST_BYTES
    ) as rig:
        yield rig


async def asks(http: ClientSession, data: bytes, name: str = "picture", **headers: str) -> tuple[int, str]:
    form = FormData(default_to_multipart=True)
    form.add_field(name, data, filename="x.jpg", content_type="image/jpeg")
    async with http.post("/verify", data=form, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_stranger_asks_and_is_told(stranger: ClientSession) -> None:
    shown = await stranger.get("/verify")
    assert (shown.status, shown.content_type) == (200, "text/html")
    assert "Nothing that you send is kept." in await shown.text()
    status, page = await asks(stranger, turned(photo()).data)
    assert status == 200
    assert '<h2 class="ours_proven">I made this picture.</h2>' in page
    assert '<li class="proof" dir="auto">Proof: I signed this file, and nobody changed it since.</li>' in page


async def test_programs_are_told_in_json(stranger: ClientSession) -> None:
    status, told = await asks(stranger, CAT, Accept="application/json")
    assert (status, json.loads(told)["verdict"]) == (200, "nothing")
    status, told = await asks(stranger, b"refused", Accept="application/json")
    assert (status, json.loads(told)["error"]["message"]) == (400, "That picture has too many pixels for me.")


async def test_it_is_told_in_the_language_of_the_browser(stranger: ClientSession) -> None:
    answer = await stranger.get("/verify", headers={"Accept-Language": "de"})
    assert '<html lang="de">' in await answer.text()


async def test_names_in_a_file_are_words_and_no_markup(stranger: ClientSession) -> None:
    data = with_jpeg_segments(photo(), jpeg_segment(b"\xe9", b"AIGC" + EVIL.encode()))
    _, page = await asks(stranger, data)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;b&gt;&amp;" in page
    assert "<script>alert" not in page


async def test_nothing_is_remembered_and_other_sites_may_not_ask(stranger: ClientSession) -> None:
    for answer in (await stranger.get("/verify"), await stranger.post("/verify")):
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert (await asks(stranger, CAT, Origin="https://evil.example"))[0] == 403
    assert (await asks(stranger, CAT, **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await asks(stranger, CAT, Origin="https://remix.example"))[0] == 200


async def test_nothing_is_kept(rig: PageRig, stranger: ClientSession, redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    before = sorted(await client.keys())
    assert (await asks(stranger, CAT))[0] == 200
    assert sorted(await client.keys()) == before
    assert (rig.images.pixels, [each async for each, _ in rig.spool.list()]) == ({}, [])
    await client.aclose()


async def test_what_cannot_be_looked_at_is_said_in_words(stranger: ClientSession) -> None:
    large = await asks(stranger, CAT.ljust(MOST_BYTES + 1, b"\0"))
    larger = await asks(stranger, CAT.ljust(MOST_BYTES * 3, b"\0"))
    nothing = await asks(stranger, b"")
    other = await asks(stranger, CAT, "image")
    refused = await asks(stranger, b"refused")
    async with stranger.post("/verify", data=b"no form") as answer:
        assert answer.status == 400
        assert 'role="alert"' in await answer.text()
    assert [status for status, _ in (large, larger, nothing, other, refused)] == [413, 413, 400, 400, 400]
    assert "I can take up to 2 MB" in large[1]
    assert "too many pixels" in refused[1]


async def test_who_asks_too_often_waits(stranger: ClientSession) -> None:
    answers = await asyncio.gather(*(stranger.post("/verify", data=b"x") for _ in range(MOST)))
    assert {each.status for each in answers} <= {400, 503}
    assert (await asks(stranger, CAT))[0] == 429


async def test_without_anybody_to_ask_there_is_no_page(redis_url: str) -> None:
    async with open_page(redis_url) as rig:
        assert (await rig.http.get("/verify")).status == 404


@pytest.mark.browser
async def test_on_a_phone_a_file_is_chosen_or_dropped_and_the_answer_stands_whole(rig: PageRig, tmp_path: Path) -> None:
    file, complaints = tmp_path / "signed.jpg", list[str]()
    file.write_bytes(turned(photo()).data)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, CHROMIUMS))), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{rig.url}verify")
        await page.set_input_files("input", file)
        await page.wait_for_selector("h2.ours_proven")
        await page.screenshot(path=tmp_path / "after.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        dropped = await page.evaluate_handle(
            "() => { const it = new DataTransfer(); it.items.add(new File(['no picture'], 'a.txt')); return it; }"
        )
        await page.dispatch_event("main", "drop", {"dataTransfer": dropped})
        await page.wait_for_selector("h2.nothing")
        await browser.close()
    assert complaints == []
