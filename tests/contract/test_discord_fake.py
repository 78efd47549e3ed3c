"""The fake Discord: the real client library lives with it, and what Discord would refuse is refused."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands, ui
from PIL import Image

from tests.fakes.discord import FakeDiscord, Json, Message, NotThere, Permission, Person, request_fault, schema
from tests.fakes.discord.page import DiscordWithPage

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
WITH_CONTENT = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return out.getvalue()


class Client(discord.Client):
    """Notes what it gets."""

    def __init__(self, intents: discord.Intents = INTENTS, **options: Any) -> None:
        options.setdefault("guild_ready_timeout", 0.05)
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none(), **options)
        self.got: list[discord.Message] = []
        self.resumed = 0
        self.shown: list[discord.Interaction[Any]] = []
        self.tree = app_commands.CommandTree(self)

    async def on_message(self, message: discord.Message) -> None:
        if message.author.id != (self.user and self.user.id):
            self.got.append(message)

    async def on_resumed(self) -> None:
        self.resumed += 1

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        self.shown.append(interaction)


@asynccontextmanager
async def running(fake: FakeDiscord, client: Client) -> AsyncIterator[Client]:
    with fake.install():
        task = asyncio.create_task(client.start(fake.token))
        try:
            await fake.until(lambda: task.done() or client.is_ready())
            if task.done():
                task.result()
            yield client
        finally:
            await client.close()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(content_intent=False) as server:
        yield server
        assert server.faults() == []


@pytest.fixture
def anna(fake: FakeDiscord) -> Person:
    return fake.user("Anna")


async def heard(fake: FakeDiscord, client: Client, count: int = 1) -> discord.Message:
    await fake.until(lambda: len(client.got) >= count)
    return client.got[-1]


def view_of(*buttons: tuple[str, str]) -> ui.View:
    view = ui.View(timeout=None)
    for label, custom_id in buttons:
        view.add_item(ui.Button(label=label, custom_id=custom_id))
    return view


# --- messages


async def test_a_message_with_a_picture_arrives_and_its_bytes_are_those_that_were_sent(
    fake: FakeDiscord, anna: Person
) -> None:
    channel, cat = fake.guild().channel(), picture()
    async with running(fake, Client()) as client:
        said = await anna.says(channel, "blue", files=[("cat.png", cat)], mentions=[fake.bot])
        got = await heard(fake, client)
        assert (str(got.id), got.attachments[0].width) == (said.id, 40)
        assert await got.attachments[0].read() == cat
    assert got.id > 2**53


async def test_a_reply_is_reserved_and_then_filled_with_a_picture(fake: FakeDiscord, anna: Person) -> None:
    channel, result = fake.guild().channel(), picture("blue")
    async with running(fake, Client()) as client:
        said = await anna.says(channel, "blue", mentions=[fake.bot])
        reply = await (await heard(fake, client)).reply("working")
        file = discord.File(io.BytesIO(result), "result.png", description="A cat. AI-made")
        await reply.edit(content="done", attachments=[file], view=view_of(("Again", "again")))
    stands = channel.last()
    assert (stands.content, stands.reply_to, stands.labels()) == ("done", said.id, ["Again"])
    assert stands.files == [("result.png", result)]
    assert stands.attachments[0].description == "A cat. AI-made"


async def test_a_list_of_attachments_has_the_last_word(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()
    files = [discord.File(io.BytesIO(picture()), f"{name}.png") for name in "ab"]
    async with running(fake, Client()) as client:
        await anna.says(channel, "two", mentions=[fake.bot])
        sent = await (await heard(fake, client)).reply(files=files)
        await sent.edit(attachments=[sent.attachments[1]])
    assert [name for name, _ in channel.last().files] == ["b.png"]


async def test_a_nonce_sends_once(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()
    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        got = await heard(fake, client)
        first, again = [await got.reply("one", nonce="turn-1") for _ in range(2)]
        fake.clock.move(3600)
        later = await got.reply("one", nonce="turn-1")
    assert first.id == again.id != later.id


async def test_an_answer_that_is_lost_after_the_effect_leaves_one_message(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()
    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        got = await heard(fake, client)
        fake.fail("POST", r"/channels/\d+/messages", status=503, after_effect=True)
        with pytest.raises(discord.DiscordServerError):
            await got.reply("one", nonce="turn-1")
        await got.reply("one", nonce="turn-1")
    assert [each.content for each in channel.messages()[1:]] == ["one"]


async def test_an_edit_of_a_person_has_a_time_and_an_unfurled_link_has_none(fake: FakeDiscord, anna: Person) -> None:
    channel, updates = fake.guild().channel(), list[discord.RawMessageUpdateEvent]()

    class Watching(Client):
        async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
            updates.append(payload)

    async with running(fake, Watching()):
        said = await anna.says(channel, "see https://example.org", mentions=[fake.bot])
        await anna.unfurl(said)
        await anna.edits(said, f"{fake.bot.mention} warmer")
        await fake.until(lambda: len(updates) == 2)
    told = {each.message.content.split()[-1]: each.message.edited_at is not None for each in updates}
    assert told == {"https://example.org": False, "warmer": True}


async def test_links_end_and_are_fresh_when_the_message_is_fetched_anew(fake: FakeDiscord, anna: Person) -> None:
    channel, cat = fake.guild().channel(), picture()
    async with running(fake, Client()) as client:
        await anna.says(channel, "x", files=[("cat.png", cat)], mentions=[fake.bot])
        got = await heard(fake, client)
        fake.clock.move(25 * 3600)
        with pytest.raises(discord.NotFound):
            await got.attachments[0].read()
        assert await (await got.fetch()).attachments[0].read() == cat


async def test_a_forward_has_the_pictures_and_no_author(fake: FakeDiscord, anna: Person) -> None:
    channel, dm = fake.guild().channel(), fake.dm(anna)
    async with running(fake, Client()) as client:
        said = await fake.user("Ben").says(channel, "mine", files=[("cat.png", picture())])
        await anna.forwards(said, to=dm)
        got = await heard(fake, client, 2)
        snapshot = next(each for each in client.got if each.message_snapshots).message_snapshots[0]
        assert (snapshot.content, await snapshot.attachments[0].read()) == ("mine", picture())
    assert got.id


# --- what may be read


async def seen_without_content(fake: FakeDiscord, client: Client, said: Message) -> tuple[bool, bool]:
    """Whether the content came over the gateway, and whether it comes over REST."""
    await fake.until(lambda: said.id in [str(each.id) for each in client.got])
    got = next(each for each in client.got if str(each.id) == said.id)
    again = await got.fetch()
    return bool(got.content or got.attachments), bool(again.content or again.attachments)


async def test_without_the_intent_only_what_is_meant_for_the_bot_is_read(fake: FakeDiscord, anna: Person) -> None:
    channel, cat = fake.guild().channel(), [("cat.png", picture())]
    async with running(fake, Client()) as client:
        secret = await anna.says(channel, "secret", files=cat)
        mention = await anna.says(channel, "blue", files=cat, mentions=[fake.bot], reply_to=secret)
        ours = await (await heard(fake, client, 2)).channel.send("result")
        result = channel.log[str(ours.id)]
        pinged = await anna.says(channel, "warmer", reply_to=result)
        silent = await anna.says(channel, "warmer", reply_to=result, ping=False)
        private = await anna.says(fake.dm(anna), "hello")
        found = [await seen_without_content(fake, client, each) for each in (secret, mention, pinged, silent, private)]
    assert found == [(False, False), (True, True), (True, True), (False, False), (True, True)]
    asked = next(each for each in client.got if str(each.id) == mention.id)
    assert asked.reference
    assert isinstance(asked.reference.resolved, discord.Message)
    assert (asked.reference.resolved.content, asked.reference.resolved.attachments) == ("", [])


async def test_a_reply_to_an_answer_to_an_interaction_is_not_read_without_the_intent(
    fake: FakeDiscord, anna: Person
) -> None:
    channel = fake.guild().channel()
    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        await (await heard(fake, client)).reply("result", view=view_of(("Again", "again")))
        pressed = await anna.presses(channel.last(), "Again")
        await fake.until(lambda: client.shown)
        await client.shown[0].response.send_message("said to all")
        reply = await anna.says(channel, "warmer", reply_to=await pressed.answer())
        assert await seen_without_content(fake, client, reply) == (False, False)


async def test_with_the_intent_everything_is_read() -> None:
    async with FakeDiscord() as fake, running(fake, Client(WITH_CONTENT)) as client:
        said = await fake.user("Anna").says(fake.guild().channel(), "open", files=[("cat.png", picture())])
        assert await seen_without_content(fake, client, said) == (True, True)
        assert client.application
        assert client.application.flags.gateway_message_content
        assert fake.faults() == []


async def test_an_intent_that_is_not_approved_closes_the_door(fake: FakeDiscord) -> None:
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(fake, Client(WITH_CONTENT)):
            pass


# --- the gateway


async def test_what_was_missed_is_replayed_after_a_cut(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()
    async with running(fake, Client()) as client:
        fake.drop_gateway()
        await fake.until(lambda: not fake.gateway.connected)
        said = [await anna.says(channel, f"{number}", mentions=[fake.bot]) for number in range(3)]
        await fake.until(lambda: client.resumed and len(client.got) == 3)
    assert sorted(str(each.id) for each in client.got) == [each.id for each in said]
    assert len(fake.gateway.identifies) == 1


async def test_a_connection_that_says_nothing_more_is_left(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()
    fake.gateway.heartbeat_s = 0.1
    async with running(fake, Client(heartbeat_timeout=0.4)) as client:
        await fake.until(lambda: fake.gateway.heartbeats)
        fake.zombie()
        await anna.says(channel, "are you there", mentions=[fake.bot])
        await heard(fake, client)
    assert (fake.gateway.resumes, len(fake.gateway.identifies)) == (1, 1)


async def test_after_an_invalid_session_what_was_missed_is_gone(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()
    async with running(fake, Client()) as client:
        fake.gateway.refuses_resume = True
        fake.drop_gateway()
        await fake.until(lambda: not fake.gateway.connected)
        await anna.says(channel, "missed", mentions=[fake.bot])
        await fake.until(lambda: len(fake.gateway.identifies) == 2 and fake.gateway.connected, within_s=20)
        last = await anna.says(channel, "heard", mentions=[fake.bot])
        assert str((await heard(fake, client)).id) == last.id


async def test_each_guild_speaks_to_its_shard_and_dms_to_the_first(fake: FakeDiscord, anna: Person) -> None:
    guilds = [fake.guild(f"{number}") for number in range(4)]
    fake.gateway.shards = 2

    class Sharded(discord.AutoShardedClient):
        async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
            """No five seconds between two."""

    client = Sharded(intents=INTENTS, guild_ready_timeout=0.05)
    with fake.install():
        task = asyncio.create_task(client.start(fake.token))
        await fake.until(lambda: len(fake.gateway.connected) == 2 and client.is_ready(), within_s=30)
        found = {guild.name: guild.shard_id for guild in client.guilds}
        await anna.says(fake.dm(anna), "hello")
        by_shard = {each.shard[0]: each.names.count("MESSAGE_CREATE") for each in fake.gateway.connected}
        await client.close()
        await asyncio.gather(task, return_exceptions=True)
    assert found == {each.name: (int(each.id) >> 22) % 2 for each in guilds}
    assert by_shard == {0: 1, 1: 0}


# --- no


@pytest.mark.parametrize(
    ("denied", "code"),
    [
        (Permission.VIEW_CHANNEL, 50001),
        (Permission.SEND_MESSAGES, 50013),
        (Permission.READ_MESSAGE_HISTORY, 160002),
        (Permission.ATTACH_FILES, 50013),
    ],
)
async def test_what_the_bot_may_not_do_is_refused(
    fake: FakeDiscord, anna: Person, denied: Permission, code: int
) -> None:
    channel = fake.guild().channel()
    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        got = await heard(fake, client)
        channel.deny(fake.bot, denied)
        with pytest.raises(discord.HTTPException) as refused:
            await got.reply("y", file=discord.File(io.BytesIO(b"1"), "a.png"))
    assert refused.value.code == code
    assert len(fake.invalid_requests) == (code != 160002)


async def test_an_archived_thread_takes_nothing_until_it_is_opened(fake: FakeDiscord, anna: Person) -> None:
    thread = fake.guild().channel().thread("cats")
    async with running(fake, Client()) as client:
        await anna.says(thread, "x", mentions=[fake.bot])
        got = await heard(fake, client)
        thread.changes(archived=True)
        with pytest.raises(discord.HTTPException) as refused:
            await got.reply("y")
        assert isinstance(got.channel, discord.Thread)
        await got.channel.edit(archived=False)
        await got.reply("y")
    assert (refused.value.code, thread.last().content) == (50083, "y")


async def test_a_post_in_a_forum_begins_with_the_message_of_its_id(fake: FakeDiscord, anna: Person) -> None:
    forum = fake.guild().channel("posts", forum=True)
    async with running(fake, Client()) as client:
        said = await anna.says(forum, "my cat", mentions=[fake.bot])
        got = await heard(fake, client)
        assert isinstance(got.channel, discord.Thread)
    assert (got.id, said.id) == (got.channel.id, said.channel.id)


async def test_a_file_over_the_limit_of_the_guild_is_refused(fake: FakeDiscord, anna: Person) -> None:
    small, large = fake.guild("small").channel(), fake.guild("large", tier=2).channel()
    data = bytes(11 * 2**20)
    async with running(fake, Client()) as client:
        for channel in (small, large):
            await anna.says(channel, "x", mentions=[fake.bot])
        await heard(fake, client, 2)
        by_guild = {each.guild.name: each for each in client.got if each.guild}
        with pytest.raises(discord.HTTPException) as refused:
            await by_guild["small"].reply(file=discord.File(io.BytesIO(data), "a.png"))
        await by_guild["large"].reply(file=discord.File(io.BytesIO(data), "a.png"))
    assert (refused.value.status, refused.value.code) == (413, 40005)
    assert len(large.last().attachments[0].data) == len(data)


BAD_BODIES: list[tuple[Json, int]] = [
    ({"content": "x" * 2001}, 50035),
    ({"content": ""}, 50006),
    ({"content": 5}, 50035),
    ({"content": "x", "nonce": "x" * 26}, 50035),
    ({"content": "x", "attachments": [{"id": 0, "filename": "a.png"}]}, 50035),
    ({"content": "x", "flags": 1 << 15}, 50035),
    ({"content": "x", "message_reference": {"message_id": "1"}}, 50035),
    ({"components": [{"type": 1, "components": []}]}, 50035),
    (
        {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}]}]},
        50035,
    ),
    (
        {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a" * 101}]}]},
        50035,
    ),
    ({"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}] * 2}]}, 50035),
    ({"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}]}] * 6}, 50035),
    ({"embeds": [{"description": "x" * 4097}]}, 50035),
]


@pytest.mark.parametrize(("body", "code"), BAD_BODIES)
async def test_a_message_that_discord_would_not_take_is_not_taken(fake: FakeDiscord, body: Json, code: int) -> None:
    channel = fake.guild().channel()
    url, headers = f"{fake.api_base}/channels/{channel.id}/messages", {"Authorization": f"Bot {fake.token}"}
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
        told = await answer.json()
    assert (answer.status, told["code"], channel.messages()) == (400, code, [])


def test_the_published_description_is_asked_where_it_is_at_hand() -> None:
    template = "/channels/{channel_id}/messages"
    assert (request_fault("POST", template, {"content": {}}) is not None) == schema.SPEC.exists()
    assert request_fault("POST", template, {"content": "x", "message_reference": {"message_id": 2**60}}) is None


# --- rate limits


async def test_the_library_keeps_the_limits_and_is_never_told_to(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()
    fake.limits.routes["POST /channels/{channel_id}/messages"] = (2, 0.3)
    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        got = await heard(fake, client)
        await asyncio.gather(*(got.channel.send(f"{number}") for number in range(6)))
    times = [each.at for each in fake.asked("POST", r"/channels/\d+/messages")]
    assert times[-1] - times[0] >= 0.55
    assert fake.invalid_requests == []


async def test_too_many_requests_are_told_to_wait_in_a_way_that_the_library_understands(
    fake: FakeDiscord, anna: Person
) -> None:
    channel = fake.guild().channel()
    fake.limits.routes.clear()
    fake.limits.globally = 3
    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        got = await heard(fake, client)
        await asyncio.gather(*(got.fetch() for _ in range(4)))
    assert 429 in [each.status for each in fake.requests]
    assert [each.status for each in fake.requests][-1] == 200


# --- interactions


class Form(ui.Modal, title="Edit"):
    what: ui.Label[Form] = ui.Label(text="What to change", component=ui.TextInput(custom_id="what"))
    more: ui.Label[Form] = ui.Label(
        text="More pictures", component=ui.FileUpload(custom_id="more", required=False, max_values=3)
    )

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        assert isinstance(self.what.component, ui.TextInput)
        assert isinstance(self.more.component, ui.FileUpload)
        files = [await each.read() for each in self.more.component.values]
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(
            content=f"{self.what.component.value}: {[len(each) for each in files]}"
        )


def with_menu(client: Client, act: Callable[[discord.Interaction[Any], discord.Message], Any]) -> Client:
    client.tree.context_menu(name="Edit this image")(act)

    async def sync() -> None:
        await client.tree.sync()

    client.setup_hook = sync  # type: ignore[method-assign]
    return client


async def test_a_message_command_opens_a_form_that_takes_words_and_files(fake: FakeDiscord, anna: Person) -> None:
    channel, targets = fake.guild().channel(), list[discord.Message]()

    async def edit(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        targets.append(message)
        await interaction.response.send_modal(Form())

    said = await fake.user("Ben").says(channel, "mine", files=[("cat.png", picture())])
    async with running(fake, with_menu(Client(), edit)):
        opened = await anna.menu("Edit this image", said)
        assert (await opened.form())["title"] == "Edit"
        sent = await anna.submits(opened, {"What to change": "warmer"}, files=[("hat.png", b"12345")])
        answer = await sent.answer()
    assert (answer.content, answer.seen_by) == ("warmer: [5]", anna)
    assert (targets[0].content, len(targets[0].attachments)) == ("mine", 1)
    assert answer in anna.sees(channel)
    assert answer not in channel.messages()


async def test_a_person_can_do_only_what_a_client_lets_them(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()

    async def edit(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_modal(Form())

    async with running(fake, with_menu(Client(), edit)):
        said = await anna.says(channel, "mine")
        with pytest.raises(NotThere):
            await anna.presses(said, "Again")
        with pytest.raises(NotThere):
            await anna.slash("edit", channel)
        opened = await anna.menu("Edit this image", said)
        await opened.form()
        with pytest.raises(NotThere):
            await anna.submits(opened, {"What to change": ""})
        with pytest.raises(NotThere):
            await anna.submits(opened, {"What to change": "x", "Size": "large"})


async def pressed_once(fake: FakeDiscord, anna: Person, client: Client) -> discord.Interaction[Any]:
    channel = fake.guild().channel()
    await anna.says(channel, "x", mentions=[fake.bot])
    await (await heard(fake, client)).reply("result", view=view_of(("Again", "again")))
    await anna.presses(channel.last(), "Again")
    await fake.until(lambda: client.shown)
    return client.shown[-1]


async def test_an_answer_after_three_seconds_or_a_second_one_is_refused(fake: FakeDiscord, anna: Person) -> None:
    async with running(fake, Client()) as client:
        interaction = await pressed_once(fake, anna, client)
        fake.clock.move(3.5)
        with pytest.raises(discord.NotFound) as late:
            await interaction.response.defer()
        fake.clock.move(-3.5)
        await interaction.response.defer()
        with pytest.raises(discord.HTTPException) as twice:
            await interaction.client.http.request(
                discord.http.Route("POST", f"/interactions/{interaction.id}/{interaction.token}/callback"),
                json={"type": 6},
            )
    assert (late.value.code, twice.value.code) == (10062, 40060)


async def test_a_token_is_worth_fifteen_minutes(fake: FakeDiscord, anna: Person) -> None:
    async with running(fake, Client()) as client:
        interaction = await pressed_once(fake, anna, client)
        await interaction.response.defer(thinking=True)
        fake.clock.move(14 * 60)
        await interaction.edit_original_response(content="done")
        fake.clock.move(2 * 60)
        with pytest.raises(discord.HTTPException) as late:
            await interaction.followup.send("too late")
    assert late.value.code == 50027
    assert all(interaction.token not in each.path for each in fake.requests)


async def test_where_the_bot_is_no_member_five_follow_ups_are_all(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild(with_bot=False).channel()
    client = Client()

    @client.tree.command(name="edit", description="Edit a picture")
    @app_commands.allowed_installs(guilds=True, users=True)
    async def edit(interaction: discord.Interaction[Any], instruction: str, image: discord.Attachment) -> None:
        assert interaction.is_user_integration()
        await interaction.response.send_message(f"{instruction} {len(await image.read())}")
        for number in range(6):
            await interaction.followup.send(f"{number}")

    async def sync() -> None:
        await client.tree.sync()

    client.setup_hook = sync  # type: ignore[method-assign]
    client.tree.on_error = ignored  # type: ignore[method-assign]
    async with running(fake, client):
        with pytest.raises(NotThere):
            await anna.slash("edit", channel, instruction="blue", image=("a.png", b"123"))
        asked = await anna.slash("edit", channel, installed="user", instruction="blue", image=("a.png", b"123"))
        refusals = r"/webhooks/\d+/…"
        await fake.until(lambda: [each for each in fake.asked("POST", refusals) if each.status >= 400])
    assert [each.content for each in asked.answers] == ["blue 3", "0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("description_localizations", {"tlh": "laH"}),
        ("description_localizations", {"de": "x" * 101}),
        ("name_localizations", {"de": "Zwei Worte"}),
        ("options", [{"type": 3, "name": f"o{n}", "description": "d", "description_localizations": {"ja": "x" * 100},
                      "choices": [{"name": "x" * 100, "value": "x" * 100}] * 2} for n in range(20)]),
    ],
)  # fmt: skip
async def test_words_of_commands_that_discord_would_not_take_are_refused(
    fake: FakeDiscord, part: str, words: Any
) -> None:
    command: Any = {"name": "edit", "description": "Edit", part: words}
    async with running(fake, Client()) as client:
        with pytest.raises(discord.HTTPException) as refused:
            await client.http.bulk_upsert_global_commands(int(fake.application_id), payload=[command])
    assert (refused.value.status, refused.value.code, fake.syncs) == (400, 50035, 0)


async def ignored(interaction: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
    """The refusal is what is looked for."""


async def test_selects_of_each_kind_give_what_was_chosen(fake: FakeDiscord, anna: Person) -> None:
    channel, chosen = fake.guild().channel(), list[list[str]]()
    assert channel.guild
    role = channel.guild.role("Painters")

    class Panel(ui.View):
        @ui.select(cls=ui.Select, placeholder="Who", options=[discord.SelectOption(label="All", value="all")])
        async def who(self, interaction: discord.Interaction[Any], select: ui.Select[Panel]) -> None:
            chosen.append(select.values)
            await interaction.response.defer()

        @ui.select(cls=ui.RoleSelect, placeholder="Roles")
        async def roles(self, interaction: discord.Interaction[Any], select: ui.RoleSelect[Panel]) -> None:
            chosen.append([each.name for each in select.values])
            await interaction.response.edit_message(content="noted")

    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        await (await heard(fake, client)).reply("settings", view=Panel(timeout=None))
        panel = channel.last()
        await (await anna.presses(panel, "Who", choices=["All"])).response()
        await (await anna.presses(panel, "Roles", choices=[role])).response()
    assert (chosen, panel.content) == ([["all"], ["Painters"]], "noted")


async def test_a_file_named_in_the_layout_is_shown_by_its_address(fake: FakeDiscord, anna: Person) -> None:
    channel = fake.guild().channel()

    def layout(name: str) -> ui.LayoutView:
        view = ui.LayoutView(timeout=None)
        gallery = ui.MediaGallery[ui.LayoutView](discord.MediaGalleryItem(f"attachment://{name}"))
        view.add_item(ui.Container(ui.TextDisplay("done"), gallery))
        return view

    async with running(fake, Client()) as client:
        await anna.says(channel, "x", mentions=[fake.bot])
        got = await heard(fake, client)
        sent = await got.channel.send(view=layout("a.png"), file=discord.File(io.BytesIO(picture()), "a.png"))
        with pytest.raises(discord.HTTPException):
            await got.channel.send(view=layout("b.png"), file=discord.File(io.BytesIO(picture()), "a.png"))
    box = sent.components[0]
    assert isinstance(box, discord.Container)
    shown = next(each for each in box.children if isinstance(each, discord.MediaGalleryComponent)).items[0]
    assert shown.media.url.startswith(f"{fake.base_url}/attachments/{channel.id}/")
    assert channel.last().texts() == "done"


async def test_what_changes_in_a_guild_is_known_to_the_library(fake: FakeDiscord, anna: Person) -> None:
    guild = fake.guild()
    channel = guild.channel()
    role = guild.role("Painters")
    async with running(fake, Client()) as client:
        known = client.get_channel(int(channel.id))
        assert isinstance(known, discord.TextChannel)
        channel.deny(fake.bot, Permission.ATTACH_FILES)
        await fake.until(lambda: not known.permissions_for(known.guild.me).attach_files)
        guild.grant(role, Permission.MANAGE_MESSAGES)
        found = known.guild.get_role(int(role.id))
        await fake.until(lambda: found and found.permissions.manage_messages)
        channel.changes(nsfw=True)
        await fake.until(known.is_nsfw)
        channel.delete()
        await fake.until(lambda: client.get_channel(int(channel.id)) is None)
        with pytest.raises(discord.NotFound) as refused:
            await known.send("x")
        guild.kicks(fake.bot)
        await fake.until(lambda: not client.guilds)
    assert refused.value.code == 10003


async def test_voice_and_spoilers_are_told_as_what_they_are(fake: FakeDiscord, anna: Person) -> None:
    dm = fake.dm(anna)
    async with running(fake, Client()) as client:
        await anna.says(dm, voice=b"OggS")
        await anna.says(dm, files=[("cat.png", picture())], spoiler=True)
        await heard(fake, client, 2)
        voice, hidden = (next(each for each in client.got if str(each.id) == said.id) for said in dm.messages())
    assert (voice.attachments[0].is_voice_message(), voice.flags.voice, voice.content) == (True, True, "")
    assert hidden.attachments[0].is_spoiler()


def test_without_the_published_description_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "SPEC", tmp_path / "discord-openapi.json")
    with pytest.warns(UserWarning, match="not at hand"):
        assert schema._spec.__wrapped__() is None


async def test_on_the_page_a_person_speaks_presses_and_sees_what_is_theirs() -> None:
    async with DiscordWithPage() as fake, running(fake, Client()) as client, aiohttp.ClientSession() as session:
        fake.people = [fake.user("Anna"), fake.user("Ben")]
        channel = fake.guild().channel()
        form = aiohttp.FormData({"as": "Anna", "do": "say", "channel": channel.id, "text": fake.bot.mention})
        form.add_field("files", picture(), filename="cat.png")
        assert (await session.post(f"{fake.base_url}/page/do", data=form)).status == 200
        await (await heard(fake, client)).reply("done", view=view_of(("Again", "again")))
        press = {"do": "press", "message": channel.last().id, "custom_id": "again", "channel": channel.id, "as": "Anna"}
        with aiohttp.MultipartWriter("form-data") as body:
            for name, value in press.items():
                body.append(value).set_content_disposition("form-data", name=name)
        pressing = asyncio.create_task(session.post(f"{fake.base_url}/page/do", data=body))
        await fake.until(lambda: client.shown)
        await client.shown[0].response.send_message("for you", ephemeral=True)
        assert (await pressing).status == 200
        seen = [await _words(session, f"{fake.base_url}/page/state?as={name}") for name in ("Anna", "Ben")]
    assert seen == [[fake.bot.mention, "done", "for you"], [fake.bot.mention, "done"]]


async def _words(session: aiohttp.ClientSession, url: str) -> list[str]:
    state = await (await session.get(url)).json()
    return [each["content"] for each in state["places"][0]["messages"]]
