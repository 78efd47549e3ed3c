"""Values to JSON and back. Fields that a newer version wrote, at any depth, are passed over when read, and kept when
rewritten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any, Final, Generic, TypeVar, get_origin

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
K = TypeVar("K")
_NAMES: Final = frozenset(
    {"id", "sha256", "user", "chat", "message", "turn", "from_turn", "author", "instruction", "words", "handle", "url"}
)
"""What a thing inside a record is known by: where one of these differs it is another one."""


class Codec(Generic[T]):
    """JSON of one type."""

    def __init__(self, type_: Any) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(type_)

    def dump(self, value: T) -> str:
        try:
            return self._adapter.dump_json(value).decode()
        except PydanticSerializationError:
            # Half of a letter, as JSON can bring it. It must not keep whoever wrote it, and all behind them, waiting.
            return json.dumps(_with_whole_letters(self._adapter.dump_python(value, mode="json")), ensure_ascii=False)

    def load(self, text: str | bytes) -> T:
        return self._adapter.validate_json(text)

    def rewrite(self, text: str, value: T, *, erasing: bool = False) -> str:
        """`value` as JSON, with the fields of `text` that this version does not know: the record's own, and those of
        all in it that is still the same thing. `erasing` where something was taken out: a thing in it that changed by
        that may tell the same in a field that is not known, so of such a thing only what is known stays."""
        found, new = json.loads(text), json.loads(self.dump(value))
        merged = _merged(found, self._known(text), new, erasing=erasing, whole=True)
        return json.dumps(merged, separators=(",", ":"))

    def newer(self, text: str) -> str:
        """The text where it has fields that this version does not know, else empty. For `rewrite` where it is not at
        hand later."""
        return text if _has_more(json.loads(text), self._known(text)) else ""

    def _known(self, text: str) -> Any:
        return json.loads(self.dump(self.load(text)))


def _has_more(found: Any, known: Any) -> bool:
    if are := _both(dict[str, Any], found, known):
        return any(name not in are[1] or _has_more(each, are[1][name]) for name, each in are[0].items())
    if rows := _both(list[Any], found, known):
        return any(map(_has_more, *rows))
    return False


def _merged(found: Any, known: Any, new: Any, *, erasing: bool, whole: bool = False) -> Any:
    """`new` with what is in `found` and not in `known`, which is all that this version knows of it. `whole` for the
    record itself, which is the same whatever changed in it."""
    if known == new:
        return found
    if things := _both(dict[str, Any], found, known, new):
        if known.keys() != new.keys() or (not whole and _is_another(known, new)):
            return new
        stood, was, _ = things
        own = {name: value for name, value in stood.items() if name not in was} if whole or not erasing else {}
        # A field that an older version did not write is not found: it has its default.
        rest = {name: (stood.get(name, value), value, new[name]) for name, value in was.items()}
        return {**own, **{name: _merged(*each, erasing=erasing) for name, each in rest.items()}}
    if (rows := _both(list[Any], found, known, new)) and len(rows[0]) == len(rows[1]):
        return _merged_lists(*rows, erasing=erasing)
    return new


def _merged_lists(found: list[Any], known: list[Any], new: list[Any], *, erasing: bool) -> list[Any]:
    """What stayed as it was is found wherever it stands now; what changed, where as many things stand in its place."""
    merged: list[Any] = []
    was, will_be = ([json.dumps(each) for each in rows] for rows in (known, new))
    for _, i, i_end, j, j_end in SequenceMatcher(None, was, will_be, autojunk=False).get_opcodes():
        if i_end - i == j_end - j:
            pairs = zip(found[i:i_end], known[i:i_end], new[j:j_end], strict=True)
            merged += [_merged(*each, erasing=erasing) for each in pairs]
        else:
            merged += new[j:j_end]
    return merged


def _is_another(known: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether this is another thing now, not the same that changed. Both have the same fields."""
    for name, value in known.items():
        both = _both(dict[str, Any], value, new[name])
        if both and both[0].keys() == both[1].keys():
            if _is_another(*both):
                return True
        elif name in _NAMES and value != new[name]:
            return True
    return False


def _both(kind: type[K], *values: Any) -> tuple[K, ...]:
    """The values, where all are of this kind; else none."""
    is_one = get_origin(kind) or kind
    return values if all(isinstance(each, is_one) for each in values) else ()


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
