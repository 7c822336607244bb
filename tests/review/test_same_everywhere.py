"""A review is a function of the events and the rules: the same bytes on both engines, in any order, after a rebuild."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from pathlib import Path

import sqlalchemy as sa

from services.metrics.domain.reviews import Review
from services.metrics.review.snapshot import canonical
from shared.bus import Record
from tests.charter import switched_on
from tests.engines import Kafka, Postgres
from tests.metrics.test_rebuild import rebuilt
from tests.review.four_teams import QUARTER, of_north
from tests.review.north import START
from tests.review.told import Lives, heard, records
from tests.world import World, embedded, real, world

STARTS = (START - 2 * QUARTER, START - QUARTER, START)


def mixed(lives: Lives, seed: int) -> list[Record]:
    """Everything once or twice, in any order."""
    draw = random.Random(seed)
    sent = records(lives)
    sent += draw.sample(sent, len(sent) // 2)
    draw.shuffle(sent)
    return sent


async def held(concert: World) -> list[tuple[bytes, str, str]]:
    """North's reviews of three quarters: their bytes, and the hashes of what they were made of and of the result."""
    await switched_on(concert)
    for start in STARTS:
        period = {"from": start.isoformat(), "to": (start + QUARTER).isoformat()}
        await concert.made("/v1/reviews", {"team": "north", "period": period})
    column = Review.__table__.c  # type: ignore[attr-defined]
    select = sa.select(Review).order_by(column.start, column.revision)
    found = await concert.services["metrics"].runtime.store.read(lambda snapshot: snapshot.all(Review, select))
    return [(canonical(each.document), each.inputs_hash, each.result_hash) for each in found]


async def test_a_review_has_the_same_bytes_on_both_engines_and_for_deliveries_shuffled_and_repeated(
    postgres_server: Postgres, kafka_broker: Kafka, tmp_path: Path
) -> None:
    lives, found = of_north(), []
    for place in ("plain", "shuffled"):
        (tmp_path / place).mkdir()
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(embedded(tmp_path / "plain"))
        grounds = {
            "plain": (plain, None),
            "shuffled": (await stack.enter_async_context(embedded(tmp_path / "shuffled")), mixed(lives, 1)),
            "real": (await stack.enter_async_context(real(postgres_server, kafka_broker)), None),
        }
        for name, (ground, sent) in grounds.items():
            async with world(tmp_path / name, ground) as concert:
                await heard(concert, lives, sent)
                found.append(await held(concert))
    assert len(found[0]) == len(STARTS)
    assert found[1] == found[0], "the order of deliveries shows"
    assert found[2] == found[0], "the engine shows"


async def test_a_review_is_the_same_after_the_views_are_built_anew(world: World) -> None:
    lives = of_north()
    await heard(world, lives, mixed(lives, 2))
    before = await held(world)
    run = await rebuilt(world)
    assert (run["state"], run["differences"]) == ("adopted", {})
    assert await held(world) == before, "what is as it was gives no other revision"
