"""Quoted texts, and which of them are to be written into the picture."""

from __future__ import annotations

import re
from enum import Enum, auto
from itertools import islice

MOST_TEXTS = 4
MOST_TEXT_CHARS = 120
_MOST_LOOKED_AT = 40

QUOTED = re.compile(
    r"""["“”„«»‹›「『'‘’‚] (?:
          (?<=["“”„]) (?<![\d"].) (?=[^\s"“”„]) ([^"“”„]{1,400}) (?<=\S) ["“”]   # double, in any mixture
          | (?<=[«»‹›]) \s? ([^«»‹›]{1,400}) [«»‹›]
          | (?<=[「『]) ([^「」『』]{1,400}) [」』]
          | (?<=['‘’‚]) (?<![\w'‘’‚].) (?=[^\s'‘’‚]) ((?:[^'‘’‚\n]|(?<=\w)['’](?=\w)){1,400}) (?<=\S) ['‘’] (?!\w)
        )""",
    re.VERBOSE | re.DOTALL,
)
"""A quoted text. An apostrophe within a word opens and closes nothing, and neither does the sign of inches."""

_LOOK_BACK_CHARS = 100
_LOOK_AHEAD_CHARS = 60

_SENTENCE = re.compile(r"[.!?;\n](?=\s|$)")
_SAME_AGAIN = re.compile(r"\W*(?:(?:and|or|then|und|oder|y|et|ou)\W*)?", re.IGNORECASE)
_INSTEAD = re.compile(
    r"\b(?:to|into|with|by|but|zu|durch|mit|sondern|por|con|par|en)(?:\W+the \w{2,12})?\W*$|(?:→|->|=>)\s*$"
)
_GONE = re.compile(
    r"\b(?:instead of|in place of|rather than|other than|from|without|not|no|never|anstelle von|statt|ohne|en vez de"
    r"|sin|au lieu de|sans|(?:don.?t|do not|never|nicht|ne pas) (?:\w+ )?(?:write|add|put|print|say))(?: (?:the|a|any"
    r"|saying|word|words|text)){0,2}\W*$"
)
_QUOTES_ONLY = re.compile(
    r"\b(?:style of|look of|like|from|as in|inspired by|based on|scene (?:in|of)|(?:song|film|movie|book|novel|game"
    r"|show|series|band|album|painting)(?: (?:called|named|titled))?)\W*$"
)
_SO_THAT = re.compile(r"\bso (?:that )?(?:it|they|he|she) (?:now )?(?:reads?|says?|spells?)\W*$")
_DOING = re.compile(
    r"\b(?:(?P<take>remov\w+|delet\w+|eras\w+|replac\w+|chang\w+|swap\w*|get rid|rid of|hid(?:e|ing)|drop|lose|correct"
    r"|cover|take|translate|fix|rename|entfern\w*|losch\w*|lösch\w*|ersetz\w*|änder\w*|quita\w*|borra\w*|reemplaza\w*"
    r"|cambia\w*|supprim\w*|enlev\w*|remplac\w*)|(?P<give>writ(?:e|es|ing|ten)|adds?|adding|put|puts|putting|insert"
    r"|place|print|stamp|engrave|type|spell|letter|make|create|draw|paint|design|generate|schreib\w*|füge|fuge"
    r"|escrib\w*|añad\w*|pon|écri\w*|ecri\w*|ajout\w*|mets?))\b"
)
_NAMES_LETTERING = re.compile(
    r"\b(?:writ(?:e|es|ing|ten)|says?|said|saying|reads?|reading|texts?|titles?|titled|captions?|captioned|labels?"
    r"|labell?ed|signs?|words?|letters?|lettering|headlines?|headings?|headers?|slogans?|taglines?|subtitles?|logos?"
    r"|monograms?|tattoos?|inscriptions?|inscribed|engrav\w+|print(?:ed)?|spell(?:s|ing|ed)?|stamp(?:ed)?|typ(?:e|ed)"
    r"|messages?|bubbles?|banners?|badges?|plates?|neon|graffiti|posters?|cover|flyers?|invitations?|cards?|stickers?"
    r"|memes?|watermarks?|wordmarks?|fonts?|schreib\w*|steht|aufschrift|beschrift\w*|titel|schild|schriftzug|escrib\w*"
    r"|dice|diga|diciendo|texto|título|titulo|cartel|letrero|écri\w*|ecri\w*|dit|disant|texte|titre|panneau)\b"
)
_PUTS_IT = re.compile(
    r"\b(?:add|adds|adding|put|puts|insert|place|print|stamp|type|with|ajoute\w*|füge|añade|pon|mets|mit|avec|con)(?:"
    r" (?:the|a|an|big|bold|just|only|den|die|das|el|la|le)){0,2}\W*$"
)
_WRITTEN_THERE = re.compile(
    r"\W*(?:written|in (?:[\w-]+ ){0,4}(?:letters|lettering|fonts?|type|script|handwriting|calligraphy|caps|neon)\b|as"
    r" (?:an? |the |its )?(?:[\w-]+ )?(?:title|caption|text|headline|label|heading|subtitle|watermark|logo|slogan)\b"
    r"|(?:on|across|above|below|under|over) (?:it|the|his|her|their|a|my|top)\b|at the (?:very )?(?:top|bottom)\b"
    r"|(?:drauf|darauf|schreiben|encima|dessus)\b)",
    re.IGNORECASE,
)


class _Fate(Enum):
    """What is to become of a quoted text."""

    WRITTEN = auto()
    TAKEN = auto()
    """It stands in the picture, and is named to be changed."""
    NAMED = auto()
    """A name, a title of something, somebody's words."""


def texts_to_write(text: str) -> tuple[str, ...]:
    """The quoted texts that are to stand in the picture, in order, each once: at most `MOST_TEXTS`, none of them longer
    than `MOST_TEXT_CHARS`. A text that is to be replaced or removed is none of them."""
    found: dict[str, None] = {}
    last, end = _Fate.NAMED, 0
    for match in islice(QUOTED.finditer(text), _MOST_LOOKED_AT):
        between = text[max(end, match.start() - _LOOK_BACK_CHARS) : match.start()]
        after = text[match.end() : match.end() + _LOOK_AHEAD_CHARS]
        last = _fate(between, after, last if end else None)
        end = match.end()
        words = " ".join(match.group(match.lastindex or 0).split())
        if last is _Fate.WRITTEN and 0 < len(words) <= MOST_TEXT_CHARS and words.casefold() != "n":
            found[words] = None
    return tuple(found)[:MOST_TEXTS]


def _fate(between: str, after: str, last: _Fate | None) -> _Fate:
    """`between` is what stands before the text, back to the quoted text before it, whose fate is `last`."""
    if last is not None and _SAME_AGAIN.fullmatch(between):
        return last
    before = _SENTENCE.split(between)[-1].lower() if last is None else between.lower()
    if _SO_THAT.search(before) or (_INSTEAD.search(before) and (last is _Fate.TAKEN or _takes(before))):
        return _Fate.WRITTEN
    if _GONE.search(before) or _takes(before):
        return _Fate.TAKEN
    if _QUOTES_ONLY.search(before):
        return _Fate.NAMED
    if _PUTS_IT.search(before) or _NAMES_LETTERING.search(before) or _WRITTEN_THERE.match(after):
        return _Fate.WRITTEN
    return _Fate.NAMED


def _takes(before: str) -> bool:
    """Whether the last thing to do in these words is to take something away: "erase the sign that says …"."""
    doing = [match.lastgroup for match in _DOING.finditer(before)]
    return bool(doing) and doing[-1] == "take"
