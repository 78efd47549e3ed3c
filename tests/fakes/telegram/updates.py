"""Updates on their way to the bot: a queue with offsets, for one who asks, or for a webhook that is posted to."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.fakes.telegram.refusals import OTHER_POLLER, WEBHOOK_ACTIVE, Json, Refused, bad

_UNASKED = ("chat_member", "message_reaction", "message_reaction_count")
_FUTURE = 10
"""An offset further behind the end than this is none (tdlib's TQueue): nothing is given, nothing forgotten."""
_ANSWER_S = 60.0
_LONGEST_POLL_S = 50.0


@dataclass(eq=False)
class Update:
    """`lane`: whatever is of one chat goes to a webhook one after the other. `ends_batch`: what follows comes with
    another answer. `stubborn`: it is given once more although it was acknowledged."""

    id: int
    raw: Json = field(repr=False)
    lane: int = 0
    ends_batch: bool = False
    stubborn: bool = False


@dataclass
class Webhook:
    url: str
    secret: str = ""
    max_connections: int = 40
    last_error: str = ""
    last_error_at: int = 0


class Updates:
    """`changed` is called whenever something was taken. `retry_s` is the first wait after an answer that is no 2xx."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.pending: list[Update] = []
        self.next_id = random.randint(2_000_001, 2**30)
        self.allowed: list[str] = []
        self.webhook: Webhook | None = None
        self.retry_s = 1.0
        self.longest_retry_s = 60.0
        self.polls = 0
        self._changed = changed
        self._poller: asyncio.Future[None] | None = None
        self._posting: asyncio.Task[None] | None = None
        self._more = asyncio.Event()

    def push(self, kind: str, what: Json, *, lane: int = 0) -> Update | None:
        allowed = kind in self.allowed if self.allowed else kind not in _UNASKED
        return self.push_raw({kind: what}, lane=lane) if allowed else None

    def push_raw(self, raw: Json, *, lane: int = 0) -> Update:
        """Whatever it is. Without an id it gets the next one."""
        if "update_id" not in raw:
            raw = {"update_id": self.next_id} | raw
            self.next_id += 1
        made = Update(raw["update_id"], raw, lane)
        self.pending.append(made)
        self._wake()
        return made

    def push_again(self, update: Update) -> None:
        """The very same once more, whatever was acknowledged."""
        self.pending.insert(0, Update(update.id, update.raw, update.lane, stubborn=True))
        self._wake()

    def _wake(self) -> None:
        if self._poller and not self._poller.done():
            self._poller.set_result(None)
        self._more.set()

    def allow(self, kinds: Sequence[str] | None) -> None:
        if kinds is not None:
            self.allowed = list(kinds)

    # --- asked for

    async def poll(self, offset: int, limit: int, timeout_s: float) -> list[Json]:
        if self.webhook:
            raise Refused(409, WEBHOOK_ACTIVE)
        if self._poller and not self._poller.done():
            self._poller.set_exception(Refused(409, OTHER_POLLER))
        self.polls += 1
        offset = self._begin(offset)
        found = self._from(offset, limit)
        if not found and timeout_s > 0:
            self._poller = waiting = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(min(timeout_s, _LONGEST_POLL_S)):
                    await waiting
            except TimeoutError:
                pass
            finally:
                if self._poller is waiting:
                    self._poller = None
            found = self._from(offset, limit)
        for each in found:
            if each.stubborn:
                self.pending.remove(each)
        self._changed()
        return [each.raw for each in found]

    def _begin(self, offset: int) -> int:
        """Forget what is below it."""
        if offset < 0:
            ids = [each.id for each in self.pending]
            offset = ids[max(0, len(ids) + offset)] if ids else self.next_id
        if offset == 0 or offset > self.next_id + _FUTURE:
            return offset
        self.pending = [each for each in self.pending if each.id >= offset or each.stubborn]
        return offset

    def _from(self, offset: int, limit: int) -> list[Update]:
        found: list[Update] = []
        for each in self.pending:
            if each.id >= offset or each.stubborn:
                found.append(each)
                if each.ends_batch or len(found) == limit:
                    break
        return found

    # --- posted

    def set_webhook(self, url: str, *, secret: str, max_connections: int) -> None:
        local = re.match(r"http://(127\.0\.0\.1|localhost)[:/]", url)
        if url and not local and not url.startswith("https://"):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad("secret token contains unallowed characters")
        if not 1 <= max_connections <= 100:
            raise bad("max_connections must be between 1 and 100")
        if self._poller and not self._poller.done():
            self._poller.set_exception(Refused(409, "terminated by setWebhook request"))
        self.webhook = Webhook(url, secret, max_connections) if url else None
        if self._posting:
            self._posting.cancel()
            self._posting = None
        if self.webhook:
            self._posting = asyncio.create_task(self._post_all(self.webhook))

    def info(self) -> Json:
        hook = self.webhook
        told: Json = {"url": hook.url if hook else "", "has_custom_certificate": False}
        told["pending_update_count"] = len(self.pending)
        if hook:
            told |= {"max_connections": hook.max_connections, "ip_address": "127.0.0.1"}
            if hook.last_error:
                told |= {"last_error_message": hook.last_error, "last_error_date": hook.last_error_at}
        return told | ({"allowed_updates": self.allowed} if self.allowed else {})

    async def _post_all(self, hook: Webhook) -> None:
        """One after the other for each chat, several chats at once."""
        room = asyncio.Semaphore(hook.max_connections)
        lanes: dict[int, asyncio.Task[None]] = {}
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            while True:
                self._more.clear()
                for each in list(self.pending):
                    if each.lane not in lanes or lanes[each.lane].done():
                        lanes[each.lane] = group.create_task(self._lane(session, hook, room, each.lane))
                await self._more.wait()

    async def _lane(self, session: aiohttp.ClientSession, hook: Webhook, room: asyncio.Semaphore, lane: int) -> None:
        wait_s = self.retry_s
        while update := next((each for each in self.pending if each.lane == lane), None):
            async with room:
                again_s = await self._post(session, hook, update)
            if again_s is None:
                wait_s = self.retry_s
                if update in self.pending:
                    self.pending.remove(update)
                self._changed()
                continue
            await asyncio.sleep(again_s or wait_s)
            wait_s = min(wait_s * 2, self.longest_retry_s)

    async def _post(self, session: aiohttp.ClientSession, hook: Webhook, update: Update) -> float | None:
        """None once it was taken; otherwise how long the server wishes to be left alone (0: it does not say)."""
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret
        told = json.dumps(update.raw).encode()
        try:
            timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
            async with session.post(hook.url, data=told, headers=headers, timeout=timeout) as answer:
                await answer.read()
                if 200 <= answer.status < 300:
                    return None
                said = f"Wrong response from the webhook: {answer.status} {answer.reason}"
                after = answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            said, after = f"Connection failed: {type(error).__name__}", ""
        hook.last_error, hook.last_error_at = said, int(time.time())
        self._changed()
        return min(float(after), 3600.0) if after.isdigit() else 0.0

    async def close(self) -> None:
        if self._poller and not self._poller.done():
            self._poller.cancel()
        if self._posting:
            self._posting.cancel()
            await asyncio.gather(self._posting, return_exceptions=True)
