"""What somebody reads who looks after their own pictures: what they said of them, and taking one back."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.consent import Standing
from bot.domain.language import N_, ngettext, tr
from bot.domain.words import joined

MINE, WITHDRAW, WITHDRAW_ASKS = "mine", "withdraw", "withdraw_asks"
"""Codes of the answers; the last one is the question before anything is deleted."""
EVERYWHERE = "everywhere"

WITHDRAWN = N_("Whoever sent that picture has withdrawn it, so I leave it alone.")
YOU_WITHDREW = N_("You have withdrawn that picture. Send it once more if you want it edited after all.")
WITHDRAW_WHAT = N_("Reply with /withdraw to a picture of yours, or to something that was made from it.")
NOT_YOURS_TO_WITHDRAW = N_("There is no picture of yours in that. Only whoever a picture belongs to can withdraw it.")
NOTHING_KEPT = N_("I keep nothing of that picture.")
ALREADY_WITHDRAWN = N_("That picture is withdrawn already. Nothing of it is left here.")
NO_SUCH_SAY = N_("I know “/mine ask”, “/mine here”, “/mine never” and “/mine everywhere”.")
ASKED_EVERYWHERE = N_("From now on, you are asked everywhere before somebody has a picture of yours edited.")
EXPLAINED = N_(
    "“Once” means this edit alone, “Always here” any edit by anybody in this chat, and “Never” that nobody but you has "
    "your pictures edited anywhere; /mine changes it at any time."
)
"""For whoever is asked for the first time."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody has said of their own pictures: in one chat, in how many others everybody may edit them, and how
    many they have withdrawn."""

    standing: Standing
    elsewhere: int = 0
    withdrawn: int = 0


_HERE = {
    Standing.UNSAID: N_("In this chat, you are asked before somebody has a picture of yours edited."),
    Standing.HERE: N_("Everybody in this chat may have your pictures edited."),
    Standing.NEVER: N_("Nobody but you may have your pictures edited, here or anywhere else."),
}


def mine_words(said: Said) -> str:
    """What they have said, to themselves, and how to change it. Other chats are counted, never named."""
    lines = (
        tr(_HERE[said.standing]),
        _elsewhere(said) if said.elsewhere else "",
        ngettext("You have withdrawn one picture.", "You have withdrawn {count} pictures.", said.withdrawn).format(
            count=said.withdrawn
        )
        if said.withdrawn
        else "",
        tr(
            "“/mine ask”, “/mine here” or “/mine never” changes that, “/mine everywhere” has you asked in every chat. "
            "/withdraw in reply to a picture of yours deletes it, with all that was made from it."
        ),
    )
    return "\n".join(line for line in lines if line)


def _elsewhere(said: Said) -> str:
    if said.standing is Standing.HERE:
        words = ngettext(
            "In one other chat, too, everybody may.", "In {count} other chats, too, everybody may.", said.elsewhere
        )
    else:
        words = ngettext("In one other chat everybody may.", "In {count} other chats everybody may.", said.elsewhere)
    return words.format(count=said.elsewhere)


def withdraw_asks(pictures: int, results: int) -> str:
    """Before anything is deleted."""
    if results:
        what = ngettext(
            "This deletes your picture and {results} that grew from it, for everybody.",
            "This deletes your {count} pictures and {results} that grew from them, for everybody.",
            pictures,
        )
    else:
        what = ngettext(
            "This deletes your picture, for everybody. Nothing has grown from it.",
            "This deletes your {count} pictures, for everybody. Nothing has grown from them.",
            pictures,
        )
    what = what.format(count=pictures, results=_results(results))
    how = tr(
        "It can't be undone, and it holds in other chats, too, if you sent it there. Shall I? Press below, or say "
        "“/withdraw yes” in reply to it."
    )
    return joined(what, how)


def withdrawn_words(pictures: int, results: int) -> str:
    """After it was deleted."""
    return ngettext(
        "Done. Your picture and {results} are gone.", "Done. Your {count} pictures and {results} are gone.", pictures
    ).format(count=pictures, results=_results(results))


def _results(count: int) -> str:
    # TRANSLATORS: in "This deletes your picture and 3 results that grew from it" and "Your picture and 3 results are
    # gone"
    return ngettext("1 result", "{count} results", count).format(count=count)
