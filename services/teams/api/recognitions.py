"""`/v1/recognitions`, `/v1/challenges` and `/v1/reputation`: thanks, common aims and the public picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field, StringConstraints, create_model, model_validator

from services.teams.api.duties import doers_of, goal_id
from services.teams.api.organisation import today
from services.teams.api.references import member_id, place, sought
from services.teams.domain.duties import Duty
from services.teams.domain.members import Member, MemberIsErased
from services.teams.domain.recognitions import Challenge, Recognition, Reputation
from services.teams.domain.teams import Group, Team
from services.teams.domain.trainings import Training
from services.teams.known import KnownCustomer
from shared.errors import Invalid
from shared.events.duties import Recognised
from shared.http.bodies import Body, Name, Named, Ref, Text, Word, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import known
from shared.membership import latest_on
from shared.money import plain
from shared.money.numbers import DecimalString
from shared.store import Snapshot, Tx

_recognition = Recognition.__table__.c  # type: ignore[attr-defined]
_OF_MEMBER = sa.select(Recognition).where(
    sa.or_(
        _recognition.by == sa.bindparam("member"),
        sa.type_coerce(_recognition.to, sa.Text).contains(sa.bindparam("quoted")),
    )
)
Done = Literal["duty", "deal", "problem", "training", "other"]


class DoneShown(BaseModel):
    """What somebody is thanked for."""

    kind: Done
    ref: str | None = None


_Shown = create_model("_Shown", about=(DoneShown, ...))


async def _present(snapshot: Snapshot, found: Sequence[Recognition], reader: Principal | None) -> list[dict[str, Any]]:
    return [shown(each) | {"about": {"kind": each.done, "ref": each.ref}} for each in found]


recognitions = Collection(
    Recognition, "recognitions", filters={"by": "by"}, refs={"by": Member}, present=_present, extra=_Shown
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
    """What was done, which must be so and by them where that is known here."""
    if about.kind == "duty":
        duty: Duty = await sought(tx, Duty, about.ref or "", "/about/ref")
        if duty.status not in ("done", "accepted"):
            raise Invalid.at("/about/ref", f"this duty is {duty.status}, not done")
        doers = {duty.done_by} if duty.done_by else await doers_of(tx, duty, on)
        return _theirs(duty.id, "duty", to, doers)
    if about.kind == "training":
        training: Training = await sought(tx, Training, about.ref or "", "/about/ref")
        if training.status != "completed":
            raise Invalid.at("/about/ref", f"this training is {training.status}, not completed")
        return _theirs(training.id, "training", to, {training.member})
    return about.ref


def _theirs(ref: str, what: str, to: dict[str, Recognised], doers: set[str]) -> str:
    strangers = sorted(to.keys() - doers)
    if strangers:
        raise Invalid.at("/to", f"the {what} {ref} was not done by {', '.join(strangers)}")
    return ref


class _Days(BaseModel):
    """The days of a challenge."""

    start: date = Field(alias="from")
    to: date
    group: str | None = None


async def _present_challenges(
    snapshot: Snapshot, found: Sequence[Challenge], reader: Principal | None
) -> list[dict[str, Any]]:
    return [shown(each) | {"from": each.starts_on, "to": each.ends_on, "group": each.group_id} for each in found]


challenges = Collection(
    Challenge,
    "challenges",
    filters={"team": "team", "group": "group_id", "goal": "goal"},
    refs={"team": Team, "group": Group},
    present=_present_challenges,
    extra=_Days,
)


class SetChallenge(Named):
    """Something a team or a group wants to reach together."""

    name: Name = Field(examples=["A hundred visits in spring"])
    aim: Text | None = None
    team: Ref | None = None
    group: Ref | None = None
    goal: Ref | None = Field(default=None, description="the goal they share")
    start: Day = Field(alias="from")
    to: Day = Field(description="the first day after it")

    @model_validator(mode="after")
    def _of_somebody(self) -> SetChallenge:
        if self.team is None and self.group is None:
            raise ValueError("a challenge is one of a team or of a group")
        return self


class ChangeChallenge(Named):
    """What to change about a challenge that is not over; what is not sent stays, null clears."""

    name: Name = ""
    aim: Text | None = None
    team: Ref | None = None
    group: Ref | None = None
    goal: Ref | None = None
    start: Day = Field(default=date.min, alias="from")
    to: Day = date.max


class EndChallenge(Body):
    """When it was over, and whether it was reached."""

    reached: bool
    on: Day | None = None


@challenges.create
async def set_challenge(tx: Tx, body: SetChallenge) -> Challenge:
    """Set a team or a group something to reach together."""
    team, group = await place(tx, body.team, body.group)
    begun = Challenge.begin(
        name=body.name, aim=body.aim, team=team, group_id=group, goal=await goal_id(tx, body.goal),
        starts_on=body.start, ends_on=body.to, **fresh(Challenge, body),
    )  # fmt: skip
    return tx.save(*begun)


@challenges.amend
async def change_challenge(tx: Tx, challenge: Challenge, body: ChangeChallenge) -> Challenge:
    """Describe a challenge differently; whose it is stays."""
    sent = body.sent()
    if sent.pop("team", None) or sent.pop("group", None):
        whose = await place(tx, body.team, body.group)
        if whose != (challenge.team, challenge.group_id):
            raise Invalid.at("/team", f"this challenge is one of {challenge.group_id or challenge.team}, and stays so")
    sent.pop("group", None)
    fields = {{"start": "starts_on", "to": "ends_on"}.get(name, name): value for name, value in sent.items()}
    if "goal" in fields:
        fields["goal"] = await goal_id(tx, body.goal)
    return tx.save(challenge, challenge.change(**fields))


@challenges.verb("end")
async def end_challenge(tx: Tx, challenge: Challenge, body: EndChallenge) -> Challenge:
    """Note that a challenge is over."""
    return tx.save(challenge, challenge.end(body.on or await today(tx), body.reached))


reputation = Collection(
    Reputation,
    "reputation",
    filters={"kind": "sort", "source": "source", "customer": "customer"},
    refs={"customer": KnownCustomer},
)
Score = Annotated[Decimal, DecimalString("A score", "4.5", Decimal(0), Decimal(1000), 2, whole_numbers=True)]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s\x00]+$")]


class HearReputation(Named):
    """Something said of the organisation in public."""

    kind: Literal["rating", "review", "complaint"]
    source: Word = Field(examples=["trustpilot"])
    score: Score | None = Field(default=None, description="of out_of", examples=["4.5"])
    out_of: Score = Field(default=Decimal(5), description="the best score there")
    on: Day | None = None
    customer: Ref | None = None
    text: Text | None = None
    url: Url | None = None

    @model_validator(mode="after")
    def _in_scale(self) -> HearReputation:
        if self.kind == "rating" and self.score is None:
            raise ValueError("a rating has a score")
        if self.out_of <= 0 or (self.score is not None and not 0 <= self.score <= self.out_of):
            raise ValueError(f"the score {self.score} does not lie between 0 and {self.out_of}")
        return self


class WithdrawReputation(Body):
    """The day on which it was taken back."""

    on: Day | None = None


@reputation.create
async def hear_reputation(tx: Tx, body: HearReputation) -> Reputation:
    """Note what was said of the organisation in public."""
    customer = (await known(tx, KnownCustomer, body.customer, "/customer")).id if body.customer else None
    score = plain(body.score) if body.score is not None else None
    heard = Reputation.hear(
        sort=body.kind, source=body.source, on=body.on or await today(tx), score=score, out_of=plain(body.out_of),
        customer=customer, text=body.text, url=body.url, **fresh(Reputation, body),
    )  # fmt: skip
    return tx.save(*heard)


@reputation.verb("withdraw")
async def withdraw_reputation(tx: Tx, opinion: Reputation, body: WithdrawReputation) -> Reputation:
    """Note that it was taken back, or is not about us."""
    return tx.save(opinion, opinion.withdraw(body.on or await today(tx)))
