"""The meetings service: how we talk and help."""

from __future__ import annotations

from services.meetings.api import attendance, calendar_files, calendars, pulse_answers, reschedule
from services.meetings.api import meetings as of_meetings
from services.meetings.api import series as of_series
from services.meetings.api.actions import actions
from services.meetings.api.check_ins import check_ins
from services.meetings.api.items import items
from services.meetings.api.meetings import meetings
from services.meetings.api.outcomes import outcomes
from services.meetings.api.pulses import close_pulses, pulses
from services.meetings.api.requests import requests
from services.meetings.api.series import series
from services.meetings.api.templates import templates
from services.meetings.calendar.links import Calendar
from services.meetings.known import subscriptions
from services.meetings.pulse_tokens import PulseAnswer, PulseKey
from shared.application import Service

service = Service(
    name="meetings",
    description="How we talk and help: meetings with what is on the table, actions, and requests.",
    collections=(series, templates, meetings, items, outcomes, actions, requests, check_ins, pulses),
    routers=(
        *(calendars.router, calendar_files.router),
        *(reschedule.router, of_series.router, of_meetings.router, attendance.router),
        pulse_answers.router,
    ),
    tables=(Calendar, PulseKey, PulseAnswer),
    subscriptions=subscriptions,
    background=(close_pulses,),
)
