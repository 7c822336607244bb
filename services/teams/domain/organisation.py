"""The organisation itself: one of it, always there."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from shared.errors import Refused
from shared.events.teams import OrganisationDescribed
from shared.store import Entity

THE_ONE = "organisation"


class WorkplacesNotHeld(Refused):
    """The organisation has not said that it may hold where its members work; until it says `holds_workplaces`,
    {workplace} is nowhere to be kept."""

    status, at = 422, "/workplace"


class Organisation(Entity, table=True):
    """The organisation: its name, the clock and the currency it keeps, and the first month of its year."""

    kind: ClassVar[str] = "organisation"

    name: str = "Organisation"
    zone: str = "UTC"
    currency: str = "EUR"
    first_month: int = 1
    holds_workplaces: bool = False
    """Whether it may lawfully hold where its members work."""

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

    def refuse_unless_held(self, workplace: str) -> None:
        """Refuse to learn where somebody works, if that may not be held."""
        if not self.holds_workplaces:
            raise WorkplacesNotHeld(workplace=workplace)

    def _described(self) -> OrganisationDescribed:
        return OrganisationDescribed(
            name=self.name, zone=self.zone, currency=self.currency, first_month=self.first_month,
            holds_workplaces=self.holds_workplaces,
        )  # fmt: skip
