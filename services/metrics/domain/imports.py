"""Imports: each run in which somebody brought in what another system holds, as who ran it tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.imports import ImportEnded
from shared.store import Entity
from shared.store.types import Moment

AHEAD: Final = timedelta(minutes=1)
"""By how much the clock of who tells may be ahead."""


class EndedBeforeItBegan(Refused):
    """An import that began at {began} cannot have ended at {ended}."""

    status, at = 422, "/ended_at"


class NotEndedYet(Refused):
    """An import is told of once it has ended; {ended} is after now, {now}."""

    status, at = 422, "/ended_at"


class ImportRun(Entity, table=True):
    """One run of an import: when it was, and what became of its rows."""

    __tablename__ = "import_run"
    __table_args__ = (sa.Index("import_run_source", "source", "ended_at"),)
    kind: ClassVar[str] = "import"
    prefix: ClassVar[str] = "imp"

    source: str
    """The system, as references name it: `ext:<source>:<id>`."""
    began_at: datetime = Field(sa_type=Moment)
    ended_at: datetime = Field(sa_type=Moment)
    complete: bool = True
    """Whether it went to its end; rows that were refused are counted beside."""
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    @classmethod
    def tell(cls, now: datetime, **fields: Any) -> tuple[Self, ImportEnded]:
        """Tell of a run that has ended."""
        run = cls.make(**fields)
        if run.ended_at < run.began_at:
            raise EndedBeforeItBegan(began=run.began_at.isoformat(), ended=run.ended_at.isoformat())
        if run.ended_at > now + AHEAD:
            raise NotEndedYet(ended=run.ended_at.isoformat(), now=now.isoformat())
        return run, ImportEnded(
            source=run.source, began_at=run.began_at, ended_at=run.ended_at, complete=run.complete,
            created=run.created, changed=run.changed, unchanged=run.unchanged, refused=run.refused,
            externals=run.externals,
        )  # fmt: skip
