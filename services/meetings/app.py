"""The meetings service: how we talk and help."""

from __future__ import annotations

from services.meetings.api import (
    attendance,
    calendar_files,
    calendars,
    double_bookings,
    invitations,
    minutes,
    packs,
    pulse_answers,
    replies,
    reschedule,
    series_invitations,
    several,
)
from services.meetings.api import meetings as of_meetings
from services.meetings.api import series as of_series
from services.meetings.api.actions import actions
from services.meetings.api.check_ins import check_ins
from services.meetings.api.items import items
from services.meetings.api.liaisons import liaisons
from services.meetings.api.meetings import meetings
from services.meetings.api.outcomes import outcomes
from services.meetings.api.pulses import closing, pulses
from services.meetings.api.requests import requests
from services.meetings.api.series import series
from services.meetings.api.templates import templates
from services.meetings.calendar.links import Calendar
from services.meetings.pulse_tokens import PulseAnswer, PulseKey
from services.meetings.reactions import subscriptions
from shared.application import Service

service = Service(
    name="meetings",
    description="How we talk and help: meetings with what is on the table, actions, and requests.",
    collections=(series, templates, meetings, items, outcomes, actions, requests, check_ins, liaisons, pulses),
    routers=(
        *(reschedule.router, several.router, of_series.router, of_meetings.router, attendance.router),
        *(calendars.router, calendar_files.router, invitations.router, minutes.router),
        *(packs.router, pulse_answers.router, double_bookings.router, replies.router, series_invitations.router),
    ),
    tables=(Calendar, PulseKey, PulseAnswer),
    subscriptions=subscriptions,
    background=(closing.for_ever,),
)
