"""`/v1/equipment`: what members work with."""

from __future__ import annotations

from pydantic import Field

from services.teams.api.onboarding_steps import tick_off
from services.teams.api.organisation import today
from services.teams.api.readers import about
from services.teams.api.references import sought
from services.teams.domain.equipment import Equipment
from services.teams.domain.members import Member
from shared.http.bodies import Body, Name, Named, Ref, Word
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.store import Tx

_piece = Equipment.__table__.c  # type: ignore[attr-defined]
equipment = Collection(
    Equipment,
    "equipment",
    filters={"kind": "sort", "holder": "holder"},
    refs={"holder": Member},
    on_day=Equipment.as_on,
    readable=about(_piece.holder, known_to="equipment:write"),
)


class AddEquipment(Named):
    """A piece of equipment."""

    kind: Word = Field(examples=["laptop"])
    label: Name | None = Field(default=None, examples=["X1, inventory 4711"])


class ChangeEquipment(Named):
    """What to change about a piece of equipment; what is not sent stays, null clears."""

    kind: Word = "other"
    label: Name | None = None


class IssueEquipment(Body):
    """Who gets it, from which day on."""

    member: Ref
    on: Day | None = None


class ReturnEquipment(Body):
    """The day on which it came back."""

    on: Day | None = None


class RetireEquipment(Body):
    """The day from which it is not issued any more."""

    on: Day | None = None


@equipment.create
async def add_equipment(tx: Tx, body: AddEquipment) -> Equipment:
    """Have one more piece of equipment."""
    return tx.save(*Equipment.add(sort=body.kind, label=body.label, **fresh(Equipment, body)))


@equipment.amend
async def change_equipment(tx: Tx, piece: Equipment, body: ChangeEquipment) -> Equipment:
    """Describe a piece of equipment differently."""
    sent = body.sent()
    if "kind" in sent:
        sent["sort"] = sent.pop("kind")
    return tx.save(piece, piece.change(**sent))


@equipment.verb("issue")
async def issue_equipment(tx: Tx, piece: Equipment, body: IssueEquipment) -> Equipment:
    """Hand a piece of equipment to a member."""
    member: Member = await sought(tx, Member, body.member, "/member")
    on = body.on or max(await today(tx), member.starts_on)
    tx.save(piece, piece.issue(member, on))
    await tick_off(tx, member.id, "equipment", piece.sort, on)
    return piece


# A piece that has come back is issued again, so issuing it to the same member once more is not a repetition.
@equipment.verb("return", undoes=True)
async def return_equipment(tx: Tx, piece: Equipment, body: ReturnEquipment) -> Equipment:
    """Take a piece of equipment back."""
    return tx.save(piece, piece.give_back(body.on or await today(tx)))


@equipment.verb("retire")
async def retire_equipment(tx: Tx, piece: Equipment, body: RetireEquipment) -> Equipment:
    """Not issue a piece of equipment any more."""
    return tx.save(piece, piece.retire(body.on or await today(tx)))
