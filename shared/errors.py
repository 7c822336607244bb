"""What Concert says when it says no: every refusal is a problem document (RFC 9457) of a fixed type.

Not here: how a problem becomes an HTTP answer, that is `shared.http.problems`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong place in what was sent: a JSON Pointer (RFC 6901) and what would be right there."""

    pointer: str
    detail: str


class Problem(Exception):
    """Something that is answered with a problem document instead of a result."""

    type: ClassVar[str] = "problem"
    title: ClassVar[str] = "The request could not be carried out"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", faults: Sequence[Fault] = (), **extensions: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.faults = tuple(faults)
        self.extensions = extensions
        self.headers: dict[str, str] = {}

    def document(self) -> dict[str, Any]:
        """The members of the problem document that do not depend on the request."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.type}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults]
        return body | self.extensions


class Invalid(Problem):
    """What was sent does not have the form it must have."""

    type, title, status = "validation", "What was sent is not valid", 422

    @staticmethod
    def at(pointer: str, detail: str) -> Invalid:
        """One wrong place, and what is wrong there."""
        return Invalid(f"{pointer}: {detail}.", [Fault(pointer, detail)])


class NotFound(Problem):
    """Nothing is known under this id."""

    type, title, status = "not-found", "Not found", 404


class MethodNotAllowed(Problem):
    """The address exists, but not with this method."""

    type, title, status = "method-not-allowed", "Method not allowed", 405


class Conflict(Problem):
    """Another fact stands in the way."""

    type, title, status = "conflict", "Conflict with what is already stored", 409


class StaleVersion(Problem):
    """The resource has changed since it was read."""

    type, title, status = "stale-version", "The resource has changed since it was read", 412


class VersionRequired(Problem):
    """A change must say which version it was decided on."""

    type, title, status = "version-required", "If-Match is required", 428


class IdempotencyMismatch(Problem):
    """The key has been used for another body."""

    type, title, status = "idempotency-mismatch", "This Idempotency-Key was used with another body", 422


class IdempotencyInFlight(Problem):
    """The first request with this key has not been answered yet."""

    type, title, status = "idempotency-in-flight", "A request with this Idempotency-Key is being answered", 409


class NotYetApplied(Problem):
    """The version asked for has not arrived here yet."""

    type, title, status = "not-yet-applied", "This version has not been applied yet", 503


class Forbidden(Problem):
    """The token does not allow this."""

    type, title, status = "forbidden", "The token does not allow this", 403


class Unauthenticated(Problem):
    """A valid token is needed."""

    type, title, status = "unauthenticated", "A valid token is needed", 401


class TooLarge(Problem):
    """More was sent than is accepted."""

    type, title, status = "too-large", "The body is too large", 413


class Overloaded(Problem):
    """There is more work than can be taken on; nothing was stored."""

    type, title, status = "overloaded", "Too busy to take this on now", 503


class OutcomeUnknown(Problem):
    """The store did not answer in time: the write may or may not have happened."""

    type, title, status = "overloaded", "The outcome is not known yet", 503


class Refused(Problem):
    """A rule of the domain said no. The docstring of the rule is its message, filled with the numbers at hand."""

    type, title, status = "refused", "A rule says no", 409
    at: ClassVar[str] = ""

    def __init__(self, *, pointer: str = "", **numbers: Any) -> None:
        rule = type(self)
        message = " ".join((rule.__doc__ or rule.__name__).split()).format(**numbers)
        # One rule may be broken by several fields; the one that was sent is then named by whoever asks the rule.
        place = pointer or self.at
        faults = [Fault(place, message)] if place else []
        self.numbers = numbers
        super().__init__(message, faults, rule=re.sub(r"(?<!^)(?=[A-Z])", "-", rule.__name__).lower())
