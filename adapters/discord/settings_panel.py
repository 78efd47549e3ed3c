"""The settings as one message for one person: what it shows, and what each part of it changes.

Nothing is kept between two presses. A custom id's argument is "<page>.<thing>[.<value>]"; whoever presses must be
allowed to at that time. A list's value says what stood on it when it was shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import discord
from discord import ui

from adapters.discord.forms import dollars
from adapters.discord.where import Where
from bot.domain.access import Access
from bot.domain.buttons import ButtonId, Verb
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Policy, Standing
from bot.domain.refs import ServerRef, short_hash

MOST_CHOSEN = 25
"""Of people, roles or channels in one list. Discord's documentation, 2026-11."""

_UNSET = "unset"
_ON_OFF = ("on", "off")
_PEOPLE = ("allowed_people", "denied_people")
_ROLES = ("allowed_roles", "denied_roles")
_CHATS = ("allowed_chats", "denied_chats")
_LISTS = {
    "allowed_people": "Only these people may use me",
    "denied_people": "These people may not use me",
    "allowed_roles": "Only these roles may use me",
    "denied_roles": "These roles may not use me",
    "allowed_chats": "Only these channels are served",
    "denied_chats": "These channels are not served",
}
_STANDINGS = {
    Standing.UNSAID: "Ask me first",
    Standing.HERE: "Anyone in this chat may edit them",
    Standing.NEVER: "Nobody, ever, anywhere",
}
_POLICIES = {
    Policy.OFF: "Nobody's: only what I have drawn myself",
    Policy.OWN: "One's own, and my results",
    Policy.ASK: "Others', too, once their owner has said yes",
    Policy.ALL: "Everybody's, unless they have said never",
}


class Page(StrEnum):
    """Who or what is being set."""

    ME = "me"
    CHAT = "chat"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Part:
    """What was pressed: a thing on a page, with a value where the button has one."""

    page: Page
    thing: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """All that the panel can show to somebody in a chat. `bare` where it can't show what stands on the lists."""

    standing: Standing
    chat: ChatSettings
    server: ServerSettings
    bare: bool = False


def read_part(argument: str) -> Part | None:
    page, _, rest = argument.partition(".")
    thing, _, value = rest.partition(".")
    return Part(Page(page), thing, value) if page in set(Page) and thing else None


def may(page: Page, where: Where) -> bool:
    """Whether this person may set that, now."""
    match page:
        case Page.ME:
            return True
        case Page.CHAT:
            return where.manages_chat
        case Page.SERVER:
            return where.manages_server


# --- what a choice changes


def standing_of(values: Sequence[str]) -> Standing | None:
    chosen = next(iter(values), "")
    return Standing(chosen) if chosen in set(Standing) else None


def changed_chat(settings: ChatSettings, part: Part, values: Sequence[str]) -> ChatSettings | None:
    """The settings after that choice; None where it is none."""
    match part.thing:
        case "suggestions" if part.value in _ON_OFF:
            return replace(settings, suggestions=part.value == "on")
        case "questions" if part.value in _ON_OFF:
            return replace(settings, questions=part.value == "on")
        case "consent" if (policy := _policy_of(values)) is not None:
            return replace(settings, consent=policy[0])
        case thing if thing in (*_PEOPLE, *_ROLES):
            return replace(settings, access=_changed(settings.access, thing, values))
        case _:
            return None


def changed_server(settings: ServerSettings, part: Part, values: Sequence[str]) -> ServerSettings | None:
    """The settings after that choice; None where it is none."""
    match part.thing:
        case "consent" if (policy := _policy_of(values)) is not None:
            return replace(settings, consent=policy[0])
        case thing if thing in _LISTS:
            return replace(settings, access=_changed(settings.access, thing, values))
        case _:
            return None


def _policy_of(values: Sequence[str]) -> tuple[Policy | None] | None:
    chosen = next(iter(values), "")
    if chosen == _UNSET:
        return (None,)
    return (Policy(chosen),) if chosen in set(Policy) else None


def without_everyone(part: Part, values: Sequence[str], server: ServerRef | None) -> list[str]:
    """The role of everybody, which has the server's id, on a list would say nothing, or shut everybody out."""
    return [each for each in values if part.thing not in _ROLES or server is None or each != server.server]


def is_stale(access: Access, part: Part) -> bool:
    """Whether a list is another than the one in which somebody has just chosen: they would undo what they did not see.
    A choice in a list is sent as the whole of it."""
    return part.thing in _LISTS and part.value != _digest(getattr(access, part.thing))


def _digest(ids: Sequence[str]) -> str:
    return short_hash("list", *ids)[:8] if ids else ""


def _changed(access: Access, thing: str, values: Sequence[str]) -> Access:
    ids = tuple(each for each in values[:MOST_CHOSEN] if each.isascii() and each.isdigit())
    return replace(access, **{thing: ids})


# --- spending caps


def caps_now(part: Part) -> tuple[int | None, int | None]:
    """What the button says holds now: it opens a form, and nothing can be looked up before that."""
    person, _, everybody = part.value.partition(".")
    return _number(person), _number(everybody)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


# --- the panel


def panel(page: Page, where: Where, state: State, *, said: str = "") -> ui.LayoutView:
    """One page, and the way to the others that this person may see. `said` is about what was done last."""
    view = ui.LayoutView(timeout=None)
    pages = [each for each in Page if may(each, where)]
    if len(pages) > 1:
        view.add_item(_row(*(_page_button(each, current=page) for each in pages)))
    for item in _content(page, where, state):
        view.add_item(item)
    if said:
        view.add_item(ui.TextDisplay(f"-# {said}"))
    return view


def _content(page: Page, where: Where, state: State) -> list[ui.Item[Any]]:
    match page:
        case Page.ME:
            return _mine(state.standing)
        case Page.CHAT:
            return _chat(where, state)
        case Page.SERVER:
            return _server(state)


def _mine(standing: Standing) -> list[ui.Item[Any]]:
    options = _options(_STANDINGS, standing)
    return [
        ui.TextDisplay("### My pictures\nWho may edit pictures that you have posted? Your own edits always work."),
        _row(_select(Part(Page.ME, "standing"), options)),
    ]


def _chat(where: Where, state: State) -> list[ui.Item[Any]]:
    settings = state.chat
    toggles = [
        _toggle("suggestions", "Ideas under my results", on=settings.suggestions),
        _toggle("questions", "Asking back instead of guessing", on=settings.questions),
    ]
    if where.server is None:
        return [ui.TextDisplay("### This chat"), _row(*toggles)]
    return [
        ui.TextDisplay("### This channel\nWhose pictures may be edited here?"),
        _row(_select(Part(Page.CHAT, "consent"), _consent_options(settings.consent, "As in the whole server"))),
        _row(*toggles),
        ui.TextDisplay("Who may use me here? An empty list says nothing."),
        *_lists(Page.CHAT, settings.access, (*_PEOPLE, *_ROLES), bare=state.bare),
    ]


def _server(state: State) -> list[ui.Item[Any]]:
    settings = state.server
    caps = ButtonId(Verb.SETTINGS, None, _caps_argument(settings))
    button: ui.Button[Any] = ui.Button(label="Spending per day …", custom_id=str(caps))
    return [
        ui.TextDisplay("### The server\nWhose pictures may be edited, where a channel has not decided for itself?"),
        _row(_select(Part(Page.SERVER, "consent"), _consent_options(settings.consent, "As usual: ask the owner"))),
        ui.TextDisplay("Who may use me, and where? An empty list says nothing."),
        *_lists(Page.SERVER, settings.access, (*_PEOPLE, *_ROLES, *_CHATS), bare=state.bare),
        ui.TextDisplay(_caps_words(settings)),
        _row(button),
    ]


def _caps_argument(settings: ServerSettings) -> str:
    person, everybody = ("" if each is None else str(each) for each in _caps(settings))
    return f"{Page.SERVER.value}.caps.{person}.{everybody}"


def _caps_words(settings: ServerSettings) -> str:
    person, everybody = (f"${dollars(each)}" if each is not None else "no cap of its own" for each in _caps(settings))
    return f"Spending per day: each person {person}, everybody together {everybody}."


def _caps(settings: ServerSettings) -> tuple[int | None, int | None]:
    return settings.person_day_microusd, settings.day_microusd


def _page_button(page: Page, *, current: Page) -> ui.Button[Any]:
    names = {Page.ME: "My pictures", Page.CHAT: "This channel", Page.SERVER: "The server"}
    return ui.Button(
        label=names[page],
        style=discord.ButtonStyle.primary if page is current else discord.ButtonStyle.secondary,
        custom_id=_custom_id(Part(page, "page")),
    )


def _toggle(thing: str, label: str, *, on: bool) -> ui.Button[Any]:
    state, other = ("on", "off") if on else ("off", "on")
    return ui.Button(
        label=f"{label}: {state}",
        style=discord.ButtonStyle.success if on else discord.ButtonStyle.secondary,
        custom_id=_custom_id(Part(Page.CHAT, thing, other)),
    )


def _lists(page: Page, access: Access, things: Sequence[str], *, bare: bool) -> list[ui.Item[Any]]:
    items: list[ui.Item[Any]] = []
    for thing in things:
        chosen: tuple[str, ...] = getattr(access, thing)
        items.append(ui.TextDisplay(f"-# {_LISTS[thing]}"))
        items.append(_row(_list(Part(page, thing, _digest(chosen)), () if bare else chosen[:MOST_CHOSEN])))
    return items


def _list(part: Part, chosen: Sequence[str]) -> ui.Item[Any]:
    kinds = discord.SelectDefaultValueType
    given: dict[str, Any] = {"custom_id": _custom_id(part), "min_values": 0, "max_values": MOST_CHOSEN}

    def chosen_as(kind: discord.SelectDefaultValueType) -> list[discord.SelectDefaultValue]:
        return [discord.SelectDefaultValue(id=int(each), type=kind) for each in chosen]

    if part.thing in _PEOPLE:
        people: ui.UserSelect[Any] = ui.UserSelect(default_values=chosen_as(kinds.user), **given)
        return people
    if part.thing in _ROLES:
        roles: ui.RoleSelect[Any] = ui.RoleSelect(default_values=chosen_as(kinds.role), **given)
        return roles
    channels: ui.ChannelSelect[Any] = ui.ChannelSelect(default_values=chosen_as(kinds.channel), **given)
    return channels


def _consent_options(policy: Policy | None, usual: str) -> list[discord.SelectOption]:
    unset = discord.SelectOption(label=usual, value=_UNSET, default=policy is None)
    return [unset, *_options(_POLICIES, policy)]


def _options(words: Mapping[Any, str], chosen: object) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label=said, value=str(value), default=value == chosen) for value, said in words.items()
    ]


def _select(part: Part, options: list[discord.SelectOption]) -> ui.Select[Any]:
    return ui.Select(custom_id=_custom_id(part), options=options)


def _row(*items: ui.Item[Any]) -> ui.ActionRow[Any]:
    row: ui.ActionRow[Any] = ui.ActionRow()
    for item in items:
        row.add_item(item)
    return row


def _custom_id(part: Part) -> str:
    argument = ".".join(each for each in (part.page.value, part.thing, part.value) if each)
    return str(ButtonId(Verb.SETTINGS, None, argument))
