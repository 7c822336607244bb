"""The meetings service: how we talk and help."""

from __future__ import annotations

from shared.application import Service

service = Service(name="meetings", description="How we talk and help: meetings, their items, and requests.")
