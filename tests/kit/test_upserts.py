"""What is sent to make a thing may be sent again to say what it is, in every collection."""

from __future__ import annotations

from typing import Any

import pytest

from concert.services import SERVICES
from shared.http.collection import Collection

AMENDED = [each for service in SERVICES for each in service.collections if each._create_body and each._amend_body]


@pytest.mark.parametrize("collection", AMENDED, ids=lambda each: each.name)
def test_an_upsert_knows_every_field_that_made_the_thing(collection: Collection[Any]) -> None:
    assert collection._create_body is not None
    assert collection._amend_body is not None
    assert not collection._create_body.model_fields.keys() - collection._amend_body.model_fields.keys()
