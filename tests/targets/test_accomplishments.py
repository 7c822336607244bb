"""What teams have accomplished without a number, and what they measure themselves by: the rules, and over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from services.targets.domain.accomplishments import (
    Accomplishment,
    AccomplishmentIs,
    ClaimedBeforeItBegan,
    ClaimOfAnother,
    JudgedBeforeClaimed,
    NobodyLooked,
    NotTheVerifier,
    OneInAPeriod,
    OneOfTheTeam,
    OwnAccomplishment,
    TooManyPieces,
)
from shared.events.accomplishments import AccomplishmentClaimed, AccomplishmentShown, AccomplishmentVerified
from shared.period import Period
from tests.targets.bodies import day, eur, target_body
from tests.targets.conftest import House
from tests.teams.conftest import problem
from tests.world import client_of, token_headers

QUARTER = Period.parse("2026-Q1")
MATES = {"ada", "ben"}
SECRET = "Mrs. Sand of Cancity wrote a letter"


def claimed(**fields: Any) -> Accomplishment:
    given: dict[str, Any] = {"team": "north", "period": QUARTER, "title": "Handed over", "evidence": ["a letter"],
                             "on": day("2026-03-20"), "by": "ada", "leader": "lea", "team_mates": MATES,
                             "others": ()}  # fmt: skip
    return Accomplishment.claim(id="acc_1", externals={}, **(given | fields))[0]


def test_whoever_claims_does_not_verify_and_no_team_mate_does_but_who_leads_it_or_is_elsewhere() -> None:
    on = day("2026-03-25")
    for by, rule in (("ada", OwnAccomplishment), ("ben", OneOfTheTeam), (None, NobodyLooked)):
        with pytest.raises(rule):
            claimed().verify(on, by, MATES)
        with pytest.raises(rule):
            claimed().dispute(on, by, MATES, "Not shown")
    for by in ("lea", "zoe"):
        assert claimed().verify(on, by, MATES) == AccomplishmentVerified(on=on, by=by)
    with pytest.raises(OwnAccomplishment):
        claimed(by="lea").verify(on, "lea", MATES)
    with pytest.raises(NotTheVerifier, match="zoe is asked"):
        claimed(verifier="zoe").verify(on, "lea", MATES)
    for verifier, rule in (("ada", OwnAccomplishment), ("ben", OneOfTheTeam)):
        with pytest.raises(rule):
            claimed(verifier=verifier)
        with pytest.raises(rule):
            claimed().change(MATES, verifier=verifier)


def test_a_team_has_one_accomplishment_in_a_period_and_its_own_people_claim_it() -> None:
    first = claimed()
    with pytest.raises(OneInAPeriod, match="claims acc_1 for 2026-Q1 already"):
        claimed(period=Period.parse("2026-03"), others=[first])
    assert claimed(period=Period.parse("2026-Q2"), on=day("2026-04-01"), others=[first]).label == "2026-Q2"
    first.withdraw(day("2026-03-21"))
    assert claimed(others=[first]).status == "claimed"
    with pytest.raises(ClaimOfAnother, match="zoe claims"):
        claimed(by="zoe")
    with pytest.raises(ClaimedBeforeItBegan):
        claimed(on=day("2025-12-31"))
    with pytest.raises(JudgedBeforeClaimed):
        claimed().verify(day("2026-03-19"), "lea", MATES)


def test_what_was_judged_stays_as_it_was_judged_until_more_is_shown() -> None:
    verified, disputed, on = claimed(), claimed(), day("2026-03-25")
    verified.verify(on, "lea", MATES)
    with pytest.raises(AccomplishmentIs, match="is verified"):
        verified.change(MATES, title="Something larger")
    with pytest.raises(AccomplishmentIs, match="is verified"):
        verified.show(["more"], on)
    disputed.dispute(on, "lea", MATES, "A letter says nothing")
    with pytest.raises(AccomplishmentIs, match="is disputed"):
        disputed.verify(on, "lea", MATES)
    assert disputed.show(["a letter", "the signed protocol"], on) == AccomplishmentShown(pieces=2, on=on)
    assert (disputed.status, disputed.reason, disputed.judged_by) == ("claimed", None, None)
    disputed.verify(on, "lea", MATES)
    with pytest.raises(TooManyPieces, match="makes 11"):
        claimed().show([f"piece {each}" for each in range(10)], on)


def test_no_event_has_a_word_of_it() -> None:
    told = Accomplishment.claim(
        id="acc_1", externals={}, team="north", period=QUARTER, title=SECRET, about=SECRET, evidence=[SECRET],
        on=day("2026-03-20"), by="ada", leader=None, team_mates=MATES, others=(),
    )  # fmt: skip
    changed = told[0].change(MATES, about=f"{SECRET} twice")
    disputed = told[0].dispute(day("2026-03-21"), "zoe", MATES, SECRET)
    assert told[1] == AccomplishmentClaimed(team="north", period=QUARTER, on=day("2026-03-20"), pieces=1, by="ada")
    assert "Sand" not in f"{told[1]}{changed}{disputed}"


async def as_member(house: House, member: str, path: str, body: Any) -> Any:
    headers = token_headers(house.world.settings, "accomplishments:write", "own-measures:write", member=member)
    async with client_of(house.world.origin, headers) as client:
        return await client.post(f"/v1/{path}", json=body)


async def test_an_accomplishment_is_claimed_disputed_shown_by_more_and_verified(house: House) -> None:
    goal = await house.made("goals", {"title": "Hand over well", "period": "2026", "metric": "revenue"})
    body = {"team": house.north, "period": "2026-Q1", "title": "Handed over", "about": SECRET, "evidence": [SECRET],
            "goal": goal["id"], "on": "2026-03-20"}  # fmt: skip
    made = await as_member(house, house.ada, "accomplishments", body)
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["status"], found["claimed_by"], found["period"]["label"]) == ("claimed", house.ada, "2026-Q1")
    path = f"accomplishments/{found['id']}"
    problem(await as_member(house, house.ada, f"{path}/verify", {"on": "2026-03-25"}), 409, "/by")
    problem(await as_member(house, house.ben, f"{path}/verify", {"on": "2026-03-25"}), 409, "/by")
    problem(await house.post(f"{path}/verify", {"on": "2026-03-25"}), 422, "/by")
    assert found["id"] in problem(await house.post("accomplishments", body), 409, "/period")
    hired = await house.made("members", {"name": "Zoe Sand", "department": "it", "starts_on": "2025-01-01"})
    await house.world.settled(
        "/v1/deals", await house.post(f"members/{hired['id']}/externals", {"source": "x", "id": "z"})
    )
    zoe = hired["id"]
    not_shown = {"on": "2026-03-25", "reason": "A letter says nothing"}
    assert (await as_member(house, zoe, f"{path}/dispute", not_shown)).json()["status"] == "disputed"
    shown = await as_member(house, house.ada, f"{path}/show", {"evidence": ["protocol"], "on": "2026-03-26"})
    assert (shown.json()["status"], shown.json()["evidence"]) == ("claimed", [SECRET, "protocol"])
    again = await as_member(house, zoe, f"{path}/dispute", not_shown | {"on": "2026-03-26"})
    assert again.json()["status"] == "disputed"
    await as_member(house, house.ada, f"{path}/show", {"evidence": ["signed protocol"], "on": "2026-03-27"})
    verified = await as_member(house, zoe, f"{path}/verify", {"on": "2026-03-28"})
    assert (verified.json()["status"], verified.json()["judged_by"]) == ("verified", zoe)
    seen = [await house.get(path, on=f"2026-03-{on}") for on in ("20", "28")]
    assert [each["status"] for each in seen] == ["claimed", "verified"]
    assert [
        each["id"] for each in (await house.get("accomplishments", team=house.north, status="verified"))["items"]
    ] == [found["id"]]
    history = str(await house.get(f"{path}/history"))
    assert "Sand" not in history
    assert "protocol" not in history
    stays = await house.world.admin.patch(
        f"/v1/{path}", json={"period": "2026-Q2"}, headers={"If-Match": verified.headers["etag"]}
    )
    assert "stays 2026-Q1" in problem(stays, 409, "/period")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"evidence": []}, "/evidence"), ({"evidence": ["x"] * 11}, "/evidence"), ({"team": "team_none"}, "/team"),
        ({"goal": "goal_none"}, "/goal"), ({"verifier": "mbr_none"}, "/verifier"), ({"period": "2026-Q9"}, "/period"),
        ({"on": "2025-12-31"}, "/on"), ({"title": " "}, "/title"),
    ],
)  # fmt: skip
async def test_a_claim_that_cannot_be_is_refused_with_its_place(house: House, fields: Any, place: str) -> None:
    body = {"team": house.north, "period": "2026-Q4", "title": "X", "evidence": ["x"], "on": "2026-12-01"} | fields
    problem(await house.post("accomplishments", body), 422, place)


async def test_a_team_confirms_one_or_two_of_its_own_targets_for_each_period_anew(house: House) -> None:
    calls = await house.made("targets", target_body("team", house.north, "500", "2027", metric="activities"))
    won = await house.made("targets", target_body("team", house.north, "50", "2027-Q1", metric="deals_won"))
    adas = await house.made("targets", target_body("member", house.ada, eur("5.00"), "2027"))
    body = {"team": house.north, "period": "2027-Q1", "targets": [calls["id"]], "on": "2027-01-02"}
    made = await house.made("own-measures", body)
    path = f"own-measures/{made['id']}"
    assert (made["targets"], made["confirmed_by"], made["period"]["label"]) == ([calls["id"]], None, "2027-Q1")
    assert made["id"] in problem(await house.post("own-measures", body | {"period": "2027-02"}), 409, "/period")
    later = body | {"period": "2027-Q2"}
    for fields, status, place, words in (
        ({"period": "2027"}, 422, "/period", "365 days"),
        ({"targets": [adas["id"]]}, 422, "/targets/0", f"member {house.ada}"),
        ({"targets": [calls["id"], calls["id"]]}, 422, "/targets/1", "named twice"),
        ({"targets": [won["id"]]}, 422, "/targets/0", "has no day of"),
        ({"targets": ["tgt_none"]}, 422, "/targets/0", "no target tgt_none"),
        ({"targets": []}, 422, "/targets", ""),
        ({"targets": [calls["id"], won["id"], adas["id"]]}, 422, "/targets", ""),
    ):
        assert words in problem(await house.post("own-measures", later | fields), status, place)
    refused = await as_member(house, "mbr_stranger", "own-measures", later)
    assert "confirmed by who leads it" in problem(refused, 409)
    by_ada = await as_member(house, house.ada, "own-measures", later)
    assert by_ada.json()["confirmed_by"] == house.ada, "nobody leads the team, so who is in it may"
    changed = await house.world.admin.patch(
        f"/v1/{path}", json={"targets": [calls["id"], won["id"]], "on": "2027-02-01"}, headers={"If-Match": "*"}
    )
    assert (changed.json()["targets"], changed.json()["confirmed_on"]) == ([calls["id"], won["id"]], "2027-02-01")
    assert (await house.made(f"{path}/withdraw", {"on": "2027-02-02"}))["withdrawn_on"] == "2027-02-02"
    assert (await house.made("own-measures", body | {"period": "2027-02"}))["version"] == 1
