"""What becomes of a user of SCIM: somebody is recruited, moves, leaves or comes back, by the verbs of members."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from services.teams.api.members import (
    ChangeMember,
    MemberLeaves,
    RecruitAgain,
    RecruitMember,
    change_member,
    describe,
    leave,
    link_member,
    recruit_again,
    recruit_member,
)
from services.teams.api.organisation import today
from services.teams.api.scim.departments import department_called
from services.teams.api.scim.language import Taken, Unfit, understood
from services.teams.api.scim.models import SOURCE, ScimName, ScimUser
from services.teams.api.scim.portraits import first_day_away
from services.teams.api.scim.said import (
    department_of,
    email_of,
    manager_of,
    new_name,
    started,
    user_name_of,
    whole_name,
)
from services.teams.api.scim.searching import called
from services.teams.domain.members import Member
from services.teams.entries import Entry, compared
from shared.http.bodies import ExternalName
from shared.store import Tx

_member = Member.__table__.c  # type: ignore[attr-defined]
_entry = Entry.__table__.c  # type: ignore[attr-defined]


async def entry_of(tx: Tx, key: str) -> Entry:
    """What the tool says of a member or a team, to be changed and put."""
    found = await tx.all(Entry, sa.select(Entry).where(_entry.id == key))
    return found[0] if found else Entry.make(id=key)


async def created(tx: Tx, user: ScimUser) -> Any:
    """The member that a new user is: recruited now, or back again who was taken out of the directory."""
    if user.active is False:
        raise Unfit("invalidValue", "Nobody is recruited who does not work here: active cannot be false at first.")
    user_name = user_name_of(user)
    member = await _gone_before(tx, user_name, user.external_id)
    name = whole_name(user) or user_name
    if member is not None:
        return await _come_back(tx, member, user, name)
    sent: dict[str, Any] = {"name": name, "starts_on": await _starts_on(tx, user), **await _sent(tx, user)}
    if "department" not in sent:
        sent["department"] = await department_called(tx, None)
    email = email_of(user)
    with understood():
        body = RecruitMember.model_validate(sent | ({"email": email} if email else {}))
    member = await recruit_member(tx, body)
    await _enter(tx, member, user, name)
    return member


async def _gone_before(tx: Tx, user_name: str, external_id: str | None) -> Member | None:
    """Who was taken out of the directory under this name; raises Taken for one who is in it."""
    for member in await tx.all(Member, sa.select(Member).where(_member.erased.is_(False), called(user_name))):
        if not (await entry_of(tx, member.id)).gone:
            raise Taken(f"Another user is called {user_name}: {member.id}.")
        return await tx.load(Member, member.id)
    found = await tx.seek(Member, f"ext:{SOURCE}:{external_id}") if external_id else None
    if found is not None and not (await entry_of(tx, found.id)).gone:
        raise Taken(f"Another user has the externalId {external_id}: {found.id}.")
    return found


async def _come_back(tx: Tx, member: Member, user: ScimUser, name: str) -> Member:
    """Somebody who was taken out of the directory is in it again, and works here again."""
    sent = await _sent(tx, user)
    if member.left_on is not None:
        starts_on = max(await _starts_on(tx, user), member.left_on)
        with understood():
            body = RecruitAgain.model_validate({"starts_on": starts_on, **sent})
        await recruit_again(tx, member, body)
    email = email_of(user)
    with understood():
        personal = ChangeMember.model_validate({"name": name, **({"email": email} if email else {})})
    await change_member(tx, member, personal)
    await _enter(tx, member, user, name)
    return member


async def become(tx: Tx, member: Member, before: ScimUser, after: ScimUser) -> None:
    """Make of a member what is said of the user."""
    user_name, day = user_name_of(after), await today(tx)
    if compared(user_name) != compared(str(before.user_name)):
        for other in await tx.all(Member, sa.select(Member).where(_member.erased.is_(False), called(user_name))):
            if other.id != member.id:
                raise Taken(f"Another user is called {user_name}: {other.id}.")
    name = new_name(before, after)
    position = await _sent(tx, after, unlike=before)
    version = member.version
    comes = bool(after.active) and not before.active
    if comes and member.left_on is not None:
        starts_on = max(await _starts_on(tx, after, unlike=before), member.left_on)
        with understood():
            again = RecruitAgain.model_validate({"starts_on": starts_on, **position})
        await recruit_again(tx, member, again)
    elif started(after) not in (None, started(before)):
        raise Unfit("mutability", f"startsOn is {started(before)}; it is told when an employment begins.")
    changes: dict[str, Any] = {} if name == before.display_name else {"name": name}
    changes |= {} if email_of(after) == email_of(before) else {"email": email_of(after)}
    # Who has left has no position any more; it is told anew when they come back.
    changes |= position if after.active and not comes else {}
    with understood():
        body = ChangeMember.model_validate(changes)
    await change_member(tx, member, body)
    if before.active and not after.active:
        await leave(tx, member, MemberLeaves(on=first_day_away(member, day)))
    await _enter(tx, member, after, name, known=before, version=version)


async def _enter(
    tx: Tx, member: Member, user: ScimUser, name: str, *, known: ScimUser | None = None, version: int = 0
) -> None:
    """Keep what the tool says in its own words; every change of that is a version too."""
    if user.external_id != member.externals.get(SOURCE):
        await _rename(tx, member, user.external_id)
    if known is not None and (user.user_name, user.name) == (known.user_name, known.name):
        return
    parts, entry = user.name or ScimName(), await entry_of(tx, member.id)
    entry.user_name, entry.user_key, entry.gone = user_name_of(user), compared(user_name_of(user)), False
    entry.given_name, entry.family_name, entry.told_name = parts.given_name, parts.family_name, name
    entry.formatted = parts.formatted
    if known is not None and known.name is not None and name != known.display_name == parts.formatted:
        # The whole name was told before its parts were told anew.
        entry.formatted = None
    tx.put(entry)
    if known is not None and member.version == version:
        tx.save(member, member.describe())


async def _rename(tx: Tx, member: Member, external_id: str | None) -> None:
    """Let the tool call somebody otherwise."""
    if SOURCE in member.externals:
        tx.unname_externally(member, SOURCE)
        member.externals = {source: name for source, name in member.externals.items() if source != SOURCE}
    if external_id is None:
        await describe(tx, member, {"names": member.externals})
        return
    if await tx.resolve(Member.kind, f"ext:{SOURCE}:{external_id}") not in (None, member.id):
        raise Taken(f"Another user has the externalId {external_id}.")
    with understood():
        name = ExternalName(source=SOURCE, id=external_id)
    await link_member(tx, member, name)


async def _sent(tx: Tx, user: ScimUser, *, unlike: ScimUser | None = None) -> dict[str, Any]:
    """Job, department and manager, as far as they are said, or are otherwise than before."""
    sent: dict[str, Any] = {}
    before_title = unlike.title if unlike else None
    if (user.title or None) != before_title:
        sent["job"] = user.title or None
    department, manager = department_of(user), manager_of(user)
    if department != (department_of(unlike) if unlike else None):
        sent["department"] = await department_called(tx, department)
    if manager != (manager_of(unlike) if unlike else None):
        sent["manager"] = await _manager_id(tx, manager) if manager else None
    return sent


async def _manager_id(tx: Tx, manager: str) -> str:
    found = await tx.seek_unlocked(Member, manager)
    if found is None or found.erased:
        raise Unfit("invalidValue", f"There is no user {manager} who could be the manager.")
    return found.id


async def _starts_on(tx: Tx, user: ScimUser, *, unlike: ScimUser | None = None) -> date:
    """The first day that is told; today, if none is."""
    told = started(user)
    if told is None or (unlike is not None and told == started(unlike)):
        return await today(tx)
    try:
        return date.fromisoformat(told)
    except ValueError as fault:
        raise Unfit("invalidValue", f"startsOn is a day, YYYY-MM-DD; {told!r} is none.") from fault
