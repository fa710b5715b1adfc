"""The demo's CloudTrail objects: AWS's layout, every byte the same again, the same event in two trails."""

import gzip
import json
import re
from collections import Counter
from datetime import date

import pytest

from trailfit.demo.organisation import make
from trailfit.errors import UsageError

ORGANISATION = re.compile(
    r"example-org-trail/org/AWSLogs/o-exampleorg/(?P<account>\d{12})/CloudTrail/(?P<region>[a-z0-9-]+)/"
    r"(?P<day>\d{4}/\d\d/\d\d)/(?P=account)_CloudTrail_(?P=region)_(?P<stamp>\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz"
)
ACCOUNT = re.compile(
    r"example-(prod|lake)-trail/AWSLogs/(?P<account>\d{12})/CloudTrail/(?P<region>[a-z0-9-]+)/"
    r"(?P<day>\d{4}/\d\d/\d\d)/(?P=account)_CloudTrail_(?P=region)_(?P<stamp>\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz"
)


def objects(made):
    for path in sorted(made.logs.rglob("*.json.gz")):
        key = path.relative_to(made.logs).as_posix()
        if "CloudTrail-Digest" not in key:
            yield key, json.loads(gzip.decompress(path.read_bytes()))["Records"]


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def test_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path):
    window = {"scale": 0.3, "days": 8, "end": date(2026, 10, 4)}
    one, other = make(tmp_path / "one", **window), make(tmp_path / "other", **window)
    assert files(tmp_path / "one") == files(tmp_path / "other")
    assert (
        one.repo.joinpath(".git/refs/heads/main").read_text() == other.repo.joinpath(".git/refs/heads/main").read_text()
    )
    make(tmp_path / "seeded", seed=8, **window)
    assert files(tmp_path / "seeded" / "logs") != files(tmp_path / "one" / "logs")


def test_every_key_has_awss_form_and_names_what_the_object_holds(made):
    for key, records in objects(made):
        match = ORGANISATION.fullmatch(key) or ACCOUNT.fullmatch(key)
        assert match, key
        assert records, key
        assert {record["recipientAccountId"] for record in records} == {match["account"]}
        assert {record["awsRegion"] for record in records} == {match["region"]}
        assert match["stamp"].startswith(match["day"].replace("/", ""))


def test_objects_just_after_midnight_hold_events_of_the_day_before(made):
    early, crossing = 0, 0
    for key, records in objects(made):
        day = re.search(r"/(\d{4}/\d\d/\d\d)/", key)[1].replace("/", "-")
        days = {record["eventTime"][:10] for record in records}
        assert max(days) <= day
        early += min(days) < day
        crossing += len(days) == 2
    assert early > 30
    assert crossing > 0


def test_events_lie_in_the_window_and_on_each_of_its_days(made):
    days = Counter(record["eventTime"][:10] for _, records in objects(made) for record in records)
    assert len(days) == 90
    assert (min(days), max(days)) == ("2026-08-03", "2026-10-31")


def test_prods_management_events_are_in_both_trails_and_no_trail_has_an_event_twice(made):
    ids = {"example-org-trail": Counter(), "example-prod-trail": Counter(), "example-lake-trail": Counter()}
    management = set()
    for key, records in objects(made):
        trail = key.partition("/")[0]
        ids[trail].update(record["eventID"] for record in records)
        if trail == "example-prod-trail":
            management |= {record["eventID"] for record in records if record["eventCategory"] == "Management"}
    assert all(counts.most_common(1)[0][1] == 1 for counts in ids.values())
    assert management
    assert set(ids["example-org-trail"]) & set(ids["example-prod-trail"]) == management


def test_staging_has_no_data_events_and_the_data_account_only_s3s(made):
    types = {}
    for _, records in objects(made):
        for record in records:
            if record["eventCategory"] == "Data":
                types.setdefault(record["recipientAccountId"], set()).add(record["resources"][0]["type"])
    assert set(types) == {"111122223333", "444455556666"}
    assert types["444455556666"] == {"AWS::S3::Object"}
    assert len(types["111122223333"]) == 5


def test_a_cross_account_call_is_one_shared_event_with_two_ids(made):
    shared = {}
    for key, records in objects(made):
        if key.startswith("example-org-trail"):
            for record in records:
                if record["eventName"] == "AssumeRole" and record["userIdentity"]["type"] in {
                    "AssumedRole",
                    "AWSAccount",
                }:
                    shared.setdefault(record.get("sharedEventID"), []).append(record)
    pairs = [pair for name, pair in shared.items() if name]
    assert len(pairs) == 180
    for pair in pairs:
        assert {len(pair), len({record["eventID"] for record in pair})} == {2}
        assert len({record["recipientAccountId"] for record in pair}) == 2


def test_every_account_and_region_logs_something_every_day(made):
    seen = Counter()
    for _, records in objects(made):
        seen.update({(r["recipientAccountId"], r["awsRegion"], r["eventTime"][:10]) for r in records})
    for account in ("111122223333", "222233334444", "444455556666"):
        for region in ("eu-west-1", "eu-central-1"):
            assert sum(1 for who, where, _ in seen if (who, where) == (account, region)) == 90


def test_the_log_holds_every_kind_of_event_that_must_not_count_as_use(made):
    records = [record for _, records in objects(made) for record in records]
    codes = Counter(record.get("errorCode") for record in records)
    needed = {"AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "NoSuchKey", "ParameterNotFound"}
    assert needed | {"ProvisionedThroughputExceededException"} <= set(codes)
    types = {record["userIdentity"].get("type") for record in records}
    assert {"AWSService", "AWSAccount", "SAMLUser", "WebIdentityUser", "AssumedRole", "IAMUser", None} <= types
    assert {"AwsServiceEvent", "AwsConsoleSignIn", "AwsApiCall"} == {record["eventType"] for record in records}
    denied = [record["errorMessage"] for record in records if record.get("errorCode") == "AccessDenied"]
    assert any("because no identity-based policy allows the s3:DeleteObject action" in text for text in denied)
    assert any("with an explicit deny in an identity-based policy" in text for text in denied)


def test_a_strangers_refused_calls_carry_hostile_text(made):
    hostile = [
        record for _, records in objects(made) for record in records
        if record["userIdentity"].get("accountId") == "anonymous"
    ]  # fmt: skip
    assert len(hostile) == 13
    assert all("<script>" in record["userAgent"] for record in hostile)
    assert all(record["requestParameters"]["key"].startswith("=") for record in hostile)
    assert {record["errorCode"] for record in hostile} == {"AccessDenied"}


def test_digests_lie_beside_the_logs_and_hold_no_records(made):
    digests = sorted(made.logs.rglob("CloudTrail-Digest/**/*.json.gz"))
    assert len(digests) == 2
    read = [json.loads(gzip.decompress(path.read_bytes())) for path in digests]
    assert all("Records" not in digest and digest["logFiles"] for digest in read)
    assert read[1]["previousDigestS3Object"] == read[0]["digestS3Object"]


def test_scale_multiplies_busy_principals_and_leaves_scheduled_jobs_alone(tmp_path):
    def counts(scale):
        made = make(tmp_path / f"{scale}", scale=scale, days=7)
        issuers = [r["userIdentity"].get("sessionContext", {}) for _, records in objects(made) for r in records]
        return Counter(context.get("sessionIssuer", {}).get("userName") for context in issuers)

    one, half = counts(1.0), counts(0.5)
    assert 1.8 < one["orders-writer-role"] / half["orders-writer-role"] < 2.2
    assert one["weekly-cleanup-role"] == half["weekly-cleanup-role"] == 10


def test_an_earlier_demo_is_replaced_and_anything_else_is_left_alone(tmp_path):
    make(tmp_path / "again", days=2, seed=1)
    (tmp_path / "again" / "truth.json").write_text("{}")
    make(tmp_path / "again", days=2, seed=2)
    make(tmp_path / "fresh", days=2, seed=2)
    assert files(tmp_path / "again") == files(tmp_path / "fresh")
    (tmp_path / "mine" / "logs").mkdir(parents=True)
    (tmp_path / "mine" / "logs" / "letter.txt").write_text("keep")
    with pytest.raises(UsageError):
        make(tmp_path / "mine", days=2)
    assert (tmp_path / "mine" / "logs" / "letter.txt").read_text() == "keep"
