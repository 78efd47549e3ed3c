"""What the store of turns promises, against a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.images import ALL, Input, Role
from bot.domain.refs import Person, TurnId, UserRef
from bot.domain.turns import Hold, Outcome, Source, Turn, TurnState, Usage
from bot.domain.wishes import Form, Wish
from bot.ports import Bucket, Submitted
from storage.redis.client import open_client
from storage.redis.keys import Keys
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, BEN, done, image, turn

DAY = 24 * 3600


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def store(client: Redis) -> RedisTurnStore:
    store = RedisTurnStore(client, retention_s=90 * DAY, author_limit=2, life_s=0.2)
    await store.announce("worker", slots=3)
    return store


async def run_to_end(store: RedisTurnStore, one: Turn, outcome: Outcome | None = None) -> list[str]:
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.finish(one, claim.epoch, outcome or done())
    return await settled(store, one)


async def settled(store: RedisTurnStore, one: Turn) -> list[str]:
    status = await store.load(one.id)
    assert status is not None
    return list(await store.settle(status))


async def test_a_turn_may_run_at_once_when_a_worker_has_room(store: RedisTurnStore) -> None:
    one = turn()
    submitted = await store.submit(one, [])
    assert submitted.start == (one.id,)
    assert not submitted.repeat


async def test_a_repeat_is_refused_even_after_the_turn_is_finished_and_delivered(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    assert (await store.submit(one, [])).repeat
    await run_to_end(store, one)
    await store.delivered(one.id)
    assert (await store.submit(one, [])).repeat
    assert await store.open_turns() == []


async def test_sixteen_deliveries_of_one_message_at_once_start_it_once(store: RedisTurnStore, client: Redis) -> None:
    await asyncio.gather(*(client.ping() for _ in range(16)))
    one = turn()
    answers = await asyncio.gather(*(store.submit(one, [Bucket("house:today", 10, 100)]) for _ in range(16)))
    assert sum(len(answer.start) for answer in answers) == 1
    assert await client.get("rb:{adm}:bucket:house:today") == "10"


async def test_a_reply_to_a_turn_that_still_runs_waits_for_it(store: RedisTurnStore) -> None:
    parent = turn()
    child = turn(parent=parent, inputs=(Input(Role.PARENT, ANNA, None, parent.id, ALL),))
    await store.submit(parent, [])
    submitted = await store.submit(child, [])
    assert submitted.holds == {"parent"}
    status = await store.load(child.id)
    assert status is not None
    assert (status.state, status.holds) == (TurnState.WAITING, frozenset({Hold.PARENT}))
    assert await run_to_end(store, parent) == [child.id]


async def test_a_cancelled_turn_lets_its_children_go(store: RedisTurnStore) -> None:
    parent = turn()
    child = turn(parent=parent)
    await store.submit(parent, [])
    await store.submit(child, [])
    assert await store.end(parent.id, Outcome(TurnState.CANCELLED))
    assert await settled(store, parent) == [child.id]


async def test_one_person_never_has_more_under_way_than_allowed(store: RedisTurnStore) -> None:
    turns = [turn() for _ in range(4)]
    started = [await store.submit(one, []) for one in turns]
    assert [bool(each.start) for each in started] == [True, True, False, False]
    waiting = await store.load(turns[2].id)
    assert waiting is not None
    assert waiting.holds == {Hold.AUTHOR}
    assert await run_to_end(store, turns[0]) == [turns[2].id]


async def test_workers_are_shared_between_persons_and_not_first_come_first_served(client: Redis) -> None:
    store = RedisTurnStore(client, retention_s=DAY, author_limit=5)
    await store.announce("worker", slots=1)
    flood = [turn(author=ANNA) for _ in range(4)]
    for one in flood:
        await store.submit(one, [])
    other = turn(author=BEN)
    assert (await store.submit(other, [])).position == 2
    assert await run_to_end(store, flood[0]) == [flood[1].id]
    assert await run_to_end(store, flood[1]) == [other.id]


async def test_without_a_worker_turns_wait_in_line_and_start_when_one_comes(client: Redis) -> None:
    store = RedisTurnStore(client, retention_s=DAY)
    one, two = turn(), turn(author=BEN)
    assert (await store.submit(one, [])).position == 1
    assert (await store.submit(two, [])).position == 2
    assert await store.announce("late", slots=2) == [one.id, two.id]


async def test_a_bucket_without_room_accepts_nothing_and_reserves_nothing(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    submitted = await store.submit(one, [Bucket("person:a", 10, 100), Bucket("house", 60, 50)])
    assert submitted.full == "house"
    assert await client.get("rb:{adm}:bucket:person:a") is None
    assert await store.end(one.id, Outcome(TurnState.REFUSED, code="not_allowed", words="Enough for today."))
    status = await store.load(one.id)
    assert status is not None
    assert status.state is TurnState.REFUSED


async def test_what_was_reserved_is_settled_to_what_it_cost(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    await store.submit(one, [Bucket("person:a", 100, 1000), Bucket("house", 100, 1000)])
    await run_to_end(store, one, done(cost_microusd=33))
    await settled(store, one)
    assert await client.mget("rb:{adm}:bucket:person:a", "rb:{adm}:bucket:house") == ["33", "33"]


async def test_a_refusal_is_not_charged_to_the_person(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    await store.submit(one, [Bucket("person:a", 100, 1000), Bucket("house", 100, 1000)])
    refused = Outcome(TurnState.REFUSED, usage=Usage(cost_microusd=20))
    await run_to_end(store, one, refused)
    assert await client.mget("rb:{adm}:bucket:person:a", "rb:{adm}:bucket:house") == ["0", "20"]


async def test_a_call_in_flight_is_charged_when_its_turn_is_cancelled(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    await store.submit(one, [Bucket("house", 100, 1000)])
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.calling(one.id, claim.epoch, "call 1")
    await store.end(one.id, Outcome(TurnState.CANCELLED))
    await settled(store, one)
    assert await client.get("rb:{adm}:bucket:house") == "100"


async def test_only_the_latest_claim_can_finish_a_turn(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    first = await store.claim(one.id)
    assert first is not None
    assert await store.claim(one.id) is None
    second = await next_claim(store, one)
    assert not await store.finish(one, first.epoch, done())
    assert not await store.beat(one.id, first.epoch)
    assert await store.finish(one, second, done())
    assert not await store.finish(one, second, Outcome(TurnState.FAILED))


async def next_claim(store: RedisTurnStore, one: Turn) -> int:
    """Claims again as soon as the first claimant showed no life for long enough."""
    deadline = time.monotonic() + 5
    while (claim := await store.claim(one.id)) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return claim.epoch


async def test_a_worker_that_shows_life_keeps_its_turn(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    for _ in range(8):
        await asyncio.sleep(0.05)
        assert await store.beat(one.id, claim.epoch)
        assert await store.claim(one.id) is None


async def test_calls_begun_by_a_dead_worker_are_counted_for_the_next(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    await store.calling(one.id, claim.epoch, "call 2")
    await next_claim(store, one)
    status = await store.load(one.id)
    assert status is not None
    assert (status.calls, status.epoch) == (1, 2)


async def test_after_a_long_silence_whoever_has_paid_is_given_a_moment_once(
    store: RedisTurnStore, client: Redis
) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.calling(one.id, claim.epoch, "call 4")
    key = Keys().turn(one.id)
    await client.hset(key, "alive_until", str(time.time() - 400))  # the server was away
    assert await store.claim(one.id) is None
    assert await store.beat(one.id, claim.epoch)
    await client.hset(key, "alive_until", str(time.time() - 400))
    assert await store.claim(one.id) is not None
    assert not await store.finish(one, claim.epoch, done())


async def test_after_a_long_silence_a_turn_that_nobody_has_paid_for_is_taken_at_once(
    store: RedisTurnStore, client: Redis
) -> None:
    one = turn()
    await store.submit(one, [])
    assert await store.claim(one.id) is not None
    await client.hset(Keys().turn(one.id), "alive_until", str(time.time() - 400))
    assert await store.claim(one.id) is not None


async def test_the_same_call_is_counted_once_however_often_it_is_told(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    for ticket in ("first", "first", "second", "second", "second"):
        assert await store.calling(one.id, claim.epoch, ticket)
    status = await store.load(one.id)
    assert status is not None
    assert status.calls == 2


async def test_a_cancelled_turn_cannot_be_finished(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.end(one.id, Outcome(TurnState.CANCELLED, words="Cancelled."))
    assert not await store.finish(one, claim.epoch, done())
    assert not await store.end(one.id, Outcome(TurnState.CANCELLED))


async def test_a_thread_is_read_in_order_and_whole(store: RedisTurnStore) -> None:
    root = turn()
    branches = [turn(parent=root), turn(parent=root, author=BEN)]
    for one in (root, *branches):
        await store.submit(one, [])
    assert [status.turn for status in await store.thread(root.thread)] == [root, *branches]


async def test_a_turn_comes_back_as_it_was_written(store: RedisTurnStore) -> None:
    one = turn(instruction="rotate 90°, „so“ 🙂")
    await store.submit(one, [])
    await run_to_end(store, one)
    status = await store.load(one.id)
    assert status is not None
    assert (status.turn, status.outcome, status.state) == (one, done(), TurnState.DONE)


async def test_a_worker_that_is_gone_counts_for_nothing(client: Redis) -> None:
    store = RedisTurnStore(client, retention_s=DAY)
    await store.announce("gone", slots=5)
    await store.announce("gone", slots=0)
    assert (await store.submit(turn(), [])).start == ()


# --- drafts


async def begun(store: RedisTurnStore) -> tuple[Turn, int]:
    one = turn(instruction='a poster that says "FISH"')
    await store.submit(one, [])
    claim = await store.claim(one.id)
    assert claim is not None
    return one, claim.epoch


async def test_what_a_paid_call_brought_is_there_for_whoever_goes_on(store: RedisTurnStore) -> None:
    one, epoch = await begun(store)
    resolved = replace(one, note="I went on from the picture before.")
    assert await store.calling(one.id, epoch, "call 3")
    assert await store.keep_draft(resolved, epoch, done(cost_microusd=33))
    await next_claim(store, one)
    status = await store.load(one.id)
    assert status is not None
    assert (status.turn, status.draft, status.calls) == (resolved, done(cost_microusd=33), 0)


async def test_the_next_claim_is_handed_the_draft_and_the_calls_since(store: RedisTurnStore) -> None:
    one, epoch = await begun(store)
    await store.calling(one.id, epoch, "call 4")
    await store.keep_draft(one, epoch, done())
    await store.calling(one.id, epoch, "call 5")
    deadline = time.monotonic() + 5
    while (claim := await store.claim(one.id)) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert (claim.status.turn, claim.status.draft, claim.calls) == (one, done(), 1)


async def test_keeping_a_draft_shows_life(store: RedisTurnStore) -> None:
    one, epoch = await begun(store)
    for _ in range(8):
        await asyncio.sleep(0.05)
        assert await store.keep_draft(one, epoch, done())
        assert await store.claim(one.id) is None


async def test_only_the_latest_claim_can_keep_a_draft(store: RedisTurnStore) -> None:
    one, first = await begun(store)
    second = await next_claim(store, one)
    assert not await store.keep_draft(one, first, done(image("stale")))
    assert await store.keep_draft(one, second, done())
    assert not await store.keep_draft(one, first, done(image("stale")))
    status = await store.load(one.id)
    assert status is not None
    assert status.draft == done()


@pytest.mark.parametrize("state", [TurnState.DONE, TurnState.CANCELLED])
async def test_a_turn_that_ended_takes_no_draft_and_a_cancelled_one_still_tells_what_it_made(
    store: RedisTurnStore, state: TurnState
) -> None:
    one, epoch = await begun(store)
    await store.keep_draft(one, epoch, done(image("draft")))
    ended = Outcome(state)
    assert await (store.finish(one, epoch, ended) if state is TurnState.DONE else store.end(one.id, ended))
    assert not await store.keep_draft(one, epoch, done(image("late")))
    status = await store.load(one.id)
    assert status is not None
    assert (status.state, status.outcome) == (state, ended)
    assert status.draft == (done(image("draft")) if state is TurnState.CANCELLED else None)


# --- records of other versions


async def test_all_that_a_turn_may_carry_comes_back_as_it_was_written(store: RedisTurnStore) -> None:
    plain = turn(instruction="two panels")
    one = replace(
        plain,
        wish=Wish(form=Form.STORY, count=2, lettering=("FISH",), ratio="16:9"),
        album=(plain.id, turn().id),
        heard="two panels",
        spent=Usage(3, model="text", calls=1),
    )
    told = replace(
        done(), plan=("A cat.", "It sleeps."), suggestions=("make it night",), sources=(Source("Cats", "https://c.at"),)
    )
    await store.submit(one, [])
    await run_to_end(store, one, told)
    status = await store.load(one.id)
    assert status is not None
    assert (status.turn, status.outcome) == (one, told)


async def test_a_turn_of_the_first_version_is_still_read(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    key = f"rb:{{{one.thread}}}:turn:{one.id.partition('-')[2]}"
    chat = {"platform": "web", "account": "page", "chat": "home"}
    old_body = {
        "id": one.id,
        "chat": chat,
        "origin": {"chat": chat, "message": one.origin.message},
        "author": {"platform": "web", "user": "anna"},
        "author_name": "Anna",
        "instruction": one.instruction,
        "engine": "exact",
        "parent": None,
        "inputs": [],
        "reply": {"chat": chat, "message": one.reply.message},
        "created_at": one.created_at,
        "owners": [{"platform": "web", "user": "anna"}],
    }
    old_outcome = {"state": "refused", "words": "No.", "usage": {"cost_microusd": 3}}
    fields: dict[Any, Any] = {
        "v": "1",
        "body": json.dumps(old_body),
        "outcome": json.dumps(old_outcome),
        "state": "refused",
    }
    await client.hset(key, mapping=fields)
    status = await store.load(one.id)
    assert status is not None
    assert status.turn == replace(one, inputs=())
    assert status.outcome == Outcome(TurnState.REFUSED, words="No.", usage=Usage(3))
    await store.settle(status)


async def test_what_the_first_version_reserved_is_still_settled(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    await store.submit(one, [Bucket("house", 100, 1000)])
    await client.hset(f"rb:{{adm}}:turn:{one.id}", "buckets", '[["house",100]]')
    await run_to_end(store, one, done(cost_microusd=33))
    assert await client.get("rb:{adm}:bucket:house") == "33"


async def test_the_later_turns_of_an_album_wait_for_the_first_and_go_together(store: RedisTurnStore) -> None:
    first = turn()
    later = [turn(parent=first, inputs=(Input(Role.PARENT, ANNA, None, first.id),)) for _ in range(2)]
    assert (await store.submit(first, [])).start == (first.id,)
    assert [(await store.submit(each, [])).holds for each in later] == [{"parent"}, {"parent"}]
    assert await run_to_end(store, first) == [each.id for each in later]


# --- consent

CLARA = UserRef("web", "clara")


def asking(*owners: UserRef, parent: Turn | None = None) -> Turn:
    """Ben's turn on other people's pictures."""
    return replace(turn(author=BEN, parent=parent), asks=tuple(Person(owner, owner.user.title()) for owner in owners))


async def agreed(store: RedisTurnStore, turn: TurnId, owner: UserRef) -> list[TurnId]:
    """What may run once this owner has said yes."""
    return list((await store.agree(turn, owner, [])).start)


async def holds(store: RedisTurnStore, one: Turn) -> frozenset[Hold]:
    status = await store.load(one.id)
    assert status is not None
    assert (status.state is TurnState.WAITING) == bool(status.holds)
    return status.holds


async def test_a_turn_waits_until_each_of_those_it_asks_has_agreed(store: RedisTurnStore) -> None:
    one = asking(ANNA, CLARA)
    submitted = await store.submit(one, [])
    assert submitted == Submitted(holds=frozenset({"consent"}))
    assert await agreed(store, one.id, ANNA) == []
    assert await holds(store, one) == {Hold.CONSENT}
    assert await store.position(one.id) is None
    assert await agreed(store, one.id, CLARA) == [one.id]
    assert await holds(store, one) == frozenset()
    status = await store.load(one.id)
    assert status is not None
    assert status.turn == one


async def test_agreeing_twice_counts_once_and_whoever_is_not_asked_changes_nothing(store: RedisTurnStore) -> None:
    one, free = asking(ANNA, CLARA), turn()
    await store.submit(one, [])
    await store.submit(free, [])
    for owner in (ANNA, ANNA, BEN, UserRef("web", "")):
        assert await agreed(store, one.id, owner) == []
    assert await agreed(store, free.id, ANNA) == []
    assert await holds(store, one) == {Hold.CONSENT}
    assert await agreed(store, one.id, CLARA) == [one.id]
    assert await agreed(store, one.id, CLARA) == []
    await run_to_end(store, one)
    assert await agreed(store, one.id, ANNA) == []


async def test_what_a_turn_reserves_is_taken_with_the_last_yes_and_not_before(
    store: RedisTurnStore, client: Redis
) -> None:
    one, bucket = asking(ANNA, CLARA), Bucket("house:day", 10, 15)
    await store.submit(one, [bucket])
    await store.agree(one.id, ANNA, [bucket])
    assert await client.get("rb:{adm}:bucket:house:day") is None
    assert (await store.agree(one.id, CLARA, [bucket])).start == (one.id,)
    assert await client.get("rb:{adm}:bucket:house:day") == "10"


async def test_where_the_last_yes_finds_no_room_the_turn_is_left_as_it_was(
    store: RedisTurnStore, client: Redis
) -> None:
    first, second, bucket = asking(ANNA), asking(ANNA), Bucket("house:day", 10, 15)
    for each in (first, second):
        await store.submit(each, [bucket])
    assert (await store.agree(first.id, ANNA, [bucket])).start == (first.id,)
    for _ in range(2):
        assert await store.agree(second.id, ANNA, [bucket]) == Submitted(full="house:day")
    assert await holds(store, second) == {Hold.CONSENT}
    await store.end(second.id, Outcome(TurnState.REFUSED))
    await settled(store, second)
    assert await client.get("rb:{adm}:bucket:house:day") == "10"


async def test_two_who_agree_at_once_start_it_once(store: RedisTurnStore, client: Redis) -> None:
    await asyncio.gather(*(client.ping() for _ in range(16)))
    one = asking(ANNA, CLARA)
    await store.submit(one, [])
    answers = await asyncio.gather(*(agreed(store, one.id, owner) for owner in [ANNA, CLARA] * 8))
    assert [id_ for started in answers for id_ in started] == [one.id]


async def test_an_agreement_with_a_turn_that_nobody_knows_leaves_nothing_behind(
    store: RedisTurnStore, client: Redis
) -> None:
    one = asking(ANNA)
    before = set(await client.keys("*"))
    assert await agreed(store, one.id, ANNA) == []
    assert set(await client.keys("*")) == before
    assert (await store.submit(one, [])).holds == {"consent"}


async def test_the_end_of_its_parent_alone_does_not_let_a_turn_go(store: RedisTurnStore) -> None:
    parent = turn()
    child = asking(ANNA, parent=parent)
    await store.submit(parent, [])
    assert (await store.submit(child, [])).holds == {"consent", "parent"}
    assert await holds(store, child) == {Hold.CONSENT, Hold.PARENT}
    assert await run_to_end(store, parent) == []
    assert await holds(store, child) == {Hold.CONSENT}
    assert await agreed(store, child.id, ANNA) == [child.id]


async def test_consent_alone_does_not_let_a_turn_go_whose_parent_is_not_finished(store: RedisTurnStore) -> None:
    parent = turn()
    child = asking(ANNA, parent=parent)
    await store.submit(parent, [])
    await store.submit(child, [])
    assert await agreed(store, child.id, ANNA) == []
    assert await holds(store, child) == {Hold.PARENT}
    assert await run_to_end(store, parent) == [child.id]


async def test_turns_that_wait_for_consent_take_no_place_from_anybody(client: Redis) -> None:
    store = RedisTurnStore(client, retention_s=DAY, author_limit=1)
    await store.announce("worker", slots=1)
    waiting = [asking(ANNA) for _ in range(3)]
    for each in waiting:
        await store.submit(each, [])
    other = turn(author=BEN)
    assert (await store.submit(other, [])).start == (other.id,)
    assert await agreed(store, waiting[1].id, ANNA) == []
    assert await store.position(waiting[1].id) == 1
    assert await run_to_end(store, other) == [waiting[1].id]


async def test_a_turn_that_waits_for_consent_can_be_ended_and_leaves_nothing(
    store: RedisTurnStore, client: Redis
) -> None:
    one = asking(ANNA)
    child = turn(parent=one)
    await store.submit(one, [Bucket("person:ben", 10, 100)])
    assert (await store.submit(child, [])).holds == {"parent"}
    assert await store.end(one.id, Outcome(TurnState.CANCELLED))
    assert await settled(store, one) == [child.id]
    assert await client.get("rb:{adm}:bucket:person:ben") is None
    assert await client.exists(f"rb:{{adm}}:asks:{one.id}") == 0
    assert await agreed(store, one.id, ANNA) == []


async def test_turns_that_wait_for_consent_are_told_from_others_that_are_open(store: RedisTurnStore) -> None:
    one, other = asking(ANNA), turn()
    await store.submit(one, [])
    await store.submit(other, [])
    assert [(each.turn, each.asks, each.let_run) for each in await store.open_turns()] == [
        (one.id, True, False),
        (other.id, False, True),
    ]
    await agreed(store, one.id, ANNA)
    assert [each.asks for each in await store.open_turns()] == [False, False]


async def test_many_that_wait_for_consent_do_not_hide_what_else_is_open(store: RedisTurnStore, client: Redis) -> None:
    async with client.pipeline() as pipe:
        for number in range(1000):
            pipe.zadd("rb:{adm}:open", {f"old-{number}": number})
            pipe.hset(f"rb:{{adm}}:turn:old-{number}", "state", "asking")
        await pipe.execute()
    one = turn()
    await store.submit(one, [])
    found = await store.open_turns()
    assert (len(found), found[-1].turn, found[0].turn) == (1001, one.id, TurnId("old-0"))


async def test_an_admission_that_an_older_version_wrote_goes_on(store: RedisTurnStore, client: Redis) -> None:
    parent = turn()
    child = turn(parent=parent)
    await store.submit(parent, [])
    await store.submit(child, [])
    written = ["buckets", "chat", "engine", "parent", "server", "state", "user"]
    assert sorted(await client.hgetall(f"rb:{{adm}}:turn:{child.id}")) == written
    await client.hdel(f"rb:{{adm}}:turn:{child.id}", "chat", "engine", "server")
    assert await client.exists(f"rb:{{adm}}:asks:{child.id}") == 0
    assert await holds(store, child) == {Hold.PARENT}
    assert await run_to_end(store, parent) == [child.id]


async def test_a_note_is_taken_once_for_each_thing_and_turn(store: RedisTurnStore, client: Redis) -> None:
    one, other = turn(), turn()
    await store.submit(one, [])
    assert not await store.note_once(other.id, "called")
    await store.submit(other, [])
    tries = await asyncio.gather(*(store.note_once(one.id, "called") for _ in range(8)))
    assert sorted(tries) == [False] * 7 + [True]
    assert [await store.note_once(one.id, "asked"), await store.note_once(other.id, "called")] == [True, True]
    assert all([await client.ttl(key) > 0 for key in await client.keys("rb:{*}:turn:*") if "{adm}" not in key])


# --- more has come for a turn


def with_another_picture(one: Turn, *, owner: UserRef = ANNA) -> Turn:
    return replace(one, inputs=(*one.inputs, Input(Role.SOURCE, owner, image("another"))))


async def test_a_turn_that_nobody_has_claimed_takes_more_along(store: RedisTurnStore) -> None:
    one = turn()
    submitted = await store.submit(one, [])
    assert submitted.start == (one.id,)
    for _ in range(2):
        assert await store.extend(with_another_picture(one))
    claim = await store.claim(one.id)
    assert claim is not None
    assert claim.status.turn == with_another_picture(one)


async def test_what_a_turn_has_reserved_and_what_holds_it_stay_when_it_takes_more_along(
    store: RedisTurnStore, client: Redis
) -> None:
    parent, bucket = turn(), Bucket("house:today", 10, 100)
    child = turn(parent=parent, inputs=(Input(Role.PARENT, ANNA, None, parent.id, ALL),))
    await store.submit(parent, [])
    await store.submit(child, [bucket])
    assert await store.extend(with_another_picture(child))
    status = await store.load(child.id)
    assert status is not None
    assert (status.turn, status.holds) == (with_another_picture(child), frozenset({Hold.PARENT}))
    assert await client.get("rb:{adm}:bucket:house:today") == "10"
    assert await run_to_end(store, parent) == [child.id]


async def test_a_turn_that_waits_for_consent_takes_more_along_and_still_waits(store: RedisTurnStore) -> None:
    one = replace(turn(), asks=(Person(BEN, "Ben"),))
    await store.submit(one, [])
    assert await store.extend(with_another_picture(one))
    status = await store.load(one.id)
    assert status is not None
    assert (status.turn, status.holds) == (with_another_picture(one), frozenset({Hold.CONSENT}))
    assert (await store.agree(one.id, BEN, [])).start == (one.id,)


async def test_a_turn_that_was_ever_claimed_stays_as_it_was(store: RedisTurnStore) -> None:
    one = turn()
    await store.submit(one, [])
    assert await store.claim(one.id) is not None
    assert not await store.extend(with_another_picture(one))
    status = await store.load(one.id)
    assert status is not None
    assert status.turn == one


async def test_a_turn_that_has_ended_or_is_not_known_takes_nothing_along(store: RedisTurnStore) -> None:
    ended, unknown, concluded = turn(), turn(), turn()
    await store.conclude(concluded, Outcome(TurnState.REFUSED))
    assert not await store.extend(with_another_picture(concluded))
    await store.submit(ended, [])
    await store.end(ended.id, Outcome(TurnState.CANCELLED))
    assert not await store.extend(with_another_picture(ended))
    assert not await store.extend(unknown)
    assert await store.load(unknown.id) is None
    status = await store.load(ended.id)
    assert status is not None
    assert status.turn == ended


async def test_of_a_claim_and_more_pictures_at_once_the_worker_sees_what_was_told(redis_url: str) -> None:
    one, two = open_client(redis_url), open_client(redis_url)
    stores = [RedisTurnStore(each, retention_s=DAY, author_limit=99) for each in (one, two)]
    await stores[0].announce("worker", slots=99)
    for _ in range(20):
        some = turn()
        await stores[0].submit(some, [])
        await stores[1].load(some.id)
        claim, extended = await asyncio.gather(stores[0].claim(some.id), stores[1].extend(with_another_picture(some)))
        assert claim is not None
        assert claim.status.turn == (with_another_picture(some) if extended else some)
    await one.aclose()
    await two.aclose()


async def test_whose_picture_came_later_is_known_by_the_turn_too(store: RedisTurnStore, client: Redis) -> None:
    one = turn()
    await store.submit(one, [])
    await store.extend(with_another_picture(one, owner=BEN))
    assert await client.zrange(f"rb:user:{{{BEN.key}}}:turns", 0, -1) == [one.id]


async def test_more_pictures_do_not_bring_back_the_words_of_whoever_was_forgotten(
    store: RedisTurnStore, client: Redis
) -> None:
    one = turn()
    await store.submit(one, [])
    await client.hset(f"rb:{{{one.thread}}}:turn:{one.id.partition('-')[2]}", "rewritten", "1")
    assert not await store.extend(with_another_picture(one))
