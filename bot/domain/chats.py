"""A chat's own settings, and those of the server that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from bot.domain.access import Access
from bot.domain.consent import Policy
from bot.domain.labels import MARKED, Profile


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What people in a chat can turn off, and what those who run it decide.

    `suggestions`: next edits under each result. `questions`: the engine may ask back instead of guessing. `consent`:
    whose pictures may be edited; `profile`: how results are labelled, where that is stricter than what the installation
    has. None where nothing was decided here, and what is decided further up holds.
    """

    suggestions: bool = True
    questions: bool = True
    consent: Policy | None = None
    access: Access = field(default_factory=Access)
    profile: Profile | None = None


def with_mark(settings: ChatSettings, *, on: bool) -> ChatSettings:
    """With a mark in the pictures that AI makes, or without one. A rule that asks for it is not left by a switch:
    that takes another profile."""
    if on is (settings.profile in MARKED) or (not on and settings.profile is Profile.CN):
        return settings
    return replace(settings, profile=Profile.VISIBLE if on else None)


def keeps_mark(chosen: Profile | None, *, marks_always: bool) -> bool:
    """Whether the switch cannot take the mark away: the installation has it (`marks_always`), or a rule asks for it."""
    return marks_always or chosen is Profile.CN


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What those who run a server decide for all its chats. Money in millionths of a US dollar per day (UTC); None for
    what the installation allows. A server can only tighten that."""

    consent: Policy | None = None
    access: Access = field(default_factory=Access)
    person_day_microusd: int | None = None
    day_microusd: int | None = None


S = TypeVar("S", ChatSettings, ServerSettings, Access)


def changed_from(now: S, was: S, wanted: S) -> S:
    """What stands `now`, with what somebody changed who saw what `was` and `wanted` it otherwise. Of two who change
    the same thing at the same moment the last one has it; of a list, what each put on it or took off it holds."""
    changed: dict[str, Any] = {each.name: _changed(now, was, wanted, each.name) for each in fields(now)}
    return replace(now, **changed)


def _changed(now: object, was: object, wanted: object, name: str) -> object:
    stands, seen, new = getattr(now, name), getattr(was, name), getattr(wanted, name)
    either: object = stands if new == seen else new
    if isinstance(stands, Access):
        return changed_from(stands, seen, new)
    if isinstance(stands, tuple) and stands != seen:
        return _listed(now, was, wanted, name)
    return either


def _listed(now: object, was: object, wanted: object, name: str) -> tuple[str, ...]:
    stands: tuple[str, ...] = getattr(now, name)
    seen: tuple[str, ...] = getattr(was, name)
    new: tuple[str, ...] = getattr(wanted, name)
    kept = tuple(each for each in stands if each in new or each not in seen)
    return (*kept, *(each for each in new if each not in seen and each not in kept))
