"""Every setting, in one place. Each is an environment variable of the same name in upper case.

README's table is compared with this class by a test.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.labels import Profile, is_slug
from bot.domain.people import Door, is_person, read_subject
from bot.secret_files import SecretFiles


def default_data_folder() -> Path:
    """The user's data folder: `$XDG_DATA_HOME/remixbot`, or `~/.local/share/remixbot`."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "remixbot"


class Role(StrEnum):
    """What one process of an installation does."""

    ALL = "all"
    """Everything: the page, the platforms' doors, and the turns."""
    GATEWAY = "gateway"
    """The page and the platforms' doors. It runs no turns."""
    WORKER = "worker"
    """Nothing but turns. It hears nobody, and posts what it has made."""


def role_trouble(settings: Settings, role: Role) -> str:
    """Why this process could not do its part, in words; empty where it can."""
    if role is Role.ALL or settings.redis_url.get_secret_value():
        return ""
    return (
        f"The role “{role}” shares its work with other processes. They meet in a Redis or Valkey that each of them "
        "can reach: set REDIS_URL, and let all of them keep pictures in one place (IMAGE_STORE_URL). "
        "One process alone needs no role."
    )


class Settings(BaseSettings):
    """Read from the environment; the command line overrides `host`, `port` and `data`. A secret may stand in a file
    that `NAME_FILE` names; then `BadSecretFile` may be raised."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 there is no such file
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 one folder for all: ours are named one by one
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    data: Path = Field(default_factory=default_data_folder, description="Folder for everything that is kept")
    host: str = Field("127.0.0.1", description="Where the page listens; anything but this machine needs WEB_PASSWORD")
    port: int = Field(8080, ge=0, le=65535, description="The page's port")
    web_password: SecretStr = Field(SecretStr(""), description="Password of the page")
    web_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names that the page may be reached under, separated by commas"
    )
    web_behind_https: bool = Field(False, description="A proxy of yours ends TLS in front of the page")
    web_public_url: str = Field(
        "", description="The page's public address (https://…), under which others see what is shared with a link"
    )
    discord_token: SecretStr = Field(SecretStr(""), description="Token of your Discord bot; without it only the page")
    discord_api_base: str = Field("", description="Another address for Discord's API (a proxy, a test)")
    discord_gateway_url: str = Field("", description="Another address for Discord's gateway (a proxy, a test)")
    discord_shards: int = Field(
        0, ge=0, description="Into how many connections Discord's servers are divided; 0 for as many as Discord says"
    )
    telegram_token: SecretStr = Field(SecretStr(""), description="Token of your Telegram bot, from @BotFather")
    telegram_webhook_url: str = Field(
        "", description="The page's public address (https://…): Telegram then calls it, instead of being asked"
    )
    telegram_api_base: str = Field("", description="Another address for Telegram's API (your own server, a test)")
    telegram_api_local: bool = Field(
        False, description="That server is your own and runs with `--local`: files may be much larger"
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="Redis or Valkey to use instead of the one that comes along: redis://…, redis+sentinel://… or "
        "redis+cluster://… (docs/deploy.md)",
    )
    image_store_url: str = Field("", description="Where pictures lie: a folder, s3://…, gs://… or az://…")
    gemini_api_key: SecretStr = Field(SecretStr(""), description="Google's key; without it only exact edits work")
    gemini_api_base: str = Field("", description="Another address for Google's API (a proxy)")
    gemini_model: str = Field("gemini-nano-banana-2.1", description="The image model")
    gemini_fallback_models: Annotated[tuple[str, ...], NoDecode] = Field(
        ("gemini-3.1-flash-lite-image",),
        description="Models to turn to when the first is overloaded or gone, separated by commas; `none` for none",
    )
    arena_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="The two of these models that /arena compares, separated by a comma; the first two if empty"
    )
    arena_hours: float = Field(24.0, gt=0, description="How long people may vote in an arena, in hours")
    gemini_text_model: str = Field(
        "gemini-3.5-flash-lite",
        description="The model that listens to voice messages and reads lettering back; `none` for none",
    )
    gemini_models: dict[str, Any] = Field({}, description="JSON: changes to the table of models and prices")
    gemini_project: str = Field("", description="A Google Cloud project: use its Gemini (Vertex AI) instead of a key")
    gemini_location: str = Field("global", description="Where that project's models run")
    gemini_search: bool = Field(True, description="Questions without a picture may be looked up with Google Search")
    gemini_adult_safety: dict[str, str] = Field(
        {}, description="JSON: Google's safety thresholds for chats that only adults can enter, by harm category"
    )
    gemini_timeout_s: float = Field(300.0, gt=0, description="Longest wait for one AI edit, in seconds")
    person_day_usd: float = Field(1.0, ge=0, description="What one person may spend on AI edits per day, in US dollars")
    chat_day_usd: float = Field(3.0, ge=0, description="What one chat may spend on AI edits per day, in US dollars")
    house_day_usd: float = Field(5.0, ge=0, description="What all AI edits together may cost per day, in US dollars")
    house_month_usd: float = Field(50.0, ge=0, description="The same per month")
    house_ten_minutes_usd: float = Field(2.0, ge=0, description="The same within any ten minutes")
    person_month_usd: float = Field(
        0.0, ge=0, description="What one person may spend on AI edits per month, in US dollars; 0 for no limit"
    )
    chat_month_usd: float = Field(0.0, ge=0, description="The same for one chat")
    person_hour_turns: int = Field(
        60, ge=0, description="How many AI edits one person may ask for within an hour; 0 for any number"
    )
    chat_hour_turns: int = Field(300, ge=0, description="The same for one chat")
    server_hour_turns: int = Field(0, ge=0, description="The same for one server")
    house_hour_turns: int = Field(0, ge=0, description="The same for all together")
    person_hour_exact: int = Field(
        600, ge=0, description="How many exact edits one person may ask for within an hour; 0 for any number"
    )
    chat_hour_exact: int = Field(3000, ge=0, description="The same for one chat")
    server_hour_exact: int = Field(0, ge=0, description="The same for one server")
    house_hour_exact: int = Field(0, ge=0, description="The same for all together")
    consent_hours: float = Field(
        72.0, gt=0, description="How long an edit waits for the owner of a picture to say yes, in hours"
    )
    pointer_s: float = Field(
        45.0,
        ge=0,
        description="Whoever waited longer than this is called once when it is done, in seconds; 0 for never",
    )
    person_turns: int = Field(4, ge=1, description="How many edits one person may have running at once")
    chat_turns: int = Field(0, ge=0, description="The same for one chat; 0 for as many as there is room for")
    server_turns: int = Field(0, ge=0, description="The same for one server")
    house_turns: int = Field(0, ge=0, description="The same for all processes together")
    slots: int = Field(8, ge=1, description="How many edits one process runs at once")
    drain_s: float = Field(
        30.0, ge=0, description="How long a stop waits for edits that run, in seconds; a second signal ends it at once"
    )
    max_image_mb: int = Field(40, ge=1, description="Largest picture taken in, in megabytes")
    max_image_megapixels: int = Field(64, ge=1, description="Largest picture taken in, in millions of pixels")
    retention_days: int = Field(90, ge=1, description="How long pictures and words that nobody touches are kept")
    notes_days: int = Field(
        400, ge=1, description="How long it is noted who was forgotten and what was withdrawn: longer than any back-up"
    )
    label_profile: Profile = Field(
        Profile.DEFAULT,
        description="What labels follow: `default`, `visible` (with a mark in the picture), `cn` (GB 45438-2025) or "
        "`eu` (AI Act, article 50); a chat can choose a stricter one (docs/labels.md)",
    )
    label_producer: str = Field(
        "Remixbot",
        description="Your name or code in the AIGC field of `cn`: letters, figures and signs of ASCII, no spaces",
    )
    credentials_certificate: str = Field(
        "", description="PEM file with the certificates that sign pictures, the signer's first"
    )
    credentials_key: str = Field("", description="PEM file with that certificate's key")
    credentials_signer: str = Field(
        "",
        description="Instead of a key: a command that is given some 1,500 bytes and answers with their signature, for "
        "a key in a KMS or HSM (docs/credentials.md)",
    )
    credentials_timestamp_url: str = Field(
        "",
        description="A time-stamp authority (RFC 3161): what is signed stays valid after the certificate has expired",
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="A port of its own for `/metrics`, `/healthz` and `/readyz` (docs/runbook.md); 0 for none",
    )
    metrics_host: str = Field("127.0.0.1", description="Where that port listens; never open it to the world")
    otel_exporter_otlp_endpoint: str = Field(
        "", description="A collector for traces (OpenTelemetry, OTLP over HTTP), such as `http://127.0.0.1:4318`"
    )
    operators: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Who may use /operator, as PLATFORM:ID separated by commas; more with `remixbot operator add` "
        "(docs/who.md)",
    )
    door: Door = Field(
        Door.OPEN,
        description="Whom the bot lets in: `open`, `members` or `closed`; `remixbot door` changes it while it runs",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")

    @field_validator("web_hosts", "gemini_fallback_models", "arena_models", "operators", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip() not in ("", "none"))

    @field_validator("operators")
    @classmethod
    def _people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(read_subject(each) is None or not is_person(each) for each in value):
            raise ValueError("name each as PLATFORM:ID, for instance discord:123, separated by commas")
        return value

    @field_validator("label_producer")
    @classmethod
    def _slug(cls, value: str) -> str:
        if not is_slug(value):
            raise ValueError(
                "up to 64 letters, figures and signs of ASCII, without spaces, quotation marks, backslashes"
            )
        return value

    @field_validator("arena_models")
    @classmethod
    def _two_known(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = {info.data.get("gemini_model"), *info.data.get("gemini_fallback_models", ())}
        if value and (len(set(value)) != 2 or not known.issuperset(value)):
            raise ValueError("name two models, out of GEMINI_MODEL and GEMINI_FALLBACK_MODELS")
        return value

    @property
    def has_gemini(self) -> bool:
        """Whether there is a way to Google's models."""
        return bool(self.gemini_api_key.get_secret_value() or self.gemini_project)

    @property
    def has_discord(self) -> bool:
        """Whether there is a way into Discord."""
        return bool(self.discord_token.get_secret_value().strip())

    @property
    def has_telegram(self) -> bool:
        """Whether there is a way into Telegram."""
        return bool(self.telegram_token.get_secret_value().strip())

    @property
    def consent_s(self) -> float:
        return self.consent_hours * 3600

    @property
    def arena_s(self) -> float:
        return self.arena_hours * 3600

    @property
    def retention_s(self) -> int:
        return self.retention_days * 24 * 3600

    @property
    def notes_s(self) -> float:
        return self.notes_days * 24 * 3600.0

    @property
    def pictures_url(self) -> str:
        """Where pictures lie: the setting, or a folder beside the data."""
        return self.image_store_url or str(self.data / "pictures")
