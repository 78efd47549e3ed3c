"""The command `remixbot`. Exit status: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong usage."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import structlog
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from bot.redaction import Clean, Redaction, secrets_of
from bot.secret_files import BadSecretFile, bring_others, exposed_secrets
from bot.settings import Role, Settings, role_trouble
from bot.sight.lines import LinesOfLibraries

if TYPE_CHECKING:
    from bot.operating import Operating

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Edit pictures by replying to them.",
    pretty_exceptions_enable=False,
)

operator = typer.Typer(no_args_is_help=True, help="Who may use /operator in a chat.")
cli.add_typer(operator, name="operator")
credentials = typer.Typer(no_args_is_help=True, help="The certificate that signs what is made.")
cli.add_typer(credentials, name="credentials")

Data = Annotated[Path | None, typer.Option("--data", help="Folder for everything that is kept.")]


class EngineChoice(StrEnum):
    AUTO = "auto"
    EXACT = "exact"
    GEMINI = "gemini"


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


@cli.command()
def run(
    host: Annotated[str | None, typer.Option(help="Where the page listens.")] = None,
    port: Annotated[int | None, typer.Option(help="The page's port.")] = None,
    role: Annotated[
        Role, typer.Option(help="What this process does: everything, only the doors in, or only the edits.")
    ] = Role.ALL,
    data: Data = None,
) -> None:
    """Start the bot and its page, and say where the page is."""
    from bot import app

    settings = _settings(host=host, port=port, data=data)
    if trouble := role_trouble(settings, role):
        print(trouble, file=sys.stderr)
        raise typer.Exit(2)
    _log_to_stderr(settings.log_level)
    for trouble in exposed_secrets(Settings):
        structlog.get_logger("settings").warning("secret", trouble=trouble)

    def ready(address: str) -> None:
        """The page's address; empty where this process has no page."""
        page = f" Open {address} in your browser." if address else ""
        print(f"Remixbot is ready.{page} Ctrl+C stops it.", flush=True)

    _finish(app.run(settings, ready=ready, role=role), in_use=f"{settings.host}:{settings.port}")


@cli.command()
def edit(
    words: Annotated[list[str], typer.Argument(metavar="[IMAGE…] INSTRUCTION", help="Pictures, then what to do.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the result goes; its ending says which kind.")],
    engine: Annotated[EngineChoice, typer.Option(help="Who does it.")] = EngineChoice.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was done as JSON.")] = False,
) -> None:
    """Edit pictures once, without a server."""
    from bot import oneshot

    if len(words) == 1 and Path(words[0]).exists():
        raise typer.BadParameter("after the pictures, say in quotes what to do")
    *paths, instruction = words
    if out.suffix.lower() not in oneshot.MEDIA_TYPES:
        raise typer.BadParameter(f"the result must end in one of {', '.join(oneshot.MEDIA_TYPES)}", param_hint="--out")
    settings = _settings()
    _log_to_stderr("error")
    work = oneshot.edit(settings, [Path(path) for path in paths], instruction, out, engine=engine.value)
    done = _finish(work)
    if as_json:
        print(json.dumps(done, ensure_ascii=False))
    else:
        for result in done["results"]:
            print(f"{result['path']}: {done['label']}, {result['width_px']} × {result['height_px']} pixels")
        if done["remark"]:
            print(done["remark"])


@cli.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The picture.")],
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
    data: Data = None,
) -> None:
    """Say what is known of where a picture comes from. Nothing of it is kept."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    report = _finish(oneshot.verify(settings, file))
    print(json.dumps(report.as_dict, ensure_ascii=False) if as_json else report.words)


@cli.command()
def doctor(data: Data = None) -> None:
    """Say what is configured, what is reachable, and what to do next."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    checks = _finish(oneshot.doctor(settings))
    for check in checks:
        print(f"{'ok ' if check.ok else '-- '} {check.what}: {check.words}")
    raise typer.Exit(0 if all(check.ok or check.optional for check in checks) else 1)


@cli.command()
def forget(
    user: Annotated[str, typer.Argument(help="Whom to forget, as PLATFORM:ID, for instance web:owner.")],
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
    data: Data = None,
) -> None:
    """Erase a person's pictures and words, and what was made from their pictures."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")

    def told(done: int, of: int) -> None:
        if done:
            print(f"{done:,} of {of:,} edits", file=sys.stderr)

    receipt = _finish(oneshot.forget(settings, user, told=told))
    if as_json:
        counts = {"edits": receipt.turns, "messages": len(receipt.messages), "pictures": len(receipt.pixels)}
        print(json.dumps({"user": receipt.user.key, "receipt": receipt.number, **counts, "stories": receipt.stories}))
        return
    print(
        f"Forgotten: {receipt.user.key}. {receipt.turns} edits and {len(receipt.messages)} messages erased, "
        f"{len(receipt.pixels)} pictures deleted, {receipt.stories} memories rewritten. What others have saved or "
        f"passed on is out of reach. Receipt: {receipt.number}"
    )


@cli.command()
def receipt(
    number: Annotated[str, typer.Argument(help="The number that /forget has told.")],
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
    data: Data = None,
) -> None:
    """Say whether a person was forgotten, by the number of the receipt. Whose it is is not kept."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    found = _finish(oneshot.receipt(settings, number))
    if as_json:
        print(json.dumps(found))
        return
    print(
        f"Carried out on {found['day']}: {found['edits']} edits, {found['messages']} messages and "
        f"{found['pictures']} pictures erased."
        if found["done"]
        else f"Begun on {found['day']}, and not carried out to its end yet."
    )


@cli.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the copy.")],
    data: Data = None,
) -> None:
    """Copy the database that comes along and the pictures, while the bot runs: see docs/backup.md."""
    from bot import app

    settings = _settings(data=data)
    if settings.redis_url.get_secret_value() or settings.image_store_url:
        raise typer.BadParameter("a Redis or a bucket of your own is copied with its own tools: see docs/backup.md")
    if folder.exists():
        raise typer.BadParameter(f"{folder} is there already", param_hint="FOLDER")
    _finish(app.back_up(settings, folder))
    print(f"Copied to {folder}. To restore it, copy it to a new folder and start with --data.")


@cli.command()
def weight(
    user: Annotated[str, typer.Argument(help="Whose, as PLATFORM:ID, for instance web:owner.")],
    turns: Annotated[int, typer.Argument(min=1, max=100, help="How many of their edits; 1 is what everybody has.")],
    data: Data = None,
) -> None:
    """Say how many of a person's edits go in one round, when people wait in line."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    _finish(oneshot.weigh(settings, user, turns))
    print(f"In each round {user} has {turns} {'edit' if turns == 1 else 'edits'}.")


@cli.command()
def usage(
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days, counted from today.")] = 30,
    data: Data = None,
) -> None:
    """Say what AI edits have used and cost, and what is left of the caps."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    for line in _finish(oneshot.usage(settings, days=days)):
        print(line)


@cli.command()
def top(
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Look once, and say it as JSON.")] = False,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between looks.")] = 2.0,
    data: Data = None,
) -> None:
    """Show what goes on in all processes: slots, queue, running turns, waits, errors, costs."""
    from bot import top as watching
    from bot.terminal import Screen

    settings = _settings(data=data)
    lasting = not once and not as_json and sys.stdout.isatty()
    _log_to_stderr("critical" if lasting else "error")
    if as_json:
        print(json.dumps(_finish(watching.once(settings)), ensure_ascii=False))
    elif lasting:
        _finish(watching.again_and_again(settings, every_s=every, screen=Screen(sys.stdout)))
    else:
        print("\n".join(watching.lines(_finish(watching.once(settings)))))


@cli.command()
def arena(
    worst: Annotated[
        bool, typer.Option("--worst", help="The results that most have voted bad, by their turns.")
    ] = False,
    data: Data = None,
) -> None:
    """Say which models win the votes of /arena, and how sure that is."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    for line in _finish(oneshot.arena(settings, worst=worst)):
        print(line)


@cli.command(name="eval")
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Pictures and what to do with them: see docs/eval.md.")],
    models: Annotated[str, typer.Option(help="The two models, separated by a comma.")],
    port: Annotated[int, typer.Option(help="The port of the page that asks which is better.")] = 8081,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before spending money.")] = False,
) -> None:
    """Compare two models on your own pictures, without knowing which is which."""
    from bot import evaluation

    chosen = tuple(name.strip() for name in models.split(",") if name.strip())
    if len(chosen) != 2:
        raise typer.BadParameter("name two models, separated by a comma", param_hint="--models")
    settings = _settings()
    _log_to_stderr("error")

    def confirm(question: str) -> bool:
        return yes or typer.confirm(question)

    async def compare() -> str:
        report = await evaluation.evaluate(settings, folder, (chosen[0], chosen[1]), say=print, confirm=confirm)
        if report.comparable:
            await evaluation.serve_comparison(folder, host="127.0.0.1", port=port, ready=lambda at: print(f"Open {at}"))
        return evaluation.summary(folder)

    print(_finish(compare(), in_use=f"127.0.0.1:{port}"))


@cli.command()
def gemini(
    switch: Annotated[Switch, typer.Argument(help="on or off")],
    data: Data = None,
) -> None:
    """Switch AI edits off, or on again, at once and for every process."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    _finish(oneshot.turn_engine(settings, "gemini", on=switch is Switch.ON))
    print(f"AI edits are {switch.value}.")


class Door(StrEnum):
    OPEN = "open"
    MEMBERS = "members"
    CLOSED = "closed"


Subject = Annotated[
    str,
    typer.Argument(
        help="PLATFORM:ID of a person (discord:123), PLATFORM:chat:ID of a chat, PLATFORM:server:ID of a server."
    ),
]


def _operate(data: Path | None, work: Callable[[Operating], Awaitable[Any]]) -> Any:
    """It holds at once, for every process."""
    from bot import oneshot

    settings = _settings(data=data)
    _log_to_stderr("error")
    return _finish(oneshot.operate(settings, work))


@cli.command()
def door(
    turn: Annotated[Door | None, typer.Argument(help="open, members or closed; nothing to ask how it stands")] = None,
    data: Data = None,
) -> None:
    """Say whom the bot lets in, at once and for every process: everybody, members, or only who is allowed by name."""
    if turn is None:
        print(_operate(data, lambda operating: operating.door()))
        return
    from bot.domain import people

    _operate(data, lambda operating: operating.turn_door(people.Door(turn.value), by=people.HOST))
    print(f"The door is {turn.value}.")


@cli.command()
def ban(
    subject: Subject,
    time: Annotated[str, typer.Option("--for", help="How long: 30m, 12h, 3d, 2w. For good without it.")] = "",
    why: Annotated[str, typer.Option(help="A reason, for operators alone.")] = "",
    data: Data = None,
) -> None:
    """Keep somebody out, at once. What runs is finished, what waits is ended with words."""
    from bot.domain.people import HOST, read_span_s

    for_s = read_span_s(time) if time else None
    if time and for_s is None:
        raise typer.BadParameter("say it as 30m, 12h, 3d or 2w", param_hint="--for")
    ended = _operate(data, lambda operating: operating.ban(subject, by=HOST, for_s=for_s, reason=why))
    print(f"Kept out: {subject}. Waiting edits that were ended: {ended}.")


@cli.command()
def unban(subject: Subject, data: Data = None) -> None:
    """Keep somebody out no longer."""
    from bot.domain.people import HOST

    if not _operate(data, lambda operating: operating.unban(subject, by=HOST)):
        print(f"{subject} was not banned.", file=sys.stderr)
        raise typer.Exit(1)
    print(f"Unbanned: {subject}.")


@cli.command()
def allow(subject: Subject, data: Data = None) -> None:
    """Let a person, a chat or a server in where the door is not open to all."""
    from bot.domain.people import HOST

    _operate(data, lambda operating: operating.allow(subject, by=HOST))
    print(f"Allowed: {subject}.")


@cli.command()
def deny(subject: Subject, data: Data = None) -> None:
    """Take somebody off the list of those who are let in, and keep them out."""
    from bot.domain.people import HOST

    ended = _operate(data, lambda operating: operating.deny(subject, by=HOST))
    print(f"Kept out: {subject}. Waiting edits that were ended: {ended}.")


@cli.command(name="people")
def show_people(data: Data = None) -> None:
    """Say how the door stands, and who is an operator, kept out, or let in by name."""
    for line in _operate(data, lambda operating: operating.people()):
        print(line)


@cli.command()
def invite(
    uses: Annotated[int, typer.Option(min=1, max=10_000, help="How many people it lets in.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it is good.")] = 7,
    show: Annotated[bool, typer.Option("--list", help="Say which ones are good, without their codes.")] = False,
    revoke: Annotated[str, typer.Option(help="End the one of this id.")] = "",
    data: Data = None,
) -> None:
    """Make a code that lets people in. It is shown this once, and only its hash is kept."""
    from bot.domain.people import HOST

    if show:
        for line in _operate(data, lambda operating: operating.invitations()):
            print(line)
        return
    if revoke:
        if not _operate(data, lambda operating: operating.revoke(revoke, by=HOST)):
            print("There is no such invitation.", file=sys.stderr)
            raise typer.Exit(1)
        print("It is ended.")
        return
    made = _operate(data, lambda operating: operating.invite(uses=uses, days=days, by=HOST))
    print(f"/join {made.code}")
    if made.link:
        print(made.link)
    print(f"For {uses}, {days} days. Its id is {made.invitation.id}.", file=sys.stderr)


@cli.command(name="log")
def show_log(
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days back.")] = 7,
    data: Data = None,
) -> None:
    """Say what was changed in settings, lists and invitations: when, by whom, from what to what."""
    for line in _operate(data, lambda operating: operating.log(days=days)):
        print(line)


@operator.command(name="add")
def add_operator(subject: Subject, data: Data = None) -> None:
    """Let a person use /operator."""
    from bot.domain.people import HOST

    _operate(data, lambda operating: operating.add(subject, by=HOST))
    print(f"{subject} is an operator.")


@operator.command(name="remove")
def remove_operator(subject: Subject, data: Data = None) -> None:
    """Let a person use it no longer."""
    from bot.domain.people import HOST

    if not _operate(data, lambda operating: operating.remove(subject, by=HOST)):
        print(f"{subject} was no operator.", file=sys.stderr)
        raise typer.Exit(1)
    print(f"{subject} is no operator any more.")


@operator.command(name="list")
def list_operators(data: Data = None) -> None:
    """Say who may use it."""
    for line in _operate(data, lambda operating: operating.people()):
        if line.startswith("operator"):
            print(line)


@credentials.command()
def init(
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where to write it, if not into the data folder.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a key that is there.")] = False,
    data: Data = None,
) -> None:
    """Make a certificate chain to try signing with."""
    from bot.labels.credentials import chain

    place = folder or _settings(data=data).data / chain.FOLDER
    made = chain.make_chain()
    try:
        chain.write_chain(made, place, replace=replace)
    except (chain.AlreadyThere, OSError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"Made in {place}: {chain.KEY} (keep it secret), {chain.CERTIFICATES} and {chain.ANCHORS}.")
    if folder:
        print(f"To use it: CREDENTIALS_CERTIFICATE={place / chain.CERTIFICATES} CREDENTIALS_KEY={place / chain.KEY}")
    print(f"It signs until {made.expires_at:%Y-%m-%d}.")
    print(_OF_DEVELOPMENT)


@credentials.command()
def show(data: Data = None) -> None:
    """Say who signs, until when, and what others see of it."""
    from bot.labels import signing as signing_
    from bot.labels.credentials import chain, signer

    settings = _settings(data=data)
    try:
        signing = signing_.signer_as_set(
            settings.credentials_certificate,
            settings.credentials_key,
            settings.credentials_timestamp_url,
            settings.data,
            command=settings.credentials_signer,
        )
        if signing is None:
            print("Nothing is signed: there is no certificate. `remixbot credentials init` makes one to try with.")
            raise typer.Exit(1)
    except signer.BadSigner as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    certificate = Path(settings.credentials_certificate or settings.data / chain.FOLDER / chain.CERTIFICATES)
    print(f"Signed by “{signing.identity.name}” ({certificate}) until {signing.expires_at:%Y-%m-%d}.")
    if settings.credentials_timestamp_url:
        print(f"Time stamps come from {settings.credentials_timestamp_url}. Without its answer files are signed bare.")
    else:
        print("Without CREDENTIALS_TIMESTAMP_URL what is signed reads as expired from that day on.")
    if chain.is_for_development(certificate.read_bytes()):
        print(_OF_DEVELOPMENT)


_OF_DEVELOPMENT = """\
It is a chain of your own, for development. It really signs, and your own bot knows it; readers of others say
“unknown signer”. For a name that they know, take part in the C2PA Conformance Program (c2pa.org/conformance), get a
claim-signing certificate from an authority on the C2PA Trust List, and set CREDENTIALS_CERTIFICATE and
CREDENTIALS_KEY."""


def _settings(**given: object) -> Settings:
    """From here on, nothing that this process writes shows a secret."""
    try:
        bring_others(os.environ)
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            print(f"The setting {name} cannot be used: {problem['msg']}.", file=sys.stderr)
    except BadSecretFile as error:
        print(error, file=sys.stderr)
    except SettingsError as error:
        name = str(error).partition('"')[2].partition('"')[0].upper()
        print(f"The setting {name} cannot be used: it has to be JSON.", file=sys.stderr)
    else:
        _write_no_secret(Redaction(secrets_of(settings)))
        return settings
    raise typer.Exit(2)


def _write_no_secret(redaction: Redaction) -> None:
    streams: list[Any] = [sys.stdout, sys.stderr]
    sys.stdout, sys.stderr = (
        cast(TextIO, Clean(each.bare if isinstance(each, Clean) else each, redaction)) for each in streams
    )


def _finish(work: Coroutine[Any, Any, Any], *, in_use: str = "") -> Any:
    """Run to the end. What a person can meet is said in words."""
    from bot.domain.errors import RemixError

    try:
        return asyncio.run(work)
    except RemixError as error:
        print(error.words, file=sys.stderr)
        for suggestion in getattr(error, "suggestions", ()):
            print(f"  {suggestion}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    except ValueError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        taken = in_use and error.errno is not None and "address" in str(error).lower()
        print(f"Something else uses {in_use}. Choose another with --port." if taken else error, file=sys.stderr)
    raise typer.Exit(1)


class _Steady:
    """A stream to log to. Where its other end is gone, lines are lost and edits are not."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _log_to_stderr(level: str) -> None:
    """One line per event: for people on a terminal, JSON otherwise. Never texts, pixels or tokens."""
    # Tracebacks without local variables: those would show what people wrote.
    exceptions = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
    stream: object = sys.stderr
    redaction = stream.redaction if isinstance(stream, Clean) else Redaction(())
    on_terminal = sys.stderr.isatty()
    lines: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if on_terminal
        else [exceptions, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *lines[:-1],
            redaction.processor,
            lines[-1],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Steady(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    warnings.showwarning = _a_library_warns
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(redaction.filter)
        if not on_terminal:
            handler.setFormatter(LinesOfLibraries())


def _a_library_warns(  # noqa: PLR0917 as Python calls it
    message: Warning | str,  # noqa: ARG001
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Where and what kind it is, and not its words: they may be somebody's, such as the name of a file."""
    at = f"{Path(filename).name}:{lineno}"
    structlog.get_logger("python").warning("a library warns", kind=category.__name__, at=at)


def main() -> None:
    """Entry point."""
    cli()
