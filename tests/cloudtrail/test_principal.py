"""Whose permissions a call used, for each type of identity."""

import pytest

from trailfit.cloudtrail.principal import caller
from trailfit.cloudtrail.record import SessionContext, SessionIssuer, UserIdentity

ROLE = "arn:aws:iam::111122223333:role/app/fn"
SESSION = "arn:aws:sts::111122223333:assumed-role/fn/run-7"
ISSUER = SessionContext(sessionIssuer=SessionIssuer(type="Role", arn=ROLE))
SLR = "arn:aws:iam::111122223333:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
SSO = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"

CASES = [
    (UserIdentity(type="AssumedRole", arn=SESSION, sessionContext=ISSUER), (ROLE, "role", "run-7"), False),
    (UserIdentity(type="AssumedRole", arn=SESSION), ("arn:aws:iam::111122223333:role/fn", "role", "run-7"), False),
    (
        UserIdentity(type="AssumedRole", principalId="AROA:me", sessionContext=SessionContext(SessionIssuer(arn=SSO))),
        (SSO, "role", "me"),
        False,
    ),
    (
        UserIdentity(type="AssumedRole", arn=SESSION, sessionContext=SessionContext(SessionIssuer(arn=SLR))),
        (SLR, "service_linked_role", "run-7"),
        False,
    ),
    (UserIdentity(type="AssumedRole"), (None, "role", None), True),
    (UserIdentity(type="IAMUser", arn="arn:aws:iam::1:user/ops/u"), ("arn:aws:iam::1:user/ops/u", "user", None), False),
    (UserIdentity(type="IAMUser", accountId="1", userName="u"), ("arn:aws:iam::1:user/u", "user", None), False),
    (UserIdentity(type="Root", accountId="1"), ("arn:aws:iam::1:root", "root", None), False),
    (
        UserIdentity(
            type="FederatedUser",
            arn="arn:aws:sts::1:federated-user/x",
            sessionContext=SessionContext(SessionIssuer(arn="arn:aws:iam::1:user/u")),
        ),
        ("arn:aws:iam::1:user/u", "federated_user", "x"),
        False,
    ),
    (UserIdentity(type="AWSService", invokedBy="rds.amazonaws.com"), ("rds.amazonaws.com", "service", None), True),
    (
        UserIdentity(type="AWSAccount", accountId="9", principalId="AIDA:x"),
        ("arn:aws:iam::9:root", "account", "AIDA:x"),
        True,
    ),
    (UserIdentity(type="WebIdentityUser", principalId="p", userName="u"), ("p", "web_identity", "u"), False),
    (UserIdentity(type="SAMLUser", principalId="p", userName="u"), ("p", "saml", "u"), False),
    (UserIdentity(type="IdentityCenterUser", userName="u"), (None, "identity_center_user", "u"), False),
    (UserIdentity(invokedBy="AWS Internal"), ("AWS Internal", "service", None), True),
    (UserIdentity(arn=SESSION), ("arn:aws:iam::111122223333:role/fn", "role", "run-7"), False),
    (None, (None, "unknown", None), True),
]


@pytest.mark.parametrize(("identity", "expected", "nobody"), CASES)
def test_identity(identity, expected, nobody):
    who = caller(identity)

    assert (who.principal, who.kind, who.session) == expected
    assert bool(who.nobody) == nobody
