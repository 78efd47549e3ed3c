"""The tree of a thread: numbers that stay, rows that a phone can show, and the picture of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.domain.images import ImageFacts
from bot.domain.pointing import Named, numbered
from bot.domain.refs import Sha256, TurnId
from bot.domain.tree import MOST_LANES, MOST_ROWS, Node, layout_of
from bot.engines.tree import ROW_PX, THUMB_PX, WIDTH_PX, draw, shrink, wrapped
from bot.fonts import Fonts

SAMPLES = Path(__file__).parent.parent.parent / "adapters" / "web" / "static" / "samples"
FILES = {Sha256(name): shrink((SAMPLES / f"{name}.jpg").read_bytes()) for name in ("cat", "coffee", "rocket")}
WORDS = {"gone": "This was deleted."}


def node(number: int, parent: int | None, *, words: str = "make it winter", gone: bool = False) -> Node:
    image = None if gone else ImageFacts(Sha256(list(FILES)[number % 3]), "image/jpeg", 451, 300, 1)
    above = TurnId(f"t{parent}") if parent is not None else None
    return Node(TurnId(f"t{number}"), number, above, "" if gone else "Anna", "" if gone else words, image)


def parents(draw_parent: st.DrawFn) -> list[int | None]:
    count = draw_parent(st.integers(1, 80))
    return [None, *(draw_parent(st.integers(1, number)) for number in range(1, count))]


trees = st.composite(parents)()


def test_a_chain_stays_in_one_lane_and_a_fork_stands_right_below_what_it_leaves() -> None:
    layout = layout_of([node(1, None), node(2, 1), node(3, 2), node(4, 1)])
    assert [(row.node.number, row.lane) for row in layout.rows] == [(1, 0), (4, 1), (2, 0), (3, 0)]
    assert layout.edges == ((0, 1), (0, 2), (2, 3))


def test_a_long_chain_is_shown_by_its_ends_and_the_steps_between_are_counted() -> None:
    chain = [node(number, number - 1 or None) for number in range(1, 201)]
    layout = layout_of(chain, most=5)
    assert [row.node.number for row in layout.rows] == [1, 197, 198, 199, 200]
    assert [len(row.hidden) for row in layout.rows] == [0, 195, 0, 0, 0]


@given(trees)
def test_whatever_grew_no_row_is_lost_or_twice_and_each_hangs_on_what_it_grew_from(grown: list[int | None]) -> None:
    nodes = [node(number, parent) for number, parent in enumerate(grown, 1)]
    layout = layout_of(nodes)
    numbers = [row.node.number for row in layout.rows]
    assert len(set(numbers)) == len(numbers) == min(len(nodes), MOST_ROWS)
    assert len(nodes) in numbers
    assert all(row.lane < MOST_LANES for row in layout.rows)
    for upper, lower in layout.edges:
        above, below = layout.rows[upper], layout.rows[lower]
        way = [*reversed(below.hidden), above.node.number]
        assert [_parent(nodes, each) for each in [below.node.number, *way[:-1]]] == way


def _parent(nodes: list[Node], number: int) -> int:
    parent = nodes[number - 1].parent
    assert parent is not None
    return int(parent[1:])


def test_the_picture_has_a_row_for_each_in_any_script_and_for_what_was_deleted() -> None:
    words = ["put a hat on her", "зроби її чорно-білою", "眼鏡をかけて", "a" * 500, "line\nbreak 🐈"]
    nodes = [node(number, number - 1 or None, words=said) for number, said in enumerate(words, 1)]
    picture = draw(layout_of([*nodes, node(6, 5, gone=True)]), FILES, WORDS)
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.size == (WIDTH_PX, 6 * ROW_PX + 52)
        assert image.getpixel((WIDTH_PX - 3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(40, 30), (301, 200), (64, 3000), (3000, 2000)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_thumbnail_is_the_middle_of_a_picture_of_any_size(size: tuple[int, int], kind: str) -> None:
    out = io.BytesIO()
    picture = Image.new("RGB", size, "red")
    side = min(size)
    picture.paste("blue", ((size[0] - side) // 2, (size[1] - side) // 2, (size[0] + side) // 2, (size[1] + side) // 2))
    picture.save(out, kind, quality=95, subsampling=0)
    with Image.open(io.BytesIO(shrink(out.getvalue()))) as image:
        assert (image.size, image.mode) == ((THUMB_PX, THUMB_PX), "RGB")
        for place in ((50, 50), (5, 50), (94, 50), (50, 5), (50, 94)):
            red, green, blue = image.getpixel(place)  # type: ignore[misc]
            assert max(red, green) < 30 < 225 < blue


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("make it winter, with a lot of snow on the roofs of the town behind it", "snow"),
        ("冬にして、後ろの小さな町の屋根にたくさんの雪を、もっともっと積もらせて", "屋根"),
    ],
)
def test_long_words_go_on_in_a_second_line_between_words_or_where_none_are_parted(text: str, begins: str) -> None:
    first, second = wrapped(text, Fonts(text + "…"), 36, 500)
    assert not first.endswith(" ")
    assert (first + " " + second.rstrip("…")).replace(" ", "") in text.replace(" ", "")
    assert begins in second


def test_no_line_begins_with_a_stop() -> None:
    text = "雪雪雪雪雪。雪雪雪"
    fonts = Fonts(text + "…")
    assert wrapped(text, fonts, 36, 5 * 36)[0] == "雪雪雪雪"


def test_a_missing_file_leaves_a_grey_tile() -> None:
    picture = draw(layout_of([node(1, None)]), {}, WORDS)
    assert (picture.width_px, picture.media_type) == (WIDTH_PX, "image/jpeg")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("from 3: make it winter", Named(2, "make it winter")),
        ("3: make it winter", Named(2, "make it winter")),
        ("#12 - make it winter", Named(11, "make it winter")),
        ("ab 3: als Aquarell", Named(2, "als Aquarell")),
        ("从3：变成冬天", Named(2, "变成冬天")),
        ("з 3: зроби зиму", Named(2, "зроби зиму")),
        ("make it winter", None),
        ("crop to 3:2", None),
        ("3", None),
        ("make 3 cats", None),
        ("2024: a space odyssey", Named(2023, "a space odyssey")),
    ],
)
def test_a_number_in_front_names_a_picture_in_whatever_language(text: str, named: Named | None) -> None:
    assert numbered(text) == named
