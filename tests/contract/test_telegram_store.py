"""What the Telegram adapter's memory promises, against a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from adapters.telegram.ports import (
    Albums,
    Inbox,
    Json,
    KnownFile,
    Lane,
    Ledger,
    Pace,
    Send,
    SendState,
    Stored,
    TelegramStore,
)
from adapters.telegram.refs import chat_ref, message_ref, user_ref
from bot.domain.refs import UserRef, sha256_of
from storage.redis.client import open_client
from storage.redis.telegram import RedisLedger, RedisTelegramStore
from storage.redis.telegram_albums import RedisAlbums
from storage.redis.telegram_inbox import RedisInbox
from storage.redis.telegram_pace import RedisPace

DAY = 24 * 3600
ACCOUNT, OTHER = "7000000001", "7000000002"
CHAT = chat_ref(ACCOUNT, -1001234567890)
TOPIC = chat_ref(ACCOUNT, -1001234567890, 12)
REPLY = message_ref(ACCOUNT, -1001234567890, 55)
ANNA, BEN = user_ref(4400000001), user_ref(4400000002)
GROUP = "13000000000000001"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    for key in await client.keys("*"):
        assert await client.ttl(key) > 0, f"{key!r} has no expiry"
    await client.aclose()


@pytest.fixture
async def clients(redis_url: str) -> AsyncIterator[Sequence[Redis]]:
    """As many processes have: connections that are open already."""
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_client(redis_url)) for _ in range(8)]
        for each in opened:
            await each.exists("nothing")
        yield opened


@pytest.fixture
def inbox(client: Redis) -> Inbox:
    return RedisInbox(client)


@pytest.fixture
def albums(client: Redis) -> Albums:
    return RedisAlbums(client)


@pytest.fixture
def ledger(client: Redis) -> Ledger:
    return RedisLedger(client, retention_s=90 * DAY)


@pytest.fixture
def store(client: Redis) -> TelegramStore:
    return RedisTelegramStore(client, retention_s=90 * DAY)


def person(user: UserRef) -> Json:
    return {"id": int(user.user), "is_bot": False, "first_name": "Somebody"}


def said(user: UserRef, words: str = "sepia", **more: object) -> Json:
    return {"message_id": 9, "from": person(user), "chat": {"id": -5}, "text": words, **more}


def update(id_: int, **parts: object) -> tuple[int, bytes]:
    return id_, json.dumps({"update_id": id_, **parts}).encode()


async def raws(inbox: Inbox, *, account: str = ACCOUNT, most: int = 100) -> list[bytes]:
    return [each.raw for each in await inbox.next(account, holder="reader", most=most)]


async def waiting(inbox: Inbox) -> list[int]:
    """The ids of everything that is not dealt with."""
    found = [*await inbox.next(ACCOUNT, holder="reader", most=999)]
    found = [*await inbox.left_behind(ACCOUNT, holder="reader", idle_s=0, most=999)]
    return [each.update_id for each in found]


async def idle_for(client: Redis, seconds: int, held: Sequence[Stored]) -> None:
    """As if these had been taken so long ago, and nobody had shown life since."""
    key = f"rb:telegram:{{{ACCOUNT}}}:inbox"
    entries: list[Any] = [each.entry for each in held]
    await client.xclaim(key, "takers", "dead", 0, entries, idle=seconds * 1000, justid=True)


# --- the inbox


async def test_updates_come_out_in_order_and_byte_for_byte(inbox: Inbox) -> None:
    came = [
        (3, b'{"update_id":3}'),
        (1, '{"text":"ü 🐈"}'.encode()),
        (2, b"\xff\x00 no text"),
        (4, b'"\\ud83d"'),
        (5, b""),
    ]
    assert await inbox.take_in(ACCOUNT, came) == 5
    found = await inbox.next(ACCOUNT, holder="a", most=100)
    assert [(each.update_id, each.raw, each.tries) for each in found] == [(id_, raw, 0) for id_, raw in came]
    assert len({each.entry for each in found}) == 5


async def test_an_update_that_comes_again_is_stored_once_even_when_it_was_dealt_with(inbox: Inbox) -> None:
    assert await inbox.take_in(ACCOUNT, [(1, b"one"), (2, b"two"), (1, b"one")]) == 2
    for each in await inbox.next(ACCOUNT, holder="a", most=9):
        await inbox.dealt_with(ACCOUNT, each.entry)
    assert await inbox.take_in(ACCOUNT, [(2, b"two"), (3, b"three"), (1, b"one")]) == 1
    assert await raws(inbox) == [b"three"]


async def test_ids_that_begin_anew_below_those_before_are_no_repeats(inbox: Inbox) -> None:
    await inbox.take_in(ACCOUNT, [(900_000_000, b"before")])
    assert await inbox.take_in(ACCOUNT, [(7, b"after"), (8, b"after that")]) == 2
    assert await raws(inbox) == [b"before", b"after", b"after that"]


async def test_an_id_may_be_used_anew_after_a_day_and_what_came_in_outlasts_a_long_weekend(
    inbox: Inbox, client: Redis
) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"one")])
    (seen,) = await client.keys("*:seen:*")
    (stream,) = await client.keys("*:inbox")
    assert DAY < await client.ttl(seen) < 2 * DAY
    assert await client.ttl(stream) > 7 * DAY
    await client.expire(stream, 60)
    await client.delete(seen)  # its time is over
    assert await inbox.take_in(ACCOUNT, [(1, b"another one")]) == 1
    assert await client.ttl(stream) > 7 * DAY
    assert await raws(inbox) == [b"one", b"another one"]


async def test_replicas_that_take_in_the_same_updates_at_once_store_each_once(
    inbox: Inbox, clients: Sequence[Redis]
) -> None:
    came = [(id_, str(id_).encode()) for id_ in range(20)]
    new = await asyncio.gather(*(RedisInbox(each).take_in(ACCOUNT, came) for each in clients))
    assert sum(new) == 20
    assert sorted(await raws(inbox)) == sorted(raw for _, raw in came)


async def test_readers_at_once_share_what_came_in_and_each_update_is_one_readers(
    inbox: Inbox, clients: Sequence[Redis]
) -> None:
    await inbox.take_in(ACCOUNT, [(id_, b"") for id_ in range(64)])
    shares = await asyncio.gather(
        *(RedisInbox(each).next(ACCOUNT, holder=f"reader {i}", most=9) for i, each in enumerate(clients))
    )
    taken = [each.update_id for share in shares for each in share]
    assert sorted(taken) == list(range(64))
    assert max(map(len, shares)) == 9


async def test_what_could_not_be_stored_is_no_repeat_when_it_comes_again(inbox: Inbox, client: Redis) -> None:
    key = f"rb:telegram:{{{ACCOUNT}}}:inbox"
    await client.set(key, "in the way", ex=60)
    with pytest.raises(ResponseError):
        await inbox.take_in(ACCOUNT, [(1, b"one")])
    await client.delete(key)
    assert await inbox.take_in(ACCOUNT, [(1, b"one")]) == 1


async def test_accounts_have_inboxes_of_their_own(inbox: Inbox) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"mine")])
    assert await inbox.take_in(OTHER, [(1, b"theirs")]) == 1
    assert (await raws(inbox), await raws(inbox, account=OTHER)) == ([b"mine"], [b"theirs"])


async def test_where_nothing_ever_came_in_there_is_nothing(inbox: Inbox) -> None:
    assert await inbox.take_in(ACCOUNT, []) == 0
    assert await inbox.next(ACCOUNT, holder="a", most=5) == []
    assert await inbox.left_behind(ACCOUNT, holder="a", idle_s=0, most=5) == []
    assert await inbox.aside(ACCOUNT) == []
    await inbox.still_at(ACCOUNT, ["1-1"], holder="a")
    await inbox.dealt_with(ACCOUNT, "1-1")


async def test_no_more_are_taken_than_were_asked_for_the_oldest_first(inbox: Inbox) -> None:
    await inbox.take_in(ACCOUNT, [(id_, b"") for id_ in range(5)])
    assert await inbox.next(ACCOUNT, holder="a", most=0) == []
    assert [each.update_id for each in await inbox.next(ACCOUNT, holder="a", most=2)] == [0, 1]
    assert [each.update_id for each in await inbox.next(ACCOUNT, holder="b", most=2)] == [2, 3]


async def test_what_a_dead_process_held_goes_to_another_and_that_alone_is_no_try(inbox: Inbox) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"one"), (2, b"two")])
    held = await inbox.next(ACCOUNT, holder="dead", most=9)
    assert await inbox.left_behind(ACCOUNT, holder="alive", idle_s=60, most=9) == []
    for _ in range(2):
        assert await inbox.left_behind(ACCOUNT, holder="alive", idle_s=0, most=9) == held
    await inbox.dealt_with(ACCOUNT, held[0].entry)
    assert [each.update_id for each in await inbox.left_behind(ACCOUNT, holder="b", idle_s=0, most=9)] == [2]


async def test_what_is_still_worked_on_is_not_left_behind_and_that_is_no_other_try(inbox: Inbox, client: Redis) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"one"), (2, b"two")])
    one, two = await inbox.next(ACCOUNT, holder="slow", most=9)
    await idle_for(client, 3600, [one, two])
    await inbox.still_at(ACCOUNT, [one.entry], holder="slow")
    found = await inbox.left_behind(ACCOUNT, holder="other", idle_s=1800, most=9)
    assert [each.update_id for each in found] == [2]
    await inbox.still_at(ACCOUNT, [one.entry], holder="slow")
    found = await inbox.left_behind(ACCOUNT, holder="other", idle_s=0, most=9)
    assert [(each.update_id, each.tries) for each in found] == [(1, 0), (2, 0)]


async def test_what_is_taken_to_begin_at_once_comes_with_one_try_noted_from_whom_it_is_left_behind(
    inbox: Inbox, client: Redis
) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"one"), (2, b"two")])
    (one,) = await inbox.next(ACCOUNT, holder="dead", most=1, begins=True)
    (two,) = await inbox.next(ACCOUNT, holder="dead", most=9)
    assert (one.tries, two.tries) == (0, 0)
    assert await client.ttl(f"rb:telegram:{{{ACCOUNT}}}:tries") > 0
    found = await inbox.left_behind(ACCOUNT, holder="alive", idle_s=0, most=9)
    assert [(each.update_id, each.tries) for each in found] == [(1, 1), (2, 0)]


async def test_what_is_stored_and_taken_at_once_is_the_oldest_and_no_more_than_there_is_room_for(inbox: Inbox) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"one")])
    through = partial(inbox.take_through, ACCOUNT, holder="here")
    came = [*await through([(2, b"two"), (3, b"three")], most=2), *await through([(2, b"two"), (4, b"four")], most=0)]
    assert [(each.update_id, each.tries) for each in came] == [(1, 0), (2, 0)]
    assert await through([], most=9) == []
    assert [each.update_id for each in await inbox.next(ACCOUNT, holder="there", most=9)] == [3, 4]
    found = await inbox.left_behind(ACCOUNT, holder="there", idle_s=0, most=9)
    assert [each.tries for each in found] == [1, 1, 0, 0]


async def test_tries_that_were_noted_come_with_an_update_until_it_is_done_or_they_are_taken_back(
    inbox: Inbox, client: Redis
) -> None:
    await inbox.take_in(ACCOUNT, [(id_, b"") for id_ in range(4)])
    held = await inbox.next(ACCOUNT, holder="dead", most=9)
    for each, tries in zip(held, (1, 3, 2, 1), strict=True):
        await inbox.note_tries(ACCOUNT, each.entry, tries)
    await inbox.note_tries(ACCOUNT, held[2].entry, 0)
    found = await inbox.left_behind(ACCOUNT, holder="alive", idle_s=0, most=9)
    assert [each.tries for each in found] == [1, 3, 0, 1]
    await inbox.dealt_with(ACCOUNT, held[0].entry)
    await inbox.set_aside(ACCOUNT, held[1], "ProcessesDied")
    assert await client.hkeys(f"rb:telegram:{{{ACCOUNT}}}:tries") == [held[3].entry]


async def test_what_is_dealt_with_does_not_come_back_by_being_worked_on(inbox: Inbox, client: Redis) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"one")])
    (one,) = await inbox.next(ACCOUNT, holder="a", most=9)
    await inbox.dealt_with(ACCOUNT, one.entry)
    about: Any = await client.xpending(f"rb:telegram:{{{ACCOUNT}}}:inbox", "takers")
    await inbox.still_at(ACCOUNT, [one.entry], holder="a")
    assert (about["pending"], await waiting(inbox)) == (0, [])


async def test_many_that_look_for_the_left_behind_at_once_share_them(inbox: Inbox, clients: Sequence[Redis]) -> None:
    await inbox.take_in(ACCOUNT, [(id_, b"") for id_ in range(300)])
    held = await inbox.next(ACCOUNT, holder="dead", most=300)
    await idle_for(clients[0], 60, held)
    shares = await asyncio.gather(
        *(RedisInbox(each).left_behind(ACCOUNT, holder=str(i), idle_s=30, most=38) for i, each in enumerate(clients))
    )
    assert sorted(each.update_id for share in shares for each in share) == list(range(300))


async def test_one_left_behind_is_found_behind_many_that_are_worked_on(inbox: Inbox, client: Redis) -> None:
    await inbox.take_in(ACCOUNT, [(id_, b"") for id_ in range(200)])
    held = await inbox.next(ACCOUNT, holder="busy", most=200)
    await idle_for(client, 60, held[-1:])
    found = await inbox.left_behind(ACCOUNT, holder="a", idle_s=30, most=1)
    assert [each.update_id for each in found] == [199]


async def test_processes_that_ended_long_ago_are_not_remembered(inbox: Inbox, client: Redis) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"one")])
    (one,) = await inbox.next(ACCOUNT, holder="a", most=9)
    (stream,) = await client.keys("*:inbox")
    hasty = RedisInbox(client, gone_s=0)

    async def known_but_for(gone: str) -> list[str]:
        """Who is known, once that one is not any more."""
        known, ends = [gone], time.monotonic() + 5
        while gone in known and time.monotonic() < ends:
            await hasty.left_behind(ACCOUNT, holder="c", idle_s=60, most=9)
            known = sorted(str(each["name"]) for each in await client.xinfo_consumers(stream, "takers"))
        return known

    await hasty.left_behind(ACCOUNT, holder="b", idle_s=60, most=9)
    assert await known_but_for("b") == ["a", "c"]  # what has something is known for as long as it has
    await inbox.dealt_with(ACCOUNT, one.entry)
    assert await known_but_for("a") == ["c"]


async def test_what_cannot_be_read_is_set_aside_and_the_next_goes_on(inbox: Inbox, client: Redis) -> None:
    await inbox.take_in(ACCOUNT, [(1, b"{a secret"), (2, b"\xff"), (3, b"fine")])
    odd, odder, _ = await inbox.next(ACCOUNT, holder="a", most=9)
    for stored, why in ((odd, "JSONDecodeError"), (odd, "JSONDecodeError"), (odder, "KeyError")):
        await inbox.set_aside(ACCOUNT, stored, why)
    assert await waiting(inbox) == [3]
    aside = await inbox.aside(ACCOUNT)
    assert [(each.update_id, each.why) for each in aside] == [(2, "KeyError"), (1, "JSONDecodeError")]
    assert all(abs(each.at - time.time()) < 60 for each in aside)
    assert "secret" not in repr(aside)
    (key,) = await client.keys("*:aside")
    assert "secret" in str(await client.zrange(key, 0, -1))
    assert 6 * DAY < await client.ttl(key) <= 7 * DAY


async def test_what_was_set_aside_is_kept_for_a_week_however_much_comes_after(inbox: Inbox, client: Redis) -> None:
    await inbox.set_aside(ACCOUNT, Stored("1-1", 1, b"old"), "KeyError")
    (key,) = await client.keys("*:aside")
    await client.zincrby(key, -8 * DAY, str((await client.zrange(key, 0, -1))[0]))
    assert await inbox.aside(ACCOUNT) == []
    await inbox.set_aside(ACCOUNT, Stored("1-2", 2, b"new"), "KeyError")
    assert await client.zcard(key) == 1


async def test_the_last_thousand_set_aside_are_kept_and_of_a_huge_one_its_beginning(
    inbox: Inbox, client: Redis
) -> None:
    await inbox.set_aside(ACCOUNT, Stored("1-1", 1, b"x" * 10**6), "KeyError")
    (key,) = await client.keys("*:aside")
    assert len(str(await client.zrange(key, 0, -1))) < 10**5
    later: dict[Any, float] = {json.dumps({"update_id": n, "why": "w"}): time.time() + n for n in range(1000)}
    await client.zadd(key, later)
    await inbox.set_aside(ACCOUNT, Stored("1-2", 2, b"y"), "KeyError")
    assert (await client.zcard(key), len(await inbox.aside(ACCOUNT))) == (1000, 1000)


async def test_one_process_leads_until_it_steps_down_or_shows_no_life(inbox: Inbox, client: Redis) -> None:
    assert [await inbox.lead(ACCOUNT, holder=who, life_s=30) for who in "abab"] == [True, False, True, False]
    assert await inbox.lead(OTHER, holder="b", life_s=30)
    await inbox.step_down(ACCOUNT, holder="b")
    assert not await inbox.lead(ACCOUNT, holder="b", life_s=30)
    await inbox.step_down(ACCOUNT, holder="a")
    assert await inbox.lead(ACCOUNT, holder="b", life_s=30.5)
    key = f"rb:telegram:{{{ACCOUNT}}}:lead"
    assert 30_000 < await client.pttl(key) <= 30_500
    await client.delete(key)  # its time is over
    assert await inbox.lead(ACCOUNT, holder="a", life_s=30)


async def test_of_many_that_want_to_lead_at_once_one_does(clients: Sequence[Redis]) -> None:
    leads = await asyncio.gather(
        *(RedisInbox(each).lead(ACCOUNT, holder=str(i), life_s=30) for i, each in enumerate(clients))
    )
    assert sorted(leads) == [False] * 7 + [True]


# --- albums


async def test_an_album_grows_in_any_order_and_is_given_in_order_of_its_messages(albums: Albums) -> None:
    assert await albums.of_group(CHAT, GROUP) is None
    for message, at in ((12, 100.25), (10, 101.75), (11, 102.0)):
        album = await albums.add(CHAT, GROUP, message, said(ANNA, str(message)), at=at)
    assert list(album.items) == [10, 11, 12]
    assert album.items[11] == said(ANNA, "11")
    assert (album.began_at, album.last_at, album.gap_s) == (100.25, 102.0, 1.5)
    assert (album.anchor, album.handed) == (None, frozenset())
    assert await albums.of_group(CHAT, GROUP) == album
    assert [await albums.of_message(CHAT, message) for message in (10, 12, 13)] == [album, album, None]


async def test_times_of_an_album_come_back_to_the_last_digit(albums: Albums) -> None:
    album = await albums.add(CHAT, GROUP, 1, {}, at=1795278149.123456)
    assert (album.began_at, album.last_at) == (1795278149.123456, 1795278149.123456)


async def test_an_item_that_comes_again_has_its_new_words_and_no_other_time(albums: Albums) -> None:
    await albums.add(CHAT, GROUP, 1, said(ANNA, "before"), at=100)
    before = await albums.add(CHAT, GROUP, 2, said(ANNA), at=101)
    after = await albums.add(CHAT, GROUP, 1, said(ANNA, "after \ud83d half"), at=5000)
    assert after.items == {1: said(ANNA, "after \ud83d half"), 2: said(ANNA)}
    assert (after.began_at, after.last_at, after.gap_s) == (before.began_at, before.last_at, before.gap_s)


async def test_an_item_that_was_seen_before_the_others_by_a_slow_clock_begins_the_album(albums: Albums) -> None:
    await albums.add(CHAT, GROUP, 2, {}, at=100)
    album = await albums.add(CHAT, GROUP, 1, {}, at=99.5)
    assert (album.began_at, album.last_at, album.gap_s) == (99.5, 100, 0)


async def test_albums_of_one_name_in_two_chats_are_two(albums: Albums) -> None:
    await albums.add(CHAT, GROUP, 1, {}, at=1)
    await albums.add(TOPIC, GROUP, 2, {}, at=1)
    for chat, message in ((CHAT, 1), (TOPIC, 2)):
        album = await albums.of_group(chat, GROUP)
        assert album is not None
        assert (album.chat, list(album.items)) == (chat, [message])
    assert await albums.of_message(TOPIC, 1) is None


async def test_names_of_albums_may_hold_anything(albums: Albums) -> None:
    odd = "a:b c/ü{x}%25*"
    album = await albums.add(TOPIC, odd, 1, {}, at=1)
    assert await albums.of_message(TOPIC, 1) == album
    await albums.wake_at(TOPIC, odd, 1)
    assert await albums.due(ACCOUNT, 2, life_s=5) == [(TOPIC, odd)]


async def test_ten_items_that_arrive_at_once_at_ten_doors_are_one_album(clients: Sequence[Redis]) -> None:
    await asyncio.gather(*(RedisAlbums(clients[i % 8]).add(CHAT, GROUP, i, said(ANNA), at=100 + i) for i in range(10)))
    album = await RedisAlbums(clients[0]).of_group(CHAT, GROUP)
    assert album is not None
    assert (list(album.items), album.began_at, album.last_at) == (list(range(10)), 100, 109)


async def test_an_album_is_closed_once_by_its_first_anchor_and_remembers_all_that_went_along(albums: Albums) -> None:
    for message in (1, 2):
        await albums.add(CHAT, GROUP, message, {}, at=message)
    first = await albums.close(CHAT, GROUP, anchor=1, handed=[1, 2])
    assert (first.anchor, first.handed, list(first.items)) == (1, frozenset({1, 2}), [1, 2])
    late = await albums.add(CHAT, GROUP, 0, {}, at=9)
    assert (late.anchor, late.handed, list(late.items)) == (1, frozenset({1, 2}), [0, 1, 2])
    joined = await albums.close(CHAT, GROUP, anchor=0, handed=[0])
    assert (joined.anchor, joined.handed) == (1, frozenset({0, 1, 2}))
    assert await albums.of_group(CHAT, GROUP) == joined


async def test_doors_that_close_an_album_at_once_agree_on_its_anchor(clients: Sequence[Redis]) -> None:
    await RedisAlbums(clients[0]).add(CHAT, GROUP, 1, {}, at=1)
    closed = await asyncio.gather(
        *(RedisAlbums(each).close(CHAT, GROUP, anchor=i, handed=[1]) for i, each in enumerate(clients))
    )
    assert len({album.anchor for album in closed}) == 1


async def test_an_album_is_looked_at_when_its_time_has_come_and_by_one_at_a_time(albums: Albums) -> None:
    await albums.wake_at(CHAT, GROUP, 100.5)
    await albums.wake_at(TOPIC, "other", 100)
    await albums.wake_at(chat_ref(OTHER, -5), GROUP, 1)
    assert await albums.due(ACCOUNT, 99, life_s=10) == []
    assert await albums.due(ACCOUNT, 101, life_s=10) == [(TOPIC, "other"), (CHAT, GROUP)]
    assert await albums.due(ACCOUNT, 110, life_s=10) == []
    await albums.let_go(TOPIC, "other")
    assert await albums.due(ACCOUNT, 111.5, life_s=10) == [(CHAT, GROUP)]


async def test_an_album_that_is_due_is_given_to_one_of_many(albums: Albums, clients: Sequence[Redis]) -> None:
    await albums.wake_at(CHAT, GROUP, 1)
    given_to = await asyncio.gather(*(RedisAlbums(each).due(ACCOUNT, 2, life_s=30) for each in clients))
    assert sorted(map(len, given_to)) == [0] * 7 + [1]


async def test_looking_again_later_is_said_by_whoever_looks(albums: Albums) -> None:
    await albums.wake_at(CHAT, GROUP, 100)
    await albums.due(ACCOUNT, 100, life_s=60)
    await albums.wake_at(CHAT, GROUP, 102)
    assert await albums.due(ACCOUNT, 101, life_s=60) == []
    assert await albums.due(ACCOUNT, 102, life_s=60) == [(CHAT, GROUP)]
    await albums.let_go(CHAT, GROUP)
    assert await albums.due(ACCOUNT, 9999, life_s=60) == []


async def test_a_straggler_that_comes_while_its_album_is_handed_over_is_looked_at(
    albums: Albums, client: Redis
) -> None:
    await albums.wake_at(CHAT, GROUP, 100)
    await albums.due(ACCOUNT, 100, life_s=60)
    await albums.wake_at(CHAT, GROUP, 103)  # another door
    await albums.let_go(CHAT, GROUP)
    assert await albums.due(ACCOUNT, 103, life_s=60) == [(CHAT, GROUP)]
    await albums.let_go(CHAT, GROUP)
    assert await albums.due(ACCOUNT, 9999, life_s=60) == []
    assert await client.keys("*due*") == []


async def test_albums_are_kept_for_a_week_from_their_last_item(albums: Albums, client: Redis) -> None:
    for message in (1, 2):
        await albums.add(CHAT, GROUP, message, said(ANNA), at=message)
        lives = [await client.ttl(key) for key in await client.keys("rb:telegram:album:*")]
        assert all(7 * DAY - 60 < life <= 7 * DAY for life in lives)
        for key in await client.keys("*"):
            await client.expire(key, 60)


# --- pace


class Hands:
    """A clock that only its hands move."""

    def __init__(self) -> None:
        self.now = 1_795_278_149.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def pace(client: Redis, hands: Hands) -> Pace:
    return RedisPace(client, clock=hands)


OWN = Lane("chat -5", 2, 3.0)
ALL = Lane("all", 3, 1.0, shared=True)


async def test_places_in_a_lane_of_ones_own_are_given_ahead_in_order(pace: Pace, hands: Hands) -> None:
    assert [await pace.take([OWN]) for _ in range(5)] == [0, 0, 3, 3, 6]
    hands.now += 4
    assert await pace.take([OWN]) == 2
    assert await pace.take([OWN]) == 5


async def test_places_are_told_apart_to_the_millionth_of_a_second(pace: Pace, hands: Hands) -> None:
    fine = Lane("fine", 1, 0.000003)
    assert [await pace.take([fine]) for _ in range(3)] == [0, 0.000003, 0.000006]


async def test_a_place_in_a_shared_lane_is_never_given_ahead(pace: Pace, hands: Hands) -> None:
    assert [await pace.take([ALL]) for _ in range(5)] == [0, 0, 0, 1, 1]
    hands.now += 1
    assert [await pace.take([ALL]) for _ in range(4)] == [0, 0, 0, 1]


async def test_who_waits_has_a_place_in_the_own_lane_and_takes_the_shared_one_later(pace: Pace, hands: Hands) -> None:
    for _ in range(2):
        assert await pace.take([OWN, ALL]) == 0
    assert await pace.take([OWN, ALL]) == 3
    assert await pace.take([ALL], spare=0) == 0
    assert await pace.take([ALL], spare=0) is None
    hands.now += 3
    assert await pace.take([OWN, ALL], came=True) == 0
    assert await pace.take([OWN, ALL]) == 0
    assert await pace.take([OWN, ALL]) == 3


async def test_where_the_shared_lane_is_full_the_own_place_is_when_it_has_room(pace: Pace, hands: Hands) -> None:
    for _ in range(3):
        await pace.take([ALL])
    single = Lane("single", 1, 1.0)
    assert await pace.take([single, ALL]) == 1
    assert await pace.take([single]) == 2
    hands.now += 1
    assert await pace.take([ALL]) == 0


async def test_the_narrowest_lane_says_when(pace: Pace) -> None:
    wide, narrow = Lane("wide", 9, 1.0), Lane("narrow", 1, 20.0)
    assert [await pace.take([wide, narrow]) for _ in range(3)] == [0, 20, 40]
    assert await pace.take([wide]) == 40


async def test_what_may_be_left_out_is_left_out_unless_there_is_room_to_spare(pace: Pace, hands: Hands) -> None:
    roomy, other = Lane("roomy", 4, 10.0), Lane("other", 9, 1.0)
    assert [await pace.take([roomy, other], spare=2) for _ in range(3)] == [0, 0, None]
    assert [await pace.take([roomy], spare=spare) for spare in (1, 0)] == [0, 0]
    assert await pace.take([roomy], spare=0) is None
    assert await pace.take([other], spare=6) == 0
    hands.now += 10
    assert await pace.take([roomy, other], spare=3) == 0
    assert await pace.take([roomy], spare=4) is None


async def test_what_is_left_out_takes_nothing(pace: Pace) -> None:
    one, full = Lane("one", 1, 5.0), Lane("full", 1, 5.0, shared=True)
    await pace.take([full])
    assert await pace.take([one, full], spare=0) is None
    assert await pace.take([one]) == 0


async def test_a_place_that_nobody_would_wait_for_is_left_to_others(pace: Pace, hands: Hands) -> None:
    assert [await pace.take([OWN, ALL], longest_s=3) for _ in range(9)] == [0, 0, 3, 3, 6, 6, 6, 6, 6]
    hands.now += 3
    assert [await pace.take([OWN], longest_s=3) for _ in range(3)] == [3, 3, 6]
    await pace.hold_back(ALL.name, 20)
    assert await pace.take([OWN, ALL], longest_s=19) == 20
    assert await pace.take([OWN]) == 6


async def test_nothing_goes_through_a_lane_that_is_held_back(pace: Pace, hands: Hands) -> None:
    await pace.hold_back(OWN.name, 7.5)
    await pace.hold_back(OWN.name, 2)
    await pace.hold_back(OWN.name, 0)
    assert await pace.take([OWN, ALL], spare=0) is None
    assert [await pace.take([OWN]) for _ in range(3)] == [7.5, 7.5, 10.5]
    assert await pace.take([ALL]) == 0
    await pace.hold_back(ALL.name, 20)
    assert await pace.take([ALL]) == 20
    hands.now += 20
    assert await pace.take([ALL]) == 0


async def test_a_place_that_comes_while_its_lane_is_held_back_is_lost_for_a_later_one(pace: Pace, hands: Hands) -> None:
    assert [await pace.take([OWN, ALL]) for _ in range(5)] == [0, 0, 3, 3, 6]
    await pace.hold_back(OWN.name, 10)
    hands.now += 3
    assert [await pace.take([OWN, ALL], came=True) for _ in range(2)] == [7, 7]
    hands.now += 3
    assert await pace.take([OWN, ALL], came=True) == 7
    assert await pace.take([OWN, ALL], longest_s=6, came=True) == 7
    hands.now += 4
    assert [await pace.take([OWN, ALL], came=True) for _ in range(2)] == [0, 0]
    assert await pace.take([ALL], spare=1) is None


async def test_a_clock_that_is_put_back_gives_no_place_twice(pace: Pace, hands: Hands) -> None:
    await pace.take([OWN])
    await pace.take([OWN])
    hands.now -= 60
    assert await pace.take([OWN]) == 63


async def test_the_servers_own_clock_is_the_one_that_counts(client: Redis, clients: Sequence[Redis]) -> None:
    paces = [RedisPace(each) for each in clients]
    waits = await asyncio.gather(*(pace.take([Lane("lane:held", 1, 100.0)]) for pace in paces))
    assert sorted(round(wait or 0, -1) for wait in waits) == [100.0 * n for n in range(8)]
    await paces[0].hold_back("lane", 50)
    wait = await paces[1].take([Lane("lane", 1, 1.0)])
    assert wait is not None
    assert 49 < wait <= 50


async def test_no_lanes_are_no_wait(pace: Pace) -> None:
    assert await pace.take([]) == 0


async def test_a_lane_is_not_kept_for_longer_than_it_matters(pace: Pace, client: Redis) -> None:
    for _ in range(3):
        await pace.take([OWN])
    (key,) = await client.keys("*pace*")
    assert 6_000 < await client.pttl(key) <= 7_000


lanes = [Lane("a", 1, 1.000003), Lane("b", 3, 3.4), Lane("c", 5, 20.0), Lane("s", 2, 1.0, shared=True)]
steps = st.lists(
    st.tuples(
        st.lists(st.sampled_from(lanes), min_size=1, max_size=4, unique=True),
        st.sampled_from([None, None, None, 0, 1]),
        st.sampled_from([0.0, 0.0, 0.0, 0.250017, 1.0, 7.000029]),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
async def test_no_window_ever_holds_more_than_it_may_and_whoever_came_first_goes_first(
    redis_url: str, asked: list[tuple[list[Lane], int | None, float]]
) -> None:
    hands = Hands()
    micros = round(hands.now * 1e6)  # added up as numbers with a point, they would drift
    places: dict[Lane, list[int]] = {lane: [] for lane in lanes}
    async with open_client(redis_url) as client:
        await client.flushdb()
        pace = RedisPace(client, clock=hands)
        for wanted, spare, later in asked:
            wait = await pace.take(wanted, spare=spare)
            assert spare is None or wait in (None, 0)
            taken = [lane for lane in wanted if wait == 0 or (wait is not None and not lane.shared)]
            for lane in taken:
                places[lane].append(micros + round((wait or 0) * 1e6))
            micros += round(later * 1e6)
            hands.now = micros / 1e6
    for lane, given_at in places.items():
        assert given_at == sorted(given_at)
        windows = zip(given_at, given_at[lane.most :], strict=False)
        assert all(next_ - first >= round(lane.window_s * 1e6) for first, next_ in windows)


# --- the ledger


async def test_a_message_is_begun_once_and_then_known(ledger: Ledger) -> None:
    assert await ledger.find("one") is None
    assert await ledger.begin("one") == Send(SendState.NEW)
    begun = await ledger.begin("one")
    assert begun.state is SendState.SENDING
    assert abs(begun.at - time.time()) < 60
    assert await ledger.find("one") == begun
    await ledger.sent("one", [5, 6])
    assert await ledger.find("one") == await ledger.begin("one") == Send(SendState.SENT, (5, 6), begun.at)


async def test_of_many_that_begin_at_once_one_sends(clients: Sequence[Redis]) -> None:
    begun = await asyncio.gather(*(RedisLedger(each, retention_s=99).begin("one") for each in clients))
    assert sorted(each.state for each in begun) == [SendState.NEW] + [SendState.SENDING] * 7


async def test_what_may_or_may_not_stand_there_is_not_begun_again(ledger: Ledger) -> None:
    await ledger.begin("one")
    await ledger.unknown("one")
    assert (await ledger.begin("one")).state is SendState.UNKNOWN
    await ledger.sent("one", [5])
    assert (await ledger.begin("one")).messages == (5,)


async def test_whoever_does_not_know_takes_nothing_from_whoever_knows(ledger: Ledger) -> None:
    await ledger.begin("one")
    await ledger.sent("one", [5])
    await ledger.unknown("one")
    found = await ledger.find("one")
    assert found is not None
    assert (found.state, found.messages) == (SendState.SENT, (5,))


async def test_what_was_certainly_not_sent_may_be_begun_again(ledger: Ledger) -> None:
    await ledger.begin("a b:{c}")
    await ledger.drop("a b:{c}")
    assert await ledger.find("a b:{c}") is None
    assert (await ledger.begin("a b:{c}")).state is SendState.NEW


async def test_what_was_sent_is_known_as_long_as_pictures_are_kept(ledger: Ledger, client: Redis) -> None:
    await ledger.begin("one")
    for act in (ledger.sent("one", [5]), ledger.unknown("one")):
        (key,) = await client.keys("*")
        assert 90 * DAY - 60 < await client.ttl(key) <= 90 * DAY
        await client.expire(key, 60)
        await act
    assert await client.ttl(key) > 90 * DAY - 60


# --- everything else


async def test_a_file_that_telegram_has_is_known_by_its_bot_and_by_how_it_is_shown(store: TelegramStore) -> None:
    sha = sha256_of(b"picture")
    photo, document = KnownFile("AgAC", as_photo=True), KnownFile("BQAC", as_photo=False)
    for file in (photo, document):
        await store.note_file(ACCOUNT, sha, file)
    assert [await store.file(ACCOUNT, sha, as_photo=as_photo) for as_photo in (True, False)] == [photo, document]
    assert await store.file(OTHER, sha, as_photo=True) is None
    assert "AgAC" not in repr(photo)


async def test_a_group_that_moved_is_known_by_its_new_name(store: TelegramStore) -> None:
    assert await store.moved_to(chat_ref(ACCOUNT, -5)) is None
    await store.note_move(chat_ref(ACCOUNT, -5), TOPIC)
    assert await store.moved_to(chat_ref(ACCOUNT, -5)) == TOPIC
    assert await store.moved_to(chat_ref(OTHER, -5)) is None


async def test_a_chat_is_closed_until_somebody_opens_it(store: TelegramStore) -> None:
    assert await store.closed(CHAT) == ""
    await store.close_chat(CHAT, "blocked")
    assert (await store.closed(CHAT), await store.closed(TOPIC)) == ("blocked", "")
    await store.open_chat(CHAT)
    await store.open_chat(CHAT)
    assert await store.closed(CHAT) == ""


async def test_where_a_chat_is_and_whether_it_is_closed_is_asked_at_once(store: TelegramStore) -> None:
    assert await store.state(CHAT) == (None, "")
    await store.note_move(CHAT, TOPIC)
    await store.close_chat(CHAT, "blocked")
    assert await store.state(CHAT) == (TOPIC, "blocked")
    assert await store.state(TOPIC) == (None, "")


async def test_only_other_words_are_a_change(store: TelegramStore, client: Redis) -> None:
    versions = enumerate(("sepia", "sepia", "blue \ud83d", "sepia", "sepia"))
    assert [await store.says_since(REPLY, words, version) for version, words in versions] == [0, 0, 2, 3, 3]
    kept = [str(await client.get(key)) for key in await client.keys("*")]
    assert kept
    assert not any("sepia" in text for text in kept)


async def test_what_a_message_says_and_how_its_chat_stands_are_asked_at_once(store: TelegramStore) -> None:
    assert await store.says_in(CHAT, REPLY, "a hat", 1) == (1, (None, ""))
    await store.close_chat(CHAT, "kicked")
    await store.note_move(CHAT, TOPIC)
    assert await store.says_in(CHAT, REPLY, "a hat", 2) == (1, (TOPIC, "kicked"))
    assert await store.says_since(REPLY, "a coat", 3) == 3


async def test_what_a_message_says_can_be_forgotten_and_is_like_no_other(store: TelegramStore, client: Redis) -> None:
    await store.says_since(REPLY, "a secret", 1)
    await store.says_since(message_ref(ACCOUNT, 5, 77), "a secret", 1)
    kept = [str(await client.get(key)) for key in await client.keys("*")]
    assert len(set(kept)) == 2
    await store.unsay([])
    await store.unsay([REPLY, message_ref(ACCOUNT, 5, 77)])
    assert await client.keys("*") == []


async def test_once_is_once_by_name_and_for_its_time(store: TelegramStore, client: Redis) -> None:
    assert [await store.once(what, life_s=60) for what in ("a b", "a b", "a c")] == [True, False, True]
    assert [await store.was(what) for what in ("a b", "a d")] == [True, False]
    assert all([0 < await client.ttl(key) <= 60 for key in await client.keys("*")])


async def test_of_many_at_once_one_is_the_first(clients: Sequence[Redis]) -> None:
    first = await asyncio.gather(
        *(RedisTelegramStore(each, retention_s=99).once("greeted", life_s=60) for each in clients)
    )
    assert sorted(first) == [False] * 7 + [True]


async def test_a_call_is_taken_once(store: TelegramStore) -> None:
    await store.keep_call("turn:anna", REPLY)
    assert [await store.take_call("turn:anna") for _ in range(2)] == [REPLY, None]


async def test_what_was_noted_is_known_by_its_name(store: TelegramStore) -> None:
    assert await store.noted("commands:de") == ""
    await store.note("commands:de", "digest")
    assert (await store.noted("commands:de"), await store.noted("commands:en")) == ("digest", "")


# --- forgetting


async def test_whoever_is_forgotten_leaves_nothing_in_the_inbox_and_others_stay(
    inbox: Inbox, store: TelegramStore
) -> None:
    channel = {"id": int(BEN.user), "type": "channel"}
    theirs = [
        update(1, message=said(ANNA)),
        update(2, edited_message=said(ANNA)),
        update(3, callback_query={"id": "9", "from": person(ANNA), "data": "rb:x"}),
        (4, b'{"message":{"from":{"id":' + ANNA.user.encode() + b"}"),
        update(5, channel_post=said(BEN, sender_chat={"id": int(ANNA.user), "type": "channel"})),
    ]
    others = [
        update(11, message=said(BEN, reply_to_message=said(ANNA))),
        update(12, message=said(BEN, words=f"{ANNA.user}")),
        update(13, message=said(ANNA, sender_chat=channel)),
        (14, b"cannot be read"),
        (15, b"[1]"),
    ]
    await inbox.take_in(ACCOUNT, [*theirs[:3], *others, *theirs[3:]])
    await inbox.next(ACCOUNT, holder="a", most=2)
    await store.forget(ANNA)
    assert await waiting(inbox) == [11, 12, 13, 14, 15]


async def test_whoever_is_forgotten_is_found_in_every_inbox_however_full(inbox: Inbox, store: TelegramStore) -> None:
    many = [update(id_, message=said(ANNA if id_ % 3 else BEN)) for id_ in range(450)]
    await inbox.take_in(ACCOUNT, many)
    await inbox.take_in(OTHER, [update(1, message=said(ANNA))])
    await store.forget(ANNA)
    assert await waiting(inbox) == list(range(0, 450, 3))
    assert await inbox.next(OTHER, holder="a", most=9) == []


async def test_what_was_set_aside_goes_with_whoever_it_names(inbox: Inbox, store: TelegramStore) -> None:
    named = [b'{"from":{"id":%s}' % ANNA.user.encode(), update(2, message=said(BEN, reply_to_message=said(ANNA)))[1]]
    unnamed = [
        b'{"from":{"id":1%s},{"id":%s1}' % (ANNA.user.encode(), ANNA.user.encode()),
        update(4, message=said(BEN))[1],
    ]
    for id_, raw in enumerate([*named, *unnamed, b"\xff"], start=1):
        await inbox.take_in(ACCOUNT, [(id_, raw)])
        await inbox.set_aside(ACCOUNT, Stored(f"1-{id_}", id_, raw), "KeyError")
    await store.forget(ANNA)
    assert sorted(each.update_id for each in await inbox.aside(ACCOUNT)) == [3, 4]


async def test_whoever_is_forgotten_leaves_no_album_and_others_stay(
    albums: Albums, store: TelegramStore, client: Redis
) -> None:
    hers = [(CHAT, "hers"), (TOPIC, "as a channel"), (CHAT, "forwarded")]
    await albums.add(*hers[0], 1, said(ANNA), at=1)
    await albums.add(*hers[1], 2, said(BEN, sender_chat={"id": int(ANNA.user)}), at=1)
    await albums.add(*hers[2], 3, said(BEN, forward_origin={"type": "user", "sender_user": person(ANNA)}), at=1)
    kept = await albums.add(CHAT, "his", 4, said(BEN), at=1)
    await store.forget(ANNA)
    assert [await albums.of_group(*name) for name in hers] == [None] * 3
    assert [await albums.of_message(CHAT, message) for message in (1, 3)] == [None] * 2
    assert await albums.of_group(CHAT, "his") == kept
    dump = [str(await client.hgetall(key)) for key in await client.keys("rb:telegram:album:*")]
    assert not [text for text in (*dump, *map(str, await client.keys("*"))) if ANNA.user in text]


async def test_others_albums_stay_without_the_message_of_whoever_is_forgotten(
    albums: Albums, store: TelegramStore
) -> None:
    mixed = {1: said(BEN, reply_to_message=said(ANNA, "hers")), 2: said(BEN), 3: said(ANNA)}
    for message, raw in mixed.items():
        await albums.add(CHAT, GROUP, message, raw, at=message)
    await albums.close(CHAT, GROUP, anchor=1, handed=[1, 2, 3])
    await store.forget(ANNA)
    left = await albums.of_group(CHAT, GROUP)
    assert left is not None
    assert await albums.of_message(CHAT, 3) is None
    assert (dict(left.items), left.anchor) == ({1: said(BEN), 2: said(BEN)}, 1)


async def test_forgetting_a_person_of_another_platform_changes_nothing(inbox: Inbox, store: TelegramStore) -> None:
    await inbox.take_in(ACCOUNT, [update(1, message=said(ANNA))])
    await store.forget(UserRef("discord", ANNA.user))
    assert await waiting(inbox) == [1]
