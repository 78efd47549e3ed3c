"""Who is let in to the page, and what its answers say to a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from adapters.web.guard import check_bind
from adapters.web.login import GUESTS_PER_ADDRESS, TRIES_IN_TOTAL, TRIES_PER_ADDRESS
from adapters.web.server import build_app, serve
from bot.domain.refs import UserRef
from storage.redis.page import RedisPageStore
from tests.fakes.rooms import MemoryImages, MemorySpool, PageRig, SmallCore, open_page
from tests.platforms.test_web import CAT, words

PASSWORD = "correct horse – battery staple"
MESSAGES = "/api/chats/home/messages"


@pytest.fixture
async def page(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(redis_url, allowed_hosts=["pics.example.org", "other.example:8443"]) as rig:
        yield rig


@pytest.fixture
async def locked(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(redis_url, password=PASSWORD) as rig:
        yield rig


async def sign_in(page: PageRig, name: str) -> tuple[str, dict[str, str]]:
    """The person's id, and the header that carries their cookie."""
    _, told = await page.posts("/api/session", json={"password": PASSWORD, "name": name})
    (cookie,) = list(page.http.cookie_jar)
    page.http.cookie_jar.clear()
    return told["person"]["id"], {"Cookie": f"remixbot={cookie.value}"}


# --- where it listens


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_on_this_machine_no_password_is_needed(host: str) -> None:
    check_bind(host, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "", "example.org", "localhost.example.org"])
def test_open_to_others_it_does_not_start_without_a_password(host: str) -> None:
    check_bind(host, PASSWORD)
    with pytest.raises(ValueError, match="Set WEB_PASSWORD"):
        check_bind(host, "")


async def test_the_server_itself_refuses_to_stand_open(page: PageRig) -> None:
    app = build_app(rooms=page.core, store=page.store, spool=page.spool, images=page.images)
    with pytest.raises(ValueError, match="WEB_PASSWORD"):
        async with serve(app, host="0.0.0.0", port=0):
            raise AssertionError("it listens")


async def test_a_port_that_is_taken_is_reported(page: PageRig) -> None:
    app = build_app(rooms=page.core, store=page.store, spool=page.spool, images=page.images)
    port = int(page.url.rstrip("/").rpartition(":")[2])
    with pytest.raises(OSError):
        async with serve(app, host="127.0.0.1", port=port):
            raise AssertionError("it listens")


async def test_bound_to_every_address_it_answers_to_numbers_but_not_to_names(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store = RedisPageStore(client, prefix="test", retention_s=1000)
        core = SmallCore(None, MemoryImages())  # type: ignore[arg-type]
        app = build_app(rooms=core, store=store, spool=MemorySpool(), images=core.images, password=PASSWORD)
        async with serve(app, host="0.0.0.0", port=0) as url, ClientSession(url) as http:
            hosts = ["192.168.1.5:8080", "[fe80::1]:80", "localhost:1", "evil.example", "[fe80::1", "192.168.1.5:x", ""]
            statuses = [(await http.get("/api/session", headers={"Host": host})).status for host in hosts]
    assert statuses == [200, 200, 200, 421, 421, 421, 421]


# --- the Host header


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:80", "pics.example.org", "other.example:8443"])
async def test_its_own_names_are_answered(page: PageRig, host: str) -> None:
    status, _ = await page.gets(MESSAGES, headers={"Host": host})
    assert status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5", "other.example", "a:b:c"],
)
@pytest.mark.parametrize("path", ["/", MESSAGES, "/static/page.css"])
async def test_a_name_that_is_not_ours_gets_nothing(page: PageRig, host: str, path: str) -> None:
    assert words(await page.gets(path, headers={"Host": host}))[:2] == (421, "unknown_host")


# --- other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_another_site_can_neither_write_nor_read(page: PageRig, headers: dict[str, str]) -> None:
    _, ids = await page.says("wait for it", CAT)
    cancel = f"/api/chats/home/turns/{ids['turn_id']}/cancel"
    told = [
        words(await page.says("hello", CAT, headers=headers))[:2],
        words(await page.gets(MESSAGES, headers=headers))[:2],
        words(await page.gets("/api/chats/home/events", headers=headers))[:2],
        words(await page.posts(cancel, headers=headers))[:2],
        words(await page.posts("/api/session", json={}, headers=headers))[:2],
    ]
    assert told == [(403, "cross_site")] * 5
    assert [message["state"] for message in await page.sees()] == [None, "waiting"]


async def test_the_page_itself_may_be_linked_to(page: PageRig) -> None:
    async with page.http.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}) as response:
        assert response.status == 200


async def test_the_pages_own_requests_pass(page: PageRig) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": page.url.rstrip("/")}
    status, _ = await page.says("black and white", CAT, headers=headers)
    assert status == 202


async def test_an_address_typed_by_hand_may_read_and_not_write(page: PageRig) -> None:
    headers = {"Sec-Fetch-Site": "none"}
    read, _ = await page.gets(MESSAGES, headers=headers)
    written, _ = await page.says("hello", CAT, headers=headers)
    assert (read, written) == (200, 403)


async def test_a_browser_that_asks_for_permission_to_cross_sites_gets_none(page: PageRig) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    async with page.http.options(MESSAGES, headers=asked) as response:
        given = [name for name in response.headers if name.lower().startswith("access-control")]
        assert (response.status, given) == (403, [])


# --- what answers say


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/static/samples/cat.jpg", MESSAGES, "/nowhere"])
async def test_every_answer_forbids_what_it_does_not_need(page: PageRig, path: str) -> None:
    async with page.http.get(path) as response:
        told = response.headers
    policy = told["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (told["X-Content-Type-Options"], told["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert told["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in told


async def test_the_page_needs_no_script_or_style_within_its_markup(page: PageRig) -> None:
    async with page.http.get("/") as response:
        markup = await response.text()
    assert re.search(r"<script(?![^>]* src=\"/static/)|<style|\son\w+=|\sstyle=|//", markup) is None


async def test_what_people_wrote_is_not_kept_in_caches(page: PageRig) -> None:
    async with page.http.get(MESSAGES) as response:
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static/", "/static/samples/"])
async def test_only_the_pages_own_files_are_served(page: PageRig, path: str) -> None:
    status, _ = await page.gets(path)
    assert status in (403, 404)


# --- the password


async def test_without_a_password_everyone_here_is_the_owner(page: PageRig) -> None:
    limits = {"text_chars": 4000, "images": 10, "image_bytes": 40 * 2**20, "voice_bytes": 10 * 2**20}
    told = {"needs_password": False, "person": {"id": "owner", "name": "You"}, "limits": limits}
    told |= {"abilities": {"draws": True, "hears": True}}
    assert await page.gets("/api/session") == (200, told)
    assert await page.posts("/api/session", json={}) == (200, told)


async def test_nothing_is_shown_before_signing_in(locked: PageRig) -> None:
    told = [
        await locked.gets(MESSAGES),
        await locked.says("hello", CAT),
        await locked.gets("/api/chats/home/events"),
        await locked.gets(f"/api/chats/home/images/{'0' * 64}"),
        await locked.posts("/api/chats/home/turns/x-y/cancel"),
    ]
    assert [words(answer)[:2] for answer in told] == [(401, "sign_in")] * 5
    _, session = await locked.gets("/api/session")
    assert (session["needs_password"], session["person"]) == (True, None)


async def test_the_password_opens_the_page_under_the_name_one_gives(locked: PageRig) -> None:
    _, told = await locked.posts(
        "/api/session", json={"password": PASSWORD, "name": "  Ann\u202e \x07 of\n Green Gables "}
    )
    status, _ = await locked.says("black and white", CAT)
    message, _ = await locked.sees()
    assert (status, told["person"]["name"]) == (202, "Ann of Green Gables")
    assert message["author"] == {**told["person"], "is_bot": False}


async def test_whoever_comes_back_under_their_name_is_the_same_person(locked: PageRig) -> None:
    names = ["Ann Green", " ann  GREEN ", "Ａｎｎ Green", "Ann Greene"]
    first, second, third, other = [await sign_in(locked, name) for name in names]
    assert first[0] == second[0] == third[0] != other[0]


async def test_a_persons_id_does_not_follow_from_their_name_alone(locked: PageRig, redis_url: str) -> None:
    first, _ = await sign_in(locked, "Ann")
    async with Redis.from_url(redis_url) as client:
        await client.delete("test:page-salt")
    second, _ = await sign_in(locked, "Ann")
    assert first != second


async def test_without_a_name_only_a_few_come_in_from_one_address(locked: PageRig) -> None:
    nameless = {"password": PASSWORD, "name": " \n"}
    tries = [await locked.posts("/api/session", json=nameless) for _ in range(GUESTS_PER_ADDRESS + 1)]
    named, _ = await locked.posts("/api/session", json={"password": PASSWORD, "name": "Ann"})
    told = "Many people came in without a name today. Please give yours, and I will know you when you come back."
    assert [status for status, _ in tries[:-1]] == [200] * GUESTS_PER_ADDRESS
    assert (words(tries[-1]), named) == ((429, "too_many_guests", told), 200)


async def test_guests_of_other_addresses_are_counted_by_themselves(locked: PageRig) -> None:
    counted = [await locked.store.count_guest(f"10.0.0.{n % 2}", limit=2, window_s=100) for n in range(6)]
    assert counted[:4] == [0, 0, 0, 0]
    assert all(0 < wait_s <= 100 for wait_s in counted[4:])


async def test_each_sign_in_without_a_name_is_a_person_of_its_own(locked: PageRig) -> None:
    _, first = await locked.posts("/api/session", json={"password": PASSWORD})
    _, second = await locked.posts("/api/session", json={"password": PASSWORD})
    assert first["person"]["id"] != second["person"]["id"]
    assert first["person"]["name"] == "Guest"


async def test_one_person_cannot_cancel_what_another_asked_for(locked: PageRig) -> None:
    await locked.posts("/api/session", json={"password": PASSWORD})
    _, ids = await locked.says("wait for it", CAT)
    await locked.posts("/api/session", json={"password": PASSWORD})
    answer = await locked.posts(f"/api/chats/home/turns/{ids['turn_id']}/cancel")
    assert answer == (200, {"cancelled": False})


async def test_the_cookie_is_kept_from_scripts_and_other_sites(locked: PageRig) -> None:
    async with locked.http.post("/api/session", json={"password": PASSWORD}) as response:
        cookie = response.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_behind_https_the_cookie_is_for_https_only(redis_url: str) -> None:
    async with (
        open_page(redis_url, password=PASSWORD, behind_https=True) as page,
        page.http.post("/api/session", json={"password": PASSWORD}) as response,
    ):
        assert "Secure" in response.headers["Set-Cookie"].split("; ")


async def test_a_claim_of_https_by_the_sender_is_not_believed(locked: PageRig) -> None:
    claim = {"X-Forwarded-Proto": "https"}
    async with locked.http.post("/api/session", json={"password": PASSWORD}, headers=claim) as response:
        assert "Secure" not in response.headers["Set-Cookie"]


async def test_signing_out_ends_the_session_itself(locked: PageRig) -> None:
    await locked.posts("/api/session", json={"password": PASSWORD})
    (kept,) = list(locked.http.cookie_jar)
    async with locked.http.delete("/api/session") as response:
        assert response.status == 200
    stolen = {"Cookie": f"remixbot={kept.value}"}
    assert words(await locked.gets(MESSAGES, headers=stolen))[:2] == (401, "sign_in")


async def test_of_a_person_who_is_forgotten_no_session_is_left(locked: PageRig, redis_url: str) -> None:
    ann, anns_cookie = await sign_in(locked, "Ann")
    bob, bobs_cookie = await sign_in(locked, "Bob")
    await locked.platform.forget(UserRef("telegram", bob))
    await locked.platform.forget(UserRef("web", ann))
    statuses = [(await locked.gets(MESSAGES, headers=cookie))[0] for cookie in (anns_cookie, bobs_cookie)]
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        names = [await client.hget(key, "name") async for key in client.scan_iter("test:page-session:*")]
        leads = [key async for key in client.scan_iter("test:page-person:*")]
    assert (statuses, names, leads) == ([401, 200], ["Bob"], [f"test:page-person:{bob}"])


async def test_every_key_of_a_sign_in_expires(locked: PageRig, redis_url: str) -> None:
    await locked.posts("/api/session", json={"password": "wrong"})
    await locked.posts("/api/session", json={"password": PASSWORD})
    await locked.posts("/api/session", json={"password": PASSWORD, "name": "Ann"})
    async with Redis.from_url(redis_url) as client:
        lives = {key: await client.ttl(key) async for key in client.scan_iter()}
    assert len(lives) >= 8
    assert {key for key, life_s in lives.items() if life_s < 0} == set()


async def test_another_password_ends_every_session(locked: PageRig, redis_url: str) -> None:
    await locked.posts("/api/session", json={"password": PASSWORD})
    (kept,) = list(locked.http.cookie_jar)
    async with open_page(redis_url, password="another one") as changed:
        answer = await changed.gets(MESSAGES, headers={"Cookie": f"remixbot={kept.value}"})
    assert words(answer)[:2] == (401, "sign_in")


async def test_the_store_holds_nothing_that_signs_in(locked: PageRig, redis_url: str) -> None:
    await locked.posts("/api/session", json={"password": PASSWORD})
    (kept,) = list(locked.http.cookie_jar)
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        held = " ".join([f"{key} {await client.hgetall(key)}" async for key in client.scan_iter("*session*")])
    assert held
    assert kept.value not in held
    assert PASSWORD not in held


async def test_programs_send_the_password_with_each_request(locked: PageRig) -> None:
    assert words(await locked.gets(MESSAGES, headers={"Authorization": "Bearer wrong"}))[:2] == (401, "wrong_password")
    assert words(await locked.gets(MESSAGES, headers={"Authorization": "Basic eDp5"}))[:2] == (401, "sign_in")
    status, _ = await locked.says("black and white", CAT, headers={"Authorization": f"Bearer {PASSWORD}"})
    assert (status, locked.core.received[0].author.user) == (202, "api")


async def test_too_many_wrong_passwords_from_one_address_must_wait(locked: PageRig) -> None:
    tries = [await locked.posts("/api/session", json={"password": "wrong"}) for _ in range(TRIES_PER_ADDRESS + 1)]
    async with locked.http.post("/api/session", json={"password": PASSWORD}) as response:
        told = await response.json()
        assert (response.status, told["error"]["code"]) == (429, "too_many_tries")
        assert 0 < int(response.headers["Retry-After"]) <= 900
    assert "wait 15 minutes" in told["error"]["message"]
    assert [status for status, _ in tries] == [401] * TRIES_PER_ADDRESS + [429]


async def test_right_passwords_are_not_counted(locked: PageRig) -> None:
    ann = {"password": PASSWORD, "name": "Ann"}
    tries = [await locked.posts("/api/session", json=ann) for _ in range(TRIES_PER_ADDRESS * 2)]
    assert {status for status, _ in tries} == {200}


async def test_wrong_passwords_are_counted_over_all_addresses_too(locked: PageRig) -> None:
    limits = {"per_address": TRIES_PER_ADDRESS, "total": TRIES_IN_TOTAL, "window_s": 900}
    for number in range(TRIES_IN_TOTAL):
        assert await locked.store.count_try(f"10.0.0.{number}", right=False, **limits) == 0
    assert words(await locked.posts("/api/session", json={"password": PASSWORD}))[:2] == (429, "too_many_tries")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff"])
async def test_a_sign_in_that_cannot_be_read_is_answered_kindly(locked: PageRig, body: bytes) -> None:
    answer = await locked.posts("/api/session", data=body, headers={"Content-Type": "application/json"})
    assert words(answer)[:2] == (400, "bad_form")
