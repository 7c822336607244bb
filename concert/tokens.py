"""`concert token`: tokens for tools and people."""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, NoReturn

import typer

from shared.audit import record
from shared.identity.gate import signing_key
from shared.identity.keys import BadKey
from shared.identity.scopes import ADMIN, known_scopes, member_scopes, tool_scopes
from shared.identity.tokens import mint
from shared.settings import BadSettings, Settings, load

_EXPIRY = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=5 * 365)
_DEPARTMENT = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MEMBER = re.compile(r"mbr_[0-9a-z]+|ext:[a-z0-9][a-z0-9_.-]{0,39}:[!-~]{1,200}")
_NAME = re.compile(r"\w[\w .@-]{0,99}")


class WrongUsage(Exception):
    """What was asked for cannot be; the message says why and what would."""


def token(
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do: admin, or deals:write,views:read. Repeatable.")
    ] = None,
    department: Annotated[str | None, typer.Option(help="The department whose tool it is for.")] = None,
    member: Annotated[str | None, typer.Option(help="The member it is for: mbr_… or ext:<source>:<id>.")] = None,
    leader: Annotated[bool, typer.Option("--leader", help="The member leads a team or department.")] = False,
    name: Annotated[str | None, typer.Option(help="What the holder is called in the audit trail.")] = None,
    expires: Annotated[str, typer.Option(help="How long it is valid: 30m, 12h, 90d, 8w.")] = "90d",
) -> None:
    """Print a bearer token. Without --scope it may do what its department or member usually may."""
    try:
        typer.echo(made(load(), scope or [], department, member, leader, name, expires))
    except (WrongUsage, BadSettings, BadKey) as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None


def made(
    settings: Settings,
    scope: list[str],
    department: str | None,
    member: str | None,
    leader: bool,
    name: str | None,
    expires: str,
) -> str:
    """A token as asked for, written into the audit trail. Raises WrongUsage, BadKey."""
    if settings.jwt_issuer and not settings.signing_key_file:
        _refuse(f"Tokens are issued by {settings.jwt_issuer} here; ask there for one for {settings.jwt_audience}.")
    if department is not None and not _DEPARTMENT.fullmatch(department):
        _refuse(f"{department!r} is not the name of a department; an example is finance.")
    if member is not None and not _MEMBER.fullmatch(member):
        _refuse(f"{member!r} is not a member; write mbr_… or ext:<source>:<id>.")
    if leader and member is None:
        _refuse("--leader needs --member: say who leads.")
    scopes = _scopes([word for text in scope for word in text.replace(",", " ").split()], department, member, leader)
    if name is not None and not _NAME.fullmatch(name):
        _refuse("A name has 1 to 100 letters, digits, blanks and -_.@ and begins with a letter or digit.")
    life = _life(expires)
    subject = name or member or (f"{department} tool" if department else "operator")
    minted = mint(
        signing_key(settings),
        subject=subject,
        scopes=scopes,
        department=department,
        member=member,
        expires=life,
        audience=settings.jwt_audience,
    )
    record(
        settings.data, "token made", subject=subject, scopes=sorted(scopes), department=department, member=member,
        expires=expires,
    )  # fmt: skip
    return minted


def _scopes(asked: list[str], department: str | None, member: str | None, leader: bool) -> frozenset[str]:
    usual = member_scopes(department, leader=leader) if member else tool_scopes(department) if department else None
    if not asked:
        return usual or _refuse("Say what the token may do: --scope, --department or --member.")
    known = known_scopes()
    for scope in asked:
        if scope not in known:
            near = get_close_matches(scope, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "an example is deals:write."
            _refuse(f"There is no scope {scope}; {hint}")
    too_much = sorted(each for each in asked if each.endswith(":write") and usual is not None and each not in usual)
    if too_much and ADMIN not in asked:
        holder = f"member of {department}" if member and department else "member" if member else f"tool of {department}"
        _refuse(f"A {holder} does not get {', '.join(too_much)}. For more, leave out --department and --member.")
    return frozenset(asked)


def _life(expires: str) -> timedelta:
    match = _EXPIRY.fullmatch(expires)
    if match is None:
        _refuse(f"{expires!r} is not a length of time; write 30m, 12h, 90d or 8w.")
    life = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if life > _LONGEST:
        _refuse(f"{expires} is too long; a token is valid for at most {_LONGEST.days}d.")
    return life


def _refuse(message: str) -> NoReturn:
    raise WrongUsage(message)
