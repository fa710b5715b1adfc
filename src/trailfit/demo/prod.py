"""Account prod: a shop's workloads and the people who run it, in one place."""

from __future__ import annotations

from trailfit.demo import functions, servers
from trailfit.demo.cast import HOME, PROD, SECOND, Account, Lambda, ManagedPolicy, allow, policy
from trailfit.demo.functions import HERE, table
from trailfit.demo.people import PROD_GROUPS, PROD_ROLES, PROD_USERS

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
        ("image-resizer", "shop-ImageResizerRole-9PD4M0XS7YLE"),
        ("payments-handler", "payments-handler-role"),
        ("nightly-report", "shop-NightlyReportRole-1K8VZ3Q6JW2R"),
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

ROLES = (*functions.ROLES, *servers.ROLES, *PROD_ROLES)
ACCOUNT = Account(PROD, "prod", (HOME, SECOND), ROLES, PROD_USERS, PROD_GROUPS, POLICIES, FUNCTIONS)
