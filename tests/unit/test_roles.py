"""What each of several pictures is for, read from people's own words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.roles import Purpose, Purposes, read_roles, roles_line, with_canvas

C, S, U, B, P = Purpose.CANVAS, Purpose.STYLE, Purpose.SUBJECT, Purpose.BACKGROUND, Purpose.PART
LETTERS = {"C": C, "S": S, "U": U, "B": B, "P": P, "-": None}

ROLES = """
2 style of 1 on 2 → SC
2 put the style of 1 on 2 → SC
2 apply the style of the first picture to the second → SC
2 use picture 2 as the background → CB
2 put her into the second picture → UC
3 put her into the second picture → UCU
3 put the dog from image 3 in image 1 → C-U
2 swap the faces of 1 and 2 → PP
2 swap faces → PP
3 combine these → PPP
2 merge all → PP
4 make a group photo of them → PPPP
2 in the style of the second one → CS
3 in the style of the last picture → C-S
2 make it like the first → SC
2 make the second look like the first → SC
2 #2 as background → CB
2 replace the background of photo 1 with photo 2 → CB
2 replace the background with the second picture → CB
2 remove the background of picture 2 → -C
2 remove the man from the second picture → -C
2 make picture 2 brighter → -C
2 put a hat on the second one → -C
3 put a hat on the second one → -C-
2 replace the man in image 1 with the man from image 2 → CU
2 put the face of picture 1 on the body of picture 2 → UC
2 take the hat from 1 and put it on the man in 2 → UC
2 the person from image 1 wearing the dress from image 2 → PP
2 give the man in picture 1 the hat from picture 2 → CU
3 combine pictures 1 and 2 → PP-
3 combine 1, 2 and 3 → PPP
2 put them together in one picture → PP
3 combine them in the style of picture 3 → PPS
2 use the background of picture 2 for picture 1 → CB
2 put 1 in front of 2 → CB
3 put the dog from 3 in 1 in the style of 2 → CSU
2 picture 1's style on picture 2 → SC
2 make it winter →
2 make the left one bigger →
2 rotate by 2 →
2 make it 2 times bigger →
2 style of 1 on 002 → SC
2 last night →
2 the first floor should be red →
2 second hand shop →
2 picture 5 is nice →
1 style of 1 on 2 →
2 put her in the other picture → UC
2 first, crop it →
2 use image 1 as the base and add the cat from image 2 → CU
2 blend both pictures → PP
2 mix it up →
2 blend the edges →
2 add the person in image 1 to image 2 → UC
2 place the woman from the first image into the second image → UC
2 use 2 as the style → CS
2 1 in the style of 2 → CS
2 put 1 into 2 → UC
2 use the colors of photo 2 → CS
2 dress her in the clothes from picture 2 → CU
2 write "style of 1 on 2" →
2 put both of them in one picture → PP
2 merge the two photos → PP
2 swap the heads in picture one and picture two → PP
3 use picture 3 as a reference →
3 put everyone in picture 3 → UUC
2 put the text "Hi" on the second picture → -C
2 the 2nd picture in the style of the 1st → SC
2 add the cat from the second one → CU
2 all pictures in black and white →
"""


def rows() -> list[tuple[str, int, Purposes | None]]:
    """How many pictures, the words, and a letter for each picture: Canvas, Style, sUbject, Background, Part."""
    parts = (line.split("→") for line in ROLES.strip().splitlines())
    return [
        (said.strip()[2:], int(said.strip()[0]), tuple(LETTERS[letter] for letter in roles.strip()) or None)
        for said, roles in parts
    ]


@pytest.mark.parametrize(("text", "count", "roles"), rows())
def test_what_the_words_say_of_each_picture_is_understood(text: str, count: int, roles: Purposes | None) -> None:
    assert read_roles(text, count) == roles


def test_another_picture_becomes_the_one_to_edit_with_one_tap() -> None:
    assert with_canvas((S, C), 1) == (C, S)
    assert with_canvas((C, U, B), 3) == (B, U, C)
    assert with_canvas((C, None), 2) == (None, C)


def test_where_all_were_parts_the_others_go_into_the_one_chosen() -> None:
    assert with_canvas((P, P, P), 2) == (U, C, U)


@pytest.mark.parametrize("number", [-1, 0, 3, 99])
def test_a_picture_that_is_not_there_changes_no_role(number: int) -> None:
    assert with_canvas((S, C), number) == (S, C)


def test_the_one_to_edit_stays_it() -> None:
    assert with_canvas((S, C), 2) == (S, C)


@pytest.mark.parametrize(
    ("purposes", "line"),
    [
        ((S, C), "Picture 1: the style · Picture 2: the one to edit"),
        ((P, P, P), "Pictures 1, 2 and 3: parts of one picture"),
        ((U, C, U), "Pictures 1 and 3: what goes into it · Picture 2: the one to edit"),
        ((C, None), "Picture 1: the one to edit · Picture 2: for reference"),
        ((C,), ""),
        ((), ""),
    ],
)
def test_the_roles_are_told_in_one_line(purposes: Purposes, line: str) -> None:
    assert roles_line(purposes) == line


WORDS = sorted({word for said, _, _ in rows() for word in said.split()})
said = st.one_of(st.text(max_size=200), st.lists(st.sampled_from([*WORDS, "99", "#2", "0"]), max_size=30).map(" ".join))


@given(text=said, count=st.integers(0, 14))
@settings(max_examples=150, deadline=None)
def test_any_words_give_one_purpose_to_each_picture_and_one_canvas_at_most(text: str, count: int) -> None:
    roles = read_roles(text, count) or (C, S)
    assert len(roles) in (count, 2)
    assert any(roles)
    assert count >= 2 or roles == (C, S)


@given(
    purposes=st.lists(st.sampled_from([C, S, U, B, P, None]), max_size=14),
    number=st.integers(-3, 20),
)
def test_one_tap_never_loses_a_picture(purposes: list[Purpose | None], number: int) -> None:
    changed = with_canvas(purposes, number)
    assert len(changed) == len(purposes)
    assert not 1 <= number <= len(purposes) or changed[number - 1] is C


HOSTILE = (
    "put the dog from picture 1 in ", "replace a b with ", "1 and 2 ", "the first ", "swap a b c ", "combine ", "put ",
    "style of ", "picture 1 ", "# 2 ", "take the hat from 1 and put it on the man in 2 ", "background of ", "@1 ", "\n",
    "in the ",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_long_to_read(piece: str) -> None:
    """A millisecond or two on a quiet machine, the shortest of three counts; backtracking takes seconds."""
    text = (piece * 4_000)[:4_000]
    spent = []
    for _ in range(3):
        begun = time.process_time()
        read_roles(text, 14)
        spent.append(time.process_time() - begun)
    assert min(spent) < 0.05
