"""Every alert fires when what it speaks of has happened to a running Concert, and stops when that is over."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shared.http import pulse
from tests.metrics.test_certificate import settled_verdict
from tests.serving import serving
from tests.watch import causes
from tests.watch.causes import Cause, Stage
from tests.watch.minutes import FASTER, milliseconds, quick, unscaled
from tests.watch.prometheus import RULES, Alert, watching
from tests.world import embedded, world

PHASES: list[dict[Cause, list[Alert]]] = [
    {causes.nothing_is_found: [{"alertname": "ConcertGone"}]},
    {
        causes.an_event_is_broken: [
            {"alertname": "ConcertEventParked", "service": "metrics"},
            {"alertname": "ConcertInconsistent"},
        ],
    },
    {
        causes.a_copy_has_ended: [{"alertname": "ConcertDown", "container": "second"}],
        causes.a_relay_stands_still: [
            {"alertname": "ConcertRelayStopped", "service": "targets"},
            {"alertname": "ConcertOutboxOld", "service": "targets"},
            {"alertname": "ConcertEventWaits", "service": "metrics"},
            {"alertname": "ConcertNotVerified"},
        ],
        causes.the_views_stand_still: [
            {"alertname": "ConcertApplierBehind", "service": "metrics"},
            {"alertname": "ConcertViewsBehind", "owner": "teams"},
        ],
        causes.requests_are_refused: [{"alertname": "ConcertErrors", "service": "targets"}],
        causes.answers_take_long: [{"alertname": "ConcertSlow", "service": "metrics"}],
        causes.a_receiver_has_gone: [{"alertname": "ConcertWebhookFailing"}, {"alertname": "ConcertWebhookBehind"}],
    },
    {
        causes.a_database_is_held: [
            {"alertname": "ConcertDatabaseSilent", "service": "metrics"},
            {"alertname": "ConcertPartNotReady", "service": "metrics", "part": "store"},
            {"alertname": "ConcertCertificateStale"},
        ],
    },
]
"""What goes wrong together, and what each of it is alarmed by. What is given up for a reason alarms nobody later on."""
LINGERS = "ConcertWebhookFailing"
"""It looks back for a quarter of an hour, so others go wrong before it stops."""


def test_there_is_a_cause_for_every_alert() -> None:
    caused = [alert["alertname"] for phase in PHASES for alerts in phase.values() for alert in alerts]
    assert sorted(caused) == sorted(rule["alert"] for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_is_quicker_here_by_the_same_and_nothing_is_left_out(rule: dict[str, str]) -> None:
    assert unscaled(rule) == []
    assert milliseconds(quick(rule)["for"]) * FASTER == milliseconds(rule["for"])
    left = rule | {"expr": "concert_outbox_events > 300", "for": "1m"}
    assert unscaled(left) == ["300"]


async def test_every_alert_fires_for_its_cause_and_stops_when_it_is_gone(
    prometheus_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A database has as much less time to answer as everything else, or no look of Prometheus would outlast it.
    monkeypatch.setattr(pulse, "PATIENCE", pulse.PATIENCE / 6)
    async with (
        embedded(tmp_path) as ground,
        world(tmp_path, ground, webhook_private_targets=True) as concert,
        serving(concert.origin) as url,
        watching(prometheus_path, tmp_path / "watch", concert=url) as watch,
    ):
        await settled_verdict(concert, "consistent")
        await watch.has_looked()
        await watch.until_quiet()
        for phase in PHASES:
            expected = [alert for alerts in phase.values() for alert in alerts]
            async with AsyncExitStack() as happening:
                for cause in phase:
                    await happening.enter_async_context(cause(Stage(concert, url, watch)))
                await watch.until_all(expected)
            await watch.until_none({alert["alertname"] for alert in expected} - {LINGERS})
        await watch.until_none({LINGERS})
