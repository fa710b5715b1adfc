"""The IAM side, in files as the AWS CLI prints them: one folder an account.

Sources: https://docs.aws.amazon.com/cli/latest/reference/iam/get-account-authorization-details.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html,
https://docs.aws.amazon.com/cli/latest/reference/iam/get-service-last-accessed-details.html.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from trailfit.demo.cast import HOME, Account, Group, Json, Key, Role, Trail, User, unique_id
from trailfit.demo.tally import Last

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trailfit.demo.cast import ManagedPolicy
    from trailfit.demo.tally import Tally

REPORT = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
TRACKED = {"dynamodb", "ec2", "iam", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm"}
"""Services whose action last accessed information the demo's jobs ask for (management actions only)."""
NAMES = {
    "athena": "Amazon Athena",
    "cloudformation": "AWS CloudFormation",
    "cloudtrail": "AWS CloudTrail",
    "cloudwatch": "Amazon CloudWatch",
    "dynamodb": "Amazon DynamoDB",
    "ecr": "Amazon Elastic Container Registry",
    "ec2": "Amazon EC2",
    "glue": "AWS Glue",
    "iam": "AWS Identity and Access Management",
    "kms": "AWS Key Management Service",
    "lambda": "AWS Lambda",
    "logs": "Amazon CloudWatch Logs",
    "organizations": "AWS Organizations",
    "s3": "Amazon S3",
    "secretsmanager": "AWS Secrets Manager",
    "sns": "Amazon SNS",
    "sqs": "Amazon SQS",
    "ssm": "AWS Systems Manager",
    "sts": "AWS Security Token Service",
}
DATA_ONLY = {
    "s3": {"GetObject", "PutObject", "DeleteObject", "ListBucket"},
    "dynamodb": {"PutItem", "GetItem", "Query", "Scan", "UpdateItem", "DeleteItem", "BatchGetItem"},
    "sqs": {"ReceiveMessage", "DeleteMessage", "SendMessage"},
    "sns": {"Publish"},
    "lambda": {"InvokeFunction"},
}
"""Actions that IAM's last accessed information does not track, since only data events show them."""


@cache
def aws_managed() -> dict[str, Any]:
    """Read the AWS-managed policies that the demo attaches: path, version, dates, document."""
    text = files("trailfit.demo").joinpath("aws_managed_policies.json").read_text(encoding="utf-8")
    return {name: value for name, value in json.loads(text).items() if not name.startswith("_")}


def policy_arn(account: Account, name: str) -> str:
    """Give the ARN of a managed policy, the account's own or AWS's."""
    if any(own.name == name for own in account.policies):
        return f"arn:aws:iam::{account.id}:policy/{name}"
    return f"arn:aws:iam::aws:policy{aws_managed()[name]['path']}{name}"


def write(folder: Path, account: Account, trails: Sequence[Trail], tally: Tally, end: date) -> None:
    """Write all files of one account, as they were the morning after the log's last day."""
    folder.mkdir(parents=True, exist_ok=True)
    _json(folder / "get-account-authorization-details.json", _authorization(account, tally, end))
    (folder / "credential-report.csv").write_text(_credentials(account, tally, end), encoding="utf-8", newline="")
    _json(
        folder / "list-functions.json",
        {"Functions": [_function(account, function.name) for function in account.functions]},
    )
    seen = [trail for trail in trails if trail.organisation or trail.account == account.id]
    _json(folder / "describe-trails.json", {"trailList": [_trail(trail) for trail in seen]})
    for trail in seen:
        _json(folder / f"get-event-selectors-{trail.name}.json", _selectors(trail))
    for user in account.users:
        target = folder / "list-access-keys" / f"{user.name}.json"
        target.parent.mkdir(exist_ok=True)
        _json(target, {"AccessKeyMetadata": [_listed_key(user, key, end) for key in user.keys]})
    for principal in account.principals:
        target = folder / "service-last-accessed" / f"{principal.name}.json"
        target.parent.mkdir(exist_ok=True)
        _json(target, _accessed(account, principal, tally, end))


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=4) + "\n", encoding="utf-8")


def ago(end: date, days: int) -> str:
    """Write a time so many days before the log's end."""
    return f"{end - timedelta(days=days)}T09:30:00+00:00"


# --- get-account-authorization-details --------------------------------------------------------------------


def _authorization(account: Account, tally: Tally, end: date) -> Json:
    return {
        "UserDetailList": [_user(account, user, end) for user in account.users],
        "GroupDetailList": [_group(account, group, end) for group in account.groups],
        "RoleDetailList": [_role(account, role, tally, end) for role in account.roles],
        "Policies": _policies(account, end),
    }


def _attached(account: Account, names: Sequence[str]) -> list[Json]:
    return [{"PolicyName": name, "PolicyArn": policy_arn(account, name)} for name in names]


def _inline(owner: Role | User | Group) -> list[Json]:
    return [{"PolicyName": name, "PolicyDocument": document} for name, document in owner.inline.items()]


def _tags(owner: Role | User) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in owner.tags.items()]


def _user(account: Account, user: User, end: date) -> Json:
    detail: Json = {"Path": user.path, "UserName": user.name, "UserId": user.id, "Arn": user.arn}
    detail["CreateDate"] = ago(end, user.created_days_ago)
    if user.inline:
        detail["UserPolicyList"] = _inline(user)
    detail |= {"GroupList": list(user.groups), "AttachedManagedPolicies": _attached(account, user.managed)}
    return detail | {"Tags": _tags(user)}


def _group(account: Account, group: Group, end: date) -> Json:
    group_id = unique_id("AGPA", group.arn)
    head = {"Path": "/", "GroupName": group.name, "GroupId": group_id, "Arn": group.arn, "CreateDate": ago(end, 900)}
    return head | {"GroupPolicyList": _inline(group), "AttachedManagedPolicies": _attached(account, group.managed)}


def _role(account: Account, role: Role, tally: Tally, end: date) -> Json:
    detail: Json = {"Path": role.path, "RoleName": role.name, "RoleId": role.id, "Arn": role.arn}
    detail |= {"CreateDate": ago(end, role.created_days_ago), "AssumeRolePolicyDocument": role.trust}
    detail |= {"InstanceProfileList": [_profile(role, end)] if role.profile else [], "RolePolicyList": _inline(role)}
    detail["AttachedManagedPolicies"] = _attached(account, role.managed)
    if role.boundary:
        boundary = policy_arn(account, role.boundary)
        detail["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    return detail | {"Tags": _tags(role), "RoleLastUsed": _last_used(role, tally, end)}


def _last_used(role: Role, tally: Tally, end: date) -> Json:
    if last := tally.principals.get(role.arn):
        return {"LastUsedDate": last.when.replace("Z", "+00:00"), "Region": last.region}
    if role.idle_days is not None:
        return {"LastUsedDate": ago(end, role.idle_days), "Region": HOME}
    return {}


def _profile(role: Role, end: date) -> Json:
    arn = f"arn:aws:iam::{role.account}:instance-profile/{role.profile}"
    created = ago(end, role.created_days_ago)
    inner = {"Path": role.path, "RoleName": role.name, "RoleId": role.id, "Arn": role.arn, "CreateDate": created}
    return {
        "Path": "/",
        "InstanceProfileName": role.profile,
        "InstanceProfileId": unique_id("AIPA", arn),
        "Arn": arn,
        "CreateDate": created,
        "Roles": [inner | {"AssumeRolePolicyDocument": role.trust}],
    }


def _policies(account: Account, end: date) -> list[Json]:
    owners: list[Role | User | Group] = [*account.principals, *account.groups]
    attached = [name for owner in owners for name in owner.managed]
    bounds = [role.boundary for role in account.roles if role.boundary]
    listed = [_own_policy(own, attached.count(own.name), bounds.count(own.name), end) for own in account.policies]
    own_names = {own.name for own in account.policies}
    for name in sorted(set(attached) - own_names):
        known = aws_managed()[name]
        arn = policy_arn(account, name)
        entry = _policy(name, arn, known["path"], known["version"], known["created"], attached.count(name), 0)
        entry["UpdateDate"] = known["updated"]
        entry["PolicyVersionList"] = [_version(known["document"], known["version"], known["updated"])]
        listed.append(entry)
    return listed


def _own_policy(own: ManagedPolicy, attached: int, bounds: int, end: date) -> Json:
    created = ago(end, own.created_days_ago)
    current = f"v{len(own.older) + 1}"
    entry = _policy(own.name, own.arn, "/", current, created, attached, bounds)
    older = [
        _version(document, f"v{number}", created) | {"IsDefaultVersion": False}
        for number, document in enumerate(own.older, 1)
    ]
    return entry | {"PolicyVersionList": [_version(own.document, current, created), *older]}


def _policy(name: str, arn: str, path: str, version: str, created: str, attached: int, bounds: int) -> Json:
    return {
        "PolicyName": name,
        "PolicyId": unique_id("ANPA", arn),
        "Arn": arn,
        "Path": path,
        "DefaultVersionId": version,
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounds,
        "IsAttachable": True,
        "CreateDate": created,
        "UpdateDate": created,
    }


def _version(document: Json, version: str, created: str) -> Json:
    return {"Document": document, "VersionId": version, "IsDefaultVersion": True, "CreateDate": created}


# --- credentials ------------------------------------------------------------------------------------------


def _credentials(account: Account, tally: Tally, end: date) -> str:
    rows = [_root(account, end)]
    for user in account.users:
        row = [user.name, user.arn, ago(end, user.created_days_ago), str(user.password).lower()]
        row += [*_password(user, tally, end), str(user.mfa).lower()]
        for number in range(2):
            row += _key(user, number, tally, end)
        rows.append([*row, "false", "N/A", "false", "N/A"])
    return "\n".join([REPORT, *(",".join(row) for row in rows)]) + "\n"


def _root(account: Account, end: date) -> list[str]:
    root = account.root
    used = "no_information" if root.signed_in_days_ago is None else ago(end, root.signed_in_days_ago)
    row = ["<root_account>", f"arn:aws:iam::{account.id}:root", ago(end, 1500), "not_supported", used]
    row += [*["not_supported"] * 2, str(root.mfa).lower()]
    made = ago(end, root.key_days) if root.key_days is not None else "N/A"
    row += [str(root.key_days is not None).lower(), made, *["N/A"] * 3]
    return [*row, "false", *["N/A"] * 4, *["false", "N/A"] * 2]


def _password(user: User, tally: Tally, end: date) -> list[str]:
    if not user.password:
        return ["N/A", "N/A", "N/A"]
    used = "no_information"
    if last := tally.passwords.get(user.arn):
        used = last.when.replace("Z", "+00:00")
    elif user.password_idle_days:
        used = ago(end, user.password_idle_days)
    return [used, ago(end, user.created_days_ago - 1), "N/A"]


def _key(user: User, number: int, tally: Tally, end: date) -> list[str]:
    if number >= len(user.keys):
        return ["false", "N/A", "N/A", "N/A", "N/A"]
    key = user.keys[number]
    head = [str(key.active).lower(), ago(end, key.created_days_ago)]
    if last := tally.keys.get(user.key_id(key.label)):
        return [*head, last.when.replace("Z", "+00:00"), last.region, last.service]
    if key.idle_days is not None:
        return [*head, ago(end, key.idle_days), HOME, "s3"]
    return [*head, "N/A", "N/A", "N/A"]


def _listed_key(user: User, key: Key, end: date) -> Json:
    head = {"UserName": user.name, "AccessKeyId": user.key_id(key.label)}
    return head | {"Status": "Active" if key.active else "Inactive", "CreateDate": ago(end, key.created_days_ago)}


# --- service last accessed --------------------------------------------------------------------------------


def _accessed(account: Account, principal: Role | User, tally: Tally, end: date) -> Json:
    """Write the finished job's answer: every service the policies grant, last use where there was one."""
    by_action = isinstance(principal, Role) and principal.name.startswith(("web", "monthly", "AWSReserved", "invoices"))
    done = f"{end + timedelta(days=1)}T06:00:0"
    services = [
        _service(principal, name, tally, end, by_action=by_action) for name in sorted(_granted(account, principal))
    ]
    return {
        "JobStatus": "COMPLETED",
        "JobType": "ACTION_LEVEL" if by_action else "SERVICE_LEVEL",
        "JobCreationDate": f"{done}1+00:00",
        "ServicesLastAccessed": services,
        "JobCompletionDate": f"{done}4+00:00",
        "IsTruncated": False,
    }


def _granted(account: Account, principal: Role | User) -> set[str]:
    own = {policy.name: policy.document for policy in account.policies}
    groups = [group for group in account.groups if isinstance(principal, User) and group.name in principal.groups]
    documents = [document for owner in (principal, *groups) for document in owner.inline.values()]
    managed = [name for owner in (principal, *groups) for name in owner.managed]
    documents += [own.get(name) or aws_managed()[name]["document"] for name in managed]
    services: set[str] = set()
    for statement in [item for document in documents for item in document["Statement"] if item["Effect"] == "Allow"]:
        actions = statement.get("Action", "*")
        for action in [actions] if isinstance(actions, str) else actions:
            services |= set(NAMES) if action == "*" else {action.partition(":")[0]}
    return services


def _service(principal: Role | User, name: str, tally: Tally, end: date, *, by_action: bool) -> Json:
    used = {
        action.partition(":")[2]: last
        for (who, action), last in tally.actions.items()
        if who == principal.arn and action.partition(":")[0] == name
    }
    unlogged = [
        Last(f"{end}T21:00:00Z", name, HOME)
        for need in principal.unseen
        if need.action.partition(":")[0] == name and not (need.observable or need.part)
    ]
    seen = [*used.values(), *unlogged]
    entry: Json = {
        "ServiceName": NAMES.get(name, name),
        "ServiceNamespace": name,
        "TotalAuthenticatedEntities": int(bool(seen)),
    }
    if seen:
        last = max(seen, key=lambda item: item.when)
        entry |= {"LastAuthenticated": last.when.replace("Z", "+00:00"), "LastAuthenticatedEntity": principal.arn}
        entry["LastAuthenticatedRegion"] = last.region
    if by_action and name in TRACKED:
        entry["TrackedActionsLastAccessed"] = [
            {
                "ActionName": action,
                "LastAccessedEntity": principal.arn,
                "LastAccessedTime": last.when.replace("Z", "+00:00"),
                "LastAccessedRegion": last.region,
            }
            for action, last in sorted(used.items())
            if action not in DATA_ONLY.get(name, set())
        ]
    return entry


# --- Lambda, CloudTrail -----------------------------------------------------------------------------------


def _function(account: Account, name: str) -> Json:
    function = next(item for item in account.functions if item.name == name)
    role = next(item for item in account.roles if item.name == function.role)
    return {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Runtime": function.runtime,
        "Role": role.arn,
        "Handler": "app.handler",
        "CodeSize": 48_213,
        "Description": "",
        "Timeout": 30,
        "MemorySize": 256,
        "LastModified": "2026-06-18T08:12:44.000+0000",
        "Version": "$LATEST",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
    }


def _trail(trail: Trail) -> Json:
    entry: Json = {"Name": trail.name, "S3BucketName": trail.bucket}
    if trail.prefix:
        entry["S3KeyPrefix"] = trail.prefix.rstrip("/")
    return entry | {
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "HomeRegion": HOME,
        "TrailARN": trail.arn,
        "LogFileValidationEnabled": True,
        "HasCustomEventSelectors": bool(trail.data_types),
        "HasInsightSelectors": False,
        "IsOrganizationTrail": trail.organisation,
    }


def _selectors(trail: Trail) -> Json:
    if not trail.data_types:
        plain = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
        return {"TrailARN": trail.arn, "EventSelectors": [plain | {"ExcludeManagementEventSources": []}]}
    chosen: list[Json] = []
    if trail.management:
        management = [{"Field": "eventCategory", "Equals": ["Management"]}]
        chosen.append({"Name": "Management events", "FieldSelectors": management})
    for data_type in trail.data_types:
        fields = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [data_type]}]
        chosen.append({"Name": data_type, "FieldSelectors": fields})
    return {"TrailARN": trail.arn, "AdvancedEventSelectors": chosen}
