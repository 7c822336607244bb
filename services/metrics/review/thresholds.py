"""The lines, least numbers, caps and weights that a rule-set says, part by part, and which of them are valid."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

CRITERIA: Final = ("benefit", "risk", "cost", "effort", "time")
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=200)]


class Strict(BaseModel):
    """A part of a rule-set: all of it is said, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Line(Strict):
    """From where on something is healthy, and below which it is weak."""

    healthy: Percent
    weak: Percent

    @model_validator(mode="after")
    def _ordered(self) -> Line:
        if self.weak >= self.healthy:
            raise ValueError(f"the weak line {self.weak:g} is not below the healthy line {self.healthy:g}")
        return self


class SurveyRules(Strict):
    """When the answers of a survey may be shown."""

    inside: int = Field(ge=4)
    outside: int = Field(ge=5)
    response: Share


class GraphRules(Strict):
    """What makes a tie."""

    cap: Positive
    half: Positive
    tie: Positive
    strong: Positive
    meeting: Share
    check_in: Share
    large_meeting: int = Field(ge=3)
    settled_days: int = Field(ge=1)
    labelings: int = Field(ge=100, le=100_000)


class ResultRules(Strict):
    """How results are drawn towards what is expected."""

    prior_deals: Positive
    between: Positive
    within: Positive
    goal_cap: Positive
    market: dict[str, Positive] = Field(default_factory=dict)
    """By region, how its market grew against what was planned: what may be expected of everybody in it."""
    draws: int = Field(ge=100, le=10_000)


Errors = Literal["adjusted", "plain"]


class WeaknessRules(Strict):
    """When something is a weakness."""

    help_share: Share
    removal_impact: Share
    isolated_weeks: float = Field(ge=0)
    meeting_hours: Share
    answers: int = Field(ge=1)
    line_of_sight: Percent
    clear_roles: Percent
    teams_below: Share
    attainment: Percent
    satisfaction: Percent
    normal_activity: Share
    resilience: float = Field(ge=0)


class DataRules(Strict):
    """What a recommendation needs at least."""

    members: int = Field(ge=1)
    needs: int = Field(ge=1)
    due_actions: int = Field(ge=1)


class TrainingRules(Strict):
    """When a team counts as trained."""

    coverage: Percent
    passed: Percent
    months: int = Field(ge=1)
    courses: tuple[str, ...] = ()
    """The courses that train teamwork, by id; without any, nothing is known of such trainings."""


class Swing(Strict):
    """What each full swing is worth, in money or in points; a weight is its share of the sum."""

    benefit: Annotated[float, Field(ge=0)]
    risk: Annotated[float, Field(ge=0)]
    cost: Annotated[float, Field(ge=0)]
    effort: Annotated[float, Field(ge=0)]
    time: Annotated[float, Field(ge=0)]

    @property
    def sum(self) -> float:
        """What all of them are worth."""
        return self.benefit + self.risk + self.cost + self.effort + self.time

    @property
    def in_money(self) -> bool:
        """Whether management has said what they are worth, instead of shares of one."""
        return self.sum > 1.5


class RankingRules(Strict):
    """The fixed scales, and how much better something must be."""

    budget: Positive
    loss: Positive
    effort: Share
    hours_per_week: Positive
    hourly_rate: Positive
    weeks: Positive
    better: Positive
    probability: Share
    variants: int = Field(ge=0, le=10)
    swing: Swing

    @model_validator(mode="after")
    def _weights(self) -> RankingRules:
        if not self.swing.in_money and abs(self.swing.sum - 1) > 1e-9:
            raise ValueError(f"the weights sum to {self.swing.sum:.4g}, not to 1; swings in money sum to more")
        return self


class Rules(Strict):
    """All of it."""

    version: str = Field(min_length=1, max_length=80)
    baseline_periods: int = Field(ge=0)
    accept_single_period: bool
    line: Line
    lines: dict[str, Line] = Field(default_factory=dict)
    least: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    survey: SurveyRules
    graph: GraphRules
    indices: dict[str, tuple[str, ...]]
    errors: Errors = "adjusted"
    """How sure the shares in an index are: the adjusted standard error, or the plain one, to read along by hand."""
    results: ResultRules
    weakness: WeaknessRules
    data: DataRules
    training: TrainingRules
    ranking: RankingRules

    def line_of(self, measure: str) -> Line:
        """The lines of a measure."""
        return self.lines.get(measure, self.line)
