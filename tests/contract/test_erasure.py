"""Forgetting a person, against a real server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.images import ALL, ImageFacts, Input, Role
from bot.domain.messages import MessageRecord, Shown
from bot.domain.refs import MessageRef, Sha256, UserRef
from bot.domain.story import story_after
from bot.domain.turns import Outcome, Source, Story, StoryLine, Turn, TurnState, Usage
from bot.domain.wishes import Wish
from bot.ports import ForgetReceipt, Heard
from storage.redis.client import open_client
from storage.redis.erasure import RedisErasure
from storage.redis.images import RedisImageLedger
from storage.redis.messages import RedisMessageStore
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, BEN, done, image, message, turn


class DeletedPixels:
    """Only remembers what it was told to delete."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def delete(self, sha256: Sha256) -> None:
        self.deleted.append(sha256)

    put: Any = None
    get: Any = None
    list: Any = None


@dataclass
class Archive:
    client: Redis
    turns: RedisTurnStore
    messages: RedisMessageStore
    ledger: RedisImageLedger
    pixels: DeletedPixels
    erasure: RedisErasure

    async def forget(self, user: UserRef, *, before: float | None = None) -> ForgetReceipt:
        async def retract(*_: Sequence[MessageRef]) -> None:
            pass

        return await self.erasure.forget(user, before=before or time.time(), retract=retract)

    async def finished(self, one: Turn, *images: ImageFacts) -> Turn:
        await self.turns.submit(one, [])
        claim = await self.turns.claim(one.id)
        assert claim is not None
        await self.ledger.keep(f"turn:{one.id}", [(each, each) for each in images], target="page")
        await self.turns.finish(one, claim.epoch, done(*images))
        status = await self.turns.load(one.id)
        assert status is not None
        await self.turns.settle(status)
        await self.turns.delivered(one.id)
        return one


@pytest.fixture
async def archive(redis_url: str) -> AsyncIterator[Archive]:
    client = open_client(redis_url)
    turns, pixels = RedisTurnStore(client, retention_s=1000, author_limit=9), DeletedPixels()
    await turns.announce("worker", slots=9)
    yield Archive(
        client,
        turns,
        RedisMessageStore(client, retention_s=1000),
        RedisImageLedger(client, retention_s=1000),
        pixels,
        RedisErasure(client, turns, RedisImageLedger(client, retention_s=1000), pixels),
    )
    await client.aclose()


async def everything(client: Redis) -> str:
    """All that the server holds, as one text."""
    texts: list[str] = []
    reads: dict[str, Any] = {
        "hash": client.hgetall,
        "string": client.get,
        "set": client.smembers,
        "list": lambda key: client.lrange(key, 0, -1),
        "zset": lambda key: client.zrange(key, 0, -1),
    }
    for key in await client.keys("*"):
        texts += [str(key), str(await reads[str(await client.type(key))](key))]
    return "\n".join(texts)


async def test_words_names_and_pictures_are_gone_and_the_shape_of_the_tree_stays(archive: Archive) -> None:
    one = await archive.finished(turn(instruction="a very private wish"), image("result"))
    child = await archive.finished(turn(parent=one, author=ANNA, instruction="more"), image("second"))
    receipt = await archive.forget(ANNA)
    assert receipt.turns == 2
    assert set(archive.pixels.deleted) == {image("result").sha256, image("second").sha256}
    statuses = await archive.turns.thread(one.thread)
    assert [(status.turn.id, status.turn.parent, status.erased) for status in statuses] == [
        (one.id, None, True),
        (child.id, one.id, True),
    ]
    left = await everything(archive.client)
    assert "private" not in left
    assert "Anna" not in left


async def test_what_others_made_from_their_picture_is_erased_too(archive: Archive) -> None:
    one = await archive.finished(turn(), image("anna's"))
    await archive.finished(turn(parent=one, author=BEN, owners=(ANNA,)), image("ben's edit"))
    await archive.forget(ANNA)
    assert image("ben's edit").sha256 in archive.pixels.deleted


async def test_others_keep_their_pictures_and_only_lose_the_words_from_their_stories(archive: Archive) -> None:
    root = await archive.finished(turn(author=BEN), image("ben's"))
    words = story_after(Story(), StoryLine(ANNA, "Anna", "her wish"))
    hers = await archive.finished(turn(parent=root, author=ANNA, owners=(BEN,)), image("hers"))
    his = await archive.finished(turn(parent=hers, author=BEN, owners=(BEN,), story=words), image("his"))
    receipt = await archive.forget(ANNA)
    status = await archive.turns.load(his.id)
    assert status is not None
    assert status.outcome == done(image("his"))
    assert status.turn == replace(his, story=Story())
    assert receipt.stories == 1
    assert archive.pixels.deleted == [image("hers").sha256]


async def test_pixels_that_somebody_else_holds_stay(archive: Archive) -> None:
    await archive.finished(turn(author=ANNA), image("same"))
    await archive.finished(turn(author=BEN), image("same"))
    await archive.forget(ANNA)
    assert archive.pixels.deleted == []
    await archive.forget(BEN)
    assert archive.pixels.deleted == [image("same").sha256]


async def test_messages_lose_their_author_and_their_pictures_with_their_renditions(archive: Archive) -> None:
    one = message("hello")
    await archive.messages.record(one, MessageRecord(one.ref, turn().thread, author=ANNA, author_name="Anna"))
    await archive.ledger.keep(f"message:{one.ref.key}", [(image("photo"), image("photo"))], target="large")
    await archive.messages.bring(one.ref, [image("photo")])
    await archive.ledger.remember(image("photo"), "page", image("small"))
    receipt = await archive.forget(ANNA)
    assert receipt.messages == (one.ref,)
    assert archive.pixels.deleted == [image("photo").sha256, image("small").sha256]
    found = await archive.messages.find(one.ref)
    assert found is not None
    assert (found.author, found.sources) == (None, ())
    assert list(await archive.messages.unsettled(older_than_s=0)) == []


async def test_a_turn_under_way_is_stopped_first(archive: Archive) -> None:
    one = turn(inputs=(Input(Role.SOURCE, ANNA, image("photo")),))
    await archive.turns.submit(one, [])
    claim = await archive.turns.claim(one.id)
    assert claim is not None
    await archive.forget(ANNA)
    assert not await archive.turns.finish(one, claim.epoch, done())
    status = await archive.turns.load(one.id)
    assert status is not None
    assert (status.state, status.erased) == (TurnState.CANCELLED, True)


async def test_replaying_an_old_request_spares_what_came_after_it(archive: Archive) -> None:
    moment = time.time()
    later = await archive.finished(replace(turn(), created_at=moment + 5), image("later"))
    await archive.forget(ANNA, before=moment)
    status = await archive.turns.load(later.id)
    assert status is not None
    assert not status.erased
    assert await archive.erasure.forgotten() == {ANNA: moment}


async def under_way(archive: Archive, one: Turn) -> int:
    await archive.turns.submit(one, [])
    claim = await archive.turns.claim(one.id)
    assert claim is not None
    return claim.epoch


async def replied(archive: Archive) -> Turn:
    """Ben's reply to Anna's result, with her words in its story and her result as its input."""
    hers = await archive.finished(turn(instruction="draw a private friend", inputs=()), image("hers"))
    words = story_after(Story(), StoryLine(ANNA, "Anna", hers.instruction))
    inputs = (Input(Role.PARENT, ANNA, image("hers"), hers.id, ALL),)
    return turn(parent=hers, author=BEN, owners=(BEN,), inputs=inputs, story=words)


async def test_a_turn_under_way_does_not_write_back_what_was_forgotten_meanwhile(archive: Archive) -> None:
    his = await replied(archive)
    epoch = await under_way(archive, his)
    await archive.forget(ANNA)
    assert await archive.turns.keep_draft(his, epoch, done(image("draft")))
    assert await archive.turns.finish(his, epoch, done(image("his")))
    status = await archive.turns.load(his.id)
    assert status is not None
    assert (status.state, status.outcome) == (TurnState.DONE, done(image("his")))
    assert (status.turn.story, status.turn.inputs[0].owner) == (Story(), None)
    left = await everything(archive.client)
    assert ("private" in left, "Anna" in left) == (False, False)


async def test_words_that_a_turn_under_way_read_from_its_parent_are_not_written_back(archive: Archive) -> None:
    his = await replied(archive)
    epoch = await under_way(archive, replace(his, story=Story(), inputs=()))
    await archive.forget(ANNA)
    assert await archive.turns.finish(his, epoch, done(image("his")))
    assert "private" not in await everything(archive.client)


async def test_who_takes_a_turn_up_after_somebody_was_forgotten_writes_what_it_found(archive: Archive) -> None:
    his = await replied(archive)
    await archive.turns.submit(his, [])
    await archive.forget(ANNA)
    claim = await archive.turns.claim(his.id)
    assert claim is not None
    resolved = replace(claim.status.turn, note="I went on from the picture before.")
    assert resolved.story == Story()
    assert await archive.turns.finish(resolved, claim.epoch, done())
    status = await archive.turns.load(his.id)
    assert status is not None
    assert status.turn == resolved


def pressed(asked: Turn, *, parent: Turn | None = None) -> Turn:
    """Ben's turn that does once more what Anna asked for."""
    wish = Wish(lettering=("private lettering",), ratio="16:9")
    again = turn(parent=parent, author=BEN, owners=(BEN,), inputs=(), instruction=asked.instruction)
    return replace(again, words_by=ANNA, wish=wish, heard=asked.instruction)


async def test_who_pressed_for_the_words_of_another_keeps_the_picture_and_loses_the_words(archive: Archive) -> None:
    hers = await archive.finished(turn(instruction="draw a private friend"))
    his = pressed(hers)
    told = replace(done(image("his")), words="private", plan=("private",), suggestions=("private",))
    assert await archive.turns.keep_draft(his, await under_way(archive, his), told)
    assert await archive.turns.finish(his, 1, told)
    receipt = await archive.forget(ANNA)
    assert (receipt.turns, receipt.stories, his.reply in receipt.messages) == (1, 1, False)
    status = await archive.turns.load(his.id)
    assert status is not None
    assert (status.outcome, status.erased) == (done(image("his")), False)
    wish = Wish(ratio="16:9")
    assert status.turn == replace(his, instruction="", heard="", wish=wish, words_by=None)
    assert "private" not in await everything(archive.client)
    assert image("his").sha256 not in archive.pixels.deleted


async def test_a_turn_under_way_on_the_words_of_who_is_forgotten_is_ended(archive: Archive) -> None:
    his = pressed(await archive.finished(turn(instruction="draw a private friend")))
    epoch = await under_way(archive, his)
    await archive.forget(ANNA)
    assert not await archive.turns.finish(his, epoch, done(image("his")))
    status = await archive.turns.load(his.id)
    assert status is not None
    assert (status.state, status.turn.instruction, status.erased) == (TurnState.CANCELLED, "", False)
    assert "private" not in await everything(archive.client)


async def test_a_story_in_another_thread_loses_the_words_and_keeps_its_turn(archive: Archive) -> None:
    hers = await archive.finished(turn(instruction="always draw a private friend"))
    told = story_after(
        story_after(Story(), StoryLine(BEN, "Ben", "more snow")), StoryLine(ANNA, "Anna", hers.instruction)
    )
    his = await archive.finished(turn(author=BEN, story=told), image("his"))
    below = await archive.finished(turn(parent=his, author=BEN, story=told), image("below"))
    receipt = await archive.forget(ANNA)
    assert (receipt.turns, receipt.stories) == (1, 2)
    for one in (his, below):
        status = await archive.turns.load(one.id)
        assert status is not None
        assert status.turn == replace(one, story=Story(told.lines))
    assert "private" not in await everything(archive.client)


async def test_words_that_came_in_while_a_turn_ran_are_found_too(archive: Archive) -> None:
    his = turn(author=BEN)
    told = story_after(Story(), StoryLine(ANNA, "Anna", "a private friend"))
    assert await archive.turns.finish(replace(his, story=told), await under_way(archive, his), done())
    assert (await archive.forget(ANNA)).stories == 1
    assert "private" not in await everything(archive.client)


async def test_what_is_erased_already_is_retracted_again_and_not_counted_again(archive: Archive) -> None:
    hers = await archive.finished(turn())

    async def retract(*_: Sequence[MessageRef]) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await archive.erasure.forget(ANNA, before=time.time(), retract=retract)
    receipt = await archive.forget(ANNA)
    assert (receipt.turns, receipt.messages) == (0, (hers.reply,))


async def drafted(archive: Archive, one: Turn, draft: Outcome) -> int:
    """The turn is under way, and its draft is kept. Gives the epoch."""
    await archive.turns.submit(one, [])
    claim = await archive.turns.claim(one.id)
    assert claim is not None
    await archive.ledger.keep(f"turn:{one.id}", [(each, each) for each in draft.images], target="page")
    assert await archive.turns.keep_draft(one, claim.epoch, draft)
    return claim.epoch


async def test_a_draft_goes_with_its_pictures(archive: Archive) -> None:
    one = turn()
    epoch = await drafted(archive, one, replace(done(image("draft")), words="a private remark"))
    await archive.forget(ANNA)
    assert archive.pixels.deleted == [image("draft").sha256]
    assert not await archive.turns.keep_draft(one, epoch, done())
    assert "private" not in await everything(archive.client)


async def test_what_a_cancelled_turn_had_made_by_then_is_found_too(archive: Archive) -> None:
    one = turn()
    await drafted(archive, one, done(image("draft")))
    await archive.turns.end(one.id, Outcome(TurnState.CANCELLED))
    await archive.forget(ANNA)
    assert archive.pixels.deleted == [image("draft").sha256]


async def test_a_draft_that_became_the_result_is_deleted_once(archive: Archive) -> None:
    one = turn()
    epoch = await drafted(archive, one, done(image("draft")))
    await archive.turns.finish(one, epoch, done(image("draft")))
    await archive.forget(ANNA)
    assert archive.pixels.deleted == [image("draft").sha256]


async def test_everything_that_was_said_heard_and_told_is_gone(archive: Archive) -> None:
    one = replace(
        turn(instruction="private wish"),
        wish=Wish(lettering=("private lettering",)),
        heard="private voice",
        spent=Usage(5, model="text", calls=1),
    )
    told = Outcome(
        TurnState.DONE,
        words="private words",
        note="private note",
        plan=("private plan",),
        suggestions=("private suggestion",),
        sources=(Source("private source", "https://private.example"),),
    )
    await archive.turns.submit(one, [])
    assert await archive.turns.end(one.id, told)
    await archive.forget(ANNA)
    status = await archive.turns.load(one.id)
    assert status is not None
    assert (status.outcome, status.turn.spent) == (Outcome(TurnState.DONE), one.spent)
    assert "private" not in await everything(archive.client)


async def test_what_was_heard_in_a_message_that_nobody_dealt_with_is_gone(archive: Archive) -> None:
    one = message("")
    await archive.messages.record(one, MessageRecord(one.ref, turn().thread, author=ANNA))
    await archive.messages.hear(one.ref, Heard("private voice"))
    await archive.forget(ANNA)
    assert await archive.messages.heard(one.ref) is None
    assert "private" not in await everything(archive.client)


async def test_no_list_of_the_last_answers_is_left_of_who_is_forgotten(archive: Archive) -> None:
    hers, his = turn(), turn(author=BEN)
    for one in (hers, his):
        await archive.messages.attach(one.reply, one.thread, [Shown(one.id, ALL)], asker=one.author)
        await archive.finished(one, image(f"{one.author.user}'s"))
    await archive.forget(ANNA)
    assert await archive.messages.latest(hers.chat, ANNA) is None
    assert await archive.messages.latest(hers.chat, BEN) == his.reply
    assert await archive.client.keys("rb:latest:*anna") == []


async def test_forgetting_twice_does_nothing_more(archive: Archive) -> None:
    one = turn()
    await drafted(archive, one, done(image("draft")))
    await archive.forget(ANNA)
    before = await everything(archive.client)
    receipt = await archive.forget(ANNA, before=(await archive.erasure.forgotten())[ANNA])
    assert (receipt.turns, receipt.messages, receipt.pixels) == (0, (), ())
    assert sorted(await everything(archive.client)) == sorted(before)
