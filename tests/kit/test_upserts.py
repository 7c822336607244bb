"""What is sent to make a thing may be sent again to say what it is, in every collection."""

from __future__ import annotations

from typing import Any

import pytest

from concert.services import SERVICES
from shared.http.collection import Collection

AMENDED = [each for service in SERVICES for each in service.collections if each.creating and each.amending]


@pytest.mark.parametrize("collection", AMENDED, ids=lambda each: each.name)
def test_an_upsert_knows_every_field_that_made_the_thing(collection: Collection[Any]) -> None:
    assert collection.creating is not None
    assert collection.amending is not None
    assert not collection.creating.body.model_fields.keys() - collection.amending.body.model_fields.keys()
