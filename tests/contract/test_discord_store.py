"""What the Discord adapter's memory promises, against a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from adapters.discord.ports import ChatFacts, DiscordStore, Interaction, KeptBack
from adapters.discord.refs import chat_ref, interaction_ref, message_ref, user_ref
from bot.domain.refs import TurnId
from storage.redis.client import open_client
from storage.redis.discord import RedisDiscordStore

DAY = 24 * 3600
ACCOUNT = "1100000000000000001"
CHAT = chat_ref(ACCOUNT, 1200000000000000001)
REPLY = message_ref(ACCOUNT, 1200000000000000001, 1300000000000000001)
ANNA, BEN = user_ref(1400000000000000001), user_ref(1400000000000000002)
TURN = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    for key in await client.keys("*"):
        assert await client.ttl(key) > 0, f"{key!r} has no expiry"
    await client.aclose()


@pytest.fixture
def store(client: Redis) -> DiscordStore:
    return RedisDiscordStore(client, retention_s=90 * DAY)


def interaction(*, life_s: float = 900) -> Interaction:
    return Interaction("15", "a token", ANNA, time.time() + life_s, can_post=False, reply_to="7", limit_bytes=5)


async def test_what_the_gateway_knows_of_a_chat_is_known_to_all(store: DiscordStore) -> None:
    assert await store.chat(CHAT) is None
    facts = ChatFacts(limit_bytes=50 * 2**20, age_limited=True, server="12")
    await store.note_chat(CHAT, facts)
    assert await store.chat(CHAT) == facts


async def test_of_all_ids_taken_in_the_greatest_stands_to_its_last_digit(store: DiscordStore) -> None:
    greatest = 9007199254740993  # the first whole number that a double cannot hold
    for id_ in (greatest - 1, greatest, greatest - 1, 999):
        await store.mark(CHAT, id_)
    assert await store.marks(ACCOUNT) == {CHAT: greatest}
    await store.mark(CHAT, 1300000000000000001)
    await store.mark(chat_ref(ACCOUNT, 5), 6)
    assert await store.marks(ACCOUNT) == {CHAT: 1300000000000000001, chat_ref(ACCOUNT, 5): 6}
    assert await store.marks("another account") == {}


async def test_a_chat_is_known_from_its_first_message_and_an_older_one_takes_nothing_back(store: DiscordStore) -> None:
    await store.know(CHAT, 9007199254740992)
    await store.know(CHAT, 9007199254740999)
    assert await store.marks(ACCOUNT) == {CHAT: 9007199254740992}
    await store.mark(CHAT, 9007199254740993)
    await store.know(CHAT, 5)
    assert await store.marks(ACCOUNT) == {CHAT: 9007199254740993}


async def test_a_chat_that_was_quiet_for_long_is_not_caught_up(store: DiscordStore, client: Redis) -> None:
    await store.mark(CHAT, 1)
    (at,) = [key for key in await client.keys("*") if str(key).endswith(":at")]
    await client.zadd(at, {CHAT.chat: time.time() - 15 * DAY})
    assert await store.marks(ACCOUNT) == {}
    await store.mark(chat_ref(ACCOUNT, 5), 6)
    assert await client.zcard(at) == 1


async def test_how_long_a_shard_was_alive_is_remembered_by_shard(store: DiscordStore) -> None:
    assert await store.alive(ACCOUNT, 0) is None
    await store.note_alive(ACCOUNT, 0, 1700000000.25)
    assert await store.alive(ACCOUNT, 0) == 1700000000.25
    assert await store.alive(ACCOUNT, 1) is None


async def test_only_other_words_are_a_change(store: DiscordStore, client: Redis) -> None:
    versions = enumerate(("sepia", "sepia", "blue", "sepia", "sepia"))
    assert [await store.says_since(REPLY, words, version) for version, words in versions] == [0, 0, 2, 3, 3]
    kept = [str(await client.get(key)) for key in await client.keys("*")]
    assert not any("sepia" in text for text in kept)


async def test_an_interaction_is_known_under_every_name_that_it_was_kept_by(store: DiscordStore) -> None:
    came = interaction()
    for ref in (interaction_ref(ACCOUNT, 1, 2), REPLY):
        await store.keep_interaction(ref, came)
        assert await store.interaction(ref) == came
    assert await store.interaction(message_ref(ACCOUNT, 1, 2)) is None


async def test_a_token_is_kept_a_quarter_of_an_hour_and_whose_it_was_for_longer(
    store: DiscordStore, client: Redis
) -> None:
    await store.keep_interaction(REPLY, interaction(life_s=10 * DAY))
    (token,) = [key for key in await client.keys("*") if await client.type(key) == "string" and "token" in key]
    assert 0 < await client.ttl(token) <= 900
    await client.delete(token)
    found = await store.interaction(REPLY)
    assert found is not None
    assert (found.token, found.user) == ("", ANNA)
    kept = [str(await client.get(key)) for key in await client.keys("*") if await client.type(key) == "string"]
    assert kept
    assert not any("a token" in text for text in kept)


async def test_a_token_that_is_worth_nothing_any_more_is_not_kept(store: DiscordStore) -> None:
    late = interaction(life_s=-1)
    await store.keep_interaction(REPLY, late)
    assert await store.interaction(REPLY) == replace(late, token="")


async def test_a_press_is_known_as_long_as_its_token_is_worth_something(store: DiscordStore, client: Redis) -> None:
    pressed = interaction(life_s=10 * DAY)
    await store.keep_press(REPLY, pressed)
    assert await store.press(REPLY) == pressed
    (key,) = await client.keys("*:press:*")
    assert 0 < await client.ttl(key) <= 900
    await store.keep_press(interaction_ref(ACCOUNT, 1, 2), interaction(life_s=-1))
    assert await store.press(interaction_ref(ACCOUNT, 1, 2)) is None


async def test_the_message_under_a_form_comes_back_with_it(store: DiscordStore) -> None:
    target = {"id": REPLY.message, "author": {"id": BEN.user}, "attachments": [{"filename": "a.png", "size": 5}]}
    await store.keep_target("16", target)
    assert await store.target("16") == target
    assert await store.target("17") is None


async def test_results_kept_back_are_given_in_order_and_stay_until_they_are_dropped(store: DiscordStore) -> None:
    one, two = KeptBack(REPLY, TURN), KeptBack(message_ref(ACCOUNT, 1, 2), TURN)
    for kept in (one, two, two):
        await store.keep_back(ANNA, kept)
    assert await store.hold_kept_back(ANNA, life_s=60) == [one, two]
    await store.drop_kept_back(ANNA, one)
    await store.let_go_kept_back(ANNA)
    assert await store.hold_kept_back(ANNA, life_s=60) == [two]
    assert await store.hold_kept_back(BEN, life_s=60) == []
    await store.keep_back(BEN, one)
    assert await store.hold_kept_back(BEN, life_s=60) == [one]


async def test_results_kept_back_are_given_to_one_at_a_time(store: DiscordStore) -> None:
    await store.keep_back(ANNA, KeptBack(REPLY, TURN))
    given = await asyncio.gather(*(store.hold_kept_back(ANNA, life_s=60) for _ in range(8)))
    assert sum(map(len, given)) == 1


async def test_results_that_somebody_died_over_are_given_again(store: DiscordStore, client: Redis) -> None:
    await store.keep_back(ANNA, KeptBack(REPLY, TURN))
    await store.hold_kept_back(ANNA, life_s=60)
    (holding,) = await client.keys("*:holding:*")
    assert 0 < await client.ttl(holding) <= 60
    await client.delete(holding)  # its time is over
    assert await store.hold_kept_back(ANNA, life_s=60) == [KeptBack(REPLY, TURN)]


async def test_whoever_is_forgotten_leaves_nothing_and_others_stay(store: DiscordStore, client: Redis) -> None:
    for person, ref in ((ANNA, REPLY), (BEN, interaction_ref(ACCOUNT, 1, 2))):
        await store.keep_interaction(ref, replace(interaction(), user=person))
        await store.keep_press(ref, replace(interaction(), user=person))
        await store.keep_back(person, KeptBack(ref, TURN))
    await store.hold_kept_back(ANNA, life_s=60)
    await store.keep_press(interaction_ref(ACCOUNT, 1, 2), replace(interaction(), user=BEN))
    await store.keep_press(interaction_ref(ACCOUNT, 1, 3), replace(interaction(), user=ANNA))
    await store.forget(ANNA)
    assert (await store.interaction(REPLY), await store.press(REPLY)) == (None, None)
    assert await store.press(interaction_ref(ACCOUNT, 1, 3)) is None
    assert not [key for key in await client.keys("*") if ANNA.user in str(key)]
    assert await store.interaction(interaction_ref(ACCOUNT, 1, 2)) is not None
    assert await store.press(interaction_ref(ACCOUNT, 1, 2)) is not None
    assert len(await store.hold_kept_back(BEN, life_s=60)) == 1


async def test_of_what_somebody_asked_long_ago_nothing_is_left(client: Redis) -> None:
    store = RedisDiscordStore(client, retention_s=5 * DAY)
    for number in range(3):
        await store.keep_interaction(interaction_ref(ACCOUNT, 1, number), interaction())
    (asked,) = [key for key in await client.keys("*") if ANNA.user in str(key)]
    await client.zadd(asked, {interaction_ref(ACCOUNT, 1, number).key: time.time() - 6 * DAY for number in range(2)})
    await store.keep_interaction(interaction_ref(ACCOUNT, 1, 9), interaction())
    kept = [interaction_ref(ACCOUNT, 1, number).key for number in (2, 9)]
    assert await client.zrange(asked, 0, -1) == kept


async def test_a_chat_stays_closed_twice_as_long_each_time_but_not_for_ever(store: DiscordStore, client: Redis) -> None:
    lives: list[float] = []
    for _ in range(8):
        lives.append(await store.close_chat(CHAT, 50013))
        assert await store.is_closed(CHAT)
        (closed,) = [key for key in await client.keys("*:closed:*") if not str(key).endswith(":times")]
        assert lives[-1] - 2 < await client.ttl(closed) <= lives[-1]
        await client.delete(closed)  # its time is over
        assert not await store.is_closed(CHAT)
    assert lives == [600, 1200, 2400, 4800, 9600, 19200, 21600, 21600]


async def test_many_who_meet_one_closed_door_close_it_once(store: DiscordStore) -> None:
    lives = await asyncio.gather(*(store.close_chat(CHAT, 50001) for _ in range(9)))
    assert set(lives) <= {600.0, 599.0}


async def test_a_chat_that_opens_again_is_as_good_as_new(store: DiscordStore) -> None:
    await store.close_chat(CHAT, 50013)
    await store.open_chat(CHAT)
    assert not await store.is_closed(CHAT)
    assert await store.close_chat(CHAT, 50013) == 600


async def test_once_is_once_by_name(store: DiscordStore) -> None:
    assert [await store.once(what, life_s=60) for what in ("a b", "a b", "a c")] == [True, False, True]
    assert [await store.was(what) for what in ("a b", "a d")] == [True, False]


async def test_the_commands_registered_last_are_known_by_application(store: DiscordStore) -> None:
    assert await store.commands("15") == ""
    await store.note_commands("15", "digest")
    assert (await store.commands("15"), await store.commands("16")) == ("digest", "")
