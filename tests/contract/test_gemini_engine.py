"""The Gemini engine against a server that speaks the real protocol, through the real SDK."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
import traceback
import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import certifi
import pytest
from PIL import Image

from bot.domain.errors import (
    BadRequest,
    EngineFailed,
    EngineGaveNothing,
    EngineRefused,
    EngineUnavailable,
    ModelGone,
)
from bot.domain.images import Picture, Provenance
from bot.domain.roles import Purpose
from bot.domain.turns import Story, StoryLine
from bot.domain.wishes import Form, Kind, Wish
from bot.engines.gemini import DEFAULT_MODEL, DEFAULT_TEXT_MODEL, Access, Enterprise, GeminiEngine, model_profile
from bot.engines.gemini.failures import OPERATOR_WORDS
from bot.ports import EditRequest, Engine, Reading, Retirement
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini
from tests.fakes.google_sign_in import FakeSignIn
from tests.values import ANNA

SAMPLES = Path(__file__).parents[2] / "adapters/web/static/samples"
KEY = "AIza-the-secret-key-of-this-test"
DEFAULT = model_profile(DEFAULT_MODEL)


def photo(name: str, width_px: int, height_px: int) -> Picture:
    return Picture((SAMPLES / name).read_bytes(), "image/jpeg", width_px, height_px)


CAT, COFFEE = photo("cat.jpg", 451, 300), photo("coffee.jpg", 600, 400)
ASTRONAUT, ROCKET = photo("astronaut.jpg", 512, 512), photo("rocket.jpg", 640, 427)
NIGHT = EditRequest("make it night", (CAT,))


@pytest.fixture(autouse=True)
def _one_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing here is encrypted, and loading all certificates anew for each test would take most of its time."""
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    (tmp_path / "certificate.pem").write_text(first + end)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))


@pytest.fixture
async def fake() -> AsyncIterator[FakeGemini]:
    async with FakeGemini(api_key=KEY) as server:
        yield server


@pytest.fixture
async def sign_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[FakeSignIn]:
    """What this machine signs in to Google Cloud with."""
    async with FakeSignIn(token=KEY) as server:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(server.account_file(tmp_path)))
        yield server


@pytest.fixture
def cloud(fake: FakeGemini, sign_in: FakeSignIn) -> Access:
    return Access(enterprise=Enterprise("a-project", "europe-west4"), base_url=fake.url)


@pytest.fixture(params=["developer", "cloud"])
def access(request: pytest.FixtureRequest, fake: FakeGemini) -> Access:
    """Both doors of the API: with a key, and with an account on Google Cloud."""
    if request.param == "developer":
        return Access(KEY, base_url=fake.url)
    found: Access = request.getfixturevalue("cloud")
    return found


@pytest.fixture
async def either(access: Access) -> AsyncIterator[Engine]:
    async with GeminiEngine(access, [DEFAULT], timeout_s=20) as opened:
        yield opened


@pytest.fixture
async def engine(fake: FakeGemini) -> AsyncIterator[Engine]:
    unopened = GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT], timeout_s=20)
    yield unopened
    await unopened.aclose()


async def trouble_of(engine: GeminiEngine) -> str:
    """What the check says of its only model."""
    ((_, trouble),) = await engine.check()
    return trouble or ""


def sha256(picture: Picture) -> str:
    return hashlib.sha256(picture.data).hexdigest()


async def test_a_picture_and_words_give_an_edited_picture_and_its_cost(either: Engine, fake: FakeGemini) -> None:
    answer = await either.edit(NIGHT)
    (image,) = answer.images
    (call,) = fake.calls
    assert (image.media_type, image.width_px, image.height_px) == ("image/png", 451, 300)
    assert image.provenance is Provenance.AI_EDITED
    assert image.data != CAT.data
    assert answer.usage.model == DEFAULT_MODEL
    assert 33_600 < answer.usage.cost_microusd <= either.estimate_microusd(images=1)
    assert call.instruction == "make it night"


async def test_all_pictures_arrive_byte_for_byte_and_in_order(either: Engine, fake: FakeGemini) -> None:
    pictures = (ROCKET, CAT, COFFEE, ASTRONAUT, CAT)
    await either.edit(EditRequest("put them together", pictures))
    (call,) = fake.calls
    assert [sent.sha256 for sent in call.pictures] == [sha256(picture) for picture in pictures]
    assert call.order == ("text", "picture") * 5 + ("text", "text")


async def test_edits_at_the_same_time_do_not_mix_their_pictures(engine: Engine, fake: FakeGemini) -> None:
    pictures = {"a": CAT, "b": COFFEE, "c": ASTRONAUT, "d": ROCKET}
    fake.then(*(fakes.edits().slow(0.05) for _ in pictures))
    await asyncio.gather(*(engine.edit(EditRequest(words, (picture,))) for words, picture in pictures.items()))
    seen = {call.instruction: call.pictures[0].sha256 for call in fake.calls}
    assert seen == {words: sha256(picture) for words, picture in pictures.items()}


async def test_the_result_of_one_turn_is_good_input_for_the_next(engine: Engine, fake: FakeGemini) -> None:
    first = (await engine.edit(NIGHT)).images[0]
    await engine.edit(EditRequest("now add a moon", (first,)))
    assert fake.calls[1].pictures[0].sha256 == sha256(first)


async def test_an_edit_asks_for_no_ratio_and_only_for_what_the_model_has(fake: FakeGemini) -> None:
    for model in ("gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image", "gemini-2.5-flash-image"):
        async with GeminiEngine(Access(KEY, base_url=fake.url), [model_profile(model)]) as engine:
            await engine.edit(NIGHT)
    assert [call.config.get("imageConfig") for call in fake.calls] == [{"imageSize": "1K"}, None, None]
    assert [bool(call.system) for call in fake.calls] == [True, True, False]
    assert "You edit pictures" in fake.calls[2].texts[0]


async def test_the_model_that_is_named_is_asked_and_an_unknown_one_is_the_first(fake: FakeGemini) -> None:
    models = [DEFAULT, model_profile("gemini-3-pro-image")]
    async with GeminiEngine(Access(KEY, base_url=fake.url), models) as engine:
        answers = [await engine.edit(replace(NIGHT, model=name)) for name in ("gemini-3-pro-image", "", "gone")]
    assert [call.model for call in fake.calls] == ["gemini-3-pro-image", DEFAULT_MODEL, DEFAULT_MODEL]
    assert [answer.usage.model for answer in answers] == [call.model for call in fake.calls]
    assert answers[0].usage.cost_microusd > 3 * answers[1].usage.cost_microusd


async def test_the_estimate_is_that_of_the_dearest_model_at_the_size_that_is_wished_for() -> None:
    dear, cheap = model_profile("gemini-3-pro-image"), model_profile("gemini-3.1-flash-lite-image")
    engine = GeminiEngine(Access(KEY), [cheap, dear])
    assert (engine.profile.models, engine.profile.sizes) == ((cheap.id, dear.id), ("1K",))
    for wish in (Wish(), Wish(size="4K")):
        assert engine.estimate_microusd(images=2, wish=wish) == dear.estimate_microusd(images=2, wish=wish)
    question = Wish(kind=Kind.EXPLAIN)
    looking = GeminiEngine(Access(KEY), [cheap, dear], search=True)
    assert looking.estimate_microusd(images=0, wish=question) > engine.estimate_microusd(images=0, wish=question)
    assert looking.estimate_microusd(images=1, wish=question) == engine.estimate_microusd(images=1, wish=question)


async def test_originals_go_along_until_the_model_takes_no_more(fake: FakeGemini) -> None:
    small = model_profile("gemini-2.5-flash-image")
    async with GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT, small]) as engine:
        request = EditRequest("darker", (CAT, COFFEE), originals=(ASTRONAUT, ROCKET))
        await engine.edit(request)
        await engine.edit(replace(request, model=small.id))
        await engine.edit(replace(request, originals=(CAT, ROCKET)))
        with pytest.raises(BadRequest, match="at most 3"):
            await engine.edit(EditRequest("all of them", (CAT,) * 4, model=small.id))
    sent = [[each.sha256 for each in call.pictures] for call in fake.calls]
    everything = [sha256(each) for each in (CAT, COFFEE, ASTRONAUT, ROCKET)]
    assert sent == [everything, everything[:3], [*everything[:2], sha256(ROCKET)]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sizes": ["8K", "1K"]},
        {"ratios": ["7:5"]},
        {"thinking_levels": ["xhigh"], "thinking": "xhigh"},
        {"thinking_levels": ["low"], "thinking": "low"},
    ],
)
async def test_a_table_that_does_not_fit_the_model_is_for_the_operator(
    fake: FakeGemini, wrong: dict[str, object]
) -> None:
    profile = model_profile(DEFAULT_MODEL, {DEFAULT_MODEL: wrong})
    async with GeminiEngine(Access(KEY, base_url=fake.url), [profile]) as engine:
        with pytest.raises(EngineFailed, match="whoever runs this bot") as caught:
            await engine.edit(replace(NIGHT, wish=Wish(ratio="3:2")))
    assert OPERATOR_WORDS[caught.value.words]
    assert (caught.value.retryable, fake.posts) == (False, 1)


async def test_a_size_that_the_model_lacks_is_said(fake: FakeGemini) -> None:
    lite, old = model_profile("gemini-3.1-flash-lite-image"), model_profile("gemini-2.5-flash-image")
    large, usual = replace(NIGHT, wish=Wish(size="4K")), replace(NIGHT, wish=Wish(size="1K"))
    async with GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT, lite, old]) as engine:
        answers = [await engine.edit(replace(large, model=name)) for name in engine.profile.models]
        answers.append(await engine.edit(replace(usual, model=old.id)))
    assert ["4K" in answer.note for answer in answers] == [False, True, True, False]
    assert [call.config.get("imageConfig") for call in fake.calls] == [{"imageSize": "4K"}, None, None, None]


async def test_asked_for_transparency_the_file_is_really_transparent(engine: Engine, fake: FakeGemini) -> None:
    answer = await engine.edit(replace(NIGHT, wish=Wish(transparent=True)))
    (made,) = answer.images
    with Image.open(BytesIO(made.data)) as image:
        corner, alpha = image.getpixel((2, 2)), image.getchannel("A").getextrema()
    assert (made.media_type, made.has_alpha, made.provenance) == ("image/png", True, Provenance.AI_EDITED)
    assert isinstance(corner, tuple)
    assert corner[3] == 0
    assert alpha == (0, 255)
    assert (answer.note, fake.posts) == ("", 1)


async def test_a_painted_checkerboard_is_not_sold_as_transparency(engine: Engine, fake: FakeGemini) -> None:
    fake.then(fakes.paints_checkerboard())
    answer = await engine.edit(replace(NIGHT, wish=Wish(transparent=True)))
    assert "checkerboard" in answer.note
    assert not answer.images[0].has_alpha


async def test_a_broken_file_is_no_result_even_where_its_beginning_looks_well(engine: Engine, fake: FakeGemini) -> None:
    fake.then(fakes.gives(ROCKET.data[:9_000], "image/jpeg"))
    with pytest.raises(EngineGaveNothing) as caught:
        await engine.edit(replace(NIGHT, wish=Wish(transparent=True)))
    assert caught.value.cost_microusd > 0


async def test_a_question_is_looked_up_where_the_operator_allows_it(access: Access, fake: FakeGemini) -> None:
    question = EditRequest("how high is Mont Blanc?", (), wish=Wish(kind=Kind.EXPLAIN))
    async with GeminiEngine(access, [DEFAULT], search=True) as engine:
        answer = await engine.edit(question)
        await engine.edit(replace(question, images=(CAT,)))
        estimate = engine.estimate_microusd(images=0, wish=question.wish)
    assert [call.tools for call in fake.calls] == [("googleSearch",), ()]
    assert answer.sources
    assert 14_000 < answer.usage.cost_microusd <= estimate


async def test_filters_are_lowered_for_adults_only(access: Access, fake: FakeGemini) -> None:
    async with GeminiEngine(access, [DEFAULT], safety={"sexually_explicit": "only_high"}) as engine:
        await engine.edit(NIGHT)
        await engine.edit(replace(NIGHT, age_limited=True))
    assert [dict(call.safety) for call in fake.calls] == [{}, {"HARM_CATEGORY_SEXUALLY_EXPLICIT": "BLOCK_ONLY_HIGH"}]


async def test_a_result_keeps_the_shape_of_the_picture_that_is_edited(access: Access, fake: FakeGemini) -> None:
    async with GeminiEngine(access, [DEFAULT]) as engine:
        await engine.edit(EditRequest("her into it", (ASTRONAUT, CAT), purposes=(Purpose.SUBJECT, Purpose.CANVAS)))
        await engine.edit(replace(NIGHT, wish=Wish(ratio="16:9", size="2K")))
    assert [(call.ratio, call.size) for call in fake.calls] == [("3:2", "1K"), ("16:9", "2K")]
    assert [call.config["thinkingConfig"] for call in fake.calls] == [{"thinkingLevel": "MINIMAL"}] * 2


async def test_originals_and_pictures_share_the_weight_of_one_request(engine: Engine, fake: FakeGemini) -> None:
    big = [Picture(ROCKET.data + bytes(3_000_000 + n), "image/jpeg", 640, 427) for n in range(4)]
    await engine.edit(EditRequest("darker", (CAT, big[0], big[1]), originals=(big[2], big[3], COFFEE)))
    (call,) = fake.calls
    assert (fake.refused, len(call.pictures), call.body_bytes < 18_500_000) == ([], 6, True)
    assert [call.pictures[0].sha256, call.pictures[5].sha256] == [sha256(CAT), sha256(COFFEE)]


async def test_the_text_model_shares_the_connection(fake: FakeGemini) -> None:
    text = model_profile(DEFAULT_TEXT_MODEL)
    async with GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT], text=text) as engine:
        assert engine.text_model is not None
        heard = await engine.text_model.transcribe(fakes.spoken("make it night"), media_type="audio/wav")
        assert (await engine.edit(replace(NIGHT, instruction=heard.words))).images
        assert await engine.check() == ((DEFAULT_MODEL, None), (DEFAULT_TEXT_MODEL, None))
    assert [call.model for call in fake.calls] == [DEFAULT_TEXT_MODEL, DEFAULT_MODEL]


async def test_every_answer_counts_as_one_call(engine: Engine, fake: FakeGemini) -> None:
    fake.then(fakes.edits(), fakes.says("Which one?"))
    assert [(await engine.edit(NIGHT)).usage.calls for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    ("status", "retirement"),
    [
        ({"modelStage": "STABLE"}, None),
        ({"modelStage": "LEGACY", "message": "Goodbye."}, Retirement(DEFAULT_MODEL, "legacy")),
        (
            {"modelStage": "DEPRECATED", "retirementTime": "2027-03-01T08:00:00Z"},
            Retirement(DEFAULT_MODEL, "deprecated", "2027-03-01"),
        ),
        ({"retirementTime": "2027-03-01T08:00:00Z"}, Retirement(DEFAULT_MODEL, "", "2027-03-01")),
        ({"modelStage": "SUNSET_SOON"}, None),
    ],
)
async def test_a_retirement_that_an_answer_announces_is_passed_on(
    engine: Engine, fake: FakeGemini, status: dict[str, str], retirement: Retirement | None
) -> None:
    said = fakes.candidate({"text": "Which of the two?"})
    fake.then(fakes.answers({**said, "modelStatus": status}))
    assert (await engine.edit(NIGHT)).retirement == retirement


async def test_turn_50_sends_no_more_than_turn_2(engine: Engine, fake: FakeGemini) -> None:
    def story(turns: int) -> Story:
        return Story(tuple(StoryLine(ANNA, "Anna", f"turn {number}: a little darker") for number in range(turns)))

    for turns in (1, 49, 999):
        await engine.edit(EditRequest("and again", (CAT,), story(turns)))
    second, fiftieth, thousandth = (call.body_bytes for call in fake.calls)
    assert fiftieth < second * 1.02
    assert abs(thousandth - fiftieth) < 20


async def test_fourteen_pictures_far_too_large_for_one_request_are_made_to_fit(
    engine: Engine, fake: FakeGemini
) -> None:
    big = Picture(ROCKET.data + bytes(2_000_000), "image/jpeg", 640, 427)
    await engine.edit(EditRequest("a collage", (big,) * 14))
    assert (fake.refused, len(fake.calls[0].pictures)) == ([], 14)
    assert fake.calls[0].body_bytes < 18_500_000


async def test_words_only_are_a_question(either: Engine, fake: FakeGemini) -> None:
    fake.then(fakes.says("Which of the two?"))
    answer = await either.edit(NIGHT)
    assert (answer.images, answer.remark) == ((), "Which of the two?")
    assert answer.usage.cost_microusd > 0


async def test_of_drafts_and_thoughts_only_the_last_picture_is_given(engine: Engine, fake: FakeGemini) -> None:
    fake.then(fakes.draws_drafts(3), fakes.edits())
    first, second = [await engine.edit(NIGHT) for _ in range(2)]
    assert first.images == second.images
    assert first.usage.cost_microusd > second.usage.cost_microusd


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (fakes.refuses("IMAGE_SAFETY"), EngineRefused),
        (fakes.blocks("PROHIBITED_CONTENT"), EngineRefused),
        (fakes.refuses("NO_IMAGE"), EngineGaveNothing),
        (fakes.gives_nothing(), EngineGaveNothing),
        (fakes.gives(b"<html>", "image/png"), EngineGaveNothing),
    ],
)
async def test_a_refusal_and_an_empty_answer_carry_what_they_cost(
    either: Engine, fake: FakeGemini, behaviour: fakes.Behaviour, outcome: type[EngineFailed]
) -> None:
    fake.then(behaviour.using(promptTokenCount=2_000, thoughtsTokenCount=100))
    with pytest.raises(outcome) as caught:
        await either.edit(NIGHT)
    assert caught.value.cost_microusd == 2_000 * 3 // 2 + 100 * 15 // 2


async def test_a_reason_newer_than_the_sdk_makes_no_noise(fake: FakeGemini) -> None:
    fake.then(fakes.refuses("UNHEARD_OF"))
    with warnings.catch_warnings(record=True) as noise:
        warnings.simplefilter("always")
        async with GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT]) as engine:
            with pytest.raises(EngineGaveNothing):
                await engine.edit(NIGHT)
    assert [str(each.message) for each in noise if issubclass(each.category, UserWarning)] == []


@pytest.mark.parametrize(
    ("behaviour", "maybe_billed", "retry_after_s"),
    [
        (fakes.fails(429, "RESOURCE_EXHAUSTED", retry_delay="3.5s"), False, 3.5),
        (fakes.fails(503, "UNAVAILABLE"), False, None),
        (fakes.garbles(502), True, None),
        (fakes.garbles(200), True, None),
        (fakes.drops(), True, None),
        (fakes.drops(after_bytes=1_000), True, None),
    ],
)
async def test_whatever_breaks_on_the_way_the_request_is_sent_once(
    either: Engine, fake: FakeGemini, behaviour: fakes.Behaviour, maybe_billed: bool, retry_after_s: float | None
) -> None:
    fake.then(behaviour)
    with pytest.raises(EngineUnavailable) as caught:
        await either.edit(NIGHT)
    assert (caught.value.maybe_billed, caught.value.retry_after_s) == (maybe_billed, retry_after_s)
    assert fake.posts == 1


async def test_an_answer_that_never_comes_ends_at_the_timeout_after_one_request(fake: FakeGemini) -> None:
    fake.then(fakes.hangs())
    async with GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT], timeout_s=0.4) as engine:
        with pytest.raises(EngineUnavailable) as caught:
            async with asyncio.timeout(10):
                await engine.edit(NIGHT)
    await fake.until(lambda: fake.abandoned == 1)
    assert (caught.value.maybe_billed, fake.posts) == (True, 1)


async def test_an_answer_to_be_continued_is_not_continued_in_silence(engine: Engine, fake: FakeGemini) -> None:
    fake.then(fakes.answers({"candidates": [{"finishReason": "CONTINUATION", "continuationToken": "dG9rZW4="}]}))
    with pytest.raises(EngineGaveNothing):
        await engine.edit(NIGHT)
    assert fake.posts == 1


async def test_a_server_that_is_not_there_was_certainly_not_billed() -> None:
    async with FakeGemini() as fake:
        gone = fake.url
    async with GeminiEngine(Access(KEY, base_url=gone), [DEFAULT]) as engine:
        with pytest.raises(EngineUnavailable) as caught:
            await engine.edit(NIGHT)
    assert not caught.value.maybe_billed


async def test_the_key_follows_no_redirect(either: Engine, fake: FakeGemini) -> None:
    async with FakeGemini() as elsewhere:
        fake.then(fakes.redirects(f"{elsewhere.url}/v1/models/{DEFAULT_MODEL}:generateContent"))
        with pytest.raises(EngineFailed, match="address"):
            await either.edit(NIGHT)
        assert elsewhere.posts == 0


async def test_cancelling_breaks_the_call_off_at_once(either: Engine, fake: FakeGemini) -> None:
    fake.then(fakes.hangs())
    editing = asyncio.create_task(either.edit(NIGHT))
    await fake.until(lambda: len(fake.calls) == 1)
    editing.cancel()
    began = time.monotonic()
    with contextlib.suppress(asyncio.CancelledError):
        await editing
    await fake.until(lambda: fake.abandoned == 1)
    assert (editing.cancelled(), fake.posts) == (True, 1)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "behaviour",
    [
        fakes.fails(403, "PERMISSION_DENIED", f"The key {KEY} is not allowed."),
        fakes.fails(500, "INTERNAL", f"It broke with {KEY} and make it night."),
        fakes.drops(),
        fakes.garbles(),
    ],
)
async def test_neither_key_nor_words_reach_a_log_or_an_error(
    either: Engine,
    fake: FakeGemini,
    behaviour: fakes.Behaviour,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.then(behaviour)
    with pytest.raises(EngineFailed) as caught:
        await either.edit(NIGHT)
    trace = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=False).format())
    seen = "\n".join(
        (caplog.text, *capfd.readouterr(), trace, repr(caught.value), repr(either), str(vars(caught.value)))
    )
    assert KEY not in seen
    assert "make it night" not in seen
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_the_cloud_is_asked_at_its_own_door_and_signed_in_to_once(
    cloud: Access, fake: FakeGemini, sign_in: FakeSignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-another")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "another")
    async with GeminiEngine(cloud, [DEFAULT]) as engine:
        assert await trouble_of(engine) == ""
        for _ in range(2):
            assert (await engine.edit(NIGHT)).images
    assert [call.vertex for call in fake.calls] == [True, True]
    assert sign_in.asked == 1


async def test_an_account_that_is_not_accepted_is_for_the_operator(
    cloud: Access, fake: FakeGemini, sign_in: FakeSignIn
) -> None:
    sign_in.refusing = True
    async with GeminiEngine(cloud, [DEFAULT]) as engine:
        with pytest.raises(EngineFailed, match="could not sign in") as caught:
            await engine.edit(NIGHT)
        assert "GOOGLE_APPLICATION_CREDENTIALS" in await trouble_of(engine)
    assert (caught.value.retryable, fake.posts) == (False, 0)


async def test_a_machine_without_an_account_is_for_the_operator(
    cloud: Access, fake: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/account.json")
    async with GeminiEngine(cloud, [DEFAULT]) as engine:
        with pytest.raises(EngineFailed, match="could not sign in"):
            await engine.edit(NIGHT)
        assert "GOOGLE_APPLICATION_CREDENTIALS" in await trouble_of(engine)
    assert fake.posts == 0


async def test_a_wrong_key_is_for_the_operator_and_not_tried_again(fake: FakeGemini) -> None:
    async with GeminiEngine(Access("AIza-wrong", base_url=fake.url), [DEFAULT]) as engine:
        with pytest.raises(EngineFailed, match="whoever runs this bot") as caught:
            await engine.edit(NIGHT)
        assert "GEMINI_API_KEY" in await trouble_of(engine)
    assert not caught.value.retryable


async def test_a_model_that_was_retired_is_for_the_operator(fake: FakeGemini) -> None:
    async with GeminiEngine(Access(KEY, base_url=fake.url), [model_profile("gemini-3.1-flash-image")]) as engine:
        with pytest.raises(ModelGone, match="not there any more"):
            await engine.edit(NIGHT)
        assert "Choose another" in await trouble_of(engine)


async def test_every_model_is_checked_the_one_for_words_too(fake: FakeGemini) -> None:
    models = [model_profile(name) for name in (DEFAULT_MODEL, "gemini-3.1-flash-image", "gemini-3-pro-image")]
    access = Access(KEY, base_url=fake.url)
    async with GeminiEngine(access, models, text=model_profile("gemini-1-words")) as engine:
        lines = await engine.check()
    assert [name for name, _ in lines] == [*engine.profile.models, "gemini-1-words"]
    assert [trouble is None for _, trouble in lines] == [True, False, True, False]


async def test_checking_a_server_that_is_not_there_says_so() -> None:
    async with FakeGemini() as fake:
        gone = fake.url
    async with GeminiEngine(Access(KEY, base_url=gone), [DEFAULT]) as engine:
        assert await trouble_of(engine) == "Gemini could not be reached. Please try again in a moment."


async def test_a_key_that_cannot_be_sent_is_said_kindly(fake: FakeGemini) -> None:
    async with GeminiEngine(Access("schlüssel\nx", base_url=fake.url), [DEFAULT]) as engine:
        assert "GEMINI_API_KEY" in await trouble_of(engine)
        with pytest.raises(EngineFailed):
            await engine.edit(NIGHT)


async def test_without_a_key_none_is_taken_from_elsewhere_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-another")
    assert "Look at the key" in await trouble_of(GeminiEngine(Access("  "), [DEFAULT]))


async def test_the_environment_changes_neither_key_nor_address(
    fake: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-another")
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-another")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    async with GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT]) as engine:
        assert (await engine.edit(NIGHT)).images


async def test_the_client_opens_by_itself_and_again_after_closing(fake: FakeGemini) -> None:
    engine = GeminiEngine(Access(KEY, base_url=fake.url), [DEFAULT])
    for _ in range(2):
        assert (await engine.edit(NIGHT)).images
        await engine.aclose()
    await engine.aclose()


@pytest.mark.parametrize(
    ("instruction", "images", "words"),
    [
        ("", 1, "what should change"),
        (" \n\x00", 1, "what should change"),
        ("x" * 8_001, 1, "8,000"),
        ("make it night", 0, "no picture"),
        ("make it night", 15, "at most 14"),
    ],
)
async def test_what_cannot_be_asked_is_said_before_anything_is_sent(
    engine: Engine, fake: FakeGemini, instruction: str, images: int, words: str
) -> None:
    reading = engine.read(instruction, images=images)
    assert not reading.whole
    assert words in reading.unclear
    with pytest.raises(BadRequest, match=words):
        await engine.edit(EditRequest(instruction, (CAT,) * images))
    assert fake.posts == 0


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(kind=Kind.IMAGINE), ""),
        (Wish(kind=Kind.EXPLAIN), ""),
        (Wish(kind=Kind.IMAGINE, form=Form.STORY, count=8), ""),
        (Wish(kind=Kind.IMAGINE, form=Form.VARIATIONS, count=4), ""),
        (Wish(kind=Kind.EDIT, form=Form.STORY, count=6), "no picture"),
        (Wish(kind=Kind.IMAGINE, form=Form.STORY, count=9), "at most 8"),
        (Wish(kind=Kind.IMAGINE, form=Form.VARIATIONS, count=5), "at most 4"),
    ],
)
async def test_only_what_is_meant_to_have_no_picture_goes_without_one(
    engine: Engine, fake: FakeGemini, wish: Wish, words: str
) -> None:
    reading = engine.read("a fox in a lighthouse", images=0, wish=wish)
    assert reading.whole == (not words)
    assert words in reading.unclear
    fake.then(fakes.says("It depends."))
    with pytest.raises(BadRequest, match=words) if words else contextlib.nullcontext():
        await engine.edit(EditRequest("a fox in a lighthouse", (), wish=wish))
    assert fake.posts == (not words)


@pytest.mark.parametrize(
    ("kind", "words"),
    [(Kind.EDIT, "what should change"), (Kind.IMAGINE, "what the picture should show"), (Kind.EXPLAIN, "like to know")],
)
def test_no_words_at_all_are_asked_for_as_they_are_needed(kind: Kind, words: str) -> None:
    engine = GeminiEngine(Access(KEY), [DEFAULT])
    assert words in engine.read(" ", images=1, wish=Wish(kind=kind)).unclear


def test_settings_that_cannot_be_used_are_said_at_once() -> None:
    with pytest.raises(ValueError, match='called "manners"'):
        GeminiEngine(Access(KEY), [DEFAULT], safety={"manners": "off"})
    with pytest.raises(ValueError, match="at least one model"):
        GeminiEngine(Access(KEY), [])


@pytest.mark.parametrize(("instruction", "images"), [("x", 1), ("x" * 8_000, 14), ("夜にして", 2)])
def test_any_words_with_pictures_are_understood(instruction: str, images: int) -> None:
    engine = GeminiEngine(Access(KEY), [DEFAULT])
    assert engine.read(instruction, images=images) == Reading(whole=True)
