"""What Prometheus is told of webhooks."""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter("concert_webhook_attempts_total", "Attempts to deliver an event, by what came of them", ["outcome"])
SECONDS = Histogram("concert_webhook_attempt_seconds", "Time until a receiver has answered, or was given up")
WAITING = Gauge("concert_webhook_waiting_events", "Events that a webhook has taken in and not delivered", ["webhook"])
LAG = Gauge("concert_webhook_lag_seconds", "Age of the oldest event that waits for its delivery", ["webhook"])


def show(webhook: str, waiting: int, seconds: float) -> None:
    """How much of a webhook waits, and for how long the oldest of it has."""
    WAITING.labels(webhook).set(waiting)
    LAG.labels(webhook).set(seconds)


def forget(webhook: str) -> None:
    """Say nothing more of a webhook that is not at work here."""
    for gauge in (WAITING, LAG):
        with suppress(KeyError):
            gauge.remove(webhook)
