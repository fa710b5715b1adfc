"""`trailfit check`: files, folders, principals of snapshots, JSON lines; exit codes are promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BROAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
NARROW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}],
}
TEXT = "${aws:username}"


@pytest.fixture
def files(tmp_path):
    for name, document in (("broad.json", BROAD), ("narrow.json", NARROW), ("new/a.json", NARROW), ("old/a.json", BROAD),
                           ("new/sub/b.json", BROAD), ("old/c.json", NARROW)):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    return tmp_path


def test_nothing_new_exits_0(files, trailfit):
    assert "no new access" in trailfit("check", files / "narrow.json", files / "broad.json").stdout


def test_new_access_exits_1_with_a_request_of_aws(files, trailfit):
    said = trailfit("check", files / "broad.json", files / "narrow.json", code=1).stdout

    assert "NEW ACCESS" in said
    assert "  s3:" in said
    assert " on * with no condition keys" in said
    assert "s3:x" not in said


def test_json_is_one_object_a_line(files, trailfit):
    answer = json.loads(
        trailfit("check", files / "broad.json", files / "narrow.json", "--format", "json", code=1).stdout
    )

    assert answer["no_new_access"] is False
    assert set(answer["counterexample"]) == {"action", "resource", "context"}
    assert answer["id"].endswith("broad.json")


def test_folder_is_one_principals_policies(files, trailfit):
    trailfit("check", files / "new", files / "old")
    trailfit("check", files / "new", files / "old" / "c.json", code=1)


def test_each_compares_files_by_name(files, trailfit):
    said = trailfit("check", "--each", files / "new", files / "old", code=1).stdout.splitlines()

    assert said[0] == "a.json: no new access"
    assert said[1] == f"{Path('sub') / 'b.json'}: NEW ACCESS"


def test_boundary_is_part_of_the_question(files, trailfit):
    trailfit("check", files / "broad.json", files / "narrow.json", "--boundary", files / "narrow.json")


def test_condition_keys_and_principals_are_shown(tmp_path, trailfit):
    named = {
        "Statement": [
            {**NARROW["Statement"][0], "Principal": {"AWS": "111122223333"}, "Condition": {"StringEquals": {"k": "v"}}}
        ]
    }
    (tmp_path / "n.json").write_text(json.dumps(named))
    (tmp_path / "o.json").write_text('{"Statement": []}')
    said = trailfit("check", tmp_path / "n.json", tmp_path / "o.json", code=1).stdout

    assert "  arn:aws:iam::111122223333:user/someone: s3:Get" in said
    assert "with k = v" in said


def test_principal_of_a_snapshot_is_compared_with_its_boundary(tmp_path, trailfit):
    role = {"Path": "/", "RoleName": "app", "RoleId": "AROAAAAAAAAAAAAAAAAAA", "Arn": "arn:aws:iam::111122223333:role/app",
            "CreateDate": "2026-01-01T00:00:00Z", "InstanceProfileList": [], "Tags": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": BROAD}], "AttachedManagedPolicies": [],
            "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/limit"}}  # fmt: skip
    limit = {"PolicyName": "limit", "PolicyId": "ANPAAAAAAAAAAAAAAAAAA", "Arn": "arn:aws:iam::111122223333:policy/limit", "Path": "/",
             "DefaultVersionId": "v1", "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 1, "IsAttachable": True,
             "CreateDate": "2026-01-01T00:00:00Z", "UpdateDate": "2026-01-01T00:00:00Z",
             "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2026-01-01T00:00:00Z", "Document": NARROW}]}  # fmt: skip
    details = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": [limit]}
    (tmp_path / "details.json").write_text(json.dumps(details))
    everything = tmp_path / "all.json"
    everything.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    (tmp_path / "narrow.json").write_text(json.dumps(NARROW))
    snapshot = f"{tmp_path / 'details.json'}#arn:aws:iam::111122223333:role/app"

    trailfit("check", snapshot, everything)
    trailfit("check", everything, snapshot)
    trailfit("check", everything, tmp_path / "narrow.json", code=1)
    only_gets = tmp_path / "gets.json"
    only_gets.write_text(
        json.dumps({"Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "sqs:*"], "Resource": "arn:aws:s3:::b/*"}]})
    )
    trailfit("check", only_gets, snapshot)


@pytest.mark.parametrize("words", [[], ["{narrow}"], ["{narrow}", "missing.json"], ["{narrow}", "{narrow}#arn:aws:iam::1:role/x"],
                                   ["--each", "{narrow}", "{narrow}"], ["--pairs", "{narrow}", "{narrow}"], ["{empty}", "{narrow}"],
                                   ["{bad}", "{narrow}"], ["--boundary", "{bad}", "{narrow}", "{narrow}"]])  # fmt: skip
def test_what_cannot_be_read_exits_2_without_a_traceback(files, words):
    (files / "empty").mkdir()
    (files / "bad.json").write_text('{"Statement": {"Effect": "allow"}}')
    names = {"narrow": files / "narrow.json", "empty": files / "empty", "bad": files / "bad.json"}
    command = [
        sys.executable,
        "-c",
        "from trailfit.cli.main import main; main()",
        "check",
        *(word.format(**names) for word in words),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def lines(path, *questions):
    path.write_text(
        "".join(question if isinstance(question, str) else json.dumps(question) + "\n" for question in questions)
    )
    return path


def test_pairs_are_answered_in_order(tmp_path, trailfit):
    asked = lines(
        tmp_path / "p.jsonl", {"id": "a", "new": [NARROW], "old": [BROAD]}, "\n", {"id": 2, "new": BROAD, "old": [NARROW]},
        {"id": None, "new": [], "old": []}, {"id": "b", "new": [BROAD], "old": [], "boundary": NARROW},
    )  # fmt: skip
    answers = [json.loads(line) for line in trailfit("check", "--pairs", asked, code=1).stdout.splitlines()]

    assert [(answer["id"], answer["no_new_access"]) for answer in answers] == [
        ("a", True),
        (2, False),
        (None, True),
        ("b", False),
    ]
    assert answers[0]["counterexample"] is None
    assert answers[1]["counterexample"] == {"action": "s3:x", "resource": "*", "context": {}}
    assert "reason" not in answers[0]


def test_proven_pairs_exit_0(tmp_path, trailfit):
    trailfit("check", "--pairs", lines(tmp_path / "p.jsonl", {"id": 1, "new": [NARROW], "old": [BROAD]}))


def test_pair_that_cannot_be_read_exits_3_and_the_others_are_answered(tmp_path, trailfit):
    asked = lines(
        tmp_path / "p.jsonl", "{\n", "[]\n", {"id": 1, "new": [{"Statement": 1}], "old": []}, {"id": 2, "old": []}, {"id": 3, "new": ["x"], "old": []},
        {"id": 4, "new": [7], "old": []}, "[" * 50_000 + "\n", {"id": 5, "new": [], "old": []},
    )  # fmt: skip
    answers = [json.loads(line) for line in trailfit("check", "--pairs", asked, code=3).stdout.splitlines()]

    assert [answer["id"] for answer in answers] == [None, None, 1, 2, 3, 4, None, 5]
    assert ["error" in answer for answer in answers] == [True] * 7 + [False]
    assert answers[2]["error"].startswith("new[0]: Statement")


def test_undecided_exits_1_unless_allowed(tmp_path, trailfit, monkeypatch):
    from trailfit.policy import witness

    monkeypatch.setattr(witness, "confirmed", lambda *_: None)
    asked = lines(tmp_path / "p.jsonl", {"id": 1, "new": [BROAD], "old": [NARROW]})
    answer = json.loads(trailfit("check", "--pairs", asked, code=1).stdout)

    assert answer["no_new_access"] is None
    assert answer["reason"].startswith("new[0].Statement[0] against old[0].Statement[0]")
    trailfit("check", "--pairs", asked, "--allow-undecided")
    (tmp_path / "n.json").write_text(json.dumps(BROAD))
    (tmp_path / "o.json").write_text(json.dumps(NARROW))
    said = trailfit("check", tmp_path / "n.json", tmp_path / "o.json", code=1).output
    assert "undecided" in said
    assert "does not pass" in said
    let = trailfit("check", tmp_path / "n.json", tmp_path / "o.json", "--allow-undecided").output
    assert "undecided" in let
    assert "does not pass" not in let


def test_what_hinges_on_the_version_is_never_let_pass(tmp_path, trailfit):
    said = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::b/{TEXT}"}]}
    asked = lines(tmp_path / "p.jsonl", {"id": 1, "new": [{"Version": "2012-10-17", **said}], "old": [said]})
    answer = json.loads(trailfit("check", "--pairs", asked, "--allow-undecided", code=1).stdout)

    assert answer["no_new_access"] is None
    assert answer["counterexample"]["resource"] == "arn:aws:s3:::b/x"
