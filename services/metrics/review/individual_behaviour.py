"""Cell 1, individual behaviour: for the person and who leads them, for their development only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from services.metrics.review.association import Help
from services.metrics.review.conventions import mean_of, median_of, score100
from services.metrics.review.inputs import Inputs, Meeting, Thing
from services.metrics.review.measure import Measure, Value

IB1 = Measure(
    "IB1", "meeting participation", "individual behaviour",
    "Meetings attended of those they were invited to and not excused from.",
    "attended ÷ (invited - excused)", "attendance is not contribution; meetings of more than 12 people do not count", 6,
)  # fmt: skip
IB2 = Measure(
    "IB2", "contribution to meetings", "individual behaviour",
    "Meetings in which they raised an item, took an action or resolved something.",
    "meetings with a contribution ÷ attended", "meetings are counted, not items: splitting one gains nothing", 6,
)  # fmt: skip
IB3 = Measure(
    "IB3", "breadth of help", "individual behaviour",
    "Team mates whose items they resolved or whose actions they helped with.",
    "distinct team mates helped ÷ (n - 1)", "breadth, not volume; who is the hub of all help is relieved first (R1)", 3,
)  # fmt: skip
IB4 = Measure(
    "IB4", "follow-through", "individual behaviour",
    "Own actions that were done by the day they were due.", "done by the due day ÷ due",
    "an action that was put off counts by the day agreed on with who asked for it", 8,
)  # fmt: skip
IB5 = Measure(
    "IB5", "answers given on time", "individual behaviour",
    "Requests addressed to the person that were answered by the promised day.", "answered on time ÷ addressed",
    "what was reopened was not answered", 8,
)  # fmt: skip
IB6 = Measure(
    "IB6", "peers' cooperation score", "individual behaviour",
    "What team mates say of three kinds of behaviour.", "(mean - 1) ÷ 4 · 100",
    "never for pay; the team's average stands beside it; nobody has to be rated; at least 4 raters and a team of 6", 4,
    private=True,
)  # fmt: skip
IB7 = Measure(
    "IB7", "teamwork training", "individual behaviour", "Trainings in teamwork they completed of those assigned.",
    "completed ÷ assigned", "having been there is not being able to: R6 needs the check",
)  # fmt: skip
IB8 = Measure(
    "IB8", "resilience after setbacks", "individual behaviour",
    "Customer activities in the ten working days after a setback against those of windows before.",
    "median over setbacks of (activities after ÷ own median before)",
    "for the person and a coach only; a reason to support, never a score", 3, unit="ratio", private=True,
)  # fmt: skip
SMALLEST_TEAM: Final = 6
"""In a smaller one it could be guessed who said what."""


def participation(inputs: Inputs, member: str, large: int) -> Value:
    """IB1: attended ÷ (invited - excused). Who is absent is not invited: absence takes the opportunity away."""
    asked = [
        each for each in inputs.meetings
        if len(each.invited) <= large and member in each.invited - each.excused and could_come(inputs, member, each)
    ]  # fmt: skip
    return IB1.share(sum(member in each.attended for each in asked), len(asked), sources=_all(asked))


def could_come(inputs: Inputs, member: str, meeting: Meeting) -> bool:
    """Whether a member could be at a meeting: whoever came though they were away could."""
    return member in meeting.attended or not inputs.away_on(member, meeting.on)


def contribution(inputs: Inputs, member: str) -> Value:
    """IB2: meetings with at least one contribution ÷ attended."""
    attended = [each for each in inputs.meetings if member in each.attended]
    active = {each.meeting for each in inputs.items if member == each.raised_by or member in each.resolved_by}
    active |= {each.meeting for each in inputs.actions if member == each.owner or member in each.helpers}
    return IB2.share(sum(each.id in active for each in attended), len(attended), sources=_all(attended))


def breadth(inputs: Inputs, member: str, helps: Sequence[Help]) -> Value:
    """IB3: distinct team mates helped ÷ (n - 1)."""
    mine = [each for each in helps if each.giver == member]
    helped = {each.receiver for each in mine} & set(inputs.ids) - {member}
    return IB3.share(len(helped), len(inputs.ids) - 1, sources=(each.source for each in mine))


def follow_through(inputs: Inputs, owners: Iterable[str], least: int | None = None) -> Value:
    """IB4: done by the due day ÷ due; of one member, or pooled over a team."""
    wanted = set(owners)
    due = [each for each in inputs.actions if each.owner in wanted and each.due < inputs.asked]
    kept = sum(each.done_on is not None and each.done_on <= each.due for each in due)
    return IB4.share(kept, len(due), least, _all(due))


def answering(inputs: Inputs, member: str) -> Value:
    """IB5: answered by the promised day ÷ addressed to the person and due."""
    addressed = [each for each in inputs.requests if each.to_member == member and each.due_by(inputs.asked)]
    kept = sum(each.answered == 1 for each in addressed)
    return IB5.share(kept, len(addressed), sources=_all(addressed))


def peers(inputs: Inputs, member: str) -> Value:
    """IB6: the mean of what at least four team mates say, of a team of at least six; never without the team's."""
    found, team = inputs.peers.get(member), len(inputs.ids)
    average = peers_of_team(inputs).value
    if found is None or average is None or team < SMALLEST_TEAM or found.answers < IB6.least:
        raters = found.answers if found else 0
        return IB6.nothing(
            f"{raters} raters in a team of {team}; at least {IB6.least} in one of {SMALLEST_TEAM} are needed"
        )
    return replace(IB6.answers(found, IB6.least, 0.0), beside=average)


def peers_of_team(inputs: Inputs) -> Value:
    """IB6 of the team: the mean of its members'; of fewer than four it would tell one of them to the others."""
    rated = [each for member in inputs.ids if (each := inputs.peers.get(member)) and each.answers >= IB6.least]
    if len(rated) < IB6.least:
        return IB6.nothing(f"{len(rated)} of at least {IB6.least} members of whom enough was said")
    sources = (name for each in rated for name in each.sources)
    return IB6.number(mean_of([score100(each.mean) for each in rated]), len(rated), sources)


def teamwork_training(inputs: Inputs, member: str) -> Value:
    """IB7: completed ÷ assigned."""
    mine = [each for each in inputs.trainings if each.member == member and each.teamwork]
    value = IB7.share(sum(each.completed_on is not None for each in mine), len(mine), sources=_all(mine))
    checks = [each.passed for each in mine if each.passed is not None]
    return replace(value, note=f"{sum(checks)} of {len(checks)} checks passed") if checks else value


def resilience(inputs: Inputs, member: str) -> Value:
    """IB8: the median over setbacks of the activities after one against the person's own usual ones before it.

    It names none of the setbacks: whose they were is told to nobody else.
    """
    ratios = [each.after / each.usual for each in inputs.setbacks if each.member == member and each.usual > 0]
    if len(ratios) < IB8.least:
        return IB8.nothing(f"{len(ratios)} of at least {IB8.least} setbacks after which activities are known")
    return IB8.number(median_of(ratios), len(ratios))


def _all(things: Iterable[Thing]) -> list[str]:
    return [each.subject for each in things]
