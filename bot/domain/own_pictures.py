"""What somebody reads who looks after their own pictures: what they said of them, and taking one back."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.consent import Standing
from bot.domain.language import N_

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
    Standing.UNSAID: "In this chat, you are asked before somebody has a picture of yours edited.",
    Standing.HERE: "Everybody in this chat may have your pictures edited.",
    Standing.NEVER: "Nobody but you may have your pictures edited, here or anywhere else.",
}


def mine_words(said: Said) -> str:
    """What they have said, to themselves, and how to change it. Other chats are counted, never named."""
    chats = "one other chat" if said.elsewhere == 1 else f"{said.elsewhere} other chats"
    elsewhere = f"In {chats}, too, everybody may." if said.standing is Standing.HERE else f"In {chats} everybody may."
    pictures = "one picture" if said.withdrawn == 1 else f"{said.withdrawn} pictures"
    lines = (
        _HERE[said.standing],
        elsewhere if said.elsewhere else "",
        f"You have withdrawn {pictures}." if said.withdrawn else "",
        "“/mine ask”, “/mine here” or “/mine never” changes that, “/mine everywhere” has you asked in every chat. "
        "/withdraw in reply to a picture of yours deletes it, with all that was made from it.",
    )
    return "\n".join(line for line in lines if line)


def withdraw_asks(pictures: int, results: int) -> str:
    """Before anything is deleted."""
    return (
        f"This deletes your {_pictures(pictures)} and {_results(results)} that grew from "
        f"{'it' if pictures == 1 else 'them'}, for everybody. It can't be undone, and it holds in other chats, too, "
        "if you sent it there. Shall I? Press below, or say “/withdraw yes” in reply to it."
    )


def withdrawn_words(pictures: int, results: int) -> str:
    """After it was deleted."""
    return f"Done. Your {_pictures(pictures)} and {_results(results)} are gone."


def _pictures(count: int) -> str:
    return "picture" if count == 1 else f"{count} pictures"


def _results(count: int) -> str:
    return "1 result" if count == 1 else f"{count} results"
