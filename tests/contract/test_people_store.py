"""Who may use an installation, and what was changed: against a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.domain.changes import HOUSE, Change, place_of_chat
from bot.domain.invitations import MOST_TRIES, Invitation, Joined, digest_of
from bot.domain.people import Door, Entry, Roll, Rules
from bot.domain.refs import ChatRef, UserRef, user_ref_of
from storage.redis.changes import CHANGES_LIFE_S, MOST_OF_PLACE, RedisChangeLog
from storage.redis.client import open_client
from storage.redis.keys import Keys
from storage.redis.people import RedisPeopleStore

WHO, OTHER = "discord:1", "telegram:2"
CODE = digest_of("a code")
LATER = time.time() + 3600


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def store(client: Redis) -> RedisPeopleStore:
    return RedisPeopleStore(client)


@pytest.fixture
def log(client: Redis) -> RedisChangeLog:
    return RedisChangeLog(client)


def invitation(left: int = 1, until: float = LATER) -> Invitation:
    return Invitation(CODE[:8], left, until, 1.0, WHO)


async def test_an_installation_that_has_decided_nothing_keeps_nobody_out(store: RedisPeopleStore) -> None:
    assert await store.rules() == Rules()
    assert await store.allowed([WHO, OTHER]) == [False, False]


async def test_what_is_put_on_a_list_is_there_until_it_is_dropped(store: RedisPeopleStore) -> None:
    banned = Entry(at=1.0, by=OTHER, until=LATER, reason="rude")
    await store.put(Roll.DENIED, WHO, banned)
    await store.put(Roll.OPERATOR, OTHER, Entry(at=2.0))
    await store.put(Roll.ALLOWED, WHO, Entry(at=3.0))
    await store.turn_door(Door.CLOSED)
    assert await store.rules() == Rules(Door.CLOSED, frozenset({OTHER}), {WHO: LATER})
    assert (await store.roll(Roll.DENIED), await store.allowed([OTHER, WHO])) == ({WHO: banned}, [False, True])
    assert [await store.drop(roll, WHO) for roll in (Roll.DENIED, Roll.ALLOWED, Roll.DENIED)] == [True, True, False]
    assert (await store.rules()).denied == {}


async def test_a_ban_that_is_over_goes_with_the_next_change(store: RedisPeopleStore) -> None:
    await store.put(Roll.DENIED, WHO, Entry(at=1.0, until=2.0))
    await store.put(Roll.DENIED, OTHER, Entry(at=1.0))
    assert list((await store.rules()).denied) == [OTHER]


async def test_who_is_banned_anew_as_another_one_tidies_up_stays_banned(store: RedisPeopleStore) -> None:
    for _ in range(10):
        await store.put(Roll.DENIED, WHO, Entry(at=1.0, until=2.0))
        await asyncio.gather(
            store.put(Roll.DENIED, WHO, Entry(at=3.0)), *(store.put(Roll.DENIED, OTHER, Entry(at=1.0)) for _ in "ab")
        )
        assert (await store.rules()).denied == {WHO: None, OTHER: None}


async def test_a_code_lets_in_as_many_as_it_is_for_and_not_one_more(store: RedisPeopleStore) -> None:
    await store.invite(CODE, invitation(left=3))
    people = [f"discord:{number}" for number in range(12)]
    joined = await asyncio.gather(*(store.join(CODE, person, Entry(at=1.0, invited=True)) for person in people))
    assert (joined.count(Joined.IN), joined.count(Joined.WRONG)) == (3, 9)
    assert list(await store.allowed(people)) == [each is Joined.IN for each in joined]
    assert await store.invitations() == []


async def test_whoever_is_in_already_uses_nothing_up(store: RedisPeopleStore) -> None:
    await store.invite(CODE, invitation())
    await store.put(Roll.ALLOWED, WHO, Entry(at=1.0))
    assert await store.join(CODE, WHO, Entry(at=2.0, invited=True)) is Joined.ALREADY
    assert await store.invitations() == [invitation()]


async def test_guesses_are_counted_for_each_person_and_then_even_the_right_code_waits(
    store: RedisPeopleStore, client: Redis
) -> None:
    await store.invite(CODE, invitation(left=2))
    guesses = [await store.join(digest_of(str(n)), WHO, Entry(at=1.0)) for n in range(MOST_TRIES)]
    assert guesses == [Joined.WRONG] * MOST_TRIES
    assert await store.join(CODE, WHO, Entry(at=1.0)) is Joined.SLOW
    assert await store.join(CODE, OTHER, Entry(at=1.0)) is Joined.IN
    assert 0 < await client.ttl(f"rb:{{who}}:tries:{WHO}") <= 15 * 60


async def test_an_invitation_ends_by_itself_or_when_it_is_ended(store: RedisPeopleStore, client: Redis) -> None:
    await store.invite(CODE, invitation())
    assert 0 < await client.ttl(f"rb:{{who}}:invitation:{CODE}") <= 3601
    assert 0 < await client.ttl("rb:{who}:invitations") <= 3601
    assert [await store.revoke(id_) for id_ in ("", "zz", CODE[:8], CODE[:8])] == [False, False, True, False]
    assert await store.join(CODE, WHO, Entry(at=1.0)) is Joined.WRONG


async def test_a_change_wakes_whoever_waits_for_it(store: RedisPeopleStore) -> None:
    before = await store.news()
    assert await store.wait(before, within_s=0.01) is False
    waiting = asyncio.create_task(store.wait(before, within_s=30))
    await store.turn_door(Door.MEMBERS)
    assert await waiting is True
    after = await store.news()
    assert await store.wait(before, within_s=30) is True
    assert await store.wait(after, within_s=0.01) is False


@pytest.mark.parametrize("roll", list(Roll))
async def test_each_change_of_a_list_is_news(store: RedisPeopleStore, roll: Roll) -> None:
    marks = [await store.news()]
    await store.put(roll, WHO, Entry(at=1.0))
    marks.append(await store.news())
    await store.drop(roll, WHO)
    marks.append(await store.news())
    assert len(set(marks)) == 3


async def test_what_a_newer_version_calls_the_door_is_read_as_the_narrowest(
    store: RedisPeopleStore, client: Redis
) -> None:
    await client.hset("rb:{who}:rules", "door", "by moonlight")
    await client.hset("rb:{who}:rules", "denied:discord:1", '{"at":1.0,"until":null,"moon":"full","v":2}')
    assert await store.rules() == Rules(Door.CLOSED, frozenset(), {WHO: None})
    await store.put(Roll.DENIED, OTHER, Entry(at=1.0, by=WHO))
    await store.forget(WHO)
    assert "moon" in str(await client.hget("rb:{who}:rules", "denied:discord:1"))


async def test_whoever_is_forgotten_leaves_a_ban_without_its_reason_and_is_named_nowhere_else(
    store: RedisPeopleStore,
) -> None:
    await store.put(Roll.DENIED, WHO, Entry(at=1.0, by=OTHER, reason="he wrote bad things"))
    await store.put(Roll.DENIED, OTHER, Entry(at=1.0, by=WHO, until=LATER, reason="spam"))
    await store.put(Roll.ALLOWED, "discord:3", Entry(at=1.0, by=WHO))
    await store.invite(CODE, invitation())
    await store.forget(WHO)
    assert await store.roll(Roll.DENIED) == {
        WHO: Entry(at=1.0, by=OTHER),
        OTHER: Entry(at=1.0, until=LATER, reason="spam"),
    }
    assert await store.roll(Roll.ALLOWED) == {"discord:3": Entry(at=1.0)}
    assert [each.by for each in await store.invitations()] == [""]


async def test_what_is_said_of_the_chat_named_after_whoever_is_forgotten_stays_without_its_reason(
    store: RedisPeopleStore,
) -> None:
    for chat in ("2", "2%2F7", "-2", "22"):
        await store.put(Roll.DENIED, f"telegram:chat:{chat}", Entry(at=1.0, reason="two writes too much"))
    await store.put(Roll.ALLOWED, "telegram:chat:2", Entry(at=1.0, reason="two is kind", by="host"))
    await store.put(Roll.DENIED, "discord:chat:2", Entry(at=1.0, reason="loud"))
    await store.forget(OTHER)
    left = {subject: entry.reason for subject, entry in (await store.roll(Roll.DENIED)).items()}
    assert left == {
        "telegram:chat:2": "",
        "telegram:chat:2%2F7": "",
        "telegram:chat:-2": "two writes too much",
        "telegram:chat:22": "two writes too much",
        "discord:chat:2": "loud",
    }
    assert await store.roll(Roll.ALLOWED) == {"telegram:chat:2": Entry(at=1.0, by="host")}


async def test_whoever_came_in_by_a_code_and_is_forgotten_is_on_no_list(store: RedisPeopleStore) -> None:
    await store.invite(CODE, invitation())
    await store.join(CODE, WHO, Entry(at=1.0, invited=True))
    await store.forget(WHO)
    assert (await store.roll(Roll.ALLOWED), await store.allowed([WHO])) == ({}, [False])


# --- the log


def change(at: float, place: str = HOUSE, by: str = WHO, people: tuple[str, ...] = ()) -> Change:
    return Change(at, by, place, "door", "open", "closed", people)


async def test_changes_are_told_newest_first_by_place_and_all_together(log: RedisChangeLog) -> None:
    now = time.time()
    first, second, third = change(now - 3), change(now - 2, "chat:a"), change(now - 1)
    await log.note([first, second, third])
    assert await log.of([HOUSE, "chat:a"], most=2) == [third, second]
    assert await log.of(["chat:b"], most=9) == []
    assert await log.since(now - 2.5) == [third, second]


async def test_a_place_keeps_so_many_and_none_for_longer_than_a_season(log: RedisChangeLog, client: Redis) -> None:
    now = time.time()
    await log.note([change(now - CHANGES_LIFE_S - 9, "chat:a"), change(now - 500), change(now, "chat:b")])
    await log.note([change(now - number, "chat:a") for number in range(MOST_OF_PLACE + 20)])
    kept = await log.of(["chat:a"], most=1000)
    assert (len(kept), kept[-1].at) == (MOST_OF_PLACE, now - MOST_OF_PLACE + 1)
    assert len(await log.of([HOUSE], most=9)) == 1
    assert all([0 < await client.ttl(key) <= CHANGES_LIFE_S for key in await client.keys("*")])


async def test_whoever_is_forgotten_is_in_no_line_of_the_log(log: RedisChangeLog) -> None:
    now = time.time()
    await log.note([change(now - 1), change(now, "chat:a", OTHER, (WHO, "discord:3"))])
    await log.forget(user_ref_of(WHO))
    assert await log.since(0) == [change(now, "chat:a", OTHER, ("discord:3",)), change(now - 1, by="")]


async def test_of_a_chat_that_is_named_after_whoever_is_forgotten_no_line_is_kept(
    log: RedisChangeLog, client: Redis
) -> None:
    anna, now = UserRef("telegram", "573"), time.time()
    own, group = (place_of_chat(ChatRef("telegram", "4242", chat)) for chat in ("573", "-573"))
    await log.note([change(now - 1, own, anna.key), change(now, group, anna.key)])
    await log.forget(anna)
    assert await log.since(0) == [change(now, group, by="")]
    assert [str(key) for key in await client.keys("*changes*")] == [Keys().changes(group)]
    assert await client.zrange(Keys().who("changed"), 0, -1) == [group]
