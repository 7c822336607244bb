"""The four services, in the order in which they are started."""

from __future__ import annotations

from services.meetings.app import service as meetings
from services.metrics.app import service as metrics
from services.targets.app import service as targets
from services.teams.app import service as teams
from shared.application import Service

SERVICES: tuple[Service, ...] = (teams, targets, meetings, metrics)
