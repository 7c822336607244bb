"""What an identity tool says of somebody in its own words, beside what teams makes of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Field

from shared.store import Row


class Entry(Row, table=True):
    """A member or a team in the directory of an identity tool; what is personal in it goes with the person."""

    __tablename__ = "directory_entry"
    __table_args__ = (sa.Index("directory_entry_user", "user_key", unique=True),)

    id: str = Field(primary_key=True)
    """The member's or the team's."""
    user_name: str | None = None
    user_key: str | None = None
    """The user name as it is compared: two that differ in capitals only are one."""
    given_name: str | None = None
    family_name: str | None = None
    formatted: str | None = None
    told_name: str | None = None
    """The name that these parts were told with; when it has been corrected here since, they are out of date."""
    gone: bool = False
    """Whether the tool has taken it out of the directory; the member or the team is still known here."""


def compared(user_name: str) -> str:
    """A user name as it is compared with others."""
    return user_name.strip().casefold()
