"""S3: plain and organization trails, any prefix, several buckets; faults on the way change nothing in the lake."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.ingest.conftest import forget_clients
from tests.ingest.faults import Proxy, at_random
from tests.ingest.test_run import balanced, rows
from tests.ingest.trails import ACCOUNT, OTHER, put, record, several_days, tree

from trailfit.cli.ingest import price
from trailfit.errors import LakeError, SourceError
from trailfit.ingest.listing import list_new
from trailfit.ingest.run import run
from trailfit.ingest.selection import Selection
from trailfit.lake import Lake


def contents(lake: Lake) -> list[tuple]:
    """All rows of a lake but for where they came from."""
    con = lake.connect()
    events = con.sql("select * exclude (source_object, uses), uses::varchar from events order by all").fetchall()
    return events + con.sql("select * from usage order by all").fetchall()


def test_a_bucket_gives_the_same_lake_as_the_folder_it_was_copied_from(tmp_path, s3):
    several_days(tmp_path / "logs")
    put(tmp_path / "logs", [record("org")], organization="o-abcdefghij", tag="org")
    s3.upload(s3.make("logs"), tmp_path / "logs", "some/prefix/")
    run([str(tmp_path / "logs")], Lake(tmp_path / "folder"), jobs=1)

    result = run(["s3://logs"], Lake(tmp_path / "bucket"), jobs=2)

    assert balanced(result)
    assert result.problems == []
    assert contents(Lake(tmp_path / "bucket")) == contents(Lake(tmp_path / "folder"))


@pytest.mark.parametrize(
    ("prefix", "objects"),
    [
        ("", 25),
        ("some", 25),
        ("some/prefix/AWSLogs/", 25),
        ("some/prefix/AWSLogs/o-abcdefghij", 1),
        (f"some/prefix/AWSLogs/{ACCOUNT}/CloudTrail/", 12),
        (f"some/prefix/AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/10/29", 3),
        (f"some/prefix/AWSLogs/{ACCOUNT}/CloudTrail/eu-we", 12),
        ("some/pre", 25),
    ],
)
def test_any_prefix_can_be_the_source(tmp_path, s3, prefix, objects):
    several_days(tmp_path / "logs")
    put(tmp_path / "logs", [record("org")], organization="o-abcdefghij", tag="org")
    s3.upload(s3.make("logs"), tmp_path / "logs", "some/prefix/")

    assert run([f"s3://logs/{prefix}"], Lake(tmp_path / "lake"), jobs=1).counts.objects == objects


def test_only_the_days_asked_for_are_listed(tmp_path, s3):
    several_days(tmp_path / "logs")
    s3.upload(s3.make("logs"), tmp_path / "logs")
    with Proxy(s3.host, s3.port, lambda *_: None) as proxy:
        result = through(
            proxy, ["s3://logs"], Lake(tmp_path / "lake"), selection=Selection(date(2026, 10, 29), date(2026, 10, 29))
        )

    listed = [path for method, path in proxy.requests if method == "GET" and "list-type" in path]
    days = {path.split("2026%2F10%2F")[1][:2] for path in listed if "2026%2F10%2F" in path}
    assert days == {"29", "30"}
    assert result.counts.objects == 12
    assert rows(tmp_path / "lake", "select distinct date from events") == [(date(2026, 10, 29),)]


def test_several_buckets_and_a_folder_make_one_lake(tmp_path, s3):
    put(tmp_path / "one", [record("a"), record("b")])
    put(tmp_path / "two", [record("b"), record("c")])
    put(tmp_path / "three", [record("d", account=OTHER)], account=OTHER)
    s3.upload(s3.make("one"), tmp_path / "one")
    s3.upload(s3.make("two"), tmp_path / "two")

    result = run(["s3://one", "s3://two", str(tmp_path / "three")], Lake(tmp_path / "lake"), jobs=1)

    assert (result.counts.kept, result.counts.duplicates) == (4, 1)


def test_a_bucket_that_does_not_exist_and_a_prefix_without_objects_are_said(tmp_path, s3):
    s3.make("logs")

    with pytest.raises(SourceError, match="NoSuchBucket"):
        run(["s3://nowhere"], Lake(tmp_path / "lake"), jobs=1)
    result = run(["s3://logs/x"], Lake(tmp_path / "lake"), jobs=1)

    assert [problem.reason for problem in result.problems] == ["no log object lies under this prefix"]


def test_a_refused_prefix_is_said_and_the_rest_goes_on(tmp_path, s3):
    several_days(tmp_path / "logs")
    s3.upload(s3.make("logs"), tmp_path / "logs")

    def refuse(_method: str, path: str) -> str | None:
        return "denied" if f"AWSLogs%2F{OTHER}" in path else None

    with Proxy(s3.host, s3.port, refuse) as proxy:
        result = through(proxy, ["s3://logs"], Lake(tmp_path / "lake"))

    assert [(problem.subject, "AccessDenied" in problem.reason) for problem in result.problems] == [
        (f"s3://logs/AWSLogs/{OTHER}", True)
    ]
    assert result.counts.objects == 12


def test_refused_objects_are_said_once_a_folder(tmp_path, s3):
    several_days(tmp_path / "logs")
    s3.upload(s3.make("logs"), tmp_path / "logs")

    def refuse(_method: str, path: str) -> str | None:
        return "denied" if "/2026/10/29/" in path and OTHER in path else None

    with Proxy(s3.host, s3.port, refuse) as proxy:
        result = through(proxy, ["s3://logs"], Lake(tmp_path / "lake"))

    assert [problem.subject for problem in result.problems] == [
        f"s3://logs/AWSLogs/{OTHER}/CloudTrail/eu-west-1/2026/10/29"
    ]
    assert result.problems[0].reason.startswith("3 objects: AccessDenied")
    assert result.counts.objects == 21
    assert run(["s3://logs"], Lake(tmp_path / "lake"), jobs=1).counts.objects == 3


def test_a_key_that_we_may_not_decrypt_with_is_said_with_its_prefix(tmp_path, s3):
    several_days(tmp_path / "logs")
    s3.upload(s3.make("logs"), tmp_path / "logs")

    with Proxy(s3.host, s3.port, lambda _, path: "kms" if f"/{OTHER}/" in path and ".gz" in path else None) as proxy:
        result = through(proxy, ["s3://logs"], Lake(tmp_path / "lake"))

    assert {problem.subject for problem in result.problems} == {
        f"s3://logs/AWSLogs/{OTHER}/CloudTrail/eu-west-1/2026/10/{day}" for day in (28, 29, 30, 31)
    }
    assert all("not authorized to perform: kms:Decrypt" in problem.reason for problem in result.problems)
    assert result.counts.objects == 12


def test_a_dry_run_prices_the_requests_for_what_is_new(tmp_path, s3):
    several_days(tmp_path / "logs")
    s3.upload(s3.make("logs"), tmp_path / "logs")
    run([f"s3://logs/AWSLogs/{OTHER}"], Lake(tmp_path / "lake"), jobs=1)

    listing = list_new(["s3://logs"], Selection(), Lake(tmp_path / "lake").manifests())
    told = price(listing)
    many = price(replace(listing, todo=listing.todo[:1] * 1_000_000))

    size = sum(path.stat().st_size for path in (tmp_path / "logs" / "AWSLogs" / ACCOUNT).rglob("*.gz"))
    assert [line.split()[-1] for line in told] == ["12", "12", f"{size:,}", "12", "$0.0000"]
    assert many[-1].split()[-1] == "$0.4000"


def test_who_pays_is_said_in_every_request_and_only_when_asked(tmp_path, s3):
    several_days(tmp_path / "logs", days=1)
    s3.upload(s3.make("logs"), tmp_path / "logs")

    with Proxy(s3.host, s3.port, lambda *_: None) as paid:
        through(paid, ["s3://logs"], Lake(tmp_path / "paid"), payer=True)
    with Proxy(s3.host, s3.port, lambda *_: None) as unpaid:
        through(unpaid, ["s3://logs"], Lake(tmp_path / "unpaid"))

    assert set(paid.payers) == {"requester"}
    assert set(unpaid.payers) == {None}


@pytest.mark.parametrize("kind", ["slow_down", "server_error", "reset", "cut", "stall"])
def test_faults_on_the_way_leave_the_lake_as_it_would_have_been(tmp_path, s3, kind):
    several_days(tmp_path / "logs")
    s3.upload(s3.make("logs"), tmp_path / "logs")
    run(["s3://logs"], Lake(tmp_path / "calm"), jobs=1)

    with Proxy(s3.host, s3.port, at_random(0.2, 3, (kind,)), stall=0.2) as proxy:
        result = through(proxy, ["s3://logs"], Lake(tmp_path / "lake"))

    assert proxy.broken > 2
    assert result.problems == []
    assert tree(tmp_path / "lake") == tree(tmp_path / "calm")


def test_credentials_that_end_during_the_run_are_asked_for_again(tmp_path, s3):
    several_days(tmp_path / "logs")
    s3.upload(s3.make("logs"), tmp_path / "logs")
    seen: list[str] = []

    def expire(_method: str, path: str) -> str | None:
        if path.endswith(".gz"):
            seen.append(path)
        return "expired" if path.endswith(".gz") and 5 <= len(seen) <= 7 else None

    with Proxy(s3.host, s3.port, expire) as proxy:
        result = through(proxy, ["s3://logs"], Lake(tmp_path / "lake"))

    assert proxy.broken == 3
    assert (result.problems, result.counts.objects) == ([], 24)


def test_a_lake_in_s3_holds_the_same_and_is_incremental(tmp_path, s3):
    total = several_days(tmp_path / "logs")
    s3.make("lakes")
    run([str(tmp_path / "logs")], Lake(tmp_path / "folder"), jobs=1)
    lake = Lake("s3://lakes/team/lake")

    first = run([str(tmp_path / "logs")], lake, jobs=2)
    put(tmp_path / "logs", [record("late", "2026-10-29T10:00:00Z")], delivered="2026-10-29T10:05", tag="late")
    second = run([str(tmp_path / "logs")], lake, jobs=1)
    run([str(tmp_path / "logs")], Lake(tmp_path / "folder"), jobs=1)

    assert (first.counts.kept, second.counts.kept, second.counts.units) == (total, 1, 1)
    assert contents(lake) == contents(Lake(tmp_path / "folder"))
    held = {path: data for path, data in tree(tmp_path / "folder").items() if not path.startswith(".")}
    assert {path: lake.storage.read(path) for path, _ in lake.storage.walk("")} == held


def test_a_lake_in_s3_has_one_writer(s3):
    s3.make("lakes")
    lake = Lake("s3://lakes/lake")

    with lake.lock(), pytest.raises(LakeError, match="another ingest"), Lake("s3://lakes/lake").lock():
        pass
    with lake.lock():
        pass


def through(proxy: Proxy, sources: list[str], lake: Lake, **options):
    """Run with the product's endpoint set to the proxy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget_clients()
        try:
            return run(sources, lake, jobs=1, **options)
        finally:
            forget_clients()
