"""The one call to the model, through google-genai. Importing this module imports the SDK, which takes over a second."""

from __future__ import annotations

import asyncio
import warnings
from itertools import zip_longest

import aiohttp
import structlog
from google import genai
from google.genai import types
from PIL import Image

from bot.domain.images import Picture
from bot.domain.roles import Purpose
from bot.engines.gemini.access import Access, Enterprise
from bot.engines.gemini.failures import OPERATOR_WORDS, failure_of
from bot.engines.gemini.models import ModelProfile
from bot.engines.gemini.prompt import Prompt, Sound
from bot.engines.gemini.safety import Thresholds
from bot.engines.gemini.wire import StreamedResponse, exchange, streaming
from bot.ports import EditRequest

PUBLIC_API = "https://generativelanguage.googleapis.com"
API_VERSION = "v1"
CHECK_TIMEOUT_S = 15.0

_MULTI_REGIONS = ("us", "eu")
_SHAPES = (
    types.Part,
    types.UserContent,
    types.ImageConfig,
    types.ThinkingConfig,
    types.SafetySetting,
    types.Tool,
    types.GenerateContentConfig,
    types.GenerateContentResponse,
    types.Candidate,
)
_NO_SECOND_CALL = types.AutomaticFunctionCallingConfig(disable=True)
_CANVASES = (Purpose.CANVAS, Purpose.PANEL, None, Purpose.PART)
"""Whose shape a result takes, in this order. Of the others only what they show is taken, or how."""

_log = structlog.get_logger(__name__)


Said = tuple[str | Picture | Sound, ...]
"""What one request says, in order."""


class GeminiClient:
    """An open connection to the API. Belongs to the event loop that opened it."""

    def __init__(self, sdk: genai.Client, session: aiohttp.ClientSession) -> None:
        self._sdk = sdk
        self._session = session

    @classmethod
    async def open(cls, access: Access, *, timeout_s: float) -> GeminiClient:
        """Nothing is sent yet. Raises `ValueError` or `OSError` where key or certificates are unusable."""
        if not access.api_key.strip() and access.enterprise is None:
            raise ValueError("no key")  # the SDK would look for another one in the environment
        session = aiohttp.ClientSession(
            middlewares=(streaming,), response_class=StreamedResponse, trust_env=True, read_bufsize=2**20
        )
        options = _http_options(timeout_s)
        options.base_url = access.base_url or _home_of(access.enterprise)
        options.api_version = API_VERSION
        options.aiohttp_client = session
        options.async_client_args = {"allow_redirects": False}  # the key goes to the address configured, nowhere else
        try:
            sdk = await asyncio.to_thread(_new_sdk, access, options)
        except BaseException:
            await session.close()
            raise
        return cls(sdk, session)

    async def aclose(self) -> None:
        await self._sdk.aio.aclose()
        self._sdk.close()
        await self._session.close()

    async def ask(
        self,
        prompt: Prompt,
        request: EditRequest,
        *,
        model: ModelProfile,
        thresholds: Thresholds = (),
        search: bool = False,
    ) -> types.GenerateContentResponse:
        """For a picture, by exactly one POST. `request` is what the prompt says, with the pictures that are sent.

        What it raises is of our tree and carries nothing of the original, which holds the key.
        """
        config = picture_config(request, model, thresholds=thresholds, search=search)
        return await self._post(prompt.system, prompt.parts, config, model)

    async def tell(
        self, rules: str, *said: str | Picture | Sound, model: ModelProfile, max_tokens: int
    ) -> types.GenerateContentResponse:
        """For words, by exactly one POST. Raises like `ask`."""
        return await self._post(rules, said, words_config(model, max_tokens=max_tokens), model)

    async def _post(
        self, system: str, said: Said, config: types.GenerateContentConfig, model: ModelProfile
    ) -> types.GenerateContentResponse:
        if model.system_instruction:
            config.system_instruction = system
        else:
            said = (system, *said)
        with exchange([part.data for part in said if not isinstance(part, str)]) as pictures:
            try:
                response = await self._sdk.aio.models.generate_content(
                    model=model.id, contents=_content(said, pictures.tickets), config=config
                )
                pictures.restore(response)
                return response
            except Exception as error:
                failure = failure_of(error)
                kind, status = type(error).__name__, getattr(error, "code", None)
        _log.warning("gemini call failed", model=model.id, kind=kind, status=status, code=failure.code)
        raise failure

    async def check(self, model_id: str) -> str | None:
        """None when this model can be asked; otherwise what is wrong, said to who runs the bot."""
        config = types.GetModelConfig(http_options=_http_options(CHECK_TIMEOUT_S))
        try:
            found = await self._sdk.aio.models.get(model=model_id, config=config)
        except Exception as error:
            words = failure_of(error).words
            return OPERATOR_WORDS.get(words, words)
        if found.supported_actions and "generateContent" not in found.supported_actions:
            return f"{model_id} is there, but it does not answer requests of this kind. Choose another model."
        return None


def picture_config(
    request: EditRequest, model: ModelProfile, *, thresholds: Thresholds = (), search: bool = False
) -> types.GenerateContentConfig:
    """How the model is to work on this. `thresholds` and `search` are what the operator allows.

    Words are always allowed beside a picture: a model that cannot do it says why or asks back, and an explanation has
    a picture where it helps.
    """
    searches = search and model.may_search(images=len(request.images) + len(request.originals), wish=request.wish)
    return types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"],
        image_config=_image_config(request, model),
        thinking_config=_thinking(model),
        safety_settings=_safety(thresholds) if request.age_limited else None,
        tools=[types.Tool(google_search=types.GoogleSearch())] if searches else None,
        automatic_function_calling=_NO_SECOND_CALL,
        automatic_continuation=False,
    )


def words_config(model: ModelProfile, *, max_tokens: int) -> types.GenerateContentConfig:
    """How a model that gives words is to work. Its thoughts count as output, too."""
    return types.GenerateContentConfig(
        max_output_tokens=max_tokens,
        thinking_config=_thinking(model),
        automatic_function_calling=_NO_SECOND_CALL,
        automatic_continuation=False,
    )


def ratio_of(request: EditRequest, model: ModelProfile) -> str:
    """The shape to ask for; empty where the model keeps that of the picture by itself.

    Left alone, a result takes the shape of the last picture sent: with several, that is seldom the one to edit.
    """
    if ratio := model.ratio_for(request.wish.ratio):
        return ratio
    if not request.images or len(request.images) + len(request.originals) == 1:
        return ""
    canvas = _canvas(request)
    return model.nearest_ratio(canvas.width_px, canvas.height_px)


def _canvas(request: EditRequest) -> Picture:
    named = list(zip_longest(request.images, request.purposes[: len(request.images)]))
    for wanted in _CANVASES:
        for picture, purpose in named:
            if purpose is wanted:
                return picture
    return request.images[0]


def _image_config(request: EditRequest, model: ModelProfile) -> types.ImageConfig | None:
    ratio, size = ratio_of(request, model), model.size_for(request.wish.size)
    return types.ImageConfig(aspect_ratio=ratio or None, image_size=size or None) if ratio or size else None


def _thinking(model: ModelProfile) -> types.ThinkingConfig | None:
    return types.ThinkingConfig(thinking_level=types.ThinkingLevel(model.thinking)) if model.thinking else None


def _safety(thresholds: Thresholds) -> list[types.SafetySetting] | None:
    return [
        types.SafetySetting(category=types.HarmCategory(category), threshold=types.HarmBlockThreshold(threshold))
        for category, threshold in thresholds
    ] or None


def _content(said: Said, tickets: list[bytes]) -> types.UserContent:
    waiting = iter(tickets)
    return types.UserContent(
        parts=[
            types.Part.from_text(text=part)
            if isinstance(part, str)
            else types.Part.from_bytes(data=next(waiting), mime_type=part.media_type)
            for part in said
        ]
    )


def _http_options(timeout_s: float) -> types.HttpOptions:
    """Milliseconds, and one attempt: left alone, the SDK sends again by itself when a connection breaks."""
    return types.HttpOptions(timeout=round(timeout_s * 1000), retry_options=types.HttpRetryOptions(attempts=1))


def _home_of(enterprise: Enterprise | None) -> str:
    """Google's own address. Each region of its cloud has one."""
    if enterprise is None:
        return PUBLIC_API
    if enterprise.location == "global":
        return "https://aiplatform.googleapis.com"
    if enterprise.location in _MULTI_REGIONS:
        return f"https://aiplatform.{enterprise.location}.rep.googleapis.com"
    return f"https://{enterprise.location}-aiplatform.googleapis.com"


def _new_sdk(access: Access, options: types.HttpOptions) -> genai.Client:
    """Work for a thread: it loads certificates, and builds now what the first call would build on the event loop.

    Everything is said explicitly, so that the environment changes neither key nor address. Who we are on Google Cloud
    is found out by the first call, and in a thread, too.
    """
    for shape in _SHAPES:
        shape.model_rebuild()
    Image.preinit()
    # A finish reason newer than the SDK is not worth a warning: they are matched as text.
    warnings.filterwarnings(
        "ignore", message=r".* is not a valid \w+$", category=UserWarning, module=r"google\.genai\."
    )
    cloud = access.enterprise
    if cloud is not None:
        return genai.Client(enterprise=True, project=cloud.project, location=cloud.location, http_options=options)
    return genai.Client(enterprise=False, api_key=access.api_key, http_options=options)
