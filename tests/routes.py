"""The routes of every service, worked out once: who is forked from a process that has them begins with them."""

from __future__ import annotations

from concert.services import SERVICES

ROUTES = [service.routes for service in SERVICES]
