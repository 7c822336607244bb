"""What has to be settled before a Concert of a test reviews anybody."""

from __future__ import annotations

from typing import Any

from tests.world import World

WHOLE: dict[str, Any] = {
    "purpose": "Reviews help teams to work together, and are no grounds for pay.", "assessment": "in the safe",
    "assessed_on": "2026-01-05", "consulted_on": "2026-01-06", "told_on": "2026-01-07",
}  # fmt: skip


async def switched_on(concert: World) -> None:
    """Let reviews be held."""
    await concert.made("/v1/review-charters", WHOLE)
