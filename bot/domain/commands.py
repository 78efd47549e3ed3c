"""Commands that are answered with words: help, settings, usage. Those that make pictures are wishes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from bot.domain.access import OF_ONES_OWN
from bot.domain.actions import Act, Press
from bot.domain.chats import ChatSettings, with_mark
from bot.domain.consent import DEFAULT_POLICY, Policy, Standing
from bot.domain.labels import Profile
from bot.domain.language import N_, pgettext, tr

HELP = (
    N_(
        "Reply to a picture with what you want changed, or send one along with your words. "
        "Reply to my answers, too, and go on from any of them."
    ),
    N_(
        "Try “remove the car on the left”, “put the style of picture 1 on picture 2”, “write ‘Open’ on the sign” "
        "or “remove the background”."
    ),
    N_("No picture at hand? “Draw a fox in the snow”, or “six panels of a fox who finds a hat” for a story."),
    N_(
        "Say “4 variations”, “in 2K”, “as a phone wallpaper”, or ask “which bird is that?”. "
        "Cropping, turning and the like are exact, and always free."
    ),
    N_("/presets has looks for one tap, /recipes what this chat has kept. /arena makes two to vote on."),
    N_(
        "/tree shows how a picture grew: “from 3: …” goes on from any of it. /compare puts two side by side, "
        "/share makes a link."
    ),
    N_(
        "/mine says what holds for your own pictures, /withdraw takes one back. /cast gives somebody a name, "
        "/taste keeps your wishes."
    ),
    N_("/verify says where a picture comes from."),
    N_("/imagine, /story, /variations and /explain do what they say, and so do /usage and /settings."),
)
"""What can be said, one paragraph each."""


def help_words() -> str:
    """All of it, a paragraph on each line."""
    return "\n".join(tr(each) for each in HELP)


NAMES = (
    "usage",
    "settings",
    "help",
    "start",
    "tree",
    "compare",
    "preset",
    "presets",
    "recipe",
    "recipes",
    "replay",
    "mine",
    "withdraw",
    "cast",
    "taste",
    "leaderboard",
    "share",
    "unshare",
    "verify",
    "join",
    "operator",
)
_COMMAND = re.compile(rf"\s*/({'|'.join(NAMES)})(?:@\w{{1,64}})?(?:\s+|$)", re.IGNORECASE)
_MOST_ARGUMENTS = 4
_ARGUMENTS_CHARS = 200
_ON_OR_OFF = {"on": True, "yes": True, "an": True, "off": False, "no": False, "aus": False}


@dataclass(frozen=True, slots=True)
class Command:
    """`name` without its “/”; `arguments` are the first words behind it, in lower case."""

    name: str
    arguments: tuple[str, ...] = ()
    rest: str = field(default="", compare=False)
    """All that stands behind the name, as it was written."""


RECIPE_BY_ID = "recipe#"
"""What pressing a recipe asks for: no words begin a command of that name."""


def pressed_command(press: Press) -> Command | None:
    """The command that a control stands for. None for those that are no command."""
    match press.act:
        case Act.PRESET:
            return Command("preset", (press.argument,), press.argument)
        case Act.RECIPE:
            return Command(RECIPE_BY_ID, (press.argument,), press.argument)
        case Act.MINE:
            return Command("mine", (press.argument,))
        case Act.WITHDRAW:
            return Command("withdraw", ("yes",))
        case Act.SHARE | Act.UNSHARE:
            return Command(press.act.value, (press.argument,))
        case _:
            return None


def read_command(text: str) -> Command | None:
    """The command that a message is. None for all other words, unknown commands among them."""
    match = _COMMAND.match(text)
    if match is None:
        return None
    words = text[match.end() : match.end() + _ARGUMENTS_CHARS].lower().split()
    return Command(match[1].lower(), tuple(words[:_MOST_ARGUMENTS]), text[match.end() :].strip())


def is_of_ones_own(text: str) -> bool:
    """Whether somebody decides by these words about what is theirs. Nothing else is to be done for such a message: it
    is taken from people who are kept out, too."""
    command = read_command(text)
    return command is not None and command.name in OF_ONES_OWN


_POLICY_WORDS = {
    # TRANSLATORS: goes on "As for pictures that people send: …", without a full stop
    Policy.OFF: N_("nobody's pictures are edited here"),
    # TRANSLATORS: goes on "As for pictures that people send: …", without a full stop
    Policy.OWN: N_("everybody may have their own pictures edited here"),
    # TRANSLATORS: goes on "As for pictures that people send: …", without a full stop
    Policy.ASK: N_("other people's pictures are edited once their owner has said yes"),
    # TRANSLATORS: goes on "As for pictures that people send: …", without a full stop
    Policy.ALL: N_("everybody's pictures may be edited here"),
}
_STANDING_WORDS = {
    Standing.UNSAID: N_("You are asked before somebody has a picture of yours edited."),
    Standing.HERE: N_("Everybody in this chat may have your pictures edited."),
    Standing.NEVER: N_("Nobody but you may have your pictures edited, here or anywhere else."),
}
_STANDINGS = {"ask": Standing.UNSAID, "here": Standing.HERE, "never": Standing.NEVER}


_BY_WORDS = frozenset({Policy.OFF, Policy.OWN, Policy.ASK})
"""By words anybody in a chat decides: that others' pictures need no yes is not among it."""


def policy_words(policy: Policy) -> str:
    """What is decided for a chat, as a part of a sentence."""
    return tr(_POLICY_WORDS[policy])


def standing_words(standing: Standing) -> str:
    """What somebody has said of their own pictures, to themselves."""
    return tr(_STANDING_WORDS[standing])


def said_of_mine(arguments: tuple[str, ...]) -> Standing | None:
    """What somebody says of their own pictures, as in ("mine", "never"). None where that is not said."""
    match arguments:
        case ("mine" | "my-pictures", said) if said in _STANDINGS:
            return _STANDINGS[said]
        case _:
            return None


def settings_words(settings: ChatSettings, standing: Standing) -> str:
    """What this chat has set and what the asker has said, and how to change it."""
    ideas = tr(
        "Next ideas under each picture are {suggestions}, and asking back instead of guessing is {questions}. "
        "To change that, say “/settings suggestions {other_suggestions}” or “/settings questions {other_questions}”."
    ).format(
        suggestions=_state(settings.suggestions),
        questions=_state(settings.questions),
        other_suggestions=_keyword(not settings.suggestions),
        other_questions=_keyword(not settings.questions),
    )
    pictures = tr(
        "As for pictures that people send: {policy}. “/settings pictures” and one of off, own, ask changes that."
    ).format(policy=policy_words(settings.consent or DEFAULT_POLICY))
    mine = tr("{standing} “/settings mine” and one of ask, here, never changes that.")
    labels = tr("{labels} “/settings label” and one of default, visible, eu, cn changes that.")
    return "\n".join(
        (ideas, pictures, mine.format(standing=standing_words(standing)), labels.format(labels=_labels_words(settings)))
    )


def _labels_words(settings: ChatSettings) -> str:
    match settings.profile:
        case None | Profile.DEFAULT:
            return tr("What AI has made is labelled in words and in its file.")
        case Profile.VISIBLE:
            return tr("What AI has made is labelled in words, in its file, and by a mark in the picture.")
        case Profile.CN:
            return tr("What AI has made is labelled as China's rules ask for, with a mark in the picture.")
        case Profile.EU:
            return tr("What AI has made is labelled in the words of the European Union, and in its file.")


def apply_setting(settings: ChatSettings, arguments: tuple[str, ...]) -> ChatSettings | None:
    """The settings with one of them turned on or off, as in ("suggestions", "off"), or with another policy, as in
    ("pictures", "ask"), or profile of labels, as in ("label", "visible"). None where that is not said."""
    match arguments:
        case ("suggestions" | "suggestion", state) if state in _ON_OR_OFF:
            return replace(settings, suggestions=_ON_OR_OFF[state])
        case ("questions" | "question", state) if state in _ON_OR_OFF:
            return replace(settings, questions=_ON_OR_OFF[state])
        case ("pictures" | "picture", policy) if policy in _BY_WORDS:
            return replace(settings, consent=Policy(policy))
        case ("mark", state) if state in _ON_OR_OFF:
            return with_mark(settings, on=_ON_OR_OFF[state])
        case ("label" | "labels", profile) if profile in set(Profile):
            return replace(settings, profile=Profile(profile) if profile != Profile.DEFAULT else None)
        case _:
            return None


def _state(on: bool) -> str:
    # TRANSLATORS: in "Next ideas under each picture are on, and asking back instead of guessing is off."
    return pgettext("a setting is", "on") if on else pgettext("a setting is", "off")


def _keyword(on: bool) -> str:
    """What is written behind the command, in every language."""
    return "on" if on else "off"
