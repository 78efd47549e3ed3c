"""What an operator does: the door, the lists, invitations. On the command line, and behind /operator in private.

It is said in English, as all else that only whoever runs the bot reads.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bot.admitting import Doorkeeper
from bot.changing import Changing
from bot.domain.changes import as_line
from bot.domain.errors import BadRequest
from bot.domain.invitations import CODE_BYTES, START, Invitation, digest_of, new_code
from bot.domain.language import speaking
from bot.domain.people import (
    MOST_REASON_CHARS,
    Door,
    Entry,
    Roll,
    Rules,
    is_person,
    read_span_s,
    read_subject,
    subject_of,
)
from bot.domain.refs import UserRef
from bot.domain.turns import FINAL_STATES, Outcome, TurnState, TurnStatus
from bot.ports import PeopleStore, TurnStore
from bot.stopping import Stopping

_DAY_S: Final = 24 * 3600
_ID_CHARS: Final = 8
_LOADED_AT_ONCE: Final = 32
_MOST_LINES: Final = 30
HELP: Final = """\
door [open|members|closed]
people
ban ID [3d] [why]  ·  unban ID
allow ID  ·  deny ID
invite [uses] [days]  ·  invitations  ·  revoke ID
log [days]
add ID  ·  remove ID  (operators)
An ID is discord:123 for a person, discord:chat:456 for a chat, discord:server:789 for a server.
So with telegram and web."""
NO_SUBJECT: Final = "Say whom as PLATFORM:ID (discord:123), or which place as PLATFORM:chat:ID or PLATFORM:server:ID."
_USES: Final = range(1, 10_001)
_DAYS: Final = range(1, 366)


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation. Its code is told once, to whoever asked for it, and kept nowhere; `link` opens a platform with
    it, where one can."""

    code: str
    invitation: Invitation
    link: str = ""


class Operating:
    """`by` is always the subject of whoever does it, or `HOST`. `link` makes a link of a code; `fixed` are the
    operators of the settings, whom nobody can remove here. Raises `BadRequest` in words for whoever asked."""

    def __init__(
        self,
        *,
        store: PeopleStore,
        doorkeeper: Doorkeeper,
        changing: Changing,
        turns: TurnStore,
        stopping: Stopping,
        link: Callable[[str], Awaitable[str]],
        fixed: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._doorkeeper = doorkeeper
        self._changing = changing
        self._turns = turns
        self._stopping = stopping
        self._link = link
        self._fixed = fixed

    # --- the door

    async def door(self) -> Door:
        return (await self._fresh()).door or Door.OPEN

    async def turn_door(self, door: Door, *, by: str) -> None:
        before = await self.door()
        await self._store.turn_door(door)
        await self._told("door", before.value, door.value, by=by)

    # --- the lists

    async def ban(self, subject: str, *, by: str, for_s: float | None = None, reason: str = "") -> int:
        """Gives how many waiting turns were ended. What runs already is finished."""
        subject, rules, now = _checked(subject), await self._fresh(), time.time()
        if subject in rules.operators:
            raise BadRequest("That is an operator. Remove them from the operators first.")
        until = None if for_s is None else now + for_s
        why = " ".join(reason.split())[:MOST_REASON_CHARS]
        await self._store.put(Roll.DENIED, subject, Entry(at=now, by=by, until=until, reason=why))
        await self._told("banned", after="for good" if until is None else f"until {_day(until)}", by=by, on=subject)
        return await self._end_waiting()

    async def unban(self, subject: str, *, by: str) -> bool:
        subject = _checked(subject)
        if not await self._store.drop(Roll.DENIED, subject):
            return False
        await self._told("unbanned", by=by, on=subject)
        return True

    async def allow(self, subject: str, *, by: str) -> None:
        """Let in by name, and no longer kept out."""
        subject = _checked(subject)
        await self._store.put(Roll.ALLOWED, subject, Entry(at=time.time(), by=by))
        await self._store.drop(Roll.DENIED, subject)
        await self._told("allowed", by=by, on=subject)

    async def deny(self, subject: str, *, by: str) -> int:
        """Not let in by name any more, and kept out for good. Gives how many waiting turns were ended."""
        ended = await self.ban(subject, by=by)
        await self._store.drop(Roll.ALLOWED, subject)
        await self._doorkeeper.refresh()
        return ended

    async def people(self) -> Sequence[str]:
        rules = await self._fresh()
        lines = [f"door: {(rules.door or Door.OPEN).value}"]
        for subject in sorted(self._fixed):
            lines.append(f"operator  {subject}  by a setting")
        for roll in Roll:
            entries = await self._store.roll(roll)
            lines += [_entry_line(roll, subject, entry) for subject, entry in sorted(entries.items(), key=_oldest)]
        return lines

    # --- operators

    async def add(self, subject: str, *, by: str) -> None:
        subject = _checked(subject)
        if not is_person(subject):
            raise BadRequest("Only a person can be an operator: PLATFORM:ID, for instance discord:123.")
        await self._store.put(Roll.OPERATOR, subject, Entry(at=time.time(), by=by))
        await self._told("operator added", by=by, on=subject)

    async def remove(self, subject: str, *, by: str) -> bool:
        subject = _checked(subject)
        if subject in self._fixed:
            raise BadRequest("That one stands in the setting OPERATORS.")
        if not await self._store.drop(Roll.OPERATOR, subject):
            return False
        await self._told("operator removed", by=by, on=subject)
        return True

    # --- invitations

    async def invite(self, *, uses: int, days: int, by: str) -> Invited:
        if uses not in _USES or days not in _DAYS:
            raise BadRequest("An invitation is for 1 to 10000 people, and for 1 to 365 days.")
        code, now = new_code(secrets.token_bytes(CODE_BYTES)), time.time()
        digest = digest_of(code)
        invitation = Invitation(digest[:_ID_CHARS], uses, now + days * _DAY_S, now, by)
        await self._store.invite(digest, invitation)
        await self._changing.house(
            "invitation", after=f"{invitation.id}, {uses} × until {_day(invitation.until)}", by=by
        )
        return Invited(code, invitation, await self._link(f"{START}{code}"))

    async def invitations(self) -> Sequence[str]:
        return [
            f"{each.id}  {each.left} left, until {_day(each.until)}  by {each.by or '?'}"
            for each in await self._store.invitations()
        ]

    async def revoke(self, id_: str, *, by: str) -> bool:
        if not await self._store.revoke(id_.lower()):
            return False
        await self._changing.house("invitation ended", after=id_.lower(), by=by)
        return True

    async def log(self, *, days: int) -> Sequence[str]:
        changes = await self._changing.since(time.time() - days * _DAY_S)
        return [f"{as_line(each)}  ({each.place})" for each in changes]

    # --- in a chat

    async def said(self, person: UserRef, words: str) -> str:
        """What is said behind /operator. Whoever is no operator is told so, and no more."""
        if not await self._doorkeeper.is_operator(person):
            return ""
        name, *arguments = words.split() or ["help"]
        try:
            return await self._answer(name.lower(), arguments, subject_of(person))
        except BadRequest as error:
            return error.words

    async def _answer(self, name: str, arguments: Sequence[str], by: str) -> str:
        if name in _SHOW:
            return await self._shown(name, arguments)
        if name == "door":
            return await self._said_door(arguments, by)
        if name == "invite":
            return await self._invited(arguments, by)
        return await self._listed(name, arguments, by)

    async def _shown(self, name: str, arguments: Sequence[str]) -> str:
        match name:
            case "people":
                return _cut(await self.people())
            case "invitations":
                return _cut(await self.invitations()) or "There are none."
            case _:
                days = int(arguments[0]) if arguments and arguments[0].isdecimal() else 7
                return _cut(await self.log(days=min(days, _DAYS.stop))) or "Nothing was changed."

    async def _said_door(self, arguments: Sequence[str], by: str) -> str:
        if not arguments:
            return f"The door is {await self.door()}."
        if arguments[0] not in set(Door):
            return HELP
        await self.turn_door(Door(arguments[0]), by=by)
        return f"The door is {arguments[0]}."

    async def _listed(self, name: str, arguments: Sequence[str], by: str) -> str:
        subject, *rest = arguments or ("",)
        match name:
            case "ban":
                for_s = read_span_s(rest[0]) if rest else None
                reason = " ".join(rest if for_s is None else rest[1:])
                said = _banned(subject, await self.ban(subject, by=by, for_s=for_s, reason=reason))
            case "deny":
                said = _banned(subject, await self.deny(subject, by=by))
            case "unban":
                said = f"Unbanned: {subject}." if await self.unban(subject, by=by) else f"{subject} was not banned."
            case "allow":
                await self.allow(subject, by=by)
                said = f"Allowed: {subject}."
            case "add":
                await self.add(subject, by=by)
                said = f"{subject} is an operator."
            case "remove":
                done = await self.remove(subject, by=by)
                said = f"{subject} is no operator any more." if done else f"{subject} was no operator."
            case "revoke":
                said = "It is ended." if await self.revoke(subject, by=by) else "There is no such invitation."
            case _:
                said = HELP
        return said

    async def _invited(self, arguments: Sequence[str], by: str) -> str:
        numbers = [int(each) if each.isdecimal() else 0 for each in arguments]
        uses, days = (*numbers, *(1, 7)[len(numbers) :])[:2]
        made = await self.invite(uses=uses, days=days, by=by)
        link = f"\n{made.link}" if made.link else ""
        return f"/join {made.code}{link}\nFor {uses}, until {_day(made.invitation.until)}. It is shown this once."

    # --- what follows

    async def _fresh(self) -> Rules:
        await self._doorkeeper.refresh()
        return await self._doorkeeper.rules()

    async def _told(self, what: str, before: str = "", after: str = "", *, by: str, on: str = "") -> None:
        """Here it holds at once; the other processes have heard of it from the store."""
        await self._doorkeeper.refresh()
        await self._changing.house(what, before, after, by=by, people=(on,) if on else ())

    async def _end_waiting(self) -> int:
        """Turns of whoever is kept out now that have not begun. One that begins meanwhile is finished."""
        open_ = [each.turn for each in await self._turns.open_turns() if each.state not in _UNDER_WAY]
        ended = 0
        for first in range(0, len(open_), _LOADED_AT_ONCE):
            found = await asyncio.gather(*map(self._turns.load, open_[first : first + _LOADED_AT_ONCE]))
            for status in found:
                ended += status is not None and await self._end(status)
        return ended

    async def _end(self, status: TurnStatus) -> bool:
        if status.state in _UNDER_WAY:
            return False
        with speaking(status.turn.language):
            words = await self._doorkeeper.still_admits(status.turn)
        outcome = Outcome(TurnState.REFUSED, code="kept_out", words=words)
        return bool(words) and await self._stopping.stop(status, outcome)


_SHOW: Final = frozenset({"people", "invitations", "log"})
_UNDER_WAY: Final = FINAL_STATES | {TurnState.RUNNING}


def _checked(subject: str) -> str:
    read = read_subject(subject)
    if read is None:
        raise BadRequest(NO_SUBJECT)
    return read


def _banned(subject: str, ended: int) -> str:
    return f"Kept out: {subject}. Waiting edits that were ended: {ended}."


def _entry_line(roll: Roll, subject: str, entry: Entry) -> str:
    parts = [
        f"{roll.value:<8}  {subject}",
        f"since {_day(entry.at)}",
        f"until {_day(entry.until)}" if entry.until else "",
        "by invitation" if entry.invited else f"by {entry.by or '?'}",
        f"“{entry.reason}”" if entry.reason else "",
    ]
    return "  ".join(part for part in parts if part)


def _oldest(item: tuple[str, Entry]) -> float:
    return item[1].at


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def _cut(lines: Sequence[str]) -> str:
    more = [f"… and {len(lines) - _MOST_LINES} more: see the command line."] if len(lines) > _MOST_LINES else []
    return "\n".join([*lines[:_MOST_LINES], *more])
