"""What happens in a life of a company: people move, teams are split, deals are won, amended and reopened, customers
lost, targets set, changed and closed."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st

TEAMS, MEMBERS, DAYS = 3, 4, 90
Lines = tuple[tuple[int, int], ...]
Shares = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Move:
    """A member goes to another team, some days after the last time."""

    member: int
    to: int
    later: int


@dataclass(frozen=True)
class Split:
    """A team is split into two groups, some days after all that happened to anybody; who is in which, by bits."""

    team: int
    later: int
    second: int


@dataclass(frozen=True)
class Terms:
    """What is agreed on for a day: lines of products (by cents), credited in hundredths to one or several members; to
    nobody in particular, it is the owner's, or whose it was."""

    day: int
    lines: Lines
    shares: Shares


@dataclass(frozen=True)
class Win:
    """A deal is won, perhaps for another team than its owner's, and perhaps invoiced at once."""

    owner: int
    customer: int
    team: int | None
    invoiced: bool
    terms: Terms


@dataclass(frozen=True)
class Amend:
    """Something else is agreed on with a deal that was won, on a day after all that was agreed on before."""

    deal: int
    terms: Terms


@dataclass(frozen=True)
class Reopen:
    """A deal was won by mistake: its closing is taken back, and perhaps it is won anew on other terms."""

    deal: int
    terms: Terms | None


@dataclass(frozen=True)
class Lose:
    """A customer is lost, some days after they were lost the last time."""

    customer: int
    later: int


@dataclass(frozen=True)
class Aim:
    """A team or a member aims at so many cents in a month, if they aim at nothing in it yet."""

    level: str
    whose: int
    month: int
    cents: int


@dataclass(frozen=True)
class Retarget:
    """A target becomes another one."""

    target: int
    cents: int


@dataclass(frozen=True)
class Close:
    """A target is closed, so many days after its month began, or before it did."""

    target: int
    later: int


Act = Move | Split | Win | Amend | Reopen | Lose | Aim | Retarget | Close


@st.composite
def _terms(draw: st.DrawFn) -> Terms:
    credited = draw(st.lists(st.integers(0, MEMBERS - 1), unique=True, max_size=3))
    between = len(credited[1:])
    cuts = sorted(draw(st.lists(st.integers(1, 99), unique=True, min_size=between, max_size=between)))
    parts = [end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)]
    return Terms(
        day=draw(st.integers(0, DAYS - 1)),
        lines=tuple(draw(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 10**7)), min_size=1, max_size=3))),
        shares=tuple(zip(credited, parts, strict=True)) if credited else (),
    )


_some = st.integers(0, 9)
_wins = st.builds(
    Win, st.integers(0, MEMBERS - 1), st.integers(0, 1), st.none() | st.integers(0, TEAMS - 1), st.booleans(), _terms()
)
_acts = st.one_of(
    st.builds(Move, st.integers(0, MEMBERS - 1), st.integers(0, TEAMS - 1), st.integers(1, 30)),
    st.builds(Split, st.integers(0, TEAMS - 1), st.integers(1, 20), st.integers(0, 2**MEMBERS - 1)),
    _wins,
    st.builds(Amend, _some, _terms()),
    st.builds(Reopen, _some, st.none() | _terms()),
    st.builds(Lose, st.integers(0, 1), st.integers(1, 60)),
    st.builds(Aim, st.sampled_from(("team", "member")), st.integers(0, TEAMS - 1), st.integers(0, 2),
              st.integers(1, 10**7)),
    st.builds(Retarget, _some, st.integers(1, 10**7)),
    st.builds(Close, _some, st.integers(-20, 50)),
)  # fmt: skip
THIRDS = ((0, 33), (1, 33), (2, 34))
LAST = (
    Win(0, customer=0, team=None, invoiced=True, terms=Terms(1, ((0, 33_35), (1, 66_66)), THIRDS)),
    Win(1, customer=1, team=2, invoiced=False, terms=Terms(40, ((1, 10_01),), ())),
    Amend(-1, Terms(64, ((0, 7_77),), ((3, 50), (1, 50)))),
    Win(2, customer=1, team=None, invoiced=True, terms=Terms(33, ((0, 50_00),), ())),
    Reopen(-1, Terms(70, ((0, 49_99),), ())),
    Win(3, customer=0, team=None, invoiced=False, terms=Terms(10, ((1, 9_00),), ((0, 50), (3, 50)))),
    Amend(-1, Terms(50, ((0, 11_00),), ())),
    Reopen(-1, None),
    Aim("team", 0, 0, 100_00),
    Aim("member", 1, 0, 50_01),
    Aim("member", 1, 1, 70_00),
    Retarget(-1, 33_33),
    Aim("team", 1, 1, 90_00),
    Close(-1, 0),
    Aim("team", 2, 2, 10_00),
    Close(-1, 10),
)
"""How every life ends: with a deal that does not divide, one that goes to others and becomes less, one that was won on
another day than was said, and one that never was, whatever was agreed on later; with targets that are changed, and
closed before and after they began."""


def lives(number: int) -> list[list[Act]]:
    """So many lives of companies, each longer than the smallest ones that come first."""
    found: list[list[Act]] = []

    @hypothesis.settings(max_examples=4 * number, database=None, phases=[Phase.generate])
    @hypothesis.given(_wins, st.lists(_acts, min_size=4, max_size=10))
    def draw(first: Win, acts: list[Act]) -> None:
        found.append([first, *acts, *LAST])

    draw()
    return found[-number:]
