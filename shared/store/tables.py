"""The tables that every service has: its journal of events, external ids, kept answers, and what it has applied."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from shared.store.entity import Row
from shared.store.types import Moment


class Journal(Row, table=True):
    """Every event of this service, in the order of its writing; unsent ones are the outbox."""

    __table_args__ = (
        sa.UniqueConstraint("subject", "version"),
        sa.Index("journal_unsent", "seq", sqlite_where=sa.text("sent = 0"), postgresql_where=sa.text("NOT sent")),
    )

    seq: int | None = Field(
        default=None,
        sa_column=sa.Column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    subject: str
    version: int
    id: str
    type: str
    topic: str
    time: str
    batch: str | None = None
    trace: str | None = None
    cause: str | None = None
    data: str | None = None
    sent: bool = False


class External(Row, table=True):
    """What another system calls a thing of ours."""

    kind: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    id: str = Field(index=True)


class KeptAnswer(Row, table=True):
    """The answer given under an Idempotency-Key, to be given again."""

    __tablename__ = "kept_answer"

    owner: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request: str
    status: int
    headers: str
    body: str
    at: datetime = Field(sa_type=Moment, index=True)


class Applied(Row, table=True):
    """The last version of a subject whose event has been applied here, and 8 bytes of each event's id."""

    __table_args__ = (sa.Index("applied_books", "owner", "kind", "shard"),)

    subject: str = Field(primary_key=True)
    owner: str
    kind: str
    version: int = 0
    ids: bytes = b""
    held: int = 0
    """How many of its events wait or are parked."""
    mark: int = Field(default=0, sa_type=sa.BigInteger)
    shard: int = 0


class Position(Row, table=True):
    """How far one partition of the log has been read: the next offset, and the record just before it."""

    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    next_offset: int = Field(default=0, sa_type=sa.BigInteger)
    last_offset: int = Field(default=-1, sa_type=sa.BigInteger)
    last_id: str = ""
    edition: str = ""
    """As which edition of what is heard it was applied, by the last one who keeps editions."""
    heard: int = Field(default=0, sa_type=sa.BigInteger)
    """The next offset when they had applied it: another one has moved it where the two differ."""


class Verified(Row, table=True):
    """How far one partition of a topic that this service writes has been compared with its journal."""

    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    next_offset: int = Field(default=0, sa_type=sa.BigInteger)


class HeldEvent(Row, table=True):
    """An event that cannot be applied yet (a predecessor is missing) or at all (it is parked, with the reason)."""

    __tablename__ = "held_event"

    subject: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    type: str
    source: str
    time: str
    batch: str | None = None
    trace: str | None = None
    data: bytes | None = None
    reason: str | None = None
    """Why it is parked; none while it only waits for its predecessor."""
    since: datetime = Field(sa_type=Moment)


class Discarded(Row, table=True):
    """An event that could not be applied and was given up by hand: by whom, when, and why."""

    subject: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    type: str
    source: str
    time: str
    by: str = ""
    reason: str | None = None
    """Why the loss is accepted; none while nobody has said so."""
    at: datetime = Field(sa_type=Moment)
    lacking: bool = True
    """Whether it is not applied; a rebuild may have been able to, after its fault was mended."""


class Erased(Row, table=True):
    """A subject of which nothing is accepted any more: the log may bring what it said again, long after it has gone."""

    subject: str = Field(primary_key=True)


class BatchProgress(Row, table=True):
    """How many events of a bulk have been applied here."""

    __tablename__ = "batch_progress"

    id: str = Field(primary_key=True)
    applied: int = 0


class SourceProgress(Row, table=True):
    """How much of one owner's events has been applied here, and the latest time they speak of."""

    __tablename__ = "source_progress"

    owner: str = Field(primary_key=True)
    applied: int = Field(default=0, sa_type=sa.BigInteger)
    seen: int = Field(default=0, sa_type=sa.BigInteger)
    skipped: int = 0
    latest: str = ""


class Lease(Row, table=True):
    """Who may do a job of which there must be one doer, and until when by the database's clock."""

    job: str = Field(primary_key=True)
    holder: str
    until: float


KIT_TABLES: tuple[type[Row], ...] = (
    Journal, External, KeptAnswer, Applied, Position, HeldEvent, Erased, BatchProgress, SourceProgress, Lease, Verified,
    Discarded,
)  # fmt: skip
