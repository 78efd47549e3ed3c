"""Being called by Telegram: past the page's own guards, and only by who knows the secret."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from redis.exceptions import ConnectionError as StoreDown
from structlog.testing import capture_logs

from adapters.telegram import webhook as webhook_module
from adapters.telegram.api import ALLOWED_UPDATES
from adapters.telegram.polling import CONFLICT
from adapters.telegram.webhook import HEADER, MOST_BYTES, OTHER_WORDS, PATH, Webhook, secret_of
from adapters.web.server import build_app, serve
from bot.ending import end
from storage.objects.store import image_store, uploads
from storage.redis.page import RedisPageStore
from storage.redis.telegram_inbox import RedisInbox
from tests.platforms.telegram_doors import Process, Scene, a_scene


class Failing(RedisInbox):
    """Stores nothing, `down` times."""

    down = 0

    async def take_in(self, account: str, updates: Sequence[tuple[int, bytes]]) -> int:
        if self.down:
            self.down -= 1
            raise StoreDown
        return await super().take_in(account, updates)


@dataclass
class Replica:
    """A process with the page's server and the webhook on it."""

    process: Process
    hook: Webhook
    address: str


@dataclass
class Replicas:
    scene: Scene
    stack: AsyncExitStack

    async def one(self, *, inbox: RedisInbox | None = None, **options: Any) -> Replica:
        """Its page wants a password and serves this machine alone: none of that is for Telegram."""
        process = self.scene.process(inbox=inbox)
        hook = self._hook(process, "http://127.0.0.1:1", **options)
        app = build_app(
            rooms=self.scene.rooms,
            store=RedisPageStore(self.scene.client, retention_s=3600),
            spool=uploads("memory://"),
            images=image_store("memory://"),
            password="let me in",
            calls=hook.routes(),
        )
        address = await self.stack.enter_async_context(serve(app, host="127.0.0.1", port=0, grace_s=0.1))
        hook.url = address.rstrip("/") + PATH
        return Replica(process.begins(asks=False), hook, address)

    def _hook(self, process: Process, url: str, **options: Any) -> Webhook:
        return Webhook(
            process.telegram,
            process.inbox,
            process.store,
            process.mailroom.arrived,
            account=self.scene.me.id,
            token=self.scene.fake.token,
            public_url=url,
            **options,
        )


@pytest.fixture
async def replicas(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Replicas]:
    monkeypatch.setattr(webhook_module, "FIRST_WAIT_S", 0.05)
    async with a_scene(redis_url, floods=False) as scene, AsyncExitStack() as stack:
        scene.fake.updates.retry_s = 0.05
        yield Replicas(scene, stack)


@asynccontextmanager
async def told(hook: Webhook) -> AsyncIterator[None]:
    """While Telegram knows where to call."""
    task = asyncio.create_task(hook.run())
    try:
        yield
    finally:
        await end(task)


async def test_telegram_calls_and_what_it_brings_is_dealt_with(replicas: Replicas) -> None:
    scene, one = replicas.scene, await replicas.one()
    anna = scene.fake.user("Anna")
    async with told(one.hook):
        await scene.until(lambda: scene.fake.updates.webhook)
        await anna.says(scene.fake.private(anna), "a fox")
        await scene.until(lambda: scene.texts() == ["a fox"])
    (asked,) = scene.fake.asked("setWebhook")
    assert asked.arguments["url"] == one.address + "telegram"
    assert asked.arguments["secret_token"] == secret_of(scene.fake.token)
    assert tuple(asked.arguments["allowed_updates"]) == ALLOWED_UPDATES
    assert not asked.arguments.get("drop_pending_updates")
    assert scene.fake.updates.webhook is not None  # it stays when a process ends


async def test_two_replicas_take_calls_at_once_and_each_update_is_dealt_with_once(replicas: Replicas) -> None:
    scene, one, two = replicas.scene, await replicas.one(), await replicas.one()
    raw = [message_update(number) for number in range(1, 21)]
    calls = [called("POST", replica, json=each, headers=signed(scene)) for each in raw for replica in (one, two)]
    assert await asyncio.gather(*calls) == [(200, b"")] * 40
    await scene.settled(one.process)
    assert sorted(scene.texts()) == sorted(f"fox {number}" for number in range(1, 21))


async def test_all_replicas_show_the_same_secret_and_another_token_another() -> None:
    assert secret_of("1:a") == secret_of("1:a") != secret_of("1:b")
    assert "1:a" not in secret_of("1:a")


async def test_while_the_store_is_down_telegram_is_asked_to_come_again(replicas: Replicas) -> None:
    scene = replicas.scene
    inbox = Failing(scene.client)
    inbox.down = 2
    one = await replicas.one(inbox=inbox)
    anna = scene.fake.user("Anna")
    async with told(one.hook):
        await scene.until(lambda: scene.fake.updates.webhook)
        await anna.says(scene.fake.private(anna), "a fox")
        await scene.until(lambda: scene.texts() == ["a fox"])
    assert inbox.down == 0
    assert scene.fake.updates.webhook is not None
    assert "503" in scene.fake.updates.webhook.last_error


@pytest.mark.parametrize("shown", [{}, {HEADER: ""}, {HEADER: "guessed"}, {HEADER: "\xff\xfe"}])
async def test_who_does_not_show_the_secret_is_told_nothing(replicas: Replicas, shown: dict[str, str]) -> None:
    one = await replicas.one()
    assert await called("POST", one, json=message_update(1), headers=shown) == (401, b"")
    assert await replicas.scene.client.exists(one.process.inbox._stream(replicas.scene.me.id)) == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"update_id": "7"}', 400),
        (b'{"update_id": true}', 400),
        (b"[" * 200_000, 400),
        (b'{"update_id": 1, "x": "' + b"y" * MOST_BYTES + b'"}', 413),
    ],
    ids=["empty", "half", "list", "text", "true", "deep", "large"],
)
async def test_what_is_no_update_is_not_stored(replicas: Replicas, body: bytes, status: int) -> None:
    one = await replicas.one()
    assert await called("POST", one, data=body, headers=signed(replicas.scene)) == (status, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_the_address_can_only_be_posted_to(replicas: Replicas, method: str) -> None:
    one = await replicas.one()
    assert await called(method, one, headers=signed(replicas.scene)) == (405, b"")


async def test_a_call_may_come_by_any_name_while_the_page_behind_it_stays_closed(replicas: Replicas) -> None:
    one = await replicas.one()
    strange = {"Host": "bot.example.org", "Origin": "https://elsewhere.example"}
    async with aiohttp.ClientSession() as session:
        call = session.post(one.hook.url, json=message_update(1), headers=signed(replicas.scene) | strange)
        async with call as answer:
            assert answer.status == 200
        for path in ("", "api/chats/main/messages", "telegram/", "telegram/x"):
            async with session.get(one.address + path, headers=strange) as answer:
                assert answer.status == 421
        async with session.get(one.address + "api/chats/main/messages") as answer:
            assert answer.status == 401


async def test_who_tells_telegram_another_address_is_named_and_ours_is_told_again(replicas: Replicas) -> None:
    scene, one = replicas.scene, await replicas.one(check_every_s=0.1)
    with capture_logs() as logs:
        async with told(one.hook):
            await scene.until(lambda: scene.fake.updates.webhook)
            scene.fake.updates.set_webhook("http://127.0.0.1:9/other", secret="", max_connections=1)
            await scene.until(lambda: len(scene.fake.asked("setWebhook")) == 2)
            noted = await one.process.store.noted(CONFLICT)
    assert noted == OTHER_WORDS
    assert [each["event"] for each in logs].count(OTHER_WORDS) == 1


async def test_telegram_is_told_as_soon_as_it_listens(replicas: Replicas) -> None:
    scene, one = replicas.scene, await replicas.one()
    scene.fake.fail("setWebhook", times=2)
    async with told(one.hook):
        await scene.until(lambda: scene.fake.updates.webhook)
    assert len(scene.fake.asked("setWebhook")) == 3


async def called(method: str, replica: Replica, **request: Any) -> tuple[int, bytes]:
    """What is answered, and with which words."""
    async with aiohttp.ClientSession() as session, session.request(method, replica.hook.url, **request) as answer:
        return answer.status, await answer.read()


def signed(scene: Scene) -> dict[str, str]:
    return {HEADER: secret_of(scene.fake.token)}


def message_update(number: int) -> dict[str, Any]:
    anna = {"id": 77, "is_bot": False, "first_name": "Anna"}
    chat = {"id": 77, "type": "private", "first_name": "Anna"}
    message = {"message_id": number, "date": 1_790_000_000, "chat": chat, "from": anna, "text": f"fox {number}"}
    return {"update_id": number, "message": message}


async def test_telling_telegram_ends_when_it_is_asked_once_though_the_store_swallowed_that(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await replicas.one(check_every_s=0.01)
    noting = asyncio.Event()

    async def swallows(*_: object) -> None:
        noting.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    monkeypatch.setattr(one.process.store, "note", swallows)
    task = asyncio.create_task(one.hook.run())
    await asyncio.wait_for(noting.wait(), 10)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    is_over = task.done()
    monkeypatch.undo()
    await end(task)
    assert is_over
