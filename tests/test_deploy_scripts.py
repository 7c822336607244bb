"""What `deploy/*.sh` refuse, and what they do when something fails halfway: with a command in the place of compose
that only notes what it was asked. What they do when all is well is seen in `tests/compose`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTING = """#!/usr/bin/env bash
echo "$*" >>"$NOTES"
[[ "$1" != logs || $(grep -c ^logs "$NOTES") = 1 ]] || echo "${LOGGED:-}"
if [[ -n "${STARTS_NOT:-}" && "$*" = *"up --detach --wait" ]]; then sleep 0.3; exit 1; fi
[[ -z "${FAILS:-}" || "$*" != *$FAILS* ]]
"""
DATABASES = ("teams", "targets", "meetings", "metrics")
Run = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a script: how it ended, what it said, and what it asked of compose."""
    compose = tmp_path / "compose"
    compose.write_text(NOTING)
    compose.chmod(0o755)
    notes = tmp_path / "notes"

    def ran(script: str, *arguments: str | Path, **environment: str) -> tuple[int, str, list[str]]:
        notes.write_text("")
        environment |= {"COMPOSE": str(compose), "DOCKER": str(compose), "NOTES": str(notes), "PATH": "/usr/bin:/bin"}
        ended = subprocess.run([ROOT / "deploy" / script, *arguments], env=environment, cwd=tmp_path,
                               capture_output=True, text=True, timeout=30)  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr, notes.read_text().splitlines()

    return ran


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder as a backup leaves it."""
    folder = tmp_path / "saved"
    folder.mkdir()
    for name in (*(f"{each}.dump" for each in DATABASES), "log.tar", "secrets.tar"):
        (folder / name).write_text(f"what {name} held")
    sums = (f"{sha256(each.read_bytes()).hexdigest()}  ./{each.name}\n" for each in sorted(folder.iterdir()))
    (folder / "complete").write_text("".join(sums))
    return folder


def test_a_folder_without_a_complete_backup_is_not_restored(run: Run, saved: Path) -> None:
    (saved / "complete").unlink()
    code, said, asked = run("restore.sh", saved)
    assert (code, asked) == (1, [])
    assert f"{saved} holds no complete backup; nothing has been changed" in said


def test_why_a_restored_concert_does_not_start_is_said_also_when_compose_gives_up_first(run: Run, saved: Path) -> None:
    why = "The log holds event 7 of targets that its database does not know"
    code, said, asked = run("restore.sh", saved, KEEP="no", STARTS_NOT="1", LOGGED=why)
    assert code == 1
    assert why in said
    assert "Restore all of one backup" in said
    assert asked[-1].startswith("stop teams")
    code, said, _ = run("restore.sh", saved, KEEP="no", STARTS_NOT="1")
    assert (code, "Concert did not come up" in said) == (1, True)


@pytest.mark.parametrize("script", ["restore.sh", "upgrade.sh"])
@pytest.mark.parametrize("name", ["targets.dump", "log.tar"])
@pytest.mark.parametrize("lost", [True, False])
def test_a_backup_of_which_something_is_lost_or_changed_is_refused_before_anything_is_done(
    run: Run, saved: Path, script: str, name: str, lost: bool
) -> None:
    (saved / name).unlink() if lost else (saved / name).write_text("something else")
    code, said, asked = run(script, saved)
    assert (code, asked) == (1, [])
    assert f"./{name}: FAILED" in said
    assert f"{saved} is damaged; nothing has been changed" in said


@pytest.mark.parametrize("arguments", [(), ("saved", "--log-only")])
def test_how_to_restore_is_said_to_who_asks_for_it_in_another_way(
    run: Run, saved: Path, arguments: tuple[str, ...]
) -> None:
    code, said, asked = run("restore.sh", *arguments)
    assert (code, asked) == (1, [])
    assert "FOLDER [--databases-only]" in said


def test_a_backup_is_not_written_over_another_one(run: Run, saved: Path) -> None:
    code, said, asked = run("backup.sh", saved)
    assert (code, asked) == (1, [])
    assert f"{saved} holds a backup already" in said


@pytest.mark.parametrize("fails", ["pg_dump", "kafka -C /var/lib/kafka/data -cf", "secrets tar"])
def test_a_backup_that_fails_is_not_complete_and_the_log_goes_on(run: Run, tmp_path: Path, fails: str) -> None:
    code, said, asked = run("backup.sh", tmp_path / "new", FAILS=fails)
    assert code != 0
    assert "kept in" not in said
    assert not (tmp_path / "new" / "complete").exists()
    assert asked[0] == "stop kafka"
    assert asked[-1] == "start kafka"


def test_a_backup_lets_the_services_go_on_unless_they_are_to_stay_down(run: Run, tmp_path: Path) -> None:
    assert "stop kafka" in run("backup.sh", tmp_path / "one")[2]
    *_, asked = run("backup.sh", tmp_path / "two", STAY_DOWN="1")
    assert asked[:2] == ["stop gateway teams targets meetings metrics", "stop kafka"]
    assert not any(each.startswith("start") for each in asked)


def test_what_is_there_is_kept_before_anything_is_put_back_and_when_that_fails_nothing_is(
    run: Run, saved: Path, tmp_path: Path
) -> None:
    code, _, asked = run("restore.sh", saved, KEEP="kept", FAILS="pg_dump")
    assert (tmp_path / "kept").exists()
    assert code != 0
    assert asked[:2] == ["stop gateway teams targets meetings metrics", "stop kafka"]
    assert not any("dropdb" in each or "-delete" in each for each in asked)


def test_a_database_that_cannot_be_put_back_is_said_and_concert_is_not_started(run: Run, saved: Path) -> None:
    fails = "dropdb --username=concert --if-exists --force targets"
    code, said, asked = run("restore.sh", saved, KEEP="no", FAILS=fails)
    assert code == 1
    assert "not all could be put back" in said
    assert asked[-1] != "up --detach --wait"
    assert not any("pg_dump" in each for each in asked)
