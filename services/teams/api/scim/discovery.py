"""What this Concert understands of SCIM, for tools that ask before they begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    ListResponse,
    Meta,
    Patch,
    Reference,
    Resource,
    ResourceType,
    Schema,
    SchemaExtension,
    ServiceProviderConfig,
    Sort,
)

from services.teams.api.scim.language import BASE, MEDIA, ScimPage, ScimShown, published, shown
from services.teams.api.scim.models import ConcertUser, EnterpriseUser, ScimGroup, ScimUser
from services.teams.api.scim.searching import LARGEST
from shared.errors import NotFound
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require

router = APIRouter(prefix=BASE, tags=["scim"])
_READ = require("scim:read")
Reader = Annotated[Principal, Depends(_READ)]
CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=LARGEST),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="A token with the scope scim:write, which `concert token --scope scim:write` makes.",
            primary=True,
        )
    ],
)
TYPES = {
    name: ResourceType(
        id=name,
        name=name,
        description=description,
        endpoint=Reference(f"/{name}s"),
        schema_=Reference(str(model.__schema__)),
        schema_extensions=[
            SchemaExtension(schema_=Reference(str(each.__schema__)), required=False) for each in extensions
        ],
    )
    for name, model, description, extensions in (
        ("User", ScimUser, "Somebody who works here", (EnterpriseUser, ConcertUser)),
        ("Group", ScimGroup, "A team", ()),
    )
}
NAMES: dict[Any, str] = {
    ScimUser: "User", ScimGroup: "Group", EnterpriseUser: "Enterprise User", ConcertUser: "Employment",
}  # fmt: skip


def _schemas() -> dict[str, Schema]:
    found = {}
    for model, name in NAMES.items():
        schema = model.to_schema()
        schema.name, schema.description = name, (model.__doc__ or name).strip()
        found[str(model.__schema__)] = schema
    return found


SCHEMAS = _schemas()


@router.get(
    "/ServiceProviderConfig", operation_id="scim_config", openapi_extra=published(_READ, {200: ScimShown})
)  # fmt: skip
async def read_config(request: Request, principal: Reader) -> Response:
    """Which parts of SCIM are understood here."""
    return _one(request, CONFIG, "ServiceProviderConfig", "")


@router.get("/ResourceTypes", operation_id="scim_types", openapi_extra=published(_READ, {200: ScimPage}))
async def list_types(request: Request, principal: Reader) -> Response:
    """The kinds of things there are: users and groups."""
    return _all(request, [(each, str(each.name)) for each in TYPES.values()], "ResourceType")


@router.get(
    "/ResourceTypes/{name}", operation_id="scim_type", openapi_extra=published(_READ, {200: ScimShown}, missing=True)
)
async def read_type(request: Request, name: str, principal: Reader) -> Response:
    """One kind of things."""
    if name not in TYPES:
        raise NotFound(f"There are no resources of the type {name}; there are: {', '.join(TYPES)}.")
    return _one(request, TYPES[name], "ResourceType", f"/{name}")


@router.get("/Schemas", operation_id="scim_schemas", openapi_extra=published(_READ, {200: ScimPage}))
async def list_schemas(request: Request, principal: Reader) -> Response:
    """What is kept of users and groups."""
    return _all(request, [(each, key) for key, each in SCHEMAS.items()], "Schema")


@router.get(
    "/Schemas/{uri}", operation_id="scim_schema", openapi_extra=published(_READ, {200: ScimShown}, missing=True)
)  # fmt: skip
async def read_schema(request: Request, uri: str, principal: Reader) -> Response:
    """What is kept of one kind of things."""
    if uri not in SCHEMAS:
        raise NotFound(f"There is no schema {uri}; there are: {', '.join(SCHEMAS)}.")
    return _one(request, SCHEMAS[uri], "Schema", f"/{uri}")


def _one(request: Request, resource: Resource[Any], kind: str, path: str) -> Response:
    return Response(as_json(_shown(request, resource, kind, path)), headers={"Content-Type": MEDIA})


def _all(request: Request, resources: Sequence[tuple[Resource[Any], str]], kind: str) -> Response:
    items = [_shown(request, resource, kind, f"/{key}") for resource, key in resources]
    body = {"schemas": [str(ListResponse.__schema__)], "totalResults": len(items), "startIndex": 1,
            "itemsPerPage": len(items), "Resources": items}  # fmt: skip
    return Response(as_json(body), headers={"Content-Type": MEDIA})


def _shown(request: Request, resource: Resource[Any], kind: str, path: str) -> dict[str, Any]:
    section = kind if kind == "ServiceProviderConfig" else f"{kind}s"
    where = f"{runtime_of(request).settings.origin}{BASE}/{section}{path}"
    placed = resource.model_copy(update={"meta": Meta(resource_type=kind, location=where)})
    return shown(placed)
