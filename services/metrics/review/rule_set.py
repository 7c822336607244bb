"""The rule-set of a review: which lines, least numbers, caps and weights hold. It is data; this says what is valid."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from pydantic import model_validator

from services.metrics.review.catalogue import MEASURES
from services.metrics.review.thresholds import Rules


class RuleSet(Rules):
    """A rule-set that speaks only of measures there are."""

    @model_validator(mode="after")
    def _known(self) -> RuleSet:
        refuse_unknown({*self.lines, *self.least, *(each for parts in self.indices.values() for each in parts)})
        if set(self.indices) != {"COM", "TWK"} or not all(self.indices.values()):
            raise ValueError(
                f"the indices are COM and TWK, each of at least one measure, not {', '.join(self.indices)}"
            )
        return self


def refuse_unknown(measures: set[str]) -> None:
    """Only measures that there are can be spoken of."""
    unknown = sorted(measures - MEASURES.keys())
    if unknown:
        raise ValueError(f"there is no measure {', '.join(unknown)}; there are {', '.join(sorted(MEASURES))}")


@cache
def built_in() -> RuleSet:
    """The rule-set that comes with the package."""
    return RuleSet.model_validate(data_file("rules.toml"))


def data_file(name: str) -> dict[str, object]:
    """A data file of the package."""
    return tomllib.loads(files(__package__).joinpath("data", name).read_text())
