"""Onboardings: what somebody new needs to begin: equipment, courses, a buddy, and what else there is to do."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.teams.domain.members import Member
from shared.errors import Refused
from shared.events.workplace import OnboardingBegun, OnboardingCancelled, OnboardingChanged, OnboardingStepDone, Step
from shared.store import Entity
from shared.store.types import Json


class OnboardedAlready(Refused):
    """This member is being onboarded already ({id})."""

    at = "/member"


class OwnBuddy(Refused):
    """Nobody accompanies themselves; the buddy is another member."""

    status, at = 422, "/buddy"


class NoSuchStep(Refused):
    """This onboarding has no step {step}; it has {known}."""

    status, at = 422, "/step"


class FollowsByItself(Refused):
    """This step is done when {how}, not by hand."""

    at = "/step"


class OnboardingIs(Refused):
    """This onboarding is {status}; only one that is open can do that."""


HOW = {"equipment": "the equipment is issued", "training": "the training is completed"}


class Onboarding(Entity, table=True):
    """The first weeks of a member, as a list of what they need."""

    kind: ClassVar[str] = "onboarding"
    prefix: ClassVar[str] = "onb"

    member: str = Field(index=True)
    starts_on: date
    buddy: str | None = None
    status: str = Field(default="open", index=True)
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """`{"step", "kind", "what", "title", "due", "done_on"}`, in the order in which they were listed."""
    completed_on: date | None = None
    cancelled_on: date | None = None

    @classmethod
    def begin(
        cls, member: Member, open_already: list[Onboarding], *, steps: list[dict[str, Any]], buddy: str | None,
        **identity: Any,
    ) -> tuple[Self, OnboardingBegun]:  # fmt: skip
        """List what a joiner needs."""
        for other in open_already:
            raise OnboardedAlready(id=other.id)
        _refuse_own_buddy(member.id, buddy)
        onboarding = cls.make(member=member.id, starts_on=member.starts_on, buddy=buddy, steps=steps, **identity)
        onboarding._complete()
        return onboarding, OnboardingBegun(
            member=member.id, starts_on=member.starts_on, steps=onboarding._told(), buddy=buddy,
            externals=onboarding.externals,
        )  # fmt: skip

    def change(self, *, buddy: str | None, more: list[dict[str, Any]]) -> OnboardingChanged | None:
        """Let another one accompany them, or list more of what they need."""
        if buddy == self.buddy and not more:
            return None
        self._refuse_unless_open()
        _refuse_own_buddy(self.member, buddy)
        self.buddy, self.steps = buddy, [*self.steps, *more]
        return OnboardingChanged(steps=self._told(), buddy=buddy)

    def do(self, step: str, on: date) -> OnboardingStepDone | None:
        """Tick off a task; equipment and courses are ticked off when they are there."""
        self._refuse_unless_open()
        found = next((each for each in self.steps if each["step"] == step), None)
        if found is None:
            known = ", ".join(each["step"] for each in self.steps if each["kind"] == "task") or "none that is a task"
            raise NoSuchStep(step=step, known=known)
        if found["kind"] != "task":
            raise FollowsByItself(how=HOW[found["kind"]])
        return self._done(step, on) if found["done_on"] is None else None

    def has(self, kind: str, what: str, on: date) -> OnboardingStepDone | None:
        """The joiner has got something; tells of the step that waited for it, if there is one."""
        if self.status != "open":
            return None
        waits = (each for each in self.steps if (each["kind"], each["what"], each["done_on"]) == (kind, what, None))
        found = next(waits, None)
        return self._done(found["step"], on) if found else None

    def cancel(self, on: date) -> OnboardingCancelled:
        """The joiner did not come, or needs nothing any more."""
        self._refuse_unless_open()
        self.status, self.cancelled_on = "cancelled", on
        return OnboardingCancelled(on=on)

    def forget(self) -> OnboardingChanged | None:
        """Forget in which words tasks were put, which may say who it is for."""
        if all(each["title"] is None for each in self.steps):
            return None
        self.steps = [each | {"title": None} for each in self.steps]
        return OnboardingChanged(steps=self._told(), buddy=self.buddy)

    def _done(self, step: str, on: date) -> OnboardingStepDone:
        self.steps = [each | {"done_on": on.isoformat()} if each["step"] == step else each for each in self.steps]
        self._complete()
        return OnboardingStepDone(step=step, on=on)

    def _complete(self) -> None:
        days = [each["done_on"] for each in self.steps]
        if days and None not in days:
            self.status, self.completed_on = "completed", date.fromisoformat(max(days))

    def _told(self) -> tuple[Step, ...]:
        return tuple(
            Step(step=each["step"], kind=each["kind"], what=each["what"], due=_day(each["due"]),
                 done_on=_day(each["done_on"]))
            for each in self.steps
        )  # fmt: skip

    def _refuse_unless_open(self) -> None:
        if self.status != "open":
            raise OnboardingIs(status=self.status)


def step(
    kind: str, *, number: int, due: date, what: str | None = None, title: str | None = None, done_on: date | None = None
) -> dict[str, Any]:
    """A step as it is kept."""
    done = done_on.isoformat() if done_on else None
    return {"step": f"{kind}-{number}", "kind": kind, "what": what, "title": title, "due": due.isoformat(),
            "done_on": done}  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _refuse_own_buddy(member: str, buddy: str | None) -> None:
    if buddy == member:
        raise OwnBuddy
