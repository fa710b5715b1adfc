"""A snapshot from files: what is there is read, what is not is said."""

import base64
import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.inventory import account_files as files
from tests.inventory.account_files import ACCOUNT, GROUP, POLICY, ROLE, USER
from trailfit.errors import LakeError, SourceError
from trailfit.inventory import from_files, store
from trailfit.inventory.summary import counts, lines
from trailfit.lake import Lake
from trailfit.policy.document import Document

CORPUS = Path(os.environ.get("TRAILFIT_CORPUS", Path(__file__).parents[3] / "shared" / "corpus")) / "iam"


def by_arn(snapshot):
    return {principal.arn: principal for principal in snapshot.principals}


def reasons(snapshot, subject):
    return [one.reason for one in snapshot.unassessed if one.subject == subject]


def test_every_path_of_a_grant_is_in_the_snapshot(tmp_path):
    snapshot = from_files.read(files.whole(tmp_path))
    role, user = by_arn(snapshot)[ROLE], by_arn(snapshot)[USER]

    assert [(p.kind, p.name, p.group) for p in role.policies] == [
        ("inline", "inline", None),
        ("customer_managed", "orders", None),
    ]
    assert [(p.kind, p.name, p.group) for p in user.policies] == [
        ("group_inline", "read", GROUP),
        ("aws_managed", "ReadOnlyAccess", GROUP),
    ]
    assert role.boundary is not None
    assert role.boundary.document == Document.parse(files.ALLOW)
    assert role.trust == Document.parse(files.TRUST)
    assert role.policies[1].updated == datetime(2026, 2, 1)
    assert role.last_used == datetime(2026, 10, 1, 8)
    assert user.tags == {"team": "orders"}
    assert [(p.name, p.arn) for p in snapshot.unattached] == [("loose", f"arn:aws:iam::{ACCOUNT}:policy/loose")]
    assert snapshot.groups[0].members == (USER,)


def test_a_managed_document_that_no_file_holds_is_none_and_said(tmp_path):
    snapshot = from_files.read(files.whole(tmp_path))

    assert by_arn(snapshot)[USER].policies[1].document is None
    assert reasons(snapshot, USER) == [
        "the document of its policy arn:aws:iam::aws:policy/ReadOnlyAccess is not in the snapshot"
    ]
    assert len(snapshot.unassessed) == 1


def test_credentials_come_from_the_report_with_unknown_times_as_never(tmp_path):
    snapshot = from_files.read(files.whole(tmp_path))
    user = by_arn(snapshot)[USER]

    found = [(c.kind, c.active, c.last_used, c.last_used_service, c.mfa) for c in user.credentials]
    assert found == [
        ("access_key", True, datetime(2026, 10, 20, 10), "s3", None),
        ("access_key", False, None, None, None),
        ("password", True, None, None, True),
    ]
    assert user.credentials_known
    assert user.last_used == datetime(2026, 10, 20, 10)
    assert [(c.kind, c.mfa) for c in snapshot.root] == [("access_key", None), ("password", False)]


def test_a_key_listed_and_reported_is_one_key(tmp_path):
    files.whole(tmp_path)
    keys = {
        "AccessKeyMetadata": [
            {"UserName": "ann", "AccessKeyId": "AKIA1", "Status": "Active", "CreateDate": "2026-01-05T00:00:00Z"},
            {"UserName": "ann", "AccessKeyId": "AKIA2", "Status": "Inactive", "CreateDate": "2026-01-06T00:00:00Z"},
        ]
    }
    use = {"UserName": "ann", "AccessKeyLastUsed": {"LastUsedDate": "2026-10-21T00:00:00Z", "ServiceName": "s3"}}
    files.write(tmp_path, {f"{ACCOUNT}/keys.json": keys, f"{ACCOUNT}/AKIA1.json": use})

    found = [c for c in by_arn(from_files.read(tmp_path))[USER].credentials if c.kind == "access_key"]

    assert [(c.id, c.last_used) for c in found] == [("AKIA1", datetime(2026, 10, 21)), ("AKIA2", None)]


def test_a_key_that_the_report_may_mean_is_not_less_used_than_it_says(tmp_path):
    files.whole(tmp_path)
    key = {"UserName": "ann", "AccessKeyId": "AKIA9", "Status": "Active", "CreateDate": "2025-12-01T00:00:00Z"}
    files.write(tmp_path, {f"{ACCOUNT}/keys.json": {"AccessKeyMetadata": [key]}})

    found = [c for c in by_arn(from_files.read(tmp_path))[USER].credentials if c.kind == "access_key"]

    assert [(c.id, c.created, c.last_used) for c in found] == [
        ("AKIA9", datetime(2025, 12, 1), datetime(2026, 10, 20, 10))
    ]


def test_a_report_in_base64_is_the_same_report(tmp_path):
    plain = from_files.read(files.whole(tmp_path / "a"))
    files.whole(tmp_path / "b")
    (tmp_path / "b" / "iam" / ACCOUNT / "credential-report.csv").unlink()
    wrapped = {
        "Content": base64.b64encode(files.REPORT.encode()).decode(),
        "ReportFormat": "text/csv",
        "GeneratedTime": "2026-10-31T06:00:00+00:00",
    }
    files.write(tmp_path / "b", {f"iam/{ACCOUNT}/report.json": wrapped})

    snapshot = from_files.read(tmp_path / "b")

    assert snapshot.taken == datetime(2026, 10, 31, 6)
    assert replace(snapshot, taken=plain.taken) == plain


def test_last_accessed_is_matched_by_name_or_by_the_arn_inside(tmp_path):
    snapshot = from_files.read(files.whole(tmp_path))

    for arn in (ROLE, USER):
        accessed = by_arn(snapshot)[arn].last_accessed
        assert accessed is not None
        assert [(a.service, a.action, a.last) for a in accessed] == [
            ("s3", None, datetime(2026, 10, 20, 10)),
            ("s3", "s3:CreateBucket", None),
            ("s3", "s3:ListBuckets", datetime(2026, 10, 19, 10)),
            ("sqs", None, None),
        ]


@pytest.mark.parametrize(
    "change", [{"JobStatus": "IN_PROGRESS"}, {"JobStatus": "FAILED", "Error": {"Message": "m"}}, {"IsTruncated": True}]
)
def test_a_last_accessed_job_not_complete_is_no_evidence(tmp_path, change):
    files.whole(tmp_path)
    name = f"iam/{ACCOUNT}/last-accessed/orders-fn.json"
    files.write(tmp_path, {name: files.last_accessed() | change})

    snapshot = from_files.read(tmp_path)

    assert by_arn(snapshot)[ROLE].last_accessed is None
    assert any(name in one.reason for one in snapshot.unassessed)
    assert "no last accessed data of 1 of 2 roles and users" in reasons(snapshot, f"account {ACCOUNT}")


def test_a_last_accessed_file_that_fits_two_principals_is_given_to_neither(tmp_path):
    files.whole(tmp_path)
    both = files.details()
    both["UserDetailList"][0] |= {"UserName": "orders-fn", "Arn": f"arn:aws:iam::{ACCOUNT}:user/orders-fn"}
    files.write(tmp_path, {f"iam/{ACCOUNT}/authorization.json": both})

    snapshot = from_files.read(tmp_path)

    assert all(principal.last_accessed is None for principal in snapshot.principals)
    where = f"iam/{ACCOUNT}/last-accessed/orders-fn.json"
    assert reasons(snapshot, where) == [
        "its name fits several principals of the snapshot: whose data it is cannot be told"
    ]


def test_what_no_file_says_is_unassessed_and_never_an_empty_list(tmp_path):
    snapshot = from_files.read(files.write(tmp_path, {"gaad.json": files.details()}))

    assert reasons(snapshot, f"account {ACCOUNT}") == [
        "no credential report: its users' keys and passwords are not known",
        "no last accessed data of 2 of 2 roles and users",
        "no list of Lambda functions: which run as which role is not known",
        "no list of trails: what they log is told by the log alone",
        "no service control policies: its permissions are judged as if none cut them off",
    ]
    assert not by_arn(snapshot)[USER].credentials_known
    assert snapshot.guardrails[0].scp is None


def test_an_account_is_unfinished_where_aws_throttled_and_not_where_it_refused(tmp_path):
    def error(step, code, *, again):
        told = {"code": code, "message": "no", "again": again, "service": "iam", "permission": f"iam:{step}",
                "kind": step, "item": ""}  # fmt: skip
        line = {"kind": step, "operation": step, "key": "k", "last": True, "params": {}, "account": ACCOUNT, "region": None,
                "error": told}  # fmt: skip
        return (
            json.dumps(line)
            + "\n"
            + json.dumps({name: line[name] for name in ("account", "region", "params")} | {"kind": "end"})
            + "\n"
        )

    files.whole(tmp_path)
    assert from_files.read(files.write(tmp_path, {"a.jsonl": error("x", "AccessDenied", again=False)})).unfinished == ()

    snapshot = from_files.read(files.write(tmp_path, {"b.jsonl": error("y", "Throttling", again=True)}))

    assert snapshot.unfinished == (ACCOUNT,)


def test_a_list_that_no_page_has_and_a_missing_last_page_are_said(tmp_path):
    page = files.details() | {"IsTruncated": True, "Marker": "m"}
    del page["RoleDetailList"]

    snapshot = from_files.read(files.write(tmp_path, {"gaad.json": page}))

    assert "gaad.json: has no RoleDetailList" in reasons(snapshot, f"account {ACCOUNT}")
    assert "gaad.json: the last page is missing (IsTruncated)" in reasons(snapshot, f"account {ACCOUNT}")


def test_pages_in_any_order_are_one_account(tmp_path):
    whole = files.details()
    names = list(whole)
    pages = {
        f"{ACCOUNT}/{9 - i}.json": {n: whole[n] if n == name else [] for n in names} | {"IsTruncated": i < 3}
        for i, name in enumerate(names)
    }

    split = from_files.read(files.write(tmp_path / "split", pages))
    one = from_files.read(files.write(tmp_path / "one", {f"{ACCOUNT}/gaad.json": whole}))

    assert split == one


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    files.whole(tmp_path)
    files.write(tmp_path, {"broken.json": "{", "other.json": {"x": 1}, "other.csv": "a,b", "notes.txt": "n"})

    snapshot = from_files.read(tmp_path)

    assert reasons(snapshot, "broken.json")[0].startswith("cannot be read")
    assert reasons(snapshot, "other.json") == ["not an answer of an AWS operation that trailfit knows"]
    assert reasons(snapshot, "other.csv") == ["not a credential report: its first line is another"]
    assert reasons(snapshot, "notes.txt") == []


def test_a_document_that_iam_would_refuse_is_none_and_said(tmp_path):
    details = files.details()
    details["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"] = {"Statement": "x"}

    snapshot = from_files.read(files.write(tmp_path, {"gaad.json": details}))

    assert by_arn(snapshot)[ROLE].policies[0].document is None
    assert reasons(snapshot, f"{ROLE} inline")[0].startswith("its policy document cannot be read")


def test_two_descriptions_of_one_role_are_said_to_differ(tmp_path):
    other = files.details()
    other["RoleDetailList"][0]["RolePolicyList"] = []

    snapshot = from_files.read(files.write(tmp_path, {"a.json": files.details(), "b.json": other}))

    assert reasons(snapshot, ROLE) == ["described differently in a.json and b.json: the former is taken"]
    assert len(by_arn(snapshot)[ROLE].policies) == 2


def test_a_group_that_no_file_describes_leaves_a_grant_unknown(tmp_path):
    details = files.details() | {"GroupDetailList": []}

    snapshot = from_files.read(files.write(tmp_path, {"gaad.json": details}))

    assert [p.document for p in by_arn(snapshot)[USER].policies] == [None]
    assert reasons(snapshot, USER) == ["is in group devs, which no file describes"]


def test_moto_leaves_policy_names_out_and_the_arn_has_them(tmp_path):
    details = files.details()
    for policy in details["Policies"]:
        del policy["PolicyName"], policy["PolicyId"]

    snapshot = from_files.read(files.write(tmp_path, {"gaad.json": details}))

    assert {policy.name for policy in snapshot.managed} == {"orders", "bound", "loose"}


def test_names_in_another_casing_are_the_same_names(tmp_path):
    details = {name.lower(): value for name, value in files.details().items()}

    snapshot = from_files.read(files.write(tmp_path, {"gaad.json": details}))

    assert by_arn(snapshot)[ROLE].policies[1].arn == POLICY


def test_the_account_of_a_file_without_arns_is_its_folders(tmp_path):
    snapshot = from_files.read(
        files.write(tmp_path, {"gaad.json": files.details(), "210987654321/functions.json": {"Functions": []}})
    )

    assert snapshot.accounts == (ACCOUNT, "210987654321")


def test_without_a_report_the_newest_date_is_the_snapshots_time(tmp_path):
    snapshot = from_files.read(files.write(tmp_path, {"gaad.json": files.details()}))

    assert snapshot.taken == datetime(2026, 10, 1, 8)


def test_a_recording_by_placebo_is_read(tmp_path):
    time = {"__class__": "datetime", "year": 2026, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5}
    report = {"Content": files.REPORT, "ReportFormat": "text/csv", "GeneratedTime": time | {"microsecond": 0}}

    snapshot = from_files.read(files.write(tmp_path, {"r.json": {"status_code": 200, "data": report}}))

    assert snapshot.taken == datetime(2026, 1, 2, 3, 4, 5)


def test_a_folder_without_an_account_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(SourceError, match="get-account-authorization-details"):
        from_files.read(tmp_path)


def test_the_order_of_files_does_not_matter(tmp_path):
    first = files.whole(tmp_path / "x")
    again = tmp_path / "y"
    for path in sorted((p for p in first.rglob("*") if p.is_file()), reverse=True):
        files.write(again, {path.relative_to(first).as_posix(): path.read_text()})

    assert from_files.read(first) == from_files.read(again)


def test_the_store_gives_back_what_it_was_given_and_each_document_once(tmp_path):
    snapshot = from_files.read(files.whole(tmp_path))

    written = store.to_json(snapshot)

    assert store.from_json(json.loads(json.dumps(written))) == snapshot
    assert len(written["documents"]) == 2


def test_a_document_comes_back_from_the_lake_in_the_order_in_which_it_was_written(tmp_path):
    snapshot = from_files.read(files.whole(tmp_path / "in"))
    lake = Lake(str(tmp_path / "lake"))
    store.save(lake, snapshot)

    again = store.load(lake)

    assert again == snapshot
    assert store.load_at(lake, store.stamps(lake)[-1]) == snapshot
    trust = by_arn(again)[ROLE].trust
    assert trust is not None
    assert trust.to_json() == json.dumps(files.TRUST, indent=2)


def test_a_lake_without_a_snapshot_says_what_to_run(tmp_path):
    with pytest.raises(LakeError, match="trailfit inventory"):
        store.load(Lake(str(tmp_path)))
    with pytest.raises(LakeError, match="20200101T000000Z"):
        store.load_at(Lake(str(tmp_path)), "20200101T000000Z")


def test_the_summary_counts_each_policy_once(tmp_path):
    snapshot = from_files.read(files.whole(tmp_path))

    found = counts(snapshot)

    assert {name: found[name] for name in ("roles", "users", "groups", "managed policies", "inline policies")} == {
        "roles": 1,
        "users": 1,
        "groups": 1,
        "managed policies": 3,
        "inline policies": 2,
    }
    assert "2 access keys" in "\n".join(lines(snapshot))


@pytest.fixture(scope="module")
def corpus():
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here (TRAILFIT_CORPUS)")
    return CORPUS


def test_every_snapshot_of_the_corpus_loads_whole(corpus):
    seen = 0
    for path in sorted(corpus.rglob("*.json")):
        raw = json.loads(path.read_text())
        if not isinstance(raw, dict) or not {"UserDetailList", "GroupDetailList"} & raw.keys():
            continue
        snapshot = from_files.read(path)
        arns = {item["Arn"] for name in ("RoleDetailList", "UserDetailList") for item in raw.get(name, [])}
        assert {principal.arn for principal in snapshot.principals} == arns, path
        assert {policy.arn for policy in snapshot.managed} == {policy["Arn"] for policy in raw["Policies"]}, path
        assert store.from_json(json.loads(json.dumps(store.to_json(snapshot)))) == snapshot
        assert not [one for one in snapshot.unassessed if "cannot be read" in one.reason], path
        seen += 1
    assert seen == 18


def test_every_credential_report_and_last_accessed_recording_of_the_corpus_loads(corpus):
    reports = sorted(corpus.rglob("iam.GetCredentialReport_*.json"))
    read = 0
    for path in reports:
        raw = json.loads(path.read_text())
        if raw["status_code"] != 200:
            continue
        lines_in = [line for line in raw["data"]["Content"].splitlines()[1:] if line.strip()]
        snapshot = from_files.read(path)
        assert snapshot.accounts == (lines_in[0].split(",")[1].split(":")[4],)
        assert bool(snapshot.root) == ("<root_account>" in raw["data"]["Content"])
        read += 1
    assert read == 5
    assert from_files.read(next(corpus.rglob("iam.GetServiceLastAccessedDetails_2.json"))).accounts


def test_the_cloudsplaining_example_has_its_roles_users_and_policies(corpus):
    found = counts(from_files.read(corpus / "iam-cloudsplaining" / "examples" / "files" / "example.json"))

    assert (found["roles"], found["users"], found["managed policies"]) == (78, 44, 84)


def test_the_whole_corpus_at_once_loads(corpus):
    snapshot = from_files.read(corpus)

    assert len(snapshot.accounts) >= 7
    assert store.from_json(store.to_json(snapshot)) == snapshot
