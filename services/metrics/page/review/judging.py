"""How the effect of what was decided is judged, as it is read: with whom, against whom, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.api.review_effects import effect_of
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import TeamFact
from services.metrics.page.review.figures import tenths
from services.metrics.page.review.words import INDICES, listed, times
from services.metrics.page.values import day_in_words, percent
from services.metrics.review.catalogue import MEASURES
from services.metrics.views.names import names_of
from services.metrics.views.shown import today_of
from shared.identity.permissions import Principal
from shared.store import Snapshot
from shared.store.sql import naming

_review = Review.__table__.c  # type: ignore[attr-defined]
_team = TeamFact.__table__.c  # type: ignore[attr-defined]
_TEAMS: Final = sa.select(_team.id)
_ALIKE: Final = (
    sa.select(_review.id, _review.team, _review.label, _review.decided, _review.plan)
    .where(_review.starts_on == sa.bindparam("starts_on", type_=sa.Date()), _review.outdated_by.is_(None),
           _review.team != sa.bindparam("team"))
    .order_by(_review.team, _review.id)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judging:
    """What there is to choose from while there is no plan, and what the plan says once there is one."""

    teams: Sequence[tuple[str, str]]
    """With which other teams it can be compared, by name."""
    alike: Sequence[tuple[str, str]]
    """Reviews of other teams on which the same was decided for the same start: they can be judged together."""
    with_another: tuple[str, str] | None
    """The review that this one is judged together with, and its team."""
    plan: Sequence[tuple[str, str]]
    """What the plan says, by its part."""
    effect: Sequence[tuple[str, str]]
    """What came of it so far."""


async def judging_of(snapshot: Snapshot, review: Review, reader: Principal) -> Judging:
    """What the page of a review says of its effect."""
    refs = [str(ref) for (ref,) in await snapshot.rows(_TEAMS)]
    named = await names_of(snapshot, "team", refs, reader)
    names = {each: named.get(each, each) for each in refs}
    naming_it = sa.select(Review).where(naming(_review.plan, review.id)).order_by(_review.id)
    together = next(iter(await snapshot.all(Review, naming_it)), None)
    effect = await _effect(snapshot, review) if review.plan else []
    return Judging(
        teams=sorted((name, ref) for ref, name in names.items() if ref != review.team),
        alike=await _alike(snapshot, review, names) if review.decided and review.plan is None else [],
        with_another=(together.id, names.get(together.team, together.team)) if together else None,
        plan=_planned(review.plan, names) if review.plan else [], effect=effect,
    )  # fmt: skip


async def _alike(snapshot: Snapshot, review: Review, names: Mapping[str, str]) -> list[tuple[str, str]]:
    rows = await snapshot.rows(_ALIKE, starts_on=review.starts_on, team=review.team)
    return [
        (f"{names.get(team, team)} {label}", str(key)) for key, team, label, decided, plan in rows
        if plan is None and list(decided) == list(review.decided)
    ]  # fmt: skip


def _planned(plan: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """The plan, part by part."""
    measure, base = str(plan["measure"]), plan["baseline"]
    least = plan["smallest_detectable"]
    said = [
        ("Measure", INDICES.get(measure) or MEASURES[measure].name),
        ("Weeks", f"{plan['weeks']}, from {_day(plan['starts_on'])} on; judged on {_day(plan['decides_on'])}"),
        ("Worth it", f"from {tenths(plan['smallest_worthwhile'])} points on"),
        ("Baseline", f"{_day(base['from'])} up to, not including, {_day(base['to'])}"
                     + ("" if plan["fresh"] else ", the reviewed weeks, corrected for their drift to the mean")),
        ("Judged together", listed(_named(plan.get("pooled", ()), names)) or "by itself"),
        ("Compared with", listed([names.get(each, each) for each in plan["comparisons"]]) or "nobody: weak evidence"),
        ("Smallest detectable effect", f"{tenths(least)} points" if least else "not known"),
        ("Must not get worse", listed([each["measure"] for each in plan["balance"]]) or "nothing in particular"),
    ]  # fmt: skip
    return said + ([("Warning", plan["warning"])] if plan["warning"] else [])


def _named(pooled: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    return [f"with {names.get(each['team'], each['team'])}" for each in pooled]


def _day(text: str) -> str:
    return day_in_words(date.fromisoformat(text))


async def _effect(snapshot: Snapshot, review: Review) -> list[tuple[str, str]]:
    """What came of it so far, in words; nothing before it began."""
    today = await today_of(snapshot)
    if review.starts_on is None or today < date.fromisoformat((review.plan or {})["starts_on"]):
        return []
    found = await effect_of(snapshot, review, today)
    estimate, carried = found["estimate"], found["carried_out"]
    share = carried.get("share_of_all") or carried["share"]
    said = [("Verdict", str(found["verdict"])), ("Carried out", percent(share) if share else "nothing was due yet")]
    if estimate:
        said.append(("Change", f"{tenths(estimate['change'])} points, between {tenths(estimate['low'])} and"
                               f" {tenths(estimate['high'])} in nine of ten cases ({estimate['design']},"
                               f" {estimate['evidence']} evidence)"))  # fmt: skip
    if found["lot"]:
        said.append(("By lot", f"{tenths(found['lot']['change'])} points; of all lots {percent(found['lot']['p'])} give"
                               f" as much, with {times(found['lot']['teams'], 'team')}"))  # fmt: skip
    worse = [
        f"{each['measure']}{' got worse' if each['worsened'] else ' did not get worse'}" for each in found["balance"]
    ]
    said += [("Besides", listed(worse))] if worse else []
    return said + ([("Note", found["note"])] if found["note"] else [])
