"""The meetings service: how we talk and help."""

from __future__ import annotations

from services.meetings.api import attendance
from services.meetings.api import meetings as of_meetings
from services.meetings.api import series as of_series
from services.meetings.api.actions import actions
from services.meetings.api.check_ins import check_ins
from services.meetings.api.items import items
from services.meetings.api.meetings import meetings
from services.meetings.api.outcomes import outcomes
from services.meetings.api.requests import requests
from services.meetings.api.series import series
from services.meetings.known import subscriptions
from shared.application import Service

service = Service(
    name="meetings",
    description="How we talk and help: meetings with what is on the table, actions, and requests.",
    collections=(series, meetings, items, outcomes, actions, requests, check_ins),
    routers=(of_series.router, of_meetings.router, attendance.router),
    subscriptions=subscriptions,
)
