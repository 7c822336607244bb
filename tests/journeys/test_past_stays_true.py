"""Whatever people do later, what a team and its members won before stays what it was, to the cent.

A model keeps a plain list of what was won. Members move between teams and leave their groups by it, teams are split
into groups anew, deals are won with splits, line by line, for other teams than their owner's, and on days long past;
something else is agreed on with them, which counts from that day on; they turn out to be won by mistake, and count
nowhere; and customers are lost and won back. After each act the revenue of every team, group, member, customer and
product of every month must be the model's; at the end also each seen through another, what was invoiced of it and what
was not, the customers of each, and the rows behind it. `LIVES` says how many such companies live on each kind of
engines: 4 unless told, 40 by `make fuzz`.
"""

from __future__ import annotations

import os

from tests.journeys.past.acts import lives
from tests.journeys.past.checks import check, check_over_http
from tests.journeys.past.company import Company
from tests.world import World

LIVES = int(os.environ.get("LIVES", "4"))


async def test_past_figures_never_move_and_parts_sum_to_the_whole_to_the_cent(standing: World) -> None:
    # All are drawn first, on the loop: while they are, nobody else may draw random numbers, as a running Concert does.
    for acts in lives(LIVES):
        company = Company(standing)
        await company.settle_in()
        try:
            for act in acts:
                await company.do(act)
                await check(company)
            await check(company, all_of_it=True)
            await check_over_http(company)
        except AssertionError as error:
            error.add_note(f"after {acts}")
            raise
