"""The one call to the model, through google-genai. Importing this module imports the SDK, which takes over a second."""

from __future__ import annotations

import asyncio
import warnings

import aiohttp
import structlog
from google import genai
from google.genai import types
from PIL import Image

from bot.domain.images import Picture
from bot.engines.gemini.failures import OPERATOR_WORDS, failure_of
from bot.engines.gemini.models import ModelProfile
from bot.engines.gemini.prompt import Prompt
from bot.engines.gemini.wire import PictureStream

PUBLIC_API = "https://generativelanguage.googleapis.com"
API_VERSION = "v1"
CHECK_TIMEOUT_S = 15.0

_SHAPES = (
    types.Part,
    types.UserContent,
    types.ImageConfig,
    types.GenerateContentConfig,
    types.GenerateContentResponse,
    types.Candidate,
)

_log = structlog.get_logger(__name__)


class GeminiClient:
    """An open connection to the API, for one model. Belongs to the event loop that opened it."""

    def __init__(self, sdk: genai.Client, session: aiohttp.ClientSession, stream: PictureStream, model: ModelProfile):
        self._sdk = sdk
        self._session = session
        self._stream = stream
        self._model = model

    @classmethod
    async def open(cls, api_key: str, model: ModelProfile, *, base_url: str | None, timeout_s: float) -> GeminiClient:
        """Nothing is sent yet. Raises `ValueError` or `OSError` where key or certificates are unusable."""
        if not api_key.strip():
            raise ValueError("no key")  # the SDK would look for another one in the environment
        stream = PictureStream()
        session = aiohttp.ClientSession(middlewares=(stream,), trust_env=True, read_bufsize=2**20)
        options = _http_options(timeout_s)
        options.base_url = base_url or PUBLIC_API
        options.api_version = API_VERSION
        options.aiohttp_client = session
        options.async_client_args = {"allow_redirects": False}  # the key goes to the address configured, nowhere else
        try:
            sdk = await asyncio.to_thread(_new_sdk, api_key, options)
        except BaseException:
            await session.close()
            raise
        return cls(sdk, session, stream, model)

    async def aclose(self) -> None:
        await self._sdk.aio.aclose()
        self._sdk.close()
        await self._session.close()

    async def ask(self, prompt: Prompt) -> types.GenerateContentResponse:
        """Exactly one POST. What it raises is of our tree and carries nothing of the original, which holds the key."""
        said = prompt.parts if self._model.system_instruction else (prompt.system, *prompt.parts)
        with self._stream.tickets([part.data for part in said if isinstance(part, Picture)]) as tickets:
            try:
                return await self._sdk.aio.models.generate_content(
                    model=self._model.id, contents=_content(said, tickets), config=self._config(prompt)
                )
            except Exception as error:
                failure = failure_of(error)
                kind, status = type(error).__name__, getattr(error, "code", None)
        _log.warning("gemini call failed", model=self._model.id, kind=kind, status=status, code=failure.code)
        raise failure

    async def check(self) -> str | None:
        """None when the model can be asked; otherwise what is wrong, said to who runs the bot."""
        config = types.GetModelConfig(http_options=_http_options(CHECK_TIMEOUT_S))
        try:
            found = await self._sdk.aio.models.get(model=self._model.id, config=config)
        except Exception as error:
            words = failure_of(error).words
            return OPERATOR_WORDS.get(words, words)
        if found.supported_actions and "generateContent" not in found.supported_actions:
            return f"{self._model.id} is there, but it does not answer requests of this kind. Choose an image model."
        return None

    def _config(self, prompt: Prompt) -> types.GenerateContentConfig:
        """No aspect ratio: a result then keeps that of what was sent. No second call behind our back."""
        sizes = self._model.sizes
        return types.GenerateContentConfig(
            system_instruction=prompt.system if self._model.system_instruction else None,
            response_modalities=["TEXT", "IMAGE"],
            image_config=types.ImageConfig(image_size=sizes[0]) if len(sizes) > 1 else None,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            automatic_continuation=False,
        )


def _content(said: tuple[str | Picture, ...], tickets: list[bytes]) -> types.UserContent:
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


def _new_sdk(api_key: str, options: types.HttpOptions) -> genai.Client:
    """Work for a thread: it loads certificates, and builds now what the first call would build on the event loop.

    Everything is said explicitly, so that the environment changes neither key nor address.
    """
    for shape in _SHAPES:
        shape.model_rebuild()
    Image.preinit()
    # A finish reason newer than the SDK is not worth a warning: they are matched as text.
    warnings.filterwarnings(
        "ignore", message=r".* is not a valid \w+$", category=UserWarning, module=r"google\.genai\."
    )
    return genai.Client(enterprise=False, api_key=api_key, http_options=options)
