"""The monthly difference: what changed is there, what is only newer evidence is not."""

from dataclasses import replace

import pytest

from tests.inventory import account_files as files
from tests.inventory.account_files import ACCOUNT, GROUP, POLICY, ROLE, USER
from trailfit.inventory import from_files
from trailfit.inventory.diff import changes

ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def snapshot(folder, details):
    files.whole(folder)
    return from_files.read(files.write(folder, {f"iam/{ACCOUNT}/authorization.json": details}))


def changed(details):
    details["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"] = ADMIN


def attached(details):
    details["UserDetailList"][0]["AttachedManagedPolicies"] = [{"PolicyName": "orders", "PolicyArn": POLICY}]


def rewritten(details):
    details["Policies"][0] = files.policy(POLICY, document=ADMIN)


def unbound(details):
    del details["RoleDetailList"][0]["PermissionsBoundary"]


def deleted(details):
    details["RoleDetailList"] = []


def left(details):
    details["UserDetailList"][0]["GroupList"] = []


def retagged(details):
    details["UserDetailList"][0]["Tags"] = [{"Key": "team", "Value": "other"}]


def used(details):
    details["RoleDetailList"][0]["RoleLastUsed"]["LastUsedDate"] = "2026-10-30T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (changed, [(ROLE, "inline policy inline", "changed")]),
        (attached, [(USER, f"policy {POLICY}", "added")]),
        (rewritten, [(POLICY, "document", "changed")]),
        (unbound, [(ROLE, "boundary", "removed")]),
        (deleted, [(ROLE, "", "removed")]),
        (left, [(GROUP, f"member {USER}", "removed")]),
        (retagged, [(USER, "tag team", "changed")]),
        (used, []),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_change_is_told_once(tmp_path, change, found):
    details = files.details()
    change(details)

    told = changes(snapshot(tmp_path / "a", files.details()), snapshot(tmp_path / "b", details))

    assert [(one.subject, one.what, one.kind) for one in told] == found


def test_what_came_is_what_went_seen_from_the_other_side(tmp_path):
    details = files.details()
    for change in (changed, attached, unbound, left):
        change(details)
    old, new = snapshot(tmp_path / "a", files.details()), snapshot(tmp_path / "b", details)

    there = {(one.subject, one.what, one.before, one.after) for one in changes(old, new)}
    back = {(one.subject, one.what, one.after, one.before) for one in changes(new, old)}

    assert there == back
    assert changes(old, old) == ()


def test_an_account_that_was_not_read_is_not_gone(tmp_path):
    whole = snapshot(tmp_path / "a", files.details())

    assert changes(whole, replace(whole, accounts=(), principals=())) == ()
