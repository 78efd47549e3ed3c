"""What people decide of results and of their own pictures: consent, what is known of a result, deleting it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from adapters.web.inbound import chat_of, json_object
from adapters.web.login import PERSON
from adapters.web.ports import PageStore
from adapters.web.problems import bad_number, no_such_message, no_such_turn, unknown_choice
from adapters.web.records import PLATFORM, answer_id_of, chat_ref
from adapters.web.speech import headers_of_speech
from bot.domain.arena import vote_of
from bot.domain.consent import Say, Standing
from bot.domain.refs import MessageRef, TurnId, UserRef
from bot.ports import Rooms

NOT_NOW: Final = "not_now"
"""What "not this time" is called where the core says None."""
_PLACE = re.compile(r"[0-9]{1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Who may decide is known to the core; here is only found what stands in this chat."""

    rooms: Rooms
    store: PageStore

    async def allow(self, request: web.Request) -> web.Response:
        """POST …/turns/…/consent"""
        chat, turn = chat_of(request), TurnId(request.match_info["turn"])
        say = _say((await json_object(request)).get("say"))
        if (await self.store.find(chat, [answer_id_of(turn)])) == [None]:
            raise no_such_turn()
        words = await self.rooms.allow(turn, chat=chat_ref(chat), by=_who(request), say=say)
        return web.json_response({"words": words}, headers=headers_of_speech())

    async def vote(self, request: web.Request) -> web.Response:
        """POST …/turns/…/vote"""
        chat, turn = chat_of(request), TurnId(request.match_info["turn"])
        vote = vote_of(f"{(await json_object(request)).get('choice')}.{turn}")
        if vote is None:
            raise unknown_choice()
        if (await self.store.find(chat, [answer_id_of(turn)])) == [None]:
            raise no_such_turn()
        words = await self.rooms.vote(turn, chat=chat_ref(chat), by=_who(request), choice=vote[0])
        return web.json_response({"words": words}, headers=headers_of_speech())

    async def join(self, request: web.Request) -> web.Response:
        """POST /api/join. The code stands in the body, so that no address, and no log of one, has it."""
        code = (await json_object(request)).get("code")
        words = await self.rooms.enter(_who(request), str(code or ""))
        return web.json_response({"words": words}, headers=headers_of_speech())

    async def door(self, request: web.Request) -> web.Response:
        """GET …/door"""
        words = await self.rooms.kept_out(_who(request), chat_ref(chat_of(request)))
        return web.json_response({"kept_out": words}, headers=headers_of_speech())

    async def info(self, request: web.Request) -> web.Response:
        """GET …/messages/…/info"""
        reply = await self._answer(request)
        index = request.query.get("index")
        if index is not None and not _PLACE.fullmatch(index):
            raise bad_number("index", least=0)
        words = await self.rooms.info(reply, by=_who(request), index=None if index is None else int(index))
        return web.json_response({"words": words}, headers=headers_of_speech())

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE …/messages/…. Nobody moderates a page: whoever asked for a result may delete it."""
        words = await self.rooms.delete(await self._answer(request), by=_who(request), moderates=False)
        return web.json_response({"deleted": not words, "words": words}, headers=headers_of_speech())

    async def standing(self, request: web.Request) -> web.Response:
        """GET …/standing"""
        return await self._told(request)

    async def stand(self, request: web.Request) -> web.Response:
        """PUT …/standing"""
        standing = _standing((await json_object(request)).get("standing"))
        await self.rooms.stand(_who(request), chat_ref(chat_of(request)), standing)
        return await self._told(request)

    async def _told(self, request: web.Request) -> web.Response:
        standing = await self.rooms.standing(_who(request), chat_ref(chat_of(request)))
        return web.json_response({"standing": standing.value})

    async def _answer(self, request: web.Request) -> MessageRef:
        """The message that is named, where it stands in this chat and is an answer."""
        chat, message = chat_of(request), request.match_info["message"]
        (record,) = await self.store.find(chat, [message])
        if record is None or "turn_id" not in record:
            raise no_such_message()
        return MessageRef(chat_ref(chat), message)


def _who(request: web.Request) -> UserRef:
    return UserRef(PLATFORM, request[PERSON].id)


def _say(given: object) -> Say | None:
    if given == NOT_NOW:
        return None
    try:
        return Say(str(given))
    except ValueError:
        raise unknown_choice() from None


def _standing(given: object) -> Standing:
    try:
        return Standing(str(given))
    except ValueError:
        raise unknown_choice() from None
