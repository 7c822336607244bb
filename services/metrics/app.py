"""The metrics service: how we are doing, in five views that never disagree."""

from __future__ import annotations

from services.metrics.facts.deals import deals
from shared.application import Service
from shared.consumer import Subscriptions
from shared.events import PEOPLE

subscriptions = Subscriptions("concert.teams", "concert.targets", "concert.meetings", PEOPLE)
subscriptions.keep(deals)
service = Service(
    name="metrics",
    description="How we are doing: the five department views and their consistency.",
    subscriptions=subscriptions,
)
