"""Every event once: whatever it was delivered by, in whatever order, in one run or many."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.ingest.trails import ACCOUNT, OTHER, compact, event_id, put, record, several_days, tree

from trailfit.errors import LakeError, SourceError
from trailfit.ingest.run import Ingested, run
from trailfit.ingest.selection import Selection
from trailfit.lake import Lake


def ingest(source: Path | list[Path], lake: Path, **options) -> Ingested:
    sources = source if isinstance(source, list) else [source]
    return run([str(one) for one in sources], Lake(lake), **{"jobs": 1, **options})


def rows(lake: Path, sql: str) -> list[tuple]:
    return Lake(lake).connect().sql(sql).fetchall()


def balanced(result: Ingested) -> bool:
    counts = result.counts
    return counts.read == counts.kept + counts.duplicates + counts.skipped + counts.errors


def test_an_event_delivered_by_two_trails_two_regions_and_again_counts_once(tmp_path):
    logs = tmp_path / "logs"
    event = record("x")
    put(logs, [event, event])
    put(logs, [event], organization="o-abcdefghij", tag="b")
    put(logs, [event], region="us-east-1", tag="c")
    put(logs, [event], delivered="2026-11-02T01:00", tag="late")

    result = ingest(logs, tmp_path / "lake")

    assert (result.counts.read, result.counts.kept, result.counts.duplicates) == (5, 1, 4)
    assert rows(tmp_path / "lake", "select event_id, date from events") == [(event_id("x"), date(2026, 10, 31))]
    assert rows(tmp_path / "lake", "select sum(calls)::int from usage where role = 'required'") == [(1,)]


def test_copies_near_midnight_under_two_key_days_count_once(tmp_path):
    logs = tmp_path / "logs"
    event = record("midnight", "2026-10-30T23:59:58Z")
    put(logs, [event], delivered="2026-10-30T23:59", tag="account-trail")
    put(logs, [event], delivered="2026-10-31T00:04", organization="o-abcdefghij", tag="org-trail")

    result = ingest(logs, tmp_path / "lake")

    assert (result.counts.kept, result.counts.duplicates) == (1, 1)
    assert rows(tmp_path / "lake", "select account, date from events") == [(ACCOUNT, date(2026, 10, 30))]


def test_a_pretty_printed_copy_is_the_same_event(tmp_path):
    event = record("x")
    put(tmp_path / "logs", [event])
    (tmp_path / "logs" / "copy.json").write_text(json.dumps({"Records": [event]}, indent=2))

    assert ingest(tmp_path / "logs", tmp_path / "lake").counts.kept == 1


def test_one_event_id_with_different_records_keeps_both_and_says_so(tmp_path):
    put(tmp_path / "logs", [record("x"), record("x", requestParameters={"tableName": "other"}), record("x")])

    counts = ingest(tmp_path / "logs", tmp_path / "lake").counts

    assert (counts.kept, counts.duplicates, counts.conflicts) == (2, 1, 1)


def test_records_without_event_id_are_told_apart_by_their_text(tmp_path):
    one, two = record("x"), record("y", requestParameters={"tableName": "other"})
    del one["eventID"], two["eventID"]
    put(tmp_path / "logs", [one, two, one])

    counts = ingest(tmp_path / "logs", tmp_path / "lake").counts

    assert (counts.kept, counts.duplicates, counts.conflicts) == (2, 1, 0)


def test_one_action_seen_by_two_accounts_is_two_events_marked_shared(tmp_path):
    shared = {"sharedEventID": "s-1"}
    put(tmp_path / "logs", [record("caller", **shared)])
    put(tmp_path / "logs", [record("owner", account=OTHER, **shared)], account=OTHER)

    ingest(tmp_path / "logs", tmp_path / "lake")

    assert rows(tmp_path / "lake", "select account, shared from usage where role = 'required' order by 1") == [
        (OTHER, True),
        (ACCOUNT, True),
    ]


def test_accounts_with_leading_zeros_stay_text(tmp_path):
    put(tmp_path / "logs", [record("x", account=OTHER)], account=OTHER)

    ingest(tmp_path / "logs", tmp_path / "lake")

    assert rows(tmp_path / "lake", "select distinct account from usage") == [("012345678901",)]


def test_the_second_run_reads_nothing_and_changes_nothing(tmp_path):
    several_days(tmp_path / "logs")
    ingest(tmp_path / "logs", tmp_path / "lake")
    before = tree(tmp_path / "lake")

    again = ingest(tmp_path / "logs", tmp_path / "lake")

    assert (again.counts.objects, again.counts.units, again.counts.objects_done_before) == (0, 0, 24)
    assert tree(tmp_path / "lake") == before


def test_a_late_object_costs_one_unit(tmp_path):
    total = several_days(tmp_path / "logs")
    ingest(tmp_path / "logs", tmp_path / "lake")
    before = tree(tmp_path / "lake")
    put(tmp_path / "logs", [record("late", "2026-10-29T10:00:00Z")], delivered="2026-10-29T10:05", tag="late")

    result = ingest(tmp_path / "logs", tmp_path / "lake")

    changed = {path for path, data in tree(tmp_path / "lake").items() if before.get(path) != data}
    assert (result.counts.objects, result.counts.units, result.counts.kept) == (1, 1, 1)
    assert {path.split("/", 1)[1].removesuffix(".json").removesuffix("/part-0-of-1.parquet") for path in changed} == {
        f"account={ACCOUNT}/date=2026-10-29"
    }
    assert rows(tmp_path / "lake", "select count(*) from events") == [(total + 1,)]


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_the_lake_is_the_same_however_the_work_is_cut(tmp_path, jobs):
    total = several_days(tmp_path / "logs")
    ingest(tmp_path / "logs", tmp_path / "whole")
    files = sorted((tmp_path / "logs").rglob("*.gz"))
    half = [path for number, path in enumerate(files) if number % 2]

    first = ingest(half, tmp_path / "lake", jobs=jobs)
    second = ingest(files, tmp_path / "lake", jobs=jobs)

    assert first.counts.kept + second.counts.kept == total
    assert balanced(first)
    assert balanced(second)
    assert tree(tmp_path / "lake") == tree(tmp_path / "whole")


def test_what_was_left_out_of_a_window_is_read_when_the_window_grows(tmp_path):
    several_days(tmp_path / "logs")
    ingest(tmp_path / "logs", tmp_path / "whole")

    narrow = ingest(tmp_path / "logs", tmp_path / "lake", selection=Selection(date(2026, 10, 29), date(2026, 10, 29)))
    again = ingest(tmp_path / "logs", tmp_path / "lake", selection=Selection(date(2026, 10, 29), date(2026, 10, 29)))
    days = rows(tmp_path / "lake", "select distinct date from events")
    wide = ingest(tmp_path / "logs", tmp_path / "lake")

    assert days == [(date(2026, 10, 29),)]
    assert narrow.counts.skipped > 0
    assert balanced(narrow)
    assert again.counts.objects == 0
    assert balanced(wide)
    assert tree(tmp_path / "lake") == tree(tmp_path / "whole")


def test_only_the_accounts_and_regions_asked_for_are_read(tmp_path):
    several_days(tmp_path / "logs")
    loose = tmp_path / "logs" / "loose.json"
    loose.write_bytes(compact(record("here"), record("there", awsRegion="us-east-1"), record("other", account=OTHER)))

    result = ingest(
        tmp_path / "logs",
        tmp_path / "lake",
        selection=Selection(accounts=frozenset({ACCOUNT}), regions=frozenset({"us-east-1"})),
    )
    narrow = rows(tmp_path / "lake", "select event_id, account, region from events")
    wide = ingest(loose, tmp_path / "lake")

    assert narrow == [(event_id("there"), ACCOUNT, "us-east-1")]
    assert (result.counts.read, result.counts.skipped) == (3, 2)
    assert wide.counts.kept == 2


def test_what_cannot_be_read_is_named_in_the_lake_and_the_rest_is_kept(tmp_path):
    logs = tmp_path / "logs"
    good = put(logs, [record("a"), record("b")])
    cut = put(logs, [record("c"), record("d")], tag="cut")
    cut.write_bytes(cut.read_bytes()[:-9])
    (logs / "empty.json.gz").write_bytes(b"")
    (logs / "other.json").write_text('{"hello": "world"}')
    (logs / "undated.json").write_bytes(compact(record("u", eventTime="soon")))

    result = ingest(logs, tmp_path / "lake")

    assert balanced(result)
    assert result.counts.errors == 4
    named = rows(tmp_path / "lake", "select object, record, reason from skipped order by object")
    assert {Path(where).name for where, _, _ in named} == {cut.name, "empty.json.gz", "other.json", "undated.json"}
    assert good.name not in str(named)
    assert ingest(logs, tmp_path / "lake").counts.objects == 0


def test_a_mended_object_takes_its_errors_back(tmp_path):
    path = put(tmp_path / "logs", [record("a"), record("b")])
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    ingest(tmp_path / "logs", tmp_path / "lake")
    assert rows(tmp_path / "lake", "select count(*) from skipped") == [(1,)]
    path.write_bytes(whole)

    ingest(tmp_path / "logs", tmp_path / "lake")

    assert rows(tmp_path / "lake", "select count(*) from skipped") == [(0,)]
    assert rows(tmp_path / "lake", "select count(*) from events") == [(2,)]


def test_an_object_that_changed_is_read_again_once(tmp_path):
    put(tmp_path / "logs", [record("a"), record("b", "2026-10-30T23:59:00Z")])
    ingest(tmp_path / "logs", tmp_path / "lake")
    put(tmp_path / "logs", [record("a"), record("c"), record("d")])

    changed = ingest(tmp_path / "logs", tmp_path / "lake")
    again = ingest(tmp_path / "logs", tmp_path / "lake")

    assert (changed.counts.objects, changed.counts.kept, again.counts.objects) == (1, 2, 0)
    assert rows(tmp_path / "lake", "select count(*) from events") == [(4,)]


def test_events_stay_when_their_objects_are_gone(tmp_path):
    old = put(tmp_path / "logs", [record("old")])
    ingest(tmp_path / "logs", tmp_path / "lake")
    old.unlink()
    put(tmp_path / "logs", [record("new")], tag="new")

    ingest(tmp_path / "logs", tmp_path / "lake")

    assert rows(tmp_path / "lake", "select count(*) from events") == [(2,)]


def test_a_second_ingest_on_the_same_lake_is_refused_and_says_who_holds_it(tmp_path):
    put(tmp_path / "logs", [record("a")])
    lake = Lake(tmp_path / "lake")

    with lake.lock(), pytest.raises(LakeError, match="another ingest"):
        run([str(tmp_path / "logs")], Lake(tmp_path / "lake"))


def test_a_source_that_does_not_exist_is_said(tmp_path):
    with pytest.raises(SourceError, match="no such file or folder"):
        ingest(tmp_path / "nothing", tmp_path / "lake")


def test_a_denied_call_is_in_the_rollup_but_counts_as_no_use(tmp_path):
    put(tmp_path / "logs", [record("a", errorCode="AccessDenied", errorMessage="denied")])

    ingest(tmp_path / "logs", tmp_path / "lake")

    assert rows(tmp_path / "lake", "select outcome, counts_as_use, calls from usage where role = 'required'") == [
        ("denied", False, 1)
    ]
