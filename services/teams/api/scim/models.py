"""Users and groups as SCIM has them: members and teams, with what is kept of them and nothing else.

Not here: what becomes of it, that is `users` and `groups`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator
from scim2_models import (
    URN,
    ComplexAttribute,
    Extension,
    Mutability,
    Required,
    Resource,
    ScimPolicy,
    Uniqueness,
)

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CONCERT = "urn:ietf:params:scim:schemas:extension:concert:2.0:User"
SOURCE = "scim"
"""Under which name members and teams have the id that the identity tool calls them by."""
TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What tools send beyond the standard is understood, and what is not kept here is passed over."""


class ScimName(ComplexAttribute):
    formatted: str | None = None
    """The whole name as it is shown."""

    family_name: str | None = None
    """The family name."""

    given_name: str | None = None
    """The given name."""


class ScimEmail(ComplexAttribute):
    value: str | None = None
    """An e-mail address; of several the primary one is kept, else the one for work, else the first."""

    type: str | None = None
    """What it is used for: work, home, other."""

    primary: bool | None = None
    """Whether it is the preferred one."""


class _Referring(ComplexAttribute):
    """A reference to somebody; some tools send the bare id where the standard has an object, or a list of one."""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, sent: Any) -> Any:
        if isinstance(sent, list) and len(sent) == 1:
            sent = sent[0]
        return {"value": sent} if isinstance(sent, str) else sent


class ScimManager(_Referring):
    value: str | None = None
    """The id of the user who is the manager."""

    ref: str | None = Field(None, serialization_alias="$ref", validation_alias="$ref")
    """Where that user is found."""

    display_name: str | None = None
    """The manager's name."""


class ScimMember(_Referring):
    value: str | None = None
    """The id of a user who belongs to the group."""

    ref: str | None = Field(None, serialization_alias="$ref", validation_alias="$ref")
    """Where that user is found."""

    type: str | None = None
    """Always User: teams have people in them, not other teams."""

    display: str | None = None
    """The user's name."""


class ScimTeam(ComplexAttribute):
    value: Annotated[str | None, Mutability.read_only] = None
    """The id of a group the user belongs to."""

    ref: Annotated[str | None, Mutability.read_only] = Field(None, serialization_alias="$ref", validation_alias="$ref")
    """Where that group is found."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The group's name."""


class EnterpriseUser(Extension):
    __schema__ = URN(ENTERPRISE)

    department: str | None = None
    """The department by its name, its id, or what the tool calls it."""

    manager: ScimManager | None = None
    """Who the user reports to."""


class ConcertUser(Extension):
    __schema__ = URN(CONCERT)

    starts_on: str | None = None
    """The first day of the employment, YYYY-MM-DD: today if it is not said when somebody is created or comes back."""

    left_on: Annotated[str | None, Mutability.read_only] = None
    """The first day on which somebody works here no more."""


class ScimUser(Resource[EnterpriseUser | ConcertUser]):
    """Somebody who works here, or did."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """What the tool calls the user; two never differ in capitals only."""

    name: ScimName | None = None
    """The name and its parts."""

    display_name: str | None = None
    """The name that is shown."""

    title: str | None = None
    """The job."""

    active: bool | None = None
    """Whether the user works here; false is leaving, and true after that is being recruited again."""

    emails: list[ScimEmail] | None = None
    """E-mail addresses, of which one is kept."""

    groups: Annotated[list[ScimTeam] | None, Mutability.read_only] = None
    """The teams the user belongs to."""


class ScimGroup(Resource[Any]):
    """A team, and who is in it."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """The name of the team."""

    members: list[ScimMember] | None = None
    """The users who belong to the team."""
