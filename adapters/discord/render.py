"""What an answer looks like on Discord. Pure.

A message has words (2,000 characters; what is longer goes on in one embed), files, and up to five rows of buttons or
lists of choices. Nobody is called by it: `allowed_mentions` lets nothing through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord import limits
from adapters.discord.refs import snowflake_of
from adapters.discord.words import escape, mention
from bot.domain.actions import Act, Control
from bot.domain.buttons import NOT_THIS_TIME, ButtonId, Verb, read_button_id
from bot.domain.consent import Say
from bot.domain.images import EXTENSIONS
from bot.domain.language import N_, listed, ngettext, pgettext, tr
from bot.domain.messages import Answer, Credit, Panel, Rendition
from bot.domain.refs import Sha256, TurnId, sha256_of
from bot.domain.turns import FINAL_STATES, Source, TurnState
from bot.domain.utf16 import cut, units

Json = dict[str, Any]

NOBODY: Final[Json] = {"parse": []}
NOTHING_TO_SAY: Final = "…"
"""Discord takes no empty message."""
TOO_LARGE_WORDS = N_(
    "The picture is too large for this chat, so it can't be shown here. “{original_file}” may still bring it."
)
# TRANSLATORS: a button that opens a form for words, at most 80 characters
EDIT = N_("Edit…")
# TRANSLATORS: a button, at most 80 characters
ORIGINAL_FILE = N_("Original file")

_SUPPRESS_EMBEDS = 1 << 2
_ROW, _BUTTON, _SELECT = 1, 2, 3
_GREY = 2
"""A button that asks for no attention."""
_MOST_WORDS = 300
_TAIL_UNITS = 1000
_TITLE_UNITS = 80
_URL_UNITS = 400
_URL = re.compile(r"https?://[^\s<>\\]+")
_IN_LINK = str.maketrans("[]", "()")
"""Within a link's own words no other link begins."""
_OFFERED = "offered"
"""Tells the list of what is offered from the list of all else: no two in a message have the same name."""
_QUIET = {Verb.CANCEL, Verb.FILE, Verb.INFO, Verb.DELETE}
"""What they do is seen by nobody but who pressed."""
_FIRST_ACTS = (Act.AGAIN, Act.VARIATIONS, Act.UNDO, Act.LARGER)
_TO_CHOOSE_FROM = frozenset({Act.GO, Act.PRESET, Act.RECIPE})
"""What stands under an answer that is there to choose from: it comes before all else."""


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file under the words. `sha256` is the name of its bytes, in the image store where they are not `data`."""

    sha256: Sha256
    filename: str
    alt: str
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message: what it says and offers, as JSON, and its files in order."""

    payload: Json
    files: tuple[ShownFile, ...] = ()


def show(answer: Answer, *, without_files: bool = False, alone: bool = False) -> Shown:
    """`without_files` where they turned out to be too large: words say so instead. `alone` where one person sees it:
    then nothing is offered that would be answered in front of others."""
    head = [*_head(answer), *([_too_large()] if without_files else [])]
    content, rest = _fitted(head, _tail(answer))
    files = () if without_files else _files(answer)
    if not (content.strip() or rest.strip() or files):
        content = NOTHING_TO_SAY
    return Shown(
        payload={
            "content": content,
            "embeds": [{"description": rest}] if rest else [],
            "components": _quiet(_components(answer)) if alone else _components(answer),
            "allowed_mentions": NOBODY,
            "flags": 0 if rest else _SUPPRESS_EMBEDS,
        },
        files=files,
    )


# --- words


def _too_large() -> str:
    return tr(TOO_LARGE_WORDS).format(original_file=tr(ORIGINAL_FILE))


def _head(answer: Answer) -> list[str]:
    """The label comes first: it is the part that must be read."""
    lines = [escape(line) for line in answer.lines]
    if answer.state not in FINAL_STATES:
        if answer.position is not None and lines:
            lines[0] = _placed(lines[0], answer.position)
        if answer.asks:
            lines.insert(0, _question(answer))
        if answer.state is TurnState.RUNNING and answer.started_at is not None:
            # TRANSLATORS: {time} is "5 seconds ago", as Discord says it in the language of whoever reads it
            started = tr("Started {time}.").format(time=f"<t:{int(answer.started_at)}:R>")
            lines.append(f"-# {started}")
    return [*lines, *_captions(answer.panels)]


def _placed(line: str, position: int) -> str:
    before = position - 1
    if before < 1:
        # TRANSLATORS: {line} is a whole sentence, like "Waiting in line."
        return tr("{line} You are next.").format(line=line)
    # TRANSLATORS: {line} is a whole sentence, like "Waiting in line."
    words = ngettext("{line} There is {count} before you.", "{line} There are {count} before you.", before)
    return words.format(line=line, count=f"{before:,}")


def _question(answer: Answer) -> str:
    owners = listed([mention(each.user, each.name) for each in answer.asks])
    if answer.credit is None:
        # TRANSLATORS: counts the people who are asked
        words = ngettext(
            "{owners}, may your picture be edited?", "{owners}, may your pictures be edited?", len(answer.asks)
        )
        return words.format(owners=owners)
    asker = mention(answer.credit.asker.user, answer.credit.asker.name)
    # TRANSLATORS: counts the people who are asked
    words = ngettext(
        "{owners}, may {asker} edit your picture?", "{owners}, may {asker} edit your pictures?", len(answer.asks)
    )
    wanted = f"\n> {_quoted(answer.credit.words)}" if answer.credit.words else ""
    return words.format(owners=owners, asker=asker) + wanted


def _quoted(words: str) -> str:
    # TRANSLATORS: what somebody said, between quotation marks
    return pgettext("quotation", "“{words}”").format(words=_on_one_line(words))


def _on_one_line(words: str) -> str:
    """As much as is needed to know what is wanted."""
    return _cut(escape(" ".join(words.split())), _MOST_WORDS)


def _captions(panels: Sequence[Panel]) -> list[str]:
    """The dot is escaped, so that Discord does not number them anew where one is missing."""
    said = ((number, " ".join(panel.words.split())) for number, panel in enumerate(panels, 1))
    return [f"{number}\\. {escape(words)}" for number, words in said if words]


def _tail(answer: Answer) -> list[str]:
    if answer.state not in FINAL_STATES:
        return []
    credit = [_credit(answer.credit)] if answer.credit else []
    return [*_sources(answer.sources), *credit]


def _sources(sources: Iterable[Source]) -> list[str]:
    line, links = "", list[str]()
    # TRANSLATORS: between the names of a list, but for the last two: "Anna, Ben and Cleo"
    comma = pgettext("between names", ", ")
    for source in sources:
        if not _URL.fullmatch(source.url) or units(source.url) > _URL_UNITS:
            continue
        title = " ".join(source.title.translate(_IN_LINK).replace("://", " ").split())
        words = cut(title or source.url.split("/")[2], _TITLE_UNITS)
        link = f"[{escape(words)}](<{source.url}>)"
        links.append(link)
        # TRANSLATORS: what an answer draws on, as links
        longer = tr("Sources: {links}").format(links=comma.join(links))
        if units(longer) > _TAIL_UNITS:
            break
        line = longer
    return [line] if line else []


def _credit(credit: Credit) -> str:
    asker = credit.asker
    owners = [mention(owner) for owner in credit.owners[:10] if owner != asker.user]
    hidden = bool(credit.words) and credit.asked_in is not None and snowflake_of(credit.asked_in) is None
    words = _asked_and_said(len(owners)) if hidden else _asked(len(owners))
    said = _on_one_line(credit.words) if hidden else ""
    return f"-# {words.format(asker=mention(asker.user, asker.name), owners=listed(owners), words=said)}"


def _asked(owners: int) -> str:
    if not owners:
        return tr("Asked by {asker}")
    # TRANSLATORS: counts {owners}, the people whose pictures they are
    return ngettext(
        "Asked by {asker}, with a picture by {owners}", "Asked by {asker}, with pictures by {owners}", owners
    )


def _asked_and_said(owners: int) -> str:
    if not owners:
        return tr("Asked by {asker}: “{words}”")
    # TRANSLATORS: counts {owners}, the people whose pictures they are
    return ngettext(
        "Asked by {asker}, with a picture by {owners}: “{words}”",
        "Asked by {asker}, with pictures by {owners}: “{words}”",
        owners,
    )


def _fitted(head: Sequence[str], tail: Sequence[str]) -> tuple[str, str]:
    """The message's own words, and what goes on in an embed."""
    room = limits.CONTENT - sum(units(line) + 1 for line in tail)
    for count, _ in enumerate(head, 1):
        if units("\n".join(head[:count])) > room:
            return "\n".join([*head[: count - 1], *tail]), _cut("\n".join(head[count - 1 :]), limits.EMBED_DESCRIPTION)
    return "\n".join([*head, *tail]), ""


def _cut(text: str, most: int) -> str:
    """Escaped text, not cut between a backslash and what it is for."""
    short = cut(text, most)
    return short if short == text else short.removesuffix("…").rstrip("\\") + "…"


# --- files


def _files(answer: Answer) -> tuple[ShownFile, ...]:
    if answer.panels:
        placed = [(number, panel.image) for number, panel in enumerate(answer.panels, 1) if panel.image is not None]
    else:
        placed = list(enumerate(answer.images, 1))
    pictures = [file_of(number, image, spoiler=answer.spoiler) for number, image in placed]
    texts = [ShownFile(sha256_of(each.data), each.name, each.name, each.data) for each in answer.files]
    return tuple([*pictures, *texts][: limits.FILES])


def file_of(number: int, rendition: Rendition, *, spoiler: bool) -> ShownFile:
    """`number` is read by people, from 1."""
    facts = rendition.image
    name = f"remix-{number}.{EXTENSIONS[facts.media_type]}"
    return ShownFile(facts.sha256, f"SPOILER_{name}" if spoiler else name, cut(rendition.alt, limits.ALT_TEXT))


# --- buttons and choices


def _components(answer: Answer) -> list[Json]:
    if answer.state not in FINAL_STATES:
        return _rows(_consent(answer), _cancel(answer))
    if answer.panels:
        return _album(answer)
    says = _suggestions(answer.suggestions)
    offered = [each for each in answer.controls if each.act in _TO_CHOOSE_FROM]
    controls = [each for each in answer.controls if each not in offered]
    # TRANSLATORS: what a closed list shows from which one is to be chosen, at most 150 characters
    choose = tr("Choose one…")
    top = _choices(choose, ButtonId(Verb.MORE, None, _OFFERED), [_option(*_named(each)) for each in offered])
    if answer.state is not TurnState.DONE or not answer.images:
        # TRANSLATORS: a button, at most 80 characters
        reply = [_button(tr("Answer…"), ButtonId(Verb.EDIT))] if answer.state is TurnState.ASKING else []
        return [*top, *_rows(says, [*(_button(*_named(each)) for each in controls), *reply])]
    first = _first(controls)
    doing = [_button(tr(EDIT), ButtonId(Verb.EDIT)), *(_button(*_named(each)) for each in first)]
    rest = [_option(*_named(each)) for each in controls if each not in first]
    # TRANSLATORS: what a closed list of further choices shows, at most 150 characters
    return [*top, *_rows(says, doing, _about()), *_choices(pgettext("list", "More…"), ButtonId(Verb.MORE), rest)]


def _consent(answer: Answer) -> list[Json]:
    if not answer.asks or answer.turn is None:
        return []
    says = (
        # TRANSLATORS: a button: they may, this once, at most 80 characters
        (Say.ONCE.value, pgettext("button", "Once")),
        # TRANSLATORS: a button: they may, in this chat from now on, at most 80 characters
        (Say.HERE.value, pgettext("button", "Always here")),
        # TRANSLATORS: a button: nobody may, ever, at most 80 characters
        (Say.NEVER.value, pgettext("button", "Never")),
        # TRANSLATORS: a button: they may not, this once, at most 80 characters
        (NOT_THIS_TIME, pgettext("button", "Not this time")),
    )
    return [_button(label, ButtonId(Verb.ALLOW, argument=f"{say}.{answer.turn}")) for say, label in says]


def _vote(answer: Answer) -> list[Json]:
    options = answer.vote.options if answer.vote is not None else ()
    return [_button(label, ButtonId(Verb.VOTE, argument=argument)) for argument, label in options]


def _cancel(answer: Answer) -> list[Json]:
    return [] if answer.turn is None else [cancel_button(answer.turn)]


def cancel_button(turn: TurnId) -> Json:
    # TRANSLATORS: a button, at most 80 characters
    return _button(pgettext("button", "Cancel"), ButtonId(Verb.CANCEL, argument=turn))


def _suggestions(suggestions: Sequence[str]) -> list[Json]:
    """The label is all that is said, so one that does not fit is left out."""
    labels = [" ".join(each.split()) for each in suggestions]
    fitting = [label for label in labels if label and units(label) <= limits.BUTTON_LABEL]
    return [
        _button(label, ButtonId(Verb.SAY, argument=str(number)))
        for number, label in enumerate(fitting[: limits.BUTTONS_IN_ROW])
    ]


def _first(controls: Sequence[Control]) -> list[Control]:
    """Those that have a button of their own under a picture: one of a kind."""
    found = (next((each for each in controls if each.act is act), None) for act in _FIRST_ACTS)
    return [each for each in found if each is not None]


def _about() -> list[Json]:
    return [
        _button(tr(ORIGINAL_FILE), ButtonId(Verb.FILE)),
        # TRANSLATORS: a button, at most 80 characters
        _button(pgettext("button", "Info"), ButtonId(Verb.INFO)),
        # TRANSLATORS: a button, at most 80 characters
        _button(pgettext("button", "Delete"), ButtonId(Verb.DELETE)),
    ]


def _album(answer: Answer) -> list[Json]:
    """What is for all of it as buttons, what is for one picture in lists of choices."""
    whole = [_button(each.label, _pressed(each)) for each in answer.controls]
    about = _about() if answer.images else []
    rows = _rows(
        _vote(answer), _suggestions(answer.suggestions), [*whole[: limits.BUTTONS_IN_ROW - len(about)], *about]
    )
    groups = [(place, each) for place, each in ((n, _panel(n, p)) for n, p in enumerate(answer.panels)) if each]
    lists = limits.ROWS - len(rows)
    in_each = -(-len(groups) // lists)
    for start in range(0, len(groups), in_each or 1):
        some = groups[start : start + in_each]
        share = limits.OPTIONS // len(some)
        # TRANSLATORS: what a closed list of choices shows: "Picture 1, 2 and 3…", at most 150 characters
        title = tr("Picture {numbers}…").format(numbers=listed([str(place + 1) for place, _ in some]))
        rows += _choices(title, ButtonId(Verb.MORE, some[0][0]), [each for _, group in some for each in group[:share]])
    return rows


def _panel(place: int, panel: Panel) -> list[Json]:
    number = f"{place + 1}. "
    own = [_option(number + each.label, _pressed(each, place)) for each in panel.controls]
    if panel.image is None:
        return own
    return [
        _option(number + tr(EDIT), ButtonId(Verb.EDIT, place)),
        _option(number + tr(ORIGINAL_FILE), ButtonId(Verb.FILE, place)),
        *own,
        # TRANSLATORS: a button, at most 80 characters
        _option(number + pgettext("button", "Info"), ButtonId(Verb.INFO, place)),
    ]


def _named(control: Control) -> tuple[str, ButtonId]:
    return control.label, _pressed(control)


def _pressed(control: Control, place: int | None = None) -> ButtonId:
    argument = f"{control.act.value}.{control.argument}" if control.argument else control.act.value
    return ButtonId(Verb.PRESS, place, argument)


def _button(label: str, custom_id: ButtonId) -> Json:
    label = cut(label, limits.BUTTON_LABEL)
    return {"type": _BUTTON, "style": _GREY, "label": label, "custom_id": str(custom_id)}


def _option(label: str, custom_id: ButtonId) -> Json:
    return {"label": cut(label, limits.OPTION_LABEL), "value": str(custom_id)}


def _choices(placeholder: str, custom_id: ButtonId, options: Sequence[Json]) -> list[Json]:
    if not options:
        return []
    select = {
        "type": _SELECT,
        "custom_id": str(custom_id),
        "placeholder": cut(placeholder, limits.PLACEHOLDER),
        "options": list(options[: limits.OPTIONS]),
    }
    return [{"type": _ROW, "components": [select]}]


def _quiet(rows: Sequence[Json]) -> list[Json]:
    """Of these rows, what is quiet."""
    found = [[each for each in map(_quietly, row["components"]) if each] for row in rows]
    return [{"type": _ROW, "components": each} for each in found if each]


def _quietly(component: Json) -> Json | None:
    if component["type"] == _BUTTON:
        return component if _is_quiet(component["custom_id"]) else None
    options = [each for each in component["options"] if _is_quiet(each["value"])]
    return {**component, "options": options} if options else None


def _is_quiet(text: str) -> bool:
    custom_id = read_button_id(text)
    return custom_id is not None and custom_id.verb in _QUIET


def _rows(*groups: Sequence[Json]) -> list[Json]:
    """Each group begins a row of its own."""
    most = limits.BUTTONS_IN_ROW
    rows = [group[start : start + most] for group in groups for start in range(0, len(group), most)]
    return [{"type": _ROW, "components": list(row)} for row in rows[: limits.ROWS]]
