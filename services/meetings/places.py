"""Teams and departments, and which series and meetings are theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from shared.store.sql import naming


class Places:
    """Teams and departments."""

    def __init__(self, teams: Iterable[str], departments: Iterable[str]) -> None:
        self.teams, self.departments = set(teams), set(departments)

    def meet(self, thing: Series | Meeting) -> bool:
        """Whether one of them meets there."""
        return bool(self.teams & set(thing.teams) or self.departments & set(thing.departments))

    def mentioned(self, columns: Any) -> sa.ColumnElement[bool]:
        """Rows that may be of these places; which are, is judged one by one."""
        return sa.or_(
            naming(columns.teams, *sorted(self.teams)), naming(columns.departments, *sorted(self.departments))
        )
