"""The composition root: the only module that knows all the others."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from adapters.sight.server import health_routes, serve_sight
from adapters.telegram.ports import TelegramStores
from adapters.web.outbound import WebPlatform
from adapters.web.server import build_app, serve
from bot.admitting import Doorkeeper
from bot.arena import Arena, Leaderboard
from bot.arrivals import Arrivals, Limits
from bot.asking import Asking
from bot.budget import Budget, Caps, Estimates, HourTurns
from bot.calls import MAX_CALLS, Calls
from bot.cast import Cast
from bot.changing import Changing
from bot.consent import Consent
from bot.contests import Contests
from bot.delivery import Dispatch, Renditions
from bot.desk import Desk
from bot.domain.cast import ENGINE as CAST
from bot.domain.refs import ChatRef, UserRef, user_ref_of
from bot.domain.sharing import REMIX
from bot.domain.turns import Turn
from bot.ending import end
from bot.engines.cast import CastEngine
from bot.engines.cast import draw as draw_cast
from bot.engines.exact import ExactEngine
from bot.engines.gemini import Access, Enterprise, GeminiEngine, model_profile
from bot.engines.pixels import decode, fit, to_picture
from bot.engines.reader import PillowPictureReader
from bot.engines.sheet import draw as draw_sheet
from bot.engines.tree import draw as draw_tree
from bot.engines.tree import shrink
from bot.forgetting import Forgetting, Told
from bot.gate import Gate
from bot.intake import Hall
from bot.kitchen import Kitchen
from bot.labels.credentials.signer import BadSigner
from bot.labels.labeller import MetadataLabeller
from bot.labels.looking import Looking
from bot.labels.mark import Marker
from bot.labels.recogniser import Recogniser
from bot.labels.verify import Trust, findings_of, trust_from_files
from bot.languages import Languages
from bot.links import Links
from bot.listening import Listener
from bot.mine import Mine
from bot.operating import Operating
from bot.patience import Patience
from bot.ports import (
    Engine,
    ForgetReceipt,
    ImageLedger,
    ImageStore,
    MessageStore,
    Platform,
    RecipeStore,
    TextModel,
    TurnStore,
)
from bot.profiles import ProfiledPlatform, Profiles
from bot.reception import Reception
from bot.reconciler import Reconciler
from bot.remembering import Remembering
from bot.settings import Role, Settings
from bot.sharing import Sharing, WayBack
from bot.sight import figures, traces
from bot.sight.health import Health, standing
from bot.sight.pulse import Pulse, Who, version_here
from bot.sight.values import Bounds
from bot.stopping import Stopping
from bot.taste import Tastes
from bot.telling import Counter
from bot.tide import TideTable, count_loss
from bot.trees import Trees
from bot.turns import Workshop
from bot.verifying import Recognition, Verifying
from bot.waiting import Waiting
from bot.watching import EVERY_S as WATCH_EVERY_S
from bot.watching import Watchdog
from bot.withdrawing import Withdrawing
from storage.docket.queue import DocketTurnQueue
from storage.objects.notes import ObstoreNotes, notes
from storage.objects.store import ObstoreImageStore, ObstoreUploads, StoreUnavailable, image_store, uploads
from storage.objects.witness import witness
from storage.redis.arena import RedisArenaStore
from storage.redis.cast import RedisCastStore
from storage.redis.changes import RedisChangeLog
from storage.redis.chats import RedisChatStore
from storage.redis.client import check_server, is_outage, open_client
from storage.redis.consent import RedisConsentStore
from storage.redis.discord import RedisDiscordStore
from storage.redis.discord_shards import RedisShardStore
from storage.redis.erasure import RedisErasure
from storage.redis.fingerprints import RedisFingerprintIndex
from storage.redis.images import RedisImageLedger
from storage.redis.languages import RedisLanguageStore
from storage.redis.messages import RedisMessageStore
from storage.redis.meter import RedisMeter
from storage.redis.page import RedisPageStore
from storage.redis.people import RedisPeopleStore
from storage.redis.recipes import RedisRecipeStore
from storage.redis.shares import RedisShareStore
from storage.redis.sight import RedisSight
from storage.redis.switches import RedisSwitches
from storage.redis.taste import RedisTasteStore
from storage.redis.telegram import RedisLedger, RedisTelegramStore
from storage.redis.telegram_albums import RedisAlbums
from storage.redis.telegram_inbox import RedisInbox
from storage.redis.telegram_pace import RedisPace
from storage.redis.tide import RedisTide
from storage.redis.turns import RedisTurnStore
from storage.redis.turnstile import RedisTurnstile
from storage.valkey.backup import copy_database
from storage.valkey.server import embedded_valkey

if TYPE_CHECKING:
    from adapters.discord.account import DiscordAccount
    from adapters.discord.shards import Shards
    from adapters.telegram.account import TelegramAccount, TelegramDoor
    from bot.labels.signing import Finish as Signing

log = structlog.get_logger("app")

PATIENCE = Patience(lambda error: is_outage(error) or isinstance(error, StoreUnavailable))
"""With the database, and with the place where pictures lie."""

EMBEDDED_LEASE_S = 10.0
REMOTE_LEASE_S = 360.0
SHARED_IDLE_S = 30.0
"""So long without a sign of life, and other processes take over what one took in."""
_FIRST_LOOK_S = 15.0
_RUN_MARGIN_S = 120.0
"""Beside the longest wait for a model, for everything else that a turn may do."""
_LINK_S = 5.0
_FORGOTTEN = "forgotten.jsonl"


@dataclass(frozen=True, slots=True)
class Machines:
    """What makes pixels and what gives words. `engines` are asked in their order. `check` gives, for each model that is
    configured, None or what is wrong with it."""

    engines: Mapping[str, Engine]
    text_model: TextModel | None = None
    check: Callable[[], Awaitable[Sequence[tuple[str, str | None]]]] | None = None


@dataclass(frozen=True, slots=True)
class House:
    """Everything that runs, wired."""

    settings: Settings
    machines: Machines
    hall: Hall
    workshop: Workshop
    queue: DocketTurnQueue
    reconciler: Reconciler
    erasure: RedisErasure
    switches: RedisSwitches
    meter: RedisMeter
    budget: Budget
    turns: RedisTurnStore
    messages: RedisMessageStore
    arenas: RedisArenaStore
    platforms: Mapping[str, Platform]
    page: RedisPageStore
    spool: ObstoreUploads
    images: ObstoreImageStore
    reception: Reception
    forgetting: Forgetting
    notes: ObstoreNotes
    verifying: Verifying
    discord: DiscordAccount | None
    telegram: TelegramAccount | None
    troubles: tuple[str, ...]
    """What is wrong with how the database is set up, in words."""
    tide: TideTable
    sight: RedisSight
    shards: RedisShardStore
    health: Health = field(default_factory=Health)

    async def forget(self, user: UserRef, *, told: Told | None = None) -> ForgetReceipt:
        """Erase a person, take their messages off the platforms, and write down that it was done."""
        return await self.forgetting.forget(user, told=told)

    async def replay_notes(self) -> None:
        """After a restore from back-up, whoever was forgotten since and whatever was withdrawn comes back: once more.
        Raises `StoreUnavailable` where the notes cannot be read: what should be gone is not shown meanwhile."""
        for user, before in (await asyncio.to_thread(_read_forgotten, self.settings.data)).items():
            await self.notes.forgotten(user, before)
        await asyncio.to_thread((self.settings.data / _FORGOTTEN).unlink, missing_ok=True)
        await self.forgetting.replay()


@contextlib.asynccontextmanager
async def open_house(
    settings: Settings, *, join: bool = False, machines: Machines | None = None, slots: int | None = None
) -> AsyncGenerator[House]:
    """Open the stores and wire the rooms. `join` uses the database of a bot that runs beside us, if one does;
    `machines` replaces the configured ones."""
    private_folder(settings.data)
    async with contextlib.AsyncExitStack() as stack:
        url = settings.redis_url.get_secret_value()
        embedded = not url
        if embedded:
            url = await stack.enter_async_context(embedded_valkey(settings.data, join=join))
        client = open_client(url)
        stack.push_async_callback(client.aclose)
        troubles = _warned(await check_server(client))
        queue = DocketTurnQueue(
            url, slots=slots or settings.slots, lease_s=EMBEDDED_LEASE_S if embedded else REMOTE_LEASE_S
        )
        await stack.enter_async_context(queue)
        if machines is None:
            machines = await stack.enter_async_context(open_machines(settings))
        engines, text_model, retention_s = (
            {**machines.engines, CAST: CastEngine()},
            machines.text_model,
            settings.retention_s,
        )

        turns = RedisTurnStore(
            client,
            retention_s=retention_s,
            author_limit=settings.person_turns,
            chat_limit=settings.chat_turns,
            server_limit=settings.server_turns,
            house_limit=settings.house_turns,
        )
        messages = RedisMessageStore(client, retention_s=retention_s)
        ledger = RedisImageLedger(client, retention_s=retention_s)
        switches, chats = RedisSwitches(client), RedisChatStore(client, retention_s=retention_s)
        meter, budget, links, gate, who = (
            RedisMeter(client),
            budget_of(settings),
            Links(),
            Gate(RedisTurnstile(client)),
            await _who(settings, RedisPeopleStore(client), Changing(chats=chats, log=RedisChangeLog(client)), stack),
        )
        page = RedisPageStore(client, retention_s=retention_s, reveal=links.reveal)
        images, spool, noted = _opened_store(settings)
        erasure, prints = RedisErasure(client, turns, ledger, images), RedisFingerprintIndex(client)

        says, recipes = RedisConsentStore(client, notes=noted), RedisRecipeStore(client, retention_s=retention_s)
        arenas, tastes = (
            RedisArenaStore(client, retention_s=retention_s, life_s=settings.arena_s),
            Tastes(RedisTasteStore(client)),
        )
        contests, consent = Contests(arenas, turns), Consent(says=says, chats=chats)
        open_platforms: dict[str, Platform] = {"web": WebPlatform(store=page, spool=spool)}
        discord = await _open_discord(
            settings, RedisDiscordStore(client, retention_s=retention_s), images, messages, stack
        )
        telegram = await _open_telegram(
            settings,
            TelegramStores(
                inbox=RedisInbox(client),
                albums=RedisAlbums(client),
                ledger=RedisLedger(client, retention_s=retention_s),
                pace=RedisPace(client),
                own=RedisTelegramStore(client, retention_s=retention_s),
            ),
            images,
            messages,
            stack,
        )
        open_platforms |= _by_name(discord, telegram)
        profiles, languages = Profiles(chats, settings.label_profile), Languages(RedisLanguageStore(client))
        platforms = {name: ProfiledPlatform(each, profiles) for name, each in open_platforms.items()}
        renditions, estimates = await _renditions(settings, images, ledger), Estimates(text_model)
        dispatch = Dispatch(
            platforms,
            turns,
            renditions,
            engines,
            estimates,
            contests=contests,
            waiting=Waiting(turns=turns, engines=engines, meter=meter),
            pointer_s=settings.pointer_s,
            says=says,
            languages=languages,
            reveal=links.reveal,
        )
        arena = Arena(store=arenas, turns=turns, contests=contests, show=dispatch.show, life_s=settings.arena_s)
        stack.push_async_callback(arena.leave)
        cast = Cast(
            store=RedisCastStore(client, retention_s=retention_s),
            turns=turns,
            images=images,
            ledger=ledger,
            says=says,
            consent=consent,
            is_exact=lambda words, count, wish: engines["exact"].read(words, images=count, wish=wish).whole,
            draw=draw_cast,
        )
        workshop = Workshop(
            engines=engines,
            turns=turns,
            images=images,
            ledger=ledger,
            renditions=renditions,
            chats=chats,
            consent=consent,
            calls=Calls(
                turns=turns,
                switches=switches,
                meter=meter,
                gate=gate,
                patience=PATIENCE,
                timeout_s=settings.gemini_timeout_s,
            ),
            patience=PATIENCE,
            queue=queue,
            show=Remembering(
                Recogniser(prints),
                images=images,
                renditions=renditions,
                capabilities=lambda chat: platforms[chat.platform].capabilities(chat),
                patience=PATIENCE,
            ).after(cast.kept_before(dispatch.show_status)),
            capabilities=lambda chat: platforms[chat.platform].capabilities(chat),
            estimates=estimates,
            still_admits=who.doorkeeper.still_admits,
        )
        stopping = Stopping(turns=turns, queue=queue, engines=engines, estimates=estimates, close=workshop.close)
        caps = Caps(budget=budget, estimates=estimates, engines=engines, chats=chats)
        asking = Asking(
            platforms=platforms,
            says=says,
            turns=turns,
            queue=queue,
            caps=caps,
            stopping=stopping,
            show=dispatch.show,
            languages=languages,
            leave=cast.leave,
        )
        withdrawing = Withdrawing(
            says=says, turns=turns, erasure=erasure, asking=asking, platforms=platforms, renditions=renditions
        )
        forgetting = await stack.enter_async_context(
            Forgetting(
                erasure=erasure,
                notes=noted,
                says=says,
                platforms=open_platforms,
                withdraw=withdrawing.withdraw,
                never_holds=asking.never_holds,
            )
        )
        sharing = Sharing(
            turns=turns,
            messages=messages,
            shares=RedisShareStore(client),
            consent=consent,
            renditions=renditions,
            platforms=platforms,
            links=links,
            address=settings.web_public_url,
            ways_back=_ways_back(settings, telegram),
        )
        verifying = _verifying(
            settings,
            Looking(Recogniser(prints), picture_reader(settings)),
            platforms=platforms,
            turns=turns,
            contests=contests,
            images=images,
            renditions=renditions,
        )
        hall = Hall(
            platforms=platforms,
            engines=engines,
            arrivals=Arrivals(
                platforms=platforms,
                reader=picture_reader(settings),
                messages=messages,
                keep_sources=dispatch.keep_sources,
                says=says,
                limits=Limits(max_image_bytes=settings.max_image_mb * 2**20),
            ),
            messages=messages,
            turns=turns,
            queue=queue,
            show=dispatch.show,
            close=workshop.close,
            listener=Listener(
                platforms=platforms,
                text_model=text_model,
                messages=messages,
                meter=meter,
                switches=switches,
                caps=caps,
                gate=gate,
            ),
            desk=Desk(
                chats=chats,
                says=says,
                say=asking.say,
                meter=meter,
                budget=budget,
                changing=who.changing,
                profile=settings.label_profile,
                counters={
                    **_counters(platforms, turns, messages, images, recipes, consent=consent, contests=contests),
                    "leaderboard": Leaderboard(arenas),
                    "verify": verifying,
                    **dict.fromkeys(("share", "unshare", "start"), sharing),
                    "cast": cast,
                    "taste": tastes,
                    "mine": Mine(says=says, say=asking.say),
                    "withdraw": withdrawing,
                },
            ),
            cast=cast,
            tastes=tastes,
            keep_drawn=dispatch.keep_drawn,
            consent=consent,
            asking=asking,
            stopping=stopping,
            caps=caps,
            estimates=estimates,
            arena=arena,
            contests=contests,
            languages=languages,
            admits=who.doorkeeper.admit,
            arena_models=settings.arena_models,
        )
        reconciler = Reconciler(
            messages=messages,
            turns=turns,
            queue=queue,
            images=images,
            ledger=ledger,
            spool=spool,
            receive=hall.receive,
            close=workshop.close,
            expire=asking.expire,
            also=_one_after_the_other(arena.look, forgetting.go_on),
            clean=_cleans(prints, forgetting),
            consent_s=settings.consent_s,
            worker=_process_name(),
            slots=slots if slots is not None else settings.slots,
        )

        reception = Reception(
            doorkeeper=who.doorkeeper,
            changing=who.changing,
            operating=Operating(
                store=who.people,
                doorkeeper=who.doorkeeper,
                changing=who.changing,
                turns=turns,
                stopping=stopping,
                link=_invites(telegram),
                fixed=frozenset(settings.operators),
            ),
            hall=hall,
            asking=asking,
            dispatch=dispatch,
            renditions=renditions,
            platforms=platforms,
            engines=engines,
            estimates=estimates,
            messages=messages,
            turns=turns,
            chats=chats,
            profiles=profiles,
            recipes=recipes,
            cast=cast,
            says=says,
            erasure=erasure,
            arena=arena,
            contests=contests,
            forget=forgetting.ask,
            sharing=sharing,
            languages=languages,
        )
        house = House(
            settings=settings,
            machines=machines,
            hall=hall,
            workshop=workshop,
            queue=queue,
            reconciler=reconciler,
            erasure=erasure,
            switches=switches,
            meter=meter,
            budget=budget,
            turns=turns,
            messages=messages,
            arenas=arenas,
            platforms=open_platforms,
            page=page,
            spool=spool,
            images=images,
            reception=reception,
            forgetting=forgetting,
            notes=noted,
            verifying=verifying,
            discord=discord,
            telegram=telegram,
            troubles=troubles,
            tide=TideTable(RedisTide(client), witness(settings.pictures_url), lost=count_loss),
            sight=RedisSight(client),
            shards=RedisShardStore(client),
        )
        yield house


@dataclass(frozen=True, slots=True)
class _Who:
    """Who may use the installation, and what is written down of changes."""

    people: RedisPeopleStore
    doorkeeper: Doorkeeper
    changing: Changing


async def _who(
    settings: Settings, people: RedisPeopleStore, changing: Changing, stack: contextlib.AsyncExitStack
) -> _Who:
    """It hears of changes for as long as the house is open."""
    doorkeeper = Doorkeeper(people, operators=settings.operators, door=settings.door)
    await doorkeeper.refresh()
    watching = asyncio.create_task(doorkeeper.watch(), name="who may")
    stack.push_async_callback(end, watching)
    return _Who(people, doorkeeper, changing)


def _invites(telegram: TelegramAccount | None) -> Callable[[str], Awaitable[str]]:
    """Makes a link of what is behind /start; empty where there is none, or Telegram does not say how its bot is
    called."""

    async def link(start: str) -> str:
        if telegram is None:
            return ""
        try:
            async with asyncio.timeout(_LINK_S):
                return await telegram.start_link(start)
        except Exception as error:
            log.warning("no link for an invitation", error=type(error).__name__)
            return ""

    return link


def _counters(
    platforms: Mapping[str, Platform],
    turns: TurnStore,
    messages: MessageStore,
    images: ImageStore,
    recipes: RecipeStore,
    *,
    consent: Consent,
    contests: Contests,
) -> Mapping[str, Counter]:
    """Who answers which command."""
    trees = Trees(turns=turns, messages=messages, images=images, consent=consent, shrink=shrink, draw=draw_tree)
    kitchen = Kitchen(
        platforms=platforms, turns=turns, messages=messages, recipes=recipes, contests=contests, draw=draw_sheet
    )
    return {"tree": trees, "compare": trees, **dict.fromkeys(Kitchen.commands, kitchen)}


def _verifying(
    settings: Settings,
    recognition: Recognition,
    *,
    platforms: Mapping[str, Platform],
    turns: TurnStore,
    contests: Contests,
    images: ImageStore,
    renditions: Renditions,
) -> Verifying:
    trust = trust_of(settings)
    return Verifying(
        read=lambda data: findings_of(data, trust),
        recognition=recognition,
        platforms=platforms,
        turns=turns,
        contests=contests,
        images=images,
        renditions=renditions,
        max_bytes=settings.max_image_mb * 2**20,
        max_pixels=settings.max_image_megapixels * 1_000_000,
    )


def _by_name(*accounts: DiscordAccount | TelegramAccount | None) -> dict[str, Platform]:
    """The platforms of those that are set up."""
    found: dict[str, Platform] = {}
    for account in accounts:
        if account is not None:
            found[account.platform.name] = account.platform
    return found


def _opened_store(settings: Settings) -> tuple[ObstoreImageStore, ObstoreUploads, ObstoreNotes]:
    """The pictures, what is on its way in, and the notes, which lie in one place."""
    url = settings.pictures_url
    return image_store(url), uploads(url), notes(url, keep_s=settings.notes_s)


def _cleans(prints: RedisFingerprintIndex, forgetting: Forgetting) -> Callable[[], Awaitable[int]]:
    """What goes with each sweep. Gives how many fingerprints went."""

    async def clean() -> int:
        try:
            await forgetting.tidy()
        except Exception:
            log.exception("the notes of who was forgotten could not be looked after")
        return await prints.sweep()

    return clean


def _one_after_the_other(*rounds: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """What fails in one of them does not keep the others from theirs."""

    async def round_() -> None:
        for each in rounds:
            try:
                await each()
            except Exception:
                log.exception("a round of looking after things failed")

    return round_


def _warned(troubles: tuple[str, ...]) -> tuple[str, ...]:
    """What is wrong with how the database is set up, said in the log."""
    for trouble in troubles:
        log.warning("database", trouble=trouble)
    return troubles


def _ways_back(settings: Settings, telegram: TelegramAccount | None) -> Mapping[str, WayBack]:
    """How people come from a shared result's page to where they can go on from it."""
    is_open = urlsplit(settings.web_public_url).netloc in settings.web_hosts
    page = f"{settings.web_public_url.rstrip('/')}/" if is_open else ""

    async def to_page(turn: Turn, remix_id: str) -> str:  # noqa: ARG001 its chats are one page
        return page

    async def to_message(turn: Turn, remix_id: str) -> str:  # noqa: ARG001 it stands there already
        from adapters.discord.refs import link_to

        return link_to(turn.reply, turn.server)

    ways: dict[str, WayBack] = {"web": to_page, "discord": to_message}
    if telegram is not None:
        bot = telegram

        async def to_bot(turn: Turn, remix_id: str) -> str:  # noqa: ARG001 the id says it
            return await bot.start_link(f"{REMIX}{remix_id}")

        ways["telegram"] = to_bot
    return ways


async def _open_discord(
    settings: Settings,
    store: RedisDiscordStore,
    images: ObstoreImageStore,
    messages: RedisMessageStore,
    stack: contextlib.AsyncExitStack,
) -> DiscordAccount | None:
    if not settings.has_discord:
        return None
    from adapters.discord.account import open_account  # large: only where it is wanted

    return await stack.enter_async_context(
        open_account(
            settings.discord_token.get_secret_value(),
            store=store,
            images=images,
            messages=messages,
            api_base=settings.discord_api_base,
            gateway_url=settings.discord_gateway_url,
        )
    )


async def _open_telegram(
    settings: Settings,
    stores: TelegramStores,
    images: ObstoreImageStore,
    messages: RedisMessageStore,
    stack: contextlib.AsyncExitStack,
) -> TelegramAccount | None:
    if not settings.has_telegram:
        return None
    from adapters.telegram.account import open_account  # large, too

    return await stack.enter_async_context(
        open_account(
            settings.telegram_token.get_secret_value(),
            stores=stores,
            images=images,
            messages=messages,
            api_base=settings.telegram_api_base,
            local=settings.telegram_api_local,
            public_url=settings.telegram_webhook_url,
        )
    )


@contextlib.asynccontextmanager
async def open_machines(settings: Settings) -> AsyncGenerator[Machines]:
    """What the settings allow, the engines in the order in which they are asked."""
    exact = ExactEngine()
    if not settings.has_gemini:
        yield Machines({"exact": exact})
        return
    gemini = gemini_engine(settings)
    try:
        yield Machines({"exact": exact, "gemini": gemini}, gemini.text_model, gemini.check)
    finally:
        await gemini.aclose()


def gemini_engine(settings: Settings, models: Sequence[str] = ()) -> GeminiEngine:
    """The Gemini engine as configured, or with other models. Raises `ValueError` in words for the operator."""
    project = settings.gemini_project
    names = models or (settings.gemini_model, *settings.gemini_fallback_models)
    text = settings.gemini_text_model
    return GeminiEngine(
        Access(
            api_key=settings.gemini_api_key.get_secret_value(),
            enterprise=Enterprise(project, settings.gemini_location) if project else None,
            base_url=settings.gemini_api_base or None,
        ),
        [model_profile(name, settings.gemini_models) for name in names],
        text=None if text in ("", "none") else model_profile(text, settings.gemini_models),
        timeout_s=settings.gemini_timeout_s,
        safety=settings.gemini_adult_safety,
        search=settings.gemini_search,
    )


async def _renditions(settings: Settings, images: ImageStore, ledger: ImageLedger) -> Renditions:
    finish = await asyncio.to_thread(finish_of, settings)
    opened = finish.opened if finish is not None else None
    return Renditions(images, ledger, labeller(settings, finish), opened=opened)


def finish_of(settings: Settings) -> Signing | None:
    """What signs the files, where there is a certificate for it. Blocks for some 100 ms."""
    made_here = settings.data / "credentials"
    if not (
        settings.credentials_certificate
        or settings.credentials_key
        or settings.credentials_signer
        or made_here.exists()
    ):
        return None
    from bot.labels.signing import finish_as_set  # large: only where it is wanted

    return finish_as_set(
        settings.credentials_certificate,
        settings.credentials_key,
        settings.credentials_timestamp_url,
        settings.data,
        command=settings.credentials_signer,
    )


def budget_of(settings: Settings) -> Budget:
    """The caps that are set."""
    return Budget(
        person_day=int(settings.person_day_usd * 1e6),
        chat_day=int(settings.chat_day_usd * 1e6),
        house_day=int(settings.house_day_usd * 1e6),
        house_month=int(settings.house_month_usd * 1e6),
        house_ten_minutes=int(settings.house_ten_minutes_usd * 1e6),
        person_month=int(settings.person_month_usd * 1e6),
        chat_month=int(settings.chat_month_usd * 1e6),
        ai=HourTurns(
            settings.person_hour_turns,
            settings.chat_hour_turns,
            settings.server_hour_turns,
            settings.house_hour_turns,
        ),
        exact=HourTurns(
            settings.person_hour_exact,
            settings.chat_hour_exact,
            settings.server_hour_exact,
            settings.house_hour_exact,
        ),
    )


def picture_reader(settings: Settings) -> PillowPictureReader:
    """The reader, with the limits that are set."""
    return PillowPictureReader(
        max_bytes=settings.max_image_mb * 2**20, max_pixels=settings.max_image_megapixels * 1_000_000
    )


def trust_of(settings: Settings) -> Trust:
    """Whose signatures say something here."""
    try:
        return trust_from_files(settings.credentials_certificate, settings.data)
    except BadSigner as error:
        log.warning("certificate", trouble=str(error))
        return trust_from_files("", settings.data)


async def receipt_of(settings: Settings, number: str) -> Mapping[str, object] | None:
    """What the receipt of this number says."""
    return await notes(settings.pictures_url, keep_s=settings.notes_s).receipt(number)


async def back_up(settings: Settings, folder: Path) -> None:
    """Copy the database and the pictures of one machine into a folder that is not there yet, while the bot runs. The
    database first: what it names is then among the pictures, and what is forgotten meanwhile among the notes."""
    private_folder(folder)
    async with embedded_valkey(settings.data, join=True) as url:
        client = open_client(url)
        try:
            await copy_database(client, settings.data, folder)
        finally:
            await client.aclose()
    await asyncio.to_thread(shutil.copytree, settings.data / "pictures", folder / "pictures", dirs_exist_ok=True)


def private_folder(folder: Path) -> None:
    """A folder that nobody else on this machine can look into."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


async def run(settings: Settings, *, ready: Callable[[str], None], role: Role = Role.ALL) -> None:
    """Serve until told to stop. `ready` is called once with the page's address; with "" where there is no page."""
    loop = asyncio.get_running_loop()
    # Pixels are worked on in two threads: more would only fight over two cores and hold more memory.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="pixels"))
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, on_signal)
    async with open_house(settings, slots=0 if role is Role.GATEWAY else None) as house, in_sight(house, role):
        await house.replay_notes()
        if not settings.redis_url.get_secret_value():
            # The data folder is ours alone: whoever left something half done is gone. A platform that does not answer
            # now must not keep the others waiting.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_LOOK_S):
                    await house.reconciler.look(grace_s=0)
        keep_what_is_loaded()
        async with doors_in(house, role, stop) as address, at_work(house, hurry, role=role):
            ready(address)
            house.health.started()
            checking = asyncio.create_task(_check_models(house.machines))
            await stop.wait()
            house.health.stopping()
            log.info("stopping")
            await end(checking)


def keep_what_is_loaded() -> None:
    """Nothing of it goes again. To look through all of it for what could (0.13 s, in which nothing else is done) is not
    left for the middle of the work."""
    gc.collect()
    gc.freeze()


def labeller(settings: Settings, finish: Signing | None = None) -> MetadataLabeller:
    """What writes the label into files, and signs them last."""
    marker = Marker(decode, lambda image, media_type: to_picture(image, media_type=media_type))
    return MetadataLabeller(fit, finish, marker=marker, producer=settings.label_producer)


def _process_name() -> str:
    """One that no other process has, on whatever machine."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


@contextlib.asynccontextmanager
async def doors_in(house: House, role: Role, stop: asyncio.Event | None = None) -> AsyncGenerator[str]:
    """What lets messages in, for as long as the block lasts. Gives the page's address. From `stop` on only the page is
    there, for those who wait for something."""
    if role is Role.WORKER:
        yield ""
        return
    settings = house.settings
    mailbox: TelegramDoor | None = None
    if house.telegram is not None:
        alone = not settings.redis_url.get_secret_value()
        mailbox = (
            house.telegram.door_in(house.reception)
            if alone
            else house.telegram.door_in(house.reception, holder=_process_name(), idle_s=SHARED_IDLE_S)
        )
    app = build_app(
        rooms=house.reception,
        store=house.page,
        spool=house.spool,
        images=house.images,
        password=settings.web_password.get_secret_value(),
        allowed_hosts=settings.web_hosts,
        public_url=settings.web_public_url,
        behind_https=settings.web_behind_https,
        max_image_bytes=settings.max_image_mb * 2**20,
        draws=settings.has_gemini,
        hears=house.machines.text_model is not None,
        check=house.verifying.check,
        calls=(*health_routes(house.health), *(mailbox.routes() if mailbox is not None else ())),
    )
    gateways: list[asyncio.Task[None]] = []
    async with serve(app, host=settings.host, port=settings.port) as address:
        if house.discord is not None:
            gateway = house.discord.door_in(house.reception, _shards(house, house.discord))
            gateways.append(asyncio.create_task(gateway.run(), name="discord"))
            house.health.watch("discord", standing(lambda: gateway.trouble))
        if mailbox is not None:
            gateways.append(asyncio.create_task(mailbox.run(), name="telegram"))
            house.health.watch("telegram", standing(lambda: mailbox.trouble))
        closing = asyncio.create_task(_end_at(stop, gateways)) if stop is not None else None
        try:
            yield address
        finally:
            await end(*gateways, *([closing] if closing is not None else []))


async def _end_at(stop: asyncio.Event, gateways: Sequence[asyncio.Task[None]]) -> None:
    await stop.wait()
    await end(*gateways)


def _shards(house: House, discord: DiscordAccount) -> Shards | None:
    """What this process hears of Discord; None for all of it."""
    settings = house.settings
    if not settings.redis_url.get_secret_value():
        return None
    return discord.shared(house.shards, holder=_process_name(), wanted=settings.discord_shards)


@contextlib.asynccontextmanager
async def in_sight(house: House, role: Role = Role.ALL) -> AsyncGenerator[None]:
    """What operators see of this process, for as long as the block lasts."""
    settings, name = house.settings, _process_name()
    house.health.watch("redis", house.sight.probe)
    house.health.watch("pictures", house.images.probe)
    who = Who(name, role.value, 0 if role is Role.GATEWAY else settings.slots, socket.gethostname())
    pulse = Pulse(who, tell=house.sight.tell, health=house.health)
    watchdog = Watchdog(
        house.sight,
        name=name,
        bounds=bounds_of(settings),
        unsettled=lambda: house.messages.unsettled(older_than_s=0),
        release=house.turns.abandon,
        start=house.queue.start,
    )
    async with contextlib.AsyncExitStack() as stack:
        about = {"service.instance.id": name, "remixbot.role": role.value, "service.version": version_here()}
        await stack.enter_async_context(traces.opened(settings.otel_exporter_otlp_endpoint, about=about))
        if settings.metrics_port:
            serving = serve_sight(
                house.health,
                look=lambda: _look_around(house),
                host=settings.metrics_host,
                port=settings.metrics_port,
            )
            log.info("figures are served", port=await stack.enter_async_context(serving))
        tasks = [asyncio.create_task(work) for work in (pulse.tick(), pulse.beat(), _watch(watchdog))]
        try:
            yield
        finally:
            house.health.stopping()
            await end(*tasks)
            with contextlib.suppress(Exception):
                await house.sight.leave(name)


def bounds_of(settings: Settings) -> Bounds:
    """How long anything may take."""
    return Bounds(run_s=MAX_CALLS * (settings.gemini_timeout_s + _RUN_MARGIN_S))


async def _look_around(house: House) -> None:
    """Figures of the whole installation, and what is left of its caps."""
    figures.seen(await house.sight.seen())
    for name, used, limit in await spent_of(house):
        figures.SPENT_RATIO.labels(name).set(used / limit if limit else 1.0)


async def spent_of(house: House) -> list[tuple[str, int, int]]:
    """The money caps of the whole installation, each with what is used or reserved of it, in millionths of a dollar."""
    day = datetime.now(UTC).date()
    names = {"house:10m": "ten minutes", f"house:{day.isoformat()}": "today", f"house:month:{day:%Y-%m}": "this month"}
    everywhere = house.budget.buckets(0, person=UserRef("-", "-"), chat=ChatRef("-", "-", "-"))
    caps = [each for each in everywhere if each.name in names]
    used = await house.meter.reserved(caps)
    return [(names[cap.name], held, cap.limit) for cap, held in zip(caps, used, strict=True)]


async def _watch(watchdog: Watchdog) -> None:
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        try:
            await watchdog.look()
        except Exception as error:
            log.warning("could not look for what is stuck", error=type(error).__name__)


async def _check_models(machines: Machines) -> None:
    """Say at the start which model cannot be asked, and not only when somebody needs it."""
    if machines.check is None:
        return
    try:
        for model, trouble in await machines.check():
            if trouble:
                log.warning("model cannot be asked", model=model, trouble=trouble)
    except Exception:
        log.warning("models could not be checked")


@contextlib.asynccontextmanager
async def at_work(house: House, hurry: asyncio.Event | None = None, *, role: Role = Role.ALL) -> AsyncGenerator[None]:
    """The worker and the reconciler, for as long as the block lasts.

    At the end nothing more is taken. What runs is given the setting `drain_s` to finish, since a call that is broken
    off is paid for all the same; unless somebody is in a `hurry`. What is not finished, or was not begun, is handed
    back: another worker runs it, or this one when it starts again.
    """
    workers: list[asyncio.Task[Any]] = []
    if role is not Role.GATEWAY:
        workers.append(asyncio.create_task(house.queue.run(house.workshop.run), name="worker"))
    reconciler = [asyncio.create_task(loop) for loop in (*house.reconciler.loops(), house.tide.run())]
    try:
        yield
    finally:
        house.queue.leave()
        await end(*reconciler)
        with contextlib.suppress(Exception):  # whoever does not say so is held to be gone a little later
            await house.reconciler.leave()
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(_drained(house, workers))]
        if hurry is not None:
            ends.append(asyncio.create_task(hurry.wait()))
        await asyncio.wait(ends, timeout=house.settings.drain_s, return_when=asyncio.FIRST_COMPLETED)
        await end(*workers, *ends)
        await house.queue.hand_back()
        await house.workshop.leave()


async def _drained(house: House, workers: Sequence[asyncio.Task[Any]]) -> None:
    if workers:
        await asyncio.wait(workers)
    await house.workshop.idle()


def _read_forgotten(data: Path) -> dict[UserRef, float]:
    """What earlier versions wrote down beside their database, on one machine."""
    path = data / _FORGOTTEN
    found: dict[UserRef, float] = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        if line.strip():
            try:
                row = json.loads(line)
                found[user_ref_of(row["user"])] = float(row["before"])
            except (ValueError, KeyError):
                log.error("a note of somebody forgotten cannot be read", file=str(path))
    return found
