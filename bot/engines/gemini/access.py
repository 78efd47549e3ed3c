"""The way to the API: whose it is and where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,80}", re.ASCII)
_LOCATION = re.compile(r"[a-z][a-z0-9-]{0,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A project on Google Cloud. Who we are is what Google's own libraries find on this machine."""

    project: str
    location: str = "global"

    def __post_init__(self) -> None:
        if not _PROJECT.fullmatch(self.project):
            raise ValueError("Google Cloud needs the id of a project, such as my-project-123.")
        if not _LOCATION.fullmatch(self.location):
            raise ValueError('A location on Google Cloud is named like "global" or "europe-west4".')


@dataclass(frozen=True, slots=True)
class Access:
    """A key for the Developer API or, with `enterprise`, a project on Google Cloud. `base_url` is where the API
    stands, None for Google's own."""

    api_key: str = field(default="", repr=False)
    enterprise: Enterprise | None = None
    base_url: str | None = None
