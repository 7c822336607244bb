"""What other services' facts oblige meetings to do: in what departments differ comes on the table of their meeting,
what was said one to one goes with who is erased, and what is decided on a review is carried out."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from services.meetings import decided, known
from services.meetings.domain.check_ins import MemberCheckIn
from services.meetings.domain.items import Item
from services.meetings.domain.meetings import Meeting
from shared.events import Envelope
from shared.events.packs import PackFrozen
from shared.events.reviews import ActionDecided, DecisionWithdrawn
from shared.events.teams import MemberErased
from shared.ids import derived_id
from shared.store import Tx

subscriptions: Final = known.subscriptions
"""What is kept of others, and what is done about it."""
subscriptions.on(ActionDecided)(decided.carry_out)
subscriptions.on(DecisionWithdrawn)(decided.take_back)
_check_in = MemberCheckIn.__table__.c  # type: ignore[attr-defined]
_SAID = sa.select(MemberCheckIn).where(
    sa.or_(_check_in.from_member == sa.bindparam("member"), _check_in.to_member == sa.bindparam("member")),
    _check_in.note.is_not(None),
)


@subscriptions.on(PackFrozen)
async def bring_up_differences(tx: Tx, event: PackFrozen, envelope: Envelope) -> None:
    """Let each difference be a problem on the table of the meeting; what is heard again brings up nothing."""
    meeting = await tx.seek_unlocked(Meeting, event.meeting)
    for each in event.differences if meeting is not None else ():
        item = derived_id(Item.kind, f"{envelope.subject} {each['name']}")
        if await tx.seek(Item, item) is not None:
            continue
        # Without a figure: whoever reads items need not be one who may read the views.
        whose = " and ".join(each["departments"]) or "departments"
        tx.save(*Item.bring_up(
            id=item, externals={}, sort="problem", meeting=event.meeting, raised_on=event.on,
            title=f"{whose.capitalize()} differ: {each['name']}",
            about="Found when the figures of this meeting were frozen; its pack shows them to those who may read both.",
            department=each["departments"][0] if len(each["departments"]) == 1 else None,
        ))  # fmt: skip


@subscriptions.on(MemberErased)
async def forget_what_was_said(tx: Tx, event: MemberErased, envelope: Envelope) -> None:
    """Forget what was said one to one by or to who is erased; that they spoke stays."""
    for each in await tx.all(MemberCheckIn, _SAID, member=envelope.key):
        check_in = await tx.load(MemberCheckIn, each.id)
        tx.save(check_in, check_in.forget())
