"""Albums: pictures that come one by one, in any order, are one message. What comes late joins it or is asked about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from io import BytesIO

import pytest
from PIL import Image
from structlog.testing import capture_logs

from adapters.telegram import album_reading
from adapters.telegram import albums as albums_module
from adapters.telegram.access import PERSON_DENIED
from adapters.telegram.album_reading import QUIET_S
from adapters.telegram.albums import LATE_WORDS, redo_label
from adapters.telegram.inbound import Snag, file_id_of
from adapters.telegram.refs import message_ref, server_ref, user_ref
from bot import insisting
from bot.domain.access import Access
from bot.domain.buttons import ButtonId, Verb
from bot.domain.chats import ServerSettings
from bot.domain.messages import InboundMessage, Received
from bot.domain.refs import ChatRef, MessageRef
from storage.redis.telegram_albums import RedisAlbums
from tests.fakes.discord_rooms import RecordingRooms
from tests.fakes.telegram import Chat, Message, Person
from tests.platforms.telegram_doors import Process, Scene, a_scene


@pytest.fixture
async def scene(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(insisting, "_FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(albums_module, "LOOK_EVERY_S", 0.3)
    monkeypatch.setattr(album_reading, "QUIET_S", 0.3)
    async with a_scene(redis_url, floods=False, reads_all=True) as found:
        yield found
        assert found.fake.faults() == []


@pytest.fixture
async def process(scene: Scene) -> Process:
    return scene.process().begins()


@pytest.fixture
def anna(scene: Scene) -> Person:
    return scene.fake.user("Anna")


@pytest.fixture
def home(scene: Scene, anna: Person) -> Chat:
    return scene.fake.private(anna)


def pictures(count: int) -> list[bytes]:
    return [_picture(index) for index in range(count)]


def _picture(index: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), (20 * index, 90, 200)).save(out, "JPEG")
    return out.getvalue()


def ref_of(scene: Scene, message: Message) -> MessageRef:
    return message_ref(scene.me.id, message.chat.id, message.id, message.thread_id)


def brought(scene: Scene, message: InboundMessage) -> list[bytes]:
    """The pictures of a message, as they were sent."""
    return [scene.fake.media_of(file_id_of(each.handle)).data for each in message.attachments]


async def comes_late(scene: Scene, anna: Person, items: Sequence[Message], *, words: str = "") -> Message:
    """One more of an album that has come."""
    made = anna._message(items[0].place, words, [], await anna._media(_picture(9)))
    made.album = items[0].album
    return scene.fake.post(made)


def offers(chat: Chat, scene: Scene) -> list[Message]:
    return [each for each in chat.messages() if each.author is scene.fake.bot]


def joined(scene: Scene) -> list[InboundMessage]:
    return [each[1] for each in scene.rooms.asked if each[0] == "join"]


class Dawdling(RedisAlbums):
    """Whoever looked at an album too early comes back only when it is due once more."""

    given = 0

    async def due(self, account: str, now: float, *, life_s: float) -> Sequence[tuple[ChatRef, str]]:
        found = await super().due(account, now, life_s=life_s)
        self.given += len(found)
        return found

    async def wake_at(self, chat: ChatRef, group: str, when: float) -> None:
        given = self.given
        await super().wake_at(chat, group, when)
        while given and self.given == given:
            await asyncio.sleep(0.01)


# --- one message


@pytest.fixture
def in_earnest(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it is waited for in fact."""
    monkeypatch.setattr(album_reading, "QUIET_S", QUIET_S)


async def test_an_album_that_is_due_again_while_somebody_looks_at_it_waits_no_longer(
    scene: Scene, anna: Person, home: Chat
) -> None:
    process = scene.process()
    process.gathering._albums = albums = Dawdling(scene.client)
    process.begins()
    items = await anna.album(home, pictures(3))
    await scene.settled(process)
    await albums.wake_at(ref_of(scene, items[0]).chat, str(items[0].album), time.time())
    process.gathering._sooner.set()
    await scene.until(lambda: albums.given)
    await scene.until(lambda: scene.received, within_s=3)
    assert albums.given == 2
    assert len(scene.received[0].attachments) == 3


@pytest.mark.usefixtures("in_earnest")
async def test_an_album_of_ten_in_three_batches_in_wrong_order_is_one_message_in_order(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    sent = pictures(10)
    items = await anna.album(
        home, sent, "as a story", order=(7, 2, 9, 0, 4, 1, 8, 3, 6, 5), batches=(3, 4, 3), gap_s=0.1
    )
    await scene.until(lambda: scene.received)
    await scene.settled(process)
    (message,) = scene.received
    assert (message.ref, message.text) == (ref_of(scene, items[0]), "as a story")
    assert brought(scene, message) == sent
    assert scene.fake.asked("sendChatAction")


@pytest.mark.usefixtures("in_earnest")
async def test_an_album_of_three_is_handed_in_within_a_second_and_a_half_of_its_last_picture(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    await anna.album(home, pictures(3), "warmer")
    sent_at = time.monotonic()
    await scene.until(lambda: scene.received)
    assert time.monotonic() - sent_at < 1.5
    assert len(scene.received[0].attachments) == 3


async def test_an_album_that_comes_again_is_the_same_message(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    items = await anna.album(home, pictures(3), "warmer")
    await scene.until(lambda: scene.received)
    for each in items:
        scene.fake.redeliver(each, as_new=True)
    await scene.settled(process)
    assert len(scene.received) == 1
    assert joined(scene) == []


async def test_the_album_of_a_process_that_died_is_closed_by_another(
    scene: Scene, anna: Person, home: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = scene.process().begins()
    await anna.album(home, pictures(3), "warmer")
    await scene.settled(killed)
    await killed.dies()
    assert scene.received == []
    scene.process().begins()
    await scene.until(lambda: scene.received)
    assert len(scene.received[0].attachments) == 3


class Overtaken(RedisAlbums):
    """The wait that was asked for first is noted last."""

    first: asyncio.Event | None = None

    async def wake_at(self, chat: ChatRef, group: str, when: float) -> None:
        if self.first is None:
            self.first = asyncio.Event()
            await self.first.wait()
        await super().wake_at(chat, group, when)
        self.first.set()


@pytest.mark.usefixtures("in_earnest")
async def test_what_a_picture_alone_would_be_waited_for_does_not_hold_up_two(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    process.gathering._albums = Overtaken(scene.client)
    await anna.album(home, pictures(2), "warmer", batches=(1, 1))
    sent_at = time.monotonic()
    await scene.until(lambda: scene.received)
    assert time.monotonic() - sent_at < 1.5


async def test_two_processes_close_an_album_once(scene: Scene, process: Process, anna: Person, home: Chat) -> None:
    second = scene.process().begins()
    await anna.album(home, pictures(10), "warmer", batches=(5, 5))
    await scene.until(lambda: scene.received)
    await scene.settled(second)
    assert len(scene.received) == 1


class Interrupted(RecordingRooms):
    """Fails, the first time."""

    async def receive(self, message: InboundMessage) -> Received:
        self.refusals += 1
        if self.refusals == 1:
            raise OSError
        return await super().receive(message)


async def test_what_fails_while_an_album_is_handed_in_is_tried_again_as_the_same_message(
    scene: Scene, anna: Person, home: Chat
) -> None:
    scene.rooms = Interrupted()
    scene.process().begins()
    items = await anna.album(home, pictures(10), "warmer")
    await scene.until(lambda: scene.received)
    assert scene.rooms.refusals == 2
    assert scene.received[0].ref == ref_of(scene, items[0])


async def test_an_album_of_what_cannot_be_edited_is_told_once(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    for number in range(2):
        made = anna._message(home, "warmer" if not number else "", [], await anna._media(video=b"\0" * 100))
        made.album = "77"
        scene.fake.post(made)
    await scene.until(lambda: offers(home, scene))
    assert [each.words for each in offers(home, scene)] == [Snag.VIDEO.words]
    assert scene.received == []


async def test_files_sent_as_an_album_in_a_topic_are_one_message_there(
    scene: Scene, process: Process, anna: Person
) -> None:
    topic = scene.fake.forum("Club", anna).topic("Pictures")
    items = await anna.album(topic, pictures(2), "warmer", as_documents=True, mention=True)
    await scene.until(lambda: scene.received)
    (message,) = scene.received
    assert (message.ref, message.text, message.reply_to) == (ref_of(scene, items[0]), "warmer", None)
    assert brought(scene, message) == pictures(2)


# --- late


async def test_what_comes_late_joins_while_the_engine_has_not_begun(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    items = await anna.album(home, pictures(2), "warmer")
    await scene.until(lambda: scene.received)
    late = await comes_late(scene, anna, items)
    await scene.until(lambda: joined(scene))
    scene.fake.redeliver(late, as_new=True)
    await scene.settled(process)
    (message,) = joined(scene)
    assert message.origin == scene.received[0].origin
    assert len(message.attachments) == 3
    assert offers(home, scene) == []


async def test_what_comes_too_late_is_offered_to_be_done_with_all_once_for_each_album(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    items = await anna.album(home, pictures(2), "warmer")
    await scene.until(lambda: scene.received)
    scene.rooms.joins = False
    late = await comes_late(scene, anna, items)
    await scene.until(lambda: offers(home, scene))
    await comes_late(scene, anna, items)
    await scene.until(lambda: len(joined(scene)) == 2)
    await scene.settled(process)
    (offer,) = offers(home, scene)
    assert (offer.words, offer.reply_to) == (LATE_WORDS, late.id)
    assert offer.keyboard == [[(redo_label(3), str(ButtonId(Verb.WHOLE, argument=str(items[0].id))))]]
    assert len(scene.received) == 1
    whole = await process.gathering.whole(ref_of(scene, items[0]))
    assert whole is not None
    assert (whole.text, len(whole.attachments)) == ("warmer", 4)


async def test_whoever_is_forgotten_leaves_no_album_that_is_tried_for_ever(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    items = await anna.album(home, pictures(2), "warmer")
    await scene.until(lambda: scene.received)
    await scene.settled(process)
    await process.store.forget(user_ref(anna.id))
    chat = ref_of(scene, items[0]).chat
    await process.albums.wake_at(chat, items[0].album or "", 0.0)
    await process.gathering._close((chat, items[0].album or ""))
    assert await process.gathering.whole(ref_of(scene, items[0])) is None
    assert await process.albums.due(scene.me.id, time.time(), life_s=1) == []
    assert len(scene.received) == 1


async def test_of_an_album_that_nobody_knows_there_is_no_whole(scene: Scene, process: Process, home: Chat) -> None:
    assert await process.gathering.whole(message_ref(scene.me.id, home.id, 12345)) is None


# --- edited


async def test_another_caption_is_a_branch_with_all_pictures(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    items = await anna.album(home, pictures(3), "warmer")
    await scene.until(lambda: scene.received)
    await anna.edits(items[0], "colder")
    await scene.until(lambda: len(scene.received) == 2)
    first, second = scene.received
    assert (second.ref, second.text, len(second.attachments)) == (first.ref, "colder", 3)
    assert second.version > first.version == 0
    await anna.edits(items[0], "colder")
    await scene.settled(process)
    assert len({each.origin for each in scene.received}) == 2


async def test_two_captions_within_one_second_are_two_branches(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    items = await anna.album(home, pictures(2), "warmer")
    await scene.until(lambda: scene.received)
    await anna.edits(items[0], "colder")
    await scene.until(lambda: len(scene.received) == 2)
    await anna.edits(items[0], "bluer")
    await scene.until(lambda: len(scene.received) == 3)
    await scene.settled(process)
    assert scene.texts() == ["warmer", "colder", "bluer"]
    assert len({each.origin for each in scene.received}) == 3


async def test_an_edit_that_changes_nothing_does_not_keep_a_late_picture_from_joining(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    items = await anna.album(home, pictures(2), "warmer")
    await scene.until(lambda: scene.received)
    await anna.edits(items[0], "warmer")
    await scene.settled(process)
    await comes_late(scene, anna, items)
    await scene.until(lambda: joined(scene))
    assert joined(scene)[0].origin == scene.received[0].origin
    await anna.edits(items[0], "warmer")
    await scene.settled(process)
    assert len(scene.received) == 1


# --- in groups


@pytest.fixture
def ben(scene: Scene) -> Person:
    return scene.fake.user("Ben")


@pytest.fixture
def group(scene: Scene, anna: Person, ben: Person) -> Chat:
    return scene.fake.supergroup("Friends", anna, ben)


async def test_an_album_that_is_not_meant_for_the_bot_is_remembered_without_a_word(
    scene: Scene, process: Process, anna: Person, ben: Person, group: Chat
) -> None:
    items = await anna.album(group, pictures(3), "our secret trip")
    await scene.settled(process)
    album = await process.albums.of_message(ref_of(scene, items[0]).chat, items[0].id)
    assert album is not None
    assert set(album.items) == {each.id for each in items}
    assert "secret" not in str(album)
    await ben.says(group, "warmer", reply_to=items[1], mention=True)
    await scene.until(lambda: scene.received)
    (message,) = scene.received
    assert (message.reply_to, message.reply_index, message.among) == (ref_of(scene, items[0]), 1, True)
    assert message.quoted is not None
    assert len(message.quoted.attachments) == 3
    assert offers(group, scene) == []


@pytest.mark.usefixtures("in_earnest")
async def test_an_album_whose_first_picture_comes_last_is_meant_for_the_bot_by_its_caption(
    scene: Scene, process: Process, anna: Person, group: Chat
) -> None:
    sent = pictures(3)
    await anna.album(group, sent, "warmer", order=(2, 1, 0), batches=(1, 1, 1), mention=True)
    await scene.until(lambda: scene.received)
    (message,) = scene.received
    assert message.text == "warmer"
    assert brought(scene, message) == sent


async def test_a_caption_that_comes_to_call_the_bot_later_hands_the_album_in(
    scene: Scene, process: Process, anna: Person, group: Chat
) -> None:
    items = await anna.album(group, pictures(2), "our trip")
    await scene.settled(process)
    await anna.edits(items[0], f"@{scene.me.username} warmer")
    await scene.until(lambda: scene.received)
    (message,) = scene.received
    assert (message.ref, message.text, len(message.attachments)) == (ref_of(scene, items[0]), "warmer", 2)


async def test_the_album_of_somebody_who_is_kept_out_is_not_handed_in(
    scene: Scene, process: Process, ben: Person, group: Chat
) -> None:
    kept_out = ServerSettings(access=Access(denied_people=(str(ben.id),)))
    scene.rooms.servers[server_ref(scene.me.id, group.id)] = kept_out
    items = await ben.album(group, pictures(2), "warmer", mention=True)
    await scene.until(lambda: offers(group, scene))
    await scene.settled(process)
    assert [each.words for each in offers(group, scene)] == [PERSON_DENIED]
    album = await process.albums.of_message(ref_of(scene, items[0]).chat, items[0].id)
    assert album is not None
    assert "warmer" not in str(album)
    assert await process.albums.due(scene.me.id, time.time() + 60, life_s=1) == []


async def test_an_album_that_meets_a_plain_bug_again_and_again_is_let_go(
    scene: Scene, process: Process, anna: Person, home: Chat
) -> None:
    scene.rooms.closed = TypeError("a plain bug")
    with capture_logs() as logs:
        await anna.album(home, pictures(2), "warmer")
        await scene.until(lambda: [each for each in logs if each["event"] == "album not understood"])
    assert scene.rooms.refusals == insisting.MOST_BUGS
    await scene.until(lambda: not process.gathering._closing)
    assert await process.albums.due(scene.me.id, time.time() + 3600, life_s=1) == []
