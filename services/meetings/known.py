"""What meetings knows of departments, teams and members: enough to invite them and to let them ask each other."""

from __future__ import annotations

from shared.consumer import Subscriptions
from shared.events import PEOPLE
from shared.known import departments, members, organisation, people, teams

subscriptions = Subscriptions("concert.teams", PEOPLE)
subscriptions.keep(organisation, departments, members, teams, people)
