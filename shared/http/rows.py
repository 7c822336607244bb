"""The rows of a bulk body as they arrive: NDJSON, a line at a time, or a JSON array, which is read whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from fastapi import Request
from pydantic_core import from_json, to_json
from starlette.requests import ClientDisconnect

from shared.errors import Invalid, Problem, TooLarge

log = structlog.get_logger(__name__)
MAX_ARRAY = 16 * 1024 * 1024
Row = bytes | Problem
"""A row as it was sent, or what is wrong with it as a row."""


async def groups_of(request: Request, size: int, limit: int) -> AsyncIterator[list[Row]]:
    """The rows of a body in groups of a size. Of a body that is cut off, the group that was not full is dropped: it
    has not been answered. Raises Invalid, TooLarge for an array."""
    rows = _rows(request, limit)
    group: list[Row] = []
    try:
        async for row in rows:
            group.append(row)
            if len(group) == size:
                yield group
                group = []
    except ClientDisconnect:
        log.info("bulk_cut_off", path=request.url.path, dropped=len(group))
        return
    if group:
        yield group


async def _rows(request: Request, limit: int) -> AsyncIterator[Row]:
    rest, begun, skipping = b"", False, False
    body = request.stream()
    async for chunk in body:
        rest += chunk
        if not begun:
            rest = rest.removeprefix(b"\xef\xbb\xbf").lstrip()
            begun = bool(rest)
            if rest[:1] == b"[":
                for row in await _array(body, rest):
                    yield row
                return
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if skipping or len(line) > limit:
                skipping = False
                yield _too_long(limit)
            elif line.strip():
                yield line
        if len(rest) > limit:
            # What is left of a row that is too long need not be kept.
            rest, skipping = b"", True
    if skipping:
        yield _too_long(limit)
    elif rest.strip():
        yield rest


async def _array(body: AsyncIterator[bytes], begun: bytes) -> list[bytes]:
    whole = bytearray(begun)
    async for chunk in body:
        whole += chunk
        if len(whole) > MAX_ARRAY:
            raise TooLarge(f"A JSON array may have {MAX_ARRAY} bytes; send more rows as NDJSON, one a line.")
    try:
        rows = from_json(bytes(whole), allow_inf_nan=False)
    except ValueError as error:
        raise Invalid(f"The body is not valid JSON: {error}.") from error
    return [to_json(row) for row in rows]


def _too_long(limit: int) -> TooLarge:
    return TooLarge(f"A row may have {limit} bytes; this one has more.")
