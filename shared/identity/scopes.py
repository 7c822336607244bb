"""What a token may be allowed: `<collection>:<read|write>`, and which of these a department or a person gets.

A scope says which kind of thing may be read or written. Which of those things (one's own, one's team's, a meeting one
takes part in) is decided by the service that owns them. Writing includes reading, because a write answers with what
it wrote; `views:read` includes each department's view; `admin` includes everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ADMIN: Final = "admin"
DEPARTMENTS: Final = ("sales", "finance", "accounting", "hr", "it")

COLLECTIONS: Final[dict[str, str]] = {
    "teams": "organisation departments members absences people teams groups openings duties skills courses trainings"
    " equipment setbacks recognitions challenges onboardings reputation peer-rounds scim",
    "targets": "goals metrics readings targets stages forecasts progress follow-ups customers products deals invoices"
    " receipts budgets expenses feedback rates role-weights accomplishments own-measures credit-changes"
    " credit-approvals",
    "meetings": "series templates calendars meetings items outcomes actions requests check-ins liaisons pulses",
    "metrics": "views consistency scorecards associations reviews review-charters rule-sets options parked"
    " imports events webhooks",
    "every service": "books mentions",
}
"""What can be read and written, by the service that owns it. `people` are names and e-mail addresses; `scim` is what an
identity tool needs, and nothing else."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A line of the table of permissions: who may read and write what, and why."""

    who: str
    write: str
    read: str
    why: str

    def scopes(self) -> frozenset[str]:
        """The line as scopes."""
        written = {f"{collection}:write" for collection in self.write.split()}
        return frozenset(written | {f"{collection}:read" for collection in self.read.split()})


EVERYBODY = Grant(
    "everybody",
    write="series templates calendars meetings items outcomes actions requests check-ins liaisons recognitions"
    " accomplishments",
    read="organisation departments members teams groups goals metrics stages role-weights own-measures products skills"
    " courses"
    " challenges options rule-sets review-charters events",
    why="departments meet, ask each other for help and thank each other; members appear by their id, not their name",
)
TABLE: Final = (
    Grant(
        "sales",
        write="customers deals credit-changes targets stages forecasts follow-ups goals metrics readings feedback"
        " reputation duties role-weights setbacks teams groups"
        " challenges reviews imports",
        read="views.sales progress people invoices receipts rates trainings equipment openings onboardings scorecards"
        " associations",
        why="sales wins customers and deals, organises its teams and targets, and must know what has been paid",
    ),
    Grant(
        "finance",
        write="products targets credit-approvals stages forecasts goals metrics rates imports",
        read="views.finance progress follow-ups customers deals credit-changes invoices receipts budgets expenses"
        " feedback consistency books",
        why="finance says what things cost, at which rate, and what is aimed at; it reads the money but books none",
    ),
    Grant(
        "accounting",
        write="invoices receipts budgets expenses imports",
        read="views.accounting progress customers deals credit-changes targets forecasts rates trainings equipment"
        " consistency books",
        why="accounting books what was invoiced, received, planned and spent; it does not change what was sold",
    ),
    Grant(
        "hr",
        write="members absences people openings trainings courses skills onboardings teams groups departments"
        " challenges setbacks pulses peer-rounds scim review-charters imports",
        read="views.hr equipment duties reputation",
        why="hr recruits, trains and looks after people; no other department sees or changes personal data",
    ),
    Grant(
        "it",
        write="equipment imports",
        read="views.it people onboardings openings parked consistency books webhooks",
        why="it hands out equipment, answers requests and watches the information itself, without changing it",
    ),
)
MEMBER = Grant(
    "member",
    write="duties setbacks pulses peer-rounds readings follow-ups own-measures",
    read="people progress targets forecasts trainings equipment onboardings scorecards associations reviews",
    why="a member sees and reports what concerns them",
)
SALES_MEMBER = Grant(
    "member of sales",
    write="customers deals credit-changes feedback",
    read="invoices receipts rates reputation",
    why="and, in sales, works on customers and deals",
)
LEADER = Grant(
    "leader",
    write="targets forecasts follow-ups goals duties groups openings reviews credit-changes credit-approvals",
    read="absences associations reputation budgets",
    why="a leader also organises the team, and sees its figures and those of the department",
)

DEPARTMENT_SCOPES: Final[dict[str, frozenset[str]]] = {
    grant.who: grant.scopes() | EVERYBODY.scopes() for grant in TABLE
}
"""What a tool of a department may do unless its token says otherwise."""


def tool_scopes(department: str) -> frozenset[str]:
    """What a tool of a department gets; one that is not built in takes part in meetings and requests."""
    return DEPARTMENT_SCOPES.get(department, EVERYBODY.scopes())


def member_scopes(department: str | None = None, *, leader: bool = False) -> frozenset[str]:
    """What a person gets, as a member of a department or as its leader."""
    scopes = EVERYBODY.scopes() | MEMBER.scopes()
    if department == "sales":
        scopes |= SALES_MEMBER.scopes()
    if leader:
        scopes |= LEADER.scopes()
        if department in DEPARTMENTS:
            scopes |= {f"views.{department}:read"}
    return scopes


def known_scopes() -> frozenset[str]:
    """Every scope there is."""
    collections = {name for names in COLLECTIONS.values() for name in names.split()}
    collections |= {f"views.{department}" for department in DEPARTMENTS}
    return frozenset({f"{name}:{access}" for name in collections for access in ("read", "write")} | {ADMIN})


def as_table() -> str:
    """The table of permissions as Markdown, for the documents."""
    rows = ["| who | may write | may also read | because |", "| --- | --- | --- | --- |"]
    rows += [
        f"| {grant.who} | {', '.join(grant.write.split())} | {', '.join(grant.read.split())} | {grant.why} |"
        for grant in (EVERYBODY, *TABLE, MEMBER, SALES_MEMBER, LEADER)
    ]
    return "\n".join(rows) + "\n"
