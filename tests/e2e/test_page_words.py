"""Which language the page speaks, in a real browser: all of one, and never two at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from tests import brackets
from tests.fakes.rooms import AGREED, PageRig, open_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
SAMPLES = Path("adapters/web/static/samples").resolve()
CAT, COFFEE = SAMPLES / "cat.jpg", SAMPLES / "coffee.jpg"
PASSWORD = "open sesame"
SMALL_BYTES = 40_000
READ = """() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (node.nodeType === Node.TEXT_NODE && !node.parentElement.closest("noscript")) found.push(node.data);
        if (node.nodeType !== Node.ELEMENT_NODE) continue;
        for (const name of ["aria-label", "placeholder", "title", "alt"]) found.push(node.getAttribute(name) ?? "");
    }
    return found;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, CHROMIUMS))), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def visit(browser: Browser, url: str, words: Any = None, **options: Any) -> AsyncGenerator[Page, None]:
    """A visitor of their own. `words` is what answers for the page's words instead of the server."""
    context = await browser.new_context(reduced_motion="reduce", **options)
    if words is not None:
        await context.route("**/words.json", words)
    page = await context.new_page()
    page.set_default_timeout(10_000)
    await page.goto(url)
    yield page
    await context.close()


async def in_brackets(route: Route) -> None:
    await route.fulfill(json=brackets.page_words())


def said_by_others(value: Any) -> list[str]:
    """Every text in what the interface gives."""
    match value:
        case str():
            return [value, *value.split("\n"), value.rstrip(".…")] if value else []
        case dict():
            return [text for each in value.values() for text in said_by_others(each)]
        case list():
            return [text for each in value for text in said_by_others(each)]
        case _:
            return []


class Reader:
    """Looks for what is said in no language but English."""

    def __init__(self, page: Page, rig: PageRig, *own: str) -> None:
        self.page, self.rig = page, rig
        self.own = ["Remixbot", "home", *own]

    async def finds(self) -> list[str]:
        _, chat = await self.rig.gets("/api/chats/home/messages", headers={"Authorization": f"Bearer {PASSWORD}"})
        own = self.own + said_by_others(chat)
        return [left for text in await self.page.evaluate(READ) if (left := brackets.unmarked(text, own))]


async def enter(page: Page, name: str) -> None:
    await page.fill("#password", PASSWORD)
    await page.fill("#name", name)
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer")).to_be_visible()


async def say(page: Page, text: str) -> None:
    await page.fill("#words", text)
    await page.press("#words", "Enter")


@pytest_asyncio.fixture(loop_scope="module")
async def rig(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PageRig]:
    brackets.speak(monkeypatch)
    async with open_page(redis_url, password=PASSWORD, max_image_bytes=SMALL_BYTES) as rig:
        yield rig


async def test_nothing_that_is_read_on_the_page_was_left_out_of_the_catalogs(
    browser: Browser, rig: PageRig, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(SMALL_BYTES + 1))
    async with visit(browser, rig.url, in_brackets) as ann, visit(browser, rig.url, in_brackets) as ben:
        reader = Reader(ann, rig, "cat.jpg", "large.jpg")
        await ann.fill("#password", "wrong")
        await ann.keyboard.press("Enter")
        await expect(ann.locator("#sign-in-trouble")).to_contain_text("⟦That is not the password.")
        assert await reader.finds() == []  # where one signs in
        await enter(ann, "Ann")
        await expect(ann.locator("#welcome")).to_be_visible()
        assert await reader.finds() == []
        await ann.fill("#words", "/")
        reader.own += await ann.locator("#hints strong").all_inner_texts()
        assert await reader.finds() == []
        await ann.fill("#words", "")
        await ann.set_input_files("#files", large)
        await expect(ann.locator("#trouble")).to_contain_text("⟦I can take pictures")
        await ann.set_input_files("#files", CAT)
        assert await reader.finds() == []  # before it is sent
        await say(ann, "rotate it, with roles and ideas")
        await expect(ann.locator(".message.bot.done")).to_have_count(1)
        await ann.locator(".message.bot .more").click()
        assert await reader.finds() == []  # with its menu
        await ann.get_by_role("menuitem", name="⟦Info⟧").click()
        await expect(ann.locator("#sheet-words")).to_contain_text("edited without AI")
        reader.own += (await ann.locator("#sheet-words").inner_text()).split("\n")
        assert await reader.finds() == []
        await ann.keyboard.press("Escape")
        await ann.click("#settings")
        await expect(ann.get_by_role("menuitemradio")).to_have_count(3)
        assert await reader.finds() == []
        await ann.keyboard.press("Escape")
        await say(ann, "make it black and white, with a vote")
        await expect(ann.locator(".message.bot.done")).to_have_count(2)
        await expect(ann.locator(".vote")).to_be_visible()
        reader.own += ["A", "B"]  # the names of the two
        await ann.locator(".message.bot").last.get_by_role("button", name="All versions").click()
        await expect(ann.locator(".version")).to_have_count(3)
        assert await reader.finds() == []
        await ann.keyboard.press("Escape")
        await ann.locator(".message.bot").last.get_by_role("button", name="Before and after").click()
        await expect(ann.locator(".slider")).to_have_count(1)
        assert await reader.finds() == []
        await ann.keyboard.press("Escape")
        await enter(ben, "Ben")
        await ben.locator(".message.person").first.get_by_role("button", name="⟦Reply⟧").click()
        await say(ben, "rotate it")
        await expect(ann.locator(".asked")).to_contain_text("⟦May Ben edit your picture?⟧")
        assert await reader.finds() == []
        await ann.get_by_role("button", name="⟦Once⟧").click()
        await expect(ann.locator("#notice-words")).to_have_text(AGREED)
        await expect(ann.locator(".credit")).to_contain_text("⟦From your picture⟧ · ⟦asked for by Ben⟧")
        reader.own += [AGREED]
        assert await reader.finds() == []


async def test_albums_voices_and_what_waits_or_fails_are_said_in_one_language(browser: Browser, rig: PageRig) -> None:
    async with visit(browser, rig.url, in_brackets, permissions=[]) as page:
        reader = Reader(page, rig, "cat.jpg", "coffee.jpg")
        await enter(page, "Ann")
        await page.set_input_files("#files", [CAT])
        await say(page, "album wait")
        await expect(page.locator(".panel")).to_have_count(4)
        await page.locator(".panel .more").first.click()
        assert await reader.finds() == []
        await page.keyboard.press("Escape")
        for words, kind in (("wait", "waiting"), ("refuse", "refused"), ("ask", "asking"), ("fail", "failed")):
            await say(page, words)
            await expect(page.locator(f".message.bot.{kind}")).to_have_count(1)
        await say(page, "explain it")
        await expect(page.locator(".sources")).to_be_visible()
        reader.own += ["www.example.org"]
        assert await reader.finds() == []
        await page.set_input_files("#files", CAT)
        assert await reader.finds() == []  # a new beginning
        await page.route("**/messages", lambda route: route.abort())
        await say(page, "hidden for now")
        await expect(page.locator(".outgoing")).to_be_visible()
        await expect(page.locator(".outgoing .actions")).to_contain_text("⟦Not sent yet")
        reader.own += ["hidden for now"]
        assert await reader.finds() == []


async def test_a_german_browser_gets_a_german_page(browser: Browser, redis_url: str) -> None:
    async with open_page(redis_url) as rig, visit(browser, rig.url, locale="de-AT") as page:
        answer = await rig.http.get("/", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
        await expect(page.locator("#composer")).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        assert '<html lang="de">' in await answer.text()
        assert (answer.headers["Content-Language"], answer.headers["Vary"]) == ("de", "Accept-Language")
        assert await page.evaluate("import('/static/words.js').then(({ locale }) => locale)") == "de-AT"


async def test_words_that_do_not_come_hold_nothing_up(browser: Browser, redis_url: str) -> None:
    never = asyncio.Event()

    async def silence(route: Route) -> None:
        await never.wait()
        with contextlib.suppress(Exception):
            await route.abort()

    async with open_page(redis_url) as rig, visit(browser, rig.url, silence, locale="de-DE") as page:
        await expect(page.get_by_role("button", name="crop to a circle")).to_be_visible(timeout=4_000)
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        never.set()


async def test_words_in_a_catalog_are_never_markup(browser: Browser, redis_url: str) -> None:
    words = {"Drop a photo here": "<b>hier</b>", "Messages": '"><i>', "crop to a circle": "<s>rund</s> {circle}"}

    async def markup(route: Route) -> None:
        await route.fulfill(body=json.dumps({"language": "de", "words": words}), content_type="application/json")

    async with open_page(redis_url) as rig, visit(browser, rig.url, markup) as page:
        await expect(page.locator(".drop-zone strong")).to_have_text("<b>hier</b>")
        await page.get_by_role("button", name="<s>rund</s> {circle}").click()
        await expect(page.locator(".message.person .text")).to_have_text("<s>rund</s> {circle}")
        assert await page.locator("b, i, s").count() == 0


async def test_the_page_opens_where_a_browser_names_its_language_in_a_way_of_its_own(
    browser: Browser, rig: PageRig
) -> None:
    """As Chromium does on a Linux without a locale."""
    async with visit(browser, rig.url) as page:
        await page.add_init_script("Object.defineProperty(navigator, 'languages', { get: () => ['en-US@posix'] })")
        await page.reload()
        await enter(page, "Ann")
