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

from adapters.discord import limits
from adapters.discord.forms import dollars
from adapters.discord.where import Where
from bot.domain.access import Access
from bot.domain.buttons import ButtonId, Verb
from bot.domain.chats import ChatSettings, ServerSettings, keeps_mark, with_mark
from bot.domain.consent import Policy, Standing
from bot.domain.labels import MARKED
from bot.domain.language import N_, tr
from bot.domain.refs import ServerRef, short_hash
from bot.domain.utf16 import cut

MOST_CHOSEN = 25
"""Of people, roles or channels in one list. Discord's documentation, 2026-11."""

_UNSET = "unset"
_ON_OFF = ("on", "off")
_PEOPLE = ("allowed_people", "denied_people")
_ROLES = ("allowed_roles", "denied_roles")
_CHATS = ("allowed_chats", "denied_chats")
_LISTS = {
    # TRANSLATORS: above a list of people, roles or channels to choose
    "allowed_people": N_("Only these people may use me"),
    # TRANSLATORS: above a list of people, roles or channels to choose
    "denied_people": N_("These people may not use me"),
    # TRANSLATORS: above a list of people, roles or channels to choose
    "allowed_roles": N_("Only these roles may use me"),
    # TRANSLATORS: above a list of people, roles or channels to choose
    "denied_roles": N_("These roles may not use me"),
    # TRANSLATORS: above a list of people, roles or channels to choose
    "allowed_chats": N_("Only these channels are served"),
    # TRANSLATORS: above a list of people, roles or channels to choose
    "denied_chats": N_("These channels are not served"),
}
_STANDINGS = {
    # TRANSLATORS: a choice in a list, to “Who may edit pictures that you have posted?”, at most 100 characters
    Standing.UNSAID: N_("Ask me first"),
    # TRANSLATORS: a choice in a list, to “Who may edit pictures that you have posted?”, at most 100 characters
    Standing.HERE: N_("Anyone in this chat may edit them"),
    # TRANSLATORS: a choice in a list, to “Who may edit pictures that you have posted?”, at most 100 characters
    Standing.NEVER: N_("Nobody, ever, anywhere"),
}
_POLICIES = {
    # TRANSLATORS: a choice in a list, to “Whose pictures may be edited here?”, at most 100 characters
    Policy.OFF: N_("Nobody's: only what I have drawn myself"),
    # TRANSLATORS: a choice in a list, to “Whose pictures may be edited here?”, at most 100 characters
    Policy.OWN: N_("One's own, and my results"),
    # TRANSLATORS: a choice in a list, to “Whose pictures may be edited here?”, at most 100 characters
    Policy.ASK: N_("Others', too, once their owner has said yes"),
    # TRANSLATORS: a choice in a list, to “Whose pictures may be edited here?”, at most 100 characters
    Policy.ALL: N_("Everybody's, unless they have said never"),
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
    marks_always: bool = False
    """The installation has a mark in AI's pictures: no chat can leave it out."""


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
        case "mark" if part.value in _ON_OFF:
            return with_mark(settings, on=part.value == "on")
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
        # TRANSLATORS: "### " makes a heading of the first line
        ui.TextDisplay(tr("### My pictures\nWho may edit pictures that you have posted? Your own edits always work.")),
        _row(_select(Part(Page.ME, "standing"), options)),
    ]


def _chat(where: Where, state: State) -> list[ui.Item[Any]]:
    settings = state.chat
    # TRANSLATORS: a button that turns it off, at most 80 characters
    ideas_on = tr("Ideas under my results: on")
    # TRANSLATORS: a button that turns it on, at most 80 characters
    ideas_off = tr("Ideas under my results: off")
    # TRANSLATORS: a button that turns it off, at most 80 characters
    asking_on = tr("Asking back instead of guessing: on")
    # TRANSLATORS: a button that turns it on, at most 80 characters
    asking_off = tr("Asking back instead of guessing: off")
    # TRANSLATORS: a button that turns it off: what AI made has a mark drawn into the picture, at most 80 characters
    marks_on = tr("A mark in AI's pictures: on")
    # TRANSLATORS: a button that turns it on: what AI made has a mark drawn into the picture, at most 80 characters
    marks_off = tr("A mark in AI's pictures: off")
    toggles = [
        _toggle("suggestions", ideas_on if settings.suggestions else ideas_off, on=settings.suggestions),
        _toggle("questions", asking_on if settings.questions else asking_off, on=settings.questions),
        _toggle(
            "mark",
            marks_on if settings.profile in MARKED else marks_off,
            on=settings.profile in MARKED,
            fixed=keeps_mark(settings.profile, marks_always=state.marks_always),
        ),
    ]
    if where.server is None:
        # TRANSLATORS: "### " makes a heading of it
        return [ui.TextDisplay(tr("### This chat")), _row(*toggles)]
    # TRANSLATORS: a choice in a list, to “Whose pictures may be edited here?”, at most 100 characters
    usual = tr("As in the whole server")
    return [
        # TRANSLATORS: "### " makes a heading of the first line
        ui.TextDisplay(tr("### This channel\nWhose pictures may be edited here?")),
        _row(_select(Part(Page.CHAT, "consent"), _consent_options(settings.consent, usual))),
        _row(*toggles),
        ui.TextDisplay(tr("Who may use me here? An empty list says nothing.")),
        *_lists(Page.CHAT, settings.access, (*_PEOPLE, *_ROLES), bare=state.bare),
    ]


def _server(state: State) -> list[ui.Item[Any]]:
    settings = state.server
    caps = ButtonId(Verb.SETTINGS, None, _caps_argument(settings))
    # TRANSLATORS: a button, at most 80 characters
    button: ui.Button[Any] = ui.Button(label=_label(tr("Spending per day …")), custom_id=str(caps))
    # TRANSLATORS: a choice in a list, to “Whose pictures may be edited”, at most 100 characters
    usual = tr("As usual: ask the owner")
    return [
        # TRANSLATORS: "### " makes a heading of the first line
        ui.TextDisplay(tr("### The server\nWhose pictures may be edited, where a channel has not decided for itself?")),
        _row(_select(Part(Page.SERVER, "consent"), _consent_options(settings.consent, usual))),
        ui.TextDisplay(tr("Who may use me, and where? An empty list says nothing.")),
        *_lists(Page.SERVER, settings.access, (*_PEOPLE, *_ROLES, *_CHATS), bare=state.bare),
        ui.TextDisplay(_caps_words(settings)),
        _row(button),
    ]


def _caps_argument(settings: ServerSettings) -> str:
    person, everybody = ("" if each is None else str(each) for each in _caps(settings))
    return f"{Page.SERVER.value}.caps.{person}.{everybody}"


def _caps_words(settings: ServerSettings) -> str:
    person, everybody = _caps(settings)
    match person is None, everybody is None:
        case True, True:
            words = tr("Spending per day: each person no cap of its own, everybody together no cap of its own.")
        case True, False:
            # TRANSLATORS: an amount of dollars
            words = tr("Spending per day: each person no cap of its own, everybody together ${everybody}.")
        case False, True:
            # TRANSLATORS: an amount of dollars
            words = tr("Spending per day: each person ${person}, everybody together no cap of its own.")
        case _:
            # TRANSLATORS: amounts of dollars
            words = tr("Spending per day: each person ${person}, everybody together ${everybody}.")
    return words.format(person=dollars(person), everybody=dollars(everybody))


def _caps(settings: ServerSettings) -> tuple[int | None, int | None]:
    return settings.person_day_microusd, settings.day_microusd


def _page_button(page: Page, *, current: Page) -> ui.Button[Any]:
    names = {
        # TRANSLATORS: a button that leads to a page of settings, at most 80 characters
        Page.ME: tr("My pictures"),
        # TRANSLATORS: a button that leads to a page of settings, at most 80 characters
        Page.CHAT: tr("This channel"),
        # TRANSLATORS: a button that leads to a page of settings, at most 80 characters
        Page.SERVER: tr("The server"),
    }
    return ui.Button(
        label=_label(names[page]),
        style=discord.ButtonStyle.primary if page is current else discord.ButtonStyle.secondary,
        custom_id=_custom_id(Part(page, "page")),
    )


def _toggle(thing: str, label: str, *, on: bool, fixed: bool = False) -> ui.Button[Any]:
    return ui.Button(
        label=_label(label),
        style=discord.ButtonStyle.success if on else discord.ButtonStyle.secondary,
        custom_id=_custom_id(Part(Page.CHAT, thing, "off" if on else "on")),
        disabled=fixed,
    )


def _lists(page: Page, access: Access, things: Sequence[str], *, bare: bool) -> list[ui.Item[Any]]:
    items: list[ui.Item[Any]] = []
    for thing in things:
        chosen: tuple[str, ...] = getattr(access, thing)
        items.append(ui.TextDisplay(f"-# {tr(_LISTS[thing])}"))
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
    unset = discord.SelectOption(label=cut(usual, limits.OPTION_LABEL), value=_UNSET, default=policy is None)
    return [unset, *_options(_POLICIES, policy)]


def _options(words: Mapping[Any, str], chosen: object) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label=cut(tr(said), limits.OPTION_LABEL), value=str(value), default=value == chosen)
        for value, said in words.items()
    ]


def _label(words: str) -> str:
    return cut(words, limits.BUTTON_LABEL)


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
