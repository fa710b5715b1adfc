"""Account staging: the shop's second environment. No trail logs its data events, so silence proves little here."""

from __future__ import annotations

from trailfit.demo import relics
from trailfit.demo.behaviour import call, does, monthly, office, once, steady, weekly
from trailfit.demo.cast import (
    EC2,
    HOME,
    LAMBDA,
    SECOND,
    STAGING,
    Account,
    Key,
    Lambda,
    Need,
    Role,
    User,
    allow,
    policy,
)
from trailfit.demo.functions import WORKER
from trailfit.demo.people import CONSOLE, OFFICE, RUNNER, audit_reader, deploy_role, sso_role

HERE = f"{HOME}:{STAGING}"
TABLE, EXPORTS = f"arn:aws:dynamodb:{HERE}:table/catalogue", "arn:aws:s3:::shop-staging-exports"
INSTANCE = "i-05d4c3b2a19087f6e"

ROLES = (
    # Prod's writer again, by hand: but its only call is a data event, and nothing logs those here.
    Role(
        STAGING,
        "orders-sandbox-role",
        LAMBDA,
        managed=("AmazonDynamoDBFullAccess",),
        habits=(does(steady(6), call("dynamodb:PutItem", table="orders", id="{uuid}"), session="orders-sandbox"),),
        defined_in="policies",
    ),
    Role(
        STAGING,
        "catalogue-role",
        LAMBDA,
        path="/service/",
        managed=("AWSLambdaBasicExecutionRole",),
        inline={
            "catalogue": policy(
                allow("dynamodb:*", [TABLE, f"{TABLE}/index/*"], sid="Table"),
                allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{EXPORTS}/*", sid="Exports"),
                allow("s3:ListBucket", EXPORTS, sid="ListExports"),
            )
        },
        habits=(
            does(steady(5), call("dynamodb:GetItem", table="catalogue", id="{n}"), session="catalogue-get"),
            does(
                steady(2),
                call("logs:CreateLogStream", group="/aws/lambda/catalogue-get", stream="{ymd}/[$LATEST]{hex}"),
                session="catalogue-get",
                agent=WORKER,
            ),
        ),
        unseen=(Need("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/catalogue-*:*", "steady"),),
        defined_in="sam",
    ),
    Role(
        STAGING,
        "web-server-role",
        EC2,
        managed=("AmazonSSMManagedInstanceCore", "AmazonS3ReadOnlyAccess"),
        profile="web-server",
        habits=(
            does(
                steady(16),
                call("ssm:UpdateInstanceInformation", instance=INSTANCE),
                session=INSTANCE,
                agent="aws-sdk-go/1.55.5 (go1.23.9; linux; amd64) amazon-ssm-agent/3.3.2299.0",
                address="18.202.33.8",
            ),
            does(
                steady(4),
                call("s3:GetObject", bucket="shop-staging-config", key="web/settings.json"),
                session=INSTANCE,
                address="18.202.33.8",
            ),
        ),
        unseen=(Need("ssmmessages:OpenControlChannel", "*", "steady"),),
        defined_in="terraform",
    ),
    # Retired in the middle of the window: used, and no longer.
    Role(
        STAGING,
        "old-feature-role",
        LAMBDA,
        inline={"feature": policy(allow(["ssm:GetParameter", "ssm:PutParameter"], f"arn:aws:ssm:{HERE}:parameter/*"))},
        habits=(does(steady(4), call("ssm:GetParameter", name="/shop/old-feature/on"), session="feature", until=47),),
        defined_in="policies",
    ),
    Role(
        STAGING,
        "snapshot-role",
        LAMBDA,
        inline={"snapshot": policy(allow(["ec2:DescribeVolumes", "ec2:CreateSnapshot", "ec2:DeleteSnapshot"], "*"))},
        habits=(
            does(
                weekly(5, "22:00"),
                call("ec2:DescribeVolumes"),
                call("ec2:CreateSnapshot", volume="vol-0aa11bb22cc33dd44"),
                session="snapshot",
            ),
        ),
        unseen=(Need("ec2:DeleteSnapshot", f"arn:aws:ec2:{HOME}::snapshot/*", "yearly", observable=True),),
        tags={"trailfit:exempt": "WildcardResource until=2026-12-31 reason=volumes come and go"},
        defined_in="terraform",
    ),
    deploy_role(
        STAGING,
        "staging",
        does(
            weekly(0, "09:10"),
            call("cloudformation:DescribeStacks", stack="shop"),
            call("s3:PutObject", bucket="shop-staging-artifacts", key="shop/{hex}.template"),
            call("cloudformation:CreateChangeSet", stack="shop", change="samcli-deploy-{date}"),
            call("cloudformation:ExecuteChangeSet", stack="shop", change="samcli-deploy-{date}"),
            call("cloudformation:DescribeStackEvents", stack="shop", times=6),
            session="GitHubActions",
            agent=RUNNER,
            address="20.161.77.10",
        ),
        does(
            once(30, "11:00"),
            call("lambda:GetFunction", function="preview-{n}", fault="missing"),
            session="GitHubActions",
            agent=RUNNER,
            address="20.161.77.10",
        ),
    ),
    sso_role(
        STAGING,
        "Developer",
        "71be0d94c2a6f358",
        ("PowerUserAccess",),
        does(
            office(18),
            call("cloudformation:DescribeStacks", stack="shop"),
            call("lambda:ListFunctions"),
            call("ec2:DescribeInstances"),
            call("logs:DescribeLogGroups"),
            call("iam:UpdateAssumeRolePolicy", role="orders-writer-role", fault="denied"),
            session="grace@example.com",
            agent=CONSOLE,
            address=OFFICE,
            pick=True,
        ),
    ),
    audit_reader(STAGING),
)

USERS = (
    User(
        STAGING,
        "load-test",
        inline={"load": policy(allow(["sqs:SendMessage", "sqs:GetQueueAttributes"], f"arn:aws:sqs:{HERE}:*"))},
        keys=(Key("generator", 260), Key("retired", 255, active=False, idle_days=201)),
        created_days_ago=260,
        habits=(
            does(
                monthly(20, "13:00"),
                call("sqs:GetQueueAttributes", queue="payments", times=5),
                key="generator",
                address="198.51.100.90",
            ),
        ),
        unseen=(Need("sqs:SendMessage", f"arn:aws:sqs:{HERE}:payments", "monthly"),),
    ),
)

FUNCTIONS = tuple(
    Lambda(STAGING, name, role)
    for name, role in (
        ("orders-sandbox", "orders-sandbox-role"),
        ("catalogue-get", "catalogue-role"),
        ("snapshot", "snapshot-role"),
    )
)

ACCOUNT = Account(
    STAGING,
    "staging",
    (HOME, SECOND),
    (*ROLES, *relics.ROLES),
    USERS,
    relics.GROUPS,
    relics.POLICIES,
    FUNCTIONS,
)
