"""What other services' facts oblige targets to do: what a training cost is an expense."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from services.targets import known
from services.targets.domain.expenses import Expense
from services.targets.spending import room_on
from shared.events import Envelope
from shared.events.trainings import TrainingCompleted, TrainingCorrected
from shared.ids import derived_id
from shared.store import Tx

subscriptions: Final = known.subscriptions
"""What is kept of others, and what is done about it."""
TRAINING: Final = "training"
_expense = Expense.__table__.c  # type: ignore[attr-defined]
_CAUSED = sa.select(Expense).where(_expense.cause == sa.bindparam("cause"))


@subscriptions.on(TrainingCompleted)
@subscriptions.on(TrainingCorrected)
async def bear_the_cost(tx: Tx, event: TrainingCompleted | TrainingCorrected, envelope: Envelope) -> None:
    """Let what a training cost be an expense of its member's department; a correction takes the place of the one
    before."""
    earlier = await tx.all(Expense, _CAUSED, cause=envelope.subject)
    # What is heard again, because the log is read anew, has had its effect already.
    if any(each.cause_version is not None and each.cause_version >= envelope.version for each in earlier):
        return
    for each in earlier:
        expense = await tx.load(Expense, each.id)
        tx.save(expense, expense.give_way())
    cost = event.cost
    if cost is None:
        return
    room = await room_on(tx, event.department, event.on, cost)
    followed = Expense.follow(
        envelope.subject, envelope.version, department=event.department, spent_for=TRAINING, amount=cost, on=event.on,
        room=room, id=derived_id(Expense.prefix, envelope.id), externals={},
    )  # fmt: skip
    tx.save(*followed)
