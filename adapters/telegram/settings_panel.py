"""The settings as one message with keys: what it shows, and what each key changes. Pure.

Nothing is kept between two presses: a key's argument is "<thing>.<value>".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from adapters.telegram.access import ADMINS
from adapters.telegram.ports import Key, Keyboard
from adapters.telegram.refs import group_of, is_group
from bot.domain import access as lists
from bot.domain.buttons import ButtonId, Verb
from bot.domain.chats import ChatSettings, ServerSettings, keeps_mark, with_mark
from bot.domain.commands import policy_words, standing_words
from bot.domain.consent import DEFAULT_POLICY, Policy, Standing
from bot.domain.labels import MARKED
from bot.domain.language import N_, pgettext, tr
from bot.domain.refs import ChatRef

_POLICIES: Final = {
    # TRANSLATORS: a key, at most 28 characters: whose pictures may be edited in this group
    Policy.OFF: N_("Nobody's"),
    # TRANSLATORS: a key, at most 28 characters: whose pictures may be edited in this group
    Policy.OWN: N_("One's own"),
    # TRANSLATORS: a key, at most 28 characters: whose pictures may be edited in this group
    Policy.ASK: N_("Others', if they agree"),
    # TRANSLATORS: a key, at most 28 characters: whose pictures may be edited in this group
    Policy.ALL: N_("Everybody's"),
}
_STANDINGS: Final = {
    # TRANSLATORS: a key, at most 28 characters: who may edit my pictures
    Standing.UNSAID: N_("Mine: ask me first"),
    # TRANSLATORS: a key, at most 28 characters: who may edit my pictures
    Standing.HERE: N_("Mine: anyone here"),
    # TRANSLATORS: a key, at most 28 characters: who may edit my pictures
    Standing.NEVER: N_("Mine: nobody, ever"),
}
_ON, _OFF, _UNSET = "on", "off", "unset"
_EVERYBODY = "everybody"
_SPENDING = ("person", "all")
STEPS_MICROUSD: Final = (0, 250_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000)
"""What a day's spending can be capped at."""


@dataclass(frozen=True, slots=True)
class State:
    """What holds in a chat now. `runs`: it is shown to somebody who runs the group. `standing` is shown in private,
    where nobody else reads it."""

    chat: ChatRef
    own: ChatSettings
    group: ServerSettings
    runs: bool
    standing: Standing = Standing.UNSAID
    marks_always: bool = False
    """The installation has a mark in AI's pictures: no chat can leave it out."""

    @property
    def is_topic(self) -> bool:
        return group_of(self.chat) != self.chat

    @property
    def is_served(self) -> bool:
        return self.chat.chat not in self.group.access.denied_chats


@dataclass(frozen=True, slots=True)
class Panel:
    words: str
    keyboard: Keyboard


# --- what it shows


def panel(state: State, *, page: str = "") -> Panel:
    """`page` is one of the things that have steps of their own, "person" or "all"; empty for the first."""
    if not is_group(state.chat):
        return Panel(_private_words(state), (*_toggles(state.own, marks_always=state.marks_always), *_mine(state)))
    if not state.runs:
        return Panel(tr("Who may edit pictures that you send here? Your own edits always work."), _mine(state))
    if page in _SPENDING:
        return _spending(state.group, page)
    return Panel(_group_words(state), (*_group_keys(state), *_mine(state)))


def _private_words(state: State) -> str:
    # TRANSLATORS: a heading, and below it a sentence: "I ask you first. Your own edits always work."
    return tr("Settings\n{standing} Your own edits always work.").format(standing=standing_words(state.standing))


def _group_words(state: State) -> str:
    group = state.group
    admins = _is_for_admins(group)
    person, everybody = (_money(each) for each in (group.person_day_microusd, group.day_microusd))
    lines = [
        tr("Settings of this group"),
        # TRANSLATORS: "Pictures that people send: are edited by others once their owner agrees."
        tr("Pictures that people send: {policy}.").format(policy=policy_words(group.consent or DEFAULT_POLICY)),
        tr("Those who run this group may use me.") if admins else tr("Everybody may use me."),
        *([] if state.is_served else [tr("In this topic I stay silent.")]),
        # TRANSLATORS: what may be spent: "each person $0.50, everybody together no cap of their own"
        tr("AI edits per day: each person {person}, everybody together {everybody}.").format(
            person=person, everybody=everybody
        ),
        tr(
            "/allow and /deny in reply to somebody's message let them in or keep them out. "
            "The last keys are for everybody, each for their own pictures: who may edit them."
        ),
    ]
    return "\n".join(lines)


def _group_keys(state: State) -> Keyboard:
    group = state.group
    chosen = group.consent or DEFAULT_POLICY
    policies = [_choice(tr(label), f"consent.{policy.value}", chosen == policy) for policy, label in _POLICIES.items()]
    admins = _is_for_admins(group)
    who = (
        # TRANSLATORS: a key, at most 28 characters: who may use the bot
        _choice(pgettext("button", "Everybody"), f"access.{_EVERYBODY}", not admins),
        # TRANSLATORS: a key, at most 28 characters: who may use the bot
        _choice(pgettext("button", "Only who runs this group"), f"access.{ADMINS}", admins),
    )
    # TRANSLATORS: a key, at most 24 characters: leads to how much each person may spend in a day
    one = _key(pgettext("button", "A person's day …"), "show.person")
    # TRANSLATORS: a key, at most 24 characters: leads to how much everybody together may spend in a day
    caps = (one, _key(pgettext("button", "Everybody's day …"), "show.all"))
    return (
        tuple(policies[:2]),
        tuple(policies[2:]),
        who,
        *_toggles(state.own, marks_always=state.marks_always),
        # TRANSLATORS: a key, at most 36 characters: whether the bot answers in this topic of a group
        *((_toggle(tr("This topic is served"), "topic", on=state.is_served),) for _ in range(state.is_topic)),
        caps,
    )


def _mine(state: State) -> Keyboard:
    """In private nobody else is there to be let in. In a group the choice is not shown: each has their own."""
    shown = {each: label for each, label in _STANDINGS.items() if is_group(state.chat) or each is not Standing.HERE}
    told = not is_group(state.chat)
    keys = [_choice(tr(label), f"mine.{each.value}", told and state.standing == each) for each, label in shown.items()]
    return tuple((key,) for key in keys) if is_group(state.chat) else (tuple(keys),)


def _toggles(own: ChatSettings, *, marks_always: bool) -> Keyboard:
    """A switch that could not be moved is not there."""
    is_fixed = keeps_mark(own.profile, marks_always=marks_always)
    return (
        # TRANSLATORS: a key, at most 36 characters: whether ideas what to do next stand under pictures
        (_toggle(tr("Next ideas under pictures"), "suggestions", on=own.suggestions),),
        # TRANSLATORS: a key, at most 36 characters: whether the bot asks what is meant where it is not sure
        (_toggle(tr("Asking back instead of guessing"), "questions", on=own.questions),),
        # TRANSLATORS: a key, at most 36 characters: whether what AI made has a mark drawn into the picture
        *((_toggle(tr("A mark in AI's pictures"), "mark", on=own.profile in MARKED),) for _ in range(not is_fixed)),
    )


def _spending(group: ServerSettings, page: str) -> Panel:
    holds = group.person_day_microusd if page == "person" else group.day_microusd
    steps = [_choice(_money(each), f"{page}.{each}", holds == each) for each in STEPS_MICROUSD]
    rows = [tuple(steps[start : start + 4]) for start in range(0, len(steps), 4)]
    # TRANSLATORS: a key, at most 36 characters: what the host has set holds
    usual = _choice(tr("No cap of this group's own"), f"{page}.{_UNSET}", holds is None)
    words = (
        tr("What may each person here spend on AI edits per day? Exact edits are always free.")
        if page == "person"
        else tr("What may everybody here together spend on AI edits per day? Exact edits are always free.")
    )
    # TRANSLATORS: a key, at most 24 characters: to the first page of the settings
    back = _key(pgettext("button", "Back"), "show.first")
    return Panel(words, (*rows, (usual,), (back,)))


def _money(microusd: int | None) -> str:
    if microusd is None:
        # TRANSLATORS: how much may be spent, where the group has not said: "each person no cap of their own"
        return tr("no cap of their own")
    # TRANSLATORS: how much may be spent, also on a key, at most 12 characters
    return f"${microusd / 1e6:.2f}" if microusd else pgettext("an amount", "nothing")


def _toggle(label: str, thing: str, *, on: bool) -> Key:
    if on:
        # TRANSLATORS: a key, at most 20 characters: what is switched on now, like "Next ideas under pictures: on"
        return _key(pgettext("a switch", "{label}: on").format(label=label), f"{thing}.{_OFF}")
    # TRANSLATORS: a key, at most 20 characters: what is switched off now, like "Next ideas under pictures: off"
    return _key(pgettext("a switch", "{label}: off").format(label=label), f"{thing}.{_ON}")


def _choice(label: str, argument: str, chosen: bool) -> Key:
    return _key(f"✓ {label}" if chosen else label, argument)


def _key(label: str, argument: str) -> Key:
    return Key(label, str(ButtonId(Verb.SETTINGS, None, argument)))


def _is_for_admins(group: ServerSettings) -> bool:
    return ADMINS in group.access.allowed_roles


# --- what a key changes


def changed_chat(own: ChatSettings, thing: str, value: str) -> ChatSettings | None:
    """None where there is no such choice."""
    if value not in (_ON, _OFF):
        return None
    match thing:
        case "suggestions":
            return replace(own, suggestions=value == _ON)
        case "questions":
            return replace(own, questions=value == _ON)
        case "mark":
            return with_mark(own, on=value == _ON)
        case _:
            return None


def changed_group(group: ServerSettings, chat: ChatRef, thing: str, value: str) -> ServerSettings | None:
    """`chat` is where the panel stands. None where there is no such choice."""
    match thing:
        case "consent" if value in set(Policy):
            return replace(group, consent=Policy(value))
        case "access" if value in (ADMINS, _EVERYBODY):
            return replace(group, access=_opened(group.access, to_admins=value == ADMINS))
        case "topic" if value in (_ON, _OFF) and group_of(chat) != chat:
            others = tuple(each for each in group.access.denied_chats if each != chat.chat)
            denied = others if value == _ON else (*others, chat.chat)
            return replace(group, access=replace(group.access, denied_chats=denied))
        case "person" if (step := _step(value)) is not None:
            return replace(group, person_day_microusd=step[0])
        case "all" if (step := _step(value)) is not None:
            return replace(group, day_microusd=step[0])
        case _:
            return None


def _opened(kept: lists.Access, *, to_admins: bool) -> lists.Access:
    """To everybody: then nobody is let in by name either."""
    return replace(kept, allowed_roles=(ADMINS,)) if to_admins else replace(kept, allowed_roles=(), allowed_people=())


def _step(value: str) -> tuple[int | None] | None:
    if value == _UNSET:
        return (None,)
    return (int(value),) if value in {str(each) for each in STEPS_MICROUSD} else None


def with_person(kept: lists.Access, person: str, *, allowed: bool) -> lists.Access:
    """Let somebody in, or keep them out. Where everybody is let in, nobody needs to be by name: a list of one would
    keep all the others out."""
    without = _without(kept, person)
    if not allowed:
        return replace(without, denied_people=(*without.denied_people, person))
    if kept.allowed_roles or kept.allowed_people:
        return replace(without, allowed_people=(*without.allowed_people, person))
    return without


def _without(kept: lists.Access, person: str) -> lists.Access:
    def others(ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(each for each in ids if each != person)

    return replace(kept, allowed_people=others(kept.allowed_people), denied_people=others(kept.denied_people))
