"""One small account as the AWS CLI prints it, for tests to change and write down."""

import json
from pathlib import Path
from urllib.parse import quote

ACCOUNT = "012345678901"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/orders-fn"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
GROUP = f"arn:aws:iam::{ACCOUNT}:group/devs"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/orders"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/bound"


def policy(arn, *, attachments=1, document=ALLOW):
    return {
        "PolicyName": arn.rsplit("/", 1)[-1],
        "PolicyId": "ANPA",
        "Arn": arn,
        "Path": "/",
        "DefaultVersionId": "v2",
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": "2026-01-01T00:00:00+00:00",
        "UpdateDate": "2026-02-01T00:00:00+00:00",
        "PolicyVersionList": [
            {"Document": ALLOW, "VersionId": "v1", "IsDefaultVersion": False, "CreateDate": "2026-01-01T00:00:00Z"},
            {"Document": document, "VersionId": "v2", "IsDefaultVersion": True, "CreateDate": "2026-02-01T00:00:00Z"},
        ],
    }


def details():
    return {
        "UserDetailList": [
            {
                "Path": "/",
                "UserName": "ann",
                "UserId": "AIDA1",
                "Arn": USER,
                "CreateDate": "2026-01-02T00:00:00+00:00",
                "GroupList": ["devs"],
                "AttachedManagedPolicies": [],
                "Tags": [{"Key": "team", "Value": "orders"}],
            }
        ],
        "GroupDetailList": [
            {
                "Path": "/",
                "GroupName": "devs",
                "GroupId": "AGPA1",
                "Arn": GROUP,
                "CreateDate": "2026-01-02T00:00:00+00:00",
                "GroupPolicyList": [{"PolicyName": "read", "PolicyDocument": ALLOW}],
                "AttachedManagedPolicies": [
                    {"PolicyName": "ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
                ],
            }
        ],
        "RoleDetailList": [
            {
                "Path": "/app/",
                "RoleName": "orders-fn",
                "RoleId": "AROA1",
                "Arn": ROLE,
                "CreateDate": "2026-01-03T00:00:00+00:00",
                "AssumeRolePolicyDocument": quote(json.dumps(TRUST)),
                "InstanceProfileList": [{"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web"}],
                "RolePolicyList": [{"PolicyName": "inline", "PolicyDocument": ALLOW}],
                "AttachedManagedPolicies": [{"PolicyName": "orders", "PolicyArn": POLICY}],
                "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": BOUNDARY},
                "Tags": [],
                "RoleLastUsed": {"LastUsedDate": "2026-10-01T08:00:00+00:00", "Region": "eu-west-1"},
            }
        ],
        "Policies": [policy(POLICY), policy(BOUNDARY), policy(f"arn:aws:iam::{ACCOUNT}:policy/loose", attachments=0)],
    }


REPORT = f"""\
user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,\
mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,\
cert_2_last_rotated
<root_account>,arn:aws:iam::{ACCOUNT}:root,2020-01-01T00:00:00+00:00,not_supported,2026-09-01T00:00:00+00:00,\
not_supported,not_supported,false,true,2020-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
ann,{USER},2026-01-02T00:00:00+00:00,true,no_information,2026-01-02T00:00:00+00:00,N/A,true,true,\
2026-01-05T00:00:00+00:00,2026-10-20T10:00:00+00:00,eu-west-1,s3,false,2026-01-06T00:00:00+00:00,N/A,N/A,N/A,\
false,N/A,false,N/A
"""


def last_accessed(entity=None):
    return {
        "JobStatus": "COMPLETED",
        "JobType": "ACTION_LEVEL",
        "JobCreationDate": "2026-10-30T00:00:00+00:00",
        "ServicesLastAccessed": [
            {
                "ServiceName": "Amazon S3",
                "ServiceNamespace": "s3",
                "TotalAuthenticatedEntities": 1,
                "LastAuthenticated": "2026-10-20T10:00:00+00:00",
                **({"LastAuthenticatedEntity": entity} if entity else {}),
                "TrackedActionsLastAccessed": [
                    {"ActionName": "ListBuckets", "LastAccessedTime": "2026-10-19T10:00:00+00:00"},
                    {"ActionName": "CreateBucket"},
                ],
            },
            {"ServiceName": "Amazon SQS", "ServiceNamespace": "sqs", "TotalAuthenticatedEntities": 0},
        ],
        "JobCompletionDate": "2026-10-30T00:00:01+00:00",
        "IsTruncated": False,
    }


def functions():
    return {
        "Functions": [
            {
                "FunctionName": "orders",
                "FunctionArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders",
                "Role": ROLE,
                "LastModified": "2026-05-01T00:00:00.000+0000",
            }
        ]
    }


TRAIL = f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/main"
#: The account is the organization's management account: nothing binds it.
ORGANIZATION = {
    "Id": "r-ex01",
    "Arn": f"arn:aws:organizations::{ACCOUNT}:root/o-ex01/r-ex01",
    "Name": "Root",
    "PolicyTypes": [],
    "Policies": [],
    "Children": [{"Id": ACCOUNT, "Name": "main", "Policies": [], "Children": []}],
}


def trails():
    return {
        "trailList": [{"Name": "main", "TrailARN": TRAIL, "HomeRegion": "eu-west-1", "IsMultiRegionTrail": True}],
    }


def selectors():
    return {"TrailARN": TRAIL, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}


def write(folder: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def whole(folder: Path) -> Path:
    """Write the account with nothing missing."""
    return write(
        folder,
        {
            f"iam/{ACCOUNT}/authorization.json": details(),
            f"iam/{ACCOUNT}/credential-report.csv": REPORT,
            f"iam/{ACCOUNT}/last-accessed/orders-fn.json": last_accessed(),
            f"iam/{ACCOUNT}/last-accessed/ann.json": last_accessed(USER),
            f"iam/{ACCOUNT}/functions.json": functions(),
            f"iam/{ACCOUNT}/trails.json": trails(),
            f"iam/{ACCOUNT}/selectors.json": selectors(),
            "organization.json": ORGANIZATION,
        },
    )
