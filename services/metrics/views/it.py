"""Do we help each other, and is the information sound? Requests between departments, and the state of the data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.metrics.views.frame import Figure, Reading, View
from services.metrics.views.hr import not_recorded
from services.metrics.views.values import mean, shown_rate
from shared.instant import now
from shared.store.tables import HeldEvent, SourceProgress
from shared.store.types import moment_of

_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_ALONG = ("department", "kind")
SECONDS_PER_HOUR = 3600


def _unsplit(reading: Reading, figure: str) -> bool:
    if set(reading.filters) - set(_ALONG) or len(reading.filters) > 1:
        reading.note(figure, "requests are counted by department or by kind")
        return True
    return False


async def requests_opened(reading: Reading) -> Any:
    """Asked in the period."""
    return None if _unsplit(reading, "requests_opened") else (await reading.flow("asked")).count


async def requests_resolved(reading: Reading) -> Any:
    """Resolved in the period."""
    return None if _unsplit(reading, "requests_resolved") else (await reading.flow("resolved")).count


async def requests_open(reading: Reading) -> Any:
    """Open at the end."""
    if _unsplit(reading, "requests_open"):
        return None
    asked, resolved, reopened = [(await reading.stock(name)).count for name in ("asked", "resolved", "reopened")]
    return asked - resolved + reopened


async def reopened(reading: Reading) -> Any:
    """Reopened in the period."""
    return None if _unsplit(reading, "reopened") else (await reading.flow("reopened")).count


async def resolved_on_time(reading: Reading) -> Any:
    """Resolved by the day promised."""
    if _unsplit(reading, "resolved_on_time"):
        return None
    kept, missed = (await reading.flow("kept")).count, (await reading.flow("missed")).count
    if kept + missed == 0:
        reading.note("resolved_on_time", "no request that had a promise was resolved in the period")
    return shown_rate(kept, kept + missed)


async def time_to_resolve(reading: Reading) -> Any:
    """Mean hours to resolve."""
    if _unsplit(reading, "time_to_resolve"):
        return None
    resolved = await reading.flow("resolved")
    if not resolved.count:
        reading.note("time_to_resolve", "no request was resolved in the period")
    return mean(resolved.took, resolved.count * SECONDS_PER_HOUR)


async def requests_from_sales(reading: Reading) -> Any:
    """Asked of IT by sales in the period."""
    if reading.filters:
        reading.note("requests_from_sales", "it is counted over all requests from sales to IT")
        return None
    return (await reading.measured_along("pair", "sales>it", "asked")).count


async def source_age(reading: Reading) -> Any:
    """Age of each source, in seconds."""
    present = now()
    rows = await reading.snapshot.all(SourceProgress, sa.select(SourceProgress))
    return {row.owner: round((present - moment_of(row.latest)).total_seconds(), 3) for row in rows if row.latest}


async def parked(reading: Reading) -> Any:
    """Events that could not be applied."""
    select = sa.select(sa.func.count()).select_from(HeldEvent).where(_held.reason.is_not(None))
    return int(await reading.snapshot.scalar(select))


async def lag(reading: Reading) -> Any:
    """Events that wait for a predecessor."""
    select = sa.select(sa.func.count()).select_from(HeldEvent).where(_held.reason.is_(None))
    return int(await reading.snapshot.scalar(select))


VIEW = View(
    "it",
    (
        Figure("requests_opened", "Requests made on days of the period, to the department or of the kind asked about.",
               requests_opened, "requests"),
        Figure("requests_open", "Requests made and not resolved at the end.", requests_open, "requests_open"),
        Figure("requests_resolved", "Resolutions of requests on days of the period.", requests_resolved, "requests"),
        Figure("resolved_on_time", "Resolutions by the day promised ÷ resolutions of requests that had a promise.",
               resolved_on_time, "requests"),
        Figure("reopened", "Requests reopened on days of the period.", reopened, "requests"),
        Figure("time_to_resolve", "Mean hours from asking, or reopening, to resolving.", time_to_resolve,
               "requests"),
        Figure("requests_from_sales", "Requests from the sales department to IT made on days of the period.",
               requests_from_sales, "requests"),
        Figure("joiners_waiting", "Joiners waiting for their equipment.",
               not_recorded("joiners_waiting", "pieces of equipment")),
        Figure("source_age", "For each owner, seconds since the latest event that the views hold.", source_age),
        Figure("imports", "Imports that are running.", not_recorded("imports", "imports")),
        Figure("parked", "Events that could not be applied and wait for somebody.", parked),
        Figure("lag", "Events that wait here for a predecessor.", lag),
    ),
)  # fmt: skip
