"""Trained against comparable untrained members: who is compared, the difference, and when nothing is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from services.metrics.views.comparison import Case, effect_of
from services.metrics.views.training_effect import known_within


def case(member: str, before: str, after: str, **fields: object) -> Case:
    plain = Case(member, "2026-01-01", "sales", 12, Fraction(before), Fraction(after))
    return replace(plain, **fields)  # type: ignore[arg-type]


def several(name: str, change: Sequence[str], before: str = "0.8") -> list[Case]:
    return [case(f"{name}{place}", before, str(Fraction(before) + Fraction(each))) for place, each in enumerate(change)]


def test_the_difference_is_the_change_of_the_trained_less_that_of_the_others() -> None:
    trained = several("t", ["0.10", "0.20", "0.30", "0.20", "0.20"])
    untrained = several("u", ["0.00", "0.10", "0.20", "0.10", "0.10"])
    found = effect_of(trained, untrained)
    assert (found.trained, found.untrained, found.difference) == (5, 5, Fraction(1, 10))
    # Both spreads are 0.005, so the error is sqrt(0.002), and Welch's freedom is 8: 2.306 times that.
    assert found.half is not None
    assert round(found.half, 6) == round(type(found.half)("2.306") * type(found.half)("0.002").sqrt(), 6)


def test_the_example_of_the_documents() -> None:
    """`docs/training-effect.md`: 8.8 points, between 2.4 and 15.2."""
    trained = {"A": (80, 95), "B": (82, 90), "C": (75, 93), "D": (90, 102), "E": (78, 84)}
    untrained = {"P": (80, 84), "Q": (85, 86), "R": (70, 76), "S": (92, 90), "T": (77, 83), "U": (120, 118)}
    found = effect_of(
        *([case(who, f"{before}/100", f"{after}/100") for who, (before, after) in side.items()]
          for side in (trained, untrained))
    )  # fmt: skip
    assert (found.trained, found.untrained, found.difference) == (5, 5, Fraction(88, 1000))
    assert found.half is not None
    assert round(found.half, 3) == type(found.half)("0.064")


def test_fewer_than_five_on_either_side_claim_nothing() -> None:
    five, four = several("t", ["0.1"] * 5), several("u", ["0"] * 4)
    for trained, untrained, sizes in ((five, four, (5, 4)), (four, five, (4, 5)), (five, [], (0, 0))):
        found = effect_of(trained, untrained)
        assert (found.trained, found.untrained, found.difference, found.half) == (*sizes, None, None)


def test_only_who_differs_in_little_but_the_training_is_compared() -> None:
    one = case("a", "0.8", "1")
    assert one.comparable(case("b", "1", "1"))
    assert not one.comparable(case("b", "1.01", "1"))
    assert not one.comparable(case("a", "0.8", "1"))
    for other in ({"department": "hr"}, {"months": "2026-02-01"}, {"tenure": 11}, {"tenure": 24}):
        assert not one.comparable(case("b", "0.8", "1", **other)), other
    assert one.comparable(case("b", "0.8", "1", tenure=23))


def test_a_few_untrained_beside_whom_nobody_stands_change_nothing() -> None:
    trained, untrained = several("t", ["0.2"] * 5), several("u", ["0.1"] * 6)
    strangers = several("s", ["0.9"] * 7, before="0.1")
    assert effect_of(trained, untrained) == effect_of(trained, [*untrained, *strangers])


def test_members_of_one_kind_count_as_often_as_somebody_was_trained_there() -> None:
    # Nine of ten are trained where attainment was low and rose by itself; that is no effect of the training.
    low = several("tl", ["0.5"] * 9, before="0.2")
    high = several("th", ["0"], before="1")
    untrained = [*several("ul", ["0.5"] * 5, before="0.2"), *several("uh", ["0"] * 5, before="1")]
    assert effect_of([*low, *high], untrained).difference == 0


def test_an_effect_belongs_to_the_period_in_which_it_becomes_known() -> None:
    quarter = known_within(date(2026, 7, 1), date(2026, 10, 1))
    # What was completed in April is measured from May to July, and known when August begins.
    ends = [around.after.end for around in quarter]
    assert ends == [date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)]
    assert [around.month for around in quarter] == [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]
    assert known_within(date(2026, 7, 1), date(2026, 7, 15)) == []
