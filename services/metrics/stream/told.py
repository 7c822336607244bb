"""What a reader is told: records of the log as CloudEvents 1.0 in JSON, without what must not be told any more."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from pydantic_core import from_json, to_json

from services.metrics.facts.teams import MemberFact
from shared.errors import Fault, Invalid
from shared.events import Envelope
from shared.store import Snapshot, Store
from shared.store.sql import OneOf
from shared.store.tables import Applied

CONTENT_TYPE = "application/cloudevents+json"
_applied = Applied.__table__.c  # type: ignore[attr-defined]
_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_VERSIONS = sa.select(_applied.subject, _applied.version).where(OneOf(_applied.subject, "subjects"))
_ERASED = sa.select(_member.id).where(OneOf(_member.id, "ids"), _member.erased == sa.true())


def cloudevent(envelope: Envelope) -> bytes | None:
    """An event as one line of structured JSON; none for a record that is no event."""
    if envelope.version < 1 or not (envelope.id and envelope.type and envelope.source and envelope.subject):
        return None
    said = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "sequence": str(envelope.version),
        "partitionkey": envelope.subject,
    }
    optional = {"time": envelope.time, "batch": envelope.batch, "traceparent": envelope.trace}
    said |= {name: value for name, value in optional.items() if value}
    if envelope.data is None:
        return to_json(said)
    try:
        data = from_json(envelope.data, allow_inf_nan=False)
    except ValueError:
        return None
    # As it was written where that is one line: numbers and the order of fields stay as they are.
    plain = envelope.data if b"\n" not in envelope.data and b"\r" not in envelope.data else to_json(data)
    return to_json(said)[:-1] + b',"datacontenttype":"application/json","data":' + plain + b"}"


def is_personal(envelope: Envelope) -> bool:
    """Whether an event carries personal data."""
    return envelope.kind == "person" and envelope.data is not None


async def untold(snapshot: Snapshot, envelopes: Sequence[Envelope]) -> set[str]:
    """The ids of those events that are not told any more: of a person only the latest, of one erased none.

    The log forgets them when it compacts; a reader must not depend on when that is.
    """
    personal = [each for each in envelopes if is_personal(each)]
    if not personal:
        return set()
    records = await snapshot.rows(_VERSIONS, subjects=sorted({each.subject for each in personal}))
    latest = {str(subject): int(version) for subject, version in records}
    found = await snapshot.rows(_ERASED, ids=sorted({each.key for each in personal}))
    erased = {str(record[0]) for record in found}
    return {each.id for each in personal if each.key in erased or each.version < latest.get(each.subject, 0)}


async def tellable(store: Store, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """These events without those that are not told any more."""
    if not any(is_personal(each) for each in envelopes):
        return list(envelopes)
    dropped = await store.read(lambda snapshot: untold(snapshot, envelopes))
    return [each for each in envelopes if each.id not in dropped]


def elsewhere(reason: object, at: str = "/after") -> Invalid:
    """The problem of a cursor that does not belong to this log."""
    detail = f"this cursor is of another log, or of a later state of this one: {reason}"
    return Invalid(f"{at}: {detail}. Begin again without it.", [Fault(at, detail)])
