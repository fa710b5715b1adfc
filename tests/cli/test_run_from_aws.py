"""``trailfit run`` end to end with nothing from files: logs from an S3 server, the inventory from AWS over HTTP."""

import gzip
import json
from datetime import date, timedelta

import pytest

from tests.inventory.fake_aws import FakeAWS, Refuse
from tests.inventory.fake_organisation import MANAGEMENT, Organisation
from trailfit.storage import places

MEMBER = "100000000002"
LAST, DAYS = date(2026, 10, 31), 7
CONFIG = """
lake = "lake"

[ingest]
sources = ["s3://trail/AWSLogs"]

[inventory]
accounts = ["org"]
role_name = "audit"
regions = ["eu-west-1"]

[recommend]
days = 7
"""


def events(account, day):
    role = f"arn:aws:iam::{account}:role/app/role-0001"
    who = {
        "type": "AssumedRole", "principalId": "AROA:fn", "accountId": account,
        "arn": f"arn:aws:sts::{account}:assumed-role/role-0001/fn",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "accountId": account}},
    }  # fmt: skip
    common = {"eventVersion": "1.11", "awsRegion": "eu-west-1", "eventType": "AwsApiCall", "recipientAccountId": account,
              "sourceIPAddress": "10.0.0.1", "userAgent": "aws-sdk", "responseElements": None}  # fmt: skip
    service = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    yield {**common, "eventID": f"{account}-{day}-a", "eventTime": f"{day}T01:00:00Z", "userIdentity": service,
           "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "eventCategory": "Management",
           "managementEvent": True, "requestParameters": {"roleArn": role, "roleSessionName": "fn"}}  # fmt: skip
    yield {**common, "eventID": f"{account}-{day}-b", "eventTime": f"{day}T08:00:00Z", "userIdentity": who,
           "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "eventCategory": "Data", "managementEvent": False,
           "requestParameters": {"bucketName": "b1", "key": "settings.json"},
           "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b1/settings.json"}]}  # fmt: skip


@pytest.fixture
def logs(monkeypatch, tmp_path):
    """A bucket with a week of two accounts' logs; the environment points to it, and knows no other AWS."""
    import boto3
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": f"AKIA{MANAGEMENT}",
        "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    places.forget()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for account in (MANAGEMENT, MEMBER):
        for ago in range(DAYS):
            day = LAST - timedelta(days=ago)
            name = f"{account}_CloudTrail_eu-west-1_{day:%Y%m%d}T0900Z_AbCdEfGhIjKlMnOp.json.gz"
            body = gzip.compress(json.dumps({"Records": list(events(account, day))}).encode(), mtime=0)
            s3.put_object(
                Bucket="trail", Key=f"AWSLogs/{account}/CloudTrail/eu-west-1/{day:%Y/%m/%d}/{name}", Body=body
            )
    yield
    for item in s3.list_objects_v2(Bucket="trail")["Contents"]:  # moto's buckets are the process's
        s3.delete_object(Bucket="trail", Key=item["Key"])
    s3.delete_bucket(Bucket="trail")
    moto.stop()
    places.forget()


def run(trailfit, folder, monkeypatch, *, before=lambda account, operation: None):
    (folder / "trailfit.toml").write_text(CONFIG)
    with FakeAWS(Organisation((MANAGEMENT, MEMBER)), before=before) as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
        result = trailfit("--config", folder / "trailfit.toml", "run", code=None)
    data = json.loads((folder / "trailfit-out" / "recommendations.json").read_text())
    return result, data


def test_a_run_reads_logs_and_inventory_of_all_accounts_and_proposes(trailfit, tmp_path, monkeypatch, logs):
    result, data = run(trailfit, tmp_path, monkeypatch)

    assert result.exit_code in (0, 3), result.output
    assert "inventory of 2 accounts" in result.output
    proposed = {each["principal"]: each for each in data["recommendations"] if each["after"]}
    for account in (MANAGEMENT, MEMBER):
        mine = proposed[f"arn:aws:iam::{account}:role/app/role-0001"]
        resources = {each["Resource"] for change in mine["after"] for each in change["document"]["Statement"]}
        assert "arn:aws:s3:::b1/settings.json" in resources
        assert mine["proofs"]["no_new_access"]["holds"] is True
    assert (tmp_path / "trailfit-out" / "report.html").is_file()


def test_where_aws_throttles_nothing_is_proposed_and_the_next_run_goes_on(trailfit, tmp_path, monkeypatch, logs):
    monkeypatch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda *_, **__: None)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)

    def throttle(account, operation):
        if account == MEMBER and operation == "GetServiceLastAccessedDetails":
            code = "Throttling"
            raise Refuse(code, "slow down")

    result, data = run(trailfit, tmp_path, monkeypatch, before=throttle)
    assert result.exit_code == 3
    assert "AWS throttled or failed some requests" in result.output
    assert {each["principal"].split(":")[4] for each in data["recommendations"]} == {MANAGEMENT}

    result, data = run(trailfit, tmp_path, monkeypatch)
    assert {each["principal"].split(":")[4] for each in data["recommendations"]} == {MANAGEMENT, MEMBER}
