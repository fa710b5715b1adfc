"""Real logs against the policies that made them: what an attack tool's roles were granted, and what they really used.

The roles stand in the corpus' Terraform, their calls in its logs. A call that was only ever denied must not be
granted by what trailfit proposes; ``ec2:Describe*`` must become what was called.
"""

import json

import pytest

CASES = [
    # log file, role, what its Terraform grants, what the proposal must and must not allow
    ("aws.credential-access.ec2-get-password-data", "stratus-red-team-ec2-get-password-data-role",
     ["ec2:GetPasswordData"], set(), {"ec2:GetPasswordData"}),
    ("aws.credential-access.ec2-steal-instance-credentials", "stratus-red-team-ec2-steal-credentials-role",
     ["ec2:Describe*"], {"ec2:DescribeInstances"}, {"ec2:DescribeImages", "ec2:DescribeVpcs", "ec2:DescribeInstanceAttribute"}),
    ("aws.discovery.ec2-download-user-data", "stratus-red-team-get-usr-data-role",
     ["ec2:DescribeInstanceAttribute"], set(), {"ec2:DescribeInstanceAttribute"}),
    ("aws.defense-evasion.organizations-leave", "stratus-red-team-leave-org-role",
     ["organizations:LeaveOrganization"], set(), {"organizations:LeaveOrganization"}),
]  # fmt: skip


def records(path):
    held = json.loads(path.read_text(encoding="utf-8"))
    return held if isinstance(held, list) else held["Records"]


def role_in(path):
    """Find the one role of the log that is the tool's own: ARN and day of its first call."""
    found = {
        (
            event["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"],
            event["recipientAccountId"],
            event["eventTime"][:10],
        )
        for event in records(path)
        if "stratus-red-team"
        in str(event["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("arn"))
    }
    (one,) = found
    return one


@pytest.mark.parametrize(("name", "role", "granted", "must", "must_not"), CASES, ids=[case[1] for case in CASES])
def test_a_real_role_is_left_with_what_it_used(name, role, granted, must, must_not, corpus, tmp_path, trailfit):
    log = corpus / "cloudtrail" / "stratus-red-team" / "docs" / "detonation-logs" / f"{name}.json"
    arn, account, day = role_in(log)
    assert arn.endswith(f"/{role}")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": granted, "Resource": "*"}]}
    details = {
        "UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{
            "Path": "/", "RoleName": role, "RoleId": "AROAEXAMPLE", "Arn": arn, "CreateDate": "2020-01-01T00:00:00+00:00",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}]},
            "InstanceProfileList": [], "AttachedManagedPolicies": [], "Tags": [], "RoleLastUsed": {},
            "RolePolicyList": [{"PolicyName": "inline", "PolicyDocument": document}],
        }],
    }  # fmt: skip
    (tmp_path / "iam" / account).mkdir(parents=True)
    (tmp_path / "iam" / account / "details.json").write_text(json.dumps(details))
    lake = tmp_path / "lake"
    trailfit("ingest", log, "--lake", lake)
    trailfit("inventory", "--lake", lake, "--from-files", tmp_path / "iam", code=None)
    trailfit("recommend", "--lake", lake, "--days", 1, "--to", day, "--out", tmp_path / "out", code=None)

    data = json.loads((tmp_path / "out" / "recommendations.json").read_text())
    proposals = [each for each in data["recommendations"] if each["principal"] == arn]
    left = proposals[0]["after"] if proposals else [{"document": document}]
    actions = set()
    for after in left:
        for statement in after["document"]["Statement"]:
            listed = statement["Action"]
            actions |= {listed} if isinstance(listed, str) else set(listed)
    assert must <= actions
    assert not actions & must_not
    assert not any("*" in action for action in actions)
