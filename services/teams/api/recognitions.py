"""`/v1/recognitions`: thanks for what was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field, create_model, model_validator

from services.teams.api.duties import doers_of
from services.teams.api.organisation import today
from services.teams.api.references import member_id, sought
from services.teams.domain.duties import Duty
from services.teams.domain.members import Member, MemberIsErased
from services.teams.domain.recognitions import Recognition
from services.teams.domain.trainings import Training
from shared.elsewhere import of_owner
from shared.errors import Invalid
from shared.events.duties import Recognised
from shared.http.bodies import Body, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.membership import latest_on
from shared.store import Snapshot, Tx

_recognition = Recognition.__table__.c  # type: ignore[attr-defined]
_OF_MEMBER = sa.select(Recognition).where(
    sa.or_(
        _recognition.by == sa.bindparam("member"),
        sa.type_coerce(_recognition.to, sa.Text).contains(sa.bindparam("quoted")),
    )
)
PLACE: Final = "/about/ref"
_PART: Final = {
    "deal": "those had one who own it, are credited for it, filled a role in it or assisted",
    "problem": "it was solved by others",
}
Done = Literal["duty", "deal", "problem", "training", "other"]


class DoneShown(BaseModel):
    """What somebody is thanked for."""

    kind: Done
    ref: str | None = None


_Shown = create_model("_Shown", about=(DoneShown, ...))


async def _present(snapshot: Snapshot, found: Sequence[Recognition], reader: Principal | None) -> list[dict[str, Any]]:
    return [shown(each) | {"about": {"kind": each.done, "ref": each.ref}} for each in found]


async def _to_as_stored(tx: Tx, refs: list[str]) -> list[str]:
    return [await member_id(tx, ref, f"/to/{place}") for place, ref in enumerate(refs)]


async def _about_as_stored(tx: Tx, about: dict[str, str | None]) -> dict[str, str | None]:
    ref = about["ref"]
    return about if ref is None else about | {"ref": await _OF_KIND[str(about["kind"])](tx, ref)}


recognitions = Collection(
    Recognition,
    "recognitions",
    filters={"by": "by"},
    refs={"by": Member},
    present=_present,
    extra=_Shown,
    resolved={"to": _to_as_stored, "about": _about_as_stored},
)


class DoneThing(Body):
    """What was done: a duty, a deal assisted in, a problem solved, a training, or something else."""

    kind: Done
    ref: Ref | None = Field(default=None, description="a duty, deal, item or training; none for something else")

    @model_validator(mode="after")
    def _of_something(self) -> DoneThing:
        if (self.ref is None) != (self.kind == "other"):
            raise ValueError("a duty, deal, problem or training has a ref, something else has none")
        return self


class GiveRecognition(Named):
    """Thanks to members for something they did."""

    to: list[Ref] = Field(min_length=1, max_length=50)
    about: DoneThing
    note: Text | None = None
    by: Ref | None = Field(default=None, description="who thanks, if not who sends this")
    on: Day | None = None


class WithdrawRecognition(Body):
    """The day on which it was found to be a mistake."""

    on: Day | None = None


@recognitions.create
async def give_recognition(tx: Tx, body: GiveRecognition) -> Recognition:
    """Thank members for something they did."""
    on = body.on or await today(tx)
    to: dict[str, Recognised] = {}
    for number, ref in enumerate(body.to):
        member: Member = await sought(tx, Member, ref, f"/to/{number}")
        if body.note and member.erased:
            raise MemberIsErased(pointer=f"/to/{number}")
        member.employment(on, "/on")
        team = latest_on(member.memberships, on)
        to[member.id] = Recognised(member=member.id, department=member.position(on)["department"], team=team)
    by = tx.context.member or (await member_id(tx, body.by, "/by") if body.by else None)
    given = Recognition.give(
        tuple(to.values()), by=by, on=on, note=body.note, done=body.about.kind,
        ref=await _done_by(tx, body.about, to, on), **fresh(Recognition, body),
    )  # fmt: skip
    return tx.save(*given)


@recognitions.verb("withdraw")
async def withdraw_recognition(tx: Tx, recognition: Recognition, body: WithdrawRecognition) -> Recognition:
    """Take a recognition back."""
    return tx.save(recognition, recognition.withdraw(body.on or await today(tx)))


async def recognitions_of(snapshot: Snapshot, member: str) -> list[Recognition]:
    """The recognitions that a member has given or got."""
    return await snapshot.all(Recognition, _OF_MEMBER, member=member, quoted=f'"{member}"')


async def _done_by(tx: Tx, about: DoneThing, to: dict[str, Recognised], on: date) -> str | None:
    """What was done, which must be so, and by those who are thanked for it."""
    ref = about.ref or ""
    if about.kind == "duty":
        duty: Duty = await sought(tx, Duty, ref, PLACE)
        if duty.status not in ("done", "accepted"):
            raise Invalid.at(PLACE, f"this duty is {duty.status}, not done")
        doers = {duty.done_by} if duty.done_by else await doers_of(tx, duty, on)
        return _theirs(duty.id, "duty", to, doers)
    if about.kind == "training":
        training: Training = await sought(tx, Training, ref, PLACE)
        if training.status != "completed":
            raise Invalid.at(PLACE, f"this training is {training.status}, not completed")
        return _theirs(training.id, "training", to, {training.member})
    if about.kind == "deal":
        return _theirs_too(await of_owner(tx, "targets", "deals", ref, PLACE), "deal", to)
    if about.kind == "problem":
        return _theirs_too(await _solved(tx, ref), "problem", to)
    return None


def _theirs(ref: str, what: str, to: dict[str, Recognised], doers: set[str]) -> str:
    strangers = sorted(to.keys() - doers)
    if strangers:
        raise Invalid.at("/to", f"the {what} {ref} was not done by {', '.join(strangers)}")
    return ref


def _theirs_too(thing: Mapping[str, Any], what: str, to: dict[str, Recognised]) -> str:
    """What its owner says was done, by several. Who solved a problem may not have been noted: then nobody is judged."""
    parts = _parts(thing)
    strangers = sorted(to.keys() - parts)
    if strangers and parts:
        stranger = f"{', '.join(strangers)} had no part in the {what} {thing['id']}"
        raise Invalid.at("/to", f"{stranger}: {_PART[what]}; others are thanked for something else")
    return str(thing["id"])


def _parts(thing: Mapping[str, Any]) -> set[str]:
    """Who had a part in a deal, or solved a problem, as its owner shows it."""
    named = [*thing.get("assists", ()), *thing.get("resolved_by", ()), thing.get("owner")]
    shared = [each["member"] for name in ("credits", "roles") for each in thing.get(name, ())]
    return {str(each) for each in (*named, *shared) if each}


async def _solved(tx: Tx, ref: str) -> Mapping[str, Any]:
    item = await of_owner(tx, "meetings", "items", ref, PLACE)
    if item["kind"] != "problem":
        raise Invalid.at(PLACE, f"{item['id']} is a {item['kind']}, not a problem")
    if item["status"] != "resolved":
        raise Invalid.at(PLACE, f"this problem is {item['status']}, not solved")
    return item


async def _deal(tx: Tx, ref: str) -> str:
    return str((await of_owner(tx, "targets", "deals", ref, PLACE))["id"])


async def _problem(tx: Tx, ref: str) -> str:
    return str((await _solved(tx, ref))["id"])


async def _duty(tx: Tx, ref: str) -> str:
    return str((await sought(tx, Duty, ref, PLACE)).id)


async def _training(tx: Tx, ref: str) -> str:
    return str((await sought(tx, Training, ref, PLACE)).id)


_OF_KIND: Final[Mapping[str, Callable[[Tx, str], Awaitable[str]]]] = {
    "duty": _duty, "training": _training, "deal": _deal, "problem": _problem,
}  # fmt: skip
