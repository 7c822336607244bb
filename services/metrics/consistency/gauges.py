"""What Prometheus is told of the certificate: its verdict, how old that is, and how far the views are behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prometheus_client import Gauge

from shared.instant import now

VERDICT = Gauge("concert_certificate_verdict", "1 for the verdict that the certificate gives now", ["verdict"])
LOOKED_AT = Gauge("concert_certificate_looked_at_seconds", "When the verdict was last computed, in Unix time")
VERIFIED_AT = Gauge(
    "concert_certificate_verified_at_seconds",
    "When it was last consistent, or lacked nothing but what somebody has accepted to have lost, in Unix time",
)
ACCEPTED = Gauge(
    "concert_certificate_accepted", "Whether all that is wrong or in doubt follows from losses that somebody accepted"
)
BROKEN = Gauge("concert_certificate_broken_invariants", "Invariants that do not hold", ["class"])
LAG_EVENTS = Gauge("concert_views_lag_events", "Events of an owner that the views do not hold yet", ["owner"])
LAG_SECONDS = Gauge("concert_views_lag_seconds", "Age of the oldest of them that is known of", ["owner"])


def show(certificate: Mapping[str, Any]) -> None:
    """What a certificate says."""
    for verdict in ("consistent", "catching_up", "inconsistent"):
        VERDICT.labels(verdict).set(certificate["verdict"] == verdict)
    LOOKED_AT.set(now().timestamp())
    if certificate["settled_at"]:
        VERIFIED_AT.set(datetime.fromisoformat(certificate["settled_at"]).timestamp())
    ACCEPTED.set(certificate["accepted"])
    for kind in "ABC":
        BROKEN.labels(kind).set(sum(each["class"] == kind and not each["holds"] for each in certificate["invariants"]))
    for owner, line in certificate["owners"].items():
        LAG_EVENTS.labels(owner).set(max(0, line["known"] - line["applied"]))
        LAG_SECONDS.labels(owner).set(line["oldest_unapplied_seconds"])
