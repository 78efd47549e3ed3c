"""Sentences that people read, where more than one room says them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.language import N_, listed, ngettext, tr
from bot.domain.refs import Person

LARGER = N_("The same picture, larger and with finer detail. Change nothing else.")
"""An instruction, in English in what is stored and what a model is told."""
# TRANSLATORS: a suggestion for an edit. Pressing it says it, and it is then read and done without AI
WRITE_IT = N_('write "{text}" at the bottom')
CLIMBED = N_("The turn before gave no picture, so I went on from the last one there was.")
NO_PICTURE = N_("I found no picture to work on. Reply to one, or send one along with what you want changed.")
WHICH_ONE_IS_IT = N_("Which picture do you mean? Reply to one, or send it along.")
OR_DRAW = N_("Which picture do you mean? Reply to one or send it along, or let me draw it from your words.")
NO_PICTURE_YET = N_("I have no picture of yours here yet. Send one along with what you want changed.")
ALBUM_OPEN = N_("Some of these pictures are still being made. Reply to one of them, or wait until all are there.")
PARTLY = N_("One of the pictures could not be used, so I went on without it.")
NOTHING_TO_DRAW = N_("There is no picture of mine here yet to show the tree of. Reply to one with /tree.")
TREE_WORDS = N_("Say “from {number}: …” in reply to this, with what you want changed, to go on from any of them.")
GONE_NODE = N_("This was deleted.")
WITHHELD_NODE = N_("Whoever sent it would rather not have it shown again.")
NO_SUCH_NODE = N_("There is no picture {number} in this tree. Its pictures are numbered from 1 to {most}.")
WHICH_NODE = N_("Which one of the tree? Say “from {number}: …” with what you want changed.")
NOTHING_TO_COMPARE = N_("Reply to a result of mine with /compare, or name two pictures of its tree: /compare 2 5")
THIS_OR_ALL = N_("Do you mean this picture alone, or all {count} that came together?")
PRESS_GONE = N_("That picture is not here any more, so there is nothing to go on from. Please send it once more.")
WHICH_ONE = N_("Which of these pictures do you mean? Open it first, then press again.")
NO_EARS = N_("I can't listen to voice messages here. Please write what should change.")
HEARD_NOTHING = N_("I could not make out any words in that. Please say it once more, or write it.")
STORY_BROKEN = N_("The first picture of this story could not be made, so I left this one out.")
NO_LARGER = N_("It can't be made that large here, so it has its usual size.")
NO_LARGER_HERE = N_("It can't be made that large here. It stays as it is.")
ASKED_TWICE = N_("The connection broke off once, so this was asked for twice.")
NOT_CHECKED = N_("I could not read the lettering back, so please look at it closely.")
OVER_CHAT = N_("The AI budget of this chat is used up for today. Exact edits like “rotate 90 degrees” are always free.")
OVER_SERVER = N_(
    "The AI budget of this server is used up for today. Exact edits like “rotate 90 degrees” are always free."
)
OVER_MONTH = N_("The AI budget of this month is used up here. Exact edits like “rotate 90 degrees” are always free.")
OVER_NOW = N_("A lot of pictures are being made here right now. Please try again in ten minutes.")
NO_WORDS = N_("What should I change? Reply with a few words, for instance “crop to a square”.")
NOT_YOURS = N_(
    "That picture belongs to somebody else here, so I leave it alone. Send it yourself, or reply to one of mine."
)
NO_PICTURES_HERE = N_(
    "People's pictures are not edited in this chat. I can draw something new from your words, though."
)
NOBODY_TO_ASK = N_(
    "I can't find out whose picture that is, so I leave it alone. Send one of your own, or reply to one of mine."
)
THEIRS_STANDS_THERE = N_("The picture before is somebody else's own. Reply to it where they sent it.")
NOT_FOR_YOU = N_("This question is for whoever sent the picture.")
SETTLED = N_("That is settled already.")
AGREED_ONCE = N_("Thank you. I am on it.")
AGREED_HERE = N_("Thank you. From now on, everybody in this chat may edit your pictures. /settings changes that.")
SAID_NEVER = N_("All right. Nobody edits your pictures any more, here or anywhere else. /settings changes that.")
SAID_NO = N_("All right, not this one.")
UNDONE = N_("One step back. Reply to this to go on from here.")
FROM_THE_TREE = N_("Here it is again. Reply to this to go on from here.")
STILL_MADE = N_("It is still being made. Cancel it first.")
NOT_YOURS_TO_DELETE = N_("Only whoever asked for it, or a moderator, can delete this.")
NOTHING_THERE = N_("There is nothing left of this.")
MADE_SMALLER = N_("This chat takes no larger files, so it is shown smaller here.")
MADE_LIGHTER = N_("This chat takes no larger files, so it is shown in a lighter format here.")
IS_READY = N_("Your picture is ready.")
OPEN_IT = N_("I have an answer for you.")
SWITCHED_OFF = N_("AI edits are switched off at the moment. Exact edits like “crop to a square” still work.")
OVER_PERSON = N_("You have used up today's AI edits. Exact edits like “rotate 90 degrees” are always free.")
OVER_PERSON_MONTH = N_("You have used up this month's AI edits. Exact edits like “rotate 90 degrees” are always free.")
OVER_CHAT_MONTH = N_(
    "The AI budget of this chat is used up for this month. Exact edits like “rotate 90 degrees” are always free."
)
# TRANSLATORS: {time} is such as "5 minutes"
OVER_YOUR_TURNS = N_("You have asked for a lot within the last hour. You can go on in about {time}.")
# TRANSLATORS: {time} is such as "5 minutes"
OVER_TURNS_HERE = N_("A lot has been asked for here within the last hour. It goes on in about {time}.")
EXACT_STILL = N_("Exact edits like “rotate 90 degrees” still work.")
# TRANSLATORS: of an edit that waits; {time} is such as "5 minutes"
BEGINS_IN = N_("It should begin in about {time}.")
# TRANSLATORS: {time} is such as "5 minutes"
MODEL_FULL = N_("The image model takes no more from this bot for now. Please try again in about {time}.")
OVER_HOUSE = N_("The AI budget for today is used up here. Exact edits like “rotate 90 degrees” are always free.")
CANCELLED = N_("Cancelled.")
BROKEN = N_("Something broke on our side. Nothing was lost; please try once more.")
GONE = N_("The picture is not there any more, so I could not work on it.")
INTERRUPTED = N_("This was interrupted twice while it was being made. Please send it again.")
TOO_SLOW = N_("The image model took too long. Please try again in a little while.")
NOT_KEPT = N_("The picture was made, but it could not be kept. The host has been told; please try again later.")
ENGINE_GONE = N_("The engine that this needs is not set up here any more.")
UNKNOWN_PRESS = N_("I don't know that button any more. Please reply to the picture instead.")
TOO_LATE = N_("That can't be cancelled any more, or it is somebody else's.")
DELETE_ASKS = N_("Delete this picture for everybody?")
DELETED = N_("It is deleted.")
NOT_YOUR_BUTTON = N_("That button is for somebody else.")
FORGET_ASKS = N_(
    "I would erase all that I keep of you: your pictures, your words, what was made of them, and my answers that show "
    "it. That can't be undone. What you have said of your own pictures in /settings stays, so that it goes on holding."
)
OUT_OF_REACH = N_("What others have saved or passed on, and messages that are not mine to delete, I can't reach.")
IT_GOES_ON = N_("I keep a lot of you, so this takes a while. It goes on by itself until everything is erased.")
SAVED = N_("Saved. It holds from now on.")


def joined(*parts: str) -> str:
    """Sentences after one another; those that are empty are left out. Where a sentence ends with a wide stop, as in
    Chinese and Japanese, no space follows it."""
    said = ""
    for part in filter(None, parts):
        said += part if not said or said.endswith(_WIDE_STOPS) else f" {part}"
    return said


_WIDE_STOPS = ("。", "？", "！")


def as_said(instruction: str) -> str:
    """An instruction as it is shown to people: their own words, or ours in their language."""
    return tr(LARGER) if instruction == LARGER else instruction


def names_of(people: Sequence[Person]) -> str:
    """Their names, for a sentence."""
    # TRANSLATORS: in place of a name
    return listed([each.name or tr("the owner of the picture") for each in people])


def would_rather_not(name: str) -> str:
    """For a picture whose owner said no. `name` may be empty."""
    if not name:
        return tr("Whoever sent it would rather not have that picture edited, so I leave it alone.")
    return tr("{name} would rather not have that picture edited, so I leave it alone.").format(name=name)


def forgotten(turns: int, messages: int, pictures: int, number: str) -> str:
    """After somebody was forgotten."""
    # TRANSLATORS: stands in "Done. 2 edits, 3 messages and 4 pictures are erased."
    edits = ngettext("{count} edit", "{count} edits", turns).format(count=turns)
    # TRANSLATORS: stands in "Done. 2 edits, 3 messages and 4 pictures are erased."
    said = ngettext("{count} message", "{count} messages", messages).format(count=messages)
    # TRANSLATORS: stands in "Done. 2 edits, 3 messages and 4 pictures are erased."
    shown = ngettext("{count} picture", "{count} pictures", pictures).format(count=pictures)
    done = tr("Done. {edits}, {messages} and {pictures} are erased.")
    return joined(done.format(edits=edits, messages=said, pictures=shown), tr(OUT_OF_REACH), _receipt(number))


def being_forgotten(number: str) -> str:
    """After somebody asked to be forgotten of whom so much is kept that it takes a while."""
    return joined(tr(IT_GOES_ON), tr(OUT_OF_REACH), _receipt(number))


def _receipt(number: str) -> str:
    return tr("Receipt: {number}").format(number=number)


def still_asked(name: str) -> str:
    """For one question more than somebody is asked at once."""
    return tr("{name} has not answered what you asked before. Please wait for that first.").format(name=name)


def not_answered(names: str) -> str:
    """For a picture whose owner never answered."""
    return tr("{names} did not answer, so I left the picture alone.").format(names=names)


def asks_you(name: str) -> str:
    """Calls the owner of a picture."""
    if not name:
        return tr("Somebody would like to edit your picture. May they? Please answer above.")
    return tr("{name} would like to edit your picture. May they? Please answer above.").format(name=name)


def waits_for(names: str) -> str:
    """While the owner of a picture is asked."""
    return tr("Waiting for {names} to say yes.").format(names=names)


def steps_between(count: int) -> str:
    """In a drawn tree, where so many steps are left out."""
    # TRANSLATORS: in small letters at the edge of a picture of a tree, at most 40 characters
    return ngettext("1 step between", "{count} steps between", count).format(count=count)


def too_long(chars: int, most: int) -> str:
    """For an instruction of `chars` characters where `most` are read."""
    return ngettext(
        "That is {chars} character. Please say it in at most {most}, and I will get to work.",
        "That is {chars} characters. Please say it in at most {most}, and I will get to work.",
        chars,
    ).format(chars=f"{chars:,}", most=f"{most:,}")


def too_many(images: int, most: int) -> str:
    """For more images than one turn takes."""
    return ngettext(
        "That is {images} picture; I can work on {most} at once. Please send fewer.",
        "Those are {images} pictures; I can work on {most} at once. Please send fewer.",
        images,
    ).format(images=images, most=most)


def fewer(asked: int, most: int) -> str:
    """For an album of more pictures than there can be."""
    return ngettext(
        "You asked for {asked} picture. I make {most} at once, so here are {most}.",
        "You asked for {asked} pictures. I make {most} at once, so here are {most}.",
        asked,
    ).format(asked=asked, most=most)


def stand_in(model: str, instead_of: str, *, gone: bool) -> str:
    """For a result of the model that came second."""
    if gone:
        said = tr("{instead_of} is not offered any more, so {model} made this.")
    else:
        said = tr("{instead_of} was too busy, so {model} made this.")
    return said.format(instead_of=instead_of, model=model)


def misspelled(seen: str) -> str:
    """For lettering that came out wrong twice."""
    short = " ".join(seen.split())[:200]
    if not short:
        return tr("The lettering can't be read, even after a second try.")
    return tr("The lettering reads “{seen}”, even after a second try.").format(seen=short)


def heard(words: str) -> str:
    """What was understood of a voice message, so that a mishearing is seen."""
    return tr("Heard: “{words}”").format(words=words)


def not_understood(part: str, *, ai_missing: bool) -> str:
    """For words that no engine at hand can follow."""
    if ai_missing and part:
        said = tr("AI edits are not set up here, and I do not know how to do “{part}” exactly. These would work:")
    elif ai_missing:
        said = tr("AI edits are not set up here, and I do not know how to do that exactly. These would work:")
    elif part:
        said = tr("I do not know how to do “{part}”. These would work:")
    else:
        said = tr("I do not know how to do that. These would work:")
    return said.format(part=part)
