"""What each of several pictures is for, as far as the words say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from bot.domain.language import N_, listed, tr
from bot.domain.plain import NUMBERS, plain_of, words_of


class Purpose(StrEnum):
    """What an input is for in a request with several pictures."""

    CANVAS = "canvas"
    """The one to edit: the result keeps its framing and its shape."""
    STYLE = "style"
    """Its style is taken, nothing that it shows."""
    SUBJECT = "subject"
    """Whoever or whatever it shows goes into the canvas."""
    BACKGROUND = "background"
    """Its place or scenery goes behind the canvas's subject."""
    PART = "part"
    """One of several that become one picture together."""
    PANEL = "panel"
    """An earlier panel of the same story: its characters and style go on."""


Purposes = tuple[Purpose | None, ...]
"""One per picture, in order; None where nothing is said of it."""


def with_canvas(purposes: Sequence[Purpose | None], number: int) -> Purposes:
    """The same with that picture, counted from 1, as the one to edit; the one before takes what it was for. Where
    there was none, the parts go into it. A number that is not there changes nothing."""
    if not 1 <= number <= len(purposes):
        return tuple(purposes)
    changed = list(purposes)
    if Purpose.CANVAS in changed:
        changed[changed.index(Purpose.CANVAS)] = changed[number - 1]
    else:
        changed = [Purpose.SUBJECT if purpose is Purpose.PART else purpose for purpose in changed]
    changed[number - 1] = Purpose.CANVAS
    return tuple(changed)


_READ_AS = {
    # TRANSLATORS: what a picture was taken for: "Picture 1: the style"
    Purpose.CANVAS: N_("the one to edit"),
    # TRANSLATORS: what a picture was taken for: "Picture 1: the style"
    Purpose.STYLE: N_("the style"),
    # TRANSLATORS: what a picture was taken for: "Picture 1: the style"
    Purpose.SUBJECT: N_("what goes into it"),
    # TRANSLATORS: what a picture was taken for: "Picture 1: the style"
    Purpose.BACKGROUND: N_("the background"),
    # TRANSLATORS: what a picture was taken for: "Picture 1: the style"
    Purpose.PART: N_("parts of one picture"),
    # TRANSLATORS: what a picture was taken for: "Picture 1: the style"
    Purpose.PANEL: N_("an earlier panel"),
    # TRANSLATORS: what a picture was taken for: "Picture 1: the style"
    None: N_("for reference"),
}


def roles_line(purposes: Sequence[Purpose | None]) -> str:
    """What people read: "Picture 1: the style · Picture 2: the one to edit". Empty where there are not two."""
    if len(purposes) < 2:
        return ""
    numbers: dict[Purpose | None, list[int]] = {}
    for number, purpose in enumerate(purposes, 1):
        numbers.setdefault(purpose, []).append(number)
    return " · ".join(_taken_for(found, tr(_READ_AS[purpose])) for purpose, found in numbers.items())


def _taken_for(numbers: Sequence[int], role: str) -> str:
    if len(numbers) == 1:
        return tr("Picture {number}: {role}").format(number=numbers[0], role=role)
    return tr("Pictures {numbers}: {role}").format(numbers=listed([str(each) for each in numbers]), role=role)


# --- reading

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NTH = rf"(?:{'|'.join(_ORDINALS)}|1st|2nd|3rd|[4-9]th|1[0-4]th|last|final|other)"
_NOUN = r"(?:pictures?|photos?|images?|pics?|imgs?|photographs?|shots?)"
_NAMED = re.compile(
    rf" (?:(?:the )?{_NOUN} (?:number |no |nr )?(?:# )?(?P<number>\d{{1,2}}|one|two|three|four|five|six|seven|eight"
    rf"|nine|ten)|(?:number |no )?# (?P<hash>\d{{1,2}})|(?:the |my )?(?P<nth>{_NTH}) (?:{_NOUN}|one)|the"
    rf" (?P<bare>{_NTH})(?= (?:on|in|into|onto|to|with|and|as|for|from|please|but|is|should|look|like|[.,?]))"
    rf"|(?:(?:both|these|those|the)(?: of)?(?: the| these)?|all(?: of)?(?: the| these)?)(?: two| three| four)?"
    rf" {_NOUN}(?! \d))"
    r"(?P<owns>'s)?(?= )"
)
_BEFORE_FIGURE = words_of(
    "of from on onto into in to with like and , put place use take combine merge blend swap make mix insert ."
)
_AFTER_FIGURE = words_of("on onto into in to and as with look looks like from . , ?")
_IN_ONE_TO_ANOTHER = re.compile(
    r" (?:in|of|on) (@\d+)(?= (?:in|into|onto|to|on)(?: the(?! (?:style|look|mood|colou?rs) )(?: [\w']+){1,2} (?:of|in"
    r"|from|on))? @)"
)
_AT = re.compile(r" @(\d+)(?= )")

_LOOK = (
    r"(?:(?:art |painting |visual )?style|look|colou?rs?|colou?r (?:palette|grading|scheme)|palette|mood|lighting"
    r"|texture|aesthetics?|vibe)"
)
_STYLE = re.compile(
    rf" (?:{_LOOK} (?:of|from|in|like) @(?P<a>\d+)(?: (?:and|,) @(?P<b>\d+))?|@(?P<c>\d+) 's (?:\w+ )?{_LOOK}"
    r"|@(?P<d>\d+) (?:as|for|is|gives|defines) (?:the |an? |my )?style|(?:like|match|matches) @(?P<e>\d+)|stylized?"
    r" (?:like|as|after) @(?P<f>\d+))(?= )"
)
_PLACE = r"(?:background|backdrop|scenery|setting|scene|place|landscape)"
_BACKGROUND = re.compile(
    rf" (?:@(?P<a>\d+) (?:as|for|is|be) (?:the |an? |my |its )?(?:new )?{_PLACE}|(?:use|take|with|add|insert|on|in"
    rf" front of|against|and|to|into|in) (?:the )?{_PLACE} (?:of|from|in) @(?P<b>\d+)|(?:replace|change|swap)(?:"
    rf" [\w']+){{0,2}} {_PLACE}(?: (?:of|in|from) @\d+)? (?:with|to|by|for) (?:that of )?(?:the (?:{_PLACE}|one) (?:of"
    rf"|from|in) )?@(?P<c>\d+)|(?:in front of|against) @(?P<d>\d+)|@(?P<e>\d+) 's {_PLACE})(?= )"
)
_TAKES_BACKGROUND_OUT = re.compile(
    rf" (?:remove|delete|erase|blur|clear|cut out)(?: [\w']+){{0,2}} {_PLACE}(?: of| from| in)? @(?P<a>\d+)(?= )"
)
_SWAP = re.compile(
    r" (?:(?:swap|switch|exchange|trade)(?: [\w'@]+){0,6}? (?:faces?|heads?|bodies|hair|hairstyles|clothes|outfits)"
    r"|face ?swap|(?:swap|switch|exchange)(?: [\w']+){1,3} (?:of|in|between|from) @\d+ and(?: [\w']+){0,4}? @\d+)(?= )"
)
_THEM = r"(?:these|them|all|both|everything|everyone|@\d+|the two|the three|the pictures|the photos|the images|my)"
_TOGETHER = re.compile(
    r" (?:(?:combine|merge|fuse|stitch|mash|unite)(?= (?:.|the|into|in|@))|(?:combine|merge|fuse|stitch|mash|unite"
    r"|blend|mix|join)"
    rf"(?: up)? {_THEM}|(?:group|family|team|class) (?:photo|picture|portrait|shot)"
    r"|(?:put|bring|get|place|show)(?: [\w'@]+){1,3} together|(?:in|into|as) (?:one|a single|the same) (?:\w+"
    r" )?(?:photo|picture|image|scene|collage)|(?:one|a single) (?:photo|picture|image) (?:of|from|out of|with) (?:all"
    r"|them|these|both)|collage|side by side|next to each other|standing together)(?= )"
)
_TAKES_OUT = re.compile(
    r" (?:remove|delete|erase|crop|cut|blur|get rid of|drop)(?: [\w']+){1,6}? (?:from|in|of|on) @(?P<a>\d+)(?= )"
)
_IS_CANVAS = re.compile(
    r" @(?P<a>\d+) (?:as|is) (?:the |my )?(?:base|canvas|main(?: one| picture| image| photo)?|one to edit)(?= )"
)
_ONTO = r"(?:in|into|onto|on|to|inside|over)(?: top of)?"
_INTO = re.compile(
    r" (?:put|place|add|insert|paste|move|bring|drop|transfer|copy|include|set|integrate|photoshop|apply)"
    rf" (?P<what>[^.?]{{1,90}}?) {_ONTO}(?: (?:the|his|her|their)(?: [\w']+){{1,2}} (?:of|in|from|on))?"
    rf" @(?P<canvas>\d+)(?= )"
)
_A_NEW_THING = re.compile(
    r"(?:an? |some |more |the (?:text|words?|title|caption|filter|effect|name|date) |text |words |<>)"
)
_EXCHANGED = re.compile(
    r" (?:replace|swap|exchange|substitute|change)(?: [\w']+){1,5}?(?: (?:in|of|from|on) @(?P<canvas>\d+))? (?:with|by"
    r"|for|to)(?: [\w']+){0,5}?(?: (?:from|of|in|on))? @(?P<subject>\d+)(?= )"
)
_FROM = re.compile(r" (?:from|out of) @(?P<a>\d+)(?= )")
_PART_OF = re.compile(r" (?:from|of|in|on) @(\d+)$|^@(\d+)(?: 's [\w' ]+)?$")


def read_roles(text: str, count: int) -> Purposes | None:
    """What each of `count` pictures is for, as far as the words say; None where they say nothing.

    Reads any text and raises nothing. A picture that is not there is not spoken of.
    """
    if count < 2:
        return None
    said = _with_references(plain_of(text).text, count)
    spoken_of = list(dict.fromkeys(int(number) for number in _AT.findall(said)))
    roles: dict[int, Purpose] = {}
    if _SWAP.search(said):
        return _in_order(_all_parts(roles, spoken_of, count), count)
    _note(roles, _STYLE, said, Purpose.STYLE)
    _note(roles, _TAKES_BACKGROUND_OUT, said, Purpose.CANVAS)
    _note(roles, _BACKGROUND, said, Purpose.BACKGROUND)
    _note(roles, _IS_CANVAS, said, Purpose.CANVAS)
    _note_what_goes_in(roles, said, count)
    if Purpose.CANVAS not in roles.values() and _TOGETHER.search(said):
        return _in_order(_all_parts(roles, spoken_of, count), count)
    _note(roles, _TAKES_OUT, said, Purpose.CANVAS)
    _note(roles, _FROM, said, Purpose.SUBJECT)
    if not roles and len(spoken_of) == 1 and " reference " not in said:
        roles[spoken_of[0]] = Purpose.CANVAS
    return _in_order(_with_a_canvas(roles, spoken_of, count), count) if roles else None


def _with_references(text: str, count: int) -> str:
    """The words with each reference to a picture that is there as "@2", and to all of them as "these"."""
    before = 0

    def named(match: re.Match[str]) -> str:
        nonlocal before
        word = match["number"] or match["hash"] or match["nth"] or match["bare"]
        if word is None:
            return " these"
        number = _number(word, before, count)
        if not 1 <= number <= count:
            return match.group()
        before = number
        return f" @{number} 's" if match["owns"] else f" @{number}"

    tokens = _NAMED.sub(named, text).split()
    figures = [
        at
        for at, token in enumerate(tokens[1:-1], 1)
        if token.isdecimal()
        and len(token) < 3
        and 1 <= int(token) <= count
        and tokens[at - 1] in _BEFORE_FIGURE
        and tokens[at + 1] in _AFTER_FIGURE
    ]
    if len(figures) > 1 or before or not {"style", "background", "faces"}.isdisjoint(tokens):
        for at in figures:
            tokens[at] = f"@{int(tokens[at])}"
    return _IN_ONE_TO_ANOTHER.sub(r" from \1", f" {' '.join(tokens)} ")


def _number(word: str, before: int, count: int) -> int:
    """The number that a word names; `before` is the one named last. 0 where it names none."""
    if word in ("last", "final"):
        return count
    if word == "other":
        return (3 - before if before else 2) if count == 2 else 0
    if word in _ORDINALS:
        return _ORDINALS.index(word) + 1
    digits = word.rstrip("stndrh")
    return int(digits) if digits.isdecimal() else NUMBERS.get(word, 0)


def _note(roles: dict[int, Purpose], pattern: re.Pattern[str], said: str, purpose: Purpose) -> None:
    """The pictures that the pattern's groups name have this purpose, unless they have one."""
    for match in pattern.finditer(said):
        for number in match.groups():
            if number:
                roles.setdefault(int(number), purpose)


def _note_what_goes_in(roles: dict[int, Purpose], said: str, count: int) -> None:
    """ "Put the dog from 3 into 1", "replace him with the man from 2"."""
    for match in _EXCHANGED.finditer(said):
        if match["canvas"] and match["canvas"] != match["subject"]:
            roles.setdefault(int(match["canvas"]), Purpose.CANVAS)
        roles.setdefault(int(match["subject"]), Purpose.SUBJECT)
    for match in _INTO.finditer(said):
        canvas, what = int(match["canvas"]), match["what"]
        if roles.setdefault(canvas, Purpose.CANVAS) is not Purpose.CANVAS:
            continue
        source = _PART_OF.search(what)
        if source:
            roles.setdefault(int(source[1] or source[2]), Purpose.SUBJECT)
            continue
        _note(roles, _FROM, said, Purpose.SUBJECT)
        if Purpose.SUBJECT not in roles.values() and not _AT.search(f" {what} ") and not _A_NEW_THING.match(f"{what} "):
            for number in range(1, count + 1):
                roles.setdefault(number, Purpose.SUBJECT)


def _all_parts(roles: dict[int, Purpose], spoken_of: Sequence[int], count: int) -> dict[int, Purpose]:
    """Those that are named become one picture together, or all where not two are named."""
    free = [number for number in spoken_of if number not in roles]
    if len(free) < 2:
        free = [number for number in range(1, count + 1) if number not in roles]
    return roles | dict.fromkeys(free, Purpose.PART)


def _with_a_canvas(roles: dict[int, Purpose], spoken_of: Sequence[int], count: int) -> dict[int, Purpose]:
    """Something is to be edited: the first picture that is named and has no purpose, or the first that has none."""
    if Purpose.CANVAS in roles.values():
        return roles
    free = [number for number in (*spoken_of, *range(1, count + 1)) if number not in roles]
    if free:
        return roles | {free[0]: Purpose.CANVAS}
    return {number: Purpose.PART if purpose is Purpose.SUBJECT else purpose for number, purpose in roles.items()}


def _in_order(roles: dict[int, Purpose], count: int) -> Purposes:
    return tuple(roles.get(number) for number in range(1, count + 1))
