"""Whether words describe a picture themselves, or mean one that stands somewhere.

“Draw a fox” needs no picture; “draw a hat on him” does, and so it never becomes a picture from words alone.
"""

from __future__ import annotations

import re

from bot.domain.plain import NUMBERS, POLITELY, Plain, cue, plain_of, sentence_from, words_of

_START = rf" [.?:,]{POLITELY}{{0,8}}"

_PICTURE = (
    r"(?:pictures?|images?|photos?|photographs?|pics?|paintings?|drawings?|illustrations?|sketch(?:es)?|logos?|posters?"
    r"|wallpapers?|portraits?|icons?|avatars?|banners?|cartoons?|comics?|stickers?|emojis?|memes?|infographics?"
    r"|diagrams?|postcards?|cards?|flyers?|covers?|renders?|renderings?|artworks?|patterns?|landscapes?|mockups?|maps?"
    r"|pixel art|(?:colou?ring|comic|manga) pages?|tattoos?|flags?|watercolou?rs?|selfies?|scenes?|graphics?|visuals?"
    r"|blueprints?|thumbnails?|doodles?|caricatures?|headers?|headshots?|storyboards?|mascots?|invitations?|snapshots?"
    r"|emblems?|crests?|backdrops?|artwork|(?:concept |line |clip ?|album |fan )?art|bild|bilder|foto|fotos|gemalde"
    r"|zeichnung|imagen|imagenes|dibujo|cuadro|dessin|tableau|affiche|plakat|cartel)"
)
_A = (
    r"(?:an?|some|one|\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|ein|eine|einen|un|una|une|unos|unas|des|zwei"
    r"|drei|vier|dos|tres|deux|trois)"
)
_IT = (
    r"(?:it|this|that|these|those|him|her|them|he|she|they|us|myself|everyone|everybody|both|ihn|ihm|ihr|ihnen|das|dies"
    r"|dieses|diesen|esto|este|esta|eso|lui|leur|ca|cela|ceci|celui ci)"
)
_HIM = r"(?:it|this|that|these|those|him|them|me|her(?= (?:[.,?]|in|on|and|as) )|ihn|ihm|ihr|lui)"
_THE_PICTURE = (
    r"(?:(?:the|this|that|these|those|my|his|her|their|our|das|dieses|dem|la|esta|cette)(?: (?:same|last|first|second"
    r"|original|attached|previous|above|uploaded))? (?:pictures?|photos?|images?|pics?|photographs?|original"
    r"|screenshots?|selfies?|snapshots?|one|bild|foto|imagen))"
)
_ON_BODY = (
    r"(?:head|face|nose|eyes?|mouth|lips?|hair|ears?|arms?|hands?|fingers?|nails?|legs?|feet|foot|chest|back|neck"
    r"|cheeks?|forehead|shirt|t shirt|jacket|jumper|dress|hat|beard|skin|teeth|chin|shoulders?|wrist|car|house|wall)"
)
_COLOUR = (
    r"(?:red|blue|green|yellow|white|black|pink|purple|orange|gr[ea]y|brown|gold|golden|silver|turquoise|rot|blau|grun"
    r"|gelb|schwarz|weiss|rojo|azul|verde|rouge|bleu|vert)"
)

_DRAW = cue(
    "draw paint sketch imagine illustrate doodle render visualize visualise generate create design zeichne zeichnet"
    " male mal malt generiere erzeuge erstelle dibuja dibujame dibujar pinta pintame imagina genera crea creame"
    " dessine dessinez dessiner peins genere cree creer generar crear",
    rf"{_START} (?:(?:draw|paint|sketch|imagine|illustrate|doodle|render|visuali[sz]e|zeichnet?|mal[et]?|dibuja(?:me"
    rf"|r)?"
    r"|pinta(?:me)?|imagina|dessine[rz]?|peins)(?: up| out)?|(?P<made>generate|create|design|generiere|erzeuge|erstelle"
    r"|genera(?:r|me)?|crea(?:r|me)?|genere|creer?))"
    rf"(?: (?:me|us|mir|uns|moi|nous)(?= (?:{_A}|the|my|your|our|something|anything) ))?(?: please)?",
)
_DRAW_LAST = cue("zeichnen malen", rf"{_START}(?P<object> {_A}(?: [\w']+){{1,12}}) (?:zeichnen|malen)")
_PICTURE_OF = cue(
    "picture pictures image images photo photos photograph photographs pic pics painting paintings drawing drawings"
    " illustration illustrations sketch sketches logo logos poster posters wallpaper wallpapers portrait portraits"
    " icon icons avatar avatars banner banners cartoon cartoons comic comics sticker stickers emoji emojis meme memes"
    " infographic diagram postcard postcards card cards flyer flyers cover covers render rendering artwork artworks"
    " art clipart pattern patterns landscape landscapes mockup map maps page pages tattoo tattoos flag flags"
    " watercolor watercolour selfie scene scenes graphic visual blueprint thumbnail thumbnails doodle caricature"
    " header headshot storyboard mascot invitation snapshot emblem crest backdrop bild bilder foto fotos gemalde"
    " zeichnung imagen imagenes dibujo cuadro dessin tableau affiche plakat cartel",
    rf"{_START}(?P<make> (?:(?:make|create|generate|design|produce|draw|paint|sketch|render|build|compose|craft|get"
    rf"|have|see"
    r"|do|erstelle|erzeuge|mach|mache|haz|hazme|crea|creame|fais|cree)(?: me| us| mir| moi| nous)?|(?:give|show|send"
    r"|bring)"
    rf" (?:me|us)|zeig mir|montre moi))?(?: {_A})?(?P<what>(?: (?!(?:of|with|in|on|to|for|from|and|the|it|this|that"
    rf"|him|her|put|add|remove|make)\b)[\w']+){{0,4}}?) {_PICTURE}",
)
_REFERS = re.compile(
    rf"(?: (?:just|only|again|over|on|around|behind|under|in|like))?(?: {_IT}(?! :)| me(?! (?:{_A}|the) )| (?:my|his"
    rf"|their)| (?:all )?{_THE_PICTURE}"
    r"| (?:the|der|den) (?:background|foreground|hintergrund|rest|whole thing|same|other one))(?= )"
)
_MADE_OF_IT = re.compile(
    rf"(?: [\w']+){{0,6}}? (?:of|from|like|using|based on|out of|von|aus)(?: all)? (?:{_IT}|me|{_THE_PICTURE}|(?:my|his"
    rf"|their) (?!own )\w+)(?= )"
)
_WITH_IT = re.compile(rf"(?: [\w']+){{0,4}}? (?:with|mit|con|avec) (?:{_HIM}|{_THE_PICTURE})(?= )")
_ADDS = re.compile(
    rf" {_A}(?: (?!(?:with|and|who|that|wearing|holding|having|carrying|looking|sitting|standing|for"
    rf"|of)\b)[\w']+){{1,4}}"
    r" (?:on|onto|over|around|behind|under|beside|next to|to|above|below|near|between|in front of|auf|an|neben|hinter"
    r"|sur"
    rf"|sobre)(?: top of)? (?:(?:him|them|it|this|that|me|us|ihn|ihm|lui|her|everyone)(?= [.,?]| and )|(?:his|her|my"
    rf"|their|our)(?: \w+)? {_ON_BODY}(?= )"
    r"|the (?:man|woman|guy|girl|boy|dog|cat|baby|child|kid|person|people|bride|groom|left|right)(?= [.,?]))"
)
_ON_THE_PICTURE = re.compile(
    rf" (?:on|onto|to|into|from|like|using|behind|over|around|in) {_THE_PICTURE}(?! (?:should|must|is|has) )(?= )"
)
_SPEAKS_OF_PICTURES = cue(
    "picture pictures photo photos image images pic pics attached uploaded provided",
    r" (?:(?:attached|uploaded|provided|given|reference|first|second|third|last|previous) (?:pictures?|photos?|images?"
    r"|pics?)|(?:picture|photo|image|pic) (?:# )?\d)",
)
_PAINTS_OVER = re.compile(
    rf" (?:the|my|his|her|our|their|all|everything|den|die|das)(?: [\w']+){{1,3}} (?:in )?{_COLOUR}(?= [.,?]| and )"
)
_ANYTHING = re.compile(rf" (?:{_A}|the|something|anything|whatever|me|us) ")
_NO_SUBJECT = re.compile(
    r"(?: (?!of )[\w']+){0,5} (?:versions?|variations?|variants?|cop(?:y|ies)|duplicates?|collages?|masks?|effects?"
    r"|blur|vignette|borders?|frames?|shadows?|reflections?|glow|gradients?|depth|contrast|mirror|takes?|options?"
    r"|ideas?|alternatives?|space|room|story|stories|strip|panels?|comics?)(?= )"
)
_DESCRIBED = re.compile(
    r" (?:of|showing|with|depicting|for|where|in which|that|about|featuring|von|mit|de|del|con|avec|d'une?|:) "
)
_TURNS_IT = re.compile(rf" (?:(?!me |that tell){_HIM}|{_THE_PICTURE}|my \w+)(?= )")
_ABOUT_IT = re.compile(
    rf"(?: [\w']+){{0,3}}? (?:about|of|on|with|from|for|starring|featuring|using|over|uber|sobre|sur) (?:{_HIM}"
    rf"|{_THE_PICTURE}|(?:my|his|their) \w+|her)(?= )"
)
_WHICH_REFERS = re.compile(rf"(?: {_IT}| my| his| her| their| our)(?= )")

_VAGUE = words_of(
    # who and which
    "it this that these those him her them he she they me my mine i you your us we our his its their theirs one ones"
    " thing things stuff everything something anything all both some any same other another person people man woman guy"
    " girl boy face faces eyes hair skin someone everyone somebody subject here there what which whole bit part parts"
    " rest"
    # how sentences are held together
    " a an the and or but so then now just also only more most less least much very really quite too even still again"
    " please pls thanks thank ok okay yes no not don't dont can could would will should is are was be look looks"
    " looking like as in on at to of for from with without by into up down out off over way if it's that's let's lot"
    " little bit back than do does hi hello hey try maybe want need i'd i'll help better best good nice nicer nicest"
    " great cool cooler pretty prettier beautiful awesome amazing perfect perfectly professional fancy fun funny"
    " funnier different new newer old older clean cleaner clear clearer sharp sharper bright brighter dark darker light"
    " lighter warm warmer cold colder soft softer big bigger large larger small smaller high higher low lower wide"
    " wider tall taller long shorter short normal natural realistic vivid colorful colourful sexy pop magic magical"
    " properly right left top bottom corner side middle center centre slightly fix"
    # what is done to pictures
    " make makes making made fix fixed improve improved enhance enhanced change changed edit edited modify adjust tweak"
    " correct restore retouch remove removed delete erase crop cut rotate turn flip mirror resize scale upscale zoom"
    " blur blurry sharpen brighten darken lighten colorize colourize recolor filter clean convert redo undo start over"
    " get give set put add use keep show see variations variation version versions takes take options option ideas idea"
    " alternatives times"
    # what pictures have
    " picture pictures image images photo photos pic pics photograph drawing quality resolution background foreground"
    " colour colours color colors contrast brightness saturation lighting exposure noise grain style square circle"
    " format size ratio degrees percent transparent white black red blue green yellow orange pink purple brown gray"
    " grey sepia"
    # albums
    " story stories panel panels comic comics strip storyboard cartoon tell told scenes scene frames frame parts steps"
    " another"
    # German, Spanish, French
    " mach mache macht es das sie ihn den die der ein eine besser schoner heller dunkler bitte bild foto entferne weg"
    " und haz hazlo mas mejor la lo el imagen por favor quita fais le mieux plus l'image enleve"
) | frozenset(NUMBERS)


def imagines(plain: Plain) -> bool:
    """Whether the words ask for a picture that they describe themselves, and refer to none."""
    if _SPEAKS_OF_PICTURES.find(plain):
        return False
    drawn = _DRAW.find(plain)
    if drawn:
        said = sentence_from(plain.text, drawn.end())
        if not drawn["made"] or (_ANYTHING.match(said) and not _NO_SUBJECT.match(said)):
            return not refers(said)
    last = _DRAW_LAST.find(plain)
    if last and not refers(f"{last['object']} . "):
        return True
    return _names_a_picture(plain)


def tells_of_a_picture(plain: Plain, start: int, end: int) -> bool:
    """Whether the sentence around `start` … `end`, which ask for an album, means a picture that stands somewhere:
    "turn this into a comic strip", "a story about him"."""
    beginning = max(plain.text.rfind(" . ", 0, start + 1), 0)
    return bool(_TURNS_IT.search(plain.text, beginning, end + 1) or _ABOUT_IT.match(sentence_from(plain.text, end)))


def refers(said: str) -> bool:
    """Whether what is to be drawn means a picture that stands somewhere: "it again", "a hat on him". `said` is plain
    text up to the end of a sentence."""
    return len(said.strip(" .?,")) == 0 or any(
        (
            _REFERS.match(said),
            _MADE_OF_IT.match(said),
            _WITH_IT.match(said),
            _ADDS.match(said),
            _PAINTS_OVER.match(said),
            _ON_THE_PICTURE.search(said),
        )
    )


def is_vague(text: str) -> bool:
    """Whether the words mean a picture without naming anything that could be drawn ("make it brighter")."""
    return says_nothing(plain_of(text).text)


def says_nothing(said: str) -> bool:
    """The same, of plain text."""
    return all(word in _VAGUE or not word[0].isalpha() for word in said.split())


def _names_a_picture(plain: Plain) -> bool:
    """ "A picture of a fox", "make me a logo for a bakery"."""
    match = _PICTURE_OF.find(plain)
    if match is None:
        return False
    rest = sentence_from(plain.text, match.end())
    if _MADE_OF_IT.match(rest) or _WITH_IT.match(rest) or _ON_THE_PICTURE.search(rest):
        return False
    if _WHICH_REFERS.match(f"{match['what']} ") or says_nothing(match.group() + rest):
        return False
    return bool(match["make"] or _DESCRIBED.match(rest))
