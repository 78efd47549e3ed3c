"""What the memory of messages promises, against a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.domain.images import ALL
from bot.domain.messages import NOBODY, Attachment, InboundMessage, MessageRecord, Quoted, Shown
from bot.domain.refs import (
    ChatRef,
    MessageRef,
    Person,
    ServerRef,
    UserRef,
    message_ref_of,
    thread_id_of,
    turn_id_of,
)
from bot.domain.turns import Outcome, Turn, TurnState, Usage
from bot.ports import Heard
from storage.redis.client import Script, open_client
from storage.redis.codec import RECORD
from storage.redis.messages import RedisMessageStore
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, BEN, CHAT, done, image, message, turn


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def store(client: Redis) -> RedisMessageStore:
    return RedisMessageStore(client, retention_s=1000)


@pytest.fixture
async def turns(client: Redis) -> RedisTurnStore:
    turns = RedisTurnStore(client, retention_s=1000, author_limit=99)
    await turns.announce("worker", slots=99)
    return turns


async def test_a_message_is_found_as_it_was_recorded(store: RedisMessageStore) -> None:
    one = message()
    record = MessageRecord(one.ref, thread_id_of(one.ref), author=one.author, author_name="Anna")
    assert await store.record(one, record) == (record, True)
    assert await store.find(one.ref) == record


async def test_the_second_delivery_of_a_message_changes_nothing(store: RedisMessageStore) -> None:
    one = message()
    first = MessageRecord(one.ref, thread_id_of(one.ref), author=one.author)
    await store.record(one, first)
    other = MessageRecord(one.ref, thread_id_of(MessageRef(CHAT, "other")), author=one.author)
    assert await store.record(one, other) == (first, False)


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


# --- the last picture of a person in a chat


async def answered(
    store: RedisMessageStore, turns: RedisTurnStore, outcome: Outcome | None, *, asker: UserRef = ANNA
) -> Turn:
    """A turn whose answer is attached; with an outcome it ended so."""
    one = turn(author=asker)
    await store.attach(one.reply, one.thread, [Shown(one.id, ALL)], asker=asker)
    await turns.submit(one, [])
    if outcome is not None:
        assert await turns.end(one.id, outcome)
    return one


async def test_the_latest_answer_with_a_picture_is_found_among_those_without(
    store: RedisMessageStore, turns: RedisTurnStore
) -> None:
    assert await store.latest(CHAT, ANNA) is None
    await answered(store, turns, done())
    second = await answered(store, turns, done())
    await answered(store, turns, Outcome(TurnState.REFUSED))
    await answered(store, turns, Outcome(TurnState.ASKING))
    await answered(store, turns, Outcome(TurnState.DONE, words="An answer in words."))
    assert await store.latest(CHAT, ANNA) == second.reply


async def test_an_answer_that_is_still_to_come_is_the_latest(store: RedisMessageStore, turns: RedisTurnStore) -> None:
    await answered(store, turns, done())
    coming = await answered(store, turns, None)
    assert await store.latest(CHAT, ANNA) == coming.reply


async def test_what_was_asked_elsewhere_or_by_somebody_else_is_not_the_latest(
    store: RedisMessageStore, turns: RedisTurnStore
) -> None:
    mine = await answered(store, turns, done())
    his = await answered(store, turns, done(), asker=BEN)
    assert (await store.latest(CHAT, ANNA), await store.latest(CHAT, BEN)) == (mine.reply, his.reply)
    assert await store.latest(ChatRef("web", "page", "garden"), ANNA) is None


async def test_an_answer_that_leads_nowhere_any_more_is_not_the_latest(
    store: RedisMessageStore, turns: RedisTurnStore, client: Redis
) -> None:
    kept = await answered(store, turns, done())
    without_turn, without_record = await answered(store, turns, done()), await answered(store, turns, done())
    await client.delete(f"rb:{{{without_turn.thread}}}:turn:{without_turn.id.partition('-')[2]}")
    await client.delete(f"rb:message:{without_record.reply.key}")
    reserved = MessageRef(CHAT, "reserved and never begun")
    await store.attach(reserved, kept.thread, [Shown(turn().id, ALL)], asker=ANNA)
    assert await store.latest(CHAT, ANNA) == kept.reply


async def test_attaching_again_counts_once_and_only_the_last_ten_are_kept(
    store: RedisMessageStore, turns: RedisTurnStore, client: Redis
) -> None:
    one = await answered(store, turns, done())
    for _ in range(12):
        await store.attach(one.reply, one.thread, [Shown(one.id, ALL), Shown(turn().id, ALL)], asker=ANNA)
    key = f"rb:latest:{{{CHAT.key}}}:{ANNA.key}"
    assert await client.llen(key) == 1
    for _ in range(10):
        await answered(store, turns, Outcome(TurnState.FAILED))
    assert (await client.llen(key), await store.latest(CHAT, ANNA)) == (10, None)
    assert 0 < await client.ttl(key) <= 1000


@pytest.mark.parametrize("state", [TurnState.ASKING, TurnState.REFUSED, TurnState.FAILED, TurnState.CANCELLED])
async def test_an_answer_that_may_be_set_right_is_the_latest_where_it_is_asked_for(
    store: RedisMessageStore, turns: RedisTurnStore, state: TurnState
) -> None:
    picture = await answered(store, turns, done())
    unfinished = await answered(store, turns, Outcome(state))
    assert await store.latest(CHAT, ANNA) == picture.reply
    assert await store.latest(CHAT, ANNA, unfinished=True) == unfinished.reply
    newer = await answered(store, turns, done())
    assert await store.latest(CHAT, ANNA, unfinished=True) == newer.reply


async def test_an_answer_in_words_alone_leaves_nothing_to_set_right(
    store: RedisMessageStore, turns: RedisTurnStore
) -> None:
    picture = await answered(store, turns, done())
    await answered(store, turns, Outcome(TurnState.DONE, words="An answer in words."))
    assert await store.latest(CHAT, ANNA, unfinished=True) == picture.reply


async def test_an_answer_that_was_erased_is_nothing_to_set_right(
    store: RedisMessageStore, turns: RedisTurnStore, client: Redis
) -> None:
    gone = await answered(store, turns, Outcome(TurnState.REFUSED))
    await client.hset(f"rb:{{{gone.thread}}}:turn:{gone.id.partition('-')[2]}", "erased", "1")
    assert await store.latest(CHAT, ANNA, unfinished=True) is None


# --- what was heard


async def test_what_was_heard_is_remembered_until_the_message_is_dealt_with(
    store: RedisMessageStore, client: Redis
) -> None:
    one = message("")
    await store.record(one, MessageRecord(one.ref, thread_id_of(one.ref)))
    assert await store.heard(one.ref) is None
    heard = Heard("a very private wish", Usage(7, 100, 12, "text", 1))
    await store.hear(one.ref, heard)
    await store.record(one, MessageRecord(one.ref, thread_id_of(one.ref)))
    assert await store.heard(one.ref) == heard
    await store.settle_inbound(one)
    assert await store.heard(one.ref) is None
    assert await client.ttl(f"rb:message:{one.ref.key}") > 0


async def test_a_voice_message_is_listened_to_by_one_at_a_time_and_tries_are_counted(store: RedisMessageStore) -> None:
    one = message("")
    await store.record(one, MessageRecord(one.ref, thread_id_of(one.ref)))
    assert await store.begin_listening(one.ref, life_s=0) == 1
    tries = await asyncio.gather(*(store.begin_listening(one.ref, life_s=60) for _ in range(8)))
    assert sorted(tries) == [0] * 7 + [2]
    assert await store.begin_listening(message("").ref, life_s=60) == 1


async def test_what_was_heard_is_not_listened_to_again(store: RedisMessageStore) -> None:
    one = message("")
    assert await store.begin_listening(one.ref, life_s=0) == 1
    await store.hear(one.ref, Heard(""))
    assert await store.begin_listening(one.ref, life_s=0) == 0


async def test_whoever_lost_the_answer_that_it_may_listen_is_told_again(
    store: RedisMessageStore, client: Redis
) -> None:
    one = message("")
    assert await store.begin_listening(one.ref, life_s=0) == 1
    listen = Script(client, "listen.lua")
    key = f"rb:message:{one.ref.key}"
    assert [await listen([key], [60, 1000, call]) for call in ("a", "a", "b", "a")] == [2, 2, 0, 2]
    assert 0 < await client.ttl(key) <= 1000


async def test_silence_was_heard_too(store: RedisMessageStore) -> None:
    one = message("")
    await store.hear(one.ref, Heard(""))
    assert await store.heard(one.ref) == Heard("")


async def test_a_message_of_the_first_version_is_still_brought_back(store: RedisMessageStore, client: Redis) -> None:
    one = message("make it grey")
    await store.record(one, MessageRecord(one.ref, thread_id_of(one.ref)))
    key = f"rb:message:{one.ref.key}"
    inbound = json.loads(str(await client.hget(key, "inbound:0")))
    old = {name: inbound[name] for name in ("ref", "author", "author_name", "text", "created_at", "version")}
    await client.hset(key, "inbound:0", json.dumps(old))
    assert list(await store.unsettled(older_than_s=0)) == [one]


# --- messages that were not sent to us, and whose pictures they have

SEEN = MessageRef(CHAT, "seen")
NOTED = MessageRecord(SEEN, thread_id_of(SEEN), author=BEN, author_name="Ben")
NOTED_JSON = RECORD.dump(NOTED)


async def test_a_message_that_somebody_replies_to_is_remembered_and_never_waits_to_be_dealt_with(
    store: RedisMessageStore, client: Redis
) -> None:
    assert await store.note(NOTED) == NOTED
    assert await store.find(SEEN) == NOTED
    assert list(await store.unsettled(older_than_s=-60)) == []
    assert sorted(await client.hgetall(f"rb:message:{SEEN.key}")) == ["record", "v"]
    assert all([0 < await client.ttl(key) <= 1000 for key in await client.keys("*")])


async def test_noting_again_gives_what_stands_with_its_pictures(store: RedisMessageStore) -> None:
    await store.note(NOTED)
    await store.bring(SEEN, [image("photo")], spoiler=True)
    again = await store.note(replace(NOTED, author=ANNA, author_name="Anna"))
    assert again == replace(NOTED, sources=(image("photo"),), spoiler=True)


async def test_noting_what_was_sent_to_us_takes_nothing_from_it(store: RedisMessageStore) -> None:
    one = message()
    sent = MessageRecord(one.ref, thread_id_of(one.ref), author=one.author, author_name="Anna")
    await store.record(one, sent)
    assert await store.note(replace(sent, author_name="")) == sent
    assert list(await store.unsettled(older_than_s=0)) == [one]


async def test_an_answer_of_ours_that_is_noted_still_shows_its_results(store: RedisMessageStore) -> None:
    shows = (Shown(turn().id, ALL),)
    await store.attach(SEEN, NOTED.thread, shows)
    assert await store.note(NOTED) == MessageRecord(SEEN, NOTED.thread, shows=shows)


async def test_whose_pictures_they_are_and_that_they_are_hidden_is_remembered(store: RedisMessageStore) -> None:
    owners = (None, Person(ANNA, "Anna"))
    await store.note(NOTED)
    await store.bring(SEEN, [image("one"), image("two")], owners=owners, spoiler=True)
    found = await store.find(SEEN)
    assert found == replace(NOTED, sources=(image("one"), image("two")), owners=owners, spoiler=True)
    assert [found.owner_of(index) for index in range(2)] == [Person(BEN, "Ben"), Person(ANNA, "Anna")]
    await store.bring(SEEN, [image("one")])
    assert await store.find(SEEN) == replace(NOTED, sources=(image("one"),))


async def test_pictures_that_an_older_version_noted_are_still_found(store: RedisMessageStore, client: Redis) -> None:
    await store.note(NOTED)
    await store.bring(SEEN, [image("photo")])
    old = {name: json.loads(NOTED_JSON)[name] for name in ("ref", "thread", "author", "author_name")}
    key = f"rb:message:{SEEN.key}"
    await client.hset(key, "record", json.dumps(old))
    await client.hdel(key, "owners", "spoiler")
    assert await store.find(SEEN) == replace(NOTED, sources=(image("photo"),))


async def test_all_that_a_message_may_carry_comes_back_as_it_came(store: RedisMessageStore) -> None:
    quoted = Quoted(SEEN, Person(BEN, "Ben"), (Attachment("h1", "a.png", owner=Person(BEN, "Ben"), spoiler=True),))
    one: InboundMessage = replace(
        message(attachments=(Attachment("h2", "b.png", 7, Person(ANNA, "Anna")),), reply_to=SEEN),
        server=ServerRef("web", "page", "garden"),
        quoted=quoted,
        size="2K",
    )
    await store.record(one, MessageRecord(one.ref, thread_id_of(SEEN), author=ANNA))
    assert list(await store.unsettled(older_than_s=0)) == [one]


async def test_whoever_is_not_known_is_listed_nowhere(store: RedisMessageStore, client: Redis) -> None:
    one = replace(message(), attachments=(Attachment("file", "cat.jpg", owner=NOBODY),))
    await store.record(one, MessageRecord(one.ref, thread_id_of(one.ref), author=one.author))
    assert [key async for key in client.scan_iter("*:named")] == []
