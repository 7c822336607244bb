"""The person behind a member: all that is personal, and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.events.teams import PersonDescribed, PersonForgotten
from shared.store import Entity
from shared.store.types import Json


class Person(Entity, table=True):
    """Who a member is. Its id is the member's; its events go where they can be forgotten."""

    kind: ClassVar[str] = "person"

    name: str
    email: str | None = None
    names: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """What other systems call them."""
    token: str | None = None
    """What stands for them where events must not say who it is; told here only, and so it can be forgotten."""

    @classmethod
    def introduce(
        cls, member: str, name: str, email: str | None, names: dict[str, str]
    ) -> tuple[Self, PersonDescribed]:
        """Learn who a member is."""
        person = cls.make(id=member, name=name, email=email, names=names)
        return person, person._described()

    def describe(self, **fields: Any) -> PersonDescribed | None:
        """Learn something else about the person."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        for name, value in new.items():
            setattr(self, name, value)
        return self._described()

    def forget(self) -> PersonForgotten:
        """Keep nothing of the person."""
        self.name, self.email, self.names, self.token = "", None, {}, None
        return PersonForgotten()

    def _described(self) -> PersonDescribed:
        return PersonDescribed(name=self.name, email=self.email, externals=self.names, token=self.token)
