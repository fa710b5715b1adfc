"""Killed at any moment and run again, the lake is byte for byte what an undisturbed run makes; readers never see half a unit."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.ingest.trails import put, record, several_days, tree

from trailfit.lake import Lake

if TYPE_CHECKING:
    from pathlib import Path

#: As from a terminal: a shell that runs the tests in the background makes its children ignore interrupts.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from trailfit.cli.main import main; sys.argv[0] = 'trailfit'; main()"
)


def start(logs: Path, lake: Path, *, jobs: int = 2) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        "-q",
        "ingest",
        str(logs),
        "--lake",
        str(lake),
        "--jobs",
        str(jobs),
        "--wait",
        "20",
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def finish(logs: Path, lake: Path) -> None:
    process = start(logs, lake)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()


def whole_units(lake: Path, sizes: dict[tuple, int]) -> None:
    """Check that every unit that a reader sees is whole, by trailfit's views and by globbing alike."""
    import duckdb

    con = Lake(lake).connect()
    for account, day, count in con.sql("select account, date::text, count(*) from events group by all").fetchall():
        assert sizes[account, day] == count
    con.close()
    if list(lake.glob("events/*/*/*.parquet")):
        rows = duckdb.sql(
            f"select account, date::text, count(*) from read_parquet('{lake}/events/*/*/*.parquet', hive_partitioning=true, "
            "hive_types={'account': VARCHAR, 'date': DATE}) group by all"
        ).fetchall()
        for account, day, count in rows:
            assert sizes[account, day] == count


def kill_and_compare(tmp_path: Path, kills: int, seed: int) -> int:
    """Kill running ingests at random moments, `kills` of them; return how many lakes that took."""
    logs = tmp_path / "logs"
    several_days(logs, days=6)
    put(logs, [record("loose", account="444455556666")]).rename(logs / "loose.json.gz")
    began = time.monotonic()
    finish(logs, tmp_path / "calm")
    takes = time.monotonic() - began
    calm = tree(tmp_path / "calm")
    con = Lake(tmp_path / "calm").connect()
    sizes = {
        (a, d): n for a, d, n in con.sql("select account, date::text, count(*) from events group by all").fetchall()
    }
    rng = random.Random(seed)
    done = number = 0
    while done < kills:
        lake = tmp_path / f"lake{number}"
        number += 1
        for _ in range(rng.randint(1, 4)):
            process = start(logs, lake)
            time.sleep(rng.uniform(0.1, 1.1) * takes)
            running = process.poll() is None
            process.kill()
            process.wait()
            done += running
            # How long an ingest takes changes with the load of the machine: one that had ended was killed too late.
            takes *= 1.03 if running else 0.85
            whole_units(lake, sizes)
        finish(logs, lake)
        assert tree(lake) == calm, f"seed {seed}, lake {number}"
    return number


def test_a_few_kills_leave_the_lake_as_it_would_have_been(tmp_path):
    assert kill_and_compare(tmp_path, 4, 1) > 0


def test_of_two_ingests_at_once_the_second_waits_and_the_lake_is_the_same(tmp_path):
    logs = tmp_path / "logs"
    several_days(logs, days=2)
    finish(logs, tmp_path / "calm")

    processes = [start(logs, tmp_path / "lake", jobs=1) for _ in range(2)]

    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert tree(tmp_path / "lake") == tree(tmp_path / "calm")


@pytest.mark.slow
def test_two_hundred_kills_leave_the_lake_as_it_would_have_been(tmp_path):
    assert kill_and_compare(tmp_path, 200, 2) > 50


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_ingest_says_so_and_goes_on_next_time(tmp_path, sent):
    logs = tmp_path / "logs"
    several_days(logs, days=8)
    finish(logs, tmp_path / "calm")

    process = start(logs, tmp_path / "lake")
    while not (tmp_path / "lake" / ".staging").exists():
        time.sleep(0.01)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    finish(logs, tmp_path / "lake")

    assert process.returncode == 130
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert tree(tmp_path / "lake") == tree(tmp_path / "calm")


def test_a_full_disk_is_said_and_nothing_half_written_is_seen(tmp_path):
    """The file size limit of the process stands in for a full disk: writes fail in the middle of a file."""
    logs = tmp_path / "logs"
    several_days(logs, days=3)
    limited = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)); "
    command = [
        sys.executable,
        "-c",
        limited + PROGRAM,
        "ingest",
        str(logs),
        "--lake",
        str(tmp_path / "lake"),
        "--jobs",
        "1",
    ]

    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    finish(logs, tmp_path / "calm")
    finish(logs, tmp_path / "lake")

    assert failed.returncode == 2
    assert "File too large" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert tree(tmp_path / "lake") == tree(tmp_path / "calm")


def test_readers_during_a_redo_see_the_unit_before_or_after(tmp_path):
    logs = tmp_path / "logs"
    several_days(logs, days=2)
    finish(logs, tmp_path / "lake")
    before = Lake(tmp_path / "lake").connect().sql("select count(*) from events").fetchall()[0]
    for number in range(3):
        put(logs, [record(f"late{number}{n}", "2026-10-28T09:00:00Z") for n in range(10)], tag=f"late{number}")
    process = start(logs, tmp_path / "lake", jobs=1)
    seen = set()
    while process.poll() is None:
        seen.add(Lake(tmp_path / "lake").connect().sql("select count(*) from events").fetchall()[0])
    assert process.returncode == 0
    assert seen <= {before, (before[0] + 30,)}
