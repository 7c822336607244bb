"""`/v1/challenges` and `/v1/reputation`: common aims and the public picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.teams.api.duties import goal_id
from services.teams.api.organisation import today
from services.teams.api.references import place
from services.teams.domain.recognitions import Challenge, Reputation
from services.teams.domain.teams import Group, Team
from services.teams.known import KnownCustomer
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text, Word, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import known
from shared.money import plain
from shared.money.numbers import DecimalString
from shared.store import Snapshot, Tx


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
