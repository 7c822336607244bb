"""Do we help each other, and is the information sound? Requests between departments, and the state of the data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.metrics.domain.imports import ImportRun
from services.metrics.views.frame import Figure, Reading, View
from services.metrics.views.request_figures import REQUEST_FIGURES
from services.metrics.views.talks import PROBLEM_FIGURES
from services.metrics.views.workplace import EQUIPMENT_OUT, EQUIPMENT_TO_RETURN, JOINERS_WAITING
from shared.identity.scopes import DEPARTMENTS
from shared.instant import now
from shared.store.tables import HeldEvent, SourceProgress
from shared.store.types import moment_of

_held, _run = HeldEvent.__table__.c, ImportRun.__table__.c  # type: ignore[attr-defined]
_LAST_IMPORTS = (
    sa.select(_run.source, sa.func.max(_run.ended_at)).where(_run.complete).group_by(_run.source).order_by(_run.source)
)


async def source_age(reading: Reading) -> Any:
    """Age of each source, in seconds."""
    present = now()
    rows = await reading.snapshot.all(SourceProgress, sa.select(SourceProgress))
    return {row.owner: round((present - moment_of(row.latest)).total_seconds(), 3) for row in rows if row.latest}


async def view_age(reading: Reading) -> Any:
    """Age of the latest event that the views hold, in seconds: all of them move in one transaction."""
    ages = await source_age(reading)
    return dict.fromkeys(DEPARTMENTS, min(ages.values())) if ages else None


async def imports(reading: Reading) -> Any:
    """Age of the last whole import of each source, in seconds."""
    rows = await reading.snapshot.rows(_LAST_IMPORTS)
    if not rows:
        reading.note("imports", "no import has been told of at /v1/imports")
        return None
    present = now()
    return {source: round((present - ended).total_seconds(), 3) for source, ended in rows}


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
        *REQUEST_FIGURES,
        JOINERS_WAITING,
        EQUIPMENT_OUT,
        EQUIPMENT_TO_RETURN,
        *PROBLEM_FIGURES,
        Figure("source_age", "For each owner, seconds since the latest event that the views hold.", source_age,
               opens="the events themselves are at /v1/events"),
        Figure("view_age", "For each view, seconds since the latest event that it holds; all five are moved together.",
               view_age, opens="what is on its way to them is at /v1/consistency"),
        Figure("imports", "For each system that is imported from, seconds since the last import that went to its end.",
               imports, opens="each run is at /v1/imports"),
        Figure("parked", "Events that could not be applied and wait for somebody.", parked,
               opens="they are at /v1/parked"),
        Figure("lag", "Events that wait here for a predecessor.", lag, opens="they are at /v1/parked"),
    ),
    kinds_of="asked",
)  # fmt: skip
