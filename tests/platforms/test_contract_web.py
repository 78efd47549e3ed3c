"""The page keeps what every platform promises: through its real server, with two people who share it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain.consent import Say
from bot.domain.messages import InboundMessage, Received
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef
from bot.ports import Rooms
from tests.platforms.contract import PlatformContract, PlatformRig
from tests.platforms.web_rig import WebRig, opened


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path) -> AsyncIterator[PlatformRig]:
    async with opened(WebRig(redis_url, tmp_path)) as rig:
        yield rig


class TestPage(PlatformContract):
    """All of it, over HTTP."""


# --- the contract notices


class Careless:
    """Everything else is as it should be."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rooms, name)


class AnybodySaysYes(Careless):
    async def allow(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        answer = await self.rooms.answer_of(turn)
        assert answer is not None
        return await self.rooms.allow(turn, chat=chat, by=answer.asks[0].user, say=say)


class AnybodyDeletes(Careless):
    async def delete(self, reply: MessageRef, *, by: UserRef, moderates: bool) -> str:
        return await self.rooms.delete(reply, by=by, moderates=True)


class DeafToReplies(Careless):
    async def receive(self, message: InboundMessage) -> Received:
        return await self.rooms.receive(replace(message, reply_to=None, reply_index=None))


class DeafToNumbers(Careless):
    async def receive(self, message: InboundMessage) -> Received:
        return await self.rooms.receive(replace(message, reply_index=None))


class SaysItTwice(Careless):
    async def receive(self, message: InboundMessage) -> Received:
        await self.rooms.receive(replace(message, version=1))
        return await self.rooms.receive(message)


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (AnybodySaysYes, PlatformContract.test_somebody_elses_picture_waits_for_its_owner_who_alone_is_asked),
        (AnybodyDeletes, PlatformContract.test_whoever_asked_for_a_result_can_delete_it_for_everybody),
        (DeafToReplies, PlatformContract.test_a_reply_to_an_old_answer_branches_from_it),
        (DeafToNumbers, PlatformContract.test_one_of_three_pictures_can_be_meant),
        (SaysItTwice, PlatformContract.test_a_message_that_is_delivered_twice_has_one_answer),
    ],
)
async def test_a_page_that_breaks_a_promise_is_found_out(
    redis_url: str, tmp_path: Path, broken: type[Careless], promise: Any
) -> None:
    through = cast(Callable[[Rooms], Rooms], broken)
    async with opened(WebRig(redis_url, tmp_path, through=through)) as rig:
        with pytest.raises((AssertionError, IndexError, ValueError)):
            await promise(PlatformContract(), rig)
