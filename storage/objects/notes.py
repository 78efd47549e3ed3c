"""Notes of who was forgotten and what was withdrawn, beside the pixels: what a restored database does not know.

    notes/forgotten/<ms>.<person>            they were forgotten, with all that came up to that time
    notes/withdrawn/<ms>.<person>.<picture>  they took this picture back
    notes/restored/<ms>.<person>.<picture>   they have sent it anew since
    notes/receipts/<number>                  JSON: what was erased, and not whose it was

`<ms>` are milliseconds since the epoch, `<person>` is their ref in base64 (of the kind that file names may have), and
all that there is to know stands in the name: reading every note is one listing. Nothing is ever changed: the same note
is the same object, so that writing it again is harmless, in a folder as in any bucket.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final

import structlog

from bot.domain.refs import Sha256, UserRef, user_ref_of
from bot.ports import ForgetReceipt, Noted, Notes
from storage.objects.shelf import Shelf, open_shelf

_log = structlog.get_logger("notes")
_FOLDER: Final = "notes"
_RECEIPTS: Final = f"{_FOLDER}/receipts"
_KEPT: Final = b"1\n"
"""What stands in a note: the version of how its name is to be read."""


def notes(url: str, *, keep_s: float) -> ObstoreNotes:
    """The notes beside the images of that address."""
    return ObstoreNotes(open_shelf(url), keep_s=keep_s)


class ObstoreNotes:
    """See `bot.ports.NoteStore`. All methods raise `StoreUnavailable`."""

    def __init__(self, shelf: Shelf, *, keep_s: float, clock: Callable[[], float] = time.time) -> None:
        self._shelf = shelf
        self._keep_s = keep_s
        self._clock = clock

    async def forgotten(self, user: UserRef, before: float) -> None:
        await self._shelf.put(_path("forgotten", before, user), _KEPT)

    async def withdrawn(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        await self._each("withdrawn", owner, pictures)

    async def restored(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        await self._each("restored", owner, pictures)

    async def _each(self, what: str, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        now = self._clock()
        for picture in pictures:
            await self._shelf.put(_path(what, now, owner, picture), _KEPT)

    async def read(self) -> Notes:
        forgotten: dict[UserRef, float] = {}
        pictures: dict[tuple[UserRef, Sha256], tuple[float, bool]] = {}
        async for _, note in self._all():
            if note.what == "forgotten":
                forgotten[note.user] = max(forgotten.get(note.user, 0.0), note.at)
            else:
                known = pictures.get((note.user, note.picture), (0.0, False))
                # Of the same moment the withdrawal counts: it can be taken back once more, and the picture could not.
                pictures[note.user, note.picture] = max(known, (note.at, note.what == "withdrawn"))
        withdrawn: dict[UserRef, list[Sha256]] = {}
        for (owner, picture), (_, is_withdrawn) in sorted(pictures.items(), key=lambda each: each[1]):
            if is_withdrawn:
                withdrawn.setdefault(owner, []).append(picture)
        return Notes(forgotten, withdrawn)

    async def _all(self) -> AsyncGenerator[tuple[str, Noted]]:
        """With the path of each."""
        async for found in self._shelf.list(_FOLDER):
            if found.path.startswith(f"{_RECEIPTS}/"):
                continue
            try:
                yield found.path, _noted(found.path)
            except ValueError:
                _log.error("a note cannot be read", path=found.path)

    async def drop_old(self) -> int:
        """Notes and receipts that no back-up can be older than. Gives how many went."""
        oldest, gone = self._clock() - self._keep_s, 0
        old = [path async for path, note in self._all() if note.at < oldest]
        old += [found.path async for found in self._shelf.list(_RECEIPTS) if found.written_at < oldest]
        for path in old:
            await self._shelf.delete(path)
            gone += 1
        return gone

    async def keep_receipt(self, receipt: ForgetReceipt) -> None:
        """Without whose it is, and with the day alone: the time would tell it."""
        about = {
            "version": 1,
            "done": receipt.is_done,
            "day": time.strftime("%Y-%m-%d", time.gmtime(self._clock())),
            "edits": receipt.turns,
            "messages": len(receipt.messages),
            "pictures": len(receipt.pixels),
            "stories": receipt.stories,
        }
        await self._shelf.put(f"{_RECEIPTS}/{receipt.number}", json.dumps(about).encode())

    async def receipt(self, number: str) -> dict[str, object] | None:
        if not number.replace("-", "").isalnum() or not number.isascii():
            return None
        try:
            text = await self._shelf.get(f"{_RECEIPTS}/{number}")
        except KeyError:
            return None
        found: dict[str, object] = json.loads(text)
        return found


def _path(what: str, at: float, user: UserRef, *picture: str) -> str:
    person = base64.urlsafe_b64encode(user.key.encode()).decode().rstrip("=")
    return f"{_FOLDER}/{what}/" + ".".join([f"{round(at * 1000):013d}", person, *picture])


def _noted(path: str) -> Noted:
    _, what, name = path.split("/")
    at, person, *rest = name.split(".")
    padded = person + "=" * (-len(person) % 4)
    user = user_ref_of(base64.urlsafe_b64decode(padded).decode())
    if what not in ("forgotten", "withdrawn", "restored") or len(rest) != (what != "forgotten"):
        raise ValueError(path)
    return Noted(what, int(at) / 1000, user, Sha256("".join(rest)))
