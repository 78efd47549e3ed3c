"""Records that a newer version wrote beside this one, during a roll-out: what is not known in them is read past, and
stays where they are written again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.domain.cast import CastPicture, Member
from bot.domain.changes import Change
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.images import Input, Role
from bot.domain.invitations import Invitation
from bot.domain.messages import MessageRecord
from bot.domain.people import Entry
from bot.domain.recipes import Recipe, Step
from bot.domain.refs import MessageRef, Person, ServerRef, ThreadId, TurnId
from bot.domain.sharing import Share
from bot.domain.turns import TurnState, Usage
from bot.domain.wishes import Wish
from bot.ports import Heard, Retirement
from storage.redis import codec
from storage.redis.cast import RedisCastStore
from storage.redis.chats import RedisChatStore
from storage.redis.client import open_client
from storage.redis.codec import TURN, Codec
from storage.redis.keys import Keys
from storage.redis.recipes import RedisRecipeStore
from storage.redis.turns import RedisTurnStore
from storage.redis.without import message_without
from tests.values import ANNA, BEN, CHAT, done, image, message, turn

NEW: dict[str, Any] = {"from_tomorrow": {"a": [1.5, []]}, "v": 7}
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
    assert ours.newer(json.dumps(newer)) == json.dumps(newer)
    assert ours.newer(ours.dump(value)) == ""


@pytest.mark.parametrize("kind", IN_LISTS)
def test_new_fields_of_what_stands_in_a_list_are_read_past(kind: str) -> None:
    ours: Codec[Any] = getattr(codec, kind)
    rows = json.loads(ours.dump(IN_LISTS[kind]))
    newer: list[Any] = [{**row, **NEW} if row else row for row in rows]
    read = ours.load(json.dumps(newer))
    assert read == IN_LISTS[kind]
    assert json.loads(ours.rewrite(json.dumps(newer), read)) == newer


MORE: list[dict[str, Any]] = [{}, {"from_tomorrow": NEW}, {"from_tomorrow": None}]
JSON_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PROPERTY = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def _any_of(kind: str) -> st.SearchStrategy[Any]:
    """Whatever a record of this kind can hold."""
    st.register_type_strategy(float, JSON_FLOATS)
    type_: Any = type(RECORDS[kind])
    return st.from_type(type_)


def _grown(data: st.DataObject, value: Any) -> Any:
    """What a newer version may have written in its place: anywhere in it, more."""
    match value:
        case dict():
            rows = cast(dict[str, Any], value)
            more = data.draw(st.sampled_from(MORE))
            return {**{name: _grown(data, each) for name, each in rows.items()}, **more}
        case list():
            return [_grown(data, each) for each in cast(Any, value)]
        case _:
            return value


def _but(record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: each for name, each in record.items() if name not in names}


@pytest.mark.parametrize("kind", RECORDS)
@PROPERTY
@given(data=st.data())
def test_what_is_new_anywhere_in_a_record_stays_in_all_that_does_not_change(kind: str, data: st.DataObject) -> None:
    ours: Codec[Any] = getattr(codec, kind)
    value, other = data.draw(_any_of(kind)), data.draw(_any_of(kind))
    newer = _grown(data, json.loads(ours.dump(value)))
    assert json.loads(ours.rewrite(json.dumps(newer), ours.load(json.dumps(newer)))) == newer
    names = data.draw(st.sets(st.sampled_from([each.name for each in fields(value)])))
    changed = replace(value, **{name: getattr(other, name) for name in names})
    for erasing in (False, True):
        written = ours.rewrite(json.dumps(newer), changed, erasing=erasing)
        assert ours.load(written) == changed
        assert _but(json.loads(written), names) == _but(newer, names)


@given(data=st.data(), before=st.lists(st.integers(0, 5), unique=True), after=st.lists(st.integers(0, 9), unique=True))
def test_what_is_new_in_a_list_stays_with_each_that_is_still_in_it(
    data: st.DataObject, before: list[int], after: list[int]
) -> None:
    rows = _grown(data, json.loads(codec.SOURCES.dump(tuple(image(str(n)) for n in before))))
    after = [n for n in before if n in after] + [n for n in after if n not in before]
    written = json.loads(codec.SOURCES.rewrite(json.dumps(rows), tuple(image(str(n)) for n in after)))
    plain = json.loads(codec.SOURCES.dump(tuple(image(str(n)) for n in after)))
    assert written == [rows[before.index(n)] if n in before else plain[i] for i, n in enumerate(after)]


def test_a_thing_that_changed_keeps_what_is_new_and_another_in_its_place_does_not() -> None:
    waiting = Input(Role.PARENT, ANNA, None, TurnId("thread-own"))
    value = replace(turn(inputs=(waiting,)), pins=(image("one"),), spent=Usage(calls=1))
    newer = json.loads(TURN.dump(value))
    for thing in (newer["inputs"][0], newer["pins"][0], newer["spent"], newer["wish"]):
        thing["from_tomorrow"] = NEW
    changed = replace(
        value,
        inputs=(replace(waiting, image=image("result")),),
        pins=(image("two"),),
        spent=Usage(calls=2),
        wish=Wish(count=2),
    )
    kept = json.loads(TURN.rewrite(json.dumps(newer), changed))
    assert [kept["inputs"][0]["from_tomorrow"], kept["spent"]["from_tomorrow"], kept["wish"]["from_tomorrow"]] == [
        NEW
    ] * 3
    assert "from_tomorrow" not in kept["pins"][0]
    # Where somebody is forgotten, a thing that they were taken out of may tell of them in what is not known.
    without = replace(value, inputs=(replace(waiting, owner=None),))
    left = json.loads(TURN.rewrite(json.dumps(newer), without, erasing=True))
    assert "from_tomorrow" not in left["inputs"][0]
    assert left["pins"][0]["from_tomorrow"] == NEW


async def test_a_turn_of_a_newer_process_keeps_what_is_new_while_it_runs_here(redis_url: str) -> None:
    client = cast(Any, open_client(redis_url))
    store = RedisTurnStore(client, retention_s=1000)
    one, key = turn(), ""
    await store.submit(one, [])
    key = KEYS.turn(one.id)
    body = {**json.loads(await client.hget(key, "body")), **NEW}
    body["inputs"][0]["image"].update(NEW)
    await client.hset(key, mapping={"v": "2", "body": json.dumps(body), "from_tomorrow": "yes"})
    assert await store.extend(replace(one, note="more of it", owners=(ANNA, BEN)))
    body |= {"note": "more of it", "owners": [*body["owners"], json.loads(codec.TURN.dump(turn(author=BEN)))["author"]]}
    assert json.loads(await client.hget(key, "body")) == body
    # Drafted by the newer process, which then died.
    draft = json.loads(codec.OUTCOME.dump(done()))
    draft["images"][0].update(NEW)
    await client.hset(key, "draft", json.dumps(draft))
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.keep_draft(claim.status.turn, claim.epoch, done())
    assert json.loads(await client.hget(key, "draft")) == draft
    assert await store.finish(replace(claim.status.turn, note="as it is"), claim.epoch, replace(done(), words="so"))
    written = await client.hgetall(key)
    assert json.loads(written["body"]) == {**body, "note": "as it is"}
    assert json.loads(written["outcome"]) == {**draft, "words": "so"}
    assert (written["v"], written["from_tomorrow"], written["state"]) == ("2", "yes", TurnState.DONE.value)
    await client.aclose()


async def test_a_turn_that_is_claimed_again_here_keeps_nothing_that_was_erased_since(redis_url: str) -> None:
    client = cast(Any, open_client(redis_url))
    store, one = RedisTurnStore(client, retention_s=1000), turn()
    await store.submit(one, [])
    key = KEYS.turn(one.id)
    body = await client.hget(key, "body")
    await client.hset(key, "body", json.dumps({**json.loads(body), **NEW}))
    assert await store.claim(one.id) is not None
    await client.hset(key, mapping={"body": body, "alive_until": "0"})
    claim = await store.claim(one.id)
    assert claim is not None
    assert await store.finish(claim.status.turn, claim.epoch, done())
    assert json.loads(await client.hget(key, "body")) == json.loads(body)
    await client.aclose()


async def test_more_for_a_turn_that_was_written_meanwhile_is_added_to_what_stands_then(redis_url: str) -> None:
    client = cast(Any, open_client(redis_url))
    one = turn()
    store = Racing(client, one.id)
    await store.submit(one, [])
    assert await store.extend(replace(one, note="more of it"))
    written = json.loads(await client.hget(KEYS.turn(one.id), "body"))
    assert (written["from_tomorrow"], written["note"]) == (NEW["from_tomorrow"], "more of it")
    await client.aclose()


class Racing(RedisTurnStore):
    """A newer process writes the turn right after it was read here."""

    def __init__(self, client: Any, id_: TurnId) -> None:
        super().__init__(client, retention_s=1000)
        self.at = client, KEYS.turn(id_)
        self.script, self._extend = self._extend, self.late  # type: ignore[assignment]

    async def late(self, keys: Any, args: Any) -> Any:
        client, key = self.at
        await client.hset(key, "body", json.dumps({**json.loads(await client.hget(key, "body")), **NEW}))
        return await self.script(keys, args)


async def test_recipes_and_the_cast_keep_what_is_new_when_they_are_saved_anew_or_move(redis_url: str) -> None:
    client = cast(Any, Redis.from_url(redis_url, decode_responses=True))
    recipes, cast_ = RedisRecipeStore(client, retention_s=1000), RedisCastStore(client, retention_s=1000)
    recipe, there = Recipe("Winter look", (Step("snow"), Step("crop")), Person(ANNA), CHAT), replace(CHAT, chat="there")
    rex = Member("id", CHAT, "Rex", Person(ANNA), (CastPicture(image("rex"), (None,), TurnId("thread-own"), 1.0),))
    await recipes.save(recipe)
    await cast_.put(rex, instead_of=None)
    for key, place in ((KEYS.recipes(CHAT), "steps"), (KEYS.cast(CHAT.key), "pictures")):
        [(field, text)] = (await client.hgetall(key)).items()
        newer = {**json.loads(text), **NEW}
        newer[place][0].update(NEW)
        await client.hset(key, field, json.dumps(newer))
    await recipes.save(replace(recipe, steps=(*recipe.steps, Step("warm"))))
    await recipes.move(CHAT, there)
    await cast_.move(CHAT, there)
    for key, place in ((KEYS.recipes(there), "steps"), (KEYS.cast(there.key), "pictures")):
        [text] = await client.hvals(key)
        assert [json.loads(text)["v"], json.loads(text)[place][0]["v"]] == [7, 7]
    await client.aclose()


def test_pictures_that_stay_in_a_message_keep_what_is_new_when_others_go() -> None:
    pictures, owners = (image("one"), image("two")), (Person(ANNA), Person(BEN))
    texts = [json.loads(text) for text in (codec.SOURCES.dump(pictures), codec.OWNERS.dump(owners))]
    for row in (*texts[0], *texts[1]):
        row.update(NEW)
    message = {"sources": json.dumps(texts[0]), "owners": json.dumps(texts[1])}
    changes, gone = message_without(ANNA, message)
    assert (json.loads(changes["sources"]), json.loads(changes["owners"])) == (texts[0][1:], texts[1][1:])
    assert gone == [image("one")]


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
