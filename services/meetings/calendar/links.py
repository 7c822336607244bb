"""Calendars: secret links by which a calendar program follows the meetings of a member, a team or a series.

Of the key in a link only a hash is kept, so that nobody can read the links of others out of the store.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.ids import new_id
from shared.store import Row
from shared.store.types import Moment

MOST_CALENDARS: Final = 50


class TooManyCalendars(Refused):
    """There are {there} calendars of yours, as many as there may be; delete one that is no longer followed."""


class Calendar(Row, table=True):
    """A secret link to the meetings of a member, a team or a series."""

    kind: ClassVar[str] = "calendar"

    id: str = Field(primary_key=True)
    version: int = 1
    """Of what the link is; who follows it is not counted."""
    owner: str = Field(index=True)
    """Who made it."""
    member: str | None = Field(default=None, index=True)
    team: str | None = None
    series: str | None = Field(default=None, index=True)
    key: str = Field(index=True)
    """A hash of the key."""
    made_at: datetime = Field(sa_type=Moment)
    rotated_at: datetime | None = Field(default=None, sa_type=Moment)

    @classmethod
    def make_link(cls, key: str, **fields: Any) -> Self:
        """A calendar whose link has this key."""
        return cls.make(id=new_id("cal"), key=hash_of(key), **fields)

    def rotate(self, key: str, at: datetime) -> None:
        """Let another key lead here, and the one before no more."""
        self.key, self.rotated_at = hash_of(key), at
        self.version += 1

    def opens(self, key: str) -> bool:
        """Whether this key leads here."""
        return secrets.compare_digest(self.key, hash_of(key))

    def link(self, origin: str, key: str) -> str:
        """The address that a calendar program follows."""
        place = f"series/{self.series}" if self.series else f"calendars/{self.id}"
        return f"{origin}/v1/{place}/calendar.ics?key={key}"


def new_key() -> str:
    """A key that nobody guesses."""
    return secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32, person=b"concert calendar").hexdigest()
