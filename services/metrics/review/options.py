"""The options there are: what may be done, at which cost, effort and risk, and what may be expected of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from services.metrics.review.rule_set import data_file, refuse_unknown
from services.metrics.review.thresholds import Positive, Share, Strict
from services.metrics.review.weaknesses import RULES
from shared.works import WORKS

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


NEEDS: Final = {
    "liaisons": ("between", "every_days"),
    "meetings": ("kind", "every_days", "minutes"),
    "trainings": ("kind", "due_days"),
    "duty": ("work", "due_days"),
    "action": ("work", "due_days"),
}
"""What a step of each sort says; of meetings also how many there are, if not as many as there is time for."""
KINDS: Final = {"meetings": ("joint", "debrief", "team"), "trainings": ("teamwork", "selling", "product")}


class Step(Strict):
    """What an option is carried out by; teams or meetings make it of a decision."""

    what: Literal["liaisons", "meetings", "trainings", "duty", "action"]
    between: Literal["uncovered ties", "isolates"] | None = None
    kind: Literal["joint", "debrief", "team", "teamwork", "selling", "product"] | None = None
    work: str | None = None
    every_days: int | None = Field(default=None, ge=1, le=91)
    minutes: int | None = Field(default=None, ge=5, le=24 * 60)
    times: int | None = Field(default=None, ge=1, le=100)
    due_days: int | None = Field(default=None, ge=1, le=366)

    @model_validator(mode="after")
    def _whole(self) -> Step:
        said = {name for name, value in self if value is not None} - {"what"}
        wrong = said ^ set(NEEDS[self.what])
        if wrong - ({"times"} if self.what == "meetings" else set()):
            raise ValueError(
                f"{self.what} say {', '.join(NEEDS[self.what])}, not {', '.join(sorted(said)) or 'nothing'}"
            )
        if self.kind is not None and self.kind not in KINDS[self.what]:
            raise ValueError(f"{self.what} are {', '.join(KINDS[self.what])}, not {self.kind}")
        if self.work is not None and self.work not in WORKS:
            raise ValueError(f"there is no work {self.work}; there are {', '.join(WORKS)}")
        return self


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
    not_with: tuple[str, ...] = ()
    """Options that are not joined with it to a package."""
    reversible: bool = True
    balance: str | None = None
    """What must not get worse by it."""
    risks: tuple[Risk, ...] = ()
    effects: dict[str, Effect] = Field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Option:
        refuse_unknown(set(self.effects))
        sorts = [each.what for each in self.steps]
        if len(set(sorts)) != len(sorts):
            raise ValueError(f"an option has one step of each sort; these are {', '.join(sorts)}")
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
        unknown = sorted({name for each in self.options for name in each.not_with} - set(names))
        if unknown:
            raise ValueError(f"there is no option {', '.join(unknown)} that another is not joined with")
        return self

    def applicable(self, codes: Iterable[str]) -> list[Option]:
        """Those that are meant for one of these weaknesses, and doing nothing."""
        found = set(codes)
        return [each for each in self.options if each.id == NO_ACTION or found & set(each.when)]


@cache
def built_in() -> Catalogue:
    """The options that come with the package."""
    return Catalogue.model_validate(data_file("options.toml"))
