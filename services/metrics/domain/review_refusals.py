"""What cannot be done with a review, and why."""

from __future__ import annotations

from shared.errors import Refused


class Outdated(Refused):
    """Revision {revision} of this review is outdated; {by} stands for it."""


class TooOldToDecide(Refused):
    """This review is older than half a year, and since {on} tells nothing of members; review a later period."""


class AlreadyDecided(Refused):
    """On this review {options} was decided on {on}."""


class NotAmongTheOptions(Refused):
    """{option} is not among the options of this review; these are {known}."""

    status, at = 422, "/options"


class DeviatesWithoutReason(Refused):
    """The review recommends {recommended}; who decides {chosen} says why."""

    status, at = 422, "/reason"


class CarriedOutAlready(Refused):
    """Of what was decided {done} of {planned} planned {what} of {option} are done; what has been carried out cannot be
    withdrawn. Its steps end by their own verbs."""


class StartWasDrawn(Refused):
    """When this team starts was drawn by lot together with others; taken back of one, the lot would prove nothing."""


class JudgedWithAnother(Refused):
    """The effect of this is judged together with that of review {review}, or was already; taken back here, nothing
    would be shown there."""


class TeachesTwice(Refused):
    """The effect of this is judged together with that of review {review}; by a plan of its own it would teach the same
    twice."""


class NothingToWithdraw(Refused):
    """Nothing has been decided on this review, so there is nothing to withdraw."""


class NoSuchObjection(Refused):
    """This review has {known} objections; there is no objection {number}."""

    status, at = 422, "/objection"


class AnsweredAlready(Refused):
    """Objection {number} was answered on {on}."""

    at = "/objection"


class AnswersOwnObjection(Refused):
    """Who objects does not answer themselves; somebody else who decides on reviews does."""

    status = 403


class NoLaterRevision(Refused):
    """No later revision stands for this review, so the objection has changed nothing yet: correct the event where it
    was recorded, review the period again, and answer then."""

    status, at = 422, "/changed"


class NothingDecided(Refused):
    """Nothing has been decided on this review, so there is no effect to judge."""


class AlreadyPlanned(Refused):
    """How the effect is judged was fixed before {starts_on}; it is not changed afterwards."""


class NoBaseline(Refused):
    """A baseline needs at least {least} weeks that lie before {starts_on} and are not part of the review, which ends on
    {end}; there are {weeks}. To correct for regression to the mean instead, at least {teams} teams must have been
    reviewed in this period and the one before; there are {known}."""

    status, at = 422, "/starts_on"


class StartsBeforeDecided(Refused):
    """What was decided on {on} cannot start on {starts_on}."""

    status, at = 422, "/starts_on"


class StartsOtherwise(Refused):
    """What was decided is carried out from {starts_on} on; its effect is judged from the same day."""

    status, at = 422, "/starts_on"


class NotAlike(Refused):
    """Review {review} cannot be judged together with this one: {why}."""

    status = 422


class NobodySeesToIt(Refused):
    """{options} asks somebody to see to it; the team has no leader, so name who does."""

    status, at = 422, "/responsible"


class NothingPlanned(Refused):
    """How the effect is judged was not fixed before it started; without a baseline there is nothing to judge."""


class StillWatched(Refused):
    """The effect is watched until {until}; on {today} it is too early to judge it."""


class AlreadyJudged(Refused):
    """The effect was judged on {on}: {verdict}."""
