"""What chats and servers set for themselves, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.domain.access import Access
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Policy
from bot.domain.refs import ChatRef, ServerRef
from storage.redis.chats import SETTINGS_LIFE_S, RedisChatStore
from storage.redis.client import open_client
from tests.values import CHAT

QUIET = ChatSettings(suggestions=False)
STRICT = ServerSettings(
    consent=Policy.OFF, access=Access(allowed_chats=("7",)), person_day_microusd=0, day_microusd=5_000_000
)
SERVER = ServerRef("web", "page", "house")
KEY = f"rb:chat:{{{CHAT.key}}}:settings"
SERVER_KEY = f"rb:server:{{{SERVER.key}}}:settings"


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


@pytest.mark.parametrize("key", [KEY, SERVER_KEY])
async def test_settings_outlive_a_season_in_which_nobody_came_by(
    store: RedisChatStore, client: Redis, key: str
) -> None:
    await store.change(CHAT, QUIET)
    await store.change_server(SERVER, STRICT)
    assert SETTINGS_LIFE_S - 10 < await client.ttl(key) <= SETTINGS_LIFE_S
    await client.expire(key, 5)
    assert (await store.settings(CHAT), await store.server(SERVER)) == (QUIET, STRICT)
    assert await client.ttl(key) > SETTINGS_LIFE_S - 10


async def test_settings_live_at_least_as_long_as_everything_else(client: Redis) -> None:
    await RedisChatStore(client, retention_s=2 * SETTINGS_LIFE_S).change(CHAT, QUIET)
    assert await client.ttl(KEY) > SETTINGS_LIFE_S


async def test_what_is_decided_for_a_server_is_its_own(store: RedisChatStore) -> None:
    other = ServerRef("web", "page", "garden")
    assert await store.server(SERVER) == ServerSettings()
    await store.change_server(SERVER, STRICT)
    assert (await store.server(SERVER), await store.server(other)) == (STRICT, ServerSettings())
    assert await store.settings(ChatRef("web", "page", SERVER.server)) == ChatSettings()
    await store.change_server(SERVER, ServerSettings())
    assert await store.server(SERVER) == ServerSettings()


async def test_what_is_decided_for_a_chat_comes_back_whole(store: RedisChatStore) -> None:
    decided = ChatSettings(consent=Policy.OWN, access=Access(denied_people=("1", "2"), allowed_roles=("9" * 20,)))
    await store.change(CHAT, decided)
    assert await store.settings(CHAT) == decided


async def test_only_what_was_changed_is_written_over_what_others_have_set_since(store: RedisChatStore) -> None:
    seen = Access(denied_people=("1", "2"), allowed_chats=("7",))
    await store.change(CHAT, ChatSettings(access=seen))
    since = ChatSettings(questions=False, access=Access(denied_people=("1", "2", "4"), allowed_chats=("8",)))
    await store.change(CHAT, since)
    wanted = ChatSettings(suggestions=False, access=Access(denied_people=("2", "3"), allowed_chats=("7",)))
    before, after = await store.change(CHAT, wanted, was=ChatSettings(access=seen))
    assert before == since
    assert after == await store.settings(CHAT)
    assert (after.suggestions, after.questions) == (False, False)
    assert after.access == Access(denied_people=("2", "4", "3"), allowed_chats=("8",))


async def test_what_an_older_version_set_still_holds(store: RedisChatStore, client: Redis) -> None:
    await client.set(KEY, '{"suggestions":false,"questions":true}')
    assert await store.settings(CHAT) == QUIET


async def test_what_a_newer_version_set_is_kept_by_an_older_one(store: RedisChatStore, client: Redis) -> None:
    await client.set(KEY, '{"suggestions": true, "language": "de"}')
    await store.change(CHAT, QUIET)
    assert '"language":"de"' in str(await client.get(KEY))
    assert await store.settings(CHAT) == QUIET


async def test_what_a_newer_version_decided_for_a_server_is_kept_by_an_older_one(
    store: RedisChatStore, client: Redis
) -> None:
    await client.set(SERVER_KEY, '{"consent": "ask", "greeting": "hello"}')
    await store.change_server(SERVER, STRICT)
    assert '"greeting":"hello"' in str(await client.get(SERVER_KEY))
    assert await store.server(SERVER) == STRICT


async def test_what_several_chats_and_their_server_decided_is_looked_up_at_once(store: RedisChatStore) -> None:
    own, other, server = ChatRef("web", "page", "a"), ChatRef("web", "page", "b"), ServerRef("web", "page", "s")
    await store.change(other, ChatSettings(questions=False))
    await store.change_server(server, ServerSettings(day_microusd=5))
    decided = await store.decided([own, other], server)
    assert decided == ([ChatSettings(), ChatSettings(questions=False)], ServerSettings(day_microusd=5))
    assert await store.decided([other], None) == ([ChatSettings(questions=False)], ServerSettings())


# --- a chat that has another name from now on

OLD, NEW = ChatRef("web", "page", "cellar"), ChatRef("web", "page", "attic")
OLD_SERVER, NEW_SERVER = ServerRef("web", "page", "cellar"), ServerRef("web", "page", "attic")


async def test_what_was_set_for_a_chat_and_its_server_holds_where_it_moves_to(
    store: RedisChatStore, client: Redis
) -> None:
    await store.change(OLD, QUIET)
    await store.change_server(OLD_SERVER, STRICT)
    for _ in range(2):
        await store.move(OLD, NEW)
        assert await store.decided([NEW], NEW_SERVER) == ([QUIET], STRICT)
    assert all([await client.ttl(key) > SETTINGS_LIFE_S - 10 for key in await client.keys("*")])


async def test_moving_changes_nothing_that_was_set_in_the_new_chat(store: RedisChatStore) -> None:
    await store.change(OLD, QUIET)
    await store.change_server(OLD_SERVER, STRICT)
    await store.change(NEW, ChatSettings(questions=False))
    await store.move(OLD, NEW)
    assert await store.decided([NEW], NEW_SERVER) == ([ChatSettings(questions=False)], STRICT)
    await store.change_server(NEW_SERVER, ServerSettings())
    await store.move(OLD, NEW)
    assert await store.server(NEW_SERVER) == ServerSettings()


async def test_a_chat_that_set_nothing_takes_nothing_along(store: RedisChatStore, client: Redis) -> None:
    await store.change(NEW, QUIET)
    before = await client.keys("*")
    await store.move(OLD, NEW)
    assert (await store.settings(NEW), await client.keys("*")) == (QUIET, before)


async def test_what_a_newer_version_set_moves_along_whole(store: RedisChatStore, client: Redis) -> None:
    await client.set(f"rb:chat:{{{OLD.key}}}:settings", '{"suggestions": false, "language": "de"}')
    await store.move(OLD, NEW)
    assert '"language": "de"' in str(await client.get(f"rb:chat:{{{NEW.key}}}:settings"))
    assert await store.settings(NEW) == QUIET
