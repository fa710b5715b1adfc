"""The tree above an account from one nested file."""

import os
from pathlib import Path

import pytest

from tests.inventory import account_files as files
from trailfit.inventory import from_files
from trailfit.policy.document import Document

CORPUS = Path(os.environ.get("TRAILFIT_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "iam"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def scp(name, content=FULL):
    return {"Id": f"p-{name}", "Name": name, "Type": "SERVICE_CONTROL_POLICY", "Content": content}


def tree(*, enabled=True, management="999999999999"):
    account = {"Id": files.ACCOUNT, "Name": "orders", "Policies": [scp("full")], "Children": []}
    unit = {"Id": "ou-1", "Name": "apps", "Policies": [scp("s3", files.ALLOW)], "Children": [account]}
    types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" if enabled else "PENDING_DISABLE"}]
    return {
        "Id": "r-1",
        "Arn": f"arn:aws:organizations::{management}:root/o-1/r-1",
        "Name": "Root",
        "PolicyTypes": types,
        "Policies": [scp("full")],
        "Children": [unit],
    }


def guardrails(folder, organization):
    answers = {"gaad.json": files.details()} | ({"org.json": organization} if organization else {})
    (found,) = from_files.read(files.write(folder, answers)).guardrails
    return found


def test_the_levels_are_root_first_with_their_documents(tmp_path):
    found = guardrails(tmp_path, tree())

    assert found.scp is not None
    assert [(level.name, [p.name for p in level.policies]) for level in found.scp] == [
        ("Root", ["full"]),
        ("apps", ["s3"]),
        ("orders", ["full"]),
    ]
    assert found.scp[1].policies[0].document == Document.parse(files.ALLOW)


def test_a_policy_type_that_is_not_enabled_binds_nobody(tmp_path):
    found = guardrails(tmp_path, tree(enabled=False))

    assert (found.scp, found.rcp) == ((), ())


def test_the_management_account_is_bound_by_none(tmp_path):
    assert guardrails(tmp_path, tree(management=files.ACCOUNT)).scp == ()


def test_without_the_tree_nothing_is_known(tmp_path):
    assert guardrails(tmp_path, None).scp is None


def test_an_account_that_the_tree_does_not_hold_is_not_known(tmp_path):
    other = tree()
    other["Children"] = []

    assert guardrails(tmp_path, other).scp is None


def test_a_tree_of_the_corpus_is_read(tmp_path):
    path = CORPUS / "iam-iamspy" / "tests" / "files" / "scp-deny-lambda.json"
    if not path.exists():
        pytest.skip("the corpus is not here (TRAILFIT_CORPUS)")
    (tmp_path / "org.json").write_text(path.read_text())
    details = path.with_name("allow-testing-s3.json").read_text().replace("111111111111", "123456789012")
    (tmp_path / "gaad.json").write_text(details)

    (found,) = from_files.read(tmp_path).guardrails

    assert found.scp is not None
    assert found.scp[0].target.startswith("r-")
    assert all(policy.document for level in found.scp for policy in level.policies)
