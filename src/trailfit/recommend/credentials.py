"""Unused keys and passwords: what the log, the credential report and IAM's own record agree on.

https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#remove-credentials
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from trailfit.model import Proof, Recommendation, Unassessed
from trailfit.recommend.findings import identify, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from trailfit.model import Credential, Evidence, Finding, Principal
    from trailfit.recommend.case import Case

#: Credential kind → kind of finding, recommended action. Certificates are not judged: nothing logs their use.
_KINDS = {
    "access_key": ("UnusedIAMUserAccessKey", "DEACTIVATE_ACCESS_KEY"),
    "password": ("UnusedIAMUserPassword", "DELETE_LOGIN_PROFILE"),
}


def unused(case: Case) -> Iterator[tuple[Finding, Recommendation]]:
    """Give a finding and a recommendation for every active credential of a user that nobody used in the window."""
    user, evidence = case.principal, case.evidence
    for credential in user.credentials if user.credentials_known else ():
        if credential.kind not in _KINDS or not credential.active:
            continue
        if _used(credential, evidence) or _young(credential.created, evidence):
            continue
        kind, action = _KINDS[credential.kind]
        told = {
            "created": credential.created.date().isoformat() if credential.created else None,
            "last_used": credential.last_used.date().isoformat() if credential.last_used else "never",
            "window_days": evidence.window.days,
            "source": "IAM's own record and the log agree" if credential.last_used is None else "IAM's own record",
        }
        finding = make(
            kind,
            user.arn,
            told,
            confidence="high",
            resource=credential.id or f"{user.arn} password",
            shift=case.power,
            commands=_steps(user, credential),
        )
        yield finding, _recommend(user, credential, action, finding)


def _used(credential: Credential, evidence: Evidence) -> bool:
    if credential.last_used and credential.last_used.date() >= evidence.window.first:
        return True
    if credential.kind != "access_key":
        return False
    # A credential report names no key: then any long-term key that its user was seen with may be this one.
    return any(
        use.access_key_id == credential.id if credential.id else use.principal == credential.user
        for use in evidence.key_use.values()
    )


def _young(created: datetime | None, evidence: Evidence) -> bool:
    return created is not None and created.date() > evidence.window.first


def _steps(user: Principal, credential: Credential) -> tuple[str, ...]:
    """Give the command that takes the credential out of use; none for a key whose ID is not known."""
    name = quote(user.name)
    if credential.kind == "password":
        return (f"aws iam delete-login-profile --user-name {name}",)
    if credential.id is None:
        return ()
    return (f"aws iam update-access-key --user-name {name} --access-key-id {quote(credential.id)} --status Inactive",)


def _recommend(user: Principal, credential: Credential, action: str, finding: Finding) -> Recommendation:
    what = f"access key {credential.id}" if credential.kind == "access_key" else "the console password"
    name = quote(user.name)
    back = (
        f"aws iam update-access-key --user-name {name} --access-key-id {quote(credential.id or '')} --status Active"
        if credential.kind == "access_key"
        else f"aws iam create-login-profile --user-name {name} --password-reset-required --password …"
    )
    return Recommendation(
        id=identify(action, user.arn, credential.id or ""),
        principal=user.arn,
        action=action,
        finding_ids=(finding.id,),
        disposition="unsafe",
        reasons=(f"{what} of {name} was not used in the window; deactivate it first, delete it later",),
        before=(),
        after=(),
        permissions=(),
        no_new_access=Proof(True, "no policy changes"),
        still_allows=Proof(True, "no policy changes", requests=0),
        rollback=(back,),
    )


def unknown(user: Principal) -> Iterator[Unassessed]:
    """Say which active keys cannot be judged because the snapshot does not tell when they were last used."""
    if not user.credentials_known:
        for credential in user.credentials:
            if credential.active:
                yield Unassessed(
                    credential.id or f"{user.arn} password",
                    "the snapshot does not say when it was last used (no credential report)",
                )
