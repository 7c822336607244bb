"""What cannot be a part of a target, and parts that do not sum to it."""

from __future__ import annotations

from shared.errors import Refused


class CascadeDoesNotBalance(Refused):
    """The parts sum to {actual}; with {over} % of over-assignment they must sum to {wanted} ({value} is aimed at): the
    difference is {difference}."""

    status, at = 422, "/children"


class CascadeInOtherUnits(Refused):
    """The target is in {unit}, its parts are in {units}; all of them share one unit."""

    status, at = 422, "/children"


class PartOfAnother(Refused):
    """{child} is a part of {parent} already; a target is a part of one other only."""

    status, at = 409, "/children"


class PartOfItself(Refused):
    """{child} stands above {parent}; it cannot be a part of it."""

    status, at = 409, "/children"


class ChildOutsideThePeriod(Refused):
    """{child} does not lie within {period}, the days of the target it is a part of."""

    status, at = 422, "/children"


class PartInAnotherUnit(Refused):
    """{parent} is in {unit}, this part of it in {other}; both share one unit."""

    status, at = 422, "/parent"


class PartOutsideThePeriod(Refused):
    """{period} does not lie within {whole}, the days of {parent}, which it is to be a part of."""

    status, at = 422, "/parent"
