"""Account prod's other principals: people, what deploys, what audits, and users with keys."""

from __future__ import annotations

from trailfit.demo.behaviour import call, daily, does, monthly, office, once, steady, weekly
from trailfit.demo.cast import (
    DATA,
    HOME,
    PROD,
    STAGING,
    Group,
    Key,
    Need,
    Role,
    User,
    allow,
    policy,
    trusts,
)

SSO_PATH = f"/aws-reserved/sso.amazonaws.com/{HOME}/"
CONSOLE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
CLI = "aws-cli/2.31.2 md/awscrt#0.27.6 ua/2.1 os/macos#24.6.0 md/arch#arm64 lang/python#3.13.7 cfg/retry-mode#standard"
RUNNER = "aws-cli/2.31.2 md/awscrt#0.27.6 ua/2.1 os/linux#6.11.0-azure md/arch#x86_64 lang/python#3.13.7"
OFFICE = "203.0.113.24"
CI_HOST = "198.51.100.61"


def sso_role(account: str, name: str, suffix: str, managed: tuple[str, ...], *habits: object, **rest: object) -> Role:
    """Make a role that IAM Identity Center provisions for a permission set."""
    trust = trusts(
        "Federated",
        f"arn:aws:iam::{account}:saml-provider/AWSSSO_{suffix[:12]}_DO_NOT_DELETE",
        action="sts:AssumeRoleWithSAML",
        condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    )
    full = f"AWSReservedSSO_{name}_{suffix}"
    return Role(account, full, trust, SSO_PATH, managed, habits=habits, **rest)  # type: ignore[arg-type]


def deploy_role(account: str, environment: str, *habits: object) -> Role:
    """Make the role that GitHub Actions assumes to deploy; once a month it passes a function its role."""
    provider = "token.actions.githubusercontent.com"
    trust = trusts(
        "Federated",
        f"arn:aws:iam::{account}:oidc-provider/{provider}",
        action="sts:AssumeRoleWithWebIdentity",
        condition={
            "StringEquals": {f"{provider}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{provider}:sub": f"repo:example-shop/shop:environment:{environment}"},
        },
    )
    document = policy(
        allow(["cloudformation:*", "lambda:*", "s3:*", "ecr:*"], "*", sid="Deploy"),
        allow("iam:PassRole", f"arn:aws:iam::{account}:role/*", sid="Pass"),
    )
    return Role(
        account,
        "github-deploy",
        trust,
        inline={"deploy": document},
        habits=(
            *habits,  # type: ignore[arg-type]
            does(
                monthly(12, "10:31"),
                call(
                    "lambda:UpdateFunctionConfiguration",
                    function="orders-writer",
                    role="orders-writer-role",
                    via="cloudformation.amazonaws.com",
                ),
                session="GitHubActions",
                agent=RUNNER,
                address="20.161.77.9",
            ),
        ),
        unseen=(
            Need("iam:PassRole", f"arn:aws:iam::{account}:role/orders-writer-role", "monthly", part=True),
            Need(
                "cloudformation:DeleteChangeSet",
                f"arn:aws:cloudformation:*:{account}:stack/*",
                "incident",
                observable=True,
            ),
        ),
        defined_in="terraform",
    )


def audit_reader(account: str) -> Role:
    """Make the role that prod's auditor assumes across accounts."""
    return Role(
        account,
        "audit-reader",
        trusts("AWS", f"arn:aws:iam::{PROD}:role/security-audit-role"),
        path="/audit/",
        inline={
            "read": policy(allow(["iam:Get*", "iam:List*", "cloudtrail:Describe*", "s3:GetBucket*"], "*", sid="Read"))
        },
        habits=(
            does(
                daily("06:17"),
                call("iam:ListRoles"),
                call("iam:ListUsers"),
                call("cloudtrail:DescribeTrails"),
                session="security-audit",
            ),
        ),
        defined_in="terraform",
    )


PROD_ROLES = (
    deploy_role(
        PROD,
        "production",
        does(
            weekly(1, "10:20"),
            call("cloudformation:DescribeStacks", stack="shop"),
            call("s3:PutObject", bucket="shop-deploy-artifacts", key="shop/{hex}.template"),
            call("cloudformation:CreateChangeSet", stack="shop", change="samcli-deploy-{date}"),
            call("cloudformation:ExecuteChangeSet", stack="shop", change="samcli-deploy-{date}"),
            call("cloudformation:DescribeStackEvents", stack="shop", times=8),
            call("lambda:GetFunction", function="orders-writer", via="cloudformation.amazonaws.com"),
            call("lambda:UpdateFunctionCode", function="orders-writer", via="cloudformation.amazonaws.com"),
            call("lambda:UpdateFunctionCode", function="catalogue-get", via="cloudformation.amazonaws.com"),
            session="GitHubActions",
            agent=RUNNER,
            address="20.161.77.9",
        ),
        does(
            weekly(3, "14:05"),
            call("ecr:GetAuthorizationToken"),
            call("ecr:PutImage", repository="shop/search", tag="{hex8}"),
            session="GitHubActions",
            agent=RUNNER,
            address="20.161.77.12",
        ),
    ),
    sso_role(
        PROD,
        "Developer",
        "3f1c5ae09b7d2468",
        ("PowerUserAccess",),
        *(
            does(
                office(rate),
                call("cloudformation:DescribeStacks", stack="shop"),
                call("lambda:ListFunctions"),
                call("logs:DescribeLogGroups"),
                call("logs:FilterLogEvents", group="/aws/lambda/orders-writer"),
                call("dynamodb:ListTables"),
                call("ec2:DescribeInstances"),
                session=person,
                agent=CONSOLE,
                address=OFFICE,
                pick=True,
            )
            for person, rate in (("ada@example.com", 12), ("grace@example.com", 8), ("linus@example.com", 3))
        ),
    ),
    sso_role(
        PROD,
        "Administrator",
        "9d20b6f4e1c8a753",
        ("AdministratorAccess",),
        does(
            office(1.5),
            call("iam:ListRoles"),
            call("iam:GetRole", role="orders-writer-role"),
            call("ec2:DescribeSecurityGroups"),
            call("organizations:ListAccounts"),
            session="ada@example.com",
            agent=CONSOLE,
            address=OFFICE,
            pick=True,
        ),
    ),
    Role(
        PROD,
        "AWSServiceRoleForCloudTrail",
        trusts("Service", "cloudtrail.amazonaws.com"),
        path="/aws-service-role/cloudtrail.amazonaws.com/",
        managed=("CloudTrailServiceRolePolicy",),
        habits=(
            does(
                daily("11:00"),
                call("organizations:ListAccounts"),
                session="OrganizationTrail",
                agent="cloudtrail.amazonaws.com",
                address="cloudtrail.amazonaws.com",
            ),
        ),
    ),
    Role(
        PROD,
        "security-audit-role",
        trusts("Service", "lambda.amazonaws.com"),
        inline={
            "assume": policy(
                allow("sts:AssumeRole", "arn:aws:iam::*:role/audit/*", sid="Assume"),
                allow("iam:List*", "*", sid="List"),
            )
        },
        habits=(
            does(
                daily("06:15"),
                *(
                    call(
                        "sts:AssumeRole",
                        role_arn=f"arn:aws:iam::{other}:role/audit/audit-reader",
                        session="security-audit",
                        into=other,
                    )
                    for other in (STAGING, DATA)
                ),
                call("iam:ListRoles"),
                session="security-audit",
            ),
        ),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "break-glass-role",
        trusts("AWS", f"arn:aws:iam::{PROD}:root", condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        managed=("AdministratorAccess",),
        habits=(
            does(
                once(49, "02:13"),
                call("ec2:DescribeInstances"),
                call("ec2:StopInstances", instance="i-0f9e8d7c6b5a40312"),
                session="alice",
                agent=CLI,
                address="192.0.2.77",
                mfa=True,
            ),
        ),
        unseen=(Need("*", "*", "incident", observable=True),),
        tags={"trailfit:keep": "break-glass"},
    ),
)

PROD_GROUPS = (
    Group(
        PROD,
        "developers",
        managed=("AmazonS3ReadOnlyAccess",),
        inline={"assume": policy(allow("sts:AssumeRole", f"arn:aws:iam::{PROD}:role/break-glass-role"))},
    ),
)

PROD_USERS = (
    User(
        PROD,
        "alice",
        groups=("developers",),
        keys=(Key("laptop", 220),),
        password=True,
        password_idle_days=0,
        mfa=True,
        habits=(
            does(office(1.2), call("s3:ListBuckets"), agent=CONSOLE, address=OFFICE, mfa=True),
            does(
                office(2),
                call("s3:GetBucketLocation", bucket="shop-prod-media"),
                key="laptop",
                agent=CLI,
                address=OFFICE,
            ),
            does(
                once(49, "02:11"),
                call("sts:AssumeRole", role_arn=f"arn:aws:iam::{PROD}:role/break-glass-role", session="alice"),
                key="laptop",
                agent=CLI,
                address="192.0.2.77",
            ),
        ),
    ),
    # The password has not been used for longer than the window; the key has.
    User(
        PROD,
        "bob",
        groups=("developers",),
        keys=(Key("laptop", 300),),
        password=True,
        password_idle_days=212,
        habits=(does(office(0.8), call("s3:ListBuckets"), key="laptop", agent=CLI, address="203.0.113.90"),),
    ),
    # Nobody has been seen with this user's password or key.
    User(
        PROD,
        "carol",
        groups=("developers",),
        keys=(Key("old", 640, idle_days=388),),
        password=True,
        password_idle_days=401,
    ),
    User(
        PROD,
        "ci-runner",
        path="/ci/",
        inline={
            "push": policy(
                allow("ecr:GetAuthorizationToken", "*", sid="Login"),
                allow(
                    ["ecr:PutImage", "ecr:BatchGetImage", "ecr:DeleteRepository"],
                    f"arn:aws:ecr:{HOME}:{PROD}:repository/shop/*",
                ),
                allow("s3:PutObject", "arn:aws:s3:::shop-deploy-artifacts/*", sid="Artifacts"),
            )
        },
        keys=(Key("runner", 180),),
        habits=(
            does(
                office(6),
                call("sts:GetCallerIdentity"),
                call("ecr:GetAuthorizationToken"),
                call("ecr:BatchGetImage", repository="shop/search"),
                call("s3:PutObject", bucket="shop-deploy-artifacts", key="builds/{hex}.zip"),
                key="runner",
                agent=RUNNER,
                address=CI_HOST,
            ),
        ),
    ),
    # Two keys: one in daily use, one that nobody ever used.
    User(
        PROD,
        "legacy-app",
        managed=("AmazonSQSFullAccess",),
        keys=(Key("first", 500), Key("spare", 190)),
        habits=(
            does(
                steady(10),
                call("sqs:ReceiveMessage", queue="legacy-orders"),
                call("sqs:DeleteMessage", queue="legacy-orders"),
                key="first",
                agent="aws-sdk-java/1.12.700 Linux/4.14 OpenJDK_64-Bit_Server_VM/25.452 java/1.8.0_452",
                address="198.51.100.14",
            ),
        ),
    ),
)
