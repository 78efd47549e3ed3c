"""The shape, the size and the ground of a result, where the words ask for them. A thing in the picture asks for none:
“make a poster of this” does, “put a poster on the wall” does not."""

from __future__ import annotations

import math
import re

from bot.domain.plain import Cue, Plain, cue

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "1:4", "4:1", "1:8", "8:1")
"""What image models can make (the widest list of any, November 2026)."""

_VALUES = {ratio: math.log(int(ratio.split(":")[0]) / int(ratio.split(":")[1])) for ratio in RATIOS}

_NAMED = {
    "9:16": r"(?:phone|mobile|iphone|android|smartphone|samsung|pixel|handy|vertical) (?:wallpapers?|backgrounds?)"
    r"|lock ?screens?(?: wallpapers?| backgrounds?)?|wallpapers? for (?:my |a |the )?(?:phone|mobile|iphone|android"
    r"|cell ?phone)|(?:instagram|insta|ig|facebook|whatsapp|snapchat) (?:story|stories|reels?)|(?:instagram )?reels?"
    r"|tiktoks?(?: videos?)?|youtube shorts?",
    "3:4": r"(?:trading|pokemon|baseball|playing|tarot|yugioh|magic) cards?|flyers?|magazine covers?",
    "1:1": r"(?:\w+ )?avatars?|profile (?:picture|photo|pic|image)s?|pfps?|(?:app |desktop |discord |server )?icons?"
    r"|favicons?|emojis?|(?:album|single|podcast|playlist|spotify) covers?|(?:album|cover) art|instagram posts?",
    "2:3": r"(?:movie |film |concert |event |travel |gig |wanted |propaganda )?posters?|(?:book|novel) covers?"
    r"|bookmarks?",
    "3:2": r"(?:greeting|birthday|christmas|xmas|holiday|invitation|thank you|valentines?|valentine's|wedding|easter"
    r"|get well|mother's day|father's day|new year's?|post)? ?cards?|postcards?|postkarte|invitations?",
    "21:9": r"(?:(?:web|website|twitter|x|linkedin|facebook|youtube|discord|etsy|blog|email|page|profile|channel) )?"
    r"(?:banners?|headers?)(?: images?| pictures?| photos?)?|cover photos?",
    "16:9": r"(?:(?:desktop|computer|pc|laptop|mac|windows|screen|zoom|teams) )?(?:wallpapers?|backdrop for zoom)"
    r"|(?:desktop|zoom|teams) backgrounds?|(?:youtube |video )?thumbnails?|(?:powerpoint |keynote )?slides?",
}
_PORTRAIT_CARD = re.compile(r" (?:portrait|vertical|upright)(?= )")
_NAMES = "|".join(_NAMED.values())
_NAMED_AT_END = tuple((ratio, re.compile(rf" (?:{pattern})$")) for ratio, pattern in _NAMED.items())
_NAME_WORDS = (
    "wallpaper wallpapers backdrop background backgrounds thumbnail thumbnails slide slides lockscreen lockscreens"
    " screen screens story stories reel reels tiktok tiktoks short shorts avatar avatars picture photo pic image"
    " pictures photos pics images pfp pfps icon icons favicon favicons emoji emojis cover covers art post posts poster"
    " posters bookmark bookmarks card cards flyer flyers postcard postcards postkarte invitation invitations banner"
    " banners header headers"
)

_ADJECTIVE = (
    r"(?: (?!(?:with|of|in|on|at|and|or|to|for|from|by|as|into|onto|like|holding|reading|who|that|which|wearing|behind"
    r"|near|the|a|an|his|her|their|is|are|it|this|him|them|sitting|standing|looking|has|have|having|playing|next|under"
    r"|over|above|beside|carrying|hanging|picture|photo|image|give|make|draw|put|add|page|sketch|business"
    r"|credit)\b)[\w']+){0,3}"
)
_ONE = r"(?: (?:a|an|one|my|our|the|some|new|another|two|three|four|2|3|4|5|6|ein|eine|einen|un|une))"
_MAKER = (
    r"(?:(?:make|create|generate|design|produce|draw|paint|render|build|imagine|craft)(?: me| us| it| this| that|"
    r" these)?|(?:give|show|get|send|bring) (?:me|us)|(?:i|we) (?:want|need)|(?:i'd|would) (?:like|love)|can i (?:have"
    r"|get))"
)
_AS = (
    r"(?:as|into|(?:make|format|crop|extend|expand|resize|adapt|set|use)(?: [\w']+){1,3} for|(?:turn|convert|change"
    r"|transform|make|format|crop|resize|adapt) (?:it|this|that|these|them|(?:the|my|this|that) (?:picture|photo|image"
    r"|drawing|pic)) to|(?:suitable|good|usable|perfect|ready|fit|right|size|sized|meant|is|it|this|use) for)"
)
_STAYS = (
    r"(?! (?:(?:[\w']+ ){0,2}(?:on|onto|behind|above|over|across|under|beside|next|held|hanging) (?:the|his|her|their"
    r"|its|a|an|it|him|them|my|our|top)|in(?:to)? (?:his|her|their|its|the) (?!style)|(?:\w+ )?(?:bigger|smaller|larger"
    r"|brighter|more|less|text|table|game|holder|frame|players?|readers?)))"
)
"""What follows a name that is a thing in the picture."""

_WANTED: tuple[Cue, ...] = (
    cue(_NAME_WORDS, rf" {_AS}{_ONE}?{_ADJECTIVE} (?:{_NAMES}){_STAYS}"),
    cue(_NAME_WORDS, rf" {_MAKER}(?: (?:a|an|one|my|our|some|new|another|two|three|four|[2-6]|ein|eine|einen|un|une))"
        rf"{_ADJECTIVE} (?:{_NAMES}){_STAYS}"),
    cue(_NAME_WORDS, rf" [.:](?: (?:please|hi|hello|hey|ok|,)){{0,4}}(?: (?:a|an|my|one|new))?{_ADJECTIVE} (?:{_NAMES})"
        r"(?= (?:of|with|for|showing|about|featuring|version|format|size|please|[.,:?]|<>|in (?!the|his|her|a|my"
        r"|their)))"),
    cue(_NAME_WORDS, rf" (?:{_NAMES})(?= (?:format|sizes?|sized|dimensions|ratio|aspect|shape|layout|orientation"
        rf"|proportions)"
        r" )"),
    cue("phone wallpaper wallpapers background lock lockscreen avatar profile pfp icon header banner thumbnail story"
        " reel reels tiktok stories shorts instagram", r" for (?:my|our|a|an|the|your|his|her)?(?: new)? ?"
        rf"(?:{_NAMES}){_STAYS}"),
)  # fmt: skip

_SHAPES: tuple[tuple[str, Cue], ...] = (
    ("9:16", cue("story reel reels", r" (?:story|reels?|tiktok|shorts) (?:format|size|ratio|mode)")),
    ("21:9", cue(
        "cinematic cinemascope ultrawide ultra anamorphic",
        r" (?:(?:cinematic|cinema|anamorphic|film|movie) (?:wide ?screen|wide|format|ratio|aspect|crop|frame|framing"
        r"|shape)|cinemascope|ultra ?wide(?: screen)?)",
    )),
    ("16:9", cue("widescreen wide", r" (?:widescreen|wide screen)(?! (?:tv|television|monitor|display))")),
    ("1:1", cue(
        "square squared",
        r" squared? (?:(?:picture|image|photo|logo|poster|icon|format|avatar|drawing|painting|illustration|wallpaper"
        r"|card|sticker|portrait|version|cover|banner|aspect|ratio|crop|composition|post|thumbnail|artwork"
        r"|canvas)s?)(?! (?:on|onto|frames?|hanging|behind) )",
    )),
    ("3:4", cue(
        "portrait vertical upright hochformat vertically",
        r" (?:(?:portrait|vertical|upright) (?:format|orientation|mode|layout|image|picture|version|aspect|ratio"
        r"|shape)|(?:make|made|turn) (?:it|this|that|him|her|them) (?:portrait|vertical|upright)(?= [.,])|hochformat)",
    )),
    ("4:3", cue(
        "landscape horizontal querformat horizontally",
        r" (?:(?:landscape|horizontal) (?:format|orientation|mode|layout|image|picture|version|aspect|ratio|shape)"
        r"|(?:make|made|turn) (?:it|this|that|him|her|them) (?:landscape|horizontal)(?= [.,])|querformat)",
    )),
)  # fmt: skip

_EXPLICIT = re.compile(r" (?P<w>\d{1,2}(?:\.\d\d?)?):(?P<h>\d{1,2}(?:\.\d\d?)?)(?= )")
_SPOKEN = cue(
    "by x x9 x16 16x9 9x16 21x9 4x5", r" (?:(?P<x>16x9|9x16|21x9|4x5)|(?P<w>16|9|21|4) (?:by|x) (?P<h>9|16|5))"
)
_SAYS_RATIO = re.compile(r" (?:ratio|aspect|format|formatted|proportions?|crop|cropped)(?= )")
_NO_RATIO = re.compile(
    r" (?:score|clock|clocks|time|watch|oclock|o'clock|at|until|till|since|says|say|shows?|psalm|john|verse|scale)(?:"
    r" (?:the|is|of|to|a|like))?$"
)

_FOUR_K = r"(?:[48]k|uhd|ultra hd|ultra high (?:definition|resolution|def))"
_TWO_K = (
    r"(?:2k|qhd|(?:much |even )?(?:higher|better|bigger|larger|greater|high|hi|full|more) ?(?:resolution|res)|hires"
    r"|(?:upscale|upscaled|upscaling|up scale|enlarge it)|(?:larger|bigger) (?:file|image size|picture size|version))"
)
_THING = (
    r"(?! (?:tvs?|television|monitors?|screens?|displays?|cameras?|projector|video|followers|people|likes|euros?"
    r"|dollars?|run))"
)
_SIZES = (
    ("4K", cue(
        "4k 8k uhd ultra",
        rf" (?:(?:in|to|at|as|,|\.|make it|with|a|an|full|true|native) (?:full |true )?{_FOUR_K}{_THING}|{_FOUR_K}(?="
        rf" (?:resolution|quality|version|image|picture|photo|wallpaper|size|please|[.,])))",
    )),
    ("2K", cue(
        "2k qhd resolution res hires upscale upscaled upscaling scale enlarge hi file version size",
        rf" (?<!not )(?<!don't )(?<!no )(?<!than ){_TWO_K}{_THING}",
    )),
)  # fmt: skip


def ratio_in(plain: Plain) -> str:
    """The shape that the words ask for, as "16:9"; empty where they ask for none. What is said in figures goes first,
    and the last of it counts ("from 4:3 to 16:9")."""
    return _in_figures(plain) or _by_shape(plain) or _by_name(plain)


def size_in(plain: Plain) -> str:
    """ "2K" or "4K"; empty where the words ask for no size."""
    return next((size for size, wanted in _SIZES if wanted.find(plain)), "")


def nearest_ratio(width: float, height: float) -> str:
    """The ratio that comes closest to that of these sides, both above 0."""
    wanted = math.log(width / height)
    return min(RATIOS, key=lambda ratio: abs(_VALUES[ratio] - wanted))


def _in_figures(plain: Plain) -> str:
    says_ratio = _SAYS_RATIO.search(plain.text) is not None
    found = ""
    for match in _EXPLICIT.finditer(plain.text):
        width, height = float(match["w"]), float(match["h"])
        exact = f"{match['w']}:{match['h']}"
        if not (exact in RATIOS or says_ratio) or min(width, height) < 0.1:
            continue
        if says_ratio or not _NO_RATIO.search(plain.text, max(0, match.start() - 40), match.start()):
            found = exact if exact in RATIOS else nearest_ratio(width, height)
    if not found and (spoken := _SPOKEN.find(plain)):
        sides = spoken["x"].replace("x", ":") if spoken["x"] else f"{spoken['w']}:{spoken['h']}"
        found = sides if sides in RATIOS else ""
    return found


def _by_shape(plain: Plain) -> str:
    return next((ratio for ratio, wanted in _SHAPES if wanted.find(plain)), "")


def _by_name(plain: Plain) -> str:
    for wanted in _WANTED:
        match = wanted.find(plain)
        if match:
            ratio = next((ratio for ratio, name in _NAMED_AT_END if name.search(match.group())), "")
            return "2:3" if ratio == "3:2" and _PORTRAIT_CARD.search(plain.text) else ratio
    return ""


# --- transparency

_GROUND = r"(?:backgrounds?|bg|backdrop|hintergrund|fondo|fond|(?:l')?arriere plan)"
_GROUND_WORDS = (
    "background backgrounds bg backdrop hintergrund fondo fond arriere l'arriere transparent transparency alpha"
    " transparente transparenter transparenten"
)
_TRANSPARENT = cue(
    _GROUND_WORDS,
    rf" (?:transparent(?:er|en|em|e)? {_GROUND}|{_GROUND}(?: (?:to be|to|into|be|is|as|completely|fully|should|made"
    rf"|with|ist"
    r"|a|el|en)){0,3} (?:transparent|transparency|transparente|see through|invisible)(?= (?:[.,?]|and|so|but|please"
    r"|pls|with|for|on|in|now|instead|background|layer|png|bitte|again|too) )|transparent (?:png|webp|sticker|cut ?out"
    r"|file|layer)|alpha(?: channel)?|(?:with|keep|has) (?:real |true )?transparency|(?:on|over) (?:a )?transparent)",
)
_NEGATED = re.compile(r" (?:no|not|without|isn't|don't|dont|never)(?: [\w']+){0,2}$")
_UNWANTED = re.compile(r" (?:remove|replace|fill|change|instead of|color|colour|paint)(?: [\w']+){0,2}$")
_WITHOUT_GROUND = cue(
    _GROUND_WORDS,
    r" (?:remove|removing|delete|erase|drop|cut out|cut away|get rid of|take away|take out|strip|lose|without|no|knock"
    r" out|eliminate|quitar?|eliminar?|borra|supprime[rz]?|enleve[rz]?|retire[rz]?|sans|sin|ohne|entferne)(?: (?:the"
    r"|its|his|her|their|this|that|my|all|any|an?|den|el|le|whole|entire|white|green|black|blue|gr[ae]y|photo|image"
    rf"|picture|existing|current|messy|plain)(?:'s)?){{0,3}} {_GROUND}"
    r"(?= (?:[.,?]|and|then|so|from|of|in|but|please|pls|completely|entirely|fully|behind|for|around|to|only|image|as"
    r"|bitte|por|s'il|totally|leaving|while|too|also|de|del|du|von) )",
)
_CUT_FREE = cue(
    "cut cutout isolate isolated removed free freistellen freigestellt frei entfernen detoure detourer detourez",
    r" (?:cut(?:ting)? out (?:the|this|that|my|his|her|just|only)(?! (?:noise|middle|bottom|top|left|right|edges?"
    r"|borders?|text|watermark|logo|people|background|part))|cut (?:the|him|her|it|me|them|my|this)(?: \w+){0,3} out(?!"
    r" of)|cut ?out of"
    rf"|isolated?|{_GROUND} (?:removed|free|entfernen|weg|loschen)|freistellen|freigestellt|stell\w*(?: \w+){{1,4}}"
    rf" frei"
    r"|detoure[rz]?)",
)
_GROUND_AGAIN = re.compile(
    r"[^?]{0,70}? (?:(?:and|then|[.,])(?: then| and)? (?:replace|fill|put|place|set|swap|use|insert|paste|change|move"
    r"|drop|add (?:an?|the|some)(?: \w+){0,3} (?:background|backdrop|sky|beach)|(?:make|color|colour|paint) (?:it|the"
    r" background|that)(?: (?:an?|all|plain|solid|pure))* (?:white|black|red|blue|green|yellow|pink|grey|gray|purple"
    r"|orange|beige|brown|blurr?y|into))|on(?:to)? (?:an? |the )?(?!transparent )(?:\w+ )?(?:white|black|background"
    r"|backdrop|beach)|in the background) "
)


def is_transparent(plain: Plain) -> bool:
    """Whether the background is to be gone, with nothing in its place."""
    said = _TRANSPARENT.find(plain)
    if (
        said
        and not _is_negated(said)
        and not (said.group().startswith(" transparent") and _stands_before(_UNWANTED, said))
    ):
        return True
    gone = _WITHOUT_GROUND.find(plain) or _CUT_FREE.find(plain)
    return gone is not None and not _is_negated(gone) and not _GROUND_AGAIN.match(plain.text, gone.end())


def _is_negated(match: re.Match[str]) -> bool:
    return _stands_before(_NEGATED, match)


def _stands_before(pattern: re.Pattern[str], match: re.Match[str]) -> bool:
    return pattern.search(match.string, max(0, match.start() - 40), match.start()) is not None
