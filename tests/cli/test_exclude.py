"""Exclusions from the configuration, and what --fail-on makes of findings: the promises on exit codes."""

import json

import pytest

from trailfit.cli import config
from trailfit.errors import UsageError

ACCOUNT = "111122223333"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def lake(tmp_path_factory, trailfit):
    """A lake with a snapshot of one role that may do everything, and no log."""
    base = tmp_path_factory.mktemp("excluding")
    role = {
        "Path": "/", "RoleName": "ruler", "RoleId": "AROAEXAMPLE", "Arn": f"arn:aws:iam::{ACCOUNT}:role/ruler",
        "CreateDate": "2024-01-01T00:00:00Z", "AssumeRolePolicyDocument": TRUST, "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": EVERYTHING}], "Tags": [], "RoleLastUsed": {},
    }  # fmt: skip
    told = {"RoleDetailList": [role], "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    folder = base / "iam" / ACCOUNT
    folder.mkdir(parents=True)
    (folder / "get-account-authorization-details.json").write_text(json.dumps(told), encoding="utf-8")
    trailfit("inventory", "--from-files", base / "iam", "--lake", base / "lake", code=None)
    return base / "lake"


@pytest.fixture
def recommend(lake, tmp_path, trailfit):
    """Run `trailfit recommend` with [[exclude]] tables; give its exit code, output and JSON."""

    def run(*words, told=""):
        file = tmp_path / "trailfit.toml"
        file.write_text(f'lake = "{lake}"\n{told}', encoding="utf-8")
        done = trailfit("recommend", "--lake", lake, "--out", tmp_path / "out", "--config", file, *words, code=None)
        out = tmp_path / "out" / "recommendations.json"
        return done.exit_code, done.output, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None

    return run


RULER = f"""
[[exclude]]
principal = "arn:aws:iam::{ACCOUNT}:role/ruler"
reason = "it is meant to rule"
until = 2099-12-31
"""


@pytest.mark.parametrize(
    ("fail_on", "told", "code"),
    [
        ([], "", 3),
        (["--fail-on", "critical"], "", 1),
        (["--fail-on", "low"], "", 1),
        (["--fail-on", "critical"], RULER, 3),
        (["--fail-on", "low"], RULER, 3),
        (["--fail-on", "low"], RULER.replace("2099", "2019"), 1),
    ],
    ids=["not asked", "critical", "low", "all excluded", "all excluded, low", "no longer excluded"],
)
def test_fail_on_counts_the_findings_that_are_not_excluded(recommend, fail_on, told, code):
    exit_code, output, data = recommend(*fail_on, told=told)

    assert exit_code == code, output
    assert bool(data["findings"]) == (code != 3 or not told)


def test_what_is_excluded_is_told_with_its_reason(recommend):
    _, output, data = recommend(told=RULER)

    assert data["findings"] == []
    assert {each["reason"] for each in data["excluded"]} == {"it is meant to rule"}
    assert {each["by"] for each in data["excluded"]} == {"trailfit.toml [[exclude]] 1"}
    assert "findings are excluded" in output


def test_an_exclusion_past_its_end_says_so(recommend):
    _, output, _ = recommend(told=RULER.replace("2099", "2019"))

    assert "expired on 2019-12-31" in output
    assert "it is meant to rule" in output


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('principal = "*"\nuntil = 2026-12-31', "gives no `reason`"),
        ('principal = "*"\nreason = " "\nuntil = 2026-12-31', "gives no `reason`"),
        ('principal = "*"\nreason = "why"', "has no end"),
        ('reason = "why"\nuntil = 2026-12-31', "does not say what it is about"),
        ('principal = "*"\nreason = "why"\nuntil = "soon"', "`until` that is not of type date"),
        ('principal = "*"\nreason = "why"\nuntil = 2026-12-31T00:00:00Z', "`until` that is not of type date"),
        ('principal = "*"\nreason = "why"\nuntil = 2026-12-31\nkinds = ["UnusedRole"]', "no kind of finding"),
        ('principal = "*"\nreason = "why"\npurpose = "fun"', "has the purpose `fun`"),
        ('princpal = "*"\nreason = "why"\nuntil = 2026-12-31', "has `princpal`, which is not a setting"),
    ],
)
def test_an_exclusion_that_cannot_be_meant_is_an_error_with_its_place(tmp_path, table, said):
    file = tmp_path / "trailfit.toml"
    file.write_text(f'lake = "lake"\n[[exclude]]\n{table}\n', encoding="utf-8")

    with pytest.raises(UsageError, match=r"\[\[exclude\]\] 1") as caught:
        config.read(file)

    assert said in str(caught.value)
    assert str(caught.value.where) == str(file)


def test_a_purpose_needs_no_end(recommend):
    purpose = f'[[exclude]]\nprincipal = "*:{ACCOUNT}:role/*"\npurpose = "break-glass"\nreason = "runbook 7"\n'

    code, _, data = recommend("--fail-on", "critical", told=purpose)

    assert code == 3
    assert data["exclusions"][0]["until"] is None
