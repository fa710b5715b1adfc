"""What a boundary, an SCP or a Deny cuts off is granted in vain; what only may be cut off is not."""

import json
from datetime import datetime

import pytest
from tests.recommend.account import (
    ACCOUNT,
    ROLE,
    allow,
    answer,
    classes,
    deny,
    document,
    evidence,
    granted,
    inline,
    role,
    snapshot,
    used,
)

from trailfit.model import Assumption, AttachedPolicy, GuardrailLevel, GuardrailPolicy, Guardrails

KEY = "arn:aws:s3:::b/k"
FULL = allow("*")
APP = inline(allow("s3:GetObject", "s3:PutObject", "iam:CreateUser", resource="*"))


def boundary(*statements):
    return AttachedPolicy("customer_managed", "bound", f"arn:aws:iam::{ACCOUNT}:policy/bound", document(*statements))


def scp(*levels):
    found = tuple(
        GuardrailLevel(f"ou-{n}", f"level {n}", tuple(
            GuardrailPolicy(f"p-{n}", f"scp-{n}", document(*statements) if statements else None) for statements in each
        )) for n, each in enumerate(levels)
    )  # fmt: skip
    return (Guardrails(ACCOUNT, found, ()),)


@pytest.mark.parametrize(
    ("bound", "levels", "own", "in_vain"),
    [
        pytest.param([allow("s3:*")], None, (), True, id="a boundary that does not name it"),
        pytest.param([FULL, deny("iam:*")], None, (), True, id="a boundary that denies it"),
        pytest.param([allow("iam:*", resource="arn:aws:iam::*:role/*")], None, (), False, id="a boundary on some resources of what is granted"),
        pytest.param([FULL], None, (), False, id="a boundary that allows everything"),
        pytest.param([FULL, deny("iam:*", Condition={"Bool": {"aws:SecureTransport": "false"}})], None, (), False, id="a Deny under a condition"),
        pytest.param([FULL, deny("iam:*", resource="arn:aws:iam::*:user/admin")], None, (), False, id="a Deny of some resources"),
        pytest.param(None, [[(FULL,)], [(FULL,), (deny("iam:*"),)]], (), True, id="an SCP that denies it"),
        pytest.param(None, [[(FULL,)], [(allow("s3:*"),)]], (), True, id="a level that does not allow it"),
        pytest.param(None, [[(FULL,)], []], (), True, id="a level that holds nothing"),
        pytest.param(None, [[(FULL,)], [()]], (), False, id="a level that could not be read"),
        pytest.param(None, [[(FULL,)], [(FULL,)]], (), False, id="SCPs that allow everything"),
        pytest.param(None, None, (deny("iam:Create*"),), True, id="a Deny of its own"),
        pytest.param(None, None, (), False, id="nothing"),
    ],
)  # fmt: skip
def test_what_is_cut_off_for_certain_is_granted_in_vain(bound, levels, own, in_vain):
    policies = (APP, *(inline(statement, name="own") for statement in own))
    taken = snapshot(
        role(*policies, boundary=boundary(*bound) if bound else None), guardrails=scp(*levels) if levels else ()
    )

    cls, reason = classes(answer(taken, evidence(used("s3:GetObject", KEY))))["iam:CreateUser"]

    assert cls == "unused"
    assert ("granted in vain" in reason) is in_vain


def test_what_no_log_shows_goes_too_where_it_is_granted_in_vain_but_is_not_called_unused():
    taken = snapshot(role(APP, boundary=boundary(allow("s3:GetObject"))))

    data = answer(taken, evidence(used("s3:GetObject", KEY), unlogged=["s3:PutObject"]))

    cls, reason = classes(data)["s3:PutObject"]
    assert cls == "undetermined"
    assert reason.endswith("granted in vain: the permissions boundary bound does not allow it")
    (proposal,) = data["recommendations"]
    assert granted(proposal) == {("s3:GetObject", KEY)}
    assert proposal["disposition"] == "safe"
    assert "2 actions are granted in vain" in proposal["reasons"][0]


def test_a_policy_variable_may_stand_for_anything():
    own = inline(allow("s3:GetObject", resource="arn:aws:s3:::home/${aws:username}/*"))
    taken = snapshot(role(own, boundary=boundary(allow("s3:*", resource="arn:aws:s3:::home/bob/*"))))

    assert "vain" not in classes(answer(taken, evidence()))["s3:GetObject"][1]


def test_what_was_used_stays_used_and_today_is_said():
    taken = snapshot(role(APP), guardrails=scp([(FULL,), (deny("s3:GetObject"),)]))

    cls, reason = classes(answer(taken, evidence(used("s3:GetObject", KEY))))["s3:GetObject"]

    assert cls == "used"
    assert reason.endswith("today granted in vain: a service control policy of level 0 (scp-0, scp-0) denies it")


def test_the_proofs_hold_within_what_stands_around():
    taken = snapshot(role(APP, boundary=boundary(allow("s3:*"))), guardrails=scp([(FULL,)]))

    (proposal,) = answer(taken, evidence(used("s3:GetObject", KEY)))["recommendations"]

    assert proposal["proofs"]["no_new_access"]["holds"] is True
    assert proposal["proofs"]["still_allows"] == {
        "holds": True, "method": "replay by the evaluator", "requests": 1, "denied": [],
    }  # fmt: skip


def assumed(calls, restricted, *policies, kind="role", caller=f"arn:aws:iam::{ACCOUNT}:role/ci"):
    when = datetime(2026, 9, 1)
    texts = tuple(json.dumps(document(one).raw) for one in policies)
    return Assumption(ROLE, caller, kind, None, "AssumeRole", calls, restricted, texts, (), when, when, "e9")


TRUSTED = document(
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
)


@pytest.mark.parametrize(
    ("seen", "trust", "apart"),
    [
        pytest.param(assumed(3, 3, allow("s3:GetObject")), TRUSTED, True, id="every session had one"),
        pytest.param(assumed(3, 2, allow("s3:GetObject")), TRUSTED, False, id="one session had none"),
        pytest.param(assumed(3, 3, allow("s3:*")), TRUSTED, False, id="they allow it"),
        pytest.param(assumed(3, 3, allow("s3:GetObject")), None, False, id="a service may take it on, too"),
    ],
)
def test_session_policies_narrow_what_may_have_been_used_unseen(seen, trust, apart):
    taken = snapshot(role(APP, **({"trust": trust} if trust else {})))

    told = evidence(used("s3:GetObject", KEY), unlogged=["s3:PutObject"], assumptions={ROLE: (seen,)})

    cls, reason = classes(answer(taken, told))["s3:PutObject"]
    assert cls == "undetermined"
    assert ("every session of the window had a session policy" in reason) is apart
