"""CloudEvents 1.0, Kafka binding in binary mode: how an event's postage becomes a record's headers and back."""

from __future__ import annotations

from typing import Any

from shared.bus import Record
from shared.events import Envelope

_PREFIX = "ce_"


def record_of(row: Any, source: str) -> Record:
    """A row of the journal as it goes on the log."""
    headers = [
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_id", row.id),
        ("ce_type", row.type),
        ("ce_source", source),
        ("ce_subject", row.subject),
        ("ce_time", row.time),
        ("ce_sequence", str(row.version)),
        ("ce_partitionkey", row.subject),
    ]
    if row.batch:
        headers.append(("ce_batch", row.batch))
    if row.trace:
        headers.append(("ce_traceparent", row.trace))
    value = None if row.data is None else row.data.encode()
    return Record(topic=row.topic, key=row.subject, value=value, headers=tuple(headers))


def envelope_of(record: Record) -> Envelope:
    """A record's postage. What is missing is left empty, so that the version rule can park it and say why."""
    # PostgreSQL's texts cannot hold a NUL; a record that has one is parked like any other that is broken.
    head = {name: value.replace("\0", "\ufffd") for name, value in record.headers}
    sequence = head.get("ce_sequence", "")
    counted = sequence.isdecimal() and len(sequence) <= 9
    return Envelope(
        id=head.get("ce_id", ""),
        type=head.get("ce_type", ""),
        subject=head.get("ce_subject") or record.key.replace("\0", "\ufffd"),
        version=int(sequence) if counted else 0,
        time=head.get("ce_time", ""),
        source=head.get("ce_source", ""),
        data=record.value,
        batch=head.get("ce_batch"),
        trace=head.get("ce_traceparent"),
    )
