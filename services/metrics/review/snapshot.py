"""A review as it is kept: an immutable document with the hash of what it was made from, the same bytes every time.

Every number of it can be opened: what it means, what it is made of, and the things whose events are behind it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from hashlib import sha256
from typing import Any

from services.metrics.review.diagnosis import Diagnosis, diagnose
from services.metrics.review.finding import Finding, find
from services.metrics.review.inputs import Inputs, Member, Thing
from services.metrics.review.options import Catalogue
from services.metrics.review.rule_set import RuleSet
from services.metrics.review.written import Evidence, written


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The document of a review, and the hash of the events' side of it."""

    document: Mapping[str, Any]
    evidence: Mapping[str, tuple[str, ...]]
    """By the path of a number, the subjects whose events it is made of."""
    inputs_hash: str
    finding: Finding
    diagnosis: Diagnosis

    @property
    def bytes(self) -> bytes:
        """The document as it is hashed and compared."""
        return canonical(self.document)

    @property
    def hash(self) -> str:
        """Of the whole document."""
        return sha256(self.bytes).hexdigest()


def take(
    inputs: Inputs, rules: RuleSet, catalogue: Catalogue, learned: Mapping[str, Mapping[str, Any]] | None = None
) -> Snapshot:
    """Make the review of a team and a period; `learned` is what verdicts have taught of the options."""
    finding = find(inputs, rules)
    diagnosis = diagnose(finding, catalogue)
    made_from = sha256(canonical(plain(inputs))).hexdigest()
    document, evidence = written(finding, diagnosis, catalogue)
    document |= {"inputs_hash": made_from, "rule_set": rules.version, "catalogue": catalogue.version}
    if learned:
        document["learned"] = learned
        evidence |= _taught(learned, document["options"])
    return Snapshot(document, evidence, made_from, finding, diagnosis)


def _taught(learned: Mapping[str, Mapping[str, Any]], table: Mapping[str, Any] | None) -> Evidence:
    """By the path of an effect, where it is told and in the table of options, the reviews that taught it."""
    by = {
        (option, measure): tuple(f"review/{each['review']}" for each in known["lessons"])
        for option, measures in learned.items() for measure, known in measures.items()
    }  # fmt: skip
    found = {f"/learned/{option}/{measure}": reviews for (option, measure), reviews in by.items()}
    if table is not None:
        found |= {
            f"/options/rows/{place}/effects/{part}": by[option, table["measure"]]
            for place, row in enumerate(table["rows"]) for part, option in enumerate(row["options"])
            if (option, table["measure"]) in by
        }  # fmt: skip
    return found


def canonical(document: Any) -> bytes:
    """One way only of writing a document down."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def plain(value: Any) -> Any:
    """Inputs as plain values, in an order that does not depend on how they were read."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        in_any_order = bool(value) and isinstance(value[0], Thing | Member)
        return [plain(each) for each in (sorted(value, key=lambda each: each.id) if in_any_order else value)]
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
