"""Which of several pictures a reply means."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pointing import Named, named_picture


def examples(table: str) -> list[tuple[str, Named]]:
    """Lines "number | said | what is left", numbers from 1."""
    rows = [[part.strip() for part in line.split("|")] for line in table.strip().splitlines()]
    return [(said, Named(int(number) - 1, words)) for number, said, words in rows]


ENGLISH = """
2 | make the second black and white | make it black and white
2 | Make the second brighter. | Make it brighter.
2 | the second, but darker | darker
2 | the second but darker | darker
2 | The 2nd one, but with a red hat | with a red hat
3 | crop picture 3 to a square | crop it to a square
2 | photo two |
3 | only the last picture |
1 | the first one |
1 | The first one please! Make it a poster | Make it a poster
2 | the second |
2 | 2 |
2 | 2: darker | darker
2 | number 2, in watercolour | in watercolour
2 | #2 darker | darker
3 | crop #3 to 16:9 | crop it to 16:9
2 | use the second and make it darker | make it darker
2 | take picture 2, then crop it | crop it
1 | for the first: more contrast | more contrast
2 | In picture 2, make the sky blue | make the sky blue
2 | make the sky blue in picture 2 | make the sky blue in the picture
2 | picture 2's background red | its background red
2 | make picture 2’s sky pink | make its sky pink
2 | make it brighter, only the second | make it brighter
2 | make it brighter (the second one) | make it brighter
2 | make it brighter – just picture 2, please | make it brighter
2 | the second should be darker | it should be darker
2 | I like the second one! Make it a poster | Make it a poster
2 | I want the second in blue | I want it in blue
2 | can you make the second one a watercolor? | can you make it a watercolor?
3 | rotate the last 90 degrees | rotate it 90 degrees
3 | turn the final image upside down | turn it upside down
2 | the second to last, please |
2 | the middle one, brighter | brighter
2 | put a hat on the second | put a hat on it
1 | add a dog to the first picture | add a dog to it
3 | add the text “the second” to the third photo | add the text “the second” to it
2 | remove the car from the second photo | remove the car from the picture
3 | remove the second car in picture 3 | remove the second car in the picture
2 | what's in picture 2? | what's in the picture?
2 | crop the second to a square and make the second brighter | crop it to a square and make it brighter
2 | make the second version brighter | make it brighter
3 | panel 3 but at night | at night
2 | do the same with the second | do the same with it
2 | okay, now the second one: crop to 4:5 | crop to 4:5
2 | picture 2 crop to square | crop to square
2 | make number 2 darker | make it darker
2 | the second instead |
3 | third! |
2 | swap the sky in picture 2 for stars | swap the sky in the picture for stars
2 | make a sticker from the second picture | make a sticker from the picture
2 | remove the other people from the second picture | remove the other people from the picture
2 | put a hat on each person in picture 2 | put a hat on each person in the picture
1 | for picture 1: remove the person on the left | remove the person on the left
1 | on the first one remove the second person | remove the second person
2 | zoom into the second | zoom into it
3 | Can you do the last one but in the style of Van Gogh? | in the style of Van Gogh?
"""

OTHERS = """
2 | das zweite |
2 | Das zweite, aber dunkler | dunkler
2 | mach das zweite schwarzweiß | mach das Bild schwarzweiß
3 | schneide Bild 3 quadratisch zu | schneide das Bild quadratisch zu
2 | Bild 2 bitte heller | heller
3 | nur das letzte |
1 | nimm das erste Bild und mach es heller | mach es heller
2 | entferne das Auto aus dem zweiten Bild | entferne das Auto aus dem Bild
2 | bei Bild 2 den Hintergrund entfernen | den Hintergrund entfernen
2 | nimm das 2. Bild und mach es schwarzweiß | mach es schwarzweiß
2 | auf Foto 2 einen Hut dazu | einen Hut dazu
2 | mach den Himmel auf Foto 2 rot | mach den Himmel auf dem Bild rot
2 | la segunda |
2 | la segunda, pero más oscura | más oscura
2 | pon la segunda en blanco y negro | pon la imagen en blanco y negro
3 | recorta la foto 3 en cuadrado | recorta la imagen en cuadrado
3 | solo la última |
1 | el fondo de la primera foto en azul | el fondo de la imagen en azul
2 | la deuxième |
2 | la deuxième, mais plus sombre | plus sombre
2 | mets la deuxième en noir et blanc | mets l'image en noir et blanc
3 | recadre la photo 3 en carré | recadre l'image en carré
3 | seulement la dernière |
2 | recadre la 2e en carré | recadre l'image en carré
1 | le fond du premier en bleu | le fond de l'image en bleu
2 | друга |
2 | друга, але темніша | темніша
2 | зроби друге фото чорно-білим | зроби фото чорно-білим
3 | зроби третє темнішим | зроби фото темнішим
3 | обріж фото 3 до квадрата | обріж фото до квадрата
3 | тільки останню |
1 | перше, але яскравіше | яскравіше
"""


@pytest.mark.parametrize(("said", "named"), examples(ENGLISH))
def test_the_one_picture_that_is_named_is_meant_and_its_name_is_not_needed_any_more(said: str, named: Named) -> None:
    assert named_picture(said, 3) == named


@pytest.mark.parametrize(("said", "named"), examples(OTHERS))
def test_german_spanish_french_and_ukrainian_name_pictures_too(said: str, named: Named) -> None:
    assert named_picture(said, 3) == named


NOTHING_NAMED = """
make it black and white
a picture of two cats
Second, make it darker
First, crop it to a square
"""
SEVERAL = """
put the style of picture 1 on picture 2
swap the first and the second
the first and the last, darker
the second and third darker
picture 1 and 2 in black and white
pictures 1 and 2 darker
first and second picture brighter
make picture 1 and picture 3 brighter
the first two
the last three in blue
make the second brighter and the third darker
all but the second
everything except picture 2
combine them, the second on top
merge the others with the second
use the second picture for both pictures
put the first next to the second
das erste und das zweite heller
la primera y la segunda más claras
la première et la deuxième en bleu
перше і друге темніші
"""
IN_RELATION = """
make it look like the second
make it like picture 2
in the style of the second
use the second as the background
use picture 2 as a style reference
use the colors of the second
put him on the second
put the dog on the second
put it into picture 2
replace the sky with the second
replace the second
remove the second picture
delete photo 2
go back to the second
brighter than the second
not the second
without picture 2
the same as the second
add the second picture
turn it into picture 2
blend it with the second
mach es wie das zweite
im Stil von Bild 2
lösche das zweite
hazlo como la segunda
con el estilo de la segunda
fais comme la deuxième
dans le style de la photo 2
у стилі другої
видали друге фото
"""
SOMETHING_ELSE = """
the second car
make the second car red
remove the first person from the left
make the second guy a pirate
make the second black dog bigger
the last letter should be red
the second one from the left in red
the one in the middle
put a dog in the middle
first and foremost, make it brighter
last but not least, crop it
the number 2 should be red
the last supper
undo the last
remove the second one on the left
change the second line of text
remove the first two people
there are two dogs, make the second one brown
make the first letter bigger
in the second row
at the last second
add a second picture
make another second photo
every second one in red
make the picture 2 times larger
rotate the image 2 degrees
make the photo 3 inches wide
make the image 2 shades darker
crop the photo 2 by 3
picture two cats playing chess
image 3 people on a boat
write number 2 on it
add the number 2
put #1 on his shirt
make the image one more time
2 cats
3 hats on the dog
1. crop 2. rotate
write "the second" on it
add the text “only picture 2”
say 'the second, but darker'
das zweite Auto rot
mach das zweite Auto rot
die zweite Person von links
la segunda persona
haz rojo el segundo coche
la deuxième personne
la deuxième voiture en rouge
друга машина
зроби друга піратом
прибери другу людину
"""


@pytest.mark.parametrize("said", (NOTHING_NAMED + SEVERAL + IN_RELATION + SOMETHING_ELSE).strip().splitlines())
def test_words_that_do_not_name_exactly_one_picture_name_none(said: str) -> None:
    assert named_picture(said, 3) is None or said == ""


@pytest.mark.parametrize("said", ["picture 4", "the fourth, darker", "photo 0", "das vierte", "la 4, más clara", "#9"])
def test_a_picture_that_is_not_there_is_not_named(said: str) -> None:
    assert named_picture(said, 3) is None


@pytest.mark.parametrize("count", [0, 1])
def test_of_a_single_picture_none_is_named(count: int) -> None:
    assert named_picture("the first, but darker", count) is None


def test_what_is_too_long_to_be_read_whole_names_none() -> None:
    assert named_picture(f"the second, but {'darker ' * 270}", 3) is not None
    assert named_picture(f"the second, but {'darker ' * 300}", 3) is None


def test_the_last_is_counted_from_the_end() -> None:
    assert [named_picture("the last, but darker", count) for count in (2, 5)] == [
        Named(1, "darker"),
        Named(4, "darker"),
    ]


def test_there_is_a_middle_only_among_an_odd_number() -> None:
    found = [named_picture("the middle one, darker", count) for count in (4, 5)]
    assert found == [None, Named(2, "darker")]


ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
RESTS = st.sampled_from(("black and white", "brighter", "a watercolour", "30 % larger", "look like a poster"))


@given(at=st.integers(0, 9), rest=RESTS, noun=st.sampled_from((" picture", " one", " photo")))
def test_every_ordinal_with_a_noun_names_its_place(at: int, rest: str, noun: str) -> None:
    assert named_picture(f"Make the {ORDINALS[at]}{noun} {rest}", 10) == Named(at, f"Make it {rest}")


@given(number=st.integers(1, 10), count=st.integers(2, 10))
def test_a_number_names_a_picture_only_where_there_is_one(number: int, count: int) -> None:
    found = named_picture(f"crop picture {number} to a square", count)
    assert found == (Named(number - 1, "crop it to a square") if number <= count else None)


@given(st.text(max_size=300), st.integers(-1, 12))
def test_any_text_is_read_and_a_named_picture_is_there(text: str, count: int) -> None:
    found = named_picture(text, count)
    assert found is None or 0 <= found.index < count


SCRAPS = (
    "the second first last picture photo 2 3 one and but , . : ( ) “the third” 's make it darker on in of # das la"
    " zweite segunda друга фото"
)
WORDS = st.lists(st.sampled_from(SCRAPS.split()), max_size=14)


def bare(text: str) -> set[str]:
    return set(re.sub(r"[()“”]", " ", text).split())


@given(WORDS, st.integers(2, 4))
def test_however_words_are_put_together_what_is_left_comes_out_of_them(words: list[str], count: int) -> None:
    said = " ".join(words)
    found = named_picture(said, count)
    ours = {"it", "its", "the", "picture", "das", "dem", "Bild", "la", "imagen", "de", "a", "l'image", "фото"}
    assert found is None or set(re.sub(r"[()“”]", " ", found.words).split()) <= {
        *re.sub(r"[()“”]", " ", said).split(),
        *ours,
    }


@given(st.text(st.characters(exclude_characters='"“”„«»‹›', exclude_categories=("Cs", "Zs", "Cc")), min_size=1))
def test_what_is_quoted_is_not_read_and_comes_through_as_it_is(quoted: str) -> None:
    assert named_picture(f"write “{quoted}” on it", 3) is None
    assert named_picture(f"write “{quoted}” on the second", 3) == Named(1, f"write “{quoted}” on it")
