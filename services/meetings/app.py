"""The meetings service: how we talk and help."""

from __future__ import annotations

from services.meetings.api.meetings import actions, items, meetings, router, series
from services.meetings.api.requests import requests
from services.meetings.known import subscriptions
from shared.application import Service

service = Service(
    name="meetings",
    description="How we talk and help: meetings with what is on the table, actions, and requests.",
    collections=(series, meetings, items, actions, requests),
    routers=(router,),
    subscriptions=subscriptions,
)
