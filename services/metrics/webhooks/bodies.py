"""What is sent to `/v1/webhooks` and what it answers with."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from services.metrics.stream.cursor import NOW
from services.metrics.webhooks.addresses import LONGEST
from services.metrics.webhooks.hooks import Delivery, OwedEvent
from shared.http.bodies import Body, Text
from shared.store.types import text_of

Url = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Types = Annotated[list[str], Field(min_length=1, max_length=100)]
_URL_SAYS = "https, on the public internet"
_TYPES_SAY = "by name, or how names begin; `*` for all"


class MakeWebhook(Body):
    """Where events are to be sent, which ones, and from which on. It carries the scopes of the token that makes it."""

    url: Url = Field(examples=["https://tools.example.com/concert"], description=_URL_SAYS)
    types: Types = Field(examples=[["concert.targets.*"]], description=_TYPES_SAY)
    description: Text | None = None
    start: str = Field(default=NOW, alias="from", description="`now`, `beginning`, or a cursor of /v1/events")


class ChangeWebhook(Body):
    """What to change about a webhook; what is not sent stays."""

    url: Url = Field(default="", description=_URL_SAYS)
    types: Types = Field(default_factory=list, description=_TYPES_SAY)
    description: Text | None = None


class Nothing(Body):
    """There is nothing to say."""


class RotateSecret(Body):
    """For how long the old secret is good beside the new one."""

    overlap_hours: int = Field(default=24, ge=0, le=30 * 24)


class Replay(Body):
    """After which cursor everything is delivered again, at most from where the webhook is now."""

    after: str = Field(examples=["beginning"], description="`beginning`, or a cursor of /v1/events")


class Redeliver(Body):
    """Which event that was given up is tried again; all of them if none is named."""

    event: str | None = None


class WebhookShown(BaseModel):
    """A webhook, how far it is, and what it owes."""

    id: str
    url: str
    types: list[str]
    description: str | None
    enabled: bool
    disabled_because: str | None
    scopes: list[str] = Field(description="those of the token that made it; what it sends is filtered by them")
    created_by: str
    created_at: str
    old_secret_until: str | None = Field(description="until when deliveries carry a signature by the old secret too")
    cursor: str = Field(description="how far it has taken in the log")
    waiting: int = Field(description="events that wait for their delivery")
    given_up: int = Field(description="events that are tried again only if somebody asks for it")
    oldest_waiting_since: str | None


class WebhookMade(WebhookShown):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class Redelivered(BaseModel):
    """How many events are tried again."""

    events: int


class TestBegun(BaseModel):
    """The delivery that was begun; `/deliveries?event=` shows what came of it."""

    __test__ = False
    event: str


class DeliveryShown(BaseModel):
    """One attempt to deliver an event. What it is about is left out where the reader may not see it."""

    id: str
    event: str
    type: str | None
    subject: str | None
    sequence: int
    attempt: int
    at: str
    outcome: str = Field(description="delivered, failed, given_up or withheld")
    status: int | None
    seconds: float
    error: str | None


class OwedShown(BaseModel):
    """An event that the receiver has not taken. What it is about is left out where the reader may not see it."""

    event: str
    type: str | None
    subject: str | None
    sequence: int
    since: str
    state: str = Field(description="waiting or given_up")
    attempts: int
    next_attempt_at: str | None
    error: str | None


def delivery_shown(delivery: Delivery, seen: bool) -> dict[str, Any]:
    """An attempt as it is shown."""
    return {
        "id": delivery.id,
        "event": delivery.event,
        "type": delivery.type if seen else None,
        "subject": delivery.subject if seen else None,
        "sequence": delivery.sequence,
        "attempt": delivery.attempt,
        "at": text_of(delivery.at),
        "outcome": delivery.outcome,
        "status": delivery.status,
        "seconds": delivery.seconds,
        "error": delivery.error,
    }


def owed_shown(owed: OwedEvent, seen: bool) -> dict[str, Any]:
    """What is owed as it is shown."""
    return {
        "event": owed.event,
        "type": owed.type if seen else None,
        "subject": owed.subject if seen else None,
        "sequence": owed.sequence,
        "since": text_of(owed.since),
        "state": "given_up" if owed.dead else "waiting",
        "attempts": owed.attempts,
        "next_attempt_at": None if owed.dead else text_of(owed.due),
        "error": owed.error,
    }
