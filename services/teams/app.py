"""The teams service: who we are."""

from __future__ import annotations

from shared.application import Service

service = Service(name="teams", description="Who we are: people, teams and groups.")
