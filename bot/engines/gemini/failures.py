"""What went wrong on the way to the model and back, in words of ours.

Nothing of the original error is kept: it may quote the request, and its response object holds the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

import aiohttp
from google.auth import exceptions as sign_in
from google.genai import errors
from pydantic import ValidationError

from bot.domain.errors import EngineFailed, EngineUnavailable, ModelGone
from bot.domain.language import N_, tr

BAD_KEY = N_("Gemini does not accept the key that this bot uses. Please tell whoever runs this bot to look at it.")
NO_CREDENTIALS = N_("This bot could not sign in to Google Cloud. Please tell whoever runs this bot to look at it.")
NO_MODEL = N_("The Gemini model that this bot is set to is not there any more. Please tell whoever runs this bot.")
NOT_HERE = N_("Gemini is not offered in the place where this bot runs. Please tell whoever runs this bot.")
NO_MONEY = N_("The Gemini account of this bot needs its billing looked at. Please tell whoever runs this bot.")
USED_UP = N_("This bot has used up what its Gemini account allows for now. Please try again tomorrow.")
MONTH_USED_UP = N_("This bot's Gemini account has spent what it may this month. Please tell whoever runs this bot.")
WRONG_ADDRESS = N_("The address that this bot has for Gemini is not the right one. Please tell whoever runs this bot.")
BAD_PICTURE = N_("Gemini could not read one of the pictures. Sending it again in another format may help.")
TOO_LARGE = N_("The pictures are too large for Gemini in one go. Please send fewer or smaller ones.")
NOT_TAKEN = N_("Gemini could not do anything with this request. Other words or another picture may help.")
BUSY = N_("Gemini is very busy right now. Please try again in a moment.")
TOO_MANY = N_(
    "More is being asked of Gemini here than this bot's account may ask at once. Please try again in a minute."
)
SPENT_FOR_NOW = N_("This bot's Gemini account has spent what it may for now. Please try again in about ten minutes.")
STUMBLED = N_("Gemini had a problem of its own. Please try again in a moment.")
TOO_SLOW = N_("Gemini took too long to answer. Please try again in a moment.")
UNREACHABLE = N_("Gemini could not be reached. Please try again in a moment.")
BROKE_OFF = N_("The connection to Gemini broke off. Please try again in a moment.")
UNREADABLE = N_("Gemini's answer could not be read. Please try again in a moment.")
NOT_OFFERED = N_("This bot asks Gemini for something that this model does not have. Please tell whoever runs this bot.")
OURS = N_("The request to Gemini could not be put together. Please tell whoever runs this bot.")

OPERATOR_WORDS = {
    BAD_KEY: "Gemini does not accept this. Look at GEMINI_API_KEY, or make a new key in Google AI Studio. On Google "
    "Cloud, look at the project, the location and what the account may do there.",
    NO_CREDENTIALS: "Nothing to sign in to Google Cloud with was found or accepted. Look at "
    "GOOGLE_APPLICATION_CREDENTIALS, or at the account of this machine.",
    NO_MODEL: "Gemini does not know this model, or no longer has it. Choose another one.",
    NOT_HERE: "Gemini is not offered in the place where this machine stands.",
    NO_MONEY: "Gemini asks for the billing of this account to be looked at, in Google AI Studio.",
    MONTH_USED_UP: "The month's spend cap of this account is reached. It can be raised in Google AI Studio.",
    WRONG_ADDRESS: "What answers at this address is not the Gemini API. Look at GEMINI_API_BASE.",
    NOT_OFFERED: "The model does not take a size, a ratio, a thinking level or a search as the table of models has it. "
    "Correct its entry with GEMINI_MODELS.",
    OURS: "The request could not be put together. Look at GEMINI_API_KEY and GEMINI_API_BASE for stray signs.",
}
"""The same, said to who runs the bot."""

_AFTER_SENDING: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((TimeoutError,), TOO_SLOW),
    ((aiohttp.ClientError, ConnectionError), BROKE_OFF),
    ((json.JSONDecodeError, errors.UnknownApiResponseError, UnicodeDecodeError, ValidationError), UNREADABLE),
)
"""Once the request has left, the work may have been done and charged."""

_MAX_WAIT_S = 3_600.0
_CONFIGURATION = re.compile(
    r"image_?config|image_?size|aspect_?ratio|thinking|modalit|(search|tool).* (is )?not (enabled|supported)"
    r"|developer instruction|system_?instruction"
)
"""What a complaint about our settings for the model speaks of, and not about what a person sent."""


def failure_of(error: Exception) -> EngineFailed:
    """The error of our tree for anything that the SDK or the network below it raises."""
    if isinstance(error, errors.APIError):
        return _of_status(error)
    if isinstance(error, aiohttp.InvalidURL):
        return EngineFailed(tr(WRONG_ADDRESS))
    if isinstance(error, aiohttp.ClientConnectorError):
        return EngineUnavailable(tr(UNREACHABLE))
    if isinstance(error, sign_in.GoogleAuthError):
        # Signing in comes before the request: nothing was asked yet.
        away = isinstance(error, sign_in.TransportError) or bool(cast("object", error.retryable))
        return EngineUnavailable(tr(UNREACHABLE)) if away else EngineFailed(tr(NO_CREDENTIALS))
    for kinds, words in _AFTER_SENDING:
        if isinstance(error, kinds):
            return EngineUnavailable(tr(words), maybe_billed=True)
    return EngineFailed(tr(OURS))


def _of_status(error: errors.APIError) -> EngineFailed:
    status, reasons = error.code or 0, frozenset(_reasons(error))
    said = (error.message or "").lower()
    if status in (401, 403) or reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"}:
        return EngineFailed(tr(NO_MONEY) if "billing" in said or "BILLING_DISABLED" in reasons else tr(BAD_KEY))
    if status in (404, 410):
        return ModelGone(tr(NO_MODEL))
    if status == 429:
        return _of_quota(error, said)
    if status in (408, 502, 504):
        return EngineUnavailable(tr(TOO_SLOW), maybe_billed=True, retry_after_s=_retry_after_s(error))
    if status >= 500:
        return EngineUnavailable(tr(BUSY) if status == 503 else tr(STUMBLED), retry_after_s=_retry_after_s(error))
    return EngineFailed(_words_for_request(status, error.status or "", said))


def _words_for_request(status: int, name: str, said: str) -> str:
    """For what will go wrong again however often it is tried."""
    if status == 402:
        return tr(NO_MONEY)
    if 300 <= status < 400 or status == 405:
        return tr(WRONG_ADDRESS)
    if status == 413 or "payload size" in said:
        return tr(TOO_LARGE)
    if name == "FAILED_PRECONDITION":
        return tr(NOT_HERE) if "location" in said else tr(NO_MONEY)
    if _CONFIGURATION.search(said):
        return tr(NOT_OFFERED)
    return tr(BAD_PICTURE) if "image" in said else tr(NOT_TAKEN)


def _of_quota(error: errors.APIError, said: str) -> EngineFailed:
    """Too much at once passes by itself; a day's or an account's allowance does not. Nothing was done or charged.

    What it says is matched loosely: the service changes its words, and a cap on spending has no id of its own.
    """
    quotas = " ".join(str(violation.get("quotaId", "")) for violation in _violations(error))
    if "prepay" in said or "depleted" in said or re.search(r"limit: 0(?![\d.])", said):
        return EngineFailed(tr(NO_MONEY))
    spending = "spend" in said or "Spend" in quotas
    if "PerMonth" in quotas or (spending and "month" in said):
        return EngineFailed(tr(MONTH_USED_UP))
    if "PerDay" in quotas:
        return EngineFailed(tr(USED_UP))
    words = tr(SPENT_FOR_NOW) if spending else tr(TOO_MANY) if "PerMinute" in quotas else tr(BUSY)
    return EngineUnavailable(words, retry_after_s=_retry_after_s(error))


def _details(error: errors.APIError) -> Iterator[Mapping[str, object]]:
    body = cast("object", error.details)
    inner = cast("Mapping[str, object]", body).get("error", cast("object", body)) if isinstance(body, Mapping) else None
    listed = cast("Mapping[str, object]", inner).get("details") if isinstance(inner, Mapping) else None
    for entry in cast("list[object]", listed) if isinstance(listed, list) else ():
        if isinstance(entry, Mapping):
            yield cast("Mapping[str, object]", entry)


def _reasons(error: errors.APIError) -> Iterator[str]:
    return (str(entry["reason"]) for entry in _details(error) if "reason" in entry)


def _violations(error: errors.APIError) -> Iterator[Mapping[str, object]]:
    for entry in _details(error):
        listed = entry.get("violations")
        for violation in cast("list[object]", listed) if isinstance(listed, list) else ():
            if isinstance(violation, Mapping):
                yield cast("Mapping[str, object]", violation)


def _retry_after_s(error: errors.APIError) -> float | None:
    """How long the service asks us to wait: RetryInfo ("39s", "0.8s"), else the Retry-After header in seconds."""
    asked = [str(entry["retryDelay"]) for entry in _details(error) if "retryDelay" in entry]
    headers = cast("object", getattr(cast("object", error.response), "headers", None))
    if isinstance(headers, Mapping):
        asked.append(str(cast("Mapping[str, object]", headers).get("Retry-After", "")))
    for text in asked:
        if match := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s?", text.strip()):
            return min(float(match[1]), _MAX_WAIT_S)
    return None
