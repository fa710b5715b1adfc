"""A unit larger than the memory streams into parts, and is the same unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.ingest.trails import event_id, put, record, tree

from trailfit.ingest import rollups, rows, spills, unit
from trailfit.ingest.run import run
from trailfit.lake import Lake

if TYPE_CHECKING:
    from pathlib import Path


def logs(folder: Path) -> None:
    for part in range(6):
        records = [
            record(
                f"{part}-{n}", f"2026-10-31T{part:02d}:{n % 60:02d}:00Z", requestParameters={"tableName": f"t{n % 7}"}
            )
            for n in range(90)
        ]
        put(folder, records + records[:10], delivered=f"2026-10-31T{part:02d}:59", tag=str(part))


def contents(lake: Path, table: str) -> list[tuple]:
    return Lake(lake).connect().sql(f"select * from {table} order by all").fetchall()


@pytest.fixture
def small(monkeypatch):
    """Make parts and memory small enough for a test."""
    monkeypatch.setattr(rows, "PART_ROWS", 100)
    monkeypatch.setattr(unit, "_ROW_GROUP", 50)
    monkeypatch.setattr(rows, "_IN_MEMORY", 20_000)
    monkeypatch.setattr(rollups, "SHARE_ROWS", 12)


def test_a_unit_in_parts_holds_the_same_events_and_the_same_rollup(tmp_path, monkeypatch, request):
    logs(tmp_path / "logs")
    run([str(tmp_path / "logs")], Lake(tmp_path / "one"), jobs=1)
    request.getfixturevalue("small")
    run([str(tmp_path / "logs")], Lake(tmp_path / "parts"), jobs=1)

    [manifest] = Lake(tmp_path / "parts").manifests()
    assert (manifest.records, manifest.rows, manifest.duplicates, len(manifest.events)) == (600, 540, 60, 6)
    assert len(manifest.usage) > 1
    assert contents(tmp_path / "parts", "events") == contents(tmp_path / "one", "events")
    assert contents(tmp_path / "parts", "usage") == contents(tmp_path / "one", "usage")


def test_parts_do_not_depend_on_how_many_runs_they_came_in(tmp_path, small):
    logs(tmp_path / "logs")
    files = sorted((tmp_path / "logs").rglob("*.gz"))
    run([str(tmp_path / "logs")], Lake(tmp_path / "whole"), jobs=1)

    for number in range(1, len(files) + 1):
        run([str(path) for path in files[:number]], Lake(tmp_path / "grown"), jobs=1)

    assert tree(tmp_path / "grown") == tree(tmp_path / "whole")


def test_a_bucket_follows_from_the_event_id_alone_and_buckets_are_even():
    import pyarrow as pa

    ids = [event_id(str(number)) for number in range(4000)] + [None, "", "x", event_id("0")]
    table = pa.table({"event_id": pa.array(ids, pa.string())})

    codes = spills.buckets_of(rows.hash_of(table), 4)
    alone = [int(spills.buckets_of(rows.hash_of(table.slice(place, 1)), 4)[0]) for place in range(0, len(ids), 97)]

    assert codes[0] == codes[-1]
    assert alone == [int(code) for code in codes[::97]]
    assert all(800 < int((codes[:4000] == bucket).sum()) < 1200 for bucket in range(4))
