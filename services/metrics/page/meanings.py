"""What each kind of problem means and what to do about it: the pages that the `type` of a problem leads to."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.errors import Problem
from shared.http import problems  # declares the problem of a fault of ours


@dataclass(frozen=True, slots=True)
class Meaning:
    """One kind of problem."""

    type: str
    title: str
    statuses: tuple[int, ...]
    says: tuple[str, ...]
    do: tuple[str, ...]


DO: Final[Mapping[str, tuple[str, ...]]] = {
    "problem": ("Read `detail`: it says what could not be carried out.",),
    "validation": (
        "Read `errors`: each entry names the place by a JSON Pointer and says what would be right there.",
        "Nothing was stored, so mend the body or the query and send it again.",
        'Amounts are sent as text (`"12.30"`), days as `2026-07-31`, and fields that are not known are refused.',
    ),
    "not-found": (
        "Check the id. What another system calls a thing is written `ext:<source>:<id>`, percent-encoded in a path.",
        "If you have just made it in another service, ask with `?after=` and the `Concert-Version` of that answer.",
    ),
    "method-not-allowed": ("The header `Allow` lists the methods of this address; `/docs` shows what each does.",),
    "conflict": ("`detail` names what stands in the way, for example the id that is taken. Read that thing first.",),
    "stale-version": (
        "Read the thing again, decide on what it says now, and send its new `ETag` as `If-Match`.",
        "Nothing was changed.",
    ),
    "version-required": ("Read the thing first and send its `ETag` as `If-Match`, so that no change is lost.",),
    "idempotency-mismatch": ("Use a new `Idempotency-Key` for a new body; the same key is for the same body again.",),
    "idempotency-in-flight": ("Wait a second and send the same request with the same key again.",),
    "not-yet-applied": (
        "Ask again after the seconds in `Retry-After`, or let the request wait: `Prefer: wait=20` (at most 30).",
        "If `detail` says that the subject is parked, somebody must look at `/v1/parked`; waiting does not help.",
    ),
    "forbidden": (
        "`scope` names what the token lacks. Whoever runs this Concert makes tokens with `concert token --scope …`.",
    ),
    "unauthenticated": (
        "Send `Authorization: Bearer <token>`; `concert token` prints one.",
        "For the page: log in with the link that the start prints, or paste a token at `/`.",
    ),
    "too-large": ("Send less at once; many things go to a bulk route (`POST /v1/<collection>/bulk`), which streams.",),
    "overloaded": (
        "Ask again after the seconds in `Retry-After`; with the same `Idempotency-Key` a write cannot double.",
        "Where the outcome is not known, the same request with the same key tells it.",
    ),
    "refused": (
        "`rule` names the rule of the domain and `detail` says, with the numbers, what would be allowed.",
        "Nothing was stored.",
    ),
    "internal": ("This is our fault. Send the `trace_id` to whoever runs this Concert; the log has the rest.",),
}


def meanings() -> list[Meaning]:
    """Every kind of problem there is, by type."""
    found: dict[str, list[type[Problem]]] = {}
    for kind in _kinds(Problem):
        if kind.__module__ in (Problem.__module__, problems.__name__):
            found.setdefault(kind.type, []).append(kind)
    return [_meaning(name, kinds) for name, kinds in sorted(found.items())]


def _meaning(name: str, kinds: list[type[Problem]]) -> Meaning:
    statuses = tuple(sorted({kind.status for kind in kinds}))
    says = tuple(inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0] for kind in kinds)
    return Meaning(name, kinds[0].title, statuses, says, DO[name])


def _kinds(kind: type[Problem]) -> Iterator[type[Problem]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
