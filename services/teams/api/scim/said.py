"""What is said in a user of SCIM: several places may say the same, and which of them counts stands here."""

from __future__ import annotations

from services.teams.api.scim.language import Unfit
from services.teams.api.scim.models import ConcertUser, EnterpriseUser, ScimUser


def started(user: ScimUser) -> str | None:
    said: ConcertUser | None = user[ConcertUser]
    return said.starts_on if said else None


def department_of(user: ScimUser | None) -> str | None:
    said: EnterpriseUser | None = user[EnterpriseUser] if user else None
    return (said.department or None) if said else None


def manager_of(user: ScimUser | None) -> str | None:
    said: EnterpriseUser | None = user[EnterpriseUser] if user else None
    return (said.manager.value or None) if said and said.manager else None


def user_name_of(user: ScimUser) -> str:
    name = (user.user_name or "").strip()
    if not 0 < len(name) <= 200:
        raise Unfit("invalidValue", f"A userName has 1 to 200 characters; this one has {len(name)}.")
    return name


def whole_name(user: ScimUser) -> str | None:
    parts = user.name
    return user.display_name or (parts and (parts.formatted or _of_parts(user))) or None


def _of_parts(user: ScimUser) -> str:
    return " ".join(each for each in (user.name and user.name.given_name, user.name and user.name.family_name) if each)


def new_name(before: ScimUser, after: ScimUser) -> str:
    """The name after a change: what is said of the whole counts before what is said of its parts."""
    if after.display_name and after.display_name != before.display_name:
        return after.display_name
    if after.name != before.name and after.name:
        if after.name.formatted and after.name.formatted != (before.name and before.name.formatted):
            return after.name.formatted
        whole = after.name.given_name and after.name.family_name
        return _of_parts(after) if whole else str(before.display_name)
    return str(before.display_name)


def email_of(user: ScimUser) -> str | None:
    """The one address that is kept."""
    emails = [each for each in user.emails or () if each.value]
    emails.sort(key=lambda each: (not each.primary, each.type != "work"))
    return emails[0].value if emails else None
