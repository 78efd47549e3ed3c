"""What an answer looks like on Discord: whole messages, as they are sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.refs import message_ref, user_ref
from adapters.discord.render import ORIGINAL_FILE, TOO_LARGE_WORDS, ShownFile, show
from adapters.discord.words import escape
from bot.domain.actions import Act, Control
from bot.domain.arena import Ballot
from bot.domain.buttons import read_button_id
from bot.domain.images import ImageFacts
from bot.domain.messages import Answer, Credit, Panel, Rendition
from bot.domain.refs import Person, TurnId, UserRef, sha256_of
from bot.domain.turns import Hold, Source, TurnState
from bot.domain.utf16 import cut, units

TURN = TurnId("aaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb")
ANNA, BEN = Person(user_ref(11), "Anna"), Person(user_ref(12), "Ben")
AGAIN = Control(Act.AGAIN, "Again")
EXACTLY = Control(Act.EXACTLY, "Exactly this")
VARIATIONS = Control(Act.VARIATIONS, "4 variations, up to 14 ¢", "4")
UNDO = Control(Act.UNDO, "Undo")
LARGER, LARGEST = Control(Act.LARGER, "Larger (2K), 5 ¢", "2K"), Control(Act.LARGER, "Larger (4K), 11 ¢", "4K")


def rendition(name: str = "a", media_type: str = "image/png", alt: str = "Picture. AI-edited · Gemini.") -> Rendition:
    return Rendition(ImageFacts(sha256_of(name.encode()), media_type, 640, 480, 1000), alt)


def done(**about: Any) -> Answer:
    settings: dict[str, Any] = {"lines": ("AI-edited · Gemini",), "images": (rendition(),), "turn": TURN, **about}
    return Answer(TurnState.DONE, **settings)


def button(label: str, custom_id: str) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": label, "custom_id": custom_id}


def row(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(parts)}


def choices(placeholder: str, custom_id: str, **options: str) -> dict[str, Any]:
    listed = [{"label": label.replace("_", " "), "value": value} for label, value in options.items()]
    return {"type": 3, "custom_id": custom_id, "placeholder": placeholder, "options": listed}


def message(content: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "content": content,
        "embeds": [],
        "components": list(rows),
        "allowed_mentions": {"parse": []},
        "flags": 4,
    }


def content(answer: Answer) -> str:
    return str(show(answer).payload["content"])


def labels(answer: Answer) -> list[list[str]]:
    """Of buttons row by row; of a list of choices what stands on it."""
    rows = show(answer).payload["components"]
    return [[part.get("label") or part["placeholder"] for part in each["components"]] for each in rows]


CANCEL = row(button("Cancel", f"rb:cancel:-:{TURN}"))
ABOUT = row(button("Original file", "rb:file:-:"), button("Info", "rb:info:-:"), button("Delete", "rb:delete:-:"))


# --- while it is made


def test_a_reply_that_waits_says_for_what_and_behind_how_many() -> None:
    answer = Answer(TurnState.WAITING, ("Waiting in line.",), turn=TURN, holds=frozenset({Hold.SLOT}), position=3)
    assert show(answer).payload == message("Waiting in line. There are 2 before you.", CANCEL)
    assert show(answer).files == ()


def test_whoever_is_first_in_line_is_told_so() -> None:
    assert content(Answer(TurnState.WAITING, ("Waiting in line.",), position=1)) == "Waiting in line. You are next."


def test_a_running_time_counts_by_itself() -> None:
    answer = Answer(TurnState.RUNNING, ("Working on it.", "Heard: “blue”"), turn=TURN, started_at=1700000000.9)
    assert show(answer).payload == message("Working on it.\nHeard: “blue”\n-# Started <t:1700000000:R>.", CANCEL)


def test_the_owner_of_a_picture_is_asked_by_name_and_has_four_answers() -> None:
    answer = Answer(TurnState.WAITING, ("Waiting for Ben to say yes.",), turn=TURN, asks=(BEN,), credit=Credit(ANNA))
    assert show(answer).payload == message(
        "<@12>, may <@11> edit your picture?\nWaiting for Ben to say yes.",
        row(
            button("Once", f"rb:allow:-:once.{TURN}"),
            button("Always here", f"rb:allow:-:here.{TURN}"),
            button("Never", f"rb:allow:-:never.{TURN}"),
            button("Not this time", f"rb:allow:-:no.{TURN}"),
        ),
        CANCEL,
    )


def test_several_owners_are_asked_at_once() -> None:
    asked = Answer(TurnState.WAITING, asks=(BEN, ANNA, Person(UserRef("web", "x"), "*Cleo*")))
    assert content(asked) == "<@12>, <@11> and \\*Cleo\\*, may your pictures be edited?"


def test_a_vote_is_a_row_of_its_own_above_what_else_can_be_done() -> None:
    panels = tuple(Panel(TURN, TurnState.DONE, name, rendition()) for name in "AB")
    answer = done(panels=panels, vote=Ballot(TURN, 3), controls=())
    rows = show(answer).payload["components"]
    assert rows[0] == row(
        button("A", f"rb:vote:-:a.{TURN}"),
        button("B", f"rb:vote:-:b.{TURN}"),
        button("Tie", f"rb:vote:-:tie.{TURN}"),
        button("Both bad", f"rb:vote:-:bad.{TURN}"),
        button("End the vote", f"rb:vote:-:end.{TURN}"),
    )
    assert rows[1] == ABOUT


# --- when it is there


def test_a_result_has_its_label_first_its_picture_and_everything_that_can_be_done_with_it() -> None:
    answer = done(
        lines=("AI-edited · Gemini", "Heard: “make it blue”", "The sky is blue now."),
        controls=(AGAIN, EXACTLY, VARIATIONS, LARGER, LARGEST, UNDO),
        suggestions=("Make it green", "x" * 81, "Crop to a square"),
        credit=Credit(ANNA, (ANNA.user, BEN.user)),
        sources=(Source("A [fine] page", "https://example.org/a_b"), Source("evil", "javascript:alert(1)")),
    )
    shown = show(answer)
    assert shown.payload == message(
        "AI-edited · Gemini\nHeard: “make it blue”\nThe sky is blue now.\n"
        "Sources: [A (fine) page](<https://example.org/a_b>)\n-# Asked by <@11>, with a picture by <@12>",
        row(button("Make it green", "rb:say:-:0"), button("Crop to a square", "rb:say:-:1")),
        row(
            button("Edit…", "rb:edit:-:"),
            button("Again", "rb:press:-:again"),
            button("4 variations, up to 14 ¢", "rb:press:-:variations.4"),
            button("Undo", "rb:press:-:undo"),
            button("Larger (2K), 5 ¢", "rb:press:-:larger.2K"),
        ),
        ABOUT,
        row(
            {
                "type": 3,
                "custom_id": "rb:more:-:",
                "placeholder": "More…",
                "options": [
                    {"label": "Exactly this", "value": "rb:press:-:exactly"},
                    {"label": "Larger (4K), 11 ¢", "value": "rb:press:-:larger.4K"},
                ],
            }
        ),
    )
    assert shown.files == (ShownFile(sha256_of(b"a"), "remix-1.png", "Picture. AI-edited · Gemini."),)


def test_what_is_there_to_choose_from_stands_above_all_else() -> None:
    presets = [Control(Act.PRESET, f"{number} Look", f"look-{number}") for number in range(1, 19)]
    assert labels(done(controls=(*presets, UNDO))) == [
        ["Choose one…"], ["Edit…", "Undo"], ["Original file", "Info", "Delete"],
    ]  # fmt: skip
    first = show(done(controls=tuple(presets))).payload["components"][0]
    assert first == row(
        choices(
            "Choose one…",
            "rb:more:-:offered",
            **{f"{n}_Look": f"rb:press:-:preset.look-{n}" for n in range(1, 19)},
        )
    )


def test_recipes_without_a_picture_are_one_list_of_choices() -> None:
    recipes = (Control(Act.RECIPE, "Winter look", "abc"), Control(Act.RECIPE, "@everyone", "def"))
    listed = Answer(TurnState.DONE, ("Tap one.",), turn=TURN, controls=recipes)
    options = {"Winter_look": "rb:press:-:recipe.abc", "@everyone": "rb:press:-:recipe.def"}
    assert show(listed).payload == message("Tap one.", row(choices("Choose one…", "rb:more:-:offered", **options)))


def test_no_two_lists_of_a_message_have_the_same_name() -> None:
    answer = done(controls=(Control(Act.GO, "Picture 1", "1"), AGAIN, EXACTLY))
    lists = [part for each in show(answer).payload["components"] for part in each["components"] if part["type"] == 3]
    assert [each["custom_id"] for each in lists] == ["rb:more:-:offered", "rb:more:-:"]


def test_a_result_without_controls_can_still_be_gone_on_from() -> None:
    assert show(done()).payload == message("AI-edited · Gemini", row(button("Edit…", "rb:edit:-:")), ABOUT)


def test_several_pictures_are_numbered_by_their_files_and_hidden_ones_stay_hidden() -> None:
    pictures = (rendition("a"), rendition("b", "image/jpeg", "x" * 2000), rendition("c", "image/webp"))
    files = show(done(images=pictures, spoiler=True)).files
    assert [each.filename for each in files] == ["SPOILER_remix-1.png", "SPOILER_remix-2.jpg", "SPOILER_remix-3.webp"]
    assert units(files[1].alt) == 1024
    assert len(show(done(images=(rendition(),) * 12)).files) == 10


def test_what_was_refused_offers_what_would_work_and_nothing_else() -> None:
    answer = Answer(
        TurnState.FAILED, ("Too busy.",), controls=(Control(Act.AGAIN, "Try again"),), suggestions=("crop",), turn=TURN
    )
    assert show(answer).payload == message(
        "Too busy.", row(button("crop", "rb:say:-:0")), row(button("Try again", "rb:press:-:again"))
    )
    assert show(Answer(TurnState.CANCELLED, ("Cancelled.",), turn=TURN)).payload == message("Cancelled.")


def test_a_question_can_be_answered_where_nobody_can_reply() -> None:
    asking = Answer(TurnState.ASKING, ("Which hat?",), suggestions=("The red one",), turn=TURN)
    assert show(asking).payload == message(
        "Which hat?", row(button("The red one", "rb:say:-:0")), row(button("Answer…", "rb:edit:-:"))
    )


def test_a_picture_that_is_too_large_is_told_of_in_its_place() -> None:
    shown = show(done(), without_files=True)
    assert shown.files == ()
    assert shown.payload["content"] == f"AI-edited · Gemini\n{TOO_LARGE_WORDS.format(original_file=ORIGINAL_FILE)}"
    assert shown.payload["components"][-1] == ABOUT


# --- albums


def panel(name: str, words: str = "", *controls: Control) -> Panel:
    return Panel(TURN, TurnState.DONE, words, rendition(name), controls)


def test_an_album_has_numbered_words_and_a_list_of_choices_for_each_picture() -> None:
    failed = Panel(TURN, TurnState.FAILED, "Too busy.\nSorry.", controls=(Control(Act.AGAIN, "Try again"),))
    answer = done(
        panels=(panel("a", "A fox.", AGAIN), failed, panel("c", "", LARGER)),
        images=(rendition("a"), rendition("c")),
        controls=(Control(Act.AGAIN, "All of them again"),),
    )
    shown = show(answer)
    assert [each.filename for each in shown.files] == ["remix-1.png", "remix-3.png"]
    assert shown.payload == message(
        "AI-edited · Gemini\n1\\. A fox.\n2\\. Too busy. Sorry.",
        row(button("All of them again", "rb:press:-:again"), *ABOUT["components"]),
        row(
            choices(
                "Picture 1…",
                "rb:more:0:",
                **{
                    "1._Edit…": "rb:edit:0:",
                    "1._Original_file": "rb:file:0:",
                    "1._Again": "rb:press:0:again",
                    "1._Info": "rb:info:0:",
                },
            )
        ),
        row(choices("Picture 2…", "rb:more:1:", **{"2._Try_again": "rb:press:1:again"})),
        row(
            choices(
                "Picture 3…",
                "rb:more:2:",
                **{
                    "3._Edit…": "rb:edit:2:",
                    "3._Original_file": "rb:file:2:",
                    "3._Larger_(2K),_5_¢": "rb:press:2:larger.2K",
                    "3._Info": "rb:info:2:",
                },
            )
        ),
    )


def test_an_album_that_is_being_made_shows_what_is_there_and_can_be_cancelled() -> None:
    waits = Panel(TURN, TurnState.WAITING, "Waiting in line.")
    answer = Answer(TurnState.RUNNING, ("AI-generated",), turn=TURN, panels=(panel("a", "A fox."), waits))
    assert show(answer).payload == message("AI-generated\n1\\. A fox.\n2\\. Waiting in line.", CANCEL)
    assert [each.filename for each in show(answer).files] == ["remix-1.png"]


def test_every_picture_of_a_long_album_can_be_reached() -> None:
    controls = (AGAIN, VARIATIONS, LARGER, LARGEST)
    answer = done(
        panels=tuple(panel(str(number), "", *controls) for number in range(10)),
        images=tuple(rendition(str(number)) for number in range(10)),
        controls=(AGAIN,),
    )
    lists = [part for each in show(answer).payload["components"] for part in each["components"] if part["type"] == 3]
    assert [each["placeholder"] for each in lists] == [
        "Picture 1, 2 and 3…",
        "Picture 4, 5 and 6…",
        "Picture 7, 8 and 9…",
        "Picture 10…",
    ]
    edits = [option["value"] for each in lists for option in each["options"] if ":edit:" in option["value"]]
    assert edits == [f"rb:edit:{place}:" for place in range(10)]


# --- words that are too long, or hostile


def test_words_that_do_not_fit_go_on_in_an_embed() -> None:
    long = "An explanation. " * 200
    payload = show(done(lines=("Answered by AI", long), images=(), credit=Credit(ANNA))).payload
    assert payload["content"] == "Answered by AI\n-# Asked by <@11>"
    assert payload["embeds"] == [{"description": long}]
    assert payload["flags"] == 0


def test_what_is_longer_than_an_embed_is_cut_with_an_ellipsis() -> None:
    (embed,) = show(Answer(TurnState.DONE, ("*" * 5000,))).payload["embeds"]
    assert embed["description"] == "\\*" * 2047 + "…"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("*a* _b_ `c` ~~d~~ ||e||", "\\*a\\* \\_b\\_ \\`c\\` \\~\\~d\\~\\~ \\|\\|e\\|\\|"),
        ("# big\n> said\n- one\n2. two\n  -# small", "\\# big\n\\> said\n\\- one\n2\\. two\n  \\-# small"),
        ("@everyone <@12> <@&5> <#6> <t:1:R>", "@\u200beveryone \\<@12> \\<@&5> \\<#6> \\<t:1:R>"),
        ("[a](https://x.y/p) [b](https://x.y/q_r_s)!", "\\[a\\](<https://x.y/p>) \\[b\\](<https://x.y/q_r_s>)!"),
        ("a\\*b", "a\\\\\\*b"),
    ],
)
def test_words_of_people_are_words_and_nothing_else(said: str, shown: str) -> None:
    assert escape(said) == shown


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3000) | st.sampled_from(
    ["@everyone " * 300, "[](" * 1000, "😀" * 1500, "https://" * 300, "\\" * 2500, "*" * 1001]
)


@given(
    lines=st.lists(WORDS, max_size=6),
    suggestions=st.lists(WORDS, max_size=9),
    titles=st.lists(WORDS, max_size=12),
    panels=st.lists(WORDS, max_size=10),
    many=st.integers(0, 40),
    state=st.sampled_from(TurnState),
)
def test_whatever_is_said_discord_takes_it(
    lines: list[str], suggestions: list[str], titles: list[str], panels: list[str], many: int, state: TurnState
) -> None:
    album = tuple(panel(str(n), words, AGAIN, LARGER) for n, words in enumerate(panels))
    controls = tuple(Control(Act.CANVAS, f"Edit picture {number}", str(number)) for number in range(many))
    answer = Answer(
        state,
        tuple(lines),
        images=tuple(each.image for each in album if each.image) or (rendition(),),
        turn=TURN,
        suggestions=tuple(suggestions),
        controls=controls,
        sources=tuple(Source(title, "https://example.org/" + "x" * 200) for title in titles),
        panels=album,
        asks=(BEN,),
        credit=Credit(ANNA, tuple(user_ref(10**18 + number) for number in range(many))),
    )
    payload = show(answer).payload
    assert units(payload["content"]) <= 2000
    assert all(0 < units(each["description"]) <= 4096 for each in payload["embeds"])
    _assert_pressable(payload["components"])


def _assert_pressable(rows: list[dict[str, Any]]) -> None:
    assert len(rows) <= 5
    parts = [part for each in rows for part in each["components"]]
    assert all(0 < len(each["components"]) <= 5 for each in rows)
    ids = [part["custom_id"] for part in parts]
    assert len(set(ids)) == len(ids)
    for part in parts:
        options = part.get("options", [])
        assert (part["type"] == 3) == (0 < len(options) <= 25)
        values = [option["value"] for option in options]
        assert len(set(values)) == len(values)
        assert all(read_button_id(each) is not None for each in [*values, part["custom_id"]])
        assert all(0 < units(option["label"]) <= 100 for option in options)
        assert part["type"] == 3 or 0 < units(part["label"]) <= 80
    for each in rows:
        assert len(each["components"]) == 1 or all(part["type"] == 2 for part in each["components"])


@given(WORDS, st.integers(1, 3000))
def test_a_cut_text_is_never_longer_than_asked_for(text: str, most: int) -> None:
    short = cut(text, most)
    assert units(short) <= most
    assert short == text or text.startswith(short.removesuffix("…").rstrip())


def test_the_question_says_what_is_wanted_and_mentions_nobody_by_it() -> None:
    credit = Credit(ANNA, words="make it **night** @everyone\nplease")
    answer = Answer(TurnState.WAITING, ("Waiting for Ben to say yes.",), turn=TURN, asks=(BEN,), credit=credit)
    first, wanted, *_ = show(answer).payload["content"].split("\n")
    assert first == f"<@{BEN.user.user}>, may <@{ANNA.user.user}> edit your picture?"
    assert wanted == "> “make it \\*\\*night\\*\\* @\u200beveryone please”"


def test_words_that_nobody_else_saw_stand_in_the_credit_and_others_do_not() -> None:
    by_command, by_message = (message_ref("1", 2, id_) for id_ in ("i3", "3"))
    for asked_in, said in ((by_command, ": “a fox”"), (by_message, "")):
        answer = done(credit=Credit(ANNA, words="a fox", asked_in=asked_in))
        assert show(answer).payload["content"].endswith(f"-# Asked by <@{ANNA.user.user}>{said}")


def test_an_album_for_one_person_keeps_what_is_answered_to_them_alone() -> None:
    panels = tuple(Panel(TURN, TurnState.DONE, image=rendition(), controls=(AGAIN,)) for _ in range(2))
    rows = show(done(panels=panels), alone=True).payload["components"]
    choices = [each["label"] for row in rows for each in row["components"][0].get("options", ())]
    assert choices == ["1. Original file", "1. Info", "2. Original file", "2. Info"]
