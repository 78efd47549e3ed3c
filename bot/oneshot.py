"""What the command does beside serving: one edit, a look at the set-up, forgetting, the off switch."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from bot.app import finish_of, gemini_engine, labeller, open_house, open_machines, picture_reader, receipt_of
from bot.checkup import Check, checkup
from bot.domain.arena import NO_RESULTS, board_of
from bot.domain.digital_source import has_c2pa
from bot.domain.errors import BadPicture, NotUnderstood, RemixError
from bot.domain.images import EXTENSIONS, Picture, facts_of
from bot.domain.labels import (
    MAX_INGREDIENTS,
    Ingredient,
    Label,
    Profile,
    Work,
    label_for,
    label_line,
    own_work,
    work_id_of,
)
from bot.domain.language import tr
from bot.domain.messages import ChatCapabilities
from bot.domain.refs import ChatRef, Sha256, UserRef, user_ref_of
from bot.domain.roles import Purpose, read_roles
from bot.domain.verifying import Report
from bot.domain.wishes import Form, Kind, Wish, read_wish
from bot.domain.words import NO_PICTURE, joined, not_understood
from bot.engines.reader import bytes_of
from bot.operating import Operating
from bot.ports import EditRequest, Engine, ForgetReceipt, Labeller
from bot.secret_files import exposed_secrets
from bot.settings import Settings
from bot.tide import Told

if TYPE_CHECKING:
    from adapters.discord.installing import Application
    from adapters.telegram.checking import Standing

T = TypeVar("T")
MEDIA_TYPES = {f".{ending}": media_type for media_type, ending in EXTENSIONS.items()} | {".jpeg": "image/jpeg"}


async def edit(
    settings: Settings, paths: Sequence[Path], instruction: str, out: Path, *, engine: str
) -> dict[str, Any]:
    """Read, edit, label, write. Several results get a number before the ending."""
    pictures = [await _read(settings, path) for path in paths]
    asked = read_wish(instruction, images=len(pictures))
    if not pictures and asked.wish.kind is Kind.EDIT:
        raise RemixError(tr(NO_PICTURE))
    wish = replace(asked.wish, form=Form.ONE, count=1)
    purposes = read_roles(asked.words, len(pictures)) or ()
    async with open_machines(settings) as machines:
        chosen = _choose(list(machines.engines.values()), asked.words, wish, len(pictures), engine)
        request = EditRequest(asked.words, tuple(pictures), purposes=purposes, wish=wish, may_ask=False)
        answer = await chosen.edit(request)
    if not answer.images:
        raise RemixError(answer.remark)
    label = label_for(
        generative_engine=chosen.profile.display_name if chosen.profile.generative else None,
        inputs=[picture.provenance for picture in pictures],
    )
    models = (answer.usage.model,) if chosen.profile.generative and answer.usage.model else ()
    label = replace(label, work=_work(pictures, purposes, models))
    place = Place(labeller(settings, finish_of(settings)), settings.label_profile)
    files = {facts_of(each).sha256: each.original or each.data for each in pictures}
    results = [await _write(place, each, label, files, _numbered(out, i)) for i, each in enumerate(answer.images)]
    return {
        "engine": chosen.profile.name,
        "label": label_line(label, settings.label_profile),
        "remark": joined(answer.remark, answer.note),
        "cost_usd": answer.usage.cost_microusd / 1e6,
        "results": results,
    }


async def verify(settings: Settings, path: Path) -> Report:
    """What is known of where a file comes from, as somebody outside of all chats hears it."""
    data = await _bytes(settings, path)
    async with open_house(settings, join=True, slots=1) as house:
        return await house.verifying.check(data)


async def _bytes(settings: Settings, path: Path) -> bytes:
    try:
        return await asyncio.to_thread(bytes_of, path, max_bytes=settings.max_image_mb * 2**20)
    except OSError as error:
        raise BadPicture(f"I could not open {path}: {error.strerror}.") from None


async def _read(settings: Settings, path: Path) -> Picture:
    return await picture_reader(settings).read(await _bytes(settings, path), filename=path.name)


def _choose(engines: Sequence[Engine], instruction: str, wish: Wish, images: int, wanted: str) -> Engine:
    exact = next(engine for engine in engines if engine.profile.name == "exact").read(instruction, images=images)
    for engine in engines:
        if wanted in ("auto", engine.profile.name) and engine.read(instruction, images=images, wish=wish).whole:
            return engine
    if wanted == "gemini" and not any(engine.profile.generative for engine in engines):
        raise NotUnderstood("Gemini is not set up: set GEMINI_API_KEY.")
    missing = wanted == "auto" and not any(engine.profile.generative for engine in engines)
    words = not_understood(exact.unclear, ai_missing=missing)
    raise NotUnderstood(words, part=exact.unclear, suggestions=exact.suggestions)


def _work(pictures: Sequence[Picture], purposes: Sequence[Purpose | None], models: tuple[str, ...]) -> Work:
    """How the results come to be, as their files say it."""
    roles = [*purposes, *[None] * len(pictures)][: len(pictures)]
    edited = roles.index(Purpose.CANVAS) if Purpose.CANVAS in roles else 0 if len(pictures) == 1 else None
    went_in = [Ingredient(facts_of(each).sha256, each.media_type, n == edited) for n, each in enumerate(pictures)]
    return Work(work_id_of(secrets.token_hex(16)), time.time(), models, tuple(went_in[:MAX_INGREDIENTS]))


@dataclass(frozen=True, slots=True)
class Place:
    """What labels the results, and how."""

    labeller: Labeller
    profile: Profile


async def _write(
    place: Place, picture: Picture, label: Label, files: Mapping[Sha256, bytes], path: Path
) -> dict[str, Any]:
    media_type = MEDIA_TYPES[path.suffix.lower()]
    master = facts_of(picture).sha256
    own = own_work(label, master, picture.media_type, signed_before=has_c2pa(picture.data))
    capabilities = ChatCapabilities(media_types=(media_type,), profile=place.profile)
    made = await place.labeller.render(picture, own, capabilities, ingredients={**files, master: picture.data})
    try:
        await asyncio.to_thread(path.write_bytes, made.data)
    except OSError as error:
        raise RemixError(f"I could not write {path}: {error.strerror}.") from None
    return {"path": str(path), "width_px": made.width_px, "height_px": made.height_px, "media_type": made.media_type}


def _numbered(out: Path, index: int) -> Path:
    return out if index == 0 else out.with_stem(f"{out.stem}-{index + 1}")


async def doctor(settings: Settings) -> list[Check]:
    """What is configured, what is reachable, what to do next."""
    return [
        Check("data", True, str(settings.data)),
        *await _check_database(settings),
        await _check_pictures(settings),
        *await _check_memory(settings),
        *await _check_gemini(settings),
        *await _check_models(settings),
        *await discord_check(settings),
        *await telegram_check(settings),
        *_check_labels(settings),
        *_check_secrets(),
        _check_page(settings),
        await asyncio.to_thread(_check_credentials, settings),
    ]


def _check_secrets() -> list[Check]:
    """Files of secrets that are not as secret as they should be."""
    return [Check("secrets", False, f"{trouble}.", optional=True) for trouble in exposed_secrets(Settings)]


def _check_labels(settings: Settings) -> list[Check]:
    """What a profile asks for and is not set up."""
    match settings.label_profile:
        case Profile.EU if not (settings.credentials_certificate and settings.credentials_timestamp_url):
            words = (
                "The profile “eu” asks for signed, time-stamped files: set CREDENTIALS_CERTIFICATE and "
                "CREDENTIALS_TIMESTAMP_URL (docs/labels.md)."
            )
            return [Check("labels", False, words, optional=True)]
        case Profile.CN if settings.label_producer == Settings.model_fields["label_producer"].default:
            words = "The profile “cn” names who made a picture: set LABEL_PRODUCER to your own name or code."
            return [Check("labels", False, words, optional=True)]
        case profile:
            return [Check("labels", True, f"profile {profile}")]


async def usage(settings: Settings, *, days: int) -> list[str]:
    """What was used and what it cost, per day and model, and what is left of the caps: lines to print."""
    async with open_house(settings, join=True, slots=1) as house:
        rows = await house.meter.used(days=days)
        every = house.budget.buckets(0, person=UserRef("-", "-"), chat=ChatRef("-", "-", "-"))
        caps = [each for each in every if each.name.startswith("house:")]
        held = await house.meter.reserved(caps)
    lines = [_USAGE_ROW.format("day", "model", "edits", "calls", "pictures", "tokens in", "tokens out", "US dollars")]
    for row in rows:
        lines.append(
            _USAGE_ROW.format(
                row.day,
                row.model,
                row.turns,
                row.calls,
                row.images,
                row.input_tokens,
                row.output_tokens,
                f"{row.cost_microusd / 1e6:.4f}",
            )
        )
    spans = ("in the last ten minutes", "today", "this month")
    for span, bucket, used in zip(spans, caps, held, strict=True):
        lines.append(f"{span}: ${used / 1e6:.2f} of ${bucket.limit / 1e6:.2f}")
    return lines


async def arena(settings: Settings, *, worst: bool) -> list[str]:
    """Which models people prefer and how sure that is, or the results that they voted bad: lines to print."""
    async with open_house(settings, join=True, slots=1) as house:
        if not worst:
            board = board_of(await house.arenas.matches())
            return [*board.rows, *board.pairs] or [tr(NO_RESULTS)]
        lines: list[str] = []
        for arena, tally in await house.arenas.worst(most=_WORST):
            status = await house.turns.load(arena)
            turns = status.turn.album if status is not None else (arena,)
            lines.append(f"{tally.bad} of {tally.voted} voted both bad: {' '.join(turns)}")
        return lines or ["Nothing was voted bad."]


_WORST = 20
_USAGE_ROW = "{:<12}{:<32}{:>7}{:>7}{:>10}{:>12}{:>12}{:>12}"


def _check_credentials(settings: Settings) -> Check:
    """What signs the files, until when, and whether the time-stamp authority answers."""
    from bot.labels.credentials.chain import is_for_development  # large: only where it is wanted
    from bot.labels.credentials.signer import BadSigner, chosen_files
    from bot.labels.signing import signer_as_set, told_of

    certificate, key, command = (
        settings.credentials_certificate,
        settings.credentials_key,
        settings.credentials_signer,
    )
    try:
        stamps = settings.credentials_timestamp_url
        signer = signer_as_set(certificate, key, stamps, settings.data, command=command)
        chosen = (Path(certificate), None) if command else chosen_files(certificate, key, settings.data)
    except BadSigner as error:
        return Check("credentials", False, f"nothing is signed. {error}")
    if chosen is None or signer is None:
        words = "nothing is signed: there is no certificate. `remixbot credentials init` makes one to try with."
        return Check("credentials", False, words, optional=True)
    return Check(
        "credentials", *told_of(signer, for_development=is_for_development(chosen[0].read_bytes())), optional=True
    )


async def _check_database(settings: Settings) -> list[Check]:
    """The database, and what the processes share in it."""
    kind = "REDIS_URL" if settings.redis_url.get_secret_value() else "the one that comes along"
    shared: Sequence[Check] = ()
    try:
        async with open_house(settings, join=True, slots=1) as house:
            waiting = len(await house.turns.open_turns())
            on = await house.switches.is_on("gemini")
            with contextlib.suppress(Exception):  # the database's own line stands by itself
                shared = await checkup(house)
    except Exception as error:
        words = error.words if isinstance(error, RemixError) else f"not reachable ({type(error).__name__})"
        return [Check("database", False, f"{kind}: {words}")]
    if house.troubles:
        return [Check("database", False, f"{kind}: {'; '.join(house.troubles)}"), *shared]
    words = f"{kind}; {waiting} edits open; AI edits switched {'on' if on else 'off'}"
    return [Check("database", True, words), *shared]


async def _check_pictures(settings: Settings) -> Check:
    from storage.objects.store import image_store

    try:
        store = image_store(settings.pictures_url)
        name = await store.put(b"remixbot doctor")
        await store.get(name)
        await store.delete(name)
    except Exception as error:
        words = error.words if isinstance(error, RemixError) else type(error).__name__
        return Check("pictures", False, f"cannot be written: {words}")
    return Check("pictures", True, "can be written and read")


async def _check_memory(settings: Settings) -> list[Check]:
    """Whether the store of state ever lost what it had acknowledged."""
    from storage.objects.witness import witness

    with contextlib.suppress(Exception):  # said by the check of the pictures
        found = Told.load(await witness(settings.pictures_url).read()).losses
        return [Check("memory", False, each.words, optional=True) for each in found[-3:]]
    return []


async def _check_gemini(settings: Settings) -> list[Check]:
    """Whether each model can be asked. The first must; the others are there to stand in."""
    if not settings.has_gemini:
        words = "no key: only exact edits work. Set GEMINI_API_KEY to a key from Google AI Studio."
        return [Check("gemini", False, words, optional=True)]
    try:
        engine = gemini_engine(settings)
    except ValueError as error:
        return [Check("gemini", False, str(error))]
    try:
        found = await engine.check()
    finally:
        await engine.aclose()
    text = (engine.text_model.model,) if engine.text_model else ()
    notes = {model.id: model.note for model in (*engine.models, *text)}
    checks: list[Check] = []
    for number, (model, trouble) in enumerate(found):
        note = f" ({notes[model]})" if notes.get(model) else ""
        checks.append(Check("gemini", trouble is None, trouble or f"{model} answers{note}", optional=number > 0))
    return checks


async def discord_check(settings: Settings) -> list[Check]:
    """Whether Discord can be asked, as whom, and what people can do there."""
    if not settings.has_discord:
        words = (
            "not set up. To answer on Discord, make an application at https://discord.com/developers/applications and "
            "set DISCORD_TOKEN to the token from its page “Bot”; README says how."
        )
        return [Check("discord", False, words, optional=True)]
    from adapters.discord.api import Unavailable  # large: only where it is wanted
    from adapters.discord.installing import ask_application

    try:
        about = await ask_application(settings.discord_token.get_secret_value(), api_base=settings.discord_api_base)
    except ValueError as error:
        return [Check("discord", False, str(error))]
    except Unavailable as error:
        return [
            Check("discord", False, f"{error}. Try again in a while{_OTHER_BASE * bool(settings.discord_api_base)}.")
        ]
    return discord_checks(about)


_OTHER_BASE = ", and look at DISCORD_API_BASE"


def discord_checks(about: Application) -> list[Check]:
    """What an application's set-up means for people, and how to change it."""
    from adapters.discord.gateway import ContentIntent
    from adapters.discord.installing import personal_link, server_link

    servers = "1 server" if about.servers == 1 else f"{about.servers} servers"
    reads = about.content is ContentIntent.GRANTED
    checks = [
        Check("discord", True, f"signed in as {about.bot_name}, in {servers}"),
        Check("discord replies", True, _READS if reads else _READS_NOT, optional=True),
    ]
    if about.elsewhere:
        checks.append(Check("discord buttons", False, _PRESSED_ELSEWHERE))
    checks += _discord_servers(about)
    to_a_server = f"to a server: {server_link(about.id)}"
    if not about.public:
        to_a_server += " (only you can: “Public Bot” is off on the page “Bot”)"
    checks.append(Check("discord invite", True, to_a_server))
    to_oneself = f"to yourself, for use anywhere: {personal_link(about.id)}" if about.by_people else _NOT_BY_PEOPLE
    checks.append(Check("discord invite", about.by_people, to_oneself, optional=True))
    return checks


def _discord_servers(about: Application) -> list[Check]:
    """Where the bot may not do what it needs: the servers by name, or of many the first few and a sum."""
    if not about.lacks:
        words = "the bot's roles let it do all that it needs in every server; single channels may say otherwise"
        return [Check("discord servers", True, words)] if about.servers else []
    checks = [
        Check("discord servers", False, f"“{_plain(each.server)}” does not let the bot: {', '.join(each.names)}")
        for each in about.lacks[:_NAMED_SERVERS]
    ]
    more = len(about.lacks) - _NAMED_SERVERS
    if more > 0:
        counts = Counter(name for each in about.lacks for name in each.names)
        every = ", ".join(f"{name} in {count}" for name, count in counts.most_common())
        checks.append(Check("discord servers", False, f"and {more} more. Of all {len(about.lacks)} together: {every}"))
    checks.append(Check("discord servers", False, _GIVE_ROLES))
    return [replace(each, optional=True) for each in checks]


def _plain(name: str) -> str:
    """Somebody else's words, harmless to a terminal."""
    return "".join(each for each in name if each.isprintable())


_NAMED_SERVERS = 5
_GIVE_ROLES = (
    "Whoever runs such a server switches these on for the bot's role (Server Settings, Roles), or adds the bot once "
    "more with the link below, which asks for them."
)
_READS = (
    "with the message content intent: a reply to anybody's picture that mentions the bot is an edit, and so is every "
    "reply to the bot, its ping on or off. To do without, switch “Message Content Intent” off on the page “Bot”."
)
_READS_NOT = (
    "without the message content intent: mentions, replies to the bot with their ping on, direct messages, commands "
    "and buttons work. For a friend's picture, people open its menu: Apps, “Edit this image”. To let them reply to it "
    "instead, switch on “Message Content Intent” on the page “Bot” and start again; a bot that 10,000 people use needs "
    "Discord's approval for that."
)
_PRESSED_ELSEWHERE = (
    "what people press goes elsewhere. On the page “General Information” of the application, empty “Interactions "
    "Endpoint URL”."
)
_NOT_BY_PEOPLE = (
    "people cannot add it to themselves. To let them, tick “User Install” on the page “Installation” of the "
    "application."
)


async def telegram_check(settings: Settings) -> list[Check]:
    """Whether Telegram can be asked, as whom, and what it shows to the bot."""
    if not settings.has_telegram:
        words = (
            "not set up. To answer on Telegram, send /newbot to @BotFather there and set TELEGRAM_TOKEN to the token "
            "that it writes; README says how."
        )
        return [Check("telegram", False, words, optional=True)]
    from adapters.telegram import checking, errors  # large, too
    from adapters.telegram.refs import account_of

    try:
        account_of(settings.telegram_token.get_secret_value())
    except ValueError as error:
        return [Check("telegram", False, str(error))]
    other_base = ", and look at TELEGRAM_API_BASE" * bool(settings.telegram_api_base)
    try:
        async with open_house(settings, join=True, slots=1) as house:
            assert house.telegram is not None
            return telegram_checks(settings, await checking.ask(house.telegram))
    except errors.TokenRefused:
        words = "Telegram refuses TELEGRAM_TOKEN. Send /token to @BotFather and copy it anew."
    except errors.TelegramError as error:
        words = f"Telegram does not answer ({type(error).__name__}). Try again in a while{other_base}."
    except Exception as error:
        words = f"could not be looked at ({type(error).__name__}); the line “database” may say why."
    return [Check("telegram", False, words)]


def telegram_checks(settings: Settings, standing: Standing) -> list[Check]:
    """What a bot's set-up means for people, and how to change it."""
    me = standing.me
    checks = [
        Check("telegram", True, f"signed in as @{me.username}{_server_of(settings)}"),
        Check("telegram groups", True, (_SEES_ALL if me.reads_all else _SEES_LITTLE).format(me.username)),
        _check_way_in(settings, standing),
    ]
    if standing.conflict:
        checks.append(Check("telegram updates", False, _SOMEBODY_ELSE))
    if settings.telegram_webhook_url and standing.trouble:
        words = f"when Telegram called last and failed, it said: {standing.trouble}"
        checks.append(Check("telegram updates", False, words, optional=True))
    if standing.aside:
        last = datetime.fromtimestamp(max(each.at for each in standing.aside), UTC)
        errors = ", ".join(sorted({each.why for each in standing.aside}))
        words = (
            f"set aside since they could not be read: {len(standing.aside)}, the last at {last:%Y-%m-%d %H:%M} UTC "
            f"({errors}). All the others went on."
        )
        checks.append(Check("telegram updates", False, words, optional=True))
    return checks


def _server_of(settings: Settings) -> str:
    if not settings.telegram_api_base:
        return ""
    files = "with its larger files" if settings.telegram_api_local else "with Telegram's usual limits"
    return f", by the server at {urlsplit(settings.telegram_api_base).hostname}, {files}"


def _check_way_in(settings: Settings, standing: Standing) -> Check:
    waiting = f"; {standing.waiting} waiting" if standing.waiting else ""
    wanted = settings.telegram_webhook_url
    if not wanted:
        elsewhere = "; the address that it calls now is taken back at the start" if standing.webhook else ""
        return Check("telegram updates", True, f"Telegram is asked for them (long polling){waiting}{elsewhere}")
    if standing.webhook.startswith(wanted.rstrip("/") + "/"):
        return Check("telegram updates", True, f"Telegram calls {standing.webhook}{waiting}")
    words = f"Telegram does not call {wanted} yet; it is told to when `remixbot run` starts{waiting}"
    return Check("telegram updates", False, words, optional=True)


_SEES_ALL = (
    "it is shown all that groups write, and acts on replies to its pictures, on commands, and on mentions of @{0}."
)
_SEES_LITTLE = (
    "with privacy mode, as @BotFather makes bots: in groups it is shown replies to its pictures and commands, so a "
    "friend's photo is edited by replying to it with /edit@{0}. To let people mention it instead, send /setprivacy to "
    "@BotFather, choose the bot and “Disable”, then take it out of each group and add it anew."
)
_SOMEBODY_ELSE = (
    "another program takes this bot's messages, and Telegram gives them to one alone. Stop it, or send /revoke to "
    "@BotFather and set TELEGRAM_TOKEN to the new token."
)


def _check_page(settings: Settings) -> Check:
    from adapters.web.guard import check_bind

    try:
        check_bind(settings.host, settings.web_password.get_secret_value())
    except ValueError as error:
        return Check("page", False, str(error))
    return Check("page", True, f"http://{settings.host}:{settings.port}/ once `remixbot run` is started")


async def _check_models(settings: Settings) -> list[Check]:
    """What was seen of the models: how long a picture takes, and whether one is to be retired."""
    try:
        async with open_house(settings, join=True, slots=1) as house:
            models = await house.meter.models()
    except Exception:
        return []  # said in the database's own line
    checks: list[Check] = []
    for facts in models:
        if facts.seen:
            words = f"a picture takes {facts.median_s:.1f} s, nine of ten under {facts.slow_s:.1f} s (of {facts.seen})"
            checks.append(Check(facts.model, True, words, optional=True))
        if facts.retirement is not None:
            when = f" on {facts.retirement.when}" if facts.retirement.when else ""
            words = f"its maker says that it will be switched off{when}. Choose another one soon."
            checks.append(Check(facts.model, False, words, optional=True))
    return checks


async def receipt(settings: Settings, number: str) -> Mapping[str, object]:
    """What a receipt says. Raises `RemixError` for one that is unknown."""
    found = await receipt_of(settings, number.strip().upper())
    if found is None:
        raise RemixError(f"There is no receipt {number}. Receipts are kept for {settings.notes_days} days.")
    return found


async def forget(
    settings: Settings, user: str, *, told: Callable[[int, int], None] = lambda _done, _of: None
) -> ForgetReceipt:
    """Erase a person. `told` is given how many edits are erased, of how many."""
    person = _person(user)
    async with open_house(settings, join=True, slots=1) as house:
        return await house.forget(person, told=told)


def _person(user: str) -> UserRef:
    try:
        return user_ref_of(user)
    except ValueError:
        raise RemixError("Say whom as PLATFORM:ID, for instance web:owner.") from None


async def weigh(settings: Settings, user: str, weight: int) -> None:
    """How many of a person's edits go in one round."""
    person = _person(user)
    async with open_house(settings, join=True, slots=1) as house:
        await house.turns.weigh(person, weight)


async def turn_engine(settings: Settings, engine: str, *, on: bool) -> None:
    """The off switch."""
    async with open_house(settings, join=True, slots=1) as house:
        await house.switches.turn(engine, on=on)


async def operate(settings: Settings, work: Callable[[Operating], Awaitable[T]]) -> T:
    """What an operator does."""
    async with open_house(settings, join=True, slots=1) as house:
        return await work(house.reception.operating)
