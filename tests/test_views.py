"""The lake's views say the same through trailfit, in a plain DuckDB by one SQL file, and for a lake in S3."""

import json
from pathlib import Path

import duckdb
import pytest

import trailfit as trailfit_api
from trailfit import views
from trailfit.lake import Lake

SHELL = Path(__file__).parents[1] / "queries" / "views" / "lake.sql"
NAMES = ["events", "usage", "skipped", "units", "coverage", *views.COLUMNS]


def plain(lake):
    """Open a lake as the `duckdb` shell does: no trailfit, one file of SQL."""
    con = duckdb.connect()
    con.execute("set variable lake = $lake", {"lake": str(lake)})
    con.execute(SHELL.read_text(encoding="utf-8"))
    return con


def columns(con, name):
    described = con.execute(f"describe {name}").fetchall()
    return [(row[0], row[1]) for row in described]


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_duckdb_sees_what_trailfit_sees(name, demo):
    ours, theirs = Lake(demo / "lake").connect(), plain(demo / "lake")
    digest = f"select count(*), bit_xor(hash(row)) from (select columns(*)::varchar from {name}) as row"

    assert columns(theirs, name) == columns(ours, name)
    assert theirs.execute(digest).fetchall() == ours.execute(digest).fetchall()


@pytest.mark.parametrize("name", sorted({*NAMES} - {"skipped", "integrity"}))  # its trail is whole, and has no digests
def test_no_view_of_the_demo_is_empty(name, demo):
    assert Lake(demo / "lake").connect().execute(f"select count(*) from {name}").fetchone() > (0,)


@pytest.mark.parametrize("name", views.COLUMNS)
def test_a_table_that_no_snapshot_or_run_wrote_is_empty_and_typed(name, tmp_path, demo):
    (tmp_path / "lake").mkdir()
    for part in ("events", "usage", "units"):
        (tmp_path / "lake" / part).symlink_to(demo / "lake" / part)

    for con in (Lake(tmp_path / "lake").connect(), plain(tmp_path / "lake")):
        assert con.execute(f"select count(*) from {name}").fetchone() == (0,)
        assert columns(con, name) == list(views.COLUMNS[name].items())


def test_the_newest_snapshot_and_the_newest_window_are_shown(tmp_path):
    lake = Lake(tmp_path)
    finding = ["f", "UnusedIAMRole", "arn", "high", "high", None, "{}", None, None]
    for day in ("2026-09-30", "2026-10-31"):
        views.write(lake.storage, f"judged/{day}", {"permissions": [], "findings": [[day, *finding[1:]]]})

    assert lake.connect().execute("select id from findings").fetchall() == [("2026-10-31",)]


def test_a_judgement_half_written_is_not_shown(tmp_path):
    lake = Lake(tmp_path)
    views.write(lake.storage, "judged/2026-09-30", {"permissions": [], "findings": []})
    views.write(lake.storage, "judged/2026-10-31", {"permissions": [["arn", *[None] * 10]]})

    assert lake.connect().execute("select count(*) from permissions").fetchone() == (0,)


def test_findings_in_the_lake_are_those_of_the_run(demo):
    told = json.loads((demo / "out" / "recommendations.json").read_text())
    lake = trailfit_api.open(demo / "lake")

    assert lake.sql("select id from findings order by id").fetchall() == sorted(
        (each["id"],) for each in told["findings"]
    )
    assert lake.sql("select sum(actions) from permissions").fetchall() == [
        (sum(told["summary"]["permissions"].values()),)
    ]


def test_a_lake_that_may_only_be_read_is_judged_all_the_same(demo, tmp_path, trailfit):
    (tmp_path / "lake").mkdir()
    for part in ("events", "usage", "units", "snapshots"):
        (tmp_path / "lake" / part).symlink_to(demo / "lake" / part)
    (tmp_path / "lake" / "judged").write_text("a file where the folder would be")

    shown = trailfit("recommend", "--lake", tmp_path / "lake", "--out", tmp_path / "out", code=None)

    assert shown.exit_code in (0, 3), shown.output
    assert "the lake's views do not show this run" in shown.output
    assert (tmp_path / "out" / "recommendations.json").is_file()
