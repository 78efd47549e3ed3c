"""What happens in a chat, as it happens: the page's stream of events, and the store beneath it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse
from redis.asyncio import Redis

from adapters.web import events
from bot.domain.refs import ChatRef, MessageRef, Sha256, TurnId
from storage.redis.page import EVENTS_KEPT, RedisPageStore
from tests.fakes.rooms import PageRig, open_page
from tests.platforms.test_web import CAT, words


@pytest.fixture
async def page(redis_url: str) -> AsyncIterator[PageRig]:
    async with open_page(redis_url) as rig:
        yield rig


async def next_event(response: ClientResponse) -> dict[str, Any]:
    """The next event of a stream; comments are passed over."""
    event: dict[str, Any] = {}
    async with asyncio.timeout(5):
        async for line in response.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "" and "data" in event:
                return event
            event |= {name: json.loads(value) if name == "data" else value} if name in {"id", "event", "data"} else {}
    raise AssertionError("the stream ended")


@asynccontextmanager
async def stream(page: PageRig, chat: str = "home", **options: Any) -> AsyncGenerator[ClientResponse, None]:
    async with page.http.get(f"/api/chats/{chat}/events", **options) as response:
        assert await response.content.readline() == b"retry: 2000\n"
        yield response


async def until(response: ClientResponse, state: str) -> dict[str, Any]:
    """The first event that shows a message in this state."""
    while True:
        event = await next_event(response)
        if event["data"].get("state") == state:
            return event


async def test_whoever_looks_sees_the_message_and_then_its_answer(page: PageRig) -> None:
    async with stream(page) as live:
        await page.says("black and white", CAT)
        done = await until(live, "done")
    assert (done["event"], done["data"]) == ("message", (await page.sees())[1])


async def test_a_stream_is_an_event_stream_that_no_proxy_holds_back(page: PageRig) -> None:
    async with stream(page) as live:
        told = live.headers
    assert told["Content-Type"] == "text/event-stream"
    assert (told["Cache-Control"], told["X-Accel-Buffering"]) == ("no-store", "no")


async def test_after_a_cut_the_stream_goes_on_where_it_was(page: PageRig) -> None:
    await page.says("wait for it", CAT)
    async with stream(page, params={"after": "0-0"}) as live:
        seen = await until(live, "waiting")
    await page.says("black and white", CAT)
    async with stream(page, headers={"Last-Event-ID": seen["id"]}) as live:
        missed = [(await next_event(live))["data"]["text"] for _ in range(2)]
    assert missed == ["black and white", "Edited, no AI"]


async def test_the_list_of_messages_says_where_its_stream_begins(page: PageRig) -> None:
    await page.says("black and white", CAT)
    _, listed = await page.gets("/api/chats/home/messages")
    await page.says("turn it", CAT)
    async with stream(page, params={"after": listed["last_event_id"]}) as live:
        assert (await next_event(live))["data"]["text"] == "turn it"


async def test_several_changes_of_a_message_are_told_once_as_it_stands_now(page: PageRig) -> None:
    _, ids = await page.says("wait for it", CAT)
    await page.core.run(TurnId(ids["turn_id"]))
    async with stream(page, params={"after": "0-0"}) as live:
        told = [(await next_event(live))["data"] for _ in range(2)]
    assert [(message["id"], message["state"]) for message in told] == [
        (ids["message_id"], None),
        (ids["answer_id"], "running"),
    ]


async def test_what_is_deleted_is_told_as_gone(page: PageRig) -> None:
    _, ids = await page.says("black and white", CAT)
    _, listed = await page.gets("/api/chats/home/messages")
    async with stream(page, params={"after": listed["last_event_id"]}) as live:
        await page.platform.retract([MessageRef(ChatRef("web", "page", "home"), ids["answer_id"])], [])
        told = await next_event(live)
    assert (told["event"], told["data"]) == ("gone", {"id": ids["answer_id"]})


async def test_nothing_of_another_chat_is_told(page: PageRig) -> None:
    async with stream(page, "garden") as live:
        await page.says("black and white", CAT, chat="home")
        await page.says("turn it", CAT, chat="garden")
        assert (await next_event(live))["data"]["text"] == "turn it"


async def test_who_was_away_too_long_is_told_to_read_anew(page: PageRig) -> None:
    await page.says("black and white", CAT)
    async with stream(page, headers={"Last-Event-ID": "1-0"}) as live:
        assert (await next_event(live))["event"] == "reset"


@pytest.mark.parametrize("last", ["nonsense", "0", "-1-0", "9" * 40 + "-0"])
async def test_an_event_id_that_is_none_means_from_now_on(page: PageRig, last: str) -> None:
    await page.says("black and white", CAT)
    async with stream(page, headers={"Last-Event-ID": last}) as live:
        await page.says("turn it", CAT)
        assert (await next_event(live))["data"]["text"] == "turn it"


async def test_what_another_process_writes_is_told_at_once(page: PageRig, redis_url: str) -> None:
    async with open_page(redis_url) as elsewhere, stream(page) as live:
        await elsewhere.says("black and white", CAT)
        assert (await until(live, "done"))["data"]["text"] == "Edited, no AI"


async def test_a_quiet_stream_shows_that_it_lives(page: PageRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    async with stream(page) as response, asyncio.timeout(5):
        assert await response.content.readuntil(b": still here\n")


async def test_a_stream_ends_after_a_while_and_who_may_look_is_asked_again(
    page: PageRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STREAM_S", 0.0)
    async with stream(page) as response, asyncio.timeout(5):
        assert await response.content.read() == b": hello\n\n"


async def test_more_streams_than_the_page_can_hold_are_turned_away(
    page: PageRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STREAMS", 1)
    async with stream(page):
        assert words(await page.gets("/api/chats/garden/events"))[:2] == (503, "busy")


async def test_a_stream_ends_when_the_page_closes(redis_url: str) -> None:
    async with asyncio.timeout(4):
        async with open_page(redis_url) as page:
            response = await page.http.get("/api/chats/home/events")
        assert response.status == 200


async def test_the_store_forgets_old_events_and_says_so(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store = RedisPageStore(client, prefix="test", retention_s=1000)
        await store.append("home", "m1", {"id": "m1", "state": "running"})
        first = (await store.events("home", after="0-0", wait_s=0))[0][0]
        for number in range(EVENTS_KEPT + 200):
            await store.replace("home", "m1", {"position": str(number)})
        with pytest.raises(LookupError):
            await store.events("home", after=first, wait_s=0)
        with pytest.raises(LookupError):
            await store.events("home", after="0-0", wait_s=0)
        length = await client.xlen("test:page:{home}:events")
    assert length < EVENTS_KEPT + 150


async def test_the_store_tells_nothing_where_nothing_changed(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store = RedisPageStore(client, prefix="test", retention_s=1000)
        await store.append("home", "m1", {"id": "m1", "state": "running"})
        ((first, _),) = await store.events("home", after="0-0", wait_s=0)
        assert await store.replace("home", "m1", {"state": "running"})
        assert await store.events("home", after=first, wait_s=0.01) == []


async def test_the_store_keeps_fields_that_it_does_not_know(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store = RedisPageStore(client, prefix="test", retention_s=1000)
        await store.append("home", "m1", {"id": "m1", "state": "running"})
        await client.hset("test:page:{home}:message:m1", "of_a_later_version", "kept")
        await store.replace("home", "m1", {"state": "done", "final": "1"})
        (record,) = await store.find("home", ["m1"])
    assert record == {
        "v": "1",
        "number": "1",
        "id": "m1",
        "state": "done",
        "final": "1",
        "of_a_later_version": "kept",
    }


async def test_messages_that_expired_leave_no_hole_in_a_page(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        store = RedisPageStore(client, prefix="test", retention_s=1000)
        for number in range(6):
            await store.append("home", f"m{number}", {"id": f"m{number}"})
        await client.delete("test:page:{home}:message:m3", "test:page:{home}:message:m4")
        _, found = await store.page("home", before=None, limit=3)
    assert [record["id"] for record in found] == ["m1", "m2", "m5"]


async def test_an_image_that_a_message_no_longer_shows_is_out_of_sight(redis_url: str) -> None:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        store = RedisPageStore(client, prefix="test", retention_s=1000)
        await store.append("home", "m1", {"id": "m1"})
        await store.replace("home", "m1", {"images": "1"}, images={"aa": "image/png"})  # type: ignore[dict-item]
        await store.replace("home", "m1", {"images": "2"}, images={"bb": "image/jpeg"})  # type: ignore[dict-item]
        seen = [await store.image("home", name) for name in ("aa", "bb")]  # type: ignore[arg-type]
    assert seen == [None, "image/jpeg"]


async def shown(client: Redis, retention_s: int) -> RedisPageStore:
    """A store, with a message in it that shows an image."""
    store = RedisPageStore(client, prefix="test", retention_s=retention_s)
    await store.append("home", "m1", {"id": "m1"})
    await store.replace("home", "m1", {"images": "1"}, images={Sha256("aa"): "image/png"})
    return store


async def lives_s(client: Redis, *names: str) -> list[int]:
    return [await client.ttl(f"test:page:{{home}}:{name}") for name in names]


async def test_a_reply_renews_the_message_and_the_images_that_it_shows(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        await shown(client, retention_s=100)
        longer = RedisPageStore(client, prefix="test", retention_s=1000)
        await longer.append("home", "m2", {"id": "m2", "reply_to": "m1"})
        lives = await lives_s(client, "message:m1", "image:aa")
    assert all(900 < life_s <= 1000 for life_s in lives)


async def test_a_message_that_is_renewed_keeps_its_images_with_it(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        await shown(client, retention_s=100)
        longer = RedisPageStore(client, prefix="test", retention_s=1000)
        await longer.replace("home", "m1", {"asked": "t1"}, quiet=True)
        lives = await lives_s(client, "message:m1", "image:aa")
    assert all(900 < life_s <= 1000 for life_s in lives)
