"""Ways to more rights: each published path is found where it is open, and only there."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import date

import pytest
from tests.recommend.small import (
    OURS,
    account,
    allow,
    document,
    findings,
    log,
    managed,
    one,
    policy,
    role,
    trust,
    use,
    user,
)

from trailfit.catalog.risks import escalation_paths
from trailfit.deliver import recommendations
from trailfit.inventory import from_files
from trailfit.model import Evidence, Group, GuardrailLevel, GuardrailPolicy, Guardrails, Silence, Window
from trailfit.recommend import output
from trailfit.recommend.judge import judge

KIND = "PrivilegeEscalation"
SELF = f"arn:aws:iam::{OURS}:role/app"


def holder(path):
    """A principal with exactly the actions of a path, and what it needs around it."""
    actions = [step.action for step in path.steps]
    needs = {step.on for step in path.steps}
    grants = policy(allow(actions), name="grants")
    if needs & {"self-user", "own-group"}:
        return user("app", grants, groups=("team",))
    return role("app", grants, managed("own", allow("s3:ListBucket"))) if "own-policy" in needs else role("app", grants)


@pytest.mark.parametrize("path", escalation_paths(), ids=lambda path: path.name)
def test_privilege_escalation_is_found_for_every_path_of_the_table(path):
    who = holder(path)
    team = Group(f"arn:aws:iam::{OURS}:group/team", OURS, "team", "/", None, members=(who.arn,))

    found = one(account(who, groups=(team,)), kind=KIND, of=who.arn)

    assert path.name in {each["path"] for each in found.evidence["paths"]}
    assert {each["published"] for each in found.evidence["paths"]} >= {path.source}


@pytest.mark.parametrize("path", escalation_paths(), ids=lambda path: path.name)
def test_privilege_escalation_needs_every_action_of_a_path(path):
    who = holder(path)
    first, *rest = who.policies
    for step in path.steps:
        others = [each.action for each in path.steps if each.action != step.action]
        fewer = policy(allow(others or "s3:ListBucket"), name=first.name)

        told = findings(account(replace(who, policies=(fewer, *rest))), kind=KIND)

        assert path.name not in {each["path"] for found in told for each in found.evidence["paths"]}


@pytest.mark.parametrize(
    "statements",
    [
        [allow("iam:*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}],
        [allow("iam:PutRolePolicy", f"arn:aws:iam::{OURS}:role/another")],
        [allow("iam:CreateAccessKey", f"arn:aws:iam::{OURS}:user/${{aws:username}}")],
        [allow("iam:PutUserPolicy")],
    ],
    ids=["denied", "another role that it cannot wear", "its own key", "a role is no user"],
)
def test_privilege_escalation_is_not_said_of_what_leads_nowhere(statements):
    assert findings(account(role("app", policy(*statements))), kind=KIND) == []


def test_privilege_escalation_is_not_said_where_the_boundary_cuts_it_off():
    bound = managed("boundary", allow(["s3:*", "dynamodb:*"]))

    assert findings(account(role("app", policy(allow("iam:*")), boundary=bound)), kind=KIND) == []


@pytest.mark.parametrize(
    ("statements", "open_paths"),
    [
        ([allow("*")], 1),
        ([allow("*"), {"Effect": "Deny", "Action": "iam:Put*", "Resource": "*"}], 0),
        ([allow(["s3:*", "sqs:*"])], 0),
    ],
    ids=["FullAWSAccess", "a Deny", "an allow list"],
)
def test_privilege_escalation_is_not_said_where_a_service_control_policy_cuts_it_off(statements, open_paths):
    level = GuardrailLevel("r-1", "Root", (GuardrailPolicy("p-1", "policy", document(*statements)),))
    unread = GuardrailLevel("ou-1", "Unit", (GuardrailPolicy("p-2", "unread", None),))
    who = account(role("app", policy(allow("iam:PutRolePolicy"))), guardrails=(Guardrails(OURS, (level, unread), ()),))

    assert len(findings(who, kind=KIND)) == open_paths


def test_privilege_escalation_through_a_condition_that_the_log_cannot_fill_is_likely_not_certain():
    limited = allow("iam:PutRolePolicy", Condition={"StringEquals": {"aws:PrincipalTag/team": "platform"}})

    assert one(account(role("app", policy(limited))), kind=KIND).confidence == "medium"


def test_privilege_escalation_by_a_pass_is_certain_only_where_a_role_could_be_passed_today():
    deploy = role("app", policy(allow(["iam:PassRole", "glue:CreateJob", "glue:StartJobRun"])))
    worker = role("worker", trusts=trust({"Service": "glue.amazonaws.com"}))

    assert one(account(deploy), kind=KIND).confidence == "medium"
    found = one(account(deploy, worker), kind=KIND)
    assert found.confidence == "high"
    assert found.evidence["paths"][0]["on"]["iam:PassRole"] == [worker.arn]


def test_privilege_escalation_that_usage_needs_weighs_less_and_has_another_remedy():
    who = role("app", policy(allow("lambda:UpdateFunctionCode")))
    arn = f"arn:aws:lambda:eu-west-1:{OURS}:function:web"

    needed = one(account(who), log(use(who, "lambda:UpdateFunctionCode", arn)), KIND)
    idle = one(account(who), kind=KIND)

    assert (needed.severity, idle.severity) == ("medium", "high")
    assert "boundary" in needed.remedy
    assert idle.evidence["actions_to_take_away"] == ["lambda:UpdateFunctionCode"]


def test_privilege_escalation_by_writing_own_rights_is_critical():
    assert one(account(role("app", policy(allow("iam:PutRolePolicy", SELF)))), kind=KIND).severity == "critical"


@pytest.fixture(scope="module")
def vulnerable(corpus, tmp_path_factory):
    """The vulnerable account of the corpus: its names say what each principal can do."""
    file = corpus / "iam" / "iam-cloudsplaining" / "examples" / "files" / "example.json"
    folder = tmp_path_factory.mktemp("vulnerable") / "200611803367"
    folder.mkdir()
    (folder / "get-account-authorization-details.json").write_bytes(file.read_bytes())
    snapshot = from_files.read(folder.parent)
    told = Evidence(
        window=Window(date(2026, 8, 3), date(2026, 10, 31)), usage={}, denied={}, last_seen={}, sessions={}, key_use={},
        gaps={}, coverage=(), silence=lambda _account, _action: Silence(False, "there is no log"),
    )  # fmt: skip
    by_name = defaultdict(list)
    judgement = judge(snapshot, told)
    for each in judgement.findings:
        by_name[each.principal.rpartition("/")[2]].append(each)
    return snapshot, by_name, judgement


#: Made to be exploited, but not by this action alone, or through a role that a principal may already assume.
_NOT_BY_THEMSELVES = {
    "privesc7-AttachUserPolicy-role", "privesc8-AttachGroupPolicy-role", "privesc9-AttachRolePolicy-user",
    "privesc10-PutUserPolicy-role", "privesc11-PutGroupPolicy-role", "privesc12-PutRolePolicy-user",
    "privesc-AssumeRole-start-user", "privesc-AssumeRole-starting-role", "privesc-AssumeRole-intermediate-role",
    "privesc-permissive-role-trust",
}  # fmt: skip


def test_privilege_escalation_is_told_from_its_look_alikes_in_a_vulnerable_account(vulnerable):
    snapshot, by_name, _ = vulnerable
    names = {each.name for each in snapshot.principals}
    found = {name for name, told in by_name.items() if any(each.kind == KIND for each in told)}

    assert {name for name in names if name.startswith("fp")} & found == set()
    wanted = {name for name in names if name.startswith(("fn", "privesc"))} - _NOT_BY_THEMSELVES
    assert wanted - found == set()
    assert _NOT_BY_THEMSELVES & found == set()
    assert len(snapshot.principals) == 122


def test_the_vulnerable_account_holds_to_the_schema(vulnerable):
    _, _, judgement = vulnerable

    data = output.as_dict(judgement)

    recommendations.check(json.loads(output.as_text(data)))
    assert len(data["findings"]) > 250
    assert data["recommendations"] == [], "there is no log: nothing may be proposed"
