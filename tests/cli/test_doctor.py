"""``trailfit doctor``: what it finds, what it prints, how it exits; with AWS and without."""

import json

import pytest

from tests.inventory.fake_aws import FakeAWS, Refuse
from tests.inventory.fake_organisation import MANAGEMENT, Organisation
from trailfit.inventory import permissions
from trailfit.inventory.settings import Settings
from trailfit.policy.document import Document

CONFIG = """
lake = "s3://lake/of/logs"

[ingest]
sources = ["s3://trail/AWSLogs", "logs"]

[inventory]
accounts = ["100000000001", "100000000002"]
role_name = "audit"
regions = ["eu-west-1"]
"""


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    """Work in an empty folder, with credentials that only a fake takes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRAILFIT_LAKE", raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": f"AKIA{MANAGEMENT}", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


def test_without_anything_it_says_the_versions_and_the_policy(trailfit):
    result = trailfit("doctor", code=3)

    assert "ok  duckdb: " in result.stdout
    assert "ok  catalogue of AWS's actions: " in result.stdout
    assert "?   trailfit.toml: there is none here" in result.stdout
    policy = json.loads(result.stdout.partition("the least policy for the caller\n")[2])
    assert set(policy["Statement"][0]["Action"]) == permissions.needed(Settings())


def test_the_policies_are_the_least_for_the_configuration(trailfit, tmp_path):
    (tmp_path / "trailfit.toml").write_text(CONFIG)

    policies = json.loads(trailfit("doctor", "--policy").stdout)

    settings = Settings("audit", ("100000000001", "100000000002"), ("eu-west-1",))
    own, role = policies["the caller"], policies["the role audit in each other account"]
    by_sid = {each["Sid"]: each for each in own["Statement"]}
    assert by_sid["TrailfitListLogs"]["Resource"] == ["arn:aws:s3:::trail"]
    assert by_sid["TrailfitReadLogs"]["Resource"] == ["arn:aws:s3:::trail/AWSLogs*"]
    assert by_sid["TrailfitReadLogs"]["Action"] == ["s3:GetObject"]
    assert by_sid["TrailfitKeepLake"]["Resource"] == ["arn:aws:s3:::lake/of/logs*"]
    assert by_sid["TrailfitAssume"]["Resource"] == "arn:aws:iam::*:role/audit"
    assert set(by_sid["TrailfitInventory"]["Action"]) == permissions.needed(settings) - {"sts:AssumeRole"}
    assert set(role["Statement"][0]["Action"]) == permissions.per_account(settings)
    for policy in policies.values():
        assert Document.parse(policy)


def test_from_files_alone_no_permission_of_iam_is_asked_for(trailfit, tmp_path):
    (tmp_path / "trailfit.toml").write_text('lake = "lake"\n[inventory]\nfrom_files = "iam"\n')

    assert json.loads(trailfit("doctor", "--policy").stdout) == {}


def test_offline_it_asks_no_aws(trailfit, tmp_path, monkeypatch):
    (tmp_path / "trailfit.toml").write_text(CONFIG)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    told = trailfit("doctor", "--offline", "--lake", tmp_path / "lake", code=1).stdout

    assert "?   AWS: not asked" in told
    assert "?   s3://trail/AWSLogs: not asked" in told
    assert "act logs: no such file or folder" in told
    assert "holds no event: run `trailfit ingest` first" in told


def test_it_says_who_asks_and_which_role_cannot_be_assumed(trailfit, tmp_path, monkeypatch):
    (tmp_path / "trailfit.toml").write_text(
        CONFIG.replace('"s3://trail/AWSLogs", ', "").replace("s3://lake/of/logs", "lake")
    )

    def refuse(account, operation):
        if operation == "AssumeRole":
            code = "AccessDenied"
            raise Refuse(code, "not you")

    for before, expected in ((lambda account, operation: None, "can be assumed"), (refuse, "cannot be assumed")):
        with FakeAWS(Organisation((MANAGEMENT, "100000000002")), before=before) as fake:
            monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
            told = trailfit("doctor", code=1).stdout
        assert f"ok  credentials: account {MANAGEMENT} is asking" in told
        assert f"arn:aws:iam::100000000002:role/audit: {expected}" in told
        assert set(fake.seen) <= {("sts", "GetCallerIdentity"), ("sts", "AssumeRole")}


def test_a_good_lake_has_nothing_to_act_on_but_what_is_not_logged(trailfit, demo):
    told = trailfit("doctor", "--lake", demo / "lake", "--offline", code=1).stdout

    assert told.count("management events on all 90 days") == 3
    assert told.count("a trail logs all management events of all regions") == 3
    # staging logs no data events at all, and grants many
    (line,) = [line for line in told.splitlines() if "act account 222233334444" in line]
    assert "AWS::S3::Object" in line


def test_a_lake_of_some_days_says_which_are_missing(trailfit, tmp_path, corpus):
    log = corpus / "cloudtrail" / "stratus-red-team" / "docs" / "detonation-logs"
    trailfit("ingest", log / "aws.defense-evasion.organizations-leave.json", "--lake", tmp_path / "lake")

    told = trailfit("doctor", "--lake", tmp_path / "lake", "--offline", code=1).stdout

    assert "no management event on 89 of 90 days" in told
    assert "act snapshot: " in told
