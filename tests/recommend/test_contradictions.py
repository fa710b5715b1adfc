"""Where IAM's own record says "used" and the log does not, both are told."""

from dataclasses import replace
from datetime import datetime

import pytest
from tests.recommend.account import ACCOUNT, ROLE, allow, answer, evidence, inline, role, snapshot

from trailfit.model import Assumption, Credential, KeyUse, Principal

USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
KEY = "AKIAEXAMPLE"
WITHIN, BEFORE = datetime(2026, 9, 9), datetime(2026, 7, 1)


def told(principal, seen):
    (listed,) = answer(snapshot(principal), seen)["principals"]
    return listed.get("contradictions", [])


def user(kind, last):
    credential = Credential(
        kind, USER, KEY if kind == "access_key" else None, True, datetime(2024, 1, 1), last, "s3", "eu-west-1"
    )
    return Principal(
        USER, ACCOUNT, "user", "ann", "/", datetime(2024, 1, 1), credentials=(credential,), credentials_known=True
    )


@pytest.mark.parametrize(
    ("kind", "last", "facts", "said"),
    [
        ("access_key", WITHIN, {}, [f"IAM saw access key {KEY} used on 2026-09-09 (s3 in eu-west-1), but no event of the window shows it"]),
        ("access_key", WITHIN, {"key_use": {KEY: KeyUse(KEY, USER, 1, WITHIN, WITHIN)}}, []),
        ("access_key", BEFORE, {}, []),
        ("access_key", None, {}, []),
        ("password", WITHIN, {}, ["IAM saw a sign-in on 2026-09-09 (s3 in eu-west-1), but no event of the window shows the user"]),
        ("password", WITHIN, {"last_seen": {USER: WITHIN}}, []),
    ],
)  # fmt: skip
def test_a_credential_that_iam_saw_and_the_log_did_not(kind, last, facts, said):
    assert told(user(kind, last), evidence(**facts)) == said


def test_a_role_that_iam_saw_and_the_log_did_not_is_told_and_not_unused():
    mine = role(inline(allow("s3:GetObject")), last_used=WITHIN)

    data = answer(snapshot(mine), evidence())

    assert told(mine, evidence()) == ["IAM saw the role used on 2026-09-09, but no event of the window shows it"]
    assert "UnusedIAMRole" not in {each["kind"] for each in data["findings"]}


def test_a_role_that_somebody_took_on_was_used():
    mine = role(inline(allow("s3:GetObject")), last_used=BEFORE)
    took = Assumption(ROLE, "lambda.amazonaws.com", "service", None, "AssumeRole", 1, 0, (), (), WITHIN, WITHIN, "e1")

    data = answer(snapshot(mine), replace(evidence(), assumptions={ROLE: (took,)}))

    assert "UnusedIAMRole" not in {each["kind"] for each in data["findings"]}
    assert told(mine, evidence()) == []
