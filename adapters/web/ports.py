"""What the page needs from the world beside `bot.ports`, as Protocols.

A stored message is a mapping of text to text, so that a store needs to know no more than two of its fields: `final`
("1" once an answer will not change any more) and `gone` ("1" where it was taken away). `adapters.web.records` says
what the others mean.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from bot.domain.refs import Sha256, ThreadId

Record = Mapping[str, str]
"""One message as it is kept. Unknown fields are kept."""


class UploadSpool(Protocol):
    """Files as they came from a person, unchecked, until the hall has fetched them."""

    async def put(self, handle: str, data: bytes) -> None: ...

    async def get(self, handle: str) -> bytes:
        """Raises `KeyError` when there is none."""
        ...

    async def delete(self, handle: str) -> None:
        """Deleting what is not there is harmless."""
        ...

    def list(self) -> AsyncIterator[tuple[str, float]]:
        """Every handle with the time of its last write, in seconds since the epoch."""
        ...


class PageStore(Protocol):
    """The page's own memory: what stands in its chats, who may see which image, who is signed in.

    Nothing crosses chats: a message or an image of another chat is not there.
    """

    async def append(self, chat: str, message: str, record: Record, *, thread: ThreadId | None = None) -> Record:
        """Add a message at the end of a chat, unless it stands there already; gives what stands.

        `thread` also files it under a thread. A message that was taken away stays away (its record has `gone`).
        """
        ...

    async def replace(
        self,
        chat: str,
        message: str,
        record: Record,
        *,
        images: Mapping[Sha256, str] | None = None,
        quiet: bool = False,
    ) -> bool:
        """Set these fields of a message; the others stay. False, and nothing changes, when it is not there or gone, or
        when it is final and the new fields are not.

        `images` (name → media type) become all that this message lets the chat see. Whoever follows the chat
        hears of it, unless `quiet`.
        """
        ...

    async def remove(self, chat: str, messages: Sequence[str]) -> None:
        """Take messages away, and their images from the chat's sight unless another message shows them too."""
        ...

    async def find(self, chat: str, messages: Sequence[str]) -> Sequence[Record | None]:
        """In the order asked; None for what is not there or gone."""
        ...

    async def page(self, chat: str, *, before: str | None, limit: int) -> tuple[str, Sequence[Record]]:
        """The last `limit` messages (before the message `before`, if given), oldest first, and the id of the chat's
        last event at that moment."""
        ...

    async def thread(self, chat: str, thread: ThreadId) -> Sequence[Record]:
        """The messages filed under a thread, oldest first."""
        ...

    async def image(self, chat: str, sha256: Sha256) -> str | None:
        """The media type of an image that this chat may see; None for any other."""
        ...

    async def events(self, chat: str, *, after: str, wait_s: float) -> Sequence[tuple[str, str]]:
        """What happened after the event `after`, as (event id, message id), oldest first. Waits up to `wait_s` for the
        first. Raises `LookupError` when some of it is forgotten: the chat must be read anew."""
        ...

    async def follow(self) -> None:
        """Listen for what other processes write, until cancelled. Without it `events` is late, but misses nothing."""
        ...

    async def open_session(self, session: str, fields: Mapping[str, str]) -> None:
        """Keep who is signed in, for 30 days. `person` is the field that says whose session it is."""
        ...

    async def session(self, session: str) -> Mapping[str, str] | None: ...

    async def close_session(self, session: str) -> None: ...

    async def forget_person(self, person: str) -> None:
        """Close all sessions of this person, so that nothing of them is left."""
        ...

    async def count_try(self, address: str, *, right: bool, per_address: int, total: int, window_s: int) -> int:
        """Count a try at the password, if it was wrong. Gives 0, or the seconds to wait when there were more than
        `per_address` wrong ones from this address, or `total` from everywhere, within `window_s`."""
        ...

    async def count_guest(self, address: str, *, limit: int, window_s: int) -> int:
        """Count somebody who signs in without a name. Gives 0, or the seconds to wait when there were more than `limit`
        from this address within `window_s`."""
        ...

    async def salt(self) -> str:
        """A secret of this store, the same each time. It outlives what was signed in and sent with it."""
        ...
