"""Forgetting a person, against a real server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.telegram.ports import KnownFile
from bot.domain.consent import Standing
from bot.domain.images import ALL, ImageFacts, Input, Role
from bot.domain.messages import Attachment, InboundMessage, MessageRecord, Quoted, Shown
from bot.domain.refs import ChatRef, MessageRef, Person, ServerRef, Sha256, UserRef
from bot.domain.story import story_after
from bot.domain.turns import Lent, Outcome, Source, Story, StoryLine, Turn, TurnState, Usage
from bot.domain.wishes import Wish
from bot.ports import ForgetReceipt, Heard, Submitted, WithdrawReceipt
from storage.redis import erasure
from storage.redis.client import open_client
from storage.redis.consent import RedisConsentStore
from storage.redis.erasure import RedisErasure
from storage.redis.images import RedisImageLedger
from storage.redis.messages import RedisMessageStore
from storage.redis.telegram import RedisTelegramStore
from storage.redis.turns import RedisTurnStore
from tests.values import ANNA, BEN, CHAT, done, image, message, turn


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


async def test_the_names_that_telegram_has_for_pixels_go_with_them(archive: Archive) -> None:
    telegram = RedisTelegramStore(archive.client, retention_s=1000)
    one = await archive.finished(turn(), image("gone"), image("shared"))
    his = await archive.finished(turn(author=BEN), image("shared"), image("his"))
    for name in ("gone", "shared", "his"):
        for as_photo in (True, False):
            await telegram.note_file("1000", image(name).sha256, KnownFile(f"AgAC {name}", as_photo))

    async def known() -> list[str]:
        text = await everything(archive.client)
        return [name for name in ("gone", "shared", "his") if f"AgAC {name}" in text]

    await archive.forget(one.author)
    assert await known() == ["shared", "his"]
    await archive.erasure.erase(his.id)
    assert await known() == []


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
    assert archive.pixels.deleted == [image("small").sha256, image("photo").sha256]
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


# --- other people's pictures

HERS = Person(ANNA, "Anna")
SERVER = ServerRef("web", "page", "house")
GARDEN = ChatRef("web", "page", "garden")


def wanting(*owners: Person, of: Turn | None = None) -> Turn:
    """Ben's turn on other people's pictures, with no more of them in it than that they are asked."""
    inputs = tuple(Input(Role.SOURCE, owner.user, image("photo"), owner_name=owner.name) for owner in owners)
    return replace(turn(author=BEN, parent=of, owners=(BEN,), inputs=inputs), asks=owners, server=SERVER)


async def test_a_turn_that_waits_for_who_is_forgotten_ends(archive: Archive) -> None:
    his = wanting(HERS)
    after = turn(author=BEN, parent=his, inputs=())
    await archive.turns.submit(his, [])
    await archive.turns.submit(after, [])
    assert await archive.turns.note_once(his.id, f"asked:{ANNA.key}")
    assert await archive.turns.note_once(his.id, f"asked:{BEN.key}")
    receipt = await archive.forget(ANNA)
    assert (receipt.turns, receipt.stories, receipt.messages) == (0, 1, ())
    status = await archive.turns.load(his.id)
    assert status is not None
    assert (status.state, status.erased, status.turn.asks) == (TurnState.CANCELLED, False, ())
    assert status.turn.inputs == (Input(Role.SOURCE, None, image("photo")),)
    assert await archive.turns.agree(his.id, ANNA, []) == Submitted(repeat=True)
    assert [each.turn for each in await archive.turns.open_turns() if each.let_run] == [after.id]
    left = await everything(archive.client)
    assert [word in left for word in ("Anna", '"anna"', f"asked:{ANNA.key}")] == [False, False, False]
    assert not await archive.turns.note_once(his.id, f"asked:{BEN.key}")


async def test_a_turn_that_waits_for_somebody_else_too_ends_all_the_same(archive: Archive) -> None:
    clara = Person(UserRef("web", "clara"), "Clara")
    his = replace(wanting(clara, HERS), inputs=())
    await archive.turns.submit(his, [])
    await archive.forget(ANNA)
    status = await archive.turns.load(his.id)
    assert status is not None
    assert (status.state, status.turn.asks) == (TurnState.CANCELLED, (clara,))


async def test_an_old_answer_does_not_tell_that_who_is_forgotten_was_asked(archive: Archive) -> None:
    refused, finished = wanting(HERS), wanting(HERS)
    said = Outcome(TurnState.REFUSED, words="Anna would rather not have that picture edited.", usage=Usage(3))
    await archive.turns.submit(refused, [])
    assert await archive.turns.end(refused.id, said)
    await archive.turns.submit(finished, [])
    told = replace(done(image("his")), words="Here it is.")
    assert await archive.turns.end(finished.id, told)
    await archive.forget(ANNA)
    statuses = [await archive.turns.load(one.id) for one in (refused, finished)]
    assert [status and status.outcome for status in statuses] == [replace(said, words=""), told]
    assert "Anna" not in await everything(archive.client)


async def test_of_a_turn_that_is_erased_neither_its_server_nor_whom_it_asked_is_left(archive: Archive) -> None:
    one = wanting(HERS)
    await archive.turns.submit(one, [])
    await archive.turns.note_once(one.id, f"asked:{ANNA.key}")
    await archive.forget(BEN)
    status = await archive.turns.load(one.id)
    assert status is not None
    assert (status.erased, status.turn.server, status.turn.asks, status.turn.inputs) == (True, None, (), ())
    left = await everything(archive.client)
    assert ("Anna" in left, "house" in left, "asked:" in left) == (False, False, False)


async def noted(archive: Archive, *owners: Person | None) -> MessageRef:
    """Ben's message, which somebody replied to, with a picture for each of these owners."""
    ref = MessageRef(CHAT, "seen")
    pictures = [image(f"photo {number}") for number in range(len(owners))]
    await archive.messages.note(MessageRecord(ref, turn().thread, author=BEN, author_name="Ben"))
    await archive.ledger.keep(f"message:{ref.key}", [(each, each) for each in pictures], target="page")
    await archive.messages.bring(ref, pictures, owners=owners, spoiler=True)
    return ref


async def test_a_message_that_was_only_replied_to_is_forgotten_with_its_author(archive: Archive) -> None:
    ref = await noted(archive, HERS, None)
    receipt = await archive.forget(BEN)
    assert receipt.messages == (ref,)
    assert set(archive.pixels.deleted) == {image("photo 0").sha256, image("photo 1").sha256}
    assert await archive.messages.find(ref) == MessageRecord(ref, (await thread_of(archive, ref)))
    left = await everything(archive.client)
    assert ("Ben" in left, "Anna" in left) == (False, False)


async def thread_of(archive: Archive, ref: MessageRef) -> Any:
    record = await archive.messages.find(ref)
    assert record is not None
    return record.thread


async def test_pictures_in_somebody_elses_message_go_and_the_message_stays(archive: Archive) -> None:
    ref = await noted(archive, None, HERS, Person(BEN, "Ben"))
    before = await archive.messages.find(ref)
    assert before is not None
    receipt = await archive.forget(ANNA)
    assert (receipt.messages, receipt.pixels) == ((), (image("photo 1").sha256,))
    assert archive.pixels.deleted == [image("photo 1").sha256]
    kept, owners = (image("photo 0"), image("photo 2")), (None, Person(BEN, "Ben"))
    assert await archive.messages.find(ref) == replace(before, sources=kept, owners=owners)
    assert "Anna" not in await everything(archive.client)


async def test_the_same_picture_of_two_owners_stays_for_the_other(archive: Archive) -> None:
    ref = MessageRef(CHAT, "twice")
    await archive.messages.note(MessageRecord(ref, turn().thread, author=BEN))
    await archive.ledger.keep(f"message:{ref.key}", [(image("same"), image("same"))], target="page")
    await archive.messages.bring(ref, [image("same"), image("same")], owners=(HERS, None))
    await archive.forget(ANNA)
    assert archive.pixels.deleted == []
    found = await archive.messages.find(ref)
    assert found is not None
    assert (found.sources, found.owners) == ((image("same"),), (None,))


def forwarding() -> InboundMessage:
    """Ben replies to Anna's message, and forwards a picture of hers beside one of his own."""
    his, hers = Attachment("h1", "his.png"), Attachment("h2", "hers.png", owner=HERS)
    quoted = Quoted(MessageRef(CHAT, "hers"), HERS, (Attachment("h3", "quoted.png"),))
    one = message("as it stands", author=BEN, attachments=(his, hers), reply_to=quoted.ref)
    return replace(one, quoted=quoted, server=SERVER, size="2K")


async def test_a_message_that_nobody_dealt_with_loses_whom_it_names_and_is_still_dealt_with(archive: Archive) -> None:
    one = forwarding()
    await archive.messages.record(one, MessageRecord(one.ref, turn().thread, author=BEN))
    assert (await archive.forget(ANNA)).messages == ()
    assert one.quoted is not None
    bare = replace(one.quoted, author=None, attachments=())
    assert list(await archive.messages.unsettled(older_than_s=0)) == [
        replace(one, attachments=one.attachments[:1], quoted=bare)
    ]
    left = await everything(archive.client)
    assert ("Anna" in left, "h2" in left, "h3" in left) == (False, False, False)


async def test_a_message_that_cannot_be_read_does_not_stand_in_the_way_of_forgetting(archive: Archive) -> None:
    one = forwarding()
    await archive.messages.record(one, MessageRecord(one.ref, turn().thread, author=BEN))
    await archive.client.hset(f"rb:message:{one.ref.key}", "inbound:0", '{"author_name": "Anna"}')
    await archive.forget(ANNA)
    assert "Anna" not in await everything(archive.client)
    assert list(await archive.messages.unsettled(older_than_s=0)) == []


async def test_who_is_forgotten_agrees_to_nothing_any_more_and_still_says_never(archive: Archive) -> None:
    says = RedisConsentStore(archive.client)
    await says.stand(ANNA, CHAT, Standing.HERE)
    await says.stand(BEN, CHAT, Standing.NEVER)
    await archive.client.hset(f"rb:consent:{{{BEN.key}}}", f"here:{GARDEN.key}", "1.5")
    moment = time.time()
    await archive.forget(ANNA)
    await archive.forget(BEN)
    assert list(await says.standing([ANNA, BEN], CHAT)) == [Standing.UNSAID, Standing.NEVER]
    assert await archive.client.hlen(f"rb:consent:{{{BEN.key}}}") == 1
    await says.stand(ANNA, CHAT, Standing.HERE)
    await archive.forget(ANNA, before=moment)
    assert list(await says.standing([ANNA], CHAT)) == [Standing.HERE]


# --- one turn


async def test_one_result_is_erased_and_the_others_stay(archive: Archive) -> None:
    hers = turn(instruction="a private wish")
    await archive.messages.attach(hers.reply, hers.thread, [Shown(hers.id, ALL)], asker=ANNA)
    await archive.finished(hers, image("hers"))
    child = await archive.finished(turn(parent=hers, author=BEN), image("his"))
    assert await archive.erasure.erase(hers.id)
    assert await archive.erasure.erase(hers.id)
    assert archive.pixels.deleted == [image("hers").sha256]
    statuses = await archive.turns.thread(hers.thread)
    assert [(status.turn.id, status.erased) for status in statuses] == [(hers.id, True), (child.id, False)]
    assert await archive.messages.latest(hers.chat, ANNA) is None
    assert "private" not in await everything(archive.client)
    assert await archive.erasure.forgotten() == {}


async def test_what_was_drafted_goes_with_the_result(archive: Archive) -> None:
    one = turn()
    epoch = await drafted(archive, one, done(image("draft")))
    await archive.ledger.keep(f"turn:{one.id}", [(image("result"), image("result"))], target="page")
    assert await archive.turns.finish(one, epoch, done(image("result")))
    assert await archive.erasure.erase(one.id)
    assert set(archive.pixels.deleted) == {image("draft").sha256, image("result").sha256}


async def test_a_turn_that_is_not_finished_is_not_erased(archive: Archive) -> None:
    one = turn()
    epoch = await under_way(archive, one)
    assert not await archive.erasure.erase(one.id)
    assert not await archive.erasure.erase(turn().id)
    assert await archive.turns.finish(one, epoch, done())
    status = await archive.turns.load(one.id)
    assert status is not None
    assert (status.turn, status.outcome, status.erased) == (one, done(), False)


async def test_more_pictures_that_come_late_do_not_bring_back_whoever_was_forgotten(archive: Archive) -> None:
    line = StoryLine(ANNA, "Anna", "make her blue")
    waiting = replace(turn(author=BEN, owners=(BEN,)), story=Story(lines=(line,)))
    await archive.turns.submit(waiting, [])
    await archive.forget(ANNA)
    later = replace(waiting, inputs=(*waiting.inputs, Input(Role.SOURCE, BEN, image("another"))))
    assert not await archive.turns.extend(later)
    status = await archive.turns.load(waiting.id)
    assert status is not None
    assert status.turn == replace(waiting, story=Story())


async def test_a_picture_that_an_edit_replaced_is_gone_with_its_author(archive: Archive) -> None:
    one = message("hello")
    await archive.messages.record(one, MessageRecord(one.ref, turn().thread, author=ANNA))
    for each in (image("first"), image("second")):
        await archive.ledger.keep(f"message:{one.ref.key}", [(each, each)], target="page")
        await archive.messages.bring(one.ref, [each])
    await archive.forget(ANNA)
    assert set(archive.pixels.deleted) == {image("first").sha256, image("second").sha256}
    assert image("first").sha256 not in await everything(archive.client)


async def test_a_picture_that_was_on_its_way_while_its_author_was_forgotten_is_found_the_next_time(
    archive: Archive,
) -> None:
    one = message("hello")
    await archive.messages.record(one, MessageRecord(one.ref, turn().thread, author=ANNA))
    await archive.forget(ANNA)
    await archive.ledger.keep(f"message:{one.ref.key}", [(image("late"), image("late"))], target="page")
    await archive.messages.bring(one.ref, [image("late")], author=ANNA)
    assert archive.pixels.deleted == []
    await archive.forget(ANNA)
    assert archive.pixels.deleted == [image("late").sha256]
    assert image("late").sha256 not in await everything(archive.client)


async def test_a_picture_of_theirs_that_somebody_elses_edit_replaced_is_gone_with_its_owner(archive: Archive) -> None:
    ref = await noted(archive, Person(ANNA, "Anna"))
    await archive.ledger.keep(f"message:{ref.key}", [(image("ben's"), image("ben's"))], target="page")
    await archive.messages.bring(ref, [image("ben's")])
    await archive.forget(ANNA)
    assert archive.pixels.deleted == [image("photo 0").sha256]
    left = await everything(archive.client)
    assert ("Anna" in left, image("photo 0").sha256 in left) == (False, False)


# --- a picture that is withdrawn


async def withdraw(archive: Archive, owner: UserRef, *names: str) -> tuple[WithdrawReceipt, list[str]]:
    """What it did; and what happened to messages, in order."""
    happened: list[str] = []

    async def retract(ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:
        happened.extend(["ours"] * len(ours) + ["theirs"] * len(theirs))

    async def show(ref: MessageRef, left: Sequence[ImageFacts]) -> None:
        happened.append(f"{len(left)} left")

    pictures = [image(name).sha256 for name in names]
    return await archive.erasure.withdraw(owner, pictures, retract=retract, show=show), happened


def of_photo(*, author: UserRef = ANNA, owner: UserRef = ANNA, name: str = "photo", **fields: Any) -> Turn:
    one = turn(author=author, owners=(owner,), **fields)
    return replace(one, lent=(Lent(owner, owner.user.title(), image(name).sha256),))


async def test_what_a_withdrawn_picture_flows_into_goes_and_all_else_stays(archive: Archive) -> None:
    hers = await archive.finished(of_photo(), image("hers"))
    his = await archive.finished(of_photo(author=BEN, parent=hers), image("his"))
    cup = await archive.finished(of_photo(name="cup"), image("cup edit"))
    same_file = await archive.finished(of_photo(author=BEN, owner=BEN), image("ben's own"))
    assert [each.turn.id for each in await archive.erasure.grown(ANNA, [image("photo").sha256])] == [hers.id, his.id]
    receipt, happened = await withdraw(archive, ANNA, "photo")
    assert (receipt, happened) == (WithdrawReceipt(2, 2, 0), ["ours", "ours"])
    assert set(archive.pixels.deleted) == {image("hers").sha256, image("his").sha256}
    statuses = [await archive.turns.load(each.id) for each in (hers, his, cup, same_file)]
    assert [status is not None and status.erased for status in statuses] == [True, True, False, False]
    assert await withdraw(archive, ANNA, "photo") == (WithdrawReceipt(0, 0, 0), [])


async def test_a_message_loses_the_withdrawn_picture_and_keeps_the_others(archive: Archive) -> None:
    for number, author in ((1, ANNA), (2, ANNA), (3, BEN)):
        one = replace(message("hello", author=author), ref=MessageRef(CHAT, f"photos-{number}"))
        await archive.messages.record(one, MessageRecord(one.ref, turn().thread, author=author))
        sources = [image("photo"), image("cup")] if number > 1 else [image("photo")]
        await archive.ledger.keep(f"message:{one.ref.key}", [(each, each) for each in sources], target="page")
        owners = [Person(ANNA, "Anna") if author == BEN else None] * len(sources)
        await archive.messages.bring(one.ref, sources, owners=owners)
    receipt, happened = await withdraw(archive, ANNA, "photo")
    assert (receipt.messages, happened) == (3, ["theirs", "1 left", "1 left"])
    left = [await archive.messages.find(MessageRef(CHAT, f"photos-{number}")) for number in (1, 2, 3)]
    assert [each.sources for each in left if each is not None] == [(), (image("cup"),), (image("cup"),)]
    assert archive.pixels.deleted == [image("photo").sha256]


async def test_what_came_to_nothing_keeps_its_words_and_holds_no_picture(archive: Archive) -> None:
    one = of_photo(author=BEN)
    await archive.turns.submit(one, [])
    await archive.turns.end(one.id, Outcome(TurnState.REFUSED, words="It was withdrawn."))
    receipt, happened = await withdraw(archive, ANNA, "photo")
    status = await archive.turns.load(one.id)
    assert status is not None
    assert status.outcome is not None
    assert (receipt.results, happened, status.outcome.words, status.erased) == (0, [], "It was withdrawn.", False)
    assert (status.turn.inputs, status.turn.lent, status.turn.instruction) == ((), (), one.instruction)


async def test_a_withdrawal_outlives_forgetting_and_what_was_lent_does_not(archive: Archive) -> None:
    says = RedisConsentStore(archive.client)
    await says.withdraw(ANNA, [image("old").sha256])
    await says.explains(ANNA, turn().id)
    await archive.finished(of_photo(author=BEN), image("his"))
    await archive.forget(ANNA)
    assert None not in await says.withdrawn([(ANNA, image("old").sha256)])
    left = await everything(archive.client)
    assert image("photo").sha256 not in left
    assert "explained" not in left
    assert "Anna" not in left


async def test_of_a_long_thread_all_that_is_theirs_goes_and_others_turns_stay_without_their_words(
    archive: Archive,
) -> None:
    """More than is dealt with at once."""
    root = await archive.finished(turn(instruction="a very private wish"), image("root"))
    told = Story(lines=(StoryLine(ANNA, "Anna", "a very private wish"),))
    for number in range(3 * erasure._AT_ONCE // 2):
        one = turn(parent=root, author=BEN if number % 3 else ANNA, story=told, instruction="a quiet wish")
        await archive.ledger.keep(f"turn:{one.id}", [(image(str(number)), image(str(number)))], target="page")
        await archive.turns.conclude(one, done(image(str(number))))
    receipt = await archive.forget(ANNA)
    stays = [each for each in await archive.turns.thread(root.thread) if not each.erased]
    assert (receipt.turns, receipt.stories, len(stays)) == (1 + erasure._AT_ONCE // 2, len(stays), erasure._AT_ONCE)
    assert {each.turn.story for each in stays} == {Story()}
    assert len(archive.pixels.deleted) == len(set(archive.pixels.deleted)) == receipt.turns
    assert "private" not in await everything(archive.client)


async def test_what_was_charged_for_a_message_in_their_own_chat_is_not_named_after_them_any_more(
    archive: Archive,
) -> None:
    anna = UserRef("telegram", "573")
    keys = [f"rb:{{adm}}:charged:telegram:4242:{chat}:9:listen" for chat in ("573", "-573")]
    for key in keys:
        await archive.client.set(key, "1", ex=100)
    await archive.forget(anna)
    assert [await archive.client.exists(key) for key in keys] == [0, 1]


async def test_the_weight_of_whoever_is_forgotten_goes_and_others_keep_theirs(archive: Archive) -> None:
    for person in (ANNA, BEN):
        await archive.turns.weigh(person, 3)
    await archive.forget(ANNA)
    assert await archive.turns.weights() == {BEN: 3}


class Killed(Exception): ...


class BreaksOff(RedisImageLedger):
    """Its process ends before it lets go of what was rendered."""

    async def _let_go(self, held: Sequence[tuple[str, Sha256]]) -> Sequence[Sha256]:
        if any(holder.startswith("rendition:") for holder, _ in held):
            raise Killed
        return await super()._let_go(held)


class DeletesNothing(DeletedPixels):
    """Its process ends before anything is deleted."""

    async def delete(self, sha256: Sha256) -> None:
        raise Killed


@pytest.mark.parametrize(("ledger", "pixels"), [(BreaksOff, DeletedPixels), (RedisImageLedger, DeletesNothing)])
async def test_who_goes_on_after_a_kill_deletes_what_was_rendered_too(
    archive: Archive, ledger: type[RedisImageLedger], pixels: type[DeletedPixels]
) -> None:
    one = await archive.finished(turn(), image("hers"))
    await archive.ledger.keep(f"turn:{one.id}", [(image("hers"), image("labelled"))], target="page")
    broken = RedisErasure(archive.client, archive.turns, ledger(archive.client, retention_s=1000), pixels())
    with pytest.raises(Killed):
        await replace(archive, erasure=broken).forget(ANNA)
    await archive.forget(ANNA)
    assert set(archive.pixels.deleted) == {image("hers").sha256, image("labelled").sha256}
    left = await everything(archive.client)
    assert image("labelled").sha256 not in left


class DeletesTwenty(DeletedPixels):
    """Its process ends then."""

    async def delete(self, sha256: Sha256) -> None:
        if len(self.deleted) == 20:
            raise Killed
        await super().delete(sha256)


async def test_who_goes_on_after_a_kill_between_many_finds_all_that_was_rendered(archive: Archive) -> None:
    masters, made = ([image(f"{kind} {n}") for n in range(20)] for kind in ("hers", "labelled"))
    one = await archive.finished(turn(), *masters)
    await archive.ledger.keep(f"turn:{one.id}", list(zip(masters, made, strict=True)), target="page")
    first = DeletesTwenty()
    broken = RedisErasure(archive.client, archive.turns, RedisImageLedger(archive.client, retention_s=1000), first)
    with pytest.raises(Killed):
        await replace(archive, erasure=broken).forget(ANNA)
    await archive.forget(ANNA)
    assert {*first.deleted, *archive.pixels.deleted} == {each.sha256 for each in (*masters, *made)}
