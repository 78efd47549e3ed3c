"""Who may edit whose picture: policy × owner × kind of picture, through the real hall, as a table.

The same table stands in docs/consent.md; `python -m tests.e2e.test_consent_matrix` writes it there.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
import redis
from PIL import Image

from bot.domain.chats import ChatSettings
from bot.domain.consent import Policy, Standing
from bot.domain.messages import NOBODY, Quoted, Received
from bot.domain.refs import ChatRef, Person, UserRef
from bot.domain.turns import Hold, TurnState, TurnStatus
from bot.engines.exact import ExactEngine
from tests.rig import Rig, living_in

OWNERS = {
    "asker": "the asker",
    "other": "somebody else",
    "here": "somebody else who said *always here*",
    "never": "somebody else who said *never*",
    "nobody": "nobody knows",
    "forgotten": "somebody else who was forgotten",
}
KINDS = {
    "sent": "photo sent along",
    "replied": "photo replied to",
    "forwarded": "forwarded photo or portrait",
    "album": "one of an album replied to",
    "result": "result that grew from it",
    "second": "result of that result",
    "tree": "picture of a tree",
    "compare": "`/compare` of it and its result",
}
TABLE = """
              off      own      ask      all
asker
  sent        refused  allowed  allowed  allowed
  replied     refused  allowed  allowed  allowed
  forwarded   refused  allowed  allowed  allowed
  album       refused  allowed  allowed  allowed
  result      refused  allowed  allowed  allowed
  second      refused  allowed  allowed  allowed
  tree        refused  allowed  allowed  allowed
  compare     refused  allowed  allowed  allowed
other
  replied     refused  refused  asked    allowed
  forwarded   refused  refused  asked    allowed
  album       refused  refused  asked    allowed
  result      refused  allowed  allowed  allowed
  second      refused  allowed  allowed  allowed
  tree        refused  allowed  allowed  allowed
  compare     refused  refused  asked    allowed
here
  replied     refused  refused  allowed  allowed
  forwarded   refused  refused  allowed  allowed
  album       refused  refused  allowed  allowed
  result      refused  allowed  allowed  allowed
  second      refused  allowed  allowed  allowed
  tree        refused  allowed  allowed  allowed
  compare     refused  refused  allowed  allowed
never
  replied     refused  refused  refused  refused
  forwarded   refused  refused  refused  refused
  album       refused  refused  refused  refused
  result      refused  refused  refused  refused
  second      refused  refused  refused  refused
  tree        refused  refused  refused  refused
  compare     refused  refused  refused  refused
nobody
  replied     refused  refused  refused  allowed
  forwarded   refused  refused  refused  allowed
  album       refused  refused  refused  allowed
  result      refused  allowed  allowed  allowed
  second      refused  allowed  allowed  allowed
  tree        refused  allowed  allowed  allowed
  compare     refused  refused  refused  allowed
forgotten
  replied     refused  refused  asked    allowed
  forwarded   refused  refused  asked    allowed
  album       refused  refused  asked    allowed
  result      refused  refused  refused  refused
  second      refused  refused  refused  refused
  tree        refused  refused  refused  refused
  compare     refused  refused  refused  refused
"""


def rows_of(table: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """By owner and kind: what is said under each policy, in the order of `Policy`."""
    rows: dict[tuple[str, str], tuple[str, ...]] = {}
    owner = ""
    head, *lines = table.strip("\n").splitlines()
    assert head.split() == [policy.value for policy in Policy]
    for line in lines:
        first, *verdicts = line.split()
        if not verdicts:
            owner = first
            continue
        rows[owner, first] = tuple(verdicts)
    return rows


ROWS = rows_of(TABLE)


def in_words(rows: Mapping[tuple[str, str], tuple[str, ...]]) -> str:
    """The table for docs/consent.md."""
    lines = ["| whose | which picture | off | own | ask | all |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {OWNERS[owner]} | {KINDS[kind]} | {' | '.join(said)} |" for (owner, kind), said in rows.items()]
    return "\n".join(lines)


# --- one case


def _photo(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (240, 160), (shade, 90, 40)).save(file, "PNG")
    return file.getvalue()


PHOTO, BESIDE = _photo(200), _photo(20)
numbers = itertools.count(1)


@dataclass
class Case:
    """A chat of its own, with its own asker and its own owner: what one says holds in no other case."""

    rig: Rig
    chat: ChatRef
    asker: UserRef
    owner: UserRef | None
    index: int | None = None

    async def photo(self, *more: bytes) -> Quoted:
        """In the chat; it was not sent to us."""
        return await self.rig.quotes(self.owner, [PHOTO, *more], chat=self.chat)

    async def edit(self, photo: Quoted, words: str = "make it grey") -> Received:
        return await self.rig.says(
            words, reply_to=photo.ref, quoted=photo, author=self.asker, chat=self.chat, index=self.index
        )

    async def follow(self, result: Received, words: str) -> Received:
        return await self.rig.says(words, reply_to=result, author=self.asker, chat=self.chat)

    async def grown(self) -> Received:
        """A result of the photo, by the asker, from when nobody had to be asked."""
        result = await self.edit(await self.photo())
        assert (await self.rig.sees(result)).state is TurnState.DONE
        return result

    async def forward(self) -> Received:
        message = await self.rig.message("make it grey", [PHOTO], author=self.asker, chat=self.chat)
        whose = NOBODY if self.owner is None else Person(self.owner, "Olga")
        theirs = tuple(replace(each, owner=whose) for each in message.attachments)
        return await self.rig.house.hall.receive(replace(message, attachments=theirs))


Last = Callable[[], Awaitable[Received]]


async def _prepared(case: Case, kind: str) -> Last:
    """What came before; gives the step that is judged."""
    match kind:
        case "sent":
            return lambda: case.rig.says("make it grey", [PHOTO], author=case.asker, chat=case.chat)
        case "replied":
            photo = await case.photo()
            return lambda: case.edit(photo)
        case "forwarded":
            return case.forward
        case "album":
            case.index = 0
            several = await case.photo(BESIDE)
            return lambda: case.edit(several)
        case "result":
            first = await case.grown()
            return lambda: case.follow(first, "rotate 90 degrees")
        case "second":
            second = await case.follow(await case.grown(), "rotate 90 degrees")
            await case.rig.sees(second)
            return lambda: case.follow(second, "make it sepia")
        case "tree":
            tree = await case.follow(await case.grown(), "/tree")
            await case.rig.sees(tree)
            return lambda: case.follow(tree, "from 1: make it sepia")
        case _:
            result = await case.grown()
            return lambda: case.follow(result, "/compare")


async def verdict(rig: Rig, policy: Policy, owner: str, kind: str) -> str:
    number = next(numbers)
    asker, other = UserRef("web", f"asker-{number}"), UserRef("web", f"owner-{number}")
    whose = {"asker": asker, "nobody": None}.get(owner, other)
    case = Case(rig, ChatRef("web", "page", f"chat-{number}"), asker, whose)
    await rig.house.reception.change_chat(case.chat, ChatSettings(consent=Policy.ALL))
    last = await _prepared(case, kind)
    match owner:
        case "here":
            await rig.house.reception.stand(other, case.chat, Standing.HERE)
        case "never":
            await rig.house.reception.stand(other, case.chat, Standing.NEVER)
        case "forgotten":
            await rig.house.forget(other)
        case _:
            pass
    await rig.house.reception.change_chat(case.chat, ChatSettings(consent=policy))
    return _said(await _settled(rig, await last()))


async def _settled(rig: Rig, received: Received) -> TurnStatus:
    while True:
        status = await rig.house.turns.load(received.turn)
        if status is not None and (status.outcome is not None or Hold.CONSENT in status.holds):
            return status
        await asyncio.sleep(0.005)


def _said(status: TurnStatus) -> str:
    if Hold.CONSENT in status.holds:
        return "asked"
    return {TurnState.DONE: "allowed", TurnState.REFUSED: "refused"}.get(status.state, status.state.value)


# --- the table


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(valkey_socket: Path) -> AsyncIterator[Rig]:
    folder = Path(tempfile.mkdtemp(prefix="remixbot-matrix-"))
    with redis.Redis(unix_socket_path=str(valkey_socket), db=0) as client:
        client.flushdb()  # the one that no other test has
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        url = f"unix://{valkey_socket}?db=0"
        yield await stack.enter_async_context(living_in(url, folder, {"exact": ExactEngine()}))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("owner", "kind"), list(ROWS))
async def test_whose_picture_may_be_edited(house: Rig, owner: str, kind: str) -> None:
    async with asyncio.timeout(20):
        found = await asyncio.gather(*(verdict(house, policy, owner, kind) for policy in Policy))
    assert tuple(found) == ROWS[owner, kind]


DOCUMENT = Path(__file__).parents[2] / "docs" / "consent.md"
BEGIN, END = "<!-- table -->\n", "\n<!-- end of table -->"


def test_the_table_in_the_documents_is_this_one() -> None:
    stands = DOCUMENT.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert stands == in_words(ROWS)


def test_every_owner_and_kind_of_picture_stands_in_the_table() -> None:
    others = [(owner, kind) for owner in OWNERS for kind in KINDS if (owner, kind) in ROWS or kind != "sent"]
    assert sorted(others) == sorted(ROWS)


if __name__ == "__main__":
    text = DOCUMENT.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}{in_words(ROWS)}{END}{rest.partition(END)[2]}", "utf-8")
