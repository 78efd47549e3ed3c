"""What a person wants of every picture that they ask for, in their own words. Pure."""

from __future__ import annotations

import unicodedata

from bot.domain.language import N_, ngettext, tr

MOST_TASTE_CHARS = 300

NO_TASTE = N_(
    "You have said nothing that holds for all your pictures. “/taste always photographic, never text” would, in every "
    "chat, until you say “/taste off”."
)
TASTE_OFF = N_("Erased. Nothing goes along with what you ask for any more.")
TASTE_WENT_ALONG = N_("The standing wishes (/taste) of whoever asked went along.")


def taste_in(text: str) -> str:
    """The wishes on one line, without what does not show."""
    one_line = " ".join(text.split())
    return "".join(letter for letter in one_line if unicodedata.category(letter) not in {"Cc", "Cf", "Co", "Cs", "Cn"})


def taste_words(taste: str) -> str:
    """What somebody's wishes are, to themselves."""
    if not taste:
        return tr(NO_TASTE)
    return tr("With every picture that you ask for goes “{taste}”. To erase that, say “/taste off”.").format(
        taste=taste
    )


def taste_kept(taste: str) -> str:
    words = tr("From now on this goes along with every picture that you ask for: “{taste}” “/taste off” erases it.")
    return words.format(taste=taste)


def taste_too_long(chars: int) -> str:
    return ngettext(
        "That is {chars} character. Please say it in at most {most}.",
        "Those are {chars} characters. Please say it in at most {most}.",
        chars,
    ).format(chars=chars, most=MOST_TASTE_CHARS)
