"""The effective grant: every path of it, its bounds, its duplicates, its gaps."""

from dataclasses import replace

from tests.inventory import account_files as files
from tests.inventory.account_files import ACCOUNT, GROUP, POLICY, ROLE, USER

from trailfit.inventory import from_files
from trailfit.model import GuardrailLevel, Guardrails, PermissionSet
from trailfit.recommend import effective


def read(folder, details=None):
    return from_files.read(files.write(folder, {"gaad.json": details or files.details()}))


def test_every_path_is_in_the_grant(tmp_path):
    snapshot = read(tmp_path)
    scp = (GuardrailLevel("r-1", "Root", ()),)

    found = effective.grants(replace(snapshot, guardrails=(Guardrails(ACCOUNT, scp, ()),)))

    assert [policy.name for policy in found[ROLE].identity] == ["inline", "orders"]
    assert found[ROLE].boundary is not None
    assert (found[ROLE].scp, found[ROLE].rcp) == (scp, ())
    assert [policy.group for policy in found[USER].identity] == [GROUP, GROUP]


def test_a_document_that_is_missing_makes_the_grant_unknown(tmp_path):
    found = effective.grants(read(tmp_path))

    assert found[USER].unknown == ("the document of arn:aws:iam::aws:policy/ReadOnlyAccess",)
    assert found[ROLE].unknown == ()


def test_a_boundary_that_is_missing_makes_the_grant_unknown(tmp_path):
    details = files.details()
    details["Policies"] = [policy for policy in details["Policies"] if "bound" not in policy["Arn"]]

    found = effective.grants(read(tmp_path, details))

    assert found[ROLE].unknown == (f"the document of the boundary arn:aws:iam::{ACCOUNT}:policy/bound",)


def test_policies_that_say_the_same_are_duplicates_whatever_their_sids_and_order(tmp_path):
    details = files.details()
    again = {
        "Version": "2012-10-17",
        "Statement": {"Sid": "Other", "Resource": ["*"], "Effect": "Allow", "Action": ["s3:GetObject"]},
    }
    other = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}]}
    details["RoleDetailList"][0]["RolePolicyList"] += [
        {"PolicyName": "again", "PolicyDocument": again},
        {"PolicyName": "other", "PolicyDocument": other},
    ]

    assert effective.grants(read(tmp_path, details))[ROLE].duplicates == (("again", POLICY, "inline"),)


def test_roles_of_one_permission_set_or_one_configured_name_are_a_family(tmp_path):
    details = files.details()
    role = details["RoleDetailList"][0]
    for account in ("111111111111", "222222222222"):
        for name in ("deploy", "AWSReservedSSO_Dev_0123456789abcdef", "other"):
            arn = f"arn:aws:iam::{account}:role/{name}"
            details["RoleDetailList"].append(role | {"Path": "/", "RoleName": name, "Arn": arn})
    sso = tuple(f"arn:aws:iam::{a}:role/AWSReservedSSO_Dev_0123456789abcdef" for a in ("111111111111", "222222222222"))
    snapshot = replace(read(tmp_path, details), permission_sets=(PermissionSet("arn:ps", "Dev", roles=sso),))

    found = effective.members(effective.grants(snapshot, ["deploy"]))

    deploy = tuple(f"arn:aws:iam::{account}:role/deploy" for account in ("111111111111", "222222222222"))
    assert found == {"/deploy": deploy, "arn:ps": sso}
    assert effective.members(effective.grants(snapshot)) == {"arn:ps": sso}
