"""Trust policies are tightened to who really took the role on, and never where the log could not have shown it."""

from datetime import datetime

import pytest
from tests.recommend.account import (
    ACCOUNT,
    LAMBDA,
    OTHER,
    ROLE,
    allow,
    answer,
    document,
    evidence,
    inline,
    role,
    snapshot,
    used,
)

from trailfit.model import Assumption, Function, GrantChange, Silence
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants

KEY = "arn:aws:s3:::b/k"
CI = f"arn:aws:iam::{ACCOUNT}:role/ci/build"
PARTNER = f"arn:aws:iam::{OTHER}:role/partner"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SUB = "token.actions.githubusercontent.com:sub"


def trusts(principal, action="sts:AssumeRole", **more):
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def took(caller, kind="role", event="AssumeRole", subject=None, calls=3):
    first, last = datetime(2026, 8, 4), datetime(2026, 10, 30)
    return Assumption(ROLE, caller, kind, subject, event, calls, 0, (), (), first, last, "e9")


def judged(statements, seen, *, functions=(), more=(), **facts):
    who = role(inline(allow("s3:GetObject", resource=KEY)), trust=document(*statements))
    told = evidence(used("s3:GetObject", KEY), assumptions={ROLE: tuple(seen)} if seen else {}, **facts)
    return answer(snapshot(who, *more, functions=tuple(functions)), told)


def proposal(data):
    return next((each for each in data["recommendations"] if each["action"] == "UPDATE_TRUST_POLICY"), None)


def rows(data):
    (listed,) = [each for each in data["principals"] if each["principal"] == ROLE]
    return [(row["principal"], row["class"]) for row in listed["trust"]]


def test_who_never_came_goes_and_who_came_stays():
    old = trusts({"Service": ["lambda.amazonaws.com", "states.amazonaws.com"], "AWS": CI}, Sid="Mixed")

    data = judged([old], [took("lambda.amazonaws.com", "service")])

    assert rows(data) == [
        ({"Service": "lambda.amazonaws.com"}, "used"),
        ({"Service": "states.amazonaws.com"}, "unused"),
        ({"AWS": CI}, "unused"),
    ]
    mine = proposal(data)
    assert mine["after"][0]["document"]["Statement"] == [{**LAMBDA, "Sid": "Mixed"}]
    assert mine["before"][0]["kind"] == mine["after"][0]["kind"] == "trust"
    assert mine["proofs"]["no_new_access"]["holds"] is True
    assert mine["proofs"]["still_allows"] == {
        "holds": True, "method": "replay by the evaluator", "requests": 1, "denied": [],
    }  # fmt: skip
    (finding,) = [each for each in data["findings"] if each["kind"] == "UnusedTrust"]
    assert mine["finding_ids"] == [finding["id"]]
    assert mine["disposition"] == "unsafe"


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"silence": lambda account, action: Silence(False, "a gap")}, id="the log has a gap"),
        pytest.param(
            {"changes": [GrantChange(ACCOUNT, "UpdateAssumeRolePolicy", "role", "orders-fn", None, "trust", datetime(2026, 9, 1), "e")]},
            id="it changed within the window",
        ),
    ],
)  # fmt: skip
def test_nothing_is_touched_where_silence_proves_nothing(facts):
    data = judged(
        [trusts({"Service": "lambda.amazonaws.com", "AWS": CI})], [took("lambda.amazonaws.com", "service")], **facts
    )

    assert proposal(data) is None
    assert rows(data)[1] == ({"AWS": CI}, "undetermined")


def test_a_used_role_that_nobody_was_seen_to_take_on_keeps_its_trust():
    data = judged([trusts({"AWS": [CI, PARTNER]})], [])

    assert {cls for _, cls in rows(data)} == {"undetermined"}
    assert proposal(data) is None


@pytest.mark.parametrize(
    ("service", "functions", "cls"),
    [
        ("states.amazonaws.com", (), "unused"),
        ("firehose.amazonaws.com", (), "undetermined"),
        ("states.amazonaws.com", ("AWS::StepFunctions::StateMachine",), "undetermined"),
    ],
    ids=["the inventory would know", "the inventory knows nothing of it", "the inventory knows one that runs as it"],
)
def test_a_service_goes_only_where_the_inventory_agrees(service, functions, cls):
    runs = [Function(f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:m", "m", ACCOUNT, "eu-west-1", ROLE, kind=kind) for kind in functions]  # fmt: skip

    data = judged(
        [trusts({"Service": ["lambda.amazonaws.com", service]})],
        [took("lambda.amazonaws.com", "service")],
        functions=runs,
    )

    assert rows(data)[1] == ({"Service": service}, cls)


def test_a_whole_account_is_limited_to_who_came():
    data = judged([trusts({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], [took(CI)])

    (statement,) = proposal(data)["after"][0]["document"]["Statement"]
    assert statement == trusts(
        {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Condition={"ArnEquals": {"aws:PrincipalArn": CI}}
    )


def test_everybody_is_limited_to_who_came_and_the_finding_is_answered():
    data = judged([trusts("*", Condition={"StringEquals": {"sts:ExternalId": "x"}})], [took(CI), took(PARTNER)])

    mine = proposal(data)
    (statement,) = mine["after"][0]["document"]["Statement"]
    assert statement["Principal"] == "*"
    assert statement["Condition"] == {
        "StringEquals": {"sts:ExternalId": "x"}, "ArnEquals": {"aws:PrincipalArn": [CI, PARTNER]},
    }  # fmt: skip
    (wild,) = [each for each in data["findings"] if each["kind"] == "WildcardTrust"]
    assert wild["id"] in mine["finding_ids"]


def test_a_caller_of_an_account_whose_log_is_not_here_is_known_by_its_account_alone():
    root = f"arn:aws:iam::{OTHER}:root"
    seen = [took(root, "account", subject="AROAPARTNER:nightly")]

    assert proposal(judged([trusts({"AWS": OTHER})], seen)) is None
    data = judged([trusts({"AWS": [PARTNER, CI]})], seen)
    assert rows(data)[0] == ({"AWS": PARTNER}, "undetermined")
    known = role(arn=PARTNER, unique_id="AROAPARTNER")
    data = judged([trusts({"AWS": root})], seen, more=[known])
    assert proposal(data)["after"][0]["document"]["Statement"][0]["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": PARTNER}
    }


def test_a_provider_is_limited_to_the_subjects_that_came():
    subject = "repo:shop/orders:ref:refs/heads/main"
    wide = trusts(
        {"Federated": OIDC}, "sts:AssumeRoleWithWebIdentity",
        Condition={"StringLike": {SUB: "repo:shop/*"}, "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
    )  # fmt: skip
    seen = took(f"{OIDC}:{subject}", "web_identity", "AssumeRoleWithWebIdentity", subject)

    mine = proposal(judged([wide], [seen]))

    (statement,) = mine["after"][0]["document"]["Statement"]
    assert statement["Condition"]["StringLike"] == {SUB: subject}
    assert statement["Condition"]["StringEquals"] == wide["Condition"]["StringEquals"]
    assert mine["proofs"]["no_new_access"]["holds"] is True


def test_a_service_that_may_be_a_confused_deputy_is_held_to_the_resources_that_run_as_the_role():
    arn = f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:orders"
    machine = Function(arn, "orders", ACCOUNT, "eu-west-1", ROLE, kind="AWS::StepFunctions::StateMachine")
    old = trusts({"Service": "states.amazonaws.com"})

    data = judged([old], [took("states.amazonaws.com", "service")], functions=[machine])

    mine = proposal(data)
    (statement,) = mine["after"][0]["document"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": arn},
    }  # fmt: skip
    (deputy,) = [each for each in data["findings"] if each["kind"] == "ConfusedDeputy"]
    assert deputy["id"] in mine["finding_ids"]
    assert mine["proofs"]["still_allows"]["holds"] is True


def test_a_service_of_which_nothing_is_known_to_run_as_the_role_is_left_alone():
    data = judged([trusts({"Service": "states.amazonaws.com"})], [took("states.amazonaws.com", "service")])

    assert proposal(data) is None


def test_statements_that_are_no_plain_allow_stay_as_they_are():
    denied = {"Effect": "Deny", "Principal": {"AWS": PARTNER}, "Action": "sts:AssumeRole"}

    data = judged([denied, trusts({"AWS": [CI, PARTNER]})], [took(CI)])

    assert proposal(data)["after"][0]["document"]["Statement"] == [denied, trusts({"AWS": CI})]


def test_the_new_document_lets_in_who_came_and_nobody_new():
    seen = [took(CI), took("lambda.amazonaws.com", "service"), took(f"arn:aws:iam::{ACCOUNT}:user/ann", "user")]
    old = [
        trusts({"AWS": ["*"], "Service": ["lambda.amazonaws.com", "pods.eks.amazonaws.com"]}),
        trusts({"AWS": PARTNER}),
    ]

    new = Document.parse(proposal(judged(old, seen))["after"][0]["document"])

    assert no_new_access([new], [document(*old)]).holds is True
    came = {"aws:PrincipalArn": CI}
    assert grants(Request(f"arn:aws:sts::{ACCOUNT}:assumed-role/build/s", "sts:AssumeRole", ROLE, came), [new]) is True
    assert grants(Request("lambda.amazonaws.com", "sts:AssumeRole", ROLE), [new]) is True
    other = {"aws:PrincipalArn": PARTNER}
    assert (
        grants(Request(f"arn:aws:sts::{OTHER}:assumed-role/partner/s", "sts:AssumeRole", ROLE, other), [new]) is False
    )


def test_a_document_that_iam_would_not_take_is_not_proposed():
    callers = [f"arn:aws:iam::{ACCOUNT}:role/{'x' * 110}/build-{number:02d}" for number in range(20)]

    data = judged([trusts({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], [took(caller) for caller in callers])

    assert proposal(data) is None
    assert rows(data)[0][1] == "used"


def test_an_account_that_is_named_does_not_stand_for_its_identity_providers():
    subject = "repo:shop/web"
    seen = [took(CI), took(f"{OIDC}:{subject}", "web_identity", "AssumeRoleWithWebIdentity", subject)]

    data = judged([trusts({"AWS": ACCOUNT}, action="sts:*")], seen)

    assert data["unassessed"] == []
    (statement,) = proposal(data)["after"][0]["document"]["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": CI}}
