"""The page that asks which is better: who is let in, what it gives away, and what it keeps."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from PIL import Image
from playwright.async_api import Page, async_playwright, expect

from bot.domain.images import Picture, Provenance
from bot.evaluation import serve_comparison
from bot.evaluation.archive import Archive, Choice, Evaluation, Job, Result, State
from bot.evaluation.scores import pairs_of
from tests.pictures import image, photo, saved, see_through

A, B = "gemini-first-image", "gemini-second-image"
CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
NAMES = (b"gemini", b"first-image", b"second-image")
MARK = b"made by gemini-second-image"


@dataclass
class Rig:
    """The page as it is served, and a visitor's HTTP client."""

    folder: Path
    url: str
    http: ClientSession
    evaluation: Evaluation
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self) -> dict[str, Any]:
        async with self.http.get(self.url + "next") as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def post(self, path: str, body: dict[str, Any], **options: Any) -> int:
        async with self.http.post(self.url + path, json=body, **options) as answer:
            return answer.status

    async def status(self, url: str, **options: Any) -> int:
        async with self.http.get(url, **options) as answer:
            return answer.status


def a_folder(folder: Path) -> Evaluation:
    """Two edits and a picture from words, made by both models; and one that only the first did."""
    archive = Archive(folder)
    with archive.locked():
        source = archive.keep_source("a" * 64, Picture(photo("astronaut"), "image/jpeg", 512, 512))
        jobs = [Job(words, "faces", "anna.jpg", "a" * 64, source) for words in ("let her laugh", "make it night")]
        jobs += [Job("a cup on a table", "from words", "words alone"), Job("refused", "faces", "anna.jpg", "a" * 64)]
        evaluation = archive.keep_evaluation((A, B), tuple(jobs))
        for job in jobs:
            _keep(archive, job, A, saved(image("coffee"), "JPEG"), "image/jpeg")
        for job in jobs[:3]:
            larger = image("cat").resize((1354, 900))
            _keep(archive, job, B, saved(larger, "PNG", compress_level=1, comment=MARK) + MARK, "image/png")
        archive.keep_result(jobs[3].key(B), Result(B, State.REFUSED, words="No."))
    return evaluation


def _keep(archive: Archive, job: Job, model: str, data: bytes, media_type: str) -> None:
    picture = Picture(data, media_type, 1, 1, provenance=Provenance.AI_EDITED)
    archive.keep_result(job.key(model), Result(model, State.DONE, 4.5, 39_000), picture)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    evaluation = a_folder(tmp_path)
    async with serving(tmp_path) as (url, stop), ClientSession() as http:
        yield Rig(tmp_path, url, http, evaluation, stop)


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[str, asyncio.Event]]:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    page = asyncio.create_task(serve_comparison(folder, host="127.0.0.1", port=0, ready=address.set_result, stop=stop))
    yield await address, stop
    stop.set()
    await page


# --- who is let in


async def test_only_this_machine_with_the_token_is_let_in(rig: Rig) -> None:
    parts = urlsplit(rig.url)
    origin = f"{parts.scheme}://{parts.netloc}"
    assert await rig.status(rig.url) == 200
    for url in (origin, f"{origin}/", f"{origin}/guessed/", f"{origin}/guessed/next", f"{rig.url}../guessed/page.js"):
        assert await rig.status(url) == 404
    for host in ("evil.example", f"evil.example:{parts.port}", "127.0.0.1.evil.example", "[::1", "[::1]x"):
        assert await rig.status(rig.url, headers={"Host": host}) == 403
    assert await rig.status(rig.url, headers={"Host": f"localhost:{parts.port}"}) == 200


async def test_another_site_can_neither_read_nor_judge(rig: Rig) -> None:
    pair = (await rig.next())["pair"]["id"]
    verdict = {"pair": pair, "choice": "left", "seconds": 1}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert await rig.post("verdicts", verdict, headers=headers) == 403
        assert await rig.status(rig.url + "next", headers=headers) == 403
    async with rig.http.post(rig.url + "verdicts", data=b'{"pair": ""}') as answer:
        assert answer.status == 415
    assert Archive(rig.folder).verdicts() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "example.org"])
async def test_it_does_not_listen_where_others_can_reach_it(tmp_path: Path, host: str) -> None:
    a_folder(tmp_path)
    with pytest.raises(ValueError, match="for this machine only"):
        await serve_comparison(tmp_path, host=host, port=0, ready=pytest.fail)


async def test_it_tells_the_browser_to_run_nothing_else_and_keep_nothing(rig: Rig) -> None:
    async with rig.http.get(rig.url) as answer:
        headers = answer.headers
    assert (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'" in headers["Content-Security-Policy"]
    )
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Server" not in headers


async def test_nonsense_is_turned_down(rig: Rig) -> None:
    pair = (await rig.next())["pair"]["id"]
    assert await rig.post("verdicts", {"pair": pair, "choice": "taken back", "seconds": 1}) == 409
    assert await rig.post("verdicts", {"pair": "f" * 40, "choice": "left", "seconds": 1}) == 409
    assert await rig.post("verdicts", {"pair": pair, "choice": "left", "seconds": float("nan")}) == 409
    assert await rig.post("verdicts", {"pair": pair, "choice": ["left"], "seconds": 1}) == 400
    assert await rig.post("back", {}) == 409
    assert await rig.status(f"{rig.url}pictures/{'f' * 40}/left") == 404
    assert await rig.status(f"{rig.url}pictures/{pair}/middle") == 404
    assert Archive(rig.folder).verdicts() == []


# --- blind


async def test_no_name_stands_in_anything_before_the_end(rig: Rig) -> None:
    seen: list[bytes] = []
    for _ in range(3):
        pair = (await rig.next())["pair"]
        places = ["left", "right", *(["source"] if pair["has_source"] else [])]
        for path in ("", "page.js", "page.css", "next", *(f"pictures/{pair['id']}/{place}" for place in places)):
            async with rig.http.get(rig.url + path) as answer:
                assert answer.status == 200
                seen += [await answer.read(), str(answer.url).encode(), repr(answer.headers).encode()]
        await rig.post("verdicts", {"pair": pair["id"], "choice": "equal", "seconds": 1})
    assert [data for data in seen if any(name in data.lower() for name in NAMES)] == []
    async with rig.http.post(rig.url + "outcome", json={}) as answer:
        outcome = await answer.json()
    assert [model["name"] for model in outcome["models"]] == [A, B]
    assert "usually 4.5 s each, about 4 ¢ per picture" in outcome["models"][0]["words"]


async def test_both_pictures_are_newly_made_of_one_type_and_one_size(rig: Rig) -> None:
    pair = (await rig.next())["pair"]["id"]
    files: list[bytes] = []
    for side in ("left", "right"):
        async with rig.http.get(f"{rig.url}pictures/{pair}/{side}") as answer:
            assert answer.content_type == "image/jpeg"
            files.append(await answer.read())
    left, right = (Image.open(BytesIO(data)) for data in files)
    assert left.width * left.height == pytest.approx(right.width * right.height, rel=0.01)
    assert [sorted(each.info) for each in (left, right)] == [
        ["jfif", "jfif_density", "jfif_unit", "jfif_version", "xmp"]
    ] * 2
    assert left.info["xmp"] == right.info["xmp"]
    assert b"AlgorithmicMedia" in left.info["xmp"]


async def test_what_is_transparent_stays_so_on_both_sides(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    job = Job("cut it out", "edits", "words alone")
    with archive.locked():
        archive.keep_evaluation((A, B), (job,))
        _keep(archive, job, A, saved(see_through(), "PNG"), "image/png")
        _keep(archive, job, B, photo("coffee"), "image/jpeg")
    async with serving(tmp_path) as (url, _), ClientSession() as http:
        pair = (await (await http.get(url + "next")).json())["pair"]["id"]
        types = [(await http.get(f"{url}pictures/{pair}/{side}")).content_type for side in ("left", "right")]
    assert types == ["image/png", "image/png"]


# --- verdicts


async def test_a_verdict_is_on_the_disk_with_its_sides_and_names_the_winner(rig: Rig) -> None:
    shown = (await rig.next())["pair"]
    assert await rig.post("verdicts", {"pair": shown["id"], "choice": "right", "seconds": 7.26}) == 200
    (kept,) = Archive(rig.folder).verdicts()
    pair = next(pair for pair in pairs_of(rig.evaluation) if pair.id == shown["id"])
    assert (kept.left, kept.right, kept.winner) == (pair.left, pair.right, pair.right)
    assert (kept.choice, kept.seconds, kept.kind) == (Choice.RIGHT, 7.3, shown["kind"])
    assert await rig.post("verdicts", {"pair": shown["id"], "choice": "left", "seconds": 1}) == 409


async def test_the_side_that_is_shown_left_is_the_one_that_wins_by_left(rig: Rig) -> None:
    shown = (await rig.next())["pair"]
    async with rig.http.get(f"{rig.url}pictures/{shown['id']}/left") as answer:
        left = Image.open(BytesIO(await answer.read())).convert("RGB").resize((8, 8))
    await rig.post("verdicts", {"pair": shown["id"], "choice": "left", "seconds": 1})
    (kept,) = Archive(rig.folder).verdicts()
    of_model = {A: image("coffee").resize((8, 8)), B: image("cat").resize((8, 8))}
    assert min(of_model, key=lambda model: _distance(left, of_model[model])) == kept.winner


def _distance(one: Image.Image, other: Image.Image) -> int:
    return sum(abs(a - b) for a, b in zip(one.tobytes(), other.tobytes(), strict=True))


async def test_the_last_verdict_can_be_taken_back_and_the_next_sitting_goes_on(rig: Rig) -> None:
    first = (await rig.next())["pair"]
    assert (first["number"], first["of"], (await rig.next())["can_take_back"]) == (1, 3, False)
    await rig.post("verdicts", {"pair": first["id"], "choice": "left", "seconds": 1})
    assert (await rig.next())["can_take_back"]
    assert await rig.post("back", {}) == 200
    assert (await rig.next())["pair"] == first
    await rig.post("verdicts", {"pair": first["id"], "choice": "neither", "seconds": 1})
    second = await rig.next()
    async with serving(rig.folder) as (url, _), rig.http.get(url + "next") as answer:
        assert await answer.json() == second | {"can_take_back": False}


async def test_the_names_are_told_at_the_end_and_then_no_verdict_is_taken_back(rig: Rig) -> None:
    for _ in range(3):
        assert await rig.post("outcome", {}) == 409
        await rig.post("verdicts", {"pair": (await rig.next())["pair"]["id"], "choice": "equal", "seconds": 1})
    assert await rig.next() == {"pair": None, "can_take_back": True}
    assert await rig.post("outcome", {}) == 200
    assert await rig.post("back", {}) == 409


async def test_a_signal_ends_it_in_peace(tmp_path: Path) -> None:
    a_folder(tmp_path)
    began: list[str] = []

    def ready(address: str) -> None:
        began.append(address)
        signal.raise_signal(signal.SIGINT)

    await serve_comparison(tmp_path, host="127.0.0.1", port=0, ready=ready)
    assert began[0].startswith("http://127.0.0.1:")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# --- in a browser


@contextlib.asynccontextmanager
async def visit(url: str, **options: Any) -> AsyncIterator[Page]:
    """A visitor. What the page complains about fails the test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, CHROMIUMS))),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
        )
        page = await browser.new_page(reduced_motion="reduce", **options)
        page.set_default_timeout(10_000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        await page.goto(url)
        yield page
        assert complaints == []
        await browser.close()


async def press(page: Page, key: str, then: str) -> None:
    await expect(page.locator("#verdicts button").first).to_be_enabled()
    await page.keyboard.press(key)
    await expect(page.locator("#count")).to_have_text(then)


@pytest.mark.browser
async def test_all_pairs_are_judged_by_keys_and_then_the_names_are_told(rig: Rig) -> None:
    async with visit(rig.url, viewport={"width": 1200, "height": 800}) as page:
        for key, then in (("ArrowLeft", "2 of 3"), ("=", "3 of 3")):
            await press(page, key, then)
            await expect(page.locator("body")).not_to_contain_text("gemini")
        await press(page, "0", "")
        await page.get_by_role("button", name="Undo the last").click()
        await press(page, "ArrowRight", "")
        await page.get_by_role("button", name="Show who was who").click()
        await expect(page.locator("#outcome")).to_contain_text(A)
        await expect(page.locator("tbody tr").first).to_contain_text("all tasks")
        await expect(page.get_by_role("button", name="Undo the last")).to_be_hidden()
    kept = [verdict.choice for verdict in Archive(rig.folder).verdicts()]
    assert kept == [Choice.LEFT, Choice.EQUAL, Choice.NEITHER, Choice.TAKEN_BACK, Choice.RIGHT]


@pytest.mark.browser
async def test_a_press_enlarges_all_pictures_and_another_zooms_into_the_same_place_of_each(rig: Rig) -> None:
    async with visit(rig.url, viewport={"width": 1200, "height": 800}) as page:
        await expect(page.locator("#verdicts button").first).to_be_enabled()
        before = await page.locator("#right img").bounding_box()
        await page.locator("#left .shown").click()
        await expect(page.locator("body")).to_have_class("large")
        await page.locator("#left .shown").click(position={"x": 100, "y": 300})
        styles = [await page.locator(f"#{side} img").get_attribute("style") for side in ("left", "right")]
        zoomed = await page.locator("#right img").bounding_box()
        await page.keyboard.press("Escape")
        assert await page.locator("#right img").bounding_box() == before
    origins = [str(style).partition("transform-origin:")[2].split(";")[0] for style in styles]
    assert origins[0] == origins[1] != ""
    assert zoomed is not None
    assert before is not None
    assert zoomed["width"] > 2 * before["width"]


@pytest.mark.browser
async def test_on_a_phone_the_pictures_stand_one_above_the_other(rig: Rig) -> None:
    async with visit(rig.url, viewport={"width": 390, "height": 844}, has_touch=True) as page:
        await expect(page.locator("#verdicts button").first).to_be_enabled()
        left = await page.locator("#left").bounding_box()
        right = await page.locator("#right").bounding_box()
        assert left is not None
        assert right is not None
        assert right["y"] >= left["y"] + left["height"]
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await page.get_by_role("button", name="Upper is better").tap()
        await expect(page.locator("#count")).to_have_text("2 of 3")
