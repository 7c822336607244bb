"""The organisation itself: one of it, always there."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from shared.events.teams import OrganisationDescribed
from shared.store import Entity

THE_ONE = "organisation"


class Organisation(Entity, table=True):
    """The organisation: its name, the clock and the currency it keeps, and the first month of its year."""

    kind: ClassVar[str] = "organisation"

    name: str = "Organisation"
    zone: str = "UTC"
    currency: str = "EUR"
    first_month: int = 1

    @classmethod
    def found(cls) -> tuple[Self, OrganisationDescribed]:
        """Begin, with nothing said about it yet."""
        organisation = cls.make(id=THE_ONE)
        return organisation, organisation._described()

    def describe(self, **fields: Any) -> OrganisationDescribed | None:
        """Say something else about the organisation."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        for name, value in new.items():
            setattr(self, name, value)
        return self._described()

    def _described(self) -> OrganisationDescribed:
        return OrganisationDescribed(
            name=self.name, zone=self.zone, currency=self.currency, first_month=self.first_month
        )
