"""The exact engine understands an instruction whole, or not at all."""

from __future__ import annotations

import gettext
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import NotUnderstood
from bot.domain.language import LANGUAGES, speaking, tr
from bot.domain.words import WRITE_IT
from bot.engines.exact import ExactEngine, suggestions
from bot.engines.exact.operations import (
    Adjust,
    BeforeAfter,
    Blur,
    Border,
    Box,
    ClearBackground,
    CropCircle,
    CropPixels,
    CropRatio,
    CropTo,
    CutOff,
    FitWithin,
    Flip,
    Gray,
    Grid,
    Invert,
    MaxBytes,
    Measure,
    Operation,
    Part,
    Pixelate,
    Place,
    Px,
    Quality,
    Remark,
    ResizeSide,
    ResizeTo,
    Rotate,
    RoundCorners,
    SaveAs,
    Scale,
    Sepia,
    Share,
    Sharpen,
    Shift,
    Side,
    SideBySide,
    Sticker,
    TrimBorders,
    Write,
)
from bot.engines.exact.reading import read

HALF = Share(0.5)
LEFT_HALF, RIGHT_HALF = Part(Side.LEFT, HALF), Part(Side.RIGHT, HALF)
TOP_HALF, BOTTOM_HALF = Part(Side.TOP, HALF), Part(Side.BOTTOM, HALF)
BRIGHT, CONTRAST, SATURATION, WARMTH = Quality.BRIGHTNESS, Quality.CONTRAST, Quality.SATURATION, Quality.WARMTH
NOTHING = Px(0)
BOTTOM = Place(0.5, 1)
WHITE, BLACK, RED, BLUE = "#ffffff", "#000000", "#ff0000", "#0000ff"
USUAL = Share(0.09)


def _hello(place: Place = BOTTOM, color: str = WHITE, height: Share | Px = USUAL, *, bold: bool = False) -> Write:
    return Write("Hello", place, color, height, bold)


UNDERSTOOD: dict[str, tuple[Operation, ...] | Operation] = {
    # turning and flipping
    "rotate 90 degrees": Rotate(90),
    "Rotate by 90°": Rotate(90),
    "rotate it 90": Rotate(90),
    "rotate the picture 90 degrees clockwise": Rotate(90),
    "rotate 90 degrees to the left": Rotate(-90),
    "turn it left": Rotate(-90),
    "turn the photo to the right": Rotate(90),
    "rotate counter-clockwise": Rotate(-90),
    "rotate anticlockwise by 30 degrees": Rotate(-30),
    "rotate left by 12.5 degrees": Rotate(-12.5),
    "rotate -10 degrees": Rotate(-10),
    "spin it by a quarter turn": Rotate(90),
    "turn it upside down": Rotate(180),
    "upside-down": Rotate(180),
    "rotate ninety degrees": Rotate(90),
    "flip horizontally": Flip(vertical=False),
    "flip it vertically": Flip(vertical=True),
    "mirror it": Flip(vertical=False),
    "mirror the image vertically": Flip(vertical=True),
    "flip left to right": Flip(vertical=False),
    "Please flip the picture from top to bottom.": Flip(vertical=True),
    # cropping
    "crop to 16:9": CropRatio(16, 9),
    "crop it to a 4:5 ratio": CropRatio(4, 5),
    "crop 3/2": CropRatio(3, 2),
    "crop to 4x5": CropRatio(4, 5),
    "crop to portrait 4:5": CropRatio(4, 5),
    "crop to landscape 3:2": CropRatio(3, 2),
    "crop to a 300 px square": CropPixels(300, 300),
    "cut off the left third and the top half": CutOff((Part(Side.LEFT, Share(1 / 3)), Part(Side.TOP, HALF))),
    "crop to a square": CropRatio(1, 1),
    "make it square": CropRatio(1, 1),
    "crop it square": CropRatio(1, 1),
    "square crop": CropRatio(1, 1),
    "crop to 800x600": CropPixels(800, 600),
    "crop to 800 by 600 pixels": CropPixels(800, 600),
    "crop to 200x100 from the top left": CropPixels(200, 100, Place(0, 0)),
    "crop the picture to 300px × 200px": CropPixels(300, 200),
    "crop to the left half": CropTo(LEFT_HALF),
    "keep only the right half": CropTo(RIGHT_HALF),
    "keep the top third": CropTo(Part(Side.TOP, Share(1 / 3))),
    "crop from 10,20 to 200,300": CropTo(Box(10, 20, 200, 300)),
    "crop 10 px off the left": CutOff((Part(Side.LEFT, Px(10)),)),
    "cut off the bottom 50 px": CutOff((Part(Side.BOTTOM, Px(50)),)),
    "cut 20% from the top": CutOff((Part(Side.TOP, Share(0.2)),)),
    "crop 10 px off the left and right": CutOff((Part(Side.LEFT, Px(10)), Part(Side.RIGHT, Px(10)))),
    "trim 5 pixels from each side": CutOff(tuple(Part(side, Px(5)) for side in Side)),
    "remove the left third": CutOff((Part(Side.LEFT, Share(1 / 3)),)),
    "take a quarter off the top": CutOff((Part(Side.TOP, Share(0.25)),)),
    "trim the borders": TrimBorders(),
    "trim": TrimBorders(),
    "remove the white border": TrimBorders(WHITE),
    "remove the black bars": TrimBorders(BLACK),
    "crop to a circle": CropCircle(),
    "make it round": CropCircle(),
    "circle crop": CropCircle(),
    # sizes
    "resize to 800x600": ResizeTo(800, 600),
    "resize it to 1,200 x 800 px": ResizeTo(1200, 800),
    "resize the photo to 512 by 512 pixels": ResizeTo(512, 512),
    "resize to 800 px wide": ResizeSide(Measure.WIDTH, 800),
    "resize to a width of 800 pixels": ResizeSide(Measure.WIDTH, 800),
    "make it 600 pixels high": ResizeSide(Measure.HEIGHT, 600),
    "set the height to 400 px": ResizeSide(Measure.HEIGHT, 400),
    "resize the longest side to 1024": ResizeSide(Measure.LONGEST, 1024),
    "resize so its shortest side is 300 px": ResizeSide(Measure.SHORTEST, 300),
    "resize to fit 800x600": FitWithin(800, 600),
    "shrink it to fit within 640x480": FitWithin(640, 480),
    "resize to 50%": Scale(0.5),
    "scale it to 25 percent": Scale(0.25),
    "half the size": Scale(0.5),
    "make it half as big": Scale(0.5),
    "make it twice as big": Scale(2),
    "double the size": Scale(2),
    "make it 3 times bigger": Scale(3),
    "enlarge it 2x": Scale(2),
    "upscale by 2": Scale(2),
    "make it 4 times smaller": Scale(0.25),
    "enlarge by 50%": Scale(1.5),
    "increase the size of the picture by 50%": Scale(1.5),
    "increase the size by 50%": Scale(1.5),
    "shrink it by 25%": Scale(0.75),
    # colour
    "make it black and white": Gray(),
    "black & white": Gray(),
    "b&w please": Gray(),
    "greyscale": Gray(),
    "turn it into grayscale": Gray(),
    "convert the image to monochrome": Gray(),
    "make the photo grey": Gray(),
    "Could you make these pictures gray?": Gray(),
    "make the left half black and white": Gray(LEFT_HALF),
    "I'd like it in black and white": Gray(),
    "sepia": Sepia(),
    "add a sepia tone": Sepia(),
    "make it sepia": Sepia(),
    "invert the colours": Invert(),
    "invert": Invert(),
    "make it a negative": Invert(),
    "invert the bottom half": Invert(BOTTOM_HALF),
    "brighter": Adjust(BRIGHT, 0.25),
    "make it a little darker": Adjust(BRIGHT, -0.1),
    "make it much brighter": Adjust(BRIGHT, 0.5),
    "20% brighter": Adjust(BRIGHT, 0.2),
    "brighten it by 15 %": Adjust(BRIGHT, 0.15),
    "darken the picture slightly": Adjust(BRIGHT, -0.1),
    "make the top half darker": Adjust(BRIGHT, -0.25, TOP_HALF),
    "30% more contrast": Adjust(CONTRAST, 0.3),
    "add a bit of contrast": Adjust(CONTRAST, 0.1),
    "less contrast": Adjust(CONTRAST, -0.25),
    "increase the contrast by 40%": Adjust(CONTRAST, 0.4),
    "lower the brightness a bit": Adjust(BRIGHT, -0.1),
    "reduce saturation by 50 percent": Adjust(SATURATION, -0.5),
    "much less saturated": Adjust(SATURATION, -0.5),
    "more vivid": Adjust(SATURATION, 0.25),
    "make it more colourful": Adjust(SATURATION, 0.25),
    "boost the saturation": Adjust(SATURATION, 0.25),
    "warmer": Adjust(WARMTH, 0.25),
    "make it a bit warmer": Adjust(WARMTH, 0.1),
    "cooler": Adjust(WARMTH, -0.25),
    "half as bright": Adjust(BRIGHT, -0.5),
    "make it twice as bright": Adjust(BRIGHT, 1),
    "brightness +20%": Adjust(BRIGHT, 0.2),
    # focus
    "blur it": Blur(Share(0.012)),
    "blur": Blur(Share(0.012)),
    "blur the picture a lot": Blur(Share(0.035)),
    "make it slightly blurry": Blur(Share(0.005)),
    "blur with a radius of 5 px": Blur(Px(5)),
    "blur by 10 pixels": Blur(Px(10)),
    "blur the left half": Blur(Share(0.012), LEFT_HALF),
    "blur from 10,20 to 200,300": Blur(Share(0.012), Box(10, 20, 200, 300)),
    "blur the area from 10, 20 to 200, 300": Blur(Share(0.012), Box(10, 20, 200, 300)),
    "blur the bottom 100 px": Blur(Share(0.012), Part(Side.BOTTOM, Px(100))),
    "sharpen": Sharpen(1),
    "sharpen it a little": Sharpen(0.5),
    "make it much sharper": Sharpen(2),
    "sharpen by 50%": Sharpen(1),
    "pixelate": Pixelate(Share(0.035)),
    "pixelate the right half": Pixelate(Share(0.035), RIGHT_HALF),
    "pixelate with 16 px blocks": Pixelate(Px(16)),
    "pixelate (0,0) to (50,50)": Pixelate(Share(0.035), Box(0, 0, 50, 50)),
    # things added
    "add a border": Border(Share(0.04), WHITE),
    "add a 10 px red border": Border(Px(10), RED),
    "add a red border of 10 px": Border(Px(10), RED),
    "put a thin black frame around it": Border(Share(0.015), BLACK),
    "white border 5%": Border(Share(0.05), WHITE),
    "add a 20px dark blue border": Border(Px(20), "#00008b"),
    "give it a #ff8800 border": Border(Share(0.04), "#ff8800"),
    "round the corners": RoundCorners(Share(0.1)),
    "rounded corners": RoundCorners(Share(0.1)),
    "add rounded corners of 20 px": RoundCorners(Px(20)),
    "round the corners by 5%": RoundCorners(Share(0.05)),
    "shift it 100 px to the right": Shift(Px(100), NOTHING),
    "move the picture up by 25%": Shift(NOTHING, Share(-0.25)),
    "shift 10 px left and 20 px down": Shift(Px(-10), Px(20)),
    'write "Hello"': _hello(),
    'write "Hello" on the picture in red': _hello(color=RED),
    "add the text “Hello” at the top": _hello(Place(0.5, 0)),
    "add the text 'Hello' in red": _hello(color=RED),
    'put the words "Hello" in the top left corner in blue': _hello(Place(0, 0), BLUE),
    'write "Hello" in the centre in big white letters': _hello(Place(0.5, 0.5), height=Share(0.15)),
    'caption it "Hello"': _hello(),
    'add a small red caption "Hello" at the bottom right': _hello(Place(1, 1), RED, Share(0.055)),
    'write "Hello" in bold, 40 px, at the top': _hello(Place(0.5, 0), height=Px(40), bold=True),
    'text: "Hello"': _hello(),
    'write "don\'t rotate, and crop" at the top': Write("don't rotate, and crop", Place(0.5, 0), WHITE, USUAL),
    'add a title saying "你好"': Write("你好", BOTTOM, WHITE, USUAL),
    "make the white background transparent": ClearBackground(WHITE),
    "remove the plain background": ClearBackground(),
    "remove the green background": ClearBackground("#008000"),
    "turn the one-coloured background transparent": ClearBackground(),
    "make it a sticker": Sticker(),
    "turn this into a sticker": Sticker(),
    # files
    "as jpeg": SaveAs("image/jpeg"),
    "convert to png": SaveAs("image/png"),
    "save it as a webp file": SaveAs("image/webp"),
    "JPG": SaveAs("image/jpeg"),
    "under 200 KB": MaxBytes(200_000),
    "make it smaller than 1.5 MB": MaxBytes(1_500_000),
    "compress it to 80kb": MaxBytes(80_000),
    "as jpeg under 200 kB": (SaveAs("image/jpeg"), MaxBytes(200_000)),
    # several in one sentence
    "rotate 90 degrees and crop to 16:9": (Rotate(90), CropRatio(16, 9)),
    "rotate 90 degrees and crop to 16:9, then make it black and white": (Rotate(90), CropRatio(16, 9), Gray()),
    "crop to a square and make it black and white": (CropRatio(1, 1), Gray()),
    "black and white and warmer": (Gray(), Adjust(WARMTH, 0.25)),
    "make it brighter and warmer": (Adjust(BRIGHT, 0.25), Adjust(WARMTH, 0.25)),
    "flip it horizontally; add a 5 px black border; save as png": (
        Flip(vertical=False),
        Border(Px(5), BLACK),
        SaveAs("image/png"),
    ),
    "1:1 crop, blur a bit\nand a white border": (CropRatio(1, 1), Blur(Share(0.005)), Border(Share(0.04), WHITE)),
    "First rotate it 180 degrees, after that mirror it. Thanks!": (Rotate(180), Flip(vertical=False)),
    "make it square with rounded corners": (CropRatio(1, 1), RoundCorners(Share(0.1))),
    "hi, can you please resize this to 400 px wide and sharpen it a bit?": (
        ResizeSide(Measure.WIDTH, 400),
        Sharpen(0.5),
    ),
    'make it grey and write "Hello" at the top, then add a red border': (
        Gray(),
        _hello(Place(0.5, 0)),
        Border(Share(0.04), RED),
    ),
    "resize to 512x512 as webp": (ResizeTo(512, 512), SaveAs("image/webp")),
    "crop to a circle and make it a sticker": (CropCircle(), Sticker()),
}
TOGETHER: dict[str, tuple[Operation, ...] | Operation] = {
    "side by side": SideBySide(),
    "put them side by side": SideBySide(),
    "put the two pictures next to each other": SideBySide(),
    "stack them": SideBySide(stacked=True),
    "stack the photos vertically": SideBySide(stacked=True),
    "put them one above the other": SideBySide(stacked=True),
    "make a grid": Grid(),
    "2x2 grid": Grid(2),
    "arrange them in a grid with 3 columns": Grid(3),
    "before and after": BeforeAfter(),
    "make a before-and-after": BeforeAfter(),
    "make them black and white and put them side by side": (Gray(), SideBySide()),
    "put both pictures side by side, then add a white border": (SideBySide(), Border(Share(0.04), WHITE)),
}

NEEDS_EYES = """
blur the background
blur everything except the cat
blur the faces
blur his face
blur the left half of her face
blur the licence plate
blur the edges of the table
remove the man
remove the person on the left
remove the background
remove the text
remove the frame on the wall
remove the watermark
remove the red car
erase the logo at the bottom
delete the tree
brighten her face
brighten the sky
make the sky darker
make the sky bluer
make her eyes brighter
make the background darker
make the white car black
make the shirt red
make the background white
make the background transparent
change the background to a beach
crop to the cat
crop the car out
crop the man out of the picture
crop to the face
crop around the dog
crop to the subject
crop the bottom of the glass
rotate the dog
rotate only the cup
rotate the first picture
turn the man around
turn him upside down
turn the cat into a dog
flip the car
flip the burger
mirror the woman
resize the cat
make the cat bigger
make his nose twice as big
make her hair black and white
make everything black and white except the rose
make the leaves more saturated
sharpen his eyes
sharpen the text on the sign
pixelate the licence plate
pixelate his face
invert the roles
invert the cat
make it look like night
make it look like a painting
make it look cooler
make it pop
make it more dramatic
make it look older
turn it into a cartoon
turn it into a watercolour
add a hat
add a border collie
add a frame of flowers
add snow
add text like in the first picture
add text
add a caption that fits
write something funny at the top
write "Hello" on his shirt
write "Hello" on the sign
write "Hello" in the sky
write "Hello" behind the cat
put "SALE" on the box
move the cat to the left
move the man 100 px to the right
shift the focus to the cat
straighten the horizon
straighten it
fix the colours
restore this old photo
colourise it
remove the border guard
trim the hedge
trim his beard
round the corners of the table
cut out the dog
make a sticker of the cat
make the dog side by side with the cat
remove the shadows
warm up the skin tones
make the lights warmer
more contrast in the face
swap the two people
make it 16:9 by adding more sky
extend the picture to the left
zoom in on the cat
what is in this picture
is this blurred?
which way is it rotated?
who cropped this?
a cat in black and white
a 10 px red border collie
the man with a red border
draw a circle around the dog
make the first picture grey
make the next picture grey
next picture grey
reverse it
make them stand out
add a white frame around the mirror
mirror the left half to the right
make the negative space bigger
""".strip().splitlines()

NOT_LIKE_THAT = """
don't crop it
do not rotate it
rotate it but don't crop it
no border
never flip it
without a border
rotate 90 degrees unless it is upright
if it is dark, make it brighter
make it brighter if needed
rotate it?
black and white or sepia
either rotate or flip it
rotate 90 or 180 degrees
rotate it a bit
crop it a bit
crop it
crop
resize it
crop the left half
resize by 50%
rotate by 1e9 degrees
rotate ninety-five degrees
crop to 16:0
crop to 0:0
make a 2x3 grid
as png and as jpeg
under 100 kb and under 200 kb
as gif
convert to pdf
rotaet 90 degrees
mkae it grey
flip horizontaly
rotate 90 degrees flip horizontally
write "" at the top
write "Hello
write Hello at the top
write "a" "b"
write "Hello" at the top at the bottom
write "Hello" in red in blue
make it not so bright
make it less
more
please
thanks
and
"Hello"
😀
make it brighter 😀
rotate 90 degrees wildly
undo that
again
the same but grey
cool
cool, thanks
way cooler
blur them
make those darker
negative
nice
too dark
could you not rotate it
make it 200% bigger
""".strip().splitlines()


def _tuple(operations: tuple[Operation, ...] | Operation) -> tuple[Operation, ...]:
    return operations if isinstance(operations, tuple) else (operations,)


@pytest.mark.parametrize("words", UNDERSTOOD)
def test_a_good_phrasing_means_exactly_this(words: str) -> None:
    assert read(words, images=1) == _tuple(UNDERSTOOD[words])


@pytest.mark.parametrize("words", TOGETHER)
def test_several_pictures_can_become_one(words: str) -> None:
    assert read(words, images=2) == _tuple(TOGETHER[words])


@pytest.mark.parametrize("words", UNDERSTOOD)
def test_capitals_politeness_and_a_full_stop_change_nothing(words: str) -> None:
    dressed = words if words.startswith(("Please", "Could", "hi")) else f"Hello! Please, {words}"
    assert read(dressed, images=3) == _tuple(UNDERSTOOD[words])


@pytest.mark.parametrize("words", NEEDS_EYES)
def test_what_needs_eyes_is_never_understood(words: str) -> None:
    assert not ExactEngine().read(words, images=1).whole
    assert not ExactEngine().read(words, images=2).whole


@pytest.mark.parametrize("words", NOT_LIKE_THAT)
def test_what_is_doubtful_denied_or_conditional_is_not_understood(words: str) -> None:
    assert not ExactEngine().read(words, images=1).whole


@pytest.mark.parametrize("words", NEEDS_EYES)
def test_one_part_that_needs_eyes_spoils_the_whole(words: str) -> None:
    assert not ExactEngine().read(f"rotate 90 degrees and {words}", images=1).whole
    assert not ExactEngine().read(f"{words}, then make it grey", images=1).whole


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert len(UNDERSTOOD) >= 150
    assert len(NEEDS_EYES) >= 60


def test_the_refusal_names_the_part_in_the_persons_own_words() -> None:
    reading = ExactEngine().read("Rotate it by 90°, then Blur the Background and flip it", images=1)
    assert (reading.whole, reading.unclear) == (False, "Blur the Background")


@pytest.mark.parametrize("images", [0, 1, 2, 5])
@pytest.mark.parametrize("words", [*NEEDS_EYES, *NOT_LIKE_THAT, "", "side by side"])
def test_a_refusal_shows_three_instructions_that_would_work(words: str, images: int) -> None:
    reading = ExactEngine().read(words, images=images)
    work = [ExactEngine().read(suggestion, images=images).whole for suggestion in reading.suggestions]
    assert reading.whole or (work == [True] * 3 and len(set(reading.suggestions)) == 3)


@pytest.mark.parametrize("words", TOGETHER)
def test_one_picture_cannot_be_put_together(words: str) -> None:
    reading = ExactEngine().read(words, images=1)
    assert not reading.whole
    assert "two" in reading.unclear


def test_before_and_after_of_three_is_asked_about() -> None:
    assert "exactly two" in ExactEngine().read("before and after", images=3).unclear


def test_a_choice_that_is_made_for_the_person_is_said() -> None:
    assert [type(operation) for operation in read("flip it", images=1)] == [Flip, Remark]
    assert [type(operation) for operation in read("enlarge it", images=1)] == [Scale, Remark]
    assert [type(operation) for operation in read("flip it upside down", images=1)] == [Flip, Remark]


WORDS = st.sampled_from([*" ".join([*UNDERSTOOD, *TOGETHER, *NEEDS_EYES]).split(), "\n", "«»", '"', "’", ","])


@settings(deadline=None)
@given(st.one_of(st.text(max_size=3000), st.lists(WORDS, max_size=80).map(" ".join)), st.integers(0, 12))
def test_any_text_is_read_or_refused_and_nothing_else(words: str, images: int) -> None:
    with suppress(NotUnderstood):
        assert read(words, images=images)


@settings(deadline=None)
@given(st.sampled_from(sorted(UNDERSTOOD)), st.sampled_from(["dog", "her", "except", "not", "unless", "sky", "maybe"]))
def test_one_unknown_word_is_enough_to_refuse(words: str, stranger: str) -> None:
    assert not ExactEngine().read(f"{words} {stranger}", images=1).whole
    assert not ExactEngine().read(f"{stranger} {words}", images=1).whole


def test_a_text_that_is_offered_to_be_written_is_read_in_every_language(monkeypatch: pytest.MonkeyPatch) -> None:
    class German(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return {WRITE_IT: "schreibe unten „{text}“ hin"}.get(message, message)

    monkeypatch.setattr(
        suggestions, "catalog", lambda language: German() if language == "de" else gettext.NullTranslations()
    )
    assert suggestions.as_written("schreibe unten „Café Müller“ hin") == 'write "Café Müller" at the bottom'
    assert suggestions.as_written("schreibe unten „“ hin") == "schreibe unten „“ hin"
    assert suggestions.as_written('write "Sale" at the bottom') == 'write "Sale" at the bottom'


@pytest.mark.parametrize("spoken_in", LANGUAGES)
def test_what_is_offered_to_be_written_ends_where_its_quotation_does(spoken_in: str) -> None:
    with speaking(spoken_in):
        offered = tr(WRITE_IT)
    opening, closing = offered.partition("{text}")[0][-1], offered.partition("{text}")[2][0]
    assert not opening.isalnum()
    assert not closing.isalnum()
    assert suggestions.as_written(offered.format(text="A B")) == 'write "A B" at the bottom'
    for more in (f"A{closing}, {opening}B", f"A{closing} B", f"A {opening}B"):
        assert suggestions.as_written(offered.format(text=more)) == offered.format(text=more)


@pytest.mark.parametrize("spoken_in", LANGUAGES)
def test_a_list_of_what_is_offered_is_done_exactly_in_every_language(spoken_in: str) -> None:
    steps = ("crop to a square", "make it black and white", 'write "Hello" at the bottom')
    with speaking(spoken_in):
        recipe = "\n".join(f"{number}. {tr(step)}" for number, step in enumerate(steps, 1))
        third = read(tr(steps[2]), images=1)
    assert read(recipe, images=1) == (*read("crop to a square, make it black and white", images=1), *third)
