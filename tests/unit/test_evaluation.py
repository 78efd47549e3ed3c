"""Two models on an operator's own pictures: what is asked, what is kept, and what the numbers are worth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from bot.domain.errors import BadRequest, NotAllowed, RemixError
from bot.evaluation import Report, evaluate, summary
from bot.evaluation.archive import Archive, Choice, Evaluation, Job, Result, State, Verdict
from bot.evaluation.folder import Task, read_folder
from bot.evaluation.scores import Score, counts, judgement, pairs_of, scores, standing, total, wilson
from bot.settings import Settings
from tests.fakes.gemini import (
    Behaviour,
    Call,
    FakeGemini,
    Json,
    Wire,
    candidate,
    edits,
    fails,
    hangs,
    picture_part,
    refuses,
    says,
)
from tests.pictures import photo

A, B = "gemini-nano-banana-2.1", "gemini-3-pro-image"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "anna.jpg").write_bytes(photo("astronaut"))
    (tmp_path / "anna.txt").write_text("let her laugh\n", "utf-8")
    return tmp_path


@pytest.fixture
async def fake() -> AsyncIterator[FakeGemini]:
    async with FakeGemini() as fake:
        yield fake


async def run(folder: Path, fake: FakeGemini, *, says_yes: bool = True, key: str = "x") -> tuple[Report, list[str]]:
    said: list[str] = []
    given: dict[str, Any] = {"gemini_api_key": SecretStr(key), "gemini_api_base": fake.url}
    settings = Settings(data=folder / "data", **given)

    def confirm(question: str) -> bool:
        said.append(question)
        return says_yes

    return await evaluate(settings, folder, (A, B), say=said.append, confirm=confirm), said


def by_model(**behaviours: Behaviour) -> Behaviour:
    """Another behaviour for each model, by the first word of its name that differs."""

    def answer(call: Call) -> Json | Wire:
        return behaviours["pro" if "pro" in call.model else "nano"].answer(call)

    return Behaviour(answer, checked=False)


# --- the folder


def test_a_picture_has_the_lines_of_its_own_text_and_then_the_common_ones(folder: Path) -> None:
    (folder / "ben.png").write_bytes(photo("cat"))
    (folder / "instructions.txt").write_text('\ufeff[Lettering] write "OPEN" on the door\r\n\r\n', "utf-8")
    (folder / "dragon.txt").write_text("draw a dragon reading a book", "utf-8")
    anna, ben = folder / "anna.jpg", folder / "ben.png"
    assert read_folder(folder).tasks == (
        Task("let her laugh", "edits", anna),
        Task('write "OPEN" on the door', "lettering", anna),
        Task('write "OPEN" on the door', "lettering", ben),
        Task("draw a dragon reading a book", "from words"),
    )


def test_what_the_system_leaves_in_a_folder_is_passed_over_and_an_unasked_picture_is_named(folder: Path) -> None:
    (folder / "._anna.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "notes.pdf").write_bytes(b"%PDF")
    (folder / "ben.png").write_bytes(photo("cat"))
    contents = read_folder(folder)
    assert [task.instruction for task in contents.tasks] == ["let her laugh"]
    assert contents.left_out == (folder / "ben.png",)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "nothing to try"),
        ({"anna.jpg": b"x"}, "nothing says what to do"),
        ({"instructions.txt": b"make it blue"}, "goes with pictures"),
        ({"a.jpg": b"x", "a.txt": b"\xff\xfe"}, "not plain text"),
        ({"a.jpg": b"x", "a.txt": b"brighter\n[faces]\n"}, "Line 2 of a.txt"),
    ],
)
def test_a_folder_that_cannot_be_used_says_what_to_do(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadRequest, match=words):
        read_folder(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="nowhere"):
        read_folder(tmp_path / "nowhere")


# --- making


async def test_the_price_is_said_before_anything_is_asked_and_no_means_no(folder: Path, fake: FakeGemini) -> None:
    report, said = await run(folder, fake, says_yes=False)
    assert said[0].startswith(f"{A}: 1 call, at most about ")
    assert said[1].startswith(f"{B}: 1 call, at most about ")
    assert said[2].startswith("Together 2 calls, at most about ")
    assert (report, fake.posts) == (Report(begun=False), 0)


async def test_a_second_run_makes_only_what_is_missing(folder: Path, fake: FakeGemini) -> None:
    first, _ = await run(folder, fake)
    assert (first.made, first.comparable, fake.posts) == (2, 1, 2)
    (folder / "anna.txt").write_text("let her laugh\nmake it night\n", "utf-8")
    (folder / "copy.jpg").write_bytes(photo("astronaut"))
    (folder / "copy.txt").write_text("let her laugh", "utf-8")
    second, _ = await run(folder, fake)
    assert (second.made, second.kept, second.comparable, fake.posts) == (2, 2, 2, 4)
    third, said = await run(folder, fake)
    assert (third.cost_microusd, said, fake.posts) == (0, ["Everything is made already; nothing is asked again."], 4)


async def test_each_model_gets_the_same_picture_and_the_words_without_their_tag(folder: Path, fake: FakeGemini) -> None:
    (folder / "anna.txt").write_text("[faces] let her laugh", "utf-8")
    await run(folder, fake)
    assert {call.model for call in fake.calls} == {A, B}
    assert ["let her laugh" in call.instruction for call in fake.calls] == [True, True]
    assert not any("faces" in text for call in fake.calls for text in call.texts)
    assert len({call.pictures for call in fake.calls}) == 1


async def test_an_instruction_without_a_picture_is_asked_as_words_alone_and_gives_one_picture(tmp_path: Path) -> None:
    (tmp_path / "dragon.txt").write_text("four variations of a dragon reading a book, 16:9", "utf-8")
    made = Behaviour(lambda _: candidate(picture_part(photo("rocket"), "image/jpeg")))
    async with FakeGemini(default=made) as server:
        report, _ = await run(tmp_path, server)
        calls = server.calls
    assert (report.made, report.comparable) == (2, 1)
    assert [call.pictures for call in calls] == [(), ()]
    assert [call.config["imageConfig"]["aspectRatio"] for call in calls] == ["16:9", "16:9"]


async def test_at_most_two_calls_run_at_once_on_each_model(folder: Path) -> None:
    answered, most = {A: 0, B: 0}, {A: 0, B: 0}
    (folder / "anna.txt").write_text("\n".join(f"take {number}" for number in range(5)), "utf-8")

    def answer(call: Call) -> Json | Wire:
        arrived = sum(each.model == call.model for each in server.calls)
        most[call.model] = max(most[call.model], arrived - answered[call.model])
        answered[call.model] += 1
        return edits().answer(call)

    async with FakeGemini(default=Behaviour(answer), delay_s=0.05) as server:
        await run(folder, server)
    assert most == {A: 2, B: 2}


async def test_a_refusal_is_kept_and_not_asked_again_but_a_failure_is(folder: Path) -> None:
    async with FakeGemini(default=by_model(nano=refuses("IMAGE_SAFETY"), pro=fails(503))) as fake:
        first, said = await run(folder, fake)
        assert (first.no_picture, first.failed, first.comparable) == (1, 1, 0)
        assert any("refused (Gemini's safety rules" in line for line in said)
    async with FakeGemini(default=by_model(nano=edits(), pro=edits())) as fake:
        second, _ = await run(folder, fake)
        assert (second.made, second.kept, [call.model for call in fake.calls]) == (1, 1, [B])
    assert scores_of(folder)["edits"] == Score(wins=(0, 1), walkovers=(0, 1))


async def test_a_call_that_was_broken_off_is_said_to_be_billed_perhaps_and_asked_again(folder: Path) -> None:
    async with FakeGemini(default=hangs()) as fake:
        running = asyncio.create_task(run(folder, fake))
        await fake.until(lambda: len(fake.calls) == 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    async with FakeGemini() as fake:
        report, said = await run(folder, fake)
    assert "2 calls of an earlier run broke off and may have been billed already; they are asked again." in said
    assert report.made == 2


async def test_a_model_that_fails_again_and_again_is_left_alone(folder: Path) -> None:
    (folder / "anna.txt").write_text("\n".join(f"take {number}" for number in range(9)), "utf-8")
    async with FakeGemini(default=by_model(nano=edits(), pro=fails(503))) as fake:
        report, said = await run(folder, fake)
        assert sum(call.model == B for call in fake.calls) <= 4
    assert (report.made, report.failed) == (9, 9)
    assert any("3 times in a row" in line for line in said)


async def test_a_wrong_key_or_an_unreadable_picture_is_found_before_anything_is_paid(folder: Path) -> None:
    async with FakeGemini(api_key="right") as fake:
        with pytest.raises(RemixError, match=f"{A} cannot be asked"):
            await run(folder, fake, key="wrong")
        (folder / "anna.jpg").write_bytes(photo("astronaut")[:5000])
        with pytest.raises(BadRequest, match=r"anna\.jpg"):
            await run(folder, fake, key="right")
        with pytest.raises(RemixError, match="GEMINI_API_KEY"):
            await run(folder, fake, key="")
        assert fake.posts == 0


async def test_two_runs_of_one_folder_do_not_pay_twice(folder: Path, fake: FakeGemini) -> None:
    with Archive(folder).locked(), pytest.raises(NotAllowed, match="is running"):
        await run(folder, fake)
    assert fake.posts == 0


async def test_what_was_made_is_kept_as_it_came_with_its_time_and_cost(folder: Path, fake: FakeGemini) -> None:
    await run(folder, fake)
    archive = Archive(folder)
    evaluation = archive.evaluation()
    assert evaluation is not None
    key = evaluation.jobs[0].key(A)
    result = archive.result(key)
    assert result is not None
    assert (result.state, result.tries) == (State.DONE, 1)
    assert result.seconds > 0
    assert result.cost_microusd > 0
    with Image.open(BytesIO(archive.pixels(key, result))) as made, Image.open(folder / "anna.jpg") as before:
        assert made.size == before.size


async def test_nothing_that_a_model_says_reaches_the_terminal(folder: Path) -> None:
    async with FakeGemini(default=by_model(nano=says("\x1b[2Jhello"), pro=edits())) as fake:
        _, said = await run(folder, fake)
    assert not any("hello" in line or "\x1b" in line for line in said)


# --- the numbers


def scores_of(folder: Path) -> dict[str, Score]:
    archive = Archive(folder)
    evaluation = archive.evaluation()
    assert evaluation is not None
    keys = [job.key(model) for job in evaluation.jobs for model in evaluation.models]
    results = {key: result for key in keys if (result := archive.result(key))}
    return scores(evaluation, results, standing(archive.verdicts()))


def made_up(names: Iterable[str]) -> Evaluation:
    """An evaluation of one task for each name."""
    return Evaluation((A, B), tuple(Job(name, "edits", "anna.jpg") for name in names), seed="s")


def test_each_pair_counts_once_and_a_refusal_loses_unless_both_refused() -> None:
    done, refused, failed = State.DONE, State.REFUSED, State.FAILED
    states = {
        "both": (done, done),
        "equal": (done, done),
        "open": (done, done),
        "refused": (refused, done),
        "words": (done, State.WORDS),
        "neither": (refused, State.NOTHING),
        "failed": (failed, done),
    }
    evaluation = made_up(states)
    results = {
        job.key(model): Result(model, state)
        for job in evaluation.jobs
        for model, state in zip(evaluation.models, states[job.instruction], strict=True)
    }
    pairs = {pair.job.instruction: pair for pair in pairs_of(evaluation)}
    side = Choice.LEFT if pairs["both"].left == B else Choice.RIGHT
    verdicts = [
        Verdict(pairs["both"].id, "edits", pairs["both"].left, pairs["both"].right, side, B, 2.0),
        Verdict(pairs["equal"].id, "edits", pairs["equal"].left, pairs["equal"].right, Choice.EQUAL, "", 2.0),
        Verdict(pairs["open"].id, "edits", A, B, Choice.LEFT, A, 1.0),
        Verdict(pairs["open"].id, "edits", A, B, Choice.TAKEN_BACK, "", 0.0),
    ]
    expected = Score(wins=(1, 2), walkovers=(1, 1), equal=1, none=1, unjudged=1, missing=1)
    assert scores(evaluation, results, standing(verdicts)) == {"edits": expected}


def test_kinds_are_counted_apart_and_together() -> None:
    parts = [Score(wins=(3, 1), equal=2), Score(wins=(0, 4), walkovers=(0, 1), neither=1)]
    assert total(parts) == Score(wins=(3, 5), walkovers=(0, 1), equal=2, neither=1)


@pytest.mark.parametrize(
    ("wins", "of", "low", "high"),
    [(10, 10, 0.722, 1.0), (5, 10, 0.237, 0.763), (0, 10, 0.0, 0.278), (15, 20, 0.531, 0.888)],
)
def test_the_interval_is_wilsons(wins: int, of: int, low: float, high: float) -> None:
    assert [*wilson(wins, of)] == pytest.approx([low, high], abs=0.001)


@pytest.mark.parametrize(
    ("wins", "words"),
    [
        ((0, 0), "Too few to say. No pair"),
        ((9, 0), "Too few to say. Only 9 pairs"),
        ((7, 3), "do not settle which one is better"),
        ((15, 5), f"{A} won 15 of the 20 pairs"),
        ((5, 15), f"{B} won 15 of the 20 pairs"),
    ],
)
def test_no_more_is_said_than_the_numbers_hold(wins: tuple[int, int], words: str) -> None:
    assert words in judgement(Score(wins=wins), (A, B))
    assert ("does better" in judgement(Score(wins=wins), (A, B))) == (15 in wins)


def test_the_counts_name_walkovers_and_what_is_open() -> None:
    score = Score(wins=(2, 1), walkovers=(1, 0), equal=1, unjudged=3)
    shown = f"{A} 2 (1 because the other made no picture) · {B} 1 · equally good 1 · both bad 0 · not judged yet 3"
    assert counts(score, (A, B)) == shown


def test_sides_are_mixed_and_stay_as_they_are() -> None:
    evaluation = made_up(map(str, range(60)))
    pairs = pairs_of(evaluation)
    assert 15 < sum(pair.left == A for pair in pairs) < 45
    assert pairs == pairs_of(evaluation)
    assert [pair.job for pair in pairs] != list(evaluation.jobs)


def test_swapping_the_models_on_the_command_line_changes_no_side() -> None:
    evaluation = made_up(map(str, range(9)))
    assert pairs_of(Evaluation((B, A), evaluation.jobs, evaluation.seed)) == pairs_of(evaluation)


def test_a_torn_line_of_verdicts_harms_no_other(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with archive.locked():
        pass
    first, second = (Verdict(name, "edits", A, B, Choice.LEFT, A, 3.2, 1.0) for name in "ab")
    archive.note_verdict(first)
    with (archive.root / "verdicts.jsonl").open("a") as file:
        file.write(json.dumps({"pair": "torn", "kind": "edits"})[:-5])
    archive.note_verdict(second)
    assert archive.verdicts() == [first, second]


async def test_the_summary_names_models_kinds_times_and_costs(folder: Path, fake: FakeGemini) -> None:
    with pytest.raises(RemixError, match="Nothing was made yet"):
        summary(folder)
    await run(folder, fake)
    said = summary(folder)
    assert f"edits: {A} 0 · {B} 0 · equally good 0 · both bad 0 · not judged yet 1" in said
    assert "Too few to say." in said
    assert f"{A}: 1 picture, usually 0." in said
