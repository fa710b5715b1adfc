"""Where IAM's own record of a key, a sign-in or a role says "used" and the log of the same days shows nothing.

Told, and believed on the side of use: neither is then called unused. Most often the log lacks what was used: data
events, a region, an account's trail. Of single permissions `classify` says the same.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from trailfit.model import Credential, Evidence, Principal


def contradictions(principal: Principal, evidence: Evidence) -> Iterator[str]:
    """Give a sentence for each contradiction about a principal and its credentials."""
    seen = principal.arn in evidence.last_seen or principal.arn in evidence.usage
    for credential in principal.credentials:
        if not _within(credential.last_used, evidence):
            continue
        if credential.kind == "access_key" and credential.id and credential.id not in evidence.key_use:
            yield f"IAM saw access key {credential.id} used{_where(credential)}, but no event of the window shows it"
        elif credential.kind == "password" and not seen:
            yield f"IAM saw a sign-in{_where(credential)}, but no event of the window shows the user"
    if (
        principal.kind == "role"
        and _within(principal.last_used, evidence)
        and not seen
        and not evidence.assumptions.get(principal.arn)
    ):
        when = principal.last_used.date() if principal.last_used else ""
        yield f"IAM saw the role used on {when}, but no event of the window shows it"


def _within(when: datetime | None, evidence: Evidence) -> bool:
    return when is not None and evidence.window.first <= when.date() <= evidence.window.last


def _where(credential: Credential) -> str:
    """Say when, and with which service in which region, where IAM tells."""
    told = f" on {credential.last_used.date()}" if credential.last_used else ""
    place = " in ".join(each for each in (credential.last_used_service, credential.last_used_region) if each)
    return f"{told} ({place})" if place else told
