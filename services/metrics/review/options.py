"""The options there are: what may be done, at which cost, effort and risk, and what may be expected of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.metrics.review.rule_set import data_file, refuse_unknown
from services.metrics.review.thresholds import Positive, Share, Strict
from services.metrics.review.weaknesses import RULES

Amount = Annotated[float, Field(ge=0)]
Kind = Literal["none", "communication", "teamwork", "hybrid", "clarity", "selling", "load", "target", "process",
               "support"]  # fmt: skip
NO_ACTION = "O0"


class Risk(Strict):
    """What may go wrong, how likely, and what that costs: never a colour."""

    what: str
    probability: Share
    loss: Amount


class Effect(Strict):
    """What is expected on a measure, in its points, and how sure that is."""

    mean: float
    deviation: Positive
    source: Literal["assumption", "own results"] = "assumption"


class Option(Strict):
    """Something that may be done."""

    id: str = Field(min_length=1, max_length=40)
    kind: Kind
    description: str = Field(min_length=1, max_length=400)
    when: tuple[str, ...] = ()
    """The weaknesses it is meant for."""
    change: Literal["low", "medium", "high"]
    difficulty: int = Field(ge=1, le=5)
    cost: Amount = 0
    hours_each: Amount = 0
    hours_besides: Amount = 0
    weeks: Amount = 0
    """Until the first effect."""
    probability: Share = 1
    """That it is really carried out."""
    adds_meetings: bool = False
    via_hub: bool = False
    reversible: bool = True
    balance: str | None = None
    """What must not get worse by it."""
    risks: tuple[Risk, ...] = ()
    effects: dict[str, Effect] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Option:
        refuse_unknown(set(self.effects))
        unknown = sorted(set(self.when) - RULES.keys())
        if unknown:
            raise ValueError(f"there is no weakness {', '.join(unknown)}; there are {', '.join(sorted(RULES))}")
        return self

    def hours(self, members: int) -> float:
        """The effort of a team of so many."""
        return self.hours_each * members + self.hours_besides

    @property
    def expected_loss(self) -> float:
        """Σ probability · loss, in money."""
        return sum(each.probability * each.loss for each in self.risks)


class Catalogue(Strict):
    """The options an organisation chooses from; doing nothing is always one of them."""

    version: str = Field(min_length=1, max_length=80)
    options: tuple[Option, ...]

    @model_validator(mode="after")
    def _whole(self) -> Catalogue:
        names = [each.id for each in self.options]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is there more than once")
        if NO_ACTION not in names:
            raise ValueError(f"{NO_ACTION}, no action, is always one of the options")
        return self

    def applicable(self, codes: Iterable[str]) -> list[Option]:
        """Those that are meant for one of these weaknesses, and doing nothing."""
        found = set(codes)
        return [each for each in self.options if each.id == NO_ACTION or found & set(each.when)]


@cache
def built_in() -> Catalogue:
    """The options that come with the package."""
    return Catalogue.model_validate(data_file("options.toml"))
