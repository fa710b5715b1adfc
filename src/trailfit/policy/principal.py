"""How a statement's Principal names the one who asks: not at all, directly, as a role, or through the account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import enum
import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trailfit.policy.document import Statement


class Match(enum.Enum):
    """How Principal names the requester; what an Allow gives differs by it, in this order of strength."""

    NONE = 0
    #: The account (its ID or `…:root`): the account may let its principals in by identity-based policies.
    ACCOUNT = enum.auto()
    #: The ARN of a role: limited by implicit denies in the role's boundary and session policies.
    ROLE = enum.auto()
    #: A user, a session, a service, everyone, or a statement without Principal.
    DIRECT = enum.auto()


_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?(\d{12})(?::root)?\Z")
_ARN = re.compile(r"arn:[^:]*:(?:iam|sts)::(\d{12}):(.+)\Z", re.DOTALL)


def account(principal: str | None) -> str | None:
    """Give the account of a principal's ARN; None for services and anonymous callers."""
    found = _ARN.match(principal or "")
    return found[1] if found else None


def is_root_user(principal: str | None) -> bool:
    """Tell whether the principal is an account's root user."""
    found = _ARN.match(principal or "")
    return found is not None and found[2] == "root"


def is_service_linked(principal: str | None) -> bool:
    """Tell whether the principal is a service-linked role: these have a path of their own.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
    """
    found = _ARN.match(principal or "")
    return found is not None and found[2].startswith(("role/aws-service-role/", "assumed-role/AWSServiceRoleFor"))


def match(statement: Statement, principal: str | None, *, bounded: bool = False) -> Match:
    """Match Principal or NotPrincipal with the requester, who may be `bounded` by a permissions boundary.

    "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions boundary
    policy attached, regardless of the values specified":
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if statement.principals is None or (bounded and statement.not_principal and statement.effect == "Deny"):
        return Match.DIRECT
    best = max((_one(kind, value, principal) for kind, value in statement.principals), key=lambda m: m.value,
               default=Match.NONE)  # fmt: skip
    if statement.not_principal:
        return Match.DIRECT if best is Match.NONE else Match.NONE
    return best


def _one(kind: str, value: str, principal: str | None) -> Match:
    if kind == "AWS" and value == "*":
        # "to specify all principals"; a session so let in is let in directly: "permissions boundaries or session
        # policies, do not limit permissions granted using […] a wildcard(*) in the Principal element"
        return Match.DIRECT
    if principal is None:
        return Match.NONE
    if kind != "AWS":
        return Match.DIRECT if value == principal else Match.NONE
    named = _ACCOUNT.match(value)
    if named:
        return Match.ACCOUNT if named[1] == account(principal) else Match.NONE
    role = role_name(value)
    if role is not None:
        return Match.ROLE if principal == value or _is_session_of(principal, value) else Match.NONE
    return Match.DIRECT if principal == value else Match.NONE


def role_name(arn: str) -> str | None:
    """Give the name (without path) of a role's ARN; None for any other ARN."""
    found = _ARN.match(arn)
    return found[2].rpartition("/")[2] if found and found[2].startswith("role/") else None


def _is_session_of(principal: str, role: str) -> bool:
    """Tell whether the principal is a session of the role; a session's ARN has the role's name without its path."""
    found = _ARN.match(principal)
    if not found or not found[2].startswith("assumed-role/") or found[1] != account(role):
        return False
    return found[2].split("/")[1] == role_name(role)


def candidates(named: Iterable[tuple[str, str]]) -> tuple[str | None, ...]:
    """List principals that between them differ in every way that these elements can tell principals apart.

    One nameless principal where nobody is named; else everybody named (a role also as its session), somebody else of
    each account named, and somebody of an account that is not.
    """
    known = sorted(set(named))
    if not known:
        return (None,)
    found: dict[str | None, None] = {}
    accounts: set[str] = set()
    for kind, value in known:
        owner = _ACCOUNT.match(value)
        if kind == "AWS" and owner:
            accounts.add(owner[1])
        elif value != "*":
            found[value] = None
            accounts.update(each for each in [account(value)] if each)
            role = role_name(value)
            if role:
                found[f"arn:aws:sts::{account(value)}:assumed-role/{role}/session"] = None
    stranger = next(number for number in itertools.chain(["123456789012"], _digits()) if number not in accounts)
    for owner_id in sorted((*accounts, stranger)):
        found[next(arn for arn in _users(owner_id) if arn not in found)] = None
    return tuple(found)


def _digits() -> Iterator[str]:
    return (f"{number:012d}" for number in itertools.count(1))


def _users(owner: str) -> Iterator[str]:
    return (f"arn:aws:iam::{owner}:user/{name}" for name in itertools.chain(["someone"], _digits()))
