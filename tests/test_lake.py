"""The lake: what is committed is what is read; left-overs are swept; snapshots come back as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.ingest.trails import ACCOUNT, OTHER, put, record, several_days
from trailfit.errors import LakeError
from trailfit.ingest.run import run
from trailfit.lake import COLUMNS, Lake
from trailfit.model import Unit


@pytest.fixture
def lake(tmp_path) -> Lake:
    several_days(tmp_path / "logs", days=2)
    run([str(tmp_path / "logs")], Lake(tmp_path / "lake"), jobs=1)
    return Lake(tmp_path / "lake")


def test_an_empty_lake_has_typed_views_and_no_days(tmp_path):
    lake = Lake(tmp_path / "none")
    con = lake.connect()

    assert (lake.days(), lake.units(), lake.accounts(), lake.read_snapshot()) == (None, [], [], None)
    for table, columns in COLUMNS.items():
        assert con.sql(f"select * from {table}").columns == [*columns, "account", "date"]
        assert con.sql(f"select count(*) from {table}").fetchall() == [(0,)]


def test_the_views_have_the_promised_columns_and_types(lake):
    con = lake.connect()

    for table in ("events", "usage"):
        described = {row[0]: row[1].replace('"', "") for row in con.sql(f"describe {table}").fetchall()}
        assert described == {**COLUMNS[table], "account": "VARCHAR", "date": "DATE"}


def test_every_event_is_in_the_rollup_once(lake):
    con = lake.connect()

    events = con.sql("select account, date, count(*) from events group by all order by all").fetchall()
    usage = con.sql("select account, date, sum(calls)::bigint from usage group by all order by all").fetchall()
    assert events == usage


def test_the_rollup_says_what_the_events_say(lake):
    con = lake.connect()
    slow = """
        select e.principal, e.region, e.event_name, u.action, u.resource, u.basis, e.outcome, count(*), min(event_time),
               max(event_time), arg_min(event_id, (event_time, event_id)), e.account, e.date
        from events e left join lateral (select unnest(uses, recursive := true)) u on true group by all order by all"""
    fast = """
        select principal, region, event_name, action, resource, basis, outcome, calls, first_used, last_used, example_event,
               account, date from usage order by all"""

    assert con.sql(fast).fetchall() == con.sql(slow).fetchall()


def test_days_accounts_and_units_are_those_of_the_events(lake):
    assert lake.days() == (date(2026, 10, 27), date(2026, 10, 29))
    assert lake.accounts() == [OTHER, ACCOUNT]
    assert lake.units()[0] == Unit(OTHER, date(2026, 10, 27))
    assert len(lake.units()) == 6


def test_the_files_are_plain_hive_partitioned_parquet(lake):
    import pandas as pd

    frame = pd.read_parquet(Path(lake.root) / "events" / f"account={ACCOUNT}" / "date=2026-10-28")

    assert set(frame["principal"]) == {f"arn:aws:iam::{ACCOUNT}:role/svc/app"}


def test_names_that_are_patterns_or_quotes_are_only_names(tmp_path):
    put(tmp_path / "logs", [record("a")])
    root = tmp_path / "la'ke [*]?"

    run([str(tmp_path / "logs")], Lake(root), jobs=1)

    assert Lake(root).connect().sql("select count(*) from events").fetchall() == [(1,)]


def test_what_a_killed_ingest_left_is_swept_and_damage_is_made_anew(lake, tmp_path):
    root = Path(lake.root)
    stray = root / f"events/account={ACCOUNT}/date=2026-10-28/part-1-of-2.parquet"
    stray.write_bytes(b"half")
    (root / ".staging/1-x").mkdir(parents=True)
    unit = root / f"usage/account={ACCOUNT}/date=2026-10-28/part-0-of-1.parquet"
    whole = unit.read_bytes()
    unit.unlink()

    assert lake.sweep(lake.manifests()) == {Unit(ACCOUNT, date(2026, 10, 28))}
    run([str(tmp_path / "logs")], lake, jobs=1)

    assert not stray.exists()
    assert not (root / ".staging").exists()
    assert unit.read_bytes() == whole


def test_a_damaged_or_newer_manifest_is_said(lake):
    path = Path(lake.root) / f"units/account={ACCOUNT}/date=2026-10-28.json"
    text = path.read_text()

    path.write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(LakeError, match="format is 2"):
        lake.manifests()
    path.write_text(text[:50])
    with pytest.raises(LakeError, match="damaged manifest"):
        lake.units()


def test_the_newest_snapshot_comes_back(tmp_path):
    lake = Lake(tmp_path / "lake")
    noon = datetime(2026, 10, 31, 12, tzinfo=UTC)

    lake.write_snapshot({"n": 2}, noon)
    lake.write_snapshot({"n": 1}, (noon - timedelta(hours=1)).astimezone(timezone(timedelta(hours=9))))

    assert lake.read_snapshot() == {"n": 2}
    assert sorted(path.name for path in (tmp_path / "lake/snapshots").iterdir()) == [
        "20261031T110000Z",
        "20261031T120000Z",
    ]


def test_only_folders_and_buckets_hold_a_lake():
    with pytest.raises(LakeError, match="only folders and s3://"):
        Lake("gs://bucket")
