"""Forms: what they look like, and what comes back. Nothing of them is kept in memory; the custom id says what for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from adapters.discord import limits
from adapters.discord.commands import USUAL, resolved, size_of
from bot.domain.buttons import ButtonId
from bot.domain.language import tr
from bot.domain.utf16 import cut

MOST_FILES = 9
_MOST_WORDS = 4_000
_WORDS, _SIZE, _FILES = "words", "size", "files"
_PERSON, _EVERYBODY = "person", "everybody"
_MICRO = 1_000_000
_MOST_DOLLARS = 100_000
_DOLLARS = re.compile(r"\$?\s*(\d{1,6})(?:[.,](\d{1,6}))?\s*\$?")


def edit_form(custom_id: ButtonId, sizes: Sequence[tuple[str, str]]) -> ui.Modal:
    """Instruction, size, further pictures."""
    # TRANSLATORS: the heading of a form, at most 45 characters
    form = _form(tr("Your words"), custom_id)
    words: ui.TextInput[Any] = ui.TextInput(
        custom_id=_WORDS,
        style=discord.TextStyle.paragraph,
        # TRANSLATORS: examples, in a field for words that is still empty, at most 100 characters
        placeholder=cut(tr("Make it winter, remove the car on the left, crop to a square …"), limits.FIELD_PLACEHOLDER),
        max_length=_MOST_WORDS,
    )
    # TRANSLATORS: the label of a field for words, at most 45 characters
    form.add_item(_labelled(tr("What should I do?"), words))
    if sizes:
        # None is chosen beforehand: who writes “in 2K” and leaves the list alone means their words.
        labels = [(size or USUAL, cut(said, limits.OPTION_LABEL)) for size, said in sizes[:25]]
        options = [discord.SelectOption(label=said, value=value) for value, said in labels]
        size: ui.Select[Any] = ui.Select(custom_id=_SIZE, options=options, required=False, placeholder=labels[0][1])
        # TRANSLATORS: the label of a list of sizes of a picture, at most 45 characters
        form.add_item(_labelled(tr("Size"), size))
    files: ui.FileUpload[Any] = ui.FileUpload(custom_id=_FILES, required=False, min_values=0, max_values=MOST_FILES)
    # TRANSLATORS: the label of a field for files, at most 45 characters
    further = tr("Further pictures")
    # TRANSLATORS: below “Further pictures”, in a form, at most 100 characters
    form.add_item(_labelled(further, files, tr("To take something from, if you like")))
    return form


def _form(title: str, custom_id: ButtonId) -> ui.Modal:
    return ui.Modal(title=cut(title, limits.MODAL_TITLE), custom_id=str(custom_id))


def _labelled(label: str, component: ui.Item[Any], description: str | None = None) -> ui.Label[Any]:
    return ui.Label(
        text=cut(label, limits.FIELD_LABEL),
        description=None if description is None else cut(description, limits.FIELD_DESCRIPTION),
        component=component,
    )


@dataclass(frozen=True, slots=True)
class Filled:
    """An edit form that came back. `files` are attachments as Discord describes them."""

    words: str
    size: str | None
    files: tuple[Mapping[str, Any], ...]


def read_edit_form(data: Mapping[str, Any]) -> Filled:
    """Reads any data of that type."""
    fields = _fields(data)
    attachments = resolved(data, "attachments")
    return Filled(
        words="".join(fields.get(_WORDS, ())).strip()[:_MOST_WORDS],
        size=size_of(next(iter(fields.get(_SIZE, ())), None)),
        files=tuple(attachments[each] for each in fields.get(_FILES, ())[:MOST_FILES] if each in attachments),
    )


def caps_form(custom_id: ButtonId, person: int | None, everybody: int | None) -> ui.Modal:
    """What may be spent in a server each day, with what holds now."""
    # TRANSLATORS: the heading of a form, at most 45 characters
    form = _form(tr("What may be spent each day"), custom_id)
    # TRANSLATORS: the label of a field for an amount of money, at most 45 characters
    each_person = tr("Each person")
    # TRANSLATORS: the label of a field for an amount of money, at most 45 characters
    together = tr("Everybody together")
    for name, label, amount in ((_PERSON, each_person, person), (_EVERYBODY, together, everybody)):
        field: ui.TextInput[Any] = ui.TextInput(
            custom_id=name,
            # TRANSLATORS: in a field for an amount of money that is still empty, at most 100 characters
            placeholder=cut(tr("Dollars, like 2.50"), limits.FIELD_PLACEHOLDER),
            default=dollars(amount) or None,
            required=False,
            max_length=12,
        )
        # TRANSLATORS: below a field for an amount of money, at most 100 characters
        form.add_item(_labelled(label, field, tr("Empty for what holds everywhere")))
    return form


def read_caps_form(data: Mapping[str, Any]) -> tuple[int | None, int | None] | None:
    """Millionths of a dollar for each person and for everybody; None where an amount can't be read."""
    fields = _fields(data)
    try:
        person, everybody = (_amount("".join(fields.get(name, ()))) for name in (_PERSON, _EVERYBODY))
    except ValueError:
        return None
    return person, everybody


def dollars(amount: int | None) -> str:
    """ "2.50" for 2,500,000 millionths; empty for None."""
    if amount is None:
        return ""
    whole, rest = divmod(amount, _MICRO)
    digits = f"{rest:06}".rstrip("0")
    return f"{whole}.{digits:0<2}"


def _amount(text: str) -> int | None:
    """Raises `ValueError` for what is no amount of dollars."""
    text = text.strip()
    if not text:
        return None
    match = _DOLLARS.fullmatch(text)
    if match is None or int(match[1]) > _MOST_DOLLARS:
        raise ValueError("no amount of dollars")
    return int(match[1]) * _MICRO + int((match[2] or "").ljust(6, "0"))


def _fields(data: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {str(each.get("custom_id")): _values(each) for each in _components(data.get("components") or ())}


def _components(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for each in components:
        inside = [each["component"]] if "component" in each else each.get("components") or []
        if inside:
            yield from _components(inside)
        else:
            yield each


def _values(component: Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(value := component.get("value"), str):
        return (value,)
    return tuple(str(each) for each in component.get("values") or ())
