"""The label: what the viewer must be told about an image's origin. Obligatory, and never weakened along the tree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.images import Provenance
from bot.domain.language import pgettext, spoken, tr
from bot.domain.refs import Sha256, sha256_of

_ORDER = (Provenance.UNKNOWN, Provenance.AI_EDITED, Provenance.AI_GENERATED)


class Profile(StrEnum):
    """Which rules a label follows (docs/labels.md)."""

    DEFAULT = "default"
    """Words, metadata and credentials; no mark in the pixels."""
    VISIBLE = "visible"
    """With a mark in the picture."""
    CN = "cn"
    """GB 45438-2025: a mark of at least 5 % in its words, and the AIGC field."""
    EU = "eu"
    """AI Act, article 50, and its code of practice: the words it names, signed and time-stamped metadata."""


MARKED = frozenset({Profile.VISIBLE, Profile.CN})
"""Those that draw a mark into the picture."""
_STRICTER = {
    Profile.DEFAULT: (Profile.VISIBLE, Profile.EU, Profile.CN),
    Profile.EU: (Profile.VISIBLE, Profile.CN),
    Profile.VISIBLE: (Profile.CN,),
    Profile.CN: (),
}
"""What a chat may choose for itself: nothing that the installation's has, mark and field, is lost by it."""


def is_strictest(profile: Profile) -> bool:
    """Whether no chat can choose another."""
    return not _STRICTER[profile]


def profile_in(installation: Profile, chosen: Profile | None) -> Profile:
    """What holds in a chat that has chosen this."""
    return chosen if chosen is not None and chosen in _STRICTER[installation] else installation


_SLUG = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}")


def is_slug(text: str) -> bool:
    """Whether the AIGC field may hold it: ASCII that can be seen, but for the quotation mark and the backslash
    (GB 45438-2025, annex E). 64 characters are our own limit."""
    return _SLUG.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture that went into a result, as a file that lies in the image store: of a result the labelled one."""

    file: Sha256
    """Empty for a picture of which nothing may be told here but that it was one."""
    media_type: str
    is_parent: bool = False
    """It is the picture that was edited; the others were shown to the model, or joined with it."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a file says of how it came to be, beside its label. `id` names the turn's results and nobody, in letters
    and figures, and in a file that one picture (`own_work`); `at` in seconds since the epoch; `models` as their makers
    name them, those of this very turn."""

    id: str
    at: float
    models: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """What a result says of itself.

    `provenance` is what the image is now; `edited_by_ai` whether this very turn used a generative engine;
    `engines` the display names of the generative engines on its path, in order, each once.
    """

    provenance: Provenance
    edited_by_ai: bool
    engines: tuple[str, ...] = ()
    work: Work | None = None
    """None for what was made before this was kept, and for what is only drawn for an answer."""


MAX_INGREDIENTS = 14
"""Of a result. No model takes more."""
_ID_CHARS = 20


def work_id_of(*parts: str) -> str:
    """A short name that leads back to nothing of what it was made from."""
    return sha256_of("\n".join(("remixbot work", *parts)).encode())[:_ID_CHARS]


def own_work(label: Label | None, master: Sha256, media_type: str, *, signed_before: bool) -> Label | None:
    """The label of one picture of a turn, under a name of its own.

    `signed_before` says that the master came with credentials of the model's maker: then it is what was opened here,
    and what went into the turn was shown to the model.
    """
    if label is None or label.work is None:
        return label
    work = replace(label.work, id=work_id_of(label.work.id, master))
    if signed_before:
        others = tuple(replace(each, is_parent=False) for each in work.ingredients if each.file)
        work = replace(work, ingredients=(Ingredient(master, media_type, is_parent=True), *others))
    return replace(label, work=work)


def alone(label: Label, name: str) -> Label:
    """The same for a place where nothing may be told of what the picture was made from. `name` is what it stands in
    there: two files of one picture are not known by their credentials to be the same."""
    if label.work is None:
        return label
    parents = tuple(replace(each, file=Sha256("")) for each in label.work.ingredients if each.is_parent)
    return replace(label, work=replace(label.work, id=work_id_of(label.work.id, name), ingredients=parents))


def label_for(
    *,
    generative_engine: str | None,
    inputs: Iterable[Provenance],
    earlier_engines: Iterable[str] = (),
) -> Label:
    """The label of a turn's results, from the engine that made them and the provenance of what went in.

    `generative_engine` is the engine's display name, or None where arithmetic made the pixels.
    A generative turn without any input made its picture from words. One whose inputs were all generated stays
    generated; one with any other input is an edit by AI. Arithmetic keeps the strongest of its inputs.
    """
    strongest = max(inputs, key=_ORDER.index, default=None)
    path = [*earlier_engines, *([generative_engine] if generative_engine else [])]
    engines = tuple(dict.fromkeys(path))
    if generative_engine is None:
        return Label(strongest or Provenance.UNKNOWN, edited_by_ai=False, engines=engines)
    if strongest in (None, Provenance.AI_GENERATED):
        return Label(Provenance.AI_GENERATED, edited_by_ai=True, engines=engines)
    return Label(Provenance.AI_EDITED, edited_by_ai=True, engines=engines)


def label_known(provenance: Provenance) -> Label | None:
    """What a picture that nobody made here says of itself; None where nothing is known."""
    return None if provenance is Provenance.UNKNOWN else Label(provenance, edited_by_ai=False)


def label_line(label: Label, profile: Profile = Profile.DEFAULT) -> str:
    """The label in words, as it stands in the answer: "AI-edited · Gemini", "Edited, no AI"."""
    if label.provenance is Provenance.UNKNOWN:
        # TRANSLATORS: the label of a picture that was edited without AI
        return tr("Edited, no AI")
    asked_for = [_CN_WORDS[label.provenance]] if profile is Profile.CN else []
    own = [] if asked_for and spoken() == "zh" else [_said(label.provenance, profile)]
    return " · ".join((*asked_for, *own, *label.engines))


def _said(provenance: Provenance, profile: Profile) -> str:
    if provenance is Provenance.AI_GENERATED:
        # TRANSLATORS: the label of a picture, which the law asks for: "AI-generated · Gemini"
        return tr("AI-generated")
    if profile is Profile.EU:
        # TRANSLATORS: the label of a picture that AI changed, in the words of the European Union's icon AI MODIFIED
        return tr("AI-modified")
    # TRANSLATORS: the label of a picture, which the law asks for: "AI-edited · Gemini"
    return tr("AI-edited")


_CN_WORDS = {Provenance.AI_GENERATED: "AI生成", Provenance.AI_EDITED: "AI编辑生成"}
"""GB 45438-2025, 5.2: one of 人工智能 and AI, and one of 生成 and 合成. In Chinese, whoever reads it."""


def mark_words(label: Label | None, profile: Profile) -> str:
    """What the mark in the picture says, in the language that is spoken; empty where none is drawn."""
    if label is None or label.provenance is Provenance.UNKNOWN or profile not in MARKED:
        return ""
    if profile is Profile.CN:
        return _CN_WORDS[label.provenance]
    if label.provenance is Provenance.AI_GENERATED:
        # TRANSLATORS: drawn into a corner of a picture that AI made: the shorter the better, at most 16 characters
        return pgettext("mark in a picture", "AI-generated")
    # TRANSLATORS: drawn into a corner of a picture that AI changed: the shorter the better, at most 16 characters
    return pgettext("mark in a picture", "AI-edited")


def words_line(label: Label) -> str:
    """The label of an answer in words alone."""
    return " · ".join((tr("Answered by AI"), *label.engines))


def alt_text(label: Label | None, profile: Profile = Profile.DEFAULT) -> str:
    """Alternative text of a picture: names the label, since whoever cannot see the picture must be told, too."""
    if label is None:
        return tr("Picture that a person sent.")
    # TRANSLATORS: read aloud to whoever cannot see the picture: "Picture. AI-edited · Gemini."
    return tr("Picture. {label}.").format(label=label_line(label, profile))
