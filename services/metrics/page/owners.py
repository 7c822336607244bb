"""What the owner of something tells a reader of the page: asked over HTTP with the reader's own rights."""

from __future__ import annotations

from typing import Any, Final

import httpx
from fastapi import Request
from pydantic_core import from_json

from shared.errors import Forbidden, NotFound, Overloaded
from shared.http.runtime import runtime_of

_MEANT_FOR_OWNER: Final = ("authorization", "cookie")


async def ask_owner(request: Request, service: str, path: str, **query: Any) -> dict[str, Any]:
    """What a service answers to this reader. Raises NotFound, Forbidden, and Overloaded when it does not answer."""
    headers = {name: request.headers[name] for name in _MEANT_FOR_OWNER if name in request.headers}
    try:
        answer = await runtime_of(request).extras["neighbours"].get(service, path, headers=headers, **query)
    except httpx.HTTPError as error:
        raise Overloaded(f"The service {service} does not answer just now. Load the page again.") from error
    said = from_json(answer.content) if answer.content else {}
    match answer.status_code:
        case 200:
            found: dict[str, Any] = said
            return found
        case 404 | 422:
            raise NotFound(said.get("detail", ""))
        case 401 | 403:
            raise Forbidden(said.get("detail", ""))
    raise Overloaded(f"The service {service} answered with {answer.status_code}. Load the page again.")
