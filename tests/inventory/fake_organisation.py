"""An organisation of any size, as the answers of each operation: what `FakeAWS` answers with."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from tests.inventory.fake_aws import Refuse

MANAGEMENT = "100000000001"
START = datetime(2026, 1, 1, tzinfo=UTC)
REGIONS = ("eu-west-1", "us-east-1")
REPORT_COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)


def document(action="s3:GetObject", resource="*"):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


class Organisation:
    """`roles`, `users` and `policies` in each of `accounts`; the first is the management account.

    Every user has a key; every tenth role belongs to a function, the first roles to one resource of each other kind.
    """

    def __init__(self, accounts=(MANAGEMENT,), *, roles=3, users=2, policies=2, jobs_take=1):
        self.accounts, self.roles, self.users, self.policies = accounts, roles, users, policies
        self.jobs_take = jobs_take
        self._polls = {}

    def __call__(self, account, region, operation, params):
        answer = getattr(self, operation, None)
        return answer(account, region, params) if answer else _ONE[operation](account, region, params)

    # --- who ---

    def role(self, account, n):
        return f"arn:aws:iam::{account}:role/app/role-{n:04d}"

    def GetCallerIdentity(self, account, region, params):  # noqa: N802 - AWS's names, here and below
        return {"UserId": "U", "Account": account, "Arn": f"arn:aws:iam::{account}:user/auditor"}

    def AssumeRole(self, account, region, params):  # noqa: N802
        other = params["RoleArn"].split(":")[4]
        expires = datetime.now(UTC) + timedelta(hours=1)
        return {
            "Credentials": {
                "AccessKeyId": f"ASIA{other}",
                "SecretAccessKey": "s",
                "SessionToken": "t",
                "Expiration": expires,
            }
        }

    # --- IAM ---

    def GetAccountAuthorizationDetails(self, account, region, params):  # noqa: N802
        policy = [f"arn:aws:iam::{account}:policy/policy-{n:04d}" for n in range(self.policies)]

        def attached(n):
            arn = policy[n % len(policy)]
            return [{"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn}]

        return {
            "UserDetailList": [
                {
                    "Path": "/",
                    "UserName": f"user-{n:04d}",
                    "UserId": f"AIDA{n:016d}",
                    "Arn": f"arn:aws:iam::{account}:user/user-{n:04d}",
                    "CreateDate": START,
                    "GroupList": ["people"],
                    "AttachedManagedPolicies": attached(n),
                }
                for n in range(self.users)
            ],
            "GroupDetailList": [
                {
                    "Path": "/",
                    "GroupName": "people",
                    "GroupId": "AGPA000000000000",
                    "Arn": f"arn:aws:iam::{account}:group/people",
                    "CreateDate": START,
                    "GroupPolicyList": [{"PolicyName": "read", "PolicyDocument": quote(document())}],
                    "AttachedManagedPolicies": [],
                }
            ],
            "RoleDetailList": [
                {
                    "Path": "/app/",
                    "RoleName": f"role-{n:04d}",
                    "RoleId": f"AROA{n:016d}",
                    "Arn": self.role(account, n),
                    "CreateDate": START,
                    "AssumeRolePolicyDocument": quote(TRUST),
                    "InstanceProfileList": [self._profile(account, n)] if n == 0 else [],
                    "RolePolicyList": [
                        {"PolicyName": "inline", "PolicyDocument": quote(document(resource=f"arn:aws:s3:::b{n}/*"))}
                    ],
                    "AttachedManagedPolicies": attached(n),
                    "RoleLastUsed": {"LastUsedDate": START + timedelta(days=n % 300), "Region": region},
                }
                for n in range(self.roles)
            ],
            "Policies": [
                {
                    "PolicyName": arn.rsplit("/", 1)[-1],
                    "PolicyId": f"ANPA{n:016d}",
                    "Arn": arn,
                    "Path": "/",
                    "DefaultVersionId": "v1",
                    "AttachmentCount": 1,
                    "PermissionsBoundaryUsageCount": 0,
                    "IsAttachable": True,
                    "CreateDate": START,
                    "UpdateDate": START,
                    "PolicyVersionList": [
                        {
                            "Document": quote(document(f"sqs:SendMessage{'*' * (n % 2)}")),
                            "VersionId": "v1",
                            "IsDefaultVersion": True,
                            "CreateDate": START,
                        }
                    ],
                }
                for n, arn in enumerate(policy)
            ],
        }

    def _profile(self, account, n):
        return {
            "Path": "/",
            "InstanceProfileName": "web",
            "InstanceProfileId": "AIPA000000000000",
            "Arn": f"arn:aws:iam::{account}:instance-profile/web",
            "CreateDate": START,
            "Roles": [],
        }

    def GenerateCredentialReport(self, account, region, params):  # noqa: N802
        self._polls[account] = self._polls.get(account, 0) + 1
        return {"State": "COMPLETE" if self._polls[account] > self.jobs_take else "STARTED"}

    def GetCredentialReport(self, account, region, params):  # noqa: N802
        lines = [REPORT_COLUMNS]
        for n in range(self.users):
            arn = f"arn:aws:iam::{account}:user/user-{n:04d}"
            key = "true,2026-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A"
            lines.append(
                f"user-{n:04d},{arn},2026-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,{key},false,N/A,false,N/A"
            )
        content = "\n".join(lines).encode()
        return {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": START}

    def ListAccessKeys(self, account, region, params):  # noqa: N802
        key = {
            "UserName": params["UserName"],
            "AccessKeyId": f"AKIA{account}{params['UserName'][-4:]}",
            "Status": "Active",
            "CreateDate": START,
        }
        return {"AccessKeyMetadata": [key], "IsTruncated": False}

    def GetAccessKeyLastUsed(self, account, region, params):  # noqa: N802
        used = {"LastUsedDate": START + timedelta(days=200), "ServiceName": "s3", "Region": "eu-west-1"}
        return {"UserName": f"user-{params['AccessKeyId'][-4:]}", "AccessKeyLastUsed": used}

    def GenerateServiceLastAccessedDetails(self, account, region, params):  # noqa: N802
        assert params["Granularity"] == "ACTION_LEVEL"
        return {"JobId": f"{params['Arn']:-<36}"}

    def GetServiceLastAccessedDetails(self, account, region, params):  # noqa: N802
        job = params["JobId"]
        self._polls[job] = self._polls.get(job, 0) + 1
        if self._polls[job] <= self.jobs_take:
            return {
                "JobStatus": "IN_PROGRESS",
                "JobCreationDate": START,
                "ServicesLastAccessed": [],
                "JobCompletionDate": START,
            }
        second = "Marker" in params
        service = {
            "ServiceName": "Amazon SQS" if second else "Amazon S3",
            "ServiceNamespace": "sqs" if second else "s3",
            "LastAuthenticated": START,
            "TotalAuthenticatedEntities": 1,
            "TrackedActionsLastAccessed": [{"ActionName": "ListBuckets", "LastAccessedTime": START}],
        }
        more = {} if second else {"Marker": "2"}
        return {
            "JobStatus": "COMPLETED",
            "JobType": "ACTION_LEVEL",
            "JobCreationDate": START,
            "ServicesLastAccessed": [service],
            "JobCompletionDate": START,
            "IsTruncated": not second,
            **more,
        }

    # --- the organization: a root, a unit "apps" in a unit "work"; the management account at the root ---

    def DescribeOrganization(self, account, region, params):  # noqa: N802
        return {"Organization": {"Id": "o-abcdefghij", "MasterAccountId": self.accounts[0]}}

    def ListAccounts(self, account, region, params):  # noqa: N802
        return {"Accounts": [{"Id": one, "Name": f"n{one}", "Status": "ACTIVE"} for one in self.accounts]}

    def ListRoots(self, account, region, params):  # noqa: N802
        kinds = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
        return {"Roots": [{"Id": "r-root", "Name": "Root", "PolicyTypes": kinds}]}

    def ListParents(self, account, region, params):  # noqa: N802
        root = {"Id": "r-root", "Type": "ROOT"}
        parents = {
            self.accounts[0]: root,
            "ou-root-workwork": root,
            "ou-root-appsapps": {"Id": "ou-root-workwork", "Type": "ORGANIZATIONAL_UNIT"},
        }
        apps = {"Id": "ou-root-appsapps", "Type": "ORGANIZATIONAL_UNIT"}
        return {"Parents": [parents.get(params["ChildId"], apps)]}

    def ListPolicies(self, account, region, params):  # noqa: N802
        if params["Filter"] == "RESOURCE_CONTROL_POLICY":
            return {"Policies": []}
        return {
            "Policies": [
                {"Id": identity, "Name": identity, "Type": params["Filter"]}
                for identity in ("p-FullAWSAccess", "p-apps1234")
            ]
        }

    def DescribePolicy(self, account, region, params):  # noqa: N802
        identity = params["PolicyId"]
        content = document("*" if identity == "p-FullAWSAccess" else "s3:*")
        return {
            "Policy": {
                "PolicySummary": {"Id": identity, "Name": identity, "Type": "SERVICE_CONTROL_POLICY"},
                "Content": content,
            }
        }

    def ListTargetsForPolicy(self, account, region, params):  # noqa: N802
        everywhere = ["r-root", "ou-root-workwork", *self.accounts]
        on = everywhere if params["PolicyId"] == "p-FullAWSAccess" else ["ou-root-appsapps"]
        return {"Targets": [{"TargetId": target, "Name": target} for target in on]}

    # --- compute that is one for each role of a kind ---

    def ListFunctions(self, account, region, params):  # noqa: N802
        if region != "eu-west-1":
            return {"Functions": []}
        return {
            "Functions": [
                {
                    "FunctionName": f"fn-{n:04d}",
                    "FunctionArn": f"arn:aws:lambda:{region}:{account}:function:fn-{n:04d}",
                    "Role": self.role(account, n),
                }
                for n in range(0, self.roles, 10)
            ]
        }


SET = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"
INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"


def _here(region, answer, empty):
    """Answer in eu-west-1 only."""
    return answer if region == "eu-west-1" else empty


def _role(account, n=0):
    return f"arn:aws:iam::{account}:role/app/role-{n:04d}"


def _arn(service, account, rest):
    return f"arn:aws:{service}:eu-west-1:{account}:{rest}"


def _boundary(account, region, params):
    code = "ResourceNotFoundException"
    raise Refuse(code, "no boundary")


_ONE = {
    "DescribeRegions": lambda a, r, p: {"Regions": [{"RegionName": name} for name in REGIONS]},
    "ListInstances": lambda a, r, p: _here(
        r, {"Instances": [{"InstanceArn": INSTANCE, "IdentityStoreId": "d-1234567890"}]}, {"Instances": []}
    ),
    "ListPermissionSets": lambda a, r, p: {"PermissionSets": [SET]},
    "DescribePermissionSet": lambda a, r, p: {"PermissionSet": {"Name": "Dev", "PermissionSetArn": SET}},
    "GetInlinePolicyForPermissionSet": lambda a, r, p: {"InlinePolicy": document()},
    "ListManagedPoliciesInPermissionSet": lambda a, r, p: {
        "AttachedManagedPolicies": [{"Name": "ReadOnlyAccess", "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]
    },
    "ListCustomerManagedPolicyReferencesInPermissionSet": lambda a, r, p: {
        "CustomerManagedPolicyReferences": [{"Name": "team", "Path": "/"}]
    },
    "GetPermissionsBoundaryForPermissionSet": _boundary,
    "ListAccountsForProvisionedPermissionSet": lambda a, r, p: {"AccountIds": [MANAGEMENT]},
    "ListAccountAssignments": lambda a, r, p: {
        "AccountAssignments": [
            {"AccountId": p["AccountId"], "PermissionSetArn": SET, "PrincipalType": "GROUP", "PrincipalId": "1" * 36}
        ]
    },
    "DescribeTrails": lambda a, r, p: {
        "trailList": [
            {
                "Name": "t",
                "TrailARN": _arn("cloudtrail", a, "trail/t"),
                "HomeRegion": "eu-west-1",
                "IsMultiRegionTrail": True,
            }
        ]
    },
    "GetEventSelectors": lambda a, r, p: {
        "TrailARN": p["TrailName"],
        "AdvancedEventSelectors": [
            {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
            {
                "FieldSelectors": [
                    {"Field": "eventCategory", "Equals": ["Data"]},
                    {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                ]
            },
        ],
    },
    "GetTrailStatus": lambda a, r, p: {"IsLogging": True},
    "ListAliases": lambda a, r, p: {
        "Aliases": [{"AliasArn": f"{p['FunctionName']}:live", "Name": "live", "FunctionVersion": "1"}]
    },
    "ListEventSourceMappings": lambda a, r, p: _here(
        r,
        {
            "EventSourceMappings": [
                {
                    "UUID": "12345678-1234-1234-1234-123456789012",
                    "EventSourceArn": _arn("sqs", a, "orders"),
                    "FunctionArn": _arn("lambda", a, "function:fn-0000:live"),
                }
            ]
        },
        {"EventSourceMappings": []},
    ),
    "ListTaskDefinitions": lambda a, r, p: _here(
        r, {"taskDefinitionArns": [_arn("ecs", a, "task-definition/web:1")]}, {"taskDefinitionArns": []}
    ),
    "DescribeTaskDefinition": lambda a, r, p: {
        "taskDefinition": {
            "taskDefinitionArn": p["taskDefinition"],
            "family": "web",
            "taskRoleArn": _role(a, 1),
            "executionRoleArn": _role(a, 2),
        }
    },
    "DescribeInstances": lambda a, r, p: _here(
        r,
        {
            "Reservations": [
                {
                    "Instances": [
                        {
                            "InstanceId": "i-0123456789abcdef0",
                            "Placement": {"AvailabilityZone": "eu-west-1a"},
                            "IamInstanceProfile": {"Arn": f"arn:aws:iam::{a}:instance-profile/web", "Id": "AIPA"},
                        },
                        {"InstanceId": "i-0123456789abcdef1"},
                    ]
                }
            ]
        },
        {"Reservations": []},
    ),
    "ListStateMachines": lambda a, r, p: {
        "stateMachines": _here(
            r,
            [
                {
                    "stateMachineArn": _arn("states", a, "stateMachine:m"),
                    "name": "m",
                    "type": "STANDARD",
                    "creationDate": START,
                }
            ],
            [],
        )
    },
    "DescribeStateMachine": lambda a, r, p: {
        "stateMachineArn": p["stateMachineArn"],
        "name": "m",
        "definition": "{}",
        "roleArn": _role(a),
        "type": "STANDARD",
        "creationDate": START,
    },
    "ListEventBuses": lambda a, r, p: {
        "EventBuses": [{"Name": "default", "Arn": _arn("events", a, "event-bus/default")}]
    },
    "ListRules": lambda a, r, p: {
        "Rules": _here(
            r,
            [
                {
                    "Name": "nightly",
                    "Arn": _arn("events", a, "rule/nightly"),
                    "EventBusName": "default",
                    "RoleArn": _role(a),
                }
            ],
            [],
        )
    },
    "ListTargetsByRule": lambda a, r, p: {
        "Targets": [{"Id": "1", "Arn": _arn("states", a, "stateMachine:m"), "RoleArn": _role(a)}]
    },
    "ListPipes": lambda a, r, p: {"Pipes": _here(r, [{"Name": "p", "Arn": _arn("pipes", a, "pipe/p")}], [])},
    "DescribePipe": lambda a, r, p: {
        "Name": "p",
        "Arn": _arn("pipes", a, "pipe/p"),
        "RoleArn": _role(a),
        "Source": _arn("sqs", a, "in"),
    },
    "ListSchedules": lambda a, r, p: {"Schedules": _here(r, [{"Name": "s", "GroupName": "default"}], [])},
    "GetSchedule": lambda a, r, p: {
        "Name": "s",
        "Arn": _arn("scheduler", a, "schedule/default/s"),
        "ScheduleExpression": "rate(1 hour)",
        "Target": {"Arn": _arn("sqs", a, "in"), "RoleArn": _role(a)},
    },
    "ListProjects": lambda a, r, p: _here(r, {"projects": ["build"]}, {}),
    "BatchGetProjects": lambda a, r, p: {
        "projects": [
            {"name": name, "arn": _arn("codebuild", a, f"project/{name}"), "serviceRole": _role(a)}
            for name in p["names"]
        ],
    },
    "GetJobs": lambda a, r, p: {"Jobs": _here(r, [{"Name": "job", "Role": "role-0000"}], [])},
    "GetCrawlers": lambda a, r, p: {"Crawlers": _here(r, [{"Name": "crawl", "Role": _role(a)}], [])},
    "ListNotebookInstances": lambda a, r, p: {
        "NotebookInstances": _here(
            r, [{"NotebookInstanceName": "nb", "NotebookInstanceArn": _arn("sagemaker", a, "notebook-instance/nb")}], []
        )
    },
    "DescribeNotebookInstance": lambda a, r, p: {
        "NotebookInstanceName": "nb",
        "NotebookInstanceArn": _arn("sagemaker", a, "notebook-instance/nb"),
        "RoleArn": _role(a),
    },
    "ListModels": lambda a, r, p: {
        "Models": _here(r, [{"ModelName": "m", "ModelArn": _arn("sagemaker", a, "model/m"), "CreationTime": START}], [])
    },
    "DescribeModel": lambda a, r, p: {
        "ModelName": "m",
        "ModelArn": _arn("sagemaker", a, "model/m"),
        "ExecutionRoleArn": _role(a),
        "CreationTime": START,
    },
    "ListDomains": lambda a, r, p: {"Domains": _here(r, [{"DomainId": "d-1"}], [])},
    "DescribeDomain": lambda a, r, p: {
        "DomainArn": _arn("sagemaker", a, "domain/d-1"),
        "DomainName": "d",
        "DefaultUserSettings": {"ExecutionRole": _role(a)},
    },
    "ListPipelines": lambda a, r, p: {"PipelineSummaries": _here(r, [{"PipelineName": "pl"}], [])},
    "DescribePipeline": lambda a, r, p: {
        "PipelineName": "pl",
        "PipelineArn": _arn("sagemaker", a, "pipeline/pl"),
        "RoleArn": _role(a),
    },
    "ListClusters": lambda a, r, p: {"clusters": _here(r, ["k8s"], [])},
    "DescribeCluster": lambda a, r, p: {
        "cluster": {"name": "k8s", "arn": _arn("eks", a, "cluster/k8s"), "roleArn": _role(a)}
    },
    "ListNodegroups": lambda a, r, p: {"nodegroups": ["ng"]},
    "DescribeNodegroup": lambda a, r, p: {
        "nodegroup": {"nodegroupName": "ng", "nodegroupArn": _arn("eks", a, "nodegroup/k8s/ng/1"), "nodeRole": _role(a)}
    },
    "ListPodIdentityAssociations": lambda a, r, p: {"associations": [{"associationId": "a-1"}]},
    "DescribePodIdentityAssociation": lambda a, r, p: {
        "association": {
            "associationId": "a-1",
            "associationArn": _arn("eks", a, "podidentityassociation/k8s/a-1"),
            "roleArn": _role(a),
        }
    },
}
