"""Who may use an installation: two houses on one server, each act, and what is kept of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.admitting import Doorkeeper
from bot.app import spent_of
from bot.domain.access import Access
from bot.domain.actions import Act, Press
from bot.domain.arena import Choice
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Policy, Standing
from bot.domain.errors import BadRequest, KeptOut, RemixError
from bot.domain.invitations import ASKS_CODE, NO_OPERATOR
from bot.domain.messages import ChatCapabilities, InboundMessage, MessageRecord
from bot.domain.people import HOST, Door, Entry, Roll
from bot.domain.refs import ServerRef, TurnId, UserRef, thread_id_of, turn_id_of
from bot.domain.turns import TurnState
from bot.domain.wishes import PLAIN_WISH
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from storage.redis.client import open_client
from storage.redis.keys import Keys
from storage.redis.people import RedisPeopleStore
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, Rig, living_in, words_of
from tests.values import ANNA, BEN, CHAT

HANNA = UserRef("web", "hanna")
"""She runs the installation."""
SERVER = ServerRef("web", "page", "home")
ASKED, KEPT = "let in", "told"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def gemini() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, gemini: ScriptedEngine) -> AsyncIterator[Rig]:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, operators="web:hanna", house_day_usd=100.0) as rig:
        yield rig


@pytest.fixture
async def other(redis_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    """Another process's house, on the same server."""
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine()}
    async with living_in(redis_url, tmp_path, engines, operators="web:hanna", working=False) as rig:
        yield rig


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await holds():
            await asyncio.sleep(0.005)


async def everything(client: Redis) -> str:
    """All that the server holds, but for the queue engine's own, which carries nothing but turn ids."""
    reads: dict[str, Callable[[str], Any]] = {
        "hash": client.hgetall,
        "string": client.get,
        "set": client.smembers,
        "list": lambda key: client.lrange(key, 0, -1),
        "zset": lambda key: client.zrange(key, 0, -1),
        "stream": client.xrange,
    }
    keys = [str(key) for key in await client.keys("*") if ":queue:" not in str(key)]
    return repr([(key, await reads[str(await client.type(key))](key)) for key in keys])


# --- at once, for every process


async def test_a_ban_holds_in_every_process_and_nothing_is_kept_of_what_comes_after(rig: Rig, other: Rig) -> None:
    house, message = other.house.reception, await rig.message("make it night", [CAT])
    assert await house.kept_out(ANNA, CHAT) == ""
    await rig.house.reception.operating.ban("web:anna", by=HOST, reason="she knows why")

    async def is_out() -> bool:
        return await house.kept_out(ANNA, CHAT) != ""

    await until(is_out)
    for each in (rig.house.reception, house):
        with pytest.raises(KeptOut, match="can't use me"):
            await each.receive(message)
    assert await rig.house.turns.open_turns() == []
    assert await house.kept_out(BEN, CHAT) == ""
    await house.operating.unban("web:anna", by=HOST)
    assert await house.kept_out(ANNA, CHAT) == ""


async def test_settings_of_a_chat_and_a_server_hold_in_every_process_at_once(rig: Rig, other: Rig) -> None:
    denied = ServerSettings(access=Access(denied_people=("ben",)))
    await rig.house.reception.change_chat(CHAT, ChatSettings(suggestions=False, consent=Policy.OWN), by=ANNA)
    await other.house.reception.change_server(SERVER, denied, by=BEN)
    for each in (rig, other):
        assert await each.house.reception.settings(CHAT, SERVER) == (
            ChatSettings(suggestions=False, consent=Policy.OWN),
            denied,
        )
    told = await other.house.reception.changes(CHAT, SERVER)
    assert [line.split(" · ", 1)[1] for line in told.splitlines()[1:]] == [
        "web:ben · denied_people · 0 → 1 · web:ben",
        "web:anna · suggestions · on → off",
        "web:anna · consent · - → own",
    ]
    assert "web:" not in await rig.house.reception.changes(replace(CHAT, chat="garden"), None)


async def test_what_two_processes_change_of_one_chat_at_the_same_moment_both_stands(rig: Rig, other: Rig) -> None:
    houses = [rig.house.reception, other.house.reception]
    (own, _), (_, server) = [await each.settings(CHAT, SERVER) for each in houses]
    await asyncio.gather(
        houses[0].change_chat(CHAT, replace(own, suggestions=False), by=ANNA, was=own),
        houses[1].change_chat(CHAT, replace(own, questions=False), by=BEN, was=own),
        houses[0].change_server(SERVER, replace(server, access=Access(denied_people=("1",))), by=ANNA, was=server),
        houses[1].change_server(SERVER, replace(server, access=Access(denied_people=("2",))), by=BEN, was=server),
    )
    chat, above = await houses[0].settings(CHAT, SERVER)
    assert (chat.suggestions, chat.questions) == (False, False)
    assert sorted(above.access.denied_people) == ["1", "2"]
    lines = (await houses[1].changes(CHAT, None)).splitlines()[1:]
    assert {line.split(" · ", 1)[1] for line in lines} == {
        "web:anna · suggestions · on → off",
        "web:ben · questions · on → off",
    }


async def test_what_runs_is_finished_and_what_waits_is_ended_with_words(rig: Rig, gemini: ScriptedEngine) -> None:
    gate = asyncio.Event()
    gemini.script = [gate]
    running = await rig.says("make it night", [CAT])
    await until(lambda: _has_called(gemini, 1))
    waiting = await rig.says("add a moon", reply_to=running)
    assert await rig.house.reception.operating.ban("web:anna", by=HOST) == 1
    refused = await rig.sees(waiting)
    gate.set()
    assert (await rig.sees(running)).state is TurnState.DONE
    assert (refused.state, refused.outcome.code if refused.outcome else "") == (TurnState.REFUSED, "kept_out")
    assert "/forget" in words_of(refused)
    assert len(gemini.requests) == 1


async def test_a_turn_that_nobody_ended_does_not_begin_once_its_author_is_kept_out(
    rig: Rig, gemini: ScriptedEngine, client: Redis
) -> None:
    gate = asyncio.Event()
    gemini.script = [gate]
    running = await rig.says("make it night", [CAT])
    await until(lambda: _has_called(gemini, 1))
    waiting = await rig.says("add a moon", reply_to=running)
    await RedisPeopleStore(client).put(Roll.DENIED, "web:anna", Entry(at=1.0))
    await until(lambda: _is_out(rig, ANNA))
    gate.set()
    assert (await rig.sees(waiting)).state is TurnState.REFUSED
    assert len(gemini.requests) == 1


async def test_a_call_that_a_crash_broke_off_is_paid_for_though_its_author_is_kept_out_since(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, client: Redis
) -> None:
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}, working=False) as rig:
        await rig.house.turns.announce("worker", slots=1)
        turn, turns = (await rig.says("make it night", [CAT])).turn, rig.house.turns
        claim = await turns.claim(turn)
        assert claim is not None
        assert await turns.calling(turn, claim.epoch, "call 1")
        await client.hset(Keys().turn(turn), "alive_until", str(time.time() - 1))
        await rig.house.reception.operating.ban("web:anna", by=HOST)
        await rig.house.workshop.run(turn)
        status = await turns.load(turn)
        assert status is not None
        assert status.outcome is not None
        assert (status.state, status.outcome.code) == (TurnState.REFUSED, "kept_out")
        assert status.outcome.usage.cost_microusd == gemini.estimate_microusd(images=1, wish=PLAIN_WISH)
        today, *_ = [used for name, used, _ in await spent_of(rig.house) if name == "today"]
        assert today == status.outcome.usage.cost_microusd
    assert gemini.requests == []


async def test_a_message_that_a_crash_left_is_taken_up_with_the_door_as_it_is_then(
    rig: Rig, gemini: ScriptedEngine
) -> None:
    house = rig.house
    spoken = [await rig.message(text, [CAT]) for text in ("make it night", "/settings suggestions off", "/mine")]
    for message in spoken:
        of_anna = MessageRecord(ref=message.ref, thread=thread_id_of(message.ref), author=ANNA, author_name="Anna")
        await house.messages.record(message, of_anna)
    await house.reception.operating.ban("web:anna", by=HOST)
    await house.reconciler.look(grace_s=0)
    found = [await house.turns.load(turn_id_of(thread_id_of(each.ref), each.origin)) for each in spoken]
    codes = [each.outcome.code if each is not None and each.outcome is not None else "" for each in found]
    assert codes[:2] == ["kept_out", "kept_out"]
    assert found[2] is not None
    assert found[2].state is TurnState.DONE
    assert gemini.requests == []
    assert (await house.reception.settings(CHAT, None))[0].suggestions
    assert await house.messages.unsettled(older_than_s=0) == []


async def _has_called(engine: ScriptedEngine, times: int) -> bool:
    return len(engine.requests) == times


async def _is_out(rig: Rig, person: UserRef) -> bool:
    return await rig.house.reception.kept_out(person, CHAT) != ""


class CountedStore(RedisPeopleStore):
    """Counts looks into the database."""

    looks = 0

    async def rules(self):  # type: ignore[no-untyped-def]
        self.looks += 1
        return await super().rules()

    async def allowed(self, subjects: Sequence[str]) -> Sequence[bool]:
        self.looks += 1
        return await super().allowed(subjects)


async def test_whoever_is_known_costs_no_look_into_the_database(client: Redis) -> None:
    store = CountedStore(client)
    await store.turn_door(Door.MEMBERS)
    await store.put(Roll.ALLOWED, "web:anna", Entry(at=1.0))
    keeper = Doorkeeper(store)
    async with AsyncExitStack() as stack:
        watching = asyncio.create_task(keeper.watch())
        stack.callback(watching.cancel)
        assert await keeper.kept_out(ANNA, CHAT) == ""
        await until(lambda: _costs_nothing(keeper, store))
        assert [await keeper.kept_out(ANNA, CHAT) for _ in range(50)] == [""] * 50
        await store.drop(Roll.ALLOWED, "web:anna")
        await until(lambda: _keeps_out(keeper))
        looks = store.looks
        assert all([await keeper.kept_out(ANNA, CHAT) for _ in range(50)])
        assert store.looks - looks <= 1


async def _costs_nothing(keeper: Doorkeeper, store: CountedStore) -> bool:
    before = store.looks
    await keeper.kept_out(ANNA, CHAT)
    return store.looks == before


async def _keeps_out(keeper: Doorkeeper) -> bool:
    return await keeper.kept_out(ANNA, CHAT) != ""


async def test_while_nobody_hears_of_changes_each_question_looks_first(client: Redis) -> None:
    store = RedisPeopleStore(client)
    keeper = Doorkeeper(store)
    assert await keeper.kept_out(ANNA, CHAT) == ""
    await store.put(Roll.DENIED, "web:anna", Entry(at=1.0))
    assert await keeper.kept_out(ANNA, CHAT) != ""


# --- each act


Do = Callable[[Rig, UserRef], Awaitable[object]]
NOWHERE = TurnId("a" * 16 + "-" + "a" * 16)


def said(text: str, press: Press | None = None) -> Do:
    async def do(rig: Rig, who: UserRef) -> object:
        message: InboundMessage = await rig.message(text, author=who)
        return await rig.house.reception.receive(replace(message, press=press))

    return do


ASKING: dict[str, Do] = {
    "words": said("draw a fox"),
    "a command": said("/help"),
    "a pressed control": said("Again", Press(Act.AGAIN)),
    "a change of settings": lambda rig, who: rig.house.reception.change_chat(CHAT, ChatSettings(), by=who),
    "of a server": lambda rig, who: rig.house.reception.change_server(SERVER, ServerSettings(), by=who),
}
THEIRS: dict[str, Do] = {
    "/mine": said("/mine"),
    "/withdraw": said("/withdraw"),
    "/unshare": said("/unshare"),
    "a standing": lambda rig, who: rig.house.reception.stand(who, CHAT, Standing.NEVER),
    "an answer to a question": lambda rig, who: rig.house.reception.allow(NOWHERE, chat=CHAT, by=who, say=None),
    "to cancel": lambda rig, who: rig.house.reception.cancel(NOWHERE, chat=CHAT, by=who),
    "a code": lambda rig, who: rig.house.reception.enter(who, "nothing"),
    "/forget": lambda rig, who: rig.house.reception.forget(who),
}


async def done(rig: Rig, who: UserRef, acts: dict[str, Do]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, do in acts.items():
        try:
            await do(rig, who)
            found[name] = ASKED
        except KeptOut as error:
            found[name] = KEPT if error.words else "nothing"
    return found


async def as_it_is(rig: Rig) -> None:
    """Nothing is decided."""


def on(roll: Roll, subject: str) -> Callable[[Rig], Awaitable[None]]:
    async def put(rig: Rig) -> None:
        operating = rig.house.reception.operating
        await (operating.ban(subject, by=HOST) if roll is Roll.DENIED else operating.allow(subject, by=HOST))

    return put


@pytest.mark.parametrize(
    ("door", "decided", "who", "outcome"),
    [
        (Door.OPEN, as_it_is, ANNA, ASKED),
        (Door.OPEN, on(Roll.DENIED, "web:anna"), ANNA, KEPT),
        (Door.OPEN, on(Roll.DENIED, "web:chat:home"), HANNA, KEPT),
        (Door.MEMBERS, as_it_is, ANNA, KEPT),
        (Door.MEMBERS, on(Roll.ALLOWED, "web:anna"), ANNA, ASKED),
        (Door.CLOSED, as_it_is, ANNA, KEPT),
        (Door.CLOSED, on(Roll.ALLOWED, "web:anna"), ANNA, ASKED),
        (Door.CLOSED, on(Roll.ALLOWED, "web:chat:home"), ANNA, KEPT),
        (Door.CLOSED, as_it_is, HANNA, ASKED),
    ],
)
async def test_who_is_kept_out_can_do_nothing_but_decide_about_what_is_theirs(
    other: Rig, door: Door, decided: Callable[[Rig], Awaitable[None]], who: UserRef, outcome: str
) -> None:
    await other.house.reception.operating.turn_door(door, by=HOST)
    await decided(other)
    assert await done(other, who, ASKING) == dict.fromkeys(ASKING, outcome)
    assert await done(other, who, THEIRS) == dict.fromkeys(THEIRS, ASKED)


async def test_who_is_kept_out_sees_no_info_no_file_no_offers_and_has_no_vote(rig: Rig) -> None:
    rooms, made = rig.house.reception, await rig.says("make it night", [CAT])
    await rig.sees(made)
    before = await rooms.info(made.reply, by=BEN)
    await rooms.operating.ban("web:ben", by=HOST)
    words = await rooms.kept_out(BEN, CHAT)
    assert (await rooms.info(made.reply, by=BEN), before.startswith("“make it night”")) == (words, True)
    assert await rooms.vote(made.turn, chat=CHAT, by=BEN, choice=Choice.A) == words
    assert list(await rooms.finished(BEN, words="", most=5)) == []
    with pytest.raises(KeptOut):
        await rooms.file(made.reply, ChatCapabilities(), by=BEN)


# --- invitations


async def test_a_code_lets_in_by_any_process_and_stands_nowhere(rig: Rig, other: Rig, client: Redis) -> None:
    operating, elsewhere = rig.house.reception.operating, other.house.reception
    with capture_logs() as logs:
        await operating.turn_door(Door.CLOSED, by=HOST)
        made = await operating.invite(uses=1, days=1, by=HOST)
        assert "does not open" in await elsewhere.enter(BEN, made.code[:-1])
        assert "You are in" in await elsewhere.enter(ANNA, made.code.upper())
        assert "does not open" in await elsewhere.enter(BEN, made.code)
    assert await elsewhere.kept_out(ANNA, CHAT) == ""
    await until(lambda: _is_in(rig, ANNA))
    assert await _is_out(rig, BEN)
    kept = repr(logs) + await everything(client)
    assert made.code.replace("-", "") not in kept.replace("-", "")


async def _is_in(rig: Rig, person: UserRef) -> bool:
    return not await _is_out(rig, person)


async def test_a_code_or_an_operators_words_that_come_as_a_message_are_not_kept(rig: Rig, client: Redis) -> None:
    received = await rig.house.reception.receive(await rig.message("/join sesame-open", author=ANNA))
    assert words_of(await rig.sees(received)) == ASKS_CODE
    await rig.house.reception.receive(await rig.message("/operator ban web:ben sesame", author=HANNA))
    assert "sesame" not in await everything(client)
    assert await _is_in(rig, BEN)


# --- operators


async def test_only_operators_operate_and_whoever_is_none_learns_nothing(other: Rig) -> None:
    rooms = other.house.reception
    assert await rooms.operate(ANNA, "people") == NO_OPERATOR
    assert await rooms.operate(ANNA, "add web:anna") == NO_OPERATOR
    assert await rooms.operate(HANNA, "add web:anna") == "web:anna is an operator."
    assert (await rooms.operate(ANNA, "people")).startswith("door: open\noperator  web:hanna")
    assert await rooms.operate(ANNA, "remove web:hanna") == "That one stands in the setting OPERATORS."
    assert await rooms.operate(HANNA, "remove web:anna") == "web:anna is no operator any more."
    assert await rooms.operate(ANNA, "people") == NO_OPERATOR


ANSWERS = {
    "log": "Nothing was changed.",
    "": "door [open|members|closed]",
    "dance": "door [open|members|closed]",
    "door ajar": "door [open|members|closed]",
    "door": "The door is open.",
    "door closed": "The door is closed.",
    "ban web:ben 3d he was rude": "Kept out: web:ben. Waiting edits that were ended: 0.",
    "ban web:hanna": "That is an operator. Remove them from the operators first.",
    "ban ben": "Say whom as PLATFORM:ID",
    "ban": "Say whom as PLATFORM:ID",
    "deny web:chat:home": "Kept out: web:chat:home.",
    "unban web:cleo": "web:cleo was not banned.",
    "unban web:ben": "Unbanned: web:ben.",
    "allow web:ben": "Allowed: web:ben.",
    "add web:chat:home": "Only a person can be an operator",
    "invitations": "There are none.",
    "invite 2 3": "/join ",
    "invite lots": "An invitation is for 1 to 10000 people",
    "revoke 12": "There is no such invitation.",
}


async def test_an_operator_is_understood(other: Rig) -> None:
    said = {words: await other.house.reception.operate(HANNA, words) for words in ANSWERS}
    assert {words: answer[: len(ANSWERS[words])] for words, answer in said.items()} == ANSWERS


async def test_what_operators_do_is_written_down_and_whoever_is_forgotten_stands_nowhere_in_it(
    other: Rig, client: Redis
) -> None:
    rooms = other.house.reception
    for words in ("ban web:ben 3d spam", "door members", "allow web:anna", "invite", "add web:anna"):
        await rooms.operate(HANNA, words)
    lines = await rooms.operating.log(days=1)
    assert [line.split(" · ")[1:3] for line in lines] == [
        ["web:hanna", what] for what in ("operator added", "invitation", "allowed", "door", "banned")
    ]
    assert all("spam" not in line for line in lines)
    await rooms.forget(HANNA)
    assert all("hanna" not in line for line in await rooms.operating.log(days=1))
    await rooms.forget(BEN)
    assert "spam" not in await everything(client)
    assert await _is_out(other, BEN)


async def test_what_is_no_number_of_people_or_days_is_said_so(other: Rig) -> None:
    with pytest.raises(BadRequest, match="1 to 10000 people"):
        await other.house.reception.operating.invite(uses=0, days=1, by=HOST)
    assert issubclass(KeptOut, RemixError)
