"""How SCIM says things: its bodies are read, its answers and errors written, and its routes described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json
from scim2_models import Context, Error, Extension, PatchOp, Resource, ResponseParameters, SCIMException

from services.teams.api.scim.models import TOLERANT
from shared.errors import Conflict, Invalid, Problem
from shared.http.documents import described
from shared.http.problems import parse_object, speak
from shared.http.runtime import runtime_of
from shared.identity.permissions import Permission

BASE: Final = "/scim/v2"
MEDIA: Final = "application/scim+json"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
R = TypeVar("R", bound=Resource[Any])


class Unfit(Problem):
    """What was sent does not have the form that SCIM prescribes."""

    type, title, status = "validation", "What was sent is not valid", 400

    def __init__(self, keyword: str | None, detail: str) -> None:
        super().__init__(detail)
        self.keyword = keyword


class Taken(Conflict):
    """Another user or group has this name already."""

    keyword = "uniqueness"


def error(problem: Problem) -> Response:
    """A problem as SCIM says it (RFC 7644, section 3.12)."""
    status = 400 if problem.status == 422 else problem.status
    document: dict[str, Any] = {"schemas": [ERROR], "status": str(status), "detail": problem.detail}
    keyword = getattr(problem, "keyword", "invalidValue" if status == 400 else None)
    if isinstance(problem, Conflict):
        keyword = "uniqueness"
    if keyword:
        document["scimType"] = keyword
    return Response(to_json(document), status, dict(problem.headers), MEDIA)


speak(f"{BASE}/", error)


@contextmanager
def understood() -> Iterator[None]:
    """What the library does not understand, said as a problem."""
    try:
        with TOLERANT:
            yield
    except SCIMException as fault:
        raise Unfit(fault.scim_type or None, fault.detail) from fault
    except ValidationError as fault:
        first = Error.from_validation_errors(fault)[0]
        raise Unfit(first.scim_type, first.detail or str(fault)) from fault


def parsed(model: type[R], raw: bytes, context: Context) -> R:
    """A whole user or group. Raises Unfit."""
    with understood():
        return model.model_validate(_object(raw), scim_ctx=context)


def patched(model: type[R], before: R, raw: bytes) -> R:
    """A user or group with the operations of a PATCH, all or none. Raises Unfit."""
    after = before.model_copy(deep=True)
    with understood():
        patch: Any = PatchOp[model]  # type: ignore[valid-type]
        patch.model_validate(_object(raw), scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(after)
    return after


def merged(before: R, sent: R) -> R:
    """A user or group with what a PUT says of it; what it does not speak of stays (RFC 7644, section 3.5.1)."""
    after = before.model_copy(deep=True)
    with understood():
        for name in sent.model_fields_set - {"schemas", "id", "meta"}:
            value, have = getattr(sent, name), getattr(after, name)
            if isinstance(value, Extension):
                have = have or type(value)()
                for part in value.model_fields_set - {"schemas"}:
                    setattr(have, part, getattr(value, part))
                value = have
            setattr(after, name, value)
    return after


def location(request: Request, kind: str, key: str) -> str:
    """Where a user or a group is found."""
    return f"{runtime_of(request).settings.origin}{BASE}/{kind}s/{key}"


def wanted(request: Request, model: type[Resource[Any]]) -> Any:
    """Which attributes an answer shall have. Raises Unfit."""
    asked = {name: request.query_params.get(name) for name in ("attributes", "excludedAttributes")}
    with understood():
        parameters: Any = ResponseParameters[model]  # type: ignore[valid-type]
        return parameters.model_validate({name: value for name, value in asked.items() if value is not None})


def shown(resource: Resource[Any], parameters: Any = None) -> dict[str, Any]:
    """A resource as it is answered."""
    return resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters)


def answer_headers(resource: Resource[Any]) -> dict[str, str]:
    """The headers that name the version of a resource and where it is."""
    assert resource.meta is not None
    return {"ETag": str(resource.meta.version), "Location": str(resource.meta.location), "Content-Type": MEDIA}


class UserSent(BaseModel):
    """A user of SCIM; `GET /scim/v2/Schemas` describes all attributes."""

    model_config = ConfigDict(extra="allow")
    userName: str


class GroupSent(BaseModel):
    """A group of SCIM; `GET /scim/v2/Schemas` describes all attributes."""

    model_config = ConfigDict(extra="allow")
    displayName: str


class PatchSent(BaseModel):
    """Operations of SCIM: add, replace or remove what a path names."""

    model_config = ConfigDict(extra="allow")
    Operations: list[dict[str, Any]]


class ScimShown(BaseModel):
    """A resource of SCIM; `GET /scim/v2/Schemas` describes all attributes."""

    model_config = ConfigDict(extra="allow")
    schemas: list[str]


class ScimPage(ScimShown):
    """A page of resources, with how many there are in all."""

    totalResults: int


class ScimError(ScimShown):
    """What is wrong, in the words of SCIM."""

    status: str
    detail: str
    scimType: str | None = None


_STATUSES = (400, 401, 403, 503)
_ON_WRITES = (409, 412, 413)


def published(
    may: Permission, answers: Mapping[int, type[BaseModel] | None], body: type[BaseModel] | None = None, *,
    missing: bool = False, writes: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """What OpenAPI says of a route of SCIM, in its media type and with its errors."""
    statuses = (*_STATUSES, *(_ON_WRITES if writes else ()), *((404,) if missing else ()))
    extra = described(may, body, {**answers, **dict.fromkeys(statuses, ScimError)})
    extra["responses"] = {status: extra["responses"][str(status)] for status in (*answers, *statuses)}
    for part in (extra.get("requestBody"), *extra["responses"].values()):
        if part and "content" in part:
            part["content"] = {MEDIA: part["content"]["application/json"]}
    extra["responses"] = {str(status): each for status, each in extra["responses"].items()}
    return extra


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return parse_object(raw)
    except Invalid as problem:
        raise Unfit("invalidSyntax", problem.detail) from problem
