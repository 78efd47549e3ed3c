"""Records that a newer version wrote beside this one, during a roll-out: what is not known in them is read past, and
stays where they are written again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from bot.domain.cast import Member
from bot.domain.changes import Change
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.invitations import Invitation
from bot.domain.messages import MessageRecord
from bot.domain.people import Entry
from bot.domain.recipes import Recipe
from bot.domain.refs import MessageRef, Person, ServerRef, ThreadId, TurnId
from bot.domain.sharing import Share
from bot.domain.turns import TurnState
from bot.ports import Heard, Retirement
from storage.redis import codec
from storage.redis.chats import RedisChatStore
from storage.redis.client import open_client
from storage.redis.codec import Codec
from storage.redis.keys import Keys
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, CHAT, done, image, message, turn

NEW = {"from_tomorrow": {"a": [1.5, []]}, "v": 7}
KEYS = Keys()
RECORDS: dict[str, Any] = {
    "TURN": turn(),
    "OUTCOME": done(),
    "INBOUND": message(),
    "RECORD": MessageRecord(MessageRef(CHAT, "m"), ThreadId("thread"), ANNA),
    "FACTS": image("one"),
    "HEARD": Heard("words"),
    "SETTINGS": ChatSettings(),
    "SERVER_SETTINGS": ServerSettings(),
    "RECIPE": Recipe("Winter look", (), Person(ANNA), CHAT),
    "MEMBER": Member("id", CHAT, "Rex", Person(ANNA), ()),
    "SHARE": Share(TurnId("thread-own")),
    "RETIREMENT": Retirement("model", "soon"),
    "ENTRY": Entry(1.0),
    "INVITATION": Invitation("id", 1, 2.0, 1.0),
    "CHANGE": Change(1.0, "web:anna", "house", "door"),
}
IN_LISTS = {
    "SOURCES": (image("one"),),
    "OWNERS": (Person(ANNA), None),
    "HELD": (image("one"), Person(ANNA)),
    "SHOWS": (),
}


def test_every_kind_of_record_is_tried() -> None:
    kinds = {name for name, value in vars(codec).items() if isinstance(value, Codec)}
    assert kinds == RECORDS.keys() | IN_LISTS.keys()


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_of_a_newer_version_is_read_and_keeps_what_is_new(kind: str) -> None:
    ours: Codec[Any] = getattr(codec, kind)
    value = RECORDS[kind]
    newer = {**json.loads(ours.dump(value)), "from_tomorrow": NEW["from_tomorrow"]}
    if "v" in newer:
        newer["v"] = 7
    read = ours.load(json.dumps(newer))
    assert json.loads(ours.rewrite(json.dumps(newer), read)) == newer
    assert json.loads(ours.unknown(json.dumps(newer))) == {"from_tomorrow": NEW["from_tomorrow"]}
    assert ours.unknown(ours.dump(value)) == ""


@pytest.mark.parametrize("kind", IN_LISTS)
def test_new_fields_of_what_stands_in_a_list_are_read_past(kind: str) -> None:
    ours: Codec[Any] = getattr(codec, kind)
    rows = json.loads(ours.dump(IN_LISTS[kind]))
    newer = [{**row, **NEW} if isinstance(row, dict) else row for row in rows]
    assert ours.load(json.dumps(newer)) == IN_LISTS[kind]


async def test_a_turn_of_a_newer_process_keeps_what_is_new_while_it_runs_here(redis_url: str) -> None:
    client = cast(Any, open_client(redis_url))
    store = RedisTurnStore(client, retention_s=1000)
    one, key = turn(), ""
    await store.submit(one, [])
    key = KEYS.turn(one.id)
    body = {**json.loads(await client.hget(key, "body")), **NEW}
    await client.hset(key, mapping={"v": "2", "body": json.dumps(body), "from_tomorrow": "yes"})
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.keep_draft(claim.status.turn, claim.epoch, done())
    assert await store.finish(replace(claim.status.turn, note="as it is"), claim.epoch, done())
    fields = await client.hgetall(key)
    assert json.loads(fields["body"]) == {**body, "note": "as it is"}
    assert (fields["v"], fields["from_tomorrow"], fields["state"]) == ("2", "yes", TurnState.DONE.value)
    await client.aclose()


async def test_settings_of_a_newer_process_keep_what_is_new_when_they_are_changed(redis_url: str) -> None:
    client = cast(Any, Redis.from_url(redis_url, decode_responses=True))
    store, server = RedisChatStore(client, retention_s=1000), ServerRef("web", "page", "home")
    await store.change(CHAT, ChatSettings())
    await store.change_server(server, ServerSettings())
    for key in (KEYS.chat(CHAT), KEYS.server(server)):
        await client.set(key, json.dumps({**json.loads(await client.get(key)), **NEW}))
    await store.change(CHAT, replace(await store.settings(CHAT), suggestions=False))
    await store.change_server(server, replace(await store.server(server), day_microusd=1))
    kept = [json.loads(await client.get(key)) for key in (KEYS.chat(CHAT), KEYS.server(server))]
    assert [each["from_tomorrow"] for each in kept] == [NEW["from_tomorrow"]] * 2
    assert (kept[0]["suggestions"], kept[1]["day_microusd"]) == (False, 1)
    await client.aclose()
