"""The least policy for logs and lake is enough: an S3 server that refuses everything else lets a run through."""

import json
import urllib.request

import pytest
from tests.ingest.conftest import REGION, forget_clients
from tests.ingest.trails import compact, record
from tests.inventory.test_moto import moto  # noqa: F401 - a fixture

from trailfit.ingest.permissions import statements
from trailfit.policy.document import Document

LOGS, LAKE = "s3://trail/AWSLogs", "s3://lakes/of/mine"
KEY = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/31/111122223333_CloudTrail_eu-west-1_20261031T1205Z_AbCdEfGhIjKlMnOp.json"


@pytest.fixture
def _least(moto, monkeypatch):  # noqa: F811 - the fixture, by its name
    """Be a user with that policy alone; two buckets hold a log object where the policy looks, and one beside."""
    import boto3

    def client(service):
        return boto3.client(
            service, endpoint_url=moto, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
        )

    s3, iam = client("s3"), client("iam")
    for bucket in ("trail", "lakes"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in (KEY, KEY.replace("AWSLogs/", "Elsewhere/")):
        s3.put_object(Bucket="trail", Key=key, Body=compact(record("a"), record("b")))
    iam.create_user(UserName="trailfit")
    # of a request to delete several, moto asks about the bucket; AWS asks about each object
    moto_only = {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::lakes"}
    policy = {"Version": "2012-10-17", "Statement": [*statements([LOGS], LAKE), moto_only]}
    iam.put_user_policy(UserName="trailfit", PolicyName="least", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName="trailfit")["AccessKey"]
    switch = urllib.request.Request(
        f"{moto}/moto-api/reset-auth", b"0", {"Content-Type": "application/octet-stream"}, method="POST"
    )
    urllib.request.urlopen(switch).read()
    for name, value in {
        "AWS_ENDPOINT_URL": moto, "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"], "AWS_DEFAULT_REGION": REGION,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    forget_clients()
    yield
    forget_clients()


@pytest.mark.usefixtures("_least")
def test_a_run_needs_no_more_than_the_least_policy(trailfit):
    for _ in range(2):
        result = trailfit("ingest", LOGS, "--lake", LAKE)
        assert result.exit_code == 0, result.output
    assert "PutItem" in trailfit("query", "select event_name from events", "--lake", LAKE).stdout

    result = trailfit("ingest", "s3://trail/Elsewhere", "--lake", LAKE, code=None)
    assert result.exit_code != 0
    assert "AccessDenied" in result.output + str(result.exception) or "Forbidden" in result.output + str(
        result.exception
    )


def test_the_statements_name_the_buckets_and_prefixes_and_nothing_else():
    found = statements([LOGS, "logs", "s3://other"], "lake")

    assert [each["Sid"] for each in found] == ["TrailfitListLogs", "TrailfitReadLogs"]
    assert found[0]["Resource"] == ["arn:aws:s3:::other", "arn:aws:s3:::trail"]
    assert found[1]["Resource"] == ["arn:aws:s3:::other/*", "arn:aws:s3:::trail/AWSLogs*"]
    assert Document.parse({"Version": "2012-10-17", "Statement": found})
    assert statements(["logs"], "lake") == []
