"""Account prod's Lambda functions: execution roles, their policies and, beside them, what they really do."""

from __future__ import annotations

from trailfit.demo.behaviour import Habit, call, daily, does, monthly, once, quarterly, steady, weekly
from trailfit.demo.cast import HOME, LAMBDA, PROD, Need, Role, allow, policy

WORKER = "awslambda-worker/1.0 rusoto/0.48.0 rust/1.84.0 linux"
NODE = "aws-sdk-js/3.888.0 ua/2.1 os/linux#5.10 lang/js md/nodejs#22.18.0 exec-env/AWS_Lambda_nodejs22.x"
HERE = f"{HOME}:{PROD}"
KEY_ID = "0d5f3a9e-7c41-4b8e-9b1e-2f6c8a7d1e54"
PAYMENT_SECRET = "shop/payments/provider-Xk3f9Q"  # noqa: S105


def table(name: str) -> str:
    """Give a table's ARN."""
    return f"arn:aws:dynamodb:{HERE}:table/{name}"


def logs(function: str, rate: float = 3) -> Habit:
    """Write what Lambda does with an execution role that may log: a new stream for each new sandbox."""
    stream = call("logs:CreateLogStream", group=f"/aws/lambda/{function}", stream="{ymd}/[$LATEST]{hex}")
    return does(steady(rate), stream, session=function, agent=WORKER)


def stack_tags(logical_id: str) -> dict[str, str]:
    """Give the tags that CloudFormation puts on a role of the stack; SAM named these two roles itself."""
    stack = f"arn:aws:cloudformation:{HERE}:stack/shop/5d1f7a20-2c7e-11f0-9a53-0a1b2c3d4e5f"
    prefix = "aws:cloudformation:"
    return {f"{prefix}stack-name": "shop", f"{prefix}logical-id": logical_id, f"{prefix}stack-id": stack}


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
        "shop-ImageResizerRole-9PD4M0XS7YLE",
        LAMBDA,
        managed=("AWSLambdaBasicExecutionRole",),
        inline={
            "ImageResizerRolePolicy0": policy(
                allow("s3:*", ["arn:aws:s3:::shop-prod-media", "arn:aws:s3:::shop-prod-media/*"], sid="Media"),
            )
        },
        tags=stack_tags("ImageResizerRole"),
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
            Need("dynamodb:GetItem", table("payments"), "incident", observable=True),
            Need("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/payments-handler:*", "steady"),
        ),
        defined_in="sam",
    ),
    # Jobs whose rhythm is longer than a week.
    Role(
        PROD,
        "shop-NightlyReportRole-1K8VZ3Q6JW2R",
        LAMBDA,
        managed=("AWSLambdaBasicExecutionRole", "AmazonDynamoDBFullAccess"),
        inline={
            "NightlyReportRolePolicy1": policy(
                allow(["s3:PutObject", "s3:PutObjectAcl"], "arn:aws:s3:::shop-prod-reports/*", sid="Reports"),
            )
        },
        tags=stack_tags("NightlyReportRole"),
        habits=(
            does(
                daily("01:10"),
                call("dynamodb:Query", table="orders", times=4),
                call("s3:PutObject", bucket="shop-prod-reports", key="daily/{date}.csv"),
                session="nightly-report",
            ),
            does(
                daily("01:09"),
                call("logs:CreateLogStream", group="/aws/lambda/nightly-report", stream="{ymd}/[$LATEST]{hex}"),
                session="nightly-report",
                agent=WORKER,
            ),
        ),
        unseen=(Need("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/nightly-report:*", "daily"),),
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
)
