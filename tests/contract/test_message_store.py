"""What the memory of messages promises, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.images import ALL
from bot.domain.messages import MessageRecord, Shown
from bot.domain.refs import MessageRef, message_ref_of, thread_id_of, turn_id_of
from storage.redis.client import open_client
from storage.redis.messages import RedisMessageStore
from tests.values import CHAT, image, message


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisMessageStore]:
    client = open_client(redis_url)
    yield RedisMessageStore(client, retention_s=1000)
    await client.aclose()


async def test_a_message_is_found_as_it_was_recorded(store: RedisMessageStore) -> None:
    one = message()
    record = MessageRecord(one.ref, thread_id_of(one.ref), author=one.author, author_name="Anna")
    assert await store.record(one, record) == record
    assert await store.find(one.ref) == record


async def test_the_second_delivery_of_a_message_changes_nothing(store: RedisMessageStore) -> None:
    one = message()
    first = MessageRecord(one.ref, thread_id_of(one.ref), author=one.author)
    await store.record(one, first)
    other = MessageRecord(one.ref, thread_id_of(MessageRef(CHAT, "other")), author=one.author)
    assert await store.record(one, other) == first


async def test_a_message_that_was_not_dealt_with_is_listed_until_it_is(store: RedisMessageStore) -> None:
    one, two = message(), message()
    for each in (one, two):
        await store.record(each, MessageRecord(each.ref, thread_id_of(each.ref)))
    await store.settle_inbound(one)
    assert list(await store.unsettled(older_than_s=0)) == [two]
    assert list(await store.unsettled(older_than_s=60)) == []


async def test_pictures_and_results_are_remembered_with_their_message(store: RedisMessageStore) -> None:
    one = message()
    thread = thread_id_of(one.ref)
    await store.record(one, MessageRecord(one.ref, thread))
    await store.bring(one.ref, [image("photo")])
    reply = MessageRef(CHAT, "answer")
    shows = (Shown(turn_id_of(thread, one.origin), ALL),)
    await store.attach(reply, thread, shows)
    found, answer = await store.find(one.ref), await store.find(reply)
    assert found is not None
    assert found.sources == (image("photo"),)
    assert answer == MessageRecord(reply, thread, shows=shows)


async def test_the_words_of_a_message_are_not_kept_beside_its_turn(store: RedisMessageStore, redis_url: str) -> None:
    one = message("a secret wish")
    await store.record(one, MessageRecord(one.ref, thread_id_of(one.ref)))
    await store.settle_inbound(one)
    client = open_client(redis_url)
    values = [str(await client.hgetall(key)) for key in await client.keys("rb:message:*")]
    await client.aclose()
    assert values
    assert not any("secret" in value for value in values)


def test_a_key_leads_back_to_its_message_whatever_the_ids_hold() -> None:
    odd = MessageRef(CHAT, "a:b#c d/ü{x}%")
    assert message_ref_of(odd.key) == odd
    assert ":" not in odd.key.removeprefix("web:page:home:")
