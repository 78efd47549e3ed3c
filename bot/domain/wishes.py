"""What a person wants, beyond their words: said by pressing something, or read from the words themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.formats import is_transparent, ratio_in, size_in
from bot.domain.imagining import imagines, refers, says_nothing, tells_of_a_picture
from bot.domain.imagining import is_vague as _is_vague
from bot.domain.language import N_, is_offer
from bot.domain.plain import MOST_CHARS, NUMBER, POLITELY, Cue, Plain, cue, number_of, plain_of
from bot.domain.questions import asks, demands, wants_drawing
from bot.domain.quotes import texts_to_write

MOST_VARIATIONS = 4
MOST_PANELS = 8


class Kind(StrEnum):
    """What is to come of it."""

    EDIT = "edit"
    """A picture is changed."""
    IMAGINE = "imagine"
    """A picture from words alone. Only where no picture was meant."""
    EXPLAIN = "explain"
    """A question is answered: in words, with a picture where that helps."""


class Form(StrEnum):
    """Whether one picture is wanted, or an album of turns."""

    ONE = "one"
    STORY = "story"
    """Panels in order, with their words and the same characters throughout."""
    VARIATIONS = "variations"
    """Different takes on the same request."""
    ARENA = "arena"
    """Two results to choose between (`bot.domain.arena`)."""


class Manner(StrEnum):
    """How freely the words are followed."""

    PLAIN = "plain"
    EXACTLY = "exactly"
    """Follow the words and change nothing else."""
    SURPRISE = "surprise"
    """Take liberties."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One turn's request, as far as it is not words.

    `count` is how many turns the album has (1 for `Form.ONE`). `ratio` as "16:9", empty to keep the input's; `size` as
    "2K", empty for the model's own default. `lettering` are the texts that must be legible in the result, exactly so.
    `from_original` where all that was asked on the path is to be done on the thread's original in one go. `drawn`: an
    explanation must have a picture.
    """

    kind: Kind = Kind.EDIT
    form: Form = Form.ONE
    manner: Manner = Manner.PLAIN
    count: int = 1
    ratio: str = ""
    size: str = ""
    transparent: bool = False
    lettering: tuple[str, ...] = ()
    from_original: bool = False
    drawn: bool = False


PLAIN_WISH = Wish()


def larger_wish(wish: Wish, size: str) -> Wish:
    """For a result once more in a larger size: what must not be lost on the way."""
    return Wish(size=size, transparent=wish.transparent, lettering=wish.lettering)


# TRANSLATORS: a suggestion for an edit by AI. Pressing it says it; at most 40 characters
WITHOUT_BACKGROUND = N_("remove the background")
"""What is offered to say, which is understood in every language that it is offered in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message asks for. `words` is the instruction without a leading command. `asked_for` is how many pictures
    were asked for where that is more than there can be, else 0."""

    words: str
    wish: Wish
    asked_for: int = 0


def read_wish(text: str, *, images: int) -> Asked:
    """What these words ask for. Reads any text (its first `MOST_CHARS` characters) and raises nothing.

    `images` is how many pictures are at hand, 0 only where none was meant: nothing else becomes `Kind.IMAGINE`.
    """
    command, words = _command_of(text)
    plain = plain_of(words)
    album = _ONE if command == "explain" else _album(command, plain)
    if command in (Form.STORY, Form.VARIATIONS):
        album, words = _numbered(album, words)
    most = {Form.STORY: MOST_PANELS, Form.VARIATIONS: MOST_VARIATIONS, Form.ARENA: 2, Form.ONE: 1}[album.form]
    kind = _kind(command, plain, album, images)
    wish = Wish(
        kind=kind,
        form=album.form,
        manner=_manner(plain),
        count=min(album.number, most),
        ratio=ratio_in(plain),
        size=size_in(plain),
        transparent=is_transparent(plain) or is_offer(words, WITHOUT_BACKGROUND),
        lettering=texts_to_write(words[:MOST_CHARS]),
        from_original=_FROM_ORIGINAL.find(plain) is not None,
        drawn=kind is Kind.EXPLAIN and (command == "explain" or wants_drawing(plain)),
    )
    return Asked(words, wish, album.number if album.number > most else 0)


_POINTS_AT_ONE = re.compile(
    r"\b(?:this|that|these|those|the|my|attached|above) (?:photo|picture|image|pic|drawing|screenshot)s?\b"
    r"|^\W*(?:what|who|which [\w ]{1,40}?)(?:'s|\s+(?:is|are|was))\s+(?:this|that|these|those|it|he|she|they)\b"
    r"|^\W*(?:him|her|it|them|this|that|these|those|me|us|the same)\b",
    re.IGNORECASE,
)


def points_at_a_picture(words: str) -> bool:
    """Whether a question or a wish to draw means a picture that should be there ("which bird is that?", "him as a
    pirate")."""
    return _POINTS_AT_ONE.search(words[:MOST_CHARS]) is not None


def is_vague(text: str) -> bool:
    """Whether the words mean a picture without naming anything that could be drawn ("make it brighter")."""
    return _is_vague(_command_of(text)[1])


# --- commands

_COMMAND = re.compile(r"\s*/(imagine|explain|story|variations?|arena|edit)(?:@\w{1,64})?(?:\s+|$)", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"(\d{1,2})(?:\s+(?:panels?|pictures?|images?|variations?|versions?)(?:\s+of)?)?(?:\s+|$)")


def _command_of(text: str) -> tuple[str, str]:
    """The command's name, empty where there is none, and the words behind it."""
    match = _COMMAND.match(text)
    if match is None:
        return "", text.strip()
    name = match[1].lower()
    return ("variations" if name == "variation" else name), text[match.end() :].strip()


# --- albums


@dataclass(frozen=True, slots=True)
class _Album:
    """How many pictures the words ask for. `start` and `end` are where they say so in plain text; else where its first
    word stands."""

    form: Form
    number: int = 1
    start: int = 2
    end: int = 2


_ONE = _Album(Form.ONE)
_USUAL_PANELS = 4

_START = rf" [.?:,]{POLITELY}{{0,8}}"
_MAKER = (
    r"(?: (?:make|create|generate|draw|paint|give|show|do|get|have|try|see|tell|write|design|produce|send|render"
    r"|illustrate|imagine|erstelle|zeichne|male|mach|mache|zeig|gib|erzahle?|haz|hazme|dame|crea|dibuja|cuenta|cuentame"
    r"|fais|donne|cree|dessine|raconte)(?: me| us| mir| uns| moi| nous)?)"
)
_PANELS = r"(?:panels?|panele|vignettes?|vinetas?|cases)"
_PARTS = (
    r"(?:panels?|pictures?|images?|scenes?|frames?|parts?|chapters?|drawings?|illustrations?|photos?|steps?|bildern?"
    r"|szenen|teilen|vignettes?|vinetas?|cases|imagenes|dibujos|partes|dessins)"
)
_KINDS = (
    r"(?: (?:different|separate|single|consecutive|comic|cartoon|manga|story|little|short|funny|picture|step by step))"
)
_TALE = (
    r"(?:(?:comic|cartoon|manga|picture|photo) strips?|comics?|manga|cartoon|storyboard|story|tale|strip|sequence"
    r"|series|(?:bilder)?geschichte|comicstrip|historia|historieta|tira(?: comica)?|histoire|bande dessinee|bd|marchen)"
)
_STORY_WORDS = (
    "panel panels panele vignette vignettes vineta vinetas cases comic comics manga cartoon storyboard story tale strip"
    " strips sequence series geschichte bildergeschichte comicstrip historia historieta tira histoire dessinee bd"
    " scenes scene steps stages marchen"
)
_TELLS_IN_PARTS = (
    cue(
        _STORY_WORDS,
        rf"(?:{_START}{_MAKER}?(?: an?)?| (?:in|into|as|across|over)(?: an?)?| (?:it|this|that) an?)(?: exactly|"
        rf" just)? (?P<number>{NUMBER}){_KINDS}{{0,2}} (?:{_PANELS}|scenes)(?! (?:doors?|windows?|on the|to the))",
    ),
    cue(
        _STORY_WORDS,
        rf" {_TALE}(?: [\w',]+){{0,14}}? (?:with|in|of|over|across|mit|con|en|avec|de|aus)(?: exactly)?"
        rf" (?P<number>{NUMBER}){_KINDS}{{0,2}} {_PARTS}",
    ),
    cue(
        _STORY_WORDS,
        rf" (?P<number>{NUMBER}) {_PARTS} (?:{_TALE}|(?:that )?tell(?:ing)?(?: (?:a|the|me a))? story)",
    ),
    cue("steps stages", rf" (?:show|illustrate|draw|explain|depict)(?: [\w']+){{0,10}}? in (?P<number>{NUMBER})(?:"
        rf" \w+)? "
        r"(?:steps|stages)"),
)  # fmt: skip
_STRIP = r"(?:(?:comic|cartoon|photo|picture) strip|storyboard|picture story|photo story)"
_NO_STRIP = r"(?! (?:style|look|filter|effect|panel|artist|character|for instagram))"
_AND_ADJECTIVES = (
    r"(?: (?!(?:in|instagram|insta|ig|facebook|whatsapp|snapchat|two|three|of|with|from|and|the|an?|reading|holding"
    r"|writing|telling)\b)[\w']+){0,3}?"
)
_TELLS = (
    cue(
        _STORY_WORDS,
        rf"{_START}{_MAKER}?(?: an?| the| eine?| die| una?| une)?{_AND_ADJECTIVES}"
        r" (?:story|tale|geschichte|marchen|historia|histoire)(?= (?:about|of|with|where|in which|featuring|starring"
        r"|von"
        r"|uber|mit|sobre|de|sur|d'une?|:) )",
    ),
    cue(
        _STORY_WORDS,
        rf"{_START}{_MAKER}?(?: an?| the| eine?| die| una?| une)?{_AND_ADJECTIVES}"
        rf" (?:{_STRIP}|bildergeschichte|comicstrip|tira comica|bande dessinee){_NO_STRIP}",
    ),
    cue(
        _STORY_WORDS,
        rf" (?:turn|convert|transform|make)(?: [\w']+){{1,4}} (?:into|as) an?(?: \w+)? (?:{_STRIP}|story){_NO_STRIP}",
    ),
    cue(
        _STORY_WORDS,
        r" (?:tell|erzahle?|cuenta|cuentame|raconte)(?: me| us| mir| uns| moi| nous)?"
        r" (?:an?|the|its|his|her|their|eine|die|una|la|une|l')(?: \w+){0,2}? ?(?:story|tale|geschichte|historia"
        r"|histoire)",
    ),
)
_IN_ONE_PICTURE = cue(
    "page sheet picture image photo canvas frame collage grid split divide cut slice separate side each montage"
    " moodboard board triptych diptych mosaic comicseite",
    r" (?:(?:comic|manga|comic book|storyboard|contact|character|model|reference) (?:page|sheet)|(?:one|single|1)"
    r" (?:\w+ )?(?:picture|image|photo|page|sheet|canvas|frame) (?:with|of|that|containing|split|divided|showing|made)|"
    r"(?:in|on|into|as|onto) (?:one|a single|the same|1)(?: \w+)? (?:picture|image|photo|page|sheet|canvas"
    r"|frame)|collage|(?:in|as|into) an? (?:\w+ )?grid|(?:split|divide|cut|slice|separate)(?: [\w']+){1,3} into|side"
    r" by side|next to each other|montage|mood ?board|triptych|diptych|mosaic|comicseite|page (?:with|of))",
)

_TAKES = (
    r"(?:variations?|variants?|versions?|takes|options|ideas|alternatives?|interpretations|drafts|proposals|concepts"
    r"|designs|suggestions|variationen|varianten|versionen|vorschlage|ideen|variaciones|versiones|opciones|variantes"
    r"|propuestas|alternativas|variantes|idees|propositions)"
)
_TAKES_WORDS = (
    "variation variations variant variants version versions takes options ideas alternative alternatives"
    " interpretations drafts proposals concepts designs suggestions variationen varianten versionen vorschlage ideen"
    " variaciones versiones opciones variantes propuestas alternativas idees propositions styles ways"
)
_ADJECTIVES = (
    r"(?: (?!(?:of|with|in|on|to|for|from|and|the|it|this|that|him|her|put|by|people|small|big)\b)[\w']+){0,2}?"
)
_VARIES = (
    cue(
        _TAKES_WORDS,
        rf"(?:{_START}{_MAKER}?| (?:in|as|try|again with))(?: a| the| it in)? (?P<number>{NUMBER})(?: of)?{_ADJECTIVES}"
        rf" {_TAKES}"
        r"(?! (?:on (?:the|his|her)|of (?:him|her|me|them|it)(?: [\w']+){1,4} (?:together|each other)))",
    ),
    cue("more", rf"{_START}{_MAKER} (?P<number>{NUMBER}) more(?= (?:[.,?]|please|of (?:it|this|these|those)))"),
    cue("styles ways", rf" in (?P<number>{NUMBER}) different (?:\w+ )?(?:styles|ways)"),
    cue(
        "pictures images photos drawings paintings illustrations sketches logos posters wallpapers icons avatars"
        " portraits renders bilder imagenes fotos logotipos",
        rf"{_START}{_MAKER} (?P<number>{NUMBER}){_ADJECTIVES} (?:pictures|images|photos|drawings|paintings"
        rf"|illustrations"
        r"|sketches|logos|posters|wallpapers|icons|avatars|portraits|renders|bilder|imagenes|fotos|logotipos)(?= (?:of"
        r"|for|with|showing|von|mit|de|con|:) )",
    ),
)
_VARIES_SOMEHOW = (
    cue(
        "variations versions variants takes variationen varianten variaciones variantes",
        rf"{_START}{_MAKER}?(?: some| several| multiple| many| more| different| other| various| einige| mehrere"
        rf"| verschiedene| algunas| varias| plusieurs| quelques){{0,3}} (?:variations|variants|variationen|varianten"
        r"|variaciones|variantes|(?<=several )versions|(?<=different )versions|(?<=multiple )versions|(?<=some"
        r" )versions"
        r"|(?<=different )takes|(?<=several )takes)",
    ),
)


def _album(command: str, plain: Plain) -> _Album:
    found = _read_album(plain)
    match command:
        case "story":
            return found if found.form is Form.STORY else _Album(Form.STORY, _USUAL_PANELS)
        case "arena":
            return _Album(Form.ARENA, 2)
        case "variations":
            return found if found.form is Form.VARIATIONS else _Album(Form.VARIATIONS, MOST_VARIATIONS)
        case _:
            return found


def _read_album(plain: Plain) -> _Album:
    if _IN_ONE_PICTURE.find(plain):
        return _ONE
    for form, counted, somehow, usual in (
        (Form.STORY, _TELLS_IN_PARTS, _TELLS, _USUAL_PANELS),
        (Form.VARIATIONS, _VARIES, _VARIES_SOMEHOW, MOST_VARIATIONS),
    ):
        if match := _first(counted, plain):
            number = number_of(match["number"])
            return _Album(form, number, *match.span()) if number > 1 else _ONE
        if match := _first(somehow, plain):
            return _Album(form, usual, *match.span())
    return _ONE


def _first(wanted: Sequence[Cue], plain: Plain) -> re.Match[str] | None:
    return next((match for one in wanted if (match := one.find(plain))), None)


def _numbered(album: _Album, words: str) -> tuple[_Album, str]:
    """The album with the number that stands right behind the command, and the words without it."""
    match = _LEADING_NUMBER.match(words)
    if match is None or int(match[1]) < 2:
        return album, words
    return _Album(album.form, int(match[1])), words[match.end() :]


# --- what is to come of it


def _kind(command: str, plain: Plain, album: _Album, images: int) -> Kind:
    match command:
        case "edit" | "arena":
            return Kind.EDIT
        case "explain":
            return Kind.EXPLAIN
        case "imagine":
            return Kind.EDIT if images else Kind.IMAGINE
        case _ if album.form is Form.ONE:
            if asks(plain):
                return Kind.EXPLAIN
            return Kind.IMAGINE if images == 0 and imagines(plain) else Kind.EDIT
        case _:
            return Kind.IMAGINE if images == 0 and _album_from_words(command, plain, album) else Kind.EDIT


def _album_from_words(command: str, plain: Plain, album: _Album) -> bool:
    """Whether the album is described by the words themselves."""
    if says_nothing(plain.text) or tells_of_a_picture(plain, album.start, album.end):
        return False
    if imagines(plain):
        return True
    rest = plain.text[album.end :]
    if command:
        return not (demands(plain) or refers(rest))
    if album.form is Form.STORY:
        return True
    return rest.startswith((" of ", " for ", " von ", " fur ", " de ", " d'un", " : ")) and not says_nothing(rest)


# --- how, and how much

_EXACTLY = cue(
    "else exactly rest sonst nada rien",
    r" (?:nothing else|anything else|do exactly|exactly (?:this|that|as (?:i|asked|written|told|described))|(?:keep"
    r"|leave) (?:everything else|(?:all )?the rest|all else)|sonst nichts|nada mas|rien d'autre)",
)
_SURPRISE = cue(
    "surprise creative wild crazy liberties uberrasch uberrasche sorprendeme surprends surprenez",
    r" (?:surprise (?:me|us)|be creative|get creative|go (?:wild|crazy)|take liberties|uberrasche? (?:mich|uns)"
    r"|sorprendeme|surprends moi|surprenez moi)",
)
_FROM_ORIGINAL = cue(
    "original",
    rf" (?:(?:start|begin|redo|re do|do|again|once more|repeat|rebuild|remake|regenerate|reapply|apply|try|rework"
    rf"|nochmal|noch einmal|neu)(?: [\w']+){{0,5}}|[.,:]{POLITELY}{{0,8}}) (?:from|on|to|with|using|vom|mit dem|auf dem"
    rf"|desde|a partir de)"
    r" (?:the |my |el |del )?(?:very )?(?:original|l'original)",
)


def _manner(plain: Plain) -> Manner:
    if _EXACTLY.find(plain):
        return Manner.EXACTLY
    return Manner.SURPRISE if _SURPRISE.find(plain) else Manner.PLAIN
