"""What a chat can show, together with how it wants results labelled: the one place where the two meet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.labels import Profile, is_strictest, profile_in
from bot.domain.messages import Answer, Attachment, ChatCapabilities, InboundMessage, Rendition
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef
from bot.ports import ChatStore, Platform


class Profiles:
    """The profile that holds in each chat: its own, where that is stricter than the installation's."""

    def __init__(self, chats: ChatStore, installation: Profile) -> None:
        self._chats = chats
        self.installation = installation

    async def of(self, chat: ChatRef) -> Profile:
        if is_strictest(self.installation):
            return self.installation
        return profile_in(self.installation, (await self._chats.settings(chat)).profile)

    def shown(self, chosen: Profile | None) -> Profile | None:
        """What holds in a chat that has chosen this, as its settings show it; None for nothing beyond the usual."""
        holds = profile_in(self.installation, chosen)
        return None if holds is Profile.DEFAULT else holds

    def kept(self, chosen: Profile | None) -> Profile | None:
        """What of this is the chat's own choice."""
        return None if profile_in(self.installation, chosen) is self.installation else chosen


class ProfiledPlatform:
    """A platform as the core sees it (`bot.ports.Platform`): what its chats can show has their profile in it."""

    def __init__(self, platform: Platform, profiles: Profiles) -> None:
        self.name = platform.name
        self._platform = platform
        self._profiles = profiles

    async def capabilities(self, chat: ChatRef) -> ChatCapabilities:
        # Side by side: the profile takes no time of its own.
        shown, profile = await asyncio.gather(self._platform.capabilities(chat), self._profiles.of(chat))
        return shown if shown.profile is profile else replace(shown, profile=profile)

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        return await self._platform.fetch(attachment, max_bytes=max_bytes)

    async def reserve(self, message: InboundMessage, turn: TurnId) -> MessageRef:
        return await self._platform.reserve(message, turn)

    async def fill(self, reply: MessageRef, answer: Answer) -> None:
        await self._platform.fill(reply, answer)

    async def call(self, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        await self._platform.call(reply, person, words, key=key)

    async def call_off(self, reply: MessageRef, *, key: str) -> None:
        await self._platform.call_off(reply, key=key)

    async def show_sources(self, message: MessageRef, pictures: Sequence[Rendition]) -> None:
        await self._platform.show_sources(message, pictures)

    async def done(self, message: InboundMessage) -> None:
        await self._platform.done(message)

    async def forget(self, user: UserRef) -> None:
        await self._platform.forget(user)

    async def retract(self, ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:
        await self._platform.retract(ours, theirs)
