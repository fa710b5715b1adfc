"""Who asks, and how Principal names them: read from ARNs alone."""

import pytest

from tests.policy.conftest import policy, statement
from trailfit.policy import principal
from trailfit.policy.principal import Match

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SERVICE = "lambda.amazonaws.com"

#: principal, its account, whether it is the root user, whether it is service-linked, the name of its role.
WHO = [
    (USER, ACCOUNT, False, False, None), (ROLE, ACCOUNT, False, False, "app"), (SESSION, ACCOUNT, False, False, None), (ROOT, ACCOUNT, True, False, None),
    (SERVICE, None, False, False, None), ("", None, False, False, None), ("*", None, False, False, None),
    (f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", ACCOUNT, False, True, "AWSServiceRoleForX"),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForX/s", ACCOUNT, False, True, None),
    (f"arn:aws-cn:iam::{ACCOUNT}:role/app", ACCOUNT, False, False, "app"), (f"arn:aws:s3::{ACCOUNT}:root", None, False, False, None),
]  # fmt: skip


@pytest.mark.parametrize(("who", "account", "root", "linked", "role"), WHO)
def test_arn_tells_who_somebody_is(who, account, root, linked, role):
    assert principal.account(who) == account
    assert principal.is_root_user(who) is root
    assert principal.is_service_linked(who) is linked
    assert principal.role_name(who) == role


def test_anonymous_caller_is_nobody_in_particular():
    assert principal.account(None) is None
    assert not principal.is_root_user(None)
    assert not principal.is_service_linked(None)


#: Principal element, who asks, how it names them.
NAMED = [
    ("*", USER, Match.DIRECT), ("*", None, Match.DIRECT), ({"AWS": USER}, USER, Match.DIRECT), ({"AWS": USER}, ROLE, Match.NONE),
    ({"AWS": ACCOUNT}, USER, Match.ACCOUNT), ({"AWS": ROOT}, SESSION, Match.ACCOUNT), ({"AWS": "999988887777"}, USER, Match.NONE),
    ({"AWS": ROLE}, ROLE, Match.ROLE), ({"AWS": ROLE}, SESSION, Match.ROLE), ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/ap"}, SESSION, Match.NONE),
    ({"AWS": "arn:aws:iam::999988887777:role/app"}, SESSION, Match.NONE), ({"AWS": ROLE}, USER, Match.NONE), ({"AWS": SESSION}, SESSION, Match.DIRECT),
    ({"AWS": ROLE}, f"arn:aws:sts::{ACCOUNT}:federated-user/app", Match.NONE), ({"AWS": USER}, None, Match.NONE), ({"AWS": ROLE}, None, Match.NONE),
    ({"Service": SERVICE}, SERVICE, Match.DIRECT), ({"Service": SERVICE}, USER, Match.NONE), ({"Service": "*"}, SERVICE, Match.NONE),
    ({"Service": SERVICE}, None, Match.NONE), ({"Federated": ACCOUNT}, USER, Match.NONE), ({"CanonicalUser": ACCOUNT}, ACCOUNT, Match.DIRECT),
    ({"AWS": [ACCOUNT, ROLE]}, SESSION, Match.ROLE), ({"AWS": [ROLE, ACCOUNT]}, SESSION, Match.ROLE), ({"AWS": [USER, ACCOUNT]}, USER, Match.DIRECT),
    ({"AWS": []}, USER, Match.NONE), ({"AWS": ROLE}, SERVICE, Match.NONE), ({"AWS": ACCOUNT}, SERVICE, Match.NONE),
]  # fmt: skip


@pytest.mark.parametrize(("element", "who", "expected"), NAMED)
def test_strongest_way_of_being_named_counts(element, who, expected):
    read = policy(statement(Principal=element)).statements[0]

    assert principal.match(read, who) is expected


@pytest.mark.parametrize(("element", "who", "expected"), [each for each in NAMED if each[0] != "*"])
def test_not_principal_names_whom_principal_does_not(element, who, expected):
    read = policy(statement(NotPrincipal=element)).statements[0]

    assert principal.match(read, who) is (Match.DIRECT if expected is Match.NONE else Match.NONE)


def test_denying_not_principal_names_all_who_are_bounded():
    denying, allowing = (
        policy(statement(effect=effect, NotPrincipal={"AWS": USER})).statements[0] for effect in ("Deny", "Allow")
    )
    named = policy(statement(effect="Deny", Principal={"AWS": ROLE})).statements[0]

    assert principal.match(denying, USER, bounded=True) is Match.DIRECT
    assert principal.match(denying, USER) is Match.NONE
    assert principal.match(allowing, USER, bounded=True) is Match.NONE
    assert principal.match(named, USER, bounded=True) is Match.NONE


def test_statement_without_principal_is_about_whoever_it_is_attached_to():
    assert principal.match(policy(statement()).statements[0], USER) is Match.DIRECT


def test_candidates_are_all_who_are_named_and_others_of_their_accounts():
    assert principal.candidates([]) == (None,)
    assert principal.candidates([("AWS", "*")]) == ("arn:aws:iam::123456789012:user/someone",)
    assert set(principal.candidates([("AWS", ROLE), ("Service", SERVICE)])) == {
        ROLE, f"arn:aws:sts::{ACCOUNT}:assumed-role/app/session", SERVICE, f"arn:aws:iam::{ACCOUNT}:user/someone",
        "arn:aws:iam::123456789012:user/someone",
    }  # fmt: skip
    assert ACCOUNT in principal.candidates([("CanonicalUser", ACCOUNT)])
    assert set(principal.candidates([("AWS", ACCOUNT)])) == {
        f"arn:aws:iam::{each}:user/someone" for each in (ACCOUNT, "123456789012")
    }


def test_candidate_who_is_somebody_else_is_not_one_of_those_named():
    named = [
        ("AWS", "arn:aws:iam::123456789012:user/someone"),
        ("AWS", "arn:aws:iam::000000000001:user/a"),
        ("AWS", "arn:aws:iam::123456789012:user/000000000001"),
    ]

    assert set(principal.candidates(named)) - {value for _, value in named} == {
        "arn:aws:iam::000000000001:user/someone", "arn:aws:iam::000000000002:user/someone",
        "arn:aws:iam::123456789012:user/000000000002",
    }  # fmt: skip
