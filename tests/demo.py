"""The demo company with its reviews, in a Concert of a test."""

from __future__ import annotations

from concert.demo import make_demo
from shared.identity.scopes import member_scopes
from shared.instant import now
from tests.world import World, token_headers


async def filled(concert: World) -> None:
    """Fill a Concert with the demo company."""

    def as_member(member: str) -> str:
        headers = token_headers(concert.settings, *member_scopes("sales"), member=member)
        return headers["Authorization"].removeprefix("Bearer ")

    outcome = await make_demo(concert.admin, now().date(), as_member)
    assert outcome.refused == 0
