"""What a webhook is, what it still owes its receiver, and what became of each attempt: tables, verbs and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events import Envelope
from shared.identity.permissions import Principal
from shared.store import Row
from shared.store.types import Json, Moment

SCHEDULE: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""How long to wait after each failed attempt: a little over three days, as Standard Webhooks recommends."""
JITTER: Final = 0.1
"""By how much of itself a wait is made longer or shorter, so that what failed together is not tried together."""
MOST_WEBHOOKS: Final = 200
MOST_DEAD: Final = 1000
OVERLAP: Final = timedelta(hours=24)
PING: Final = "concert.metrics.webhook-tested.v1"


class TooManyWebhooks(Refused):
    """There are {there} webhooks, as many as there may be; delete one that is no longer used."""


class WebhookIsDisabled(Refused):
    """This webhook is disabled ({reason}); enable it first."""


class NothingGivenUp(Refused):
    """This webhook has not given up {what}."""


class Webhook(Row, table=True):
    """An address that events are sent to, with the scopes of whoever asked for it."""

    kind: ClassVar[str] = "webhook"

    id: str = Field(primary_key=True)
    version: int = 1
    """Of what was asked for; how far it has come is not counted."""
    url: str
    types: list[str] = Field(default_factory=list, sa_type=Json)
    description: str | None = None
    owner: str
    member: str | None = None
    """Whose token made it, where it was a member's: what is not for members in the stream is not sent either."""
    scopes: list[str] = Field(default_factory=list, sa_type=Json)
    secret: str
    old_secret: str | None = None
    old_secret_until: datetime | None = Field(default=None, sa_type=Moment)
    enabled: bool = True
    disabled_because: str | None = None
    created_at: datetime = Field(sa_type=Moment)
    cursor: str
    """How far it has taken in the log; moves in the transaction that stores what it owes."""
    run: int = 1
    """Counts replays, so that what was delivered before one is delivered again after it."""

    def __repr__(self) -> str:
        return f"Webhook({self.id})"

    @property
    def reader(self) -> Principal:
        """Whom events are filtered for: never more than the token that made the webhook."""
        return Principal(self.owner, frozenset(self.scopes), member=self.member)

    def secrets(self, at: datetime) -> list[str]:
        """What deliveries are signed with; for a while after a rotation the old secret too."""
        old = self.old_secret if self.old_secret_until is not None and at < self.old_secret_until else None
        return [self.secret, *([old] if old is not None else [])]

    def change(self, **fields: Any) -> None:
        """Ask for something else."""
        if any(getattr(self, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(self, name, value)
            self.version += 1

    def rotate(self, secret: str, at: datetime, overlap: timedelta) -> None:
        """Sign with a new secret, and for a while with the old one too."""
        self.old_secret, self.old_secret_until = self.secret, at + overlap
        self.secret = secret
        self.version += 1

    def disable(self, because: str) -> None:
        """Send nothing more; what is owed is kept."""
        if self.enabled:
            self.enabled, self.disabled_because = False, because
            self.version += 1

    def enable(self) -> None:
        """Go on where it was disabled."""
        if not self.enabled:
            self.enabled, self.disabled_because = True, None
            self.version += 1

    def replay(self, cursor: str) -> None:
        """Deliver everything after a cursor again."""
        self.cursor = cursor
        self.run += 1


class OwedEvent(Row, table=True):
    """An event that a webhook has taken in and its receiver has not: waiting for its turn or its time, or given up."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        sa.Index("webhook_event_turn", "webhook", "subject", "sequence"),
        sa.Index("webhook_event_due", "webhook", "dead", "due"),
        sa.Index("webhook_event_subject", "subject"),
    )

    webhook: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    subject: str
    sequence: int
    type: str
    source: str
    time: str
    batch: str | None = None
    trace: str | None = None
    data: bytes | None = None
    run: int
    since: datetime = Field(sa_type=Moment)
    due: datetime = Field(sa_type=Moment)
    attempts: int = 0
    error: str | None = None
    """Why the last attempt failed."""
    dead: bool = False
    """Whether it is given up until somebody asks for it again."""

    @classmethod
    def of(cls, webhook: Webhook, envelope: Envelope, at: datetime) -> Self:
        """An event that is to be sent as soon as those before it on its subject have been."""
        return cls.make(
            webhook=webhook.id,
            event=envelope.id,
            subject=envelope.subject,
            sequence=envelope.version,
            type=envelope.type,
            source=envelope.source,
            time=envelope.time,
            batch=envelope.batch,
            trace=envelope.trace,
            data=envelope.data,
            run=webhook.run,
            since=at,
            due=at,
        )

    @property
    def envelope(self) -> Envelope:
        """The event as it came from the log."""
        return Envelope(
            id=self.event,
            type=self.type,
            subject=self.subject,
            version=self.sequence,
            time=self.time,
            source=self.source,
            data=self.data,
            batch=self.batch,
            trace=self.trace,
        )

    def fail(self, error: str, at: datetime, spread: float, at_least: float = 0) -> None:
        """Wait for the next attempt, or give up after the last; `spread` lies between -1 and 1."""
        self.attempts += 1
        self.error = error
        if self.attempts > len(SCHEDULE):
            self.dead = True
        else:
            seconds = SCHEDULE[self.attempts - 1].total_seconds() * (1 + JITTER * spread)
            self.due = at + timedelta(seconds=max(seconds, at_least))

    def revive(self, at: datetime, run: int) -> None:
        """Try again from the first attempt on."""
        self.dead, self.attempts, self.due, self.run = False, 0, at, run


class Delivery(Row, table=True):
    """One attempt to deliver an event, and what came of it."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (sa.Index("webhook_delivery_event", "webhook", "event"),)

    webhook: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    event: str
    type: str
    subject: str
    sequence: int
    attempt: int
    run: int
    at: datetime = Field(sa_type=Moment)
    outcome: str
    """delivered, failed, given_up, or withheld: what may not be told any more."""
    status: int | None = None
    seconds: float = 0.0
    error: str | None = None


TABLES: Final[Sequence[type[Row]]] = (Webhook, OwedEvent, Delivery)
