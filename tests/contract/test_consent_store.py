"""What people have said of their own pictures: what the store of it promises, against a real server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.domain.consent import LastSaid, Standing, mark_of
from bot.domain.own_pictures import Said
from bot.domain.refs import ChatRef, Sha256, TurnId, UserRef
from bot.ports import ConsentStore
from storage.objects.notes import notes
from storage.objects.shelf import StoreUnavailable
from storage.redis.client import open_client
from storage.redis.consent import RedisConsentStore
from tests.values import ANNA, BEN, CHAT

GARDEN = ChatRef("web", "page", "garden")
CLARA = UserRef("web", "clara")
CAT, CUP = Sha256("c" * 64), Sha256("d" * 64)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


async def test_never_holds_at_once_where_it_cannot_be_noted_and_nothing_else_does(
    client: Redis, tmp_path: Path
) -> None:
    away = tmp_path / "pictures"
    store = RedisConsentStore(client, notes=notes(str(away), keep_s=1000))
    away.rmdir()
    away.write_text("no folder any more")
    for standing in (Standing.NEVER, Standing.HERE):
        with pytest.raises(StoreUnavailable):
            await store.stand(ANNA, CHAT, standing)
        assert list(await store.standing([ANNA], CHAT)) == [Standing.NEVER]


class ConsentContract:
    """What every store of consent promises."""

    async def test_who_said_nothing_has_said_nothing(self, store: ConsentStore) -> None:
        assert list(await store.standing([ANNA, BEN], CHAT)) == [Standing.UNSAID, Standing.UNSAID]
        assert list(await store.standing([], CHAT)) == []

    async def test_answers_come_in_the_order_asked(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(BEN, CHAT, Standing.NEVER)
        said = await store.standing([CLARA, BEN, ANNA, BEN], CHAT)
        assert list(said) == [Standing.UNSAID, Standing.NEVER, Standing.HERE, Standing.NEVER]

    async def test_here_holds_in_this_chat_alone(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        assert await said(store) == (Standing.HERE, Standing.UNSAID)

    async def test_never_holds_everywhere(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.NEVER)
        assert await said(store) == (Standing.NEVER, Standing.NEVER)

    async def test_when_never_was_said_is_known_as_long_as_it_holds(self, store: ConsentStore) -> None:
        before = time.time()
        assert await store.never_since(ANNA) is None
        await store.stand(ANNA, CHAT, Standing.NEVER)
        since = await store.never_since(ANNA)
        assert since is not None
        assert before <= since <= time.time()
        assert await store.never_since(BEN) is None
        await store.stand(ANNA, CHAT, Standing.UNSAID)
        assert await store.never_since(ANNA) is None

    async def test_never_comes_before_what_was_said_for_a_chat(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(ANNA, GARDEN, Standing.NEVER)
        assert await said(store) == (Standing.NEVER, Standing.NEVER)

    async def test_what_is_taken_back_is_unsaid(self, store: ConsentStore) -> None:
        for standing in (Standing.HERE, Standing.NEVER):
            await store.stand(ANNA, CHAT, standing)
            await store.stand(ANNA, CHAT, Standing.UNSAID)
            assert await said(store) == (Standing.UNSAID, Standing.UNSAID)

    async def test_taking_back_here_leaves_the_other_chats(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(ANNA, GARDEN, Standing.HERE)
        await store.stand(ANNA, GARDEN, Standing.UNSAID)
        assert await said(store) == (Standing.HERE, Standing.UNSAID)

    async def test_no_chat_is_free_again_when_never_is_taken_back(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(ANNA, GARDEN, Standing.NEVER)
        await store.stand(ANNA, GARDEN, Standing.UNSAID)
        assert await said(store) == (Standing.UNSAID, Standing.UNSAID)

    async def test_who_says_here_after_never_means_it_and_is_asked_elsewhere(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.NEVER)
        await store.stand(ANNA, CHAT, Standing.HERE)
        assert await said(store) == (Standing.HERE, Standing.UNSAID)

    async def test_all_that_was_said_is_seen_from_one_chat_and_others_are_counted(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(ANNA, GARDEN, Standing.HERE)
        await store.withdraw(ANNA, [CAT])
        assert await store.said(ANNA, CHAT) == Said(Standing.HERE, elsewhere=1, withdrawn=1)
        assert await store.said(ANNA, ChatRef("web", "page", "attic")) == Said(Standing.UNSAID, 2, 1)
        assert await store.said(BEN, CHAT) == Said(Standing.UNSAID)

    async def test_what_is_taken_back_everywhere_leaves_what_was_withdrawn(self, store: ConsentStore) -> None:
        for standing in (Standing.HERE, Standing.NEVER):
            await store.stand(ANNA, CHAT, standing)
            await store.withdraw(ANNA, [CAT])
            await store.take_back(ANNA)
            assert await said(store) == (Standing.UNSAID, Standing.UNSAID)
            assert [each is not None for each in await store.withdrawn([(ANNA, CAT)])] == [True]

    async def test_a_picture_is_withdrawn_for_its_owner_alone_until_they_send_it_anew(
        self, store: ConsentStore
    ) -> None:
        before = time.time()
        await store.withdraw(ANNA, [CAT])
        await store.stand(ANNA, CHAT, Standing.NEVER)
        since, his, cup = await store.withdrawn([(ANNA, CAT), (BEN, CAT), (ANNA, CUP)])
        assert (since is not None and since >= before, his, cup) == (True, None, None)
        await store.restore(ANNA, [CAT])
        assert list(await store.withdrawn([(ANNA, CAT)])) == [None]
        assert list(await store.going(ANNA)) == []

    async def test_what_goes_is_known_until_it_is_gone(self, store: ConsentStore) -> None:
        await store.withdraw(ANNA, [CAT, CUP])
        await store.gone(ANNA, [CUP])
        assert (list(await store.going(ANNA)), list(await store.going(BEN))) == ([CAT], [])
        assert None not in await store.withdrawn([(ANNA, CUP)])

    async def test_the_first_question_alone_explains_and_says_so_again(self, store: ConsentStore) -> None:
        first, second = TurnId("one"), TurnId("two")
        assert [await store.explains(ANNA, each) for each in (first, second, first)] == [True, False, True]
        await store.stand(ANNA, CHAT, Standing.NEVER)
        assert await store.explains(BEN, second)
        assert not await store.explains(ANNA, second)

    async def test_what_was_said_since_is_recalled_and_only_once(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(ANNA, GARDEN, Standing.HERE)
        await store.stand(BEN, CHAT, Standing.HERE)
        await store.stand(CLARA, CHAT, Standing.NEVER)
        later = time.time() + 60
        noted = {
            ANNA: LastSaid(asked={mark_of(CHAT.key): later}),
            BEN: LastSaid(never=later),
            CLARA: LastSaid(never=later - 50, everywhere=later),
        }
        changed = {ANNA: Standing.UNSAID, BEN: Standing.NEVER, CLARA: Standing.UNSAID}
        assert await store.recall(noted) == changed
        assert await said(store) == (Standing.UNSAID, Standing.HERE)
        assert list(await store.standing([BEN, CLARA], CHAT)) == [Standing.NEVER, Standing.UNSAID]
        assert await store.recall(noted) == {}

    async def test_what_was_said_later_than_the_notes_holds(self, store: ConsentStore) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(BEN, CHAT, Standing.NEVER)
        earlier = time.time() - 60
        noted = {ANNA: LastSaid(never=earlier), BEN: LastSaid(never=earlier - 1, here=earlier)}
        assert await store.recall(noted) == {}
        assert list(await store.standing([ANNA, BEN], CHAT)) == [Standing.HERE, Standing.NEVER]

    async def test_a_never_that_was_taken_back_and_a_yes_are_not_recalled(self, store: ConsentStore) -> None:
        now = time.time()
        assert await store.recall({ANNA: LastSaid(never=now - 2, here=now), BEN: LastSaid(here=now)}) == {}
        assert list(await store.standing([ANNA, BEN], CHAT)) == [Standing.UNSAID, Standing.UNSAID]


async def said(store: ConsentStore) -> tuple[Standing, Standing]:
    """What Anna said for this chat, and for the garden."""
    return (await store.standing([ANNA], CHAT))[0], (await store.standing([ANNA], GARDEN))[0]


class TestRedisConsentStore(ConsentContract):
    @pytest.fixture
    def store(self, client: Redis) -> ConsentStore:
        return RedisConsentStore(client)

    async def test_it_outlives_everything(self, store: ConsentStore, client: Redis) -> None:
        await store.stand(ANNA, CHAT, Standing.NEVER)
        await store.stand(BEN, CHAT, Standing.HERE)
        await store.withdraw(BEN, [CAT])
        assert [await client.ttl(key) for key in await client.keys("*")] == [-1, -1, -1]

    async def test_who_takes_everything_back_leaves_nothing(self, store: ConsentStore, client: Redis) -> None:
        await store.stand(ANNA, CHAT, Standing.HERE)
        await store.stand(ANNA, CHAT, Standing.UNSAID)
        assert await client.keys("*") == []


# --- stores that the contract must refuse


class ConsentInMemory:
    """The shortest store that keeps the promises; each of those below breaks one."""

    def __init__(self) -> None:
        self.never: set[UserRef] = set()
        self.since: dict[UserRef, float] = {}
        self.here: dict[tuple[UserRef, ChatRef], float] = {}
        self.taken: dict[tuple[UserRef, Sha256], float] = {}
        self.leaving: set[tuple[UserRef, Sha256]] = set()
        self.questions: dict[UserRef, TurnId] = {}

    async def standing(self, owners: Sequence[UserRef], chat: ChatRef) -> Sequence[Standing]:
        return [self.one(owner, chat) for owner in owners]

    def one(self, owner: UserRef, chat: ChatRef) -> Standing:
        if owner in self.never:
            return Standing.NEVER
        return Standing.HERE if (owner, chat) in self.here else Standing.UNSAID

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        self.never -= {owner}
        self.here.pop((owner, chat), None)
        if standing is Standing.NEVER:
            self.never |= {owner}
            self.since[owner] = time.time()
            self.here = self.of_others(owner)
        elif standing is Standing.HERE:
            self.here[owner, chat] = time.time()

    def of_others(self, owner: UserRef) -> dict[tuple[UserRef, ChatRef], float]:
        return {each: at for each, at in self.here.items() if each[0] != owner}

    async def never_since(self, owner: UserRef) -> float | None:
        return self.since.get(owner) if owner in self.never else None

    async def said(self, owner: UserRef, chat: ChatRef) -> Said:
        elsewhere = sum(each == owner and where != chat for each, where in self.here)
        return Said(self.one(owner, chat), elsewhere, sum(each == owner for each, _ in self.taken))

    async def take_back(self, owner: UserRef) -> None:
        self.never -= {owner}
        self.here = self.of_others(owner)

    async def withdraw(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        self.taken |= {(owner, each): time.time() for each in pictures}
        self.leaving |= {(owner, each) for each in pictures}

    async def going(self, owner: UserRef) -> Sequence[Sha256]:
        return sorted(picture for each, picture in self.leaving if each == owner)

    async def gone(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        self.leaving -= {(owner, each) for each in pictures}

    async def withdrawn(self, pictures: Sequence[tuple[UserRef, Sha256]]) -> Sequence[float | None]:
        return [self.taken.get(each) for each in pictures]

    async def restore(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        for each in pictures:
            self.taken.pop((owner, each), None)
            self.leaving.discard((owner, each))

    async def explains(self, owner: UserRef, question: TurnId) -> bool:
        return self.questions.setdefault(owner, question) == question

    async def recall(self, noted: Mapping[UserRef, LastSaid]) -> Mapping[UserRef, Standing]:
        changed: dict[UserRef, Standing] = {}
        for owner, last in noted.items():
            for each, at in list(self.here.items()):
                if each[0] == owner and at <= last.ended(mark_of(each[1].key)):
                    del self.here[each]
                    changed[owner] = Standing.UNSAID
            if last.is_never:
                if owner not in self.never and self.of_others(owner) == self.here:
                    self.never |= {owner}
                    self.since[owner] = last.never
                    changed[owner] = Standing.NEVER
            elif owner in self.never and self.since[owner] <= last.lifted:
                self.never -= {owner}
                changed[owner] = Standing.UNSAID
        return changed


class HereEverywhere(ConsentInMemory):
    def one(self, owner: UserRef, chat: ChatRef) -> Standing:
        return super().one(owner, CHAT)


class HereFirst(ConsentInMemory):
    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        before = dict(self.here)
        await super().stand(owner, chat, standing)
        self.here |= before if standing is Standing.NEVER else {}

    def one(self, owner: UserRef, chat: ChatRef) -> Standing:
        return Standing.HERE if (owner, chat) in self.here else super().one(owner, chat)


class ComesBackToLife(ConsentInMemory):
    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        before = dict(self.here)
        await super().stand(owner, chat, standing)
        self.here |= before if standing is Standing.NEVER else {}


class InAnyOrder(ConsentInMemory):
    async def standing(self, owners: Sequence[UserRef], chat: ChatRef) -> Sequence[Standing]:
        return sorted(await super().standing(owners, chat))


class WithdrawnForAll(ConsentInMemory):
    async def withdrawn(self, pictures: Sequence[tuple[UserRef, Sha256]]) -> Sequence[float | None]:
        since = {picture: when for (_, picture), when in self.taken.items()}
        return [since.get(picture) for _, picture in pictures]


class NeverForgetsWhatGoes(ConsentInMemory):
    async def gone(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        pass


class ExplainsAlways(ConsentInMemory):
    async def explains(self, owner: UserRef, question: TurnId) -> bool:
        return True


class RecallsWhatIsOlder(ConsentInMemory):
    async def recall(self, noted: Mapping[UserRef, LastSaid]) -> Mapping[UserRef, Standing]:
        for owner, last in noted.items():
            if last.is_never:
                await self.stand(owner, CHAT, Standing.NEVER)
        return {owner: Standing.NEVER for owner, last in noted.items() if last.is_never}


class RecallsNothing(ConsentInMemory):
    async def recall(self, noted: Mapping[UserRef, LastSaid]) -> Mapping[UserRef, Standing]:
        return {}


class TestConsentInMemory(ConsentContract):
    @pytest.fixture
    def store(self) -> ConsentStore:
        return ConsentInMemory()


_contract = ConsentContract()


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (HereEverywhere, _contract.test_here_holds_in_this_chat_alone),
        (HereFirst, _contract.test_never_comes_before_what_was_said_for_a_chat),
        (ComesBackToLife, _contract.test_no_chat_is_free_again_when_never_is_taken_back),
        (InAnyOrder, _contract.test_answers_come_in_the_order_asked),
        (WithdrawnForAll, _contract.test_a_picture_is_withdrawn_for_its_owner_alone_until_they_send_it_anew),
        (NeverForgetsWhatGoes, _contract.test_what_goes_is_known_until_it_is_gone),
        (RecallsNothing, _contract.test_what_was_said_since_is_recalled_and_only_once),
        (RecallsWhatIsOlder, _contract.test_what_was_said_later_than_the_notes_holds),
        (ExplainsAlways, _contract.test_the_first_question_alone_explains_and_says_so_again),
    ],
)
async def test_the_contract_refuses_a_store_that_breaks_it(
    broken: type[ConsentInMemory], test: Callable[[ConsentStore], Awaitable[None]]
) -> None:
    with pytest.raises(AssertionError):
        await test(broken())
