"""Where somebody wrote of late, and the bot may read: out of what a server says of itself when a session begins.

Direct messages are in no such list: Discord does not say which there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

TALKED_S = 3 * 3600.0
"""How far back that is."""
_ADMINISTRATOR, _VIEW, _HISTORY, _CONNECT = 1 << 3, 1 << 10, 1 << 16, 1 << 20
_VOICE = {2, 13}
_WITH_MESSAGES = {0, 5, 10, 11, 12} | _VOICE
"""Types of channels. The newest "message" of a forum is a thread."""


def talked_in(server: Mapping[str, Any], own_id: int | None, *, after: int) -> Mapping[int, int]:
    """Channels and threads → the id of the newest message there, where that is above `after`. `server` is the payload
    of GUILD_CREATE."""
    own = _own_roles(server, own_id)
    everywhere = _of_roles(server, own, own_id)
    channels = {str(each["id"]): each for each in server.get("channels", ())}
    found: dict[int, int] = {}
    for each in (*channels.values(), *server.get("threads", ())):
        newest = int(each.get("last_message_id") or 0)
        if newest > after and each["type"] in _WITH_MESSAGES:
            # A thread has its channel's overwrites.
            where = each if "permission_overwrites" in each else channels.get(str(each.get("parent_id")), {})
            if _reads(_overwritten(where.get("permission_overwrites", ()), everywhere, own, str(server["id"])), each):
                found[int(each["id"])] = newest
    return found


def _own_roles(server: Mapping[str, Any], own_id: int | None) -> frozenset[str]:
    """And the bot's own id: it can have overwrites as well."""
    mine = [each for each in server.get("members", ()) if str(each["user"]["id"]) == str(own_id)]
    return frozenset({str(own_id), *(str(role) for each in mine for role in each.get("roles", ()))})


def _of_roles(server: Mapping[str, Any], own: frozenset[str], own_id: int | None) -> int:
    if str(server.get("owner_id")) == str(own_id):
        return ~0
    found = 0
    for each in server.get("roles", ()):
        if str(each["id"]) in own or str(each["id"]) == str(server["id"]):  # everybody's role has the server's id
            found |= int(each["permissions"])
    return ~0 if found & _ADMINISTRATOR else found


def _overwritten(overwrites: Iterable[Mapping[str, Any]], may: int, own: frozenset[str], everybody: str) -> int:
    """As Discord computes it: everybody's, then those of all roles together, then the member's own."""
    if may == ~0:
        return may
    of_roles_allow = of_roles_deny = allow = deny = 0
    for each in overwrites:
        allowed, denied = int(each.get("allow", 0)), int(each.get("deny", 0))
        if str(each["id"]) == everybody:
            may = (may & ~denied) | allowed
        elif str(each["id"]) not in own:
            continue
        elif int(each.get("type", 0)) == 1:
            allow, deny = allowed, denied
        else:
            of_roles_allow, of_roles_deny = of_roles_allow | allowed, of_roles_deny | denied
    may = (may & ~of_roles_deny) | of_roles_allow
    return (may & ~deny) | allow


def _reads(may: int, channel: Mapping[str, Any]) -> bool:
    needed = _VIEW | _HISTORY | (_CONNECT if channel["type"] in _VOICE else 0)
    return may & needed == needed
