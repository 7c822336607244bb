"""What earlier reviews found, and by which rules and options a review is made."""

from __future__ import annotations

from datetime import date
from typing import Final

import sqlalchemy as sa

from services.metrics.domain.reviews import Review
from services.metrics.domain.rule_sets import OwnOptions, OwnRuleSet
from services.metrics.review import options, rule_set
from services.metrics.review.inputs import Before
from services.metrics.review.options import Catalogue
from services.metrics.review.rule_set import RuleSet
from services.metrics.review.thresholds import Rules
from shared.store import Snapshot

_review = Review.__table__.c  # type: ignore[attr-defined]
_rules = OwnRuleSet.__table__.c  # type: ignore[attr-defined]
_options = OwnOptions.__table__.c  # type: ignore[attr-defined]
_START = sa.bindparam("start", type_=sa.Date())
_PERIODS = sa.select(sa.func.count(sa.distinct(_review.start))).where(_review.start < _START)
_EARLIER = (
    sa.select(_review.end, _review.states)
    .where(_review.team == sa.bindparam("team"), _review.end <= _START, _review.outdated_by.is_(None))
    .order_by(_review.end.desc(), _review.id)
)
_REVISIONS = (
    sa.select(Review)
    .where(
        _review.team == sa.bindparam("team"), _review.start == _START,
        _review.end == sa.bindparam("end", type_=sa.Date()),
    )
    .order_by(_review.revision.desc())
    .limit(1)
)  # fmt: skip
_LAST_RULES = sa.select(OwnRuleSet).order_by(_rules.adopted_at.desc(), _rules.id).limit(1)
_RULES_OF = (
    sa.select(OwnRuleSet).where(_rules.adopted_on <= _START).order_by(_rules.adopted_at.desc(), _rules.id).limit(1)
)
LINES: Final = ("line", "lines", "least", "survey", "graph", "indices", "weakness")
_LAST_OPTIONS = sa.select(OwnOptions).order_by(_options.adopted_at.desc(), _options.id).limit(1)


async def before_of(snapshot: Snapshot, team: str, start: date) -> Before:
    """What a review of a team and a period has before it."""
    earlier = await snapshot.rows(_EARLIER, team=team, start=start)
    states = earlier[0][1] if earlier and earlier[0][0] == start else {}
    return Before(
        periods=int(await snapshot.scalar(_PERIODS, start=start) or 0),
        states=states,
        teamwork_was_healthy=any(found.get("W-TWK") == "healthy" for _, found in earlier),
    )


async def newest_of(snapshot: Snapshot, team: str, start: date, end: date) -> Review | None:
    """The newest revision of a review."""
    found = await snapshot.all(Review, _REVISIONS, team=team, start=start, end=end)
    return found[0] if found else None


async def rules_of(snapshot: Snapshot) -> RuleSet:
    """The rule-set that the organisation adopted last; the one of the package, if it has none of its own."""
    found = await snapshot.all(OwnRuleSet, _LAST_RULES)
    return RuleSet.model_validate(found[0].rules) if found else rule_set.built_in()


async def lines_moved(snapshot: Snapshot, rules: Rules, start: date) -> list[str]:
    """The parts of a rule-set by which something is weak that were others when a period began: what is judged by lines
    that were drawn when it had begun may be judged by what was seen of it."""
    held = await snapshot.all(OwnRuleSet, _RULES_OF, start=start)
    then = RuleSet.model_validate(held[0].rules) if held else rule_set.built_in()
    return [each for each in LINES if getattr(then, each) != getattr(rules, each)]


async def options_of(snapshot: Snapshot) -> Catalogue:
    """The options that the organisation adopted last; those of the package, if it has none of its own."""
    found = await snapshot.all(OwnOptions, _LAST_OPTIONS)
    if not found:
        return options.built_in()
    return Catalogue.model_validate({"version": found[0].named, "options": found[0].options})
