"""The alert rules, the dashboards and the runbooks, judged by what Concert tells and by promtool."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import prometheus_client
import yaml  # type: ignore[import-untyped]

from concert.services import SERVICES
from tests.watch.prometheus import RULES, WATCH

RUNBOOKS = (WATCH.parent.parent / "docs" / "runbooks.md").read_text()
DASHBOARDS = sorted((WATCH / "grafana" / "dashboards").glob("*.json"))


def expressions() -> list[str]:
    """Every question that an alert or a panel asks."""
    panels = [panel for file in DASHBOARDS for panel in json.loads(file.read_text())["panels"]]
    return [rule["expr"] for rule in RULES] + [each["expr"] for panel in panels for each in panel["targets"]]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)
    assert headings == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_alerts_and_panels_ask_only_for_what_concert_tells() -> None:
    assert SERVICES, "all that tells anything has been loaded"
    told = {sample.name for family in prometheus_client.REGISTRY.collect() for sample in family.samples}
    told |= {family.name for family in prometheus_client.REGISTRY.collect()}
    told |= {f"{family.name}{end}" for family in prometheus_client.REGISTRY.collect()
             for end in ("_total", "_bucket", "_sum", "_count")}  # fmt: skip
    asked = {name for each in expressions() for name in re.findall(r"\b(?:concert|process)_\w+", each)}
    assert asked <= told
    assert {"concert_outbox_events", "concert_certificate_verdict", "concert_commit_group_writes_sum"} <= asked


def test_the_collector_and_the_scrapes_know_every_service() -> None:
    names = [service.name for service in SERVICES]
    scrape = yaml.safe_load((WATCH / "prometheus.yml").read_text())["scrape_configs"][0]
    collector = yaml.safe_load((WATCH / "collector.yml").read_text())
    carried = collector["receivers"]["prometheus"]["config"]["scrape_configs"][0]
    for each in (scrape, carried):
        assert sorted(each["dns_sd_configs"][0]["names"]) == sorted(names)
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])


def test_promtool_takes_the_rules_the_scrapes_and_every_question_of_the_dashboards(
    prometheus_path: Path, tmp_path: Path
) -> None:
    promtool = prometheus_path.with_name("promtool")
    questions = [{"record": f"question_{number}", "expr": each} for number, each in enumerate(expressions())]
    (tmp_path / "questions.yml").write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": questions}]}))
    for arguments in (
        ["check", "rules", str(WATCH / "rules.yml")],
        ["check", "rules", str(tmp_path / "questions.yml")],
        ["check", "config", str(WATCH / "prometheus.yml")],
    ):
        judged = subprocess.run([promtool, *arguments], capture_output=True, text=True)
        assert judged.returncode == 0, judged.stdout + judged.stderr
