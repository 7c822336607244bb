"""What a body is told about its faults reads as a sentence, and names stay as they are written."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import AfterValidator

from shared.errors import Invalid
from shared.http.bodies import Body
from shared.http.problems import parse


def _never(text: str) -> str:
    raise ValueError(text)


class Anything(Body):
    """A body whose rule is whatever it says."""

    rule: Annotated[str, AfterValidator(_never)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("FREQ is DAILY", "FREQ is DAILY"),
        ("UNTIL", "UNTIL"),
        ("Every day is too often", "every day is too often"),
        ("A rule ends once", "a rule ends once"),
        ("2MO counts the days of a month", "2MO counts the days of a month"),
    ],
)
def test_a_fault_begins_small_unless_with_a_name_in_capitals(said: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(Anything, b'{"rule": "%s"}' % said.encode())
    assert [(fault.pointer, fault.detail) for fault in refused.value.faults] == [("/rule", told)]
