"""What chats set for themselves, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.domain.chats import ChatSettings
from bot.domain.refs import ChatRef
from storage.redis.chats import RedisChatStore
from storage.redis.client import open_client
from tests.values import CHAT

QUIET = ChatSettings(suggestions=False)
KEY = f"rb:chat:{{{CHAT.key}}}:settings"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def store(client: Redis) -> RedisChatStore:
    return RedisChatStore(client, retention_s=1000)


async def test_a_chat_that_set_nothing_has_what_everybody_has(store: RedisChatStore, client: Redis) -> None:
    assert await store.settings(CHAT) == ChatSettings()
    assert await client.keys("*") == []


async def test_what_a_chat_sets_is_its_own(store: RedisChatStore) -> None:
    other = ChatRef("web", "page", "garden")
    await store.change(CHAT, QUIET)
    assert (await store.settings(CHAT), await store.settings(other)) == (QUIET, ChatSettings())
    await store.change(CHAT, ChatSettings(questions=False))
    assert await store.settings(CHAT) == ChatSettings(questions=False)


async def test_settings_live_as_long_as_they_are_used(store: RedisChatStore, client: Redis) -> None:
    await store.change(CHAT, QUIET)
    assert 0 < await client.ttl(KEY) <= 1000
    await client.expire(KEY, 5)
    await store.settings(CHAT)
    assert await client.ttl(KEY) > 900


async def test_what_a_newer_version_set_is_kept_by_an_older_one(store: RedisChatStore, client: Redis) -> None:
    await client.set(KEY, '{"suggestions": true, "language": "de"}')
    await store.change(CHAT, QUIET)
    assert '"language":"de"' in str(await client.get(KEY))
    assert await store.settings(CHAT) == QUIET
