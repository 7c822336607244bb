"""The reviews of the demo company: four teams are asked how they work together, and each is reviewed; and all who sell
are asked whether they would recommend the company."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import httpx

from concert.demo_work import WORK, Window, Work, answers_of
from concert.imports.asking import Asking, Stopped, detail_of
from concert.imports.plan import day, slug

AsMember = Callable[[str], str]
"""A token that speaks for a member, by the member's id."""
PURPOSE: Final = ("Reviews show how a team works with others and as one, so that what is done about it helps. They"
                  " serve development and planning; they are no grounds for pay, promotion or dismissal.")  # fmt: skip
RECOMMENDED: Final = (9, 10, 8, 9, 7, 10, 6, 9)
"""How likely that is, from 0 to 10, one after the other."""
SWINGS: Final = {"benefit": 60000, "risk": 10000, "cost": 6000, "effort": 6000, "time": 3000}
"""What a full swing of each criterion is worth to the company, in its currency."""


async def hold_reviews(
    client: httpx.AsyncClient, source: str, window: Window, heard: Sequence[str], as_member: AsMember
) -> list[str]:
    """Ask the four teams, adopt the company's rules, and review each team; answers with the reviews. Raises Stopped."""
    if (await _got(client, "/v1/reviews", limit="1"))["items"] or not await _is_believed(client, as_member("demo")):
        return []
    await _settled(client, source, window)
    told = [await _asked(client, source, work, window, as_member) for work in WORK]
    told.append(await _recommended(client, source, window, as_member))
    await _adopted(client, source)
    await Asking(client).read("/v1/views/it", [*heard, *told], period=str(window.today.year))
    reviews = []
    for work in WORK:
        period = {"from": day(window.start), "to": day(window.end)}
        body = {"external": {"source": source, "id": f"review-{slug(work.team)}"}, "period": period,
                "team": f"ext:{source}:{slug(work.team)}"}  # fmt: skip
        reviews.append(str((await _told(client, "/v1/reviews", body)).json()["id"]))
    return reviews


async def agree_on(client: httpx.AsyncClient, targets: Sequence[str], approver: str, as_member: AsMember) -> None:
    """Let a member agree to targets: who has set them cannot. Raises Stopped."""
    token = as_member(str((await _got(client, f"/v1/members/{approver}"))["id"]))
    if await _is_believed(client, token):
        await _told(client, "/v1/targets/bulk", [{"do": "approve", "target": each} for each in targets], token)


async def _is_believed(client: httpx.AsyncClient, token: str) -> bool:
    """Whether Concert takes such a token: it may be signed by a key that is none of its own."""
    answer = await client.get("/v1/pulses", params={"limit": "1"}, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == httpx.codes.OK


async def _asked(client: httpx.AsyncClient, source: str, work: Work, window: Window, as_member: AsMember) -> str:
    """Let a team answer a pulse; answers with the version to wait for."""
    team, title = f"ext:{source}:{slug(work.team)}", "How we work together"
    members = (await _got(client, f"/v1/teams/{team}/members", on=day(window.today)))["items"]
    pulse = await _opened(client, source, f"pulse-{slug(work.team)}", {"title": title, "team": team}, window)
    ids = sorted(str(each["id"]) for each in members)
    return await _answered(client, pulse, dict(zip(ids, answers_of(work, len(ids)), strict=True)), as_member)


async def _recommended(client: httpx.AsyncClient, source: str, window: Window, as_member: AsMember) -> str:
    """Ask all who sell whether they would recommend the company; answers with the version to wait for."""
    query = {"department": "sales", "on": day(window.today), "limit": "200"}
    ids = sorted(str(each["id"]) for each in (await _got(client, "/v1/members", **query))["items"])
    asked = {"title": "Would you recommend us?", "department": "sales", "items": ["enps"]}
    pulse = await _opened(client, source, "pulse-sales", asked, window)
    said = {member: {"enps": RECOMMENDED[place % len(RECOMMENDED)]} for place, member in enumerate(ids)}
    return await _answered(client, pulse, said, as_member)


async def _opened(client: httpx.AsyncClient, source: str, name: str, asked: Mapping[str, Any], window: Window) -> str:
    """A pulse of today; answers with how it is called."""
    today = {"opens_on": day(window.today), "closes_on": day(window.today)}
    await _told(client, "/v1/pulses", {"external": {"source": source, "id": name}, **asked, **today})
    return f"ext:{source}:{name}"


async def _answered(
    client: httpx.AsyncClient, pulse: str, said: Mapping[str, Mapping[str, int]], as_member: AsMember
) -> str:
    """Let each say what they say, and close it; answers with the version to wait for."""
    for member, answers in said.items():
        await _told(client, f"/v1/pulses/{pulse}/answers", {"answers": answers}, as_member(member))
    closed = await _told(client, f"/v1/pulses/{pulse}/close", {})
    return str(closed.headers["concert-version"])


async def _settled(client: httpx.AsyncClient, source: str, window: Window) -> None:
    """What has to be settled before anybody is reviewed."""
    on = day(window.start)
    parts = {"assessed_on": on, "consulted_on": on, "told_on": on, "assessment": "The demo company's own, 3 pages"}
    external = {"source": source, "id": "charter"}
    await _told(client, "/v1/review-charters", {"external": external, "purpose": PURPOSE, **parts})


async def _adopted(client: httpx.AsyncClient, source: str) -> None:
    """The company's rules: it has a history, says what is worth what, and which course trains teamwork."""
    rules = await _got(client, "/v1/rule-sets/built-in")
    course = (await _got(client, f"/v1/courses/ext:{source}:teamwork"))["id"]
    ours = {
        **rules, "version": "demo-1", "baseline_periods": 0, "accept_single_period": True,
        "training": {**rules["training"], "courses": [course]}, "ranking": {**rules["ranking"], "swing": SWINGS},
    }  # fmt: skip
    await _told(client, "/v1/rule-sets", {"external": {"source": source, "id": "rules"}, "rules": ours})


async def _got(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    answer = await client.get(path, params=query)
    if answer.status_code != httpx.codes.OK:
        raise Stopped(f"{path} answered {answer.status_code}: {detail_of(answer)}.")
    return answer.json()


async def _told(client: httpx.AsyncClient, path: str, body: Any, token: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await client.post(path, json=body, headers=headers)
    if not answer.is_success:
        raise Stopped(f"{path} answered {answer.status_code}: {detail_of(answer)}.")
    return answer
