"""Notes of who was forgotten, what was withdrawn and what people said of their pictures, beside the pixels: what a
restored database does not know.

    notes/forgotten/<ms>.<person>            they were forgotten, with all that came up to that time
    notes/withdrawn/<ms>.<person>.<picture>  they took this picture back
    notes/restored/<ms>.<person>.<picture>   they have sent it anew since
    notes/said/<ms>.<person>.<what>[.<chat>] `never`, `here` or `unsaid`: to be asked, in that chat or everywhere
    notes/receipts/<number>                  JSON: what was erased, and not whose it was

`<ms>` are milliseconds since the epoch, `<person>` is their ref in base64 (of the kind that file names may have),
`<chat>` a hash, and all that there is to know stands in the name: reading every note is one listing. Nothing is ever
changed: the same note is the same object, so that writing it again is harmless, in a folder as in any bucket.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Final

import structlog

from bot.domain.consent import LastSaid, Standing, mark_of
from bot.domain.refs import ChatRef, Sha256, UserRef, user_ref_of
from bot.ports import ForgetReceipt, Noted, Notes
from storage.objects.shelf import Shelf, open_shelf

_log = structlog.get_logger("notes")
_FOLDER: Final = "notes"
_RECEIPTS: Final = f"{_FOLDER}/receipts"
_PARTS: Final = {"forgotten": (0,), "withdrawn": (1,), "restored": (1,), "said": (1, 2)}
"""How many parts the name of each kind of note has after the person."""
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

    async def said(self, owner: UserRef, standing: Standing, chat: ChatRef | None, *, at: float) -> None:
        # "Never" holds everywhere, and a "here" is not given back: it is noted as what took back a "never".
        where = [mark_of(chat.key)] if chat is not None and standing is Standing.UNSAID else []
        await self._shelf.put(_path("said", at, owner, standing.value, *where), _KEPT)

    async def unsay(self, owner: UserRef, before: float) -> None:
        said = [(path, note) async for path, note in self._all(f"{_FOLDER}/said") if note.user == owner]
        meant = _meant([note for _, note in said], before)
        # The oldest first: a "never" that was taken back does not outlive what took it back.
        for path, note in sorted(said, key=lambda each: each[1].at):
            if note not in meant:
                await self._shelf.delete(path)

    async def read(self) -> Notes:
        forgotten: dict[UserRef, float] = {}
        pictures: dict[tuple[UserRef, str], tuple[float, bool]] = {}
        said: dict[UserRef, list[Noted]] = {}
        async for _, note in self._all():
            if note.what == "forgotten":
                forgotten[note.user] = max(forgotten.get(note.user, 0.0), note.at)
            elif note.what == "said":
                said.setdefault(note.user, []).append(note)
            else:
                known = pictures.get((note.user, note.of[0]), (0.0, False))
                # Of the same moment the withdrawal counts: it can be taken back once more, and the picture could not.
                pictures[note.user, note.of[0]] = max(known, (note.at, note.what == "withdrawn"))
        withdrawn: dict[UserRef, list[Sha256]] = {}
        for (owner, picture), (_, is_withdrawn) in sorted(pictures.items(), key=lambda each: each[1]):
            if is_withdrawn:
                withdrawn.setdefault(owner, []).append(Sha256(picture))
        return Notes(forgotten, withdrawn, {user: _last_said(every) for user, every in said.items()})

    async def _all(self, folder: str = _FOLDER) -> AsyncGenerator[tuple[str, Noted]]:
        """With the path of each."""
        async for found in self._shelf.list(folder):
            if found.path.startswith(f"{_RECEIPTS}/"):
                continue
            try:
                yield found.path, _noted(found.path)
            except ValueError:
                _log.error("a note cannot be read", path=found.path)

    async def drop_old(self) -> int:
        """Notes and receipts that no back-up can be older than, and what people said before they said something else.
        Gives how many went."""
        oldest, gone = self._clock() - self._keep_s, 0
        every = sorted([each async for each in self._all()], key=lambda each: each[1].at)
        meant = _meant_of_all([note for _, note in every])
        old = [path for path, note in every if note.at < oldest or (note.what == "said" and note not in meant)]
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


def _path(what: str, at: float, user: UserRef, *of: str) -> str:
    person = base64.urlsafe_b64encode(user.key.encode()).decode().rstrip("=")
    return f"{_FOLDER}/{what}/" + ".".join([f"{round(at * 1000):013d}", person, *of])


def _noted(path: str) -> Noted:
    _, what, name = path.split("/")
    at, person, *rest = name.split(".")
    padded = person + "=" * (-len(person) % 4)
    user = user_ref_of(base64.urlsafe_b64decode(padded).decode())
    if len(rest) not in _PARTS.get(what, ()) or (what == "said" and not _is_said(rest)):
        raise ValueError(path)
    return Noted(what, int(at) / 1000, user, tuple(rest))


def _is_said(rest: Sequence[str]) -> bool:
    return rest[0] in set(Standing) and (len(rest) == 1 or rest[0] == Standing.UNSAID)


def _last_said(every: Iterable[Noted]) -> LastSaid:
    last: dict[tuple[str, ...], float] = {}
    for note in every:
        last[note.of] = max(last.get(note.of, 0.0), note.at)
    return LastSaid(
        never=last.get((Standing.NEVER,), 0.0),
        here=last.get((Standing.HERE,), 0.0),
        everywhere=last.get((Standing.UNSAID,), 0.0),
        asked={of[1]: at for of, at in last.items() if len(of) > 1},
    )


def _meant_of_all(every: Iterable[Noted]) -> frozenset[Noted]:
    forgotten: dict[UserRef, float] = {}
    said: dict[UserRef, list[Noted]] = {}
    for note in every:
        if note.what == "forgotten":
            forgotten[note.user] = max(forgotten.get(note.user, 0.0), note.at)
        elif note.what == "said":
            said.setdefault(note.user, []).append(note)
    return frozenset(note for user, notes in said.items() for note in _meant(notes, forgotten.get(user, 0.0)))


def _meant(said: Sequence[Noted], forgotten: float) -> frozenset[Noted]:
    """Of what one person said, what still means something: the last word of each kind, none that is older than one for
    every chat, and of what was said before they were `forgotten` only a "never" that held then."""
    then = _last_said(note for note in said if note.at <= forgotten)
    held = (then.never, (str(Standing.NEVER),)) if then.is_never else None
    left = [note for note in said if note.at > forgotten or (note.at, note.of) == held]
    now = _last_said(left)
    latest = {note.of: note for note in sorted(left, key=lambda each: each.at)}
    return frozenset(note for note in latest.values() if note.at >= max(now.never, now.everywhere))
