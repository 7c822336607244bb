"""Who goes leaves customers and open deals behind: the leader of the team is to see that they are handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from services.teams.domain.duties import Duty
from services.teams.domain.members import Member
from services.teams.domain.teams import Team
from shared.ids import new_id
from shared.membership import on_day
from shared.store import Tx

SALES: Final = "sales"
WITHIN: Final = timedelta(days=14)


async def let_hand_over(tx: Tx, member: Member, teams: Sequence[str], on: date) -> None:
    """Give the leaders of the sales teams that a member leaves the duty to have their customers handed over."""
    for team in [await tx.get(Team, each) for each in teams]:
        if team.department != SALES or team.leader in (None, member.id):
            continue
        leader = await tx.get(Member, team.leader)
        if not on_day(leader.employments, on):
            continue
        about = f"What is still with who went stands in /v1/handovers?member={member.id}, and is handed over there."
        assigned = Duty.assign(
            id=new_id(Duty.prefix), title="Hand over customers and open deals", about=about, member=leader.id,
            on=on, due=on + WITHIN, department=leader.position(on)["department"], team=team.id,
        )  # fmt: skip
        tx.save(*assigned)
