"""What jobs need of a skill, by day: the same to its owner and to whoever is told of it, whatever is said in which
order."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.facts.skills import SkillFact, skills
from services.teams.domain.learning import Skill
from shared.events.trainings import SkillChanged

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(12)]
said = st.tuples(st.sampled_from(["Seller", "Buyer"]), st.integers(0, 5), st.sampled_from(DAYS))


@given(st.lists(said, max_size=12))
def test_who_is_told_of_needs_knows_them_of_every_day_as_their_owner_does(acts: list[tuple[str, int, date]]) -> None:
    skill, named = Skill.found(name="Listening", id="skill_1", externals={})
    fact = SkillFact.make(id="skill_1")
    skills.fold(fact, named)
    for job, level, on in acts:
        before = {(each, day): skill.needed_on(each, day) or 0 for each in ("Seller", "Buyer") for day in DAYS}
        changed = skill.need(job, level, on)
        assert skill.needed_on(job, on) == (level or None)
        after = {(each, day): skill.needed_on(each, day) or 0 for each in ("Seller", "Buyer") for day in DAYS}
        # The past stays, and what was said of another job.
        assert {key: value for key, value in after.items() if key[0] != job or key[1] < on} == {
            key: value for key, value in before.items() if key[0] != job or key[1] < on
        }
        assert (changed is None) == (before == after)
        if changed is not None:
            skills.fold(fact, changed)
        assert {key: fact.needed_on(*key) for key in after} == after
        assert fact.needed_on(None, on) == 0


def test_what_was_said_without_a_day_has_always_been_so() -> None:
    skill = Skill.make(id="skill_1", name="Listening", needed={"Seller": 3})
    fact = SkillFact.make(id="skill_1")
    skills.fold(fact, SkillChanged(name="Listening", needed={"Seller": 3}))
    for day in (date.min, FIRST):
        assert (skill.needed_on("Seller", day), fact.needed_on("Seller", day)) == (3, 3)
    changed = skill.need("Seller", 4, FIRST)
    assert changed is not None
    skills.fold(fact, changed)
    for day, level in ((date.min, 3), (FIRST - timedelta(days=1), 3), (FIRST, 4)):
        assert (skill.needed_on("Seller", day), fact.needed_on("Seller", day)) == (level, level)
    # A release that keeps no days may say something in between.
    skill.needed = {"Seller": 2}
    assert skill.needed_on("Seller", date.min) == 2
