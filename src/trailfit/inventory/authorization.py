"""Authorization details: roles, users, groups and managed policies, as get-account-authorization-details has them.

Pages may come in any order: roles name managed policies of a later page, users groups. So pages are added
first, then resolved. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trailfit.inventory.values import account_of, document, moment, objects, strings, text
from trailfit.model import (
    AttachedPolicy,
    Group,
    ManagedPolicy,
    PolicyVersion,
    Principal,
    PrincipalKind,
    Unassessed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailfit.policy.document import Document

LISTS = ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies")


@dataclass(slots=True)
class _Subject:
    """A role, user or group, with its managed policies and groups still by name."""

    arn: str
    where: str
    name: str
    path: str
    created: Any
    inline: tuple[AttachedPolicy, ...]
    attached: tuple[tuple[str, str], ...]
    boundary: str | None = None
    groups: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    trust: Document | None = None
    unique_id: str | None = None
    last_used: Any = None
    last_used_known: bool = False
    profiles: tuple[str, ...] = ()


class Authorization:
    """Pages of authorization details, one after the other, and what they say together."""

    def __init__(self, unassessed: list[Unassessed]) -> None:
        self._unassessed = unassessed
        self._subjects: dict[str, dict[str, _Subject]] = {"role": {}, "user": {}, "group": {}}
        self._managed: dict[tuple[str, str], ManagedPolicy] = {}
        self._first: dict[str, str] = {}
        self._truncated: dict[str, list[bool]] = {}
        self._lists: dict[str, set[str]] = {}
        self._where: dict[str, list[str]] = {}

    def add(self, page: Mapping[str, Any], where: str, account: str | None) -> str | None:
        """Add a page; return the account that it describes, None if neither its ARNs nor `account` say so."""
        for kind, label in (("role", "Role"), ("user", "User"), ("group", "Group")):
            for item in objects(page.get(f"{label}DetailList")):
                self._subject(kind, label, item, where)
        owners = [account_of(item.get("Arn")) for name in LISTS for item in objects(page.get(name))]
        owner = account or next((found for found in owners if found), None)
        for item in objects(page.get("Policies")):
            self._policy(item, where, owner or "")
        if owner is None:
            self._unassessed.append(Unassessed(where, "names no account: put it into a folder named after the account"))
            return None
        self._truncated.setdefault(owner, []).append(bool(page.get("IsTruncated")))
        self._lists.setdefault(owner, set()).update(name for name in LISTS if name in page)
        self._where.setdefault(owner, []).append(where)
        return owner

    def check(self) -> None:
        """Note what the pages leave out: a list that no page has, a last page that is missing."""
        for account, pages in sorted(self._truncated.items()):
            where = ", ".join(sorted(set(self._where[account])))
            if all(pages):
                self._unassessed.append(
                    Unassessed(f"account {account}", f"{where}: the last page is missing (IsTruncated)")
                )
            for name in LISTS:
                if name not in self._lists[account]:
                    self._unassessed.append(Unassessed(f"account {account}", f"{where}: has no {name}"))

    def accounts(self) -> set[str]:
        """Return the accounts described so far."""
        owners = (account_of(arn) for subjects in self._subjects.values() for arn in subjects)
        return set(self._truncated) | {owner for owner in owners if owner}

    def _subject(self, kind: str, label: str, item: dict[str, Any], where: str) -> None:
        arn = text(item, "Arn")
        if arn is None or account_of(arn) is None:
            self._unassessed.append(Unassessed(where, f"holds a {kind} without an ARN: {item.get(label + 'Name')}"))
            return
        inline_kind = "group_inline" if kind == "group" else "inline"
        name = text(item, f"{label}Name") or arn.rsplit("/", 1)[-1]
        used = item.get("RoleLastUsed")
        last_used = moment(used.get("LastUsedDate")) if isinstance(used, dict) else None
        subject = _Subject(
            arn=arn,
            where=where,
            name=name,
            path=text(item, "Path") or "/",
            created=moment(item.get("CreateDate")),
            inline=tuple(
                AttachedPolicy(
                    inline_kind,  # type: ignore[arg-type]
                    text(policy, "PolicyName") or "",
                    None,
                    document(policy.get("PolicyDocument"), f"{arn} {policy.get('PolicyName')}", self._unassessed),
                    group=arn if kind == "group" else None,
                )
                for policy in objects(item.get(f"{label}PolicyList"))
            ),
            attached=tuple(
                (policy["PolicyArn"], text(policy, "PolicyName") or policy["PolicyArn"].rsplit("/", 1)[-1])
                for policy in objects(item.get("AttachedManagedPolicies"))
                if text(policy, "PolicyArn")
            ),
            boundary=_boundary(item),
            groups=tuple(strings(item.get("GroupList"))),
            tags={tag["Key"]: str(tag.get("Value", "")) for tag in objects(item.get("Tags")) if text(tag, "Key")},
            trust=document(item.get("AssumeRolePolicyDocument"), f"{arn} trust policy", self._unassessed),
            unique_id=text(item, f"{label}Id"),
            last_used=last_used,
            last_used_known=isinstance(used, dict) and (last_used is not None or "LastUsedDate" not in used),
            profiles=tuple(
                profile["Arn"] for profile in objects(item.get("InstanceProfileList")) if text(profile, "Arn")
            ),
        )
        odd = [name for name in (f"{label}PolicyList", *_GRANTING) if _odd(name, item.get(name))]
        if odd:  # a grant may be missing: a policy without a document keeps anything from being proposed
            self._unassessed.append(Unassessed(arn, f"{where}: its {', '.join(odd)} is not as AWS writes it"))
            subject.inline += (AttachedPolicy(inline_kind, "", None, None),)  # type: ignore[arg-type]
        known = self._subjects[kind].setdefault(arn, subject)
        if known is not subject and replace(known, where=where) != subject:
            self._unassessed.append(
                Unassessed(arn, f"described differently in {known.where} and {where}: the former is taken")
            )

    def _policy(self, item: dict[str, Any], where: str, owner: str) -> None:
        arn = text(item, "Arn")
        if arn is None:
            self._unassessed.append(Unassessed(where, f"holds a policy without an ARN: {item.get('PolicyName')}"))
            return
        default = text(item, "DefaultVersionId")
        versions = [
            PolicyVersion(
                text(version, "VersionId") or "",
                bool(version.get("IsDefaultVersion")) or text(version, "VersionId") == default,
                moment(version.get("CreateDate")),
                document(version.get("Document"), f"{arn} {version.get('VersionId')}", self._unassessed),
            )
            for version in objects(item.get("PolicyVersionList"))
        ]
        policy = ManagedPolicy(
            arn=arn,
            account=account_of(arn) or owner,
            # moto leaves PolicyName out; AWS's own answers always have it, and it is the ARN's last part
            name=text(item, "PolicyName") or arn.rsplit("/", 1)[-1],
            created=moment(item.get("CreateDate")),
            updated=moment(item.get("UpdateDate")),
            versions=tuple(sorted(versions, key=lambda v: (not v.default, -_number(v.id), v.id))),
            attachments=_count(item.get("AttachmentCount")),
            boundary_uses=_count(item.get("PermissionsBoundaryUsageCount")),
        )
        known = self._managed.setdefault((owner, arn), policy)
        self._first.setdefault(arn, where)
        if known is not policy and _text(known) != _text(policy):
            self._unassessed.append(
                Unassessed(arn, f"described differently in {self._first[arn]} and {where}: the former is taken")
            )

    def arns(self) -> tuple[str, ...]:
        """Return the ARNs of all roles and users described so far, sorted."""
        return tuple(sorted((*self._subjects["role"], *self._subjects["user"])))

    def managed(self) -> tuple[ManagedPolicy, ...]:
        """Return the managed policies, sorted by account and ARN."""
        return tuple(sorted(self._managed.values(), key=lambda policy: (policy.account, policy.arn)))

    def profiles(self) -> dict[str, str]:
        """Return the role of each instance profile, by ARN."""
        return {profile: role.arn for role in self._subjects["role"].values() for profile in role.profiles}

    def attached(self, arn: str, name: str, account: str, group: str | None = None) -> AttachedPolicy:
        """Return the managed policy `arn` as `account` has it; its document is None where no page has it."""
        kind = "customer_managed" if account_of(arn) else "aws_managed"
        policy = self._managed.get((account, arn)) or next(
            (found for (_, known), found in sorted(self._managed.items()) if known == arn), None
        )
        if policy is None:
            return AttachedPolicy(kind, name, arn, None, group)  # type: ignore[arg-type]
        default = next((version for version in policy.versions if version.default), None)
        return AttachedPolicy(
            kind,  # type: ignore[arg-type]
            name,
            arn,
            default.document if default else None,
            group,
            policy.created,
            default.created if default and default.created else policy.updated,
        )

    def groups(self) -> tuple[Group, ...]:
        """Return the groups with their policies and members, sorted by ARN."""
        members: dict[tuple[str | None, str], list[str]] = {}
        for user in self._subjects["user"].values():
            for name in user.groups:
                members.setdefault((account_of(user.arn), name), []).append(user.arn)
        return tuple(
            Group(
                arn=group.arn,
                account=account_of(group.arn) or "",
                name=group.name,
                path=group.path,
                created=group.created,
                policies=self._policies(group),
                members=tuple(sorted(members.get((account_of(group.arn), group.name), ()))),
            )
            for _, group in sorted(self._subjects["group"].items())
        )

    def _policies(self, subject: _Subject) -> tuple[AttachedPolicy, ...]:
        account = account_of(subject.arn) or ""
        via = subject.arn if ":group/" in subject.arn else None
        managed = (self.attached(arn, name, account, via) for arn, name in subject.attached)
        return (*subject.inline, *managed)

    def principals(self, extra: Mapping[str, Mapping[str, Any]]) -> tuple[Principal, ...]:
        """Return roles and users, sorted by ARN; `extra` gives further fields of `Principal` by ARN."""
        groups = {(group.account, group.name): group for group in self.groups()}
        found: list[Principal] = []
        kinds: tuple[PrincipalKind, ...] = ("role", "user")
        for kind in kinds:
            for arn, subject in self._subjects[kind].items():
                account = account_of(arn) or ""
                policies = list(self._policies(subject))
                for name in subject.groups:
                    group = groups.get((account, name))
                    if group is None:
                        self._unassessed.append(Unassessed(arn, f"is in group {name}, which no file describes"))
                        # a policy without a document: what the group grants is not known, so nothing is proposed
                        policies.append(AttachedPolicy("group_inline", "", None, None, name))
                    else:
                        policies += group.policies
                boundary = subject.boundary
                principal = Principal(
                    arn=arn,
                    account=account,
                    kind=kind,
                    name=subject.name,
                    path=subject.path,
                    created=subject.created,
                    policies=tuple(policies),
                    boundary=self.attached(boundary, boundary.rsplit("/", 1)[-1], account) if boundary else None,
                    trust=subject.trust,
                    groups=subject.groups,
                    tags=subject.tags,
                    unique_id=subject.unique_id,
                    last_used=subject.last_used,
                    last_used_known=subject.last_used_known,
                    instance_profiles=subject.profiles,
                )
                found.append(replace(principal, **extra.get(arn, {})))
                self._missing(found[-1])
        return tuple(sorted(found, key=lambda principal: principal.arn))

    def _missing(self, principal: Principal) -> None:
        """Note each policy of a principal that the snapshot names and does not hold."""
        for policy in (*principal.policies, *([principal.boundary] if principal.boundary else [])):
            if policy.document is None and policy.arn:
                what = "boundary" if policy is principal.boundary else "policy"
                reason = f"the document of its {what} {policy.arn} is not in the snapshot"
                self._unassessed.append(Unassessed(principal.arn, reason))


#: The names under which a role, user or group says what grants to it or binds it.
_GRANTING = ("AttachedManagedPolicies", "GroupList", "PermissionsBoundary")


def _odd(name: str, value: object) -> bool:
    """Tell whether a member that grants or binds is of another shape than AWS documents."""
    if value is None:
        return False
    if name == "PermissionsBoundary":
        return _boundary({name: value}) is None
    if name == "GroupList":
        return not isinstance(value, list) or len(strings(value)) < len(value)
    needed = "PolicyArn" if name == "AttachedManagedPolicies" else "PolicyDocument"
    return (
        not isinstance(value, list)
        or any(needed not in one for one in objects(value))
        or len(objects(value)) < len(value)
    )


def _boundary(item: Mapping[str, Any]) -> str | None:
    bound = item.get("PermissionsBoundary")
    return text(bound, "PermissionsBoundaryArn") if isinstance(bound, dict) else None


def _text(policy: ManagedPolicy) -> object:
    return [
        (version.id, version.default, version.document and version.document.to_json()) for version in policy.versions
    ]


def _number(version: str) -> int:
    return int(version[1:]) if version[1:].isdigit() else 0


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
