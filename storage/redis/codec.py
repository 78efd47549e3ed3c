"""Values to JSON and back. Fields that a newer version wrote are passed over when read, and kept when rewritten."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from bot.domain.cast import Member
from bot.domain.changes import Change
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.images import ImageFacts
from bot.domain.invitations import Invitation
from bot.domain.messages import InboundMessage, MessageRecord, Shown
from bot.domain.people import Entry
from bot.domain.recipes import Recipe
from bot.domain.refs import Person
from bot.domain.sharing import Share
from bot.domain.turns import Outcome, Turn
from bot.ports import Heard, Retirement

T = TypeVar("T")


class Codec(Generic[T]):
    """JSON of one type."""

    def __init__(self, type_: Any) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(type_)
        self._known = frozenset(each.name for each in fields(type_)) if is_dataclass(type_) else frozenset[str]()

    def dump(self, value: T) -> str:
        try:
            return self._adapter.dump_json(value).decode()
        except PydanticSerializationError:
            # Half of a letter, as JSON can bring it. It must not keep whoever wrote it, and all behind them, waiting.
            return json.dumps(_with_whole_letters(self._adapter.dump_python(value, mode="json")), ensure_ascii=False)

    def load(self, text: str | bytes) -> T:
        return self._adapter.validate_json(text)

    def rewrite(self, text: str, value: T) -> str:
        """`value` as JSON, with the fields of `text` that this version does not know."""
        return json.dumps({**json.loads(text), **json.loads(self.dump(value))}, separators=(",", ":"))

    def unknown(self, text: str) -> str:
        """The fields of `text` that this version does not know, as JSON; empty where it knows them all. For `rewrite`
        where the text is not at hand later."""
        found: dict[str, Any] = json.loads(text)
        left = {name: value for name, value in found.items() if name not in self._known}
        return json.dumps(left) if left else ""


def _with_whole_letters(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            rows: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
            return {_with_whole_letters(key): _with_whole_letters(each) for key, each in rows.items()}
        case list() | tuple():
            entries: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            return [_with_whole_letters(each) for each in entries]
        case _:
            return value


TURN: Codec[Turn] = Codec(Turn)
OUTCOME: Codec[Outcome] = Codec(Outcome)
INBOUND: Codec[InboundMessage] = Codec(InboundMessage)
RECORD: Codec[MessageRecord] = Codec(MessageRecord)
FACTS: Codec[ImageFacts] = Codec(ImageFacts)
SOURCES: Codec[tuple[ImageFacts, ...]] = Codec(tuple[ImageFacts, ...])
OWNERS: Codec[tuple[Person | None, ...]] = Codec(tuple[Person | None, ...])
HELD: Codec[tuple[ImageFacts, Person | None]] = Codec(tuple[ImageFacts, Person | None])
SHOWS: Codec[tuple[Shown, ...]] = Codec(tuple[Shown, ...])
HEARD: Codec[Heard] = Codec(Heard)
SETTINGS: Codec[ChatSettings] = Codec(ChatSettings)
SERVER_SETTINGS: Codec[ServerSettings] = Codec(ServerSettings)
RECIPE: Codec[Recipe] = Codec(Recipe)
MEMBER: Codec[Member] = Codec(Member)
SHARE: Codec[Share] = Codec(Share)
RETIREMENT: Codec[Retirement] = Codec(Retirement)
ENTRY: Codec[Entry] = Codec(Entry)
INVITATION: Codec[Invitation] = Codec(Invitation)
CHANGE: Codec[Change] = Codec(Change)
