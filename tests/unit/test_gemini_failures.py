"""What went wrong on the way to the model and back."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from google.auth import exceptions as sign_in
from google.genai import errors

from bot.domain.errors import EngineFailed, EngineUnavailable, ModelGone
from bot.engines.gemini import failures
from bot.engines.gemini.failures import failure_of
from tests.fakes.gemini import google_error

HERE = ConnectionKey("127.0.0.1", 1, False, True, None, None, None)


def api_error(status: int, name: str = "", message: str = "", *details: dict[str, Any]) -> errors.APIError:
    return errors.APIError(status, google_error(status, name, message, *details))


def not_signed_in(kind: str, *about: object, **more: object) -> Exception:
    """What Google's own sign-in raises."""
    made: Exception = getattr(sign_in, kind)(*about, **more)
    return made


def retry_in(delay: object) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def quota(name: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": name}]}


@pytest.mark.parametrize(
    ("error", "maybe_billed", "retry_after_s"),
    [
        (api_error(429, "RESOURCE_EXHAUSTED", "", retry_in("39s")), False, 39.0),
        (api_error(429, "RESOURCE_EXHAUSTED", "", retry_in("0.25s"), quota("RequestsPerMinute")), False, 0.25),
        (api_error(429, "RESOURCE_EXHAUSTED", "", retry_in("999999s")), False, 3_600.0),
        (api_error(429, "RESOURCE_EXHAUSTED", "", retry_in({"seconds": 3})), False, None),
        (api_error(429), False, None),
        (api_error(500), False, None),
        (api_error(503, "UNAVAILABLE", "overloaded", retry_in("2s")), False, 2.0),
        (api_error(502), True, None),
        (api_error(504, "DEADLINE_EXCEEDED"), True, None),
        (errors.APIError(503, ["not", "what", "was", "promised"]), False, None),
        (errors.APIError(500, {"error": {"details": [None, {"violations": 3}]}}), False, None),
        (TimeoutError(), True, None),
        (aiohttp.ServerDisconnectedError(), True, None),
        (aiohttp.ClientPayloadError(), True, None),
        (ConnectionResetError(), True, None),
        (aiohttp.ClientConnectorError(HERE, OSError()), False, None),
        (json.JSONDecodeError("no", "{", 1), True, None),
        (errors.UnknownApiResponseError("no"), True, None),
        (not_signed_in("TransportError", "no route"), False, None),
        (not_signed_in("RefreshError", "later", retryable=True), False, None),
    ],
    ids=repr,
)
def test_what_passes_by_itself_may_be_tried_again(
    error: Exception, maybe_billed: bool, retry_after_s: float | None
) -> None:
    failure = failure_of(error)
    assert isinstance(failure, EngineUnavailable)
    assert (failure.retryable, failure.maybe_billed, failure.retry_after_s) == (True, maybe_billed, retry_after_s)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (api_error(400, "INVALID_ARGUMENT", "API key not valid", {"reason": "API_KEY_INVALID"}), failures.BAD_KEY),
        (api_error(401, "UNAUTHENTICATED"), failures.BAD_KEY),
        (api_error(403, "PERMISSION_DENIED"), failures.BAD_KEY),
        (api_error(403, "PERMISSION_DENIED", "Billing is disabled for this project"), failures.NO_MONEY),
        (api_error(403, "PERMISSION_DENIED", "", {"reason": "BILLING_DISABLED"}), failures.NO_MONEY),
        (api_error(402), failures.NO_MONEY),
        (api_error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), failures.NO_MONEY),
        (api_error(429, "RESOURCE_EXHAUSTED", "", quota("RequestsPerDayPerProject"), retry_in("9s")), failures.USED_UP),
        (api_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: x", retry_in("7s")), failures.NO_MONEY),
        (api_error(429, "RESOURCE_EXHAUSTED", "", quota("SpendPerMonthPerProject")), failures.MONTH_USED_UP),
        (
            api_error(429, "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending cap."),
            failures.MONTH_USED_UP,
        ),
        (api_error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), failures.NOT_HERE),
        (api_error(400, "FAILED_PRECONDITION", "Please enable billing."), failures.NO_MONEY),
        (api_error(400, "INVALID_ARGUMENT", "Unable to process input image."), failures.BAD_PICTURE),
        (api_error(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit."), failures.TOO_LARGE),
        (api_error(413), failures.TOO_LARGE),
        (api_error(400, "INVALID_ARGUMENT", "Something else."), failures.NOT_TAKEN),
        (api_error(400, "INVALID_ARGUMENT", "Invalid value at image_config.image_size: 8K"), failures.NOT_OFFERED),
        (api_error(400, "INVALID_ARGUMENT", "Thinking level is not supported for this model."), failures.NOT_OFFERED),
        (api_error(400, "INVALID_ARGUMENT", "Search as tool is not enabled for this model"), failures.NOT_OFFERED),
        (api_error(307), failures.WRONG_ADDRESS),
        (aiohttp.InvalidURL("nowhere"), failures.WRONG_ADDRESS),
        (ValueError("person_generation is only supported elsewhere"), failures.OURS),
        (not_signed_in("DefaultCredentialsError", "nothing found"), failures.NO_CREDENTIALS),
        (not_signed_in("RefreshError", "invalid_grant", {"error": "invalid_grant"}), failures.NO_CREDENTIALS),
    ],
    ids=repr,
)
def test_what_stays_wrong_is_said_and_not_tried_again(error: Exception, words: str) -> None:
    failure = failure_of(error)
    assert type(failure) is EngineFailed
    assert failure.words == words
    assert not failure.retryable


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (api_error(503, "UNAVAILABLE", "The model is overloaded."), failures.BUSY),
        (api_error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."), failures.BUSY),
        (api_error(429, "RESOURCE_EXHAUSTED", "", quota("ImagesPerMinutePerProject-Tier1")), failures.TOO_MANY),
        (api_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 10, model: x"), failures.BUSY),
        (api_error(429, "RESOURCE_EXHAUSTED", "Spend-based rate limit exceeded."), failures.SPENT_FOR_NOW),
        (api_error(429, "RESOURCE_EXHAUSTED", "", quota("SpendPerTenMinutes")), failures.SPENT_FOR_NOW),
    ],
    ids=repr,
)
def test_what_was_too_much_says_how_long_to_wait(error: Exception, words: str) -> None:
    failure = failure_of(error)
    assert isinstance(failure, EngineUnavailable)
    assert (failure.words, failure.maybe_billed) == (words, False)


@pytest.mark.parametrize("status", [404, 410])
def test_a_model_that_is_gone_is_told_apart_so_that_another_may_do_it(status: int) -> None:
    failure = failure_of(api_error(status, "NOT_FOUND", "models/x is no longer available."))
    assert isinstance(failure, ModelGone)
    assert (failure.words, failure.retryable) == (failures.NO_MODEL, False)


def test_whoever_runs_the_bot_is_told_what_to_look_at() -> None:
    for_operators = {words for words in vars(failures).values() if isinstance(words, str) and "whoever runs" in words}
    assert set(failures.OPERATOR_WORDS) >= for_operators
    assert not any("whoever" in words for words in failures.OPERATOR_WORDS.values())
