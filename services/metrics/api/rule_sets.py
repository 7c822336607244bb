"""`/v1/rule-sets` and `/v1/options`: the rules that reviews are made by, and the options that they choose from."""

from __future__ import annotations

from typing import Any

from fastapi import Depends
from fastapi.responses import Response
from pydantic import Field, ValidationError
from pydantic_core import to_json

from services.metrics.domain.rule_sets import OwnOptions, OwnRuleSet
from services.metrics.review import options as catalogue
from services.metrics.review import rule_set
from services.metrics.review.options import Catalogue
from services.metrics.review.rule_set import RuleSet
from services.metrics.views.shown import house_of
from shared.errors import Fault, Invalid
from shared.http.bodies import Named
from shared.http.collection import Collection, fresh
from shared.http.documents import described
from shared.identity.permissions import require
from shared.instant import day_of
from shared.store import Tx
from shared.store.types import text_of

rule_sets = Collection(OwnRuleSet, "rule-sets", filters={"named": "named"})
option_sets = Collection(OwnOptions, "options", filters={"named": "named"})
_RULES, _OPTIONS = require("rule-sets:read"), require("options:read")


class AdoptRuleSet(Named):
    """A whole rule-set, in the form of `GET /v1/rule-sets/built-in`."""

    rules: dict[str, Any] = Field(examples=[{"version": "ours-1"}])


class AdoptOptions(Named):
    """All options there are to be, in the form of `GET /v1/options/built-in`."""

    version: str = Field(min_length=1, max_length=80)
    options: list[dict[str, Any]] = Field(min_length=1, max_length=100)


@rule_sets.router.get("/built-in", operation_id="get_built_in_rule_set", dependencies=[Depends(_RULES)],
                      openapi_extra=described(_RULES, None, {200: RuleSet}))  # fmt: skip
async def get_built_in_rule_set() -> Response:
    """The rule-set that reviews are made by until another is adopted: what to begin one's own with."""
    return Response(to_json(rule_set.built_in()), media_type="application/json")


@option_sets.router.get("/built-in", operation_id="get_built_in_options", dependencies=[Depends(_OPTIONS)],
                        openapi_extra=described(_OPTIONS, None, {200: Catalogue}))  # fmt: skip
async def get_built_in_options() -> Response:
    """The options that reviews choose from until others are adopted."""
    return Response(to_json(catalogue.built_in()), media_type="application/json")


@rule_sets.create
async def adopt_rule_set(tx: Tx, body: AdoptRuleSet) -> OwnRuleSet:
    """Make reviews by these rules from now on; earlier reviews keep theirs."""
    rules = _judged(RuleSet, body.rules, "/rules")
    day = day_of(tx.now, (await house_of(tx)).zone)
    kept = rules.model_dump(mode="json")
    adopted = OwnRuleSet.adopt(
        named=rules.version, rules=kept, adopted_on=day, adopted_at=text_of(tx.now), **fresh(OwnRuleSet, body)
    )
    return tx.save(*adopted)


@option_sets.create
async def adopt_options(tx: Tx, body: AdoptOptions) -> OwnOptions:
    """Let reviews choose from these options from now on; earlier reviews keep theirs."""
    found = _judged(Catalogue, {"version": body.version, "options": body.options}, "")
    day = day_of(tx.now, (await house_of(tx)).zone)
    kept = found.model_dump(mode="json")["options"]
    adopted = OwnOptions.adopt(
        named=found.version, options=kept, adopted_on=day, adopted_at=text_of(tx.now), **fresh(OwnOptions, body)
    )
    return tx.save(*adopted)


def _judged(model: Any, said: dict[str, Any], at: str) -> Any:
    """A body as rules or options; raises Invalid with the place and the numbers of what is wrong."""
    try:
        return model.model_validate(said)
    except ValidationError as wrong:
        faults = [
            Fault("/".join([at, *(str(part) for part in each["loc"])]), each["msg"].removeprefix("Value error, "))
            for each in wrong.errors(include_url=False)
        ]
        raise Invalid(f"{faults[0].pointer}: {faults[0].detail}.", faults) from None
