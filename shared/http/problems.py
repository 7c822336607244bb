"""Every error as a problem document (RFC 9457), whoever raised it: ours, the framework's or a fault nobody foresaw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json, to_json
from starlette.exceptions import HTTPException

from shared.errors import (
    Fault,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    Problem,
    TooLarge,
    Unauthenticated,
)  # fmt: skip
from shared.http.runtime import Runtime

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
M = TypeVar("M", bound=BaseModel)


class Internal(Problem):
    """A fault of ours; the message names nothing inside."""

    type, title, status = "internal", "Something went wrong here", 500


_BY_STATUS: dict[int, type[Problem]] = {
    401: Unauthenticated, 403: Forbidden, 404: NotFound, 405: MethodNotAllowed, 413: TooLarge, 503: Overloaded,
}  # fmt: skip
RETRY_SECONDS = 1
Form = Callable[[Problem], Response]
_forms: dict[str, Form] = {}


def speak(prefix: str, form: Form) -> None:
    """Let every error under an address be said in the form that a protocol there prescribes."""
    _forms[prefix] = form


def problem_response(problem: Problem, request: Request | None = None) -> Response:
    """A problem as an HTTP answer."""
    form = next((form for prefix, form in _forms.items() if request and request.url.path.startswith(prefix)), None)
    if form is not None:
        return form(problem)
    document = problem.document()
    if request is not None:
        document["instance"] = request.url.path
        document["trace_id"] = request.scope.get("trace_id", "")
    headers = dict(problem.headers)
    if problem.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return Response(to_json(document), problem.status, headers, MEDIA_TYPE)


def pointer_of(location: Sequence[int | str]) -> str:
    """A place in a body as a JSON Pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def invalid(errors: Sequence[ErrorDetails | dict[str, Any]], skip: int = 0) -> Invalid:
    """What validation found, as one problem with a fault for each place."""
    faults = [Fault(pointer_of(error["loc"][skip:]), _message(error)) for error in errors]
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Invalid(f"{first.pointer or 'the body'}: {first.detail}{more}", faults)


def parse(model: type[M], body: bytes | str) -> M:
    """A JSON body as what it should be; raises Invalid with a JSON Pointer for each wrong place."""
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise Invalid(f"The body is not valid JSON: {found[0].get('ctx', {}).get('error', '')}.") from error
        raise invalid(found) from error


def parse_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object; raises Invalid for anything else."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Invalid(f"The body is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.")
    return value


def _message(error: ErrorDetails | dict[str, Any]) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "this field is not known here"
        case "missing":
            return "this field is required"
    message = str(error["msg"]).removeprefix("Value error, ")
    first = message.partition(" ")[0]
    # What is written in capitals is a name: FREQ, UTC.
    return message if len(first) > 1 and first.isupper() else message[:1].lower() + message[1:]


def _answer(problem: Problem, request: Request) -> Response:
    """A problem as a document, or as a page where the service has pages and a browser asks for one."""
    runtime: Runtime | None = getattr(request.app.state, "runtime", None)
    page = runtime.extras.get("problem_page") if runtime else None
    if page is None or request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return problem_response(problem, request)
    answer: Response = page(request, problem)
    return answer


def install(app: FastAPI) -> None:
    """Answer every error of an app with a problem document."""

    @app.exception_handler(Problem)
    async def answer_problem(request: Request, problem: Problem) -> Response:
        return _answer(problem, request)

    @app.exception_handler(RequestValidationError)
    async def answer_invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [Fault(pointer_of(each["loc"][1:]) or f"/{each['loc'][0]}", _message(each)) for each in error.errors()]
        where = error.errors()[0]["loc"][0]
        detail = f"{where} {faults[0].pointer.lstrip('/')}: {faults[0].detail}"
        return _answer(Invalid(detail, faults), request)

    @app.exception_handler(HTTPException)
    async def answer_http(request: Request, error: HTTPException) -> Response:
        kind = _BY_STATUS.get(error.status_code)
        if kind is None:
            problem = Problem(str(error.detail), status=error.status_code)
            response = _answer(problem, request)
            response.status_code = error.status_code
            return response
        problem = kind("" if kind is NotFound and error.detail == "Not Found" else str(error.detail))
        if kind is NotFound and problem.detail == kind.title:
            problem = NotFound(f"There is nothing at {request.url.path}.")
        problem.headers |= dict(error.headers or {})
        return _answer(problem, request)

    @app.exception_handler(Exception)
    async def answer_fault(request: Request, error: Exception) -> Response:
        log.error("fault", path=request.url.path, exc_info=error)
        return _answer(Internal("The fault has been written down under the trace id below."), request)
