"""The demo company with its reviews, in a Concert of a test."""

from __future__ import annotations

from concert.cli import members_of
from concert.demo import make_demo
from shared.instant import now
from tests.world import World


async def filled(concert: World) -> None:
    """Fill a Concert with the demo company."""
    outcome = await make_demo(concert.admin, now().date(), members_of(concert.settings))
    assert outcome.refused == 0
