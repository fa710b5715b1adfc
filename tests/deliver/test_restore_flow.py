"""From a merged change that broke something to the request that gives it back: logs, lake, forge and code together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trailfit import pipeline
from trailfit.deliver import state
from trailfit.deliver.pull_requests import Settings
from trailfit.lake import Lake

from .forge_fake import TOKEN, forge

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
WIDE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
TIGHT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}],
}
TEMPLATE = """\
Resources:
  Reader:
    Type: AWS::IAM::Role
    Properties:
      RoleName: reader
      Policies:
        - PolicyName: access
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: s3:GetObject
                Resource: arn:aws:s3:::b/*
"""


def record(number: int, when: str, name: str, **more: Any) -> dict[str, Any]:
    issuer = {"type": "Role", "arn": ROLE, "accountId": ACCOUNT, "userName": "reader", "principalId": "AROAEXAMPLE"}
    return {
        "eventVersion": "1.09", "eventID": f"00000000-0000-4000-8000-{number:012d}", "eventTime": when,
        "eventSource": "s3.amazonaws.com", "eventName": name, "awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT,
        "eventType": "AwsApiCall", "eventCategory": "Data", "managementEvent": False, "readOnly": name == "GetObject",
        "sourceIPAddress": "10.0.0.1", "userAgent": "x", "requestParameters": {"bucketName": "b", "key": "k"},
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"}],
        "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/s",
                         "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": issuer}}, **more,
    }  # fmt: skip


def details() -> dict[str, Any]:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    role = {
        "Path": "/", "RoleName": "reader", "RoleId": "AROAEXAMPLE", "Arn": ROLE, "CreateDate": "2025-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": trust, "InstanceProfileList": [], "AttachedManagedPolicies": [], "Tags": [],
        "RolePolicyList": [{"PolicyName": "access", "PolicyDocument": TIGHT}],
    }  # fmt: skip
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": []}


def test_what_a_merged_change_broke_is_given_back_before_all_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, iam = tmp_path / "logs", tmp_path / "iam" / ACCOUNT
    logs.mkdir()
    iam.mkdir(parents=True)
    denied = {"errorCode": "AccessDenied", "errorMessage": "Access Denied"}
    told = [record(n, f"2026-10-{n:02d}T08:00:00Z", "GetObject") for n in range(1, 29)]
    told += [record(100 + n, f"2026-10-{n}T09:00:00Z", "PutObject", **denied) for n in (20, 21)]
    (logs / "x.json").write_text(json.dumps({"Records": told}))
    (iam / "get-account-authorization-details.json").write_text(json.dumps(details()))
    with forge("github", tmp_path / "forge", {"template.yaml": TEMPLATE}) as there:
        monkeypatch.setenv("TRAILFIT_FORGE_URL", there.url)
        monkeypatch.setenv("TRAILFIT_FORGE_TOKEN", TOKEN)
        there.requests.append({
            "number": 1, "branch": "trailfit/2026-09-30", "base": "main", "title": "t", "body": "b", "draft": False,
            "state": "merged", "labels": [], "reviewers": [], "merged": "2026-10-15T12:00:00Z", "fork": False,
        })  # fmt: skip
        lake = Lake(tmp_path / "lake")
        change = state.Proposal(
            ROLE, "d",
            ({"kind": "inline", "name": "access", "document": WIDE},),
            ({"kind": "inline", "name": "access", "document": TIGHT},),
        )  # fmt: skip
        known = ("github", "shop/infra", 1, "u", "trailfit/2026-09-30", "2026-09-30", "open", None)
        state.Memory([state.Request(*known, (change,))]).save(lake)  # as last month's run left it
        config = pipeline.Config(
            lake=lake.root, sources=(str(logs),), from_files=iam.parent, out=tmp_path / "out",
            repo=there.clone_url, pull_request=Settings(forge="github"), jobs=1,
        )  # fmt: skip
        said: list[str] = []
        data = pipeline.run(config, said.append).data

        first = data["recommendations"][0]
        assert (first["action"], first["principal"], first["disposition"]) == ("RESTORE_ACCESS", ROLE, "unsafe")
        assert data["findings"][0]["kind"] == "DeniedAfterChange"
        assert there.requests[1]["branch"] == "trailfit/2026-10-28-restore"
        assert there.requests[1]["title"] == "Give 1 role back what was denied since a change, until 2026-10-28"
        diff = there.git("diff", "main", "trailfit/2026-10-28-restore")
        assert "+                Action: s3:PutObject" in diff
        assert "-                Action: s3:GetObject" not in diff
        assert [one["number"] for one in there.requests if one["state"] == "open"] == [2], (
            "and nothing is tightened now"
        )
    assert (tmp_path / "out" / "report.html").is_file()
    assert state.history(lake, "2026-12-31")[0].last == "2026-10-28"
