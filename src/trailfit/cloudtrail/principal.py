"""Whose permissions a call used: the role behind a session, the user behind a key, or nobody.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailfit.cloudtrail.record import UserIdentity

_SERVICE_LINKED = ":role/aws-service-role/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called: `principal` holds the permissions (an IAM ARN with its path, or None), `nobody` says why none did.

    `kind` is one of ``role``, ``service_linked_role``, ``user``, ``federated_user``, ``root``, ``account`` (a caller
    of another account, of whom only the account is known), ``service``, ``saml``, ``web_identity``,
    ``identity_center_user``, ``directory`` and ``unknown``.
    """

    principal: str | None
    kind: str
    session: str | None
    access_key_id: str | None
    nobody: str | None = None


def caller(identity: UserIdentity | None) -> Caller:
    """Tell whose permissions a call with this userIdentity used."""
    if identity is None:
        return Caller(None, "unknown", None, None, "the record names no identity")
    key = identity.accessKeyId
    issuer = identity.sessionContext.sessionIssuer if identity.sessionContext else None
    match identity.type:
        case "AssumedRole" | "Role":
            arn = (issuer.arn if issuer else None) or _role_of_session(identity.arn)
            kind = "service_linked_role" if arn and _SERVICE_LINKED in arn else "role"
            return Caller(arn, kind, _session(identity), key, None if arn else "the record does not name the role")
        case "IAMUser":
            arn = identity.arn or (
                f"arn:aws:iam::{identity.accountId}:user/{identity.userName}"
                if identity.accountId and identity.userName
                else None
            )
            return Caller(arn, "user", None, key, None if arn else "the record does not name the user")
        case "Root":
            arn = identity.arn or (f"arn:aws:iam::{identity.accountId}:root" if identity.accountId else None)
            return Caller(arn, "root", None, key)
        case "FederatedUser":
            arn = (issuer.arn if issuer else None) or identity.arn
            return Caller(arn, "federated_user", _last(identity.arn), key)
        case "AWSService":
            return Caller(identity.invokedBy, "service", None, key, "an AWS service acted for itself")
        case "AWSAccount":
            arn = identity.arn or (f"arn:aws:iam::{identity.accountId}:root" if identity.accountId else None)
            why = "a caller of another account: the trail of its own account names the principal"
            return Caller(arn, "account", identity.principalId, key, why)
        case "SAMLUser":
            return Caller(identity.principalId, "saml", identity.userName, key)
        case "WebIdentityUser":
            return Caller(identity.principalId, "web_identity", identity.userName, key)
        case "IdentityCenterUser":
            return Caller(identity.principalId, "identity_center_user", identity.userName, key)
        case "Directory":
            return Caller(identity.principalId, "directory", identity.userName, key)
        case _:
            return _untyped(identity)


def _untyped(identity: UserIdentity) -> Caller:
    """Tell the caller from what there is, where `type` is absent or new."""
    arn, key = identity.arn, identity.accessKeyId
    if arn and ":assumed-role/" in arn:
        return Caller(_role_of_session(arn), "role", _last(arn), key)
    if arn and ":user/" in arn:
        return Caller(arn, "user", None, key)
    if identity.invokedBy and not arn:
        return Caller(identity.invokedBy, "service", None, key, "an AWS service acted for itself")
    return Caller(arn, "unknown", None, key, f"the identity's type is {identity.type or 'not given'}")


def _session(identity: UserIdentity) -> str | None:
    """Name the session: the last part of the assumed role's ARN, or of `AROA…:session`."""
    return _last(identity.arn) if identity.arn and "/" in identity.arn else _after_colon(identity.principalId)


def _last(arn: str | None) -> str | None:
    return arn.rpartition("/")[2] if arn else None


def _after_colon(principal_id: str | None) -> str | None:
    return principal_id.partition(":")[2] or None if principal_id else None


def _role_of_session(arn: str | None) -> str | None:
    """Build the role's ARN from a session's; the session's ARN drops the role's path."""
    parts = (arn or "").split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("assumed-role/"):
        return arn if arn and ":role/" in arn else None
    role = parts[5].removeprefix("assumed-role/").split("/", 1)[0]
    return f"arn:{parts[1]}:iam::{parts[4]}:role/{role}"
