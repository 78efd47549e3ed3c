"""Whose picture it is, and whether it may be edited: what is decided for the chat, and what its owner has said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from bot.domain.consent import Policy, Standing, strictest
from bot.domain.credit import lent_by, merged
from bot.domain.errors import NotAllowed
from bot.domain.images import Input, Role
from bot.domain.language import tr
from bot.domain.own_pictures import WITHDRAWN, YOU_WITHDREW
from bot.domain.refs import ChatRef, Person, ServerRef, Sha256, UserRef
from bot.domain.turns import Lent
from bot.domain.words import NO_PICTURES_HERE, NOBODY_TO_ASK, NOT_YOURS, would_rather_not
from bot.ports import ChatStore, ConsentStore


class Consent:
    """Nobody's picture is edited against their say. Results of the bot are open to everybody in their chat, except to
    edits of what grew from a picture whose owner said "never"."""

    def __init__(self, *, says: ConsentStore, chats: ChatStore) -> None:
        self._says = says
        self._chats = chats

    async def policy(self, chat: ChatRef, server: ServerRef | None, around: Sequence[ChatRef] = ()) -> Policy:
        """What holds in this chat: the strictest of what it, those that it lies in and its server decided."""
        own, above = await self._chats.decided([chat, *around], server)
        return strictest(*(each.consent for each in own), above.consent)

    async def check(
        self,
        inputs: Iterable[Input],
        owners: Iterable[UserRef],
        *,
        asker: UserRef,
        chat: ChatRef,
        server: ServerRef | None,
        around: Sequence[ChatRef] = (),
        lent: Iterable[Lent] = (),
    ) -> tuple[Person, ...]:
        """Whom to ask before these pictures may be edited. `owners` are those whose pictures flow into them, and `lent`
        those pictures.

        Raises `NotAllowed` where there is nobody to ask, or an answer stands already."""
        sources = [each for each in inputs if each.role is Role.SOURCE]
        strangers = _without_repeats([each for each in sources if each.owner != asker])
        everyone = tuple(dict.fromkeys(owners))
        others = tuple(owner for owner in everyone if owner != asker)
        grown = merged(lent, lent_by(sources))
        if not everyone and not any(each.image for each in grown) and not sources:
            return ()
        names = {each.owner: each.owner_name for each in strangers if each.owner is not None}
        policy, withdrawn, standing = await asyncio.gather(  # side by side, so that it is one trip
            self.policy(chat, server, around),
            self._withdrawn(grown, asker),
            self._standing(tuple(dict.fromkeys([*names, *others])), chat),
        )
        if policy is Policy.OFF:
            raise NotAllowed(tr(NO_PICTURES_HERE))
        if withdrawn:
            raise NotAllowed(withdrawn)
        for owner, said in standing.items():
            if said is Standing.NEVER:
                raise NotAllowed(would_rather_not(names.get(owner, "")))
        if not strangers or policy is Policy.ALL:
            return ()
        if policy is Policy.OWN:
            raise NotAllowed(tr(NOT_YOURS))
        if len(names) < len(strangers):
            raise NotAllowed(tr(NOBODY_TO_ASK))
        return tuple(Person(owner, name) for owner, name in names.items() if standing[owner] is Standing.UNSAID)

    async def _withdrawn(self, lent: Iterable[Lent], asker: UserRef) -> str:
        """Why nothing new is made: of a picture that its owner took back, by whatever way it is reached. Empty where
        none was."""
        pairs = [(each.owner, Sha256(each.image)) for each in lent if each.owner is not None and each.image]
        for (owner, _), since in zip(pairs, await self._says.withdrawn(pairs), strict=True):
            if since is not None:
                return tr(YOU_WITHDREW) if owner == asker else tr(WITHDRAWN)
        return ""

    async def never(self, owners: Iterable[UserRef], chat: ChatRef) -> frozenset[UserRef]:
        """Those of them who want nothing more made of their pictures."""
        standing = await self._standing(tuple(dict.fromkeys(owners)), chat)
        return frozenset(owner for owner, said in standing.items() if said is Standing.NEVER)

    async def is_free(
        self,
        owners: Sequence[UserRef | None],
        *,
        asker: UserRef,
        chat: ChatRef,
        server: ServerRef | None,
        around: Sequence[ChatRef] = (),
    ) -> bool:
        """Whether pictures of these people may be used without asking anybody. None for who is not known."""
        others = [owner for owner in owners if owner is not None and owner != asker]
        unknown = None in owners
        if not others and not unknown:
            return True
        standing = (await self._standing(others, chat)).values()
        if any(said is Standing.NEVER for said in standing):
            return False
        match await self.policy(chat, server, around):
            case Policy.ALL:
                return True
            case Policy.ASK:
                return not unknown and all(said is Standing.HERE for said in standing)
            case Policy.OWN | Policy.OFF:
                return False

    async def all_said_here(self, owners: Sequence[UserRef | None], *, asker: UserRef, chat: ChatRef) -> bool:
        """Whether each of them has said themselves that everybody in this chat may use their pictures."""
        others = [owner for owner in owners if owner is not None and owner != asker]
        standing = await self._standing(others, chat)
        return None not in owners and all(said is Standing.HERE for said in standing.values())

    async def _standing(self, owners: Sequence[UserRef], chat: ChatRef) -> dict[UserRef, Standing]:
        if not owners:
            return {}
        return dict(zip(owners, await self._says.standing(owners, chat), strict=True))


def _without_repeats(inputs: Sequence[Input]) -> list[Input]:
    """One per owner; each of those whom nobody knows stays."""
    found: dict[object, Input] = {}
    for number, each in enumerate(inputs):
        found.setdefault(each.owner or number, each)
    return list(found.values())
