"""Account prod: a shop's workloads, each with its policies and, beside them, what it really does."""

from __future__ import annotations

from trailfit.demo.behaviour import Habit, call, daily, does, monthly, once, quarterly, steady, weekly
from trailfit.demo.cast import (
    HOME,
    PROD,
    SECOND,
    Account,
    Lambda,
    ManagedPolicy,
    Need,
    Role,
    allow,
    policy,
    trusts,
)
from trailfit.demo.people import PROD_GROUPS, PROD_ROLES, PROD_USERS

LAMBDA, EC2, ECS = (trusts("Service", f"{name}.amazonaws.com") for name in ("lambda", "ec2", "ecs-tasks"))
WORKER = "awslambda-worker/1.0 rusoto/0.48.0 rust/1.84.0 linux"
NODE = "aws-sdk-js/3.888.0 ua/2.1 os/linux#5.10 lang/js md/nodejs#22.18.0 exec-env/AWS_Lambda_nodejs22.x"
HERE = f"{HOME}:{PROD}"
KEY_ID = "0d5f3a9e-7c41-4b8e-9b1e-2f6c8a7d1e54"
PAYMENT_SECRET = "shop/payments/provider-Xk3f9Q"  # noqa: S105
INSTANCES = ("i-0a1b2c3d4e5f60718", "i-0f9e8d7c6b5a40312")


def table(name: str) -> str:
    """Give a table's ARN."""
    return f"arn:aws:dynamodb:{HERE}:table/{name}"


def logs(function: str, rate: float = 3) -> Habit:
    """Write what Lambda does with an execution role that may log: a new stream for each new sandbox."""
    stream = call("logs:CreateLogStream", group=f"/aws/lambda/{function}", stream="{ymd}/[$LATEST]{hex}")
    return does(steady(rate), stream, session=function, agent=WORKER)


def log_policy(function: str) -> dict[str, object]:
    """Make the statement by which a function logs to its own group."""
    group = f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{function}"
    return allow(
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [group, f"{group}:*"], sid="Logs"
    )


ROLES = (
    # The example that the project stands for: a managed policy of 60-odd actions for one action on one table.
    Role(
        PROD,
        "orders-writer-role",
        LAMBDA,
        managed=("AmazonDynamoDBFullAccess",),
        habits=(
            does(
                steady(60), call("dynamodb:PutItem", table="orders", id="{uuid}"), session="orders-writer", agent=NODE
            ),
        ),
        defined_in="sam",
    ),
    Role(
        PROD,
        "invoices-writer-role",
        LAMBDA,
        managed=("AmazonDynamoDBFullAccess", "AWSLambdaBasicExecutionRole"),
        habits=(
            does(
                steady(30),
                call("dynamodb:PutItem", table="invoices", id="{uuid}"),
                session="invoices-writer",
                agent=NODE,
            ),
            does(
                once(83, "09:12"),
                call("logs:CreateLogGroup", group="/aws/lambda/invoices-writer"),
                session="invoices-writer",
                agent=WORKER,
            ),
            logs("invoices-writer"),
        ),
        unseen=(Need("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/invoices-writer:*", "steady"),),
        defined_in="sam",
    ),
    # One role shared by four functions: narrowing it means asking what all four need.
    Role(
        PROD,
        "catalogue-role",
        LAMBDA,
        path="/service/",
        managed=("AWSLambdaBasicExecutionRole",),
        inline={
            "catalogue": policy(
                allow("dynamodb:*", [table("catalogue"), table("catalogue") + "/index/*"], sid="Table"),
                allow(
                    ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                    "arn:aws:s3:::shop-prod-exports/*",
                    sid="Exports",
                ),
                allow("s3:ListBucket", "arn:aws:s3:::shop-prod-exports", sid="ListExports"),
            )
        },
        habits=(
            does(
                steady(60), call("dynamodb:GetItem", table="catalogue", id="{n}"), session="catalogue-get", agent=NODE
            ),
            does(
                steady(40),
                call("dynamodb:Query", table="catalogue"),
                call("dynamodb:BatchGetItem", table="catalogue"),
                session="catalogue-search",
                agent=NODE,
                pick=True,
            ),
            does(
                steady(8),
                call("dynamodb:UpdateItem", table="catalogue", id="{n}"),
                session="catalogue-update",
                agent=NODE,
            ),
            does(
                daily("02:40"),
                call("dynamodb:Scan", table="catalogue", times=6),
                call("s3:PutObject", bucket="shop-prod-exports", key="catalogue/{date}/part-{n}.json.gz", times=3),
                session="catalogue-export",
                agent=NODE,
            ),
            does(
                steady(1),
                call("dynamodb:Query", table="catalogue", fault="throttled"),
                session="catalogue-search",
                agent=NODE,
            ),
            *(logs(name, 2) for name in ("catalogue-get", "catalogue-search", "catalogue-update", "catalogue-export")),
        ),
        unseen=(Need("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/catalogue-*:*", "steady"),),
        defined_in="sam",
    ),
    # Polls for an object that is not there yet: a 404 needed the permission, it is use.
    Role(
        PROD,
        "image-resizer-role",
        LAMBDA,
        inline={
            "images": policy(
                allow("s3:*", ["arn:aws:s3:::shop-prod-media", "arn:aws:s3:::shop-prod-media/*"], sid="Media"),
                log_policy("image-resizer"),
            )
        },
        habits=(
            does(
                steady(22),
                call("s3:GetObject", bucket="shop-prod-media", key="uploads/{ymd}/{uuid}.jpg"),
                call("s3:PutObject", bucket="shop-prod-media", key="thumbs/{ymd}/{uuid}.webp"),
                session="image-resizer",
            ),
            does(
                steady(16),
                call("s3:HeadObject", bucket="shop-prod-media", key="watermarks/{tenant}.png", fault="missing"),
                session="image-resizer",
            ),
            logs("image-resizer"),
        ),
        unseen=(Need("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/image-resizer:*", "steady"),),
        defined_in="sam",
    ),
    Role(
        PROD,
        "payments-handler-role",
        LAMBDA,
        path="/service/",
        managed=("AWSLambdaSQSQueueExecutionRole",),
        inline={
            "payments": policy(
                allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:shop/*", sid="Secrets"),
                allow(
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    f"arn:aws:kms:{HERE}:key/*",
                    sid="Keys",
                    Condition={"StringEquals": {"kms:ViaService": f"secretsmanager.{HOME}.amazonaws.com"}},
                ),
                allow("sns:Publish", f"arn:aws:sns:{HERE}:*", sid="Tell"),
                allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], table("payments"), sid="Payments"),
            )
        },
        habits=(
            does(
                steady(24),
                call("sqs:ReceiveMessage", queue="payments"),
                call("dynamodb:UpdateItem", table="payments", id="{uuid}"),
                call("sns:Publish", topic="payment-events"),
                call("sqs:DeleteMessage", queue="payments"),
                session="payments-handler",
            ),
            does(
                steady(6),
                call("secretsmanager:GetSecretValue", secret=PAYMENT_SECRET),
                call(
                    "kms:Decrypt",
                    key_id=KEY_ID,
                    context=f"arn:aws:secretsmanager:{HERE}:secret:{PAYMENT_SECRET}",
                    via="secretsmanager.amazonaws.com",
                ),
                session="payments-handler",
            ),
            does(steady(4), call("sqs:GetQueueAttributes", queue="payments"), session="payments-handler"),
            logs("payments-handler"),
        ),
        unseen=(
            Need("dynamodb:GetItem", table("payments"), "incident"),
            Need("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/payments-handler:*", "steady"),
        ),
        defined_in="sam",
    ),
    # Jobs whose rhythm is longer than a week.
    Role(
        PROD,
        "nightly-report-role",
        LAMBDA,
        inline={
            "report": policy(
                allow("dynamodb:*", table("*"), sid="Tables"),
                allow("s3:PutObject", "arn:aws:s3:::shop-prod-reports/*", sid="Reports"),
            )
        },
        habits=(
            does(
                daily("01:10"),
                call("dynamodb:Query", table="orders", times=4),
                call("s3:PutObject", bucket="shop-prod-reports", key="daily/{date}.csv"),
                session="nightly-report",
            ),
        ),
        defined_in="sam",
    ),
    Role(
        PROD,
        "weekly-cleanup-role",
        LAMBDA,
        inline={
            "cleanup": policy(
                allow("s3:ListBucket", "arn:aws:s3:::shop-prod-*", sid="List"),
                allow(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], "arn:aws:s3:::shop-prod-*/*", sid="Objects"),
            )
        },
        habits=(
            does(
                weekly(6, "03:20"),
                call("s3:ListObjects", bucket="shop-prod-exports", prefix="catalogue/"),
                call("s3:DeleteObject", bucket="shop-prod-exports", key="catalogue/{date}/part-{n}.json.gz", times=9),
                session="weekly-cleanup",
            ),
        ),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "monthly-billing-role",
        LAMBDA,
        inline={
            "billing": policy(
                allow(["dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem"], table("*"), sid="Tables"),
                allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::shop-prod-billing/*", sid="Bills"),
                allow("sns:Publish", f"arn:aws:sns:{HERE}:billing-events", sid="Tell"),
            )
        },
        habits=(
            does(
                monthly(5, "04:05"),
                call("dynamodb:Scan", table="invoices", times=12),
                call("s3:PutObject", bucket="shop-prod-billing", key="{month}/{tenant}.pdf", times=14),
                call("sns:Publish", topic="billing-events"),
                session="monthly-billing",
            ),
        ),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "quarterly-audit-role",
        LAMBDA,
        inline={
            "audit": policy(
                allow(["iam:ListRoles", "iam:ListUsers", "iam:GetAccountAuthorizationDetails"], "*", sid="Iam"),
                allow("s3:PutObject", "arn:aws:s3:::shop-prod-audit/*", sid="Keep"),
                allow("s3:DeleteObject", "arn:aws:s3:::shop-prod-audit/*", sid="Drop"),
            )
        },
        habits=(
            does(
                quarterly(1, "05:00"),
                call("iam:GetAccountAuthorizationDetails"),
                call("iam:ListUsers"),
                call("s3:PutObject", bucket="shop-prod-audit", key="{month}/snapshot-{hex8}.json"),
                session="quarterly-audit",
            ),
        ),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "web-server-role",
        EC2,
        managed=("AmazonSSMManagedInstanceCore", "AmazonS3ReadOnlyAccess"),
        inline={"discovery": policy(allow(["ec2:Describe*", "cloudwatch:PutMetricData"], "*", sid="Discovery"))},
        profile="web-server",
        habits=tuple(
            habit
            for number, instance in enumerate(INSTANCES)
            for habit in (
                does(
                    steady(20),
                    call("ssm:UpdateInstanceInformation", instance=instance),
                    session=instance,
                    agent="aws-sdk-go/1.55.5 (go1.23.9; linux; amd64) amazon-ssm-agent/3.3.2299.0",
                    address=f"18.200.14.{21 + number}",
                ),
                does(
                    steady(12),
                    call("s3:GetObject", bucket="shop-prod-config", key="web/settings.json"),
                    call("ec2:DescribeTags"),
                    call("ec2:DescribeInstances"),
                    session=instance,
                    address=f"18.200.14.{21 + number}",
                    pick=True,
                ),
            )
        ),
        unseen=(Need("cloudwatch:PutMetricData", "*", "steady"), Need("ssmmessages:OpenControlChannel", "*", "steady")),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "search-task-role",
        ECS,
        inline={
            "search": policy(
                allow(
                    ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:DescribeTable"],
                    table("catalogue*"),
                    sid="Read",
                ),
                allow(
                    ["ssm:GetParameter", "ssm:GetParametersByPath"], f"arn:aws:ssm:{HERE}:parameter/*", sid="Settings"
                ),
                allow("ecr:*", "*", sid="Images"),
            )
        },
        habits=(
            does(
                steady(30),
                call("dynamodb:BatchGetItem", table="catalogue"),
                call("dynamodb:Query", table="catalogue"),
                session="{hex}",
                pick=True,
            ),
            does(steady(6), call("ssm:GetParametersByPath", name="/shop/search"), session="{hex}"),
            does(steady(1), call("dynamodb:Query", table="catalogue", fault="throttled"), session="{hex}"),
            does(
                daily("06:00"), call("ssm:GetParameter", name="/shop/search/synonyms", fault="missing"), session="{hex}"
            ),
        ),
        defined_in="terraform",
    ),
    # The `*` policy.
    Role(
        PROD,
        "legacy-batch-role",
        EC2,
        inline={"everything": policy(allow("*", "*"))},
        profile="legacy-batch",
        habits=(
            does(
                daily("00:30"),
                call("s3:ListObjects", bucket="shop-prod-inbox", prefix=""),
                call("s3:GetObject", bucket="shop-prod-inbox", key="{tenant}/{date}.xml", times=8),
                call("sqs:SendMessage", queue="legacy-orders", times=8),
                session=INSTANCES[0],
            ),
        ),
        unseen=(Need("sqs:PurgeQueue", f"arn:aws:sqs:{HERE}:legacy-orders", "incident"),),
        defined_in="policies",
    ),
    Role(
        PROD,
        "unused-migration-role",
        LAMBDA,
        managed=("AmazonDynamoDBFullAccess",),
        inline={"copy": policy(allow("s3:*", "*"))},
        created_days_ago=730,
        idle_days=233,
        defined_in="policies",
    ),
    # Every call it made was denied: that is not use.
    Role(
        PROD,
        "metrics-prober-role",
        LAMBDA,
        inline={"probe": policy(allow("cloudwatch:PutMetricData", "*"), allow("sqs:ListQueues", "*"))},
        habits=(
            does(
                steady(6),
                call("s3:DeleteObject", bucket="shop-prod-reports", key="probe/{hex8}", fault="denied"),
                call("dynamodb:GetItem", table="orders", fault="denied"),
                call("ec2:DescribeInstances", fault="denied"),
                session="metrics-prober",
                pick=True,
            ),
        ),
        unseen=(Need("cloudwatch:PutMetricData", "*", "steady"),),
        defined_in="policies",
    ),
    # Deny and NotAction: what a narrower policy must still say.
    Role(
        PROD,
        "data-steward-role",
        ECS,
        inline={
            "steward": policy(
                {
                    "Sid": "MostThings",
                    "Effect": "Allow",
                    "NotAction": ["iam:*", "organizations:*", "kms:*"],
                    "Resource": "*",
                },
                {
                    "Sid": "NeverTheAudit",
                    "Effect": "Deny",
                    "Action": ["s3:DeleteObject", "s3:PutObject"],
                    "Resource": "arn:aws:s3:::shop-prod-audit/*",
                },
            )
        },
        habits=(
            does(
                daily("05:30"),
                call("dynamodb:DescribeTable", table="orders"),
                call("s3:GetObject", bucket="shop-prod-reports", key="daily/{date}.csv"),
                session="{hex}",
            ),
            does(
                weekly(2, "05:45"),
                call("s3:DeleteObject", bucket="shop-prod-audit", key="{month}/draft.json", fault="denied-explicitly"),
                session="{hex}",
            ),
        ),
        defined_in="policies",
    ),
    Role(
        PROD,
        "tenant-sync-role",
        ECS,
        inline={
            "sync": policy(
                allow(
                    ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::shop-prod-tenants/*", sid="Files"
                ),
                allow("s3:ListBucket", "arn:aws:s3:::shop-prod-tenants", sid="List"),
                allow("iam:*", "*", sid="Identity"),
            )
        },
        boundary="workload-boundary",
        habits=(
            does(
                steady(20),
                call("s3:GetObject", bucket="shop-prod-tenants", key="{tenant}/in/{date}-{n}.json"),
                call("s3:PutObject", bucket="shop-prod-tenants", key="{tenant}/out/{date}-{n}.json"),
                session="{hex}",
            ),
        ),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "regional-replicator-role",
        LAMBDA,
        inline={
            "replicate": policy(
                allow(
                    ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"],
                    [table("orders"), f"arn:aws:dynamodb:{SECOND}:{PROD}:table/orders-copy"],
                    sid="Copy",
                    Condition={"StringEquals": {"aws:RequestedRegion": [HOME, SECOND]}},
                ),
            )
        },
        habits=(
            does(steady(8), call("dynamodb:Query", table="orders"), session="replicator"),
            does(
                steady(10),
                call("dynamodb:PutItem", table="orders-copy", id="{uuid}", region=SECOND),
                session="replicator",
            ),
        ),
        defined_in="terraform",
    ),
    # Made ten days ago: too new to judge what it does not use.
    Role(
        PROD,
        "gift-cards-role",
        LAMBDA,
        managed=("AWSLambdaBasicExecutionRole",),
        inline={
            "cards": policy(allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], table("gift-cards")))
        },
        created_days_ago=10,
        habits=(
            does(steady(9), call("dynamodb:GetItem", table="gift-cards", id="{n}"), session="gift-cards", since=9),
        ),
        unseen=(
            Need("dynamodb:PutItem", table("gift-cards"), "monthly"),
            Need("logs:CreateLogStream", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/gift-cards:*", "steady"),
        ),
        defined_in="policies",
    ),
    # Two roles share a customer-managed policy: editing it for one would change the other.
    Role(
        PROD,
        "order-notifier-role",
        LAMBDA,
        managed=("order-events",),
        habits=(
            does(steady(15), call("sns:Publish", topic="order-events"), session="order-notifier"),
            does(steady(15), call("dynamodb:GetItem", table="orders", id="{uuid}"), session="order-notifier"),
        ),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "order-indexer-role",
        LAMBDA,
        managed=("order-events",),
        habits=(
            does(steady(12), call("sqs:ReceiveMessage", queue="order-index"), session="order-indexer"),
            does(steady(12), call("sqs:DeleteMessage", queue="order-index"), session="order-indexer"),
        ),
        defined_in="terraform",
    ),
    Role(
        PROD,
        "order-workflow-role",
        trusts("Service", "states.amazonaws.com"),
        inline={"invoke": policy(allow("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:*", sid="Invoke"))},
        habits=(
            does(
                steady(14),
                call("lambda:Invoke", function="orders-writer"),
                call("lambda:Invoke", function="payments-handler"),
                session="{hex}",
                agent="states.amazonaws.com",
                address="states.amazonaws.com",
            ),
        ),
        defined_in="terraform",
    ),
)

POLICIES = (
    ManagedPolicy(
        PROD,
        "order-events",
        policy(
            allow(["sns:Publish", "sns:Subscribe"], f"arn:aws:sns:{HERE}:order-*", sid="Topics"),
            allow(
                ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"],
                f"arn:aws:sqs:{HERE}:order-*",
                sid="Queues",
            ),
            allow(["dynamodb:GetItem", "dynamodb:Query"], table("orders"), sid="Orders"),
        ),
    ),
    ManagedPolicy(
        PROD,
        "workload-boundary",
        policy(allow(["s3:*", "dynamodb:*", "sqs:*", "sns:*", "logs:*", "ssm:GetParameter*"], "*", sid="Workloads")),
    ),
)

FUNCTIONS = tuple(
    Lambda(PROD, name, role)
    for name, role in (
        ("orders-writer", "orders-writer-role"),
        ("invoices-writer", "invoices-writer-role"),
        ("catalogue-get", "catalogue-role"),
        ("catalogue-search", "catalogue-role"),
        ("catalogue-update", "catalogue-role"),
        ("catalogue-export", "catalogue-role"),
        ("image-resizer", "image-resizer-role"),
        ("payments-handler", "payments-handler-role"),
        ("nightly-report", "nightly-report-role"),
        ("weekly-cleanup", "weekly-cleanup-role"),
        ("monthly-billing", "monthly-billing-role"),
        ("quarterly-audit", "quarterly-audit-role"),
        ("metrics-prober", "metrics-prober-role"),
        ("replicator", "regional-replicator-role"),
        ("gift-cards", "gift-cards-role"),
        ("order-notifier", "order-notifier-role"),
        ("order-indexer", "order-indexer-role"),
    )
)

ACCOUNT = Account(PROD, "prod", (HOME, SECOND), (*ROLES, *PROD_ROLES), PROD_USERS, PROD_GROUPS, POLICIES, FUNCTIONS)
