"""`/v1/stages`: the steps of the pipeline, and the chance that a deal in one of them is won."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.targets.domain.stages import ClosedIsNoStage, Stage, StageExists
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Word, shown
from shared.http.collection import Collection
from shared.http.runtime import Runtime
from shared.identity.permissions import Principal
from shared.instant import FIRST_DAY, Day, day_of, now
from shared.known import house, today
from shared.money import Rate
from shared.stages import DEFAULTS, chance_on, qualified_on
from shared.store import Context, Job, Snapshot, Tx

Position = Annotated[int, Field(ge=1, le=1000)]


class DatedChance(Body):
    """The chance from a day on, until the next row's day."""

    since: Day = Field(alias="from")
    chance: Rate


class StageShown(BaseModel):
    """A stage's key, its chance of today and all its chances."""

    key: str
    chance: str | None = Field(description="of today")
    chances: list[DatedChance]
    is_qualified: bool = Field(description="whether deals in it count as qualified today")


async def _present(snapshot: Snapshot, found: Sequence[Stage], reader: Principal | None) -> list[dict[str, Any]]:
    day = day_of(now(), (await house(snapshot)).zone)
    return [shown(stage) | {"key": stage.id, **_of_day(stage, day)} for stage in found]


def _of_day(stage: Stage, day: date) -> dict[str, Any]:
    return {"chance": _shown_chance(stage, day), "is_qualified": qualified_on(stage.qualified, day)}


def _shown_chance(stage: Stage, day: date) -> str | None:
    chance = chance_on(stage.chances, day)
    return None if chance is None else str(chance)


def _on_day(stage: Any, day: date) -> dict[str, Any]:
    return {
        **_of_day(stage, day),
        "chances": [each for each in stage.chances if each["from"] <= day.isoformat()],
        "qualified": [each for each in stage.qualified if each["from"] <= day.isoformat()],
    }


stages = Collection(Stage, "stages", present=_present, extra=StageShown, on_day=_on_day)


class DescribeStage(Named):
    """A stage to be added; without a day its chance holds for all days."""

    key: Word = Field(examples=["negotiating"], description="the word that deals carry")
    name: Name = Field(examples=["Negotiating"])
    chance: Rate
    position: Position = 1000
    since: Day = Field(FIRST_DAY, alias="from", description="the day from which the chance holds")
    qualified: bool = Field(False, description="whether deals in it count as qualified, from that day on")


class ChangeStage(Named):
    """What to change about a stage; a chance holds from `from` on, or from today, and earlier days keep theirs."""

    key: Word = ""
    name: Name = ""
    chance: Rate = Decimal(0)
    position: Position = 1000
    since: Day = Field(FIRST_DAY, alias="from")
    qualified: bool = False


class QualifyStage(Body):
    """Whether deals in a stage count as qualified, from a day on or from today."""

    qualified: bool
    since: Day | None = Field(None, alias="from")


class SetChance(Body):
    """The chance from a day on, or from today."""

    chance: Rate
    since: Day | None = Field(None, alias="from")


@stages.create
async def describe_stage(tx: Tx, body: DescribeStage) -> Stage:
    """Add a stage to the pipeline."""
    if body.key in ("won", "lost"):
        raise ClosedIsNoStage(key=body.key, chance=int(body.key == "won"))
    existing = await tx.seek(Stage, body.key)
    if existing is not None:
        raise StageExists(key=body.key, position=existing.position)
    stage, described = Stage.describe(
        id=body.key, name=body.name, position=body.position, chances=[(body.since, body.chance)],
        qualified=[(body.since, True)] if body.qualified else [], externals=body.externals_by_source(),
    )  # fmt: skip
    return tx.save(stage, described)


@stages.amend
async def change_stage(tx: Tx, stage: Stage, body: ChangeStage) -> Stage:
    """Describe a stage differently."""
    sent = body.sent()
    if sent.pop("key", stage.id) != stage.id:
        detail = f"the key of a stage stays {stage.id}: deals carry it"
        raise Invalid.at("/key", detail)
    since, qualified = sent.pop("since", None), sent.pop("qualified", None)
    if "chance" in sent:
        chance = sent["chance"]
        # What says again what holds already, as an import that runs again does, sets nothing from today.
        day = since or await today(tx)
        if since is not None or chance_on(stage.chances, day) != chance:
            sent["chance"] = (day, chance)
        else:
            del sent["chance"]
    elif since is not None:
        detail = "a day without a chance says nothing; send both, or neither"
        raise Invalid.at("/from", detail)
    stage = tx.save(stage, stage.change(**sent))
    if qualified is None or qualified == qualified_on(stage.qualified, since or await today(tx)):
        return stage
    return tx.save(stage, stage.qualify(since or await today(tx), qualified))


@stages.verb("qualified")
async def qualify_stage(tx: Tx, stage: Stage, body: QualifyStage) -> Stage:
    """Say whether deals in a stage count as qualified from a day on; coverage of days before stays."""
    return tx.save(stage, stage.qualify(body.since or await today(tx), body.qualified))


@stages.verb("chances")
async def set_chance(tx: Tx, stage: Stage, body: SetChance) -> Stage:
    """Say which chance a stage has from a day on; what was weighed by earlier chances stays."""
    return tx.save(stage, stage.change(chance=(body.since or await today(tx), body.chance)))


async def found_stages(runtime: Runtime) -> None:
    """The stages that are there from the beginning, if there are none yet of their names."""

    async def begin(tx: Tx) -> None:
        for key, stage in DEFAULTS.items():
            if await tx.seek(Stage, key) is None:
                chances = [(date.fromisoformat(each["from"]), Decimal(each["chance"])) for each in stage.chances]
                qualified = [(date.fromisoformat(each["from"]), True) for each in stage.qualified]
                tx.save(*Stage.describe(id=key, name=stage.name, position=stage.position, chances=chances,
                                        qualified=qualified, externals={}))  # fmt: skip

    await runtime.store.write(Job(begin, Context(now())))
