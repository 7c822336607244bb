"""Are our people trained? Who was to take a course, who took one, and what that cost."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.metrics.facts.trainings import TrainingFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.people import by_belonging, here_at_the_end
from services.metrics.views.values import shown_money, shown_rate

_training = TrainingFact.__table__.c  # type: ignore[attr-defined]
_TRAINED = sa.select(_training.member).distinct().where(_training.completed_on < sa.bindparam("asked"))


def _counted(figure: str, measure: str) -> Compute:
    async def compute(reading: Reading) -> Any:
        return (await reading.flow(measure)).count if by_belonging(reading, figure) else None

    return compute


async def training_coverage(reading: Reading) -> Any:
    """Members with a completed training, of all members, at the end."""
    if not by_belonging(reading, "training_coverage"):
        return None
    asked = reading.question.span.asked

    async def read() -> set[str]:
        return {str(member) for (member,) in await reading.snapshot.rows(_TRAINED, asked=asked)}

    trained: set[str] = await reading.shared("trained", read)
    here = await here_at_the_end(reading)
    if not here:
        reading.note("training_coverage", "nobody works here at the end")
    return shown_rate(sum(each.id in trained for each in here), len(here))


async def training_cost(reading: Reading) -> Any:
    """What the trainings finished in the period cost."""
    if not by_belonging(reading, "training_cost"):
        return None
    return shown_money((await reading.flow("trained")).amount, reading.question.currency)


TRAINING_FIGURES = (
    Figure("trainings_assigned", "Trainings assigned on days of the period, to members of the department or team they "
           "were in then.", _counted("trainings_assigned", "assigned"), "trainings_assigned"),
    Figure("trainings_completed", "Trainings completed on days of the period; of a department those it bears the cost "
           "of.", _counted("trainings_completed", "trained"), "trainings_completed"),
    Figure("training_coverage", "Members here at the end who have completed a training by then ÷ members here.",
           training_coverage, "trained"),
    Figure("training_cost", "Cost of the trainings completed on days of the period; each is an expense of the member's "
           "department of that day.", training_cost, "trainings_completed"),
)  # fmt: skip
