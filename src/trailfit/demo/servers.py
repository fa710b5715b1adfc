"""Account prod's servers, tasks and odd cases: roles, their policies and, beside them, what they really do."""

from __future__ import annotations

from trailfit.demo.behaviour import call, daily, does, steady, weekly
from trailfit.demo.cast import EC2, ECS, HOME, LAMBDA, PROD, SECOND, Need, Role, allow, policy, trusts
from trailfit.demo.functions import HERE, table

INSTANCES = ("i-0a1b2c3d4e5f60718", "i-0f9e8d7c6b5a40312")

ROLES = (
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
        unseen=(Need("sqs:PurgeQueue", f"arn:aws:sqs:{HERE}:legacy-orders", "incident", observable=True),),
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
            Need("dynamodb:PutItem", table("gift-cards"), "monthly", observable=True),
            Need(
                "logs:CreateLogStream",
                f"arn:aws:logs:{HERE}:log-group:/aws/lambda/gift-cards:*",
                "steady",
                observable=True,
            ),
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
