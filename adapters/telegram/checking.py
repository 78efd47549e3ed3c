"""What an operator wants to know of a bot on Telegram: as whom it is signed in, and whether what people write reaches
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.telegram.polling import CONFLICT
from adapters.telegram.ports import Me, SetAside

if TYPE_CHECKING:
    from adapters.telegram.account import TelegramAccount


@dataclass(frozen=True, slots=True)
class Standing:
    """`webhook` is the address that Telegram calls, empty where it is asked; `waiting` is what it holds for us, and
    `trouble` what it says of the last call that failed. `conflict`: another program was seen to take what is ours.
    `aside` are the updates that could not be read."""

    me: Me
    webhook: str = ""
    waiting: int = 0
    trouble: str = ""
    conflict: bool = False
    aside: Sequence[SetAside] = ()


async def ask(account: TelegramAccount) -> Standing:
    """Raises the errors of `adapters.telegram.errors`, and what the stores raise."""
    me = await account.api.me()
    info: Any = await account.api.call("getWebhookInfo", {})
    return Standing(
        me,
        webhook=str(info.get("url") or ""),
        waiting=int(info.get("pending_update_count") or 0),
        trouble=str(info.get("last_error_message") or ""),
        conflict=bool(await account.stores.own.noted(CONFLICT)),
        aside=await account.stores.inbox.aside(me.id),
    )
