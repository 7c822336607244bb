"""Facts and their effects in another service: what a training cost, and the expense that follows from it.

Between the two is a log, so an effect may be on its way. What is on its way is listed, and left = right + pending holds
all the time. Only its owner can prove that an effect is missing: it has applied the cause, and there is none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa

from services.metrics.consistency.sides import Side, added
from services.metrics.facts.money import ExpenseFact
from services.metrics.facts.trainings import TrainingFact
from services.metrics.views.values import Amounts
from shared.money import Money
from shared.store import Snapshot
from shared.store.tables import Applied

MOST_ASKED = 20
"""Of so many that are pending the owner is asked at a time, the oldest first."""
_expense = ExpenseFact.__table__.c  # type: ignore[attr-defined]
_training = TrainingFact.__table__.c  # type: ignore[attr-defined]
_applied = Applied.__table__.c  # type: ignore[attr-defined]
_CAUSE = sa.literal("training/", sa.Text).concat(_training.id)
_STANDS = sa.and_(_expense.cause.is_not(None), _expense.reversed_on.is_(None))
_COSTS = _training.cost != 0
_SAME = sa.and_(
    _expense.cause == _CAUSE,
    _expense.amount == _training.cost,
    _expense.currency == _training.currency,
    _expense.spent_on == _training.completed_on,
    _expense.department == _training.borne_by,
    _expense.reversed_on.is_(None),
)
_WITHOUT_EXPENSE = (
    sa.select(_CAUSE, _training.currency, _training.cost, _training.completed_on)
    .where(_COSTS, ~sa.exists().where(_SAME).correlate(TrainingFact.__table__))  # type: ignore[attr-defined]
    .order_by(_training.completed_on, _training.id)
)
_WITHOUT_TRAINING = (
    sa.select(_expense.cause, _expense.currency, -_expense.amount, _expense.spent_on)
    .where(_STANDS, ~sa.exists().where(_SAME).correlate(ExpenseFact.__table__))  # type: ignore[attr-defined]
    .order_by(_expense.spent_on, _expense.id)
)
_VERSIONS = sa.select(_applied.subject, _applied.version)
_TRAININGS = sa.select(TrainingFact)
Get = Callable[..., Awaitable[httpx.Response]]
"""Ask a neighbour: `get(service, path, wait=0, **query)`; raises httpx.HTTPError."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Something whose effect is not here yet, or an effect whose cause is not, or not any more."""

    cause: str
    version: int
    """Of the cause, as far as it is known here."""
    amount: Money
    """By how much the left is more than the right because of it."""
    expected: Mapping[str, Any] | None
    """What the effect of the cause must be; none if there must be none."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A fact in one service, and what must follow from it in another."""

    name: str
    left: str
    right: str
    left_value: Side
    right_value: Side
    pending: Callable[[Snapshot], Awaitable[list[Pending]]]
    is_missing: Callable[[Get, Pending], Awaitable[bool]]
    """Whether the owner proves that what is pending will never come; raises httpx.HTTPError when it does not answer."""


async def _pending_expenses(snapshot: Snapshot) -> list[Pending]:
    found = [*await snapshot.rows(_WITHOUT_EXPENSE), *await snapshot.rows(_WITHOUT_TRAINING)]
    if not found:
        return []
    found.sort(key=lambda each: (str(each[3]), str(each[0]), int(each[2])))
    # Only about the oldest is more said than that they are pending.
    oldest = list(dict.fromkeys(str(cause) for cause, *_ in found))[:MOST_ASKED]
    versions = {str(subject): int(version) for subject, version in
                await snapshot.rows(_VERSIONS.where(_applied.subject.in_(oldest)))}  # fmt: skip
    ids = [cause.partition("/")[2] for cause in oldest]
    trainings = await snapshot.all(TrainingFact, _TRAININGS.where(_training.id.in_(ids)))
    expected = {f"training/{each.id}": _expense_of(each) for each in trainings if each.cost}
    return [
        Pending(cause, versions.get(cause, 0), Money.of_minor(int(minor), currency), expected.get(cause))
        for cause, currency, minor, _ in found
    ]


def _expense_of(training: TrainingFact) -> dict[str, Any]:
    return {
        "department": training.borne_by,
        "amount": Money.of_minor(training.cost, training.currency).as_json(),
        "on": training.completed_on.isoformat() if training.completed_on else None,
    }


async def _expense_is_missing(get: Get, pending: Pending) -> bool:
    """Whether targets knows a training as it is here, nothing happened to it since, and yet its expense is not so."""
    expenses = await get(
        "targets", "/v1/expenses", wait=0, cause=pending.cause, after=f"{pending.cause}@{pending.version}", limit=200
    )  # fmt: skip
    if expenses.status_code != 200:
        return False
    standing = [each for each in expenses.json()["items"] if each["reversed_on"] is None]
    if [{name: each[name] for name in pending.expected or ()} for each in standing] == (
        [pending.expected] if pending.expected else []
    ):
        return False
    # What has been corrected since may have its effect already: then nothing is proven of this version.
    training = await get("teams", f"/v1/trainings/{pending.cause.partition('/')[2]}")
    return bool(training.headers.get("ETag") == f'"{pending.version}"')


EFFECTS: Sequence[Effect] = (
    Effect(
        "training cost in hr = expense in accounting",
        "what finished trainings cost, one by one",
        "expenses that follow from a training, and what is pending",
        added(_training.currency, _training.cost, _COSTS),
        added(_expense.currency, _expense.amount, _STANDS),
        _pending_expenses,
        _expense_is_missing,
    ),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides of an effect in one snapshot, and what is pending between them."""

    effect: Effect
    left: Amounts
    right: Amounts
    pending: Sequence[Pending]

    @property
    def difference(self) -> Amounts:
        """What pending effects do not explain: nothing, or it is wrong."""
        pending = (Amounts({each.amount.currency: each.amount.minor}) for each in self.pending)
        return self.left - self.right - Amounts.total(pending)

    def doubt(self) -> str:
        """What is pending, in a sentence; with what waits longest."""
        first = self.pending[0]
        return f"{len(self.pending)} effects are pending: {self.effect.name}, {first.cause} with {first.amount}"

    def line(self) -> dict[str, Any]:
        """The comparison as a line of the certificate."""
        return {
            "name": self.effect.name,
            "class": "B",
            "left": self.effect.left,
            "right": self.effect.right,
            "left_value": _shown(self.left),
            "right_value": _shown(self.right),
            "difference": _shown(self.difference),
            "holds": not self.difference,
            "pending": [{"cause": each.cause, "amount": each.amount.as_json()} for each in self.pending[:100]],
        }


async def compare_effects(snapshot: Snapshot) -> list[Compared]:
    """Every fact and its effect, in one snapshot."""
    return [
        Compared(
            effect, await _amounts(effect.left_value, snapshot), await _amounts(effect.right_value, snapshot),
            await effect.pending(snapshot),
        )
        for effect in EFFECTS
    ]  # fmt: skip


async def proven_missing(compared: Sequence[Compared], get: Get) -> list[str]:
    """Of what is pending, what its owner has proven never to come: it knows the cause, and the effect is not so."""
    wrong = []
    for each in compared:
        asked = {pending.cause: pending for pending in each.pending if pending.version}
        for pending in list(asked.values())[:MOST_ASKED]:
            if await each.effect.is_missing(get, pending):
                cause = f"{pending.cause}@{pending.version}"
                wrong.append(
                    f"{each.effect.name}: {cause} is known where its effect belongs, and has none that is right"
                )
    return wrong


async def _amounts(side: Side, snapshot: Snapshot) -> Amounts:
    value = await side(snapshot)
    assert isinstance(value, Amounts)
    return value


def _shown(amounts: Amounts) -> list[dict[str, str]]:
    return [Money.of_minor(minor, currency).as_json() for currency, minor in amounts]
