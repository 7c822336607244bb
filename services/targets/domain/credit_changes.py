"""Changes of the credits of won deals: proposed with a reason, and approved by two who neither propose nor gain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from services.targets.domain.asking import Asker
from services.targets.domain.crediting import Shares, check_shares, shares_in
from services.targets.domain.deals import Deal, DealIsNotWon
from shared.errors import Refused
from shared.events.credits import (
    CreditChangeApproved,
    CreditChangeProposed,
    CreditChangeRefused,
    CreditChangeWithdrawn,
    CreditShare,
)
from shared.store import Entity
from shared.store.types import Json

APPROVALS: Final = 2


class CreditedAlready(Refused):
    """The deal is credited like that already; there is nothing to change."""

    status, at = 422, "/credits"


class OneChangeAtATime(Refused):
    """Other credits of this deal are proposed already ({id}); let these be approved, refused or withdrawn first."""

    at = "/deal"


class CreditChangeIs(Refused):
    """This change of credits was {status} on {on}."""


class ApprovedByNoPerson(Refused):
    """Two people agree to a change of credits, and a tool is none: use a token that names a member; {token} does
    not."""


class OwnCreditChange(Refused):
    """{by} has proposed this; two others approve it, whichever token is used."""


class GainsByIt(Refused):
    """{member} would have {after} of this deal and has {before}; who gains by a change of credits does not approve
    it."""


class ApprovedOnce(Refused):
    """{by} has approved this on {on}; the second approval is somebody else's."""


class ProposedByAnother(Refused):
    """{by} asks; a change of credits is withdrawn by who has proposed it, anybody else may refuse it."""


class CreditChange(Entity, table=True):
    """Other credits for a won deal, as somebody proposes them, and what became of that."""

    kind: ClassVar[str] = "credit_change"
    prefix: ClassVar[str] = "crch"
    word: ClassVar[str] = "change of credits"
    hidden: ClassVar[frozenset[str]] = frozenset({"proposers", "approvers"})

    deal: str = Field(index=True)
    credits: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    before: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Whose the deal was when it was proposed."""
    reason: str
    since: date | None = None
    """The day from which it is to hold; that of the second approval if none is said."""
    status: str = "proposed"
    proposed_on: date
    proposed_by: str | None = None
    proposers: list[str] = Field(default_factory=list, sa_type=Json)
    """Who has proposed it, by all that they go by; so are those who have approved it."""
    approvers: list[str] = Field(default_factory=list, sa_type=Json)
    approvals: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Dated: `{"on": day, "by": member}`."""
    decided_on: date | None = None
    decided_by: str | None = None
    refusal: str | None = None
    """Why it was refused."""

    @property
    def shares(self) -> list[tuple[str, Decimal]]:
        """Who is to be credited which share."""
        return shares_in(self.credits)

    @classmethod
    def propose(
        cls, deal: Deal, shares: Shares, *, reason: str, since: date | None, on: date, by: Asker,
        others: Sequence[CreditChange], **identity: Any,
    ) -> tuple[Self, CreditChangeProposed]:  # fmt: skip
        """Want a won deal to be credited otherwise; `others` are the changes of its credits that there are."""
        if deal.status != "won":
            raise DealIsNotWon(status=deal.status)
        check_shares(shares)
        if dict(shares) == dict(deal.shares):
            raise CreditedAlready
        for each in others:
            if each.status == "proposed":
                raise OneChangeAtATime(id=each.id)
        credits = [{"member": member, "share": str(share)} for member, share in shares]
        before = [{"member": member, "share": str(share)} for member, share in deal.shares]
        made = cls.make(deal=deal.id, credits=credits, before=before, reason=reason, since=since, proposed_on=on,
                        proposed_by=by.name, proposers=by.names, **identity)  # fmt: skip
        return made, CreditChangeProposed(
            deal=deal.id, on=on, credits=tuple(CreditShare(**each) for each in credits), by=by.member, since=since,
            externals=made.externals,
        )  # fmt: skip

    def approve(self, deal: Deal, on: date, by: Asker) -> CreditChangeApproved:
        """Agree to it; with the second approval it is settled, and the deal is to be amended."""
        self._refuse_if_settled()
        if by.member is None:
            raise ApprovedByNoPerson(token=by.token)
        if by.is_among(self.proposers):
            raise OwnCreditChange(by=by.member)
        had, gets = dict(deal.shares), dict(self.shares)
        if gets.get(by.member, Decimal(0)) > had.get(by.member, Decimal(0)):
            raise GainsByIt(member=by.member, before=had.get(by.member, 0), after=gets[by.member])
        if by.is_among(self.approvers):
            raise ApprovedOnce(by=by.member, on=self.approvals[-1]["on"])
        self.approvers = [*self.approvers, *by.names]
        self.approvals = [*self.approvals, {"on": on.isoformat(), "by": by.member}]
        if len(self.approvals) == APPROVALS:
            self._settle("approved", on, by)
        return CreditChangeApproved(on=on, by=by.member, approvals=len(self.approvals))

    def refuse(self, on: date, by: Asker, reason: str) -> CreditChangeRefused:
        """Not agree to it; the credits stay, and it stays on record."""
        self._refuse_if_settled()
        if by.is_among(self.proposers):
            raise OwnCreditChange(by=by.name)
        self._settle("refused", on, by)
        self.refusal = reason
        return CreditChangeRefused(on=on, by=by.member)

    def withdraw(self, on: date, by: Asker) -> CreditChangeWithdrawn:
        """Not want it any more; it stays on record."""
        self._refuse_if_settled()
        if not by.is_among(self.proposers):
            raise ProposedByAnother(by=by.name)
        self._settle("withdrawn", on, by)
        return CreditChangeWithdrawn(on=on)

    def _settle(self, status: str, on: date, by: Asker) -> None:
        self.status, self.decided_on, self.decided_by = status, on, by.name

    def _refuse_if_settled(self) -> None:
        if self.status != "proposed":
            raise CreditChangeIs(status=self.status, on=self.decided_on)
