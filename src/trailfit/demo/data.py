"""Account data: the shop's data lake. Its trail logs S3 objects, and no other data events."""

from __future__ import annotations

from trailfit.demo.behaviour import call, daily, does, office, once, steady, weekly
from trailfit.demo.cast import (
    DATA,
    ECS,
    HOME,
    LAMBDA,
    SECOND,
    Account,
    Key,
    Lambda,
    Need,
    Role,
    Root,
    User,
    allow,
    policy,
)
from trailfit.demo.people import CONSOLE, OFFICE, audit_reader, sso_role

HERE = f"{HOME}:{DATA}"
LAKE, LAKE_KEYS = "arn:aws:s3:::shop-data-lake", "arn:aws:s3:::shop-data-lake/*"
ARCHIVE = "arn:aws:s3:::shop-data-archive/*"
LAKE_KEY_ID = "6b1d2c3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
JAVA = "aws-sdk-java/2.32.19 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10 lang/java#21.0.8"

ROLES = (
    Role(
        DATA,
        "etl-runner-role",
        ECS,
        path="/jobs/",
        inline={
            "lake": policy(
                allow(["s3:ListBucket", "s3:GetBucketLocation"], LAKE, sid="List"),
                allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], LAKE_KEYS, sid="Objects"),
                allow("glue:*", "*", sid="Catalogue"),
                allow("kms:*", f"arn:aws:kms:{HERE}:key/{LAKE_KEY_ID}", sid="Key"),
            )
        },
        habits=(
            does(
                steady(24),
                call("s3:GetObject", bucket="shop-data-lake", key="raw/orders/{date}/{hour}/{uuid}.parquet"),
                call("s3:PutObject", bucket="shop-data-lake", key="clean/orders/dt={date}/part-{n}.parquet"),
                call("kms:GenerateDataKey", key_id=LAKE_KEY_ID, via="s3.amazonaws.com"),
                session="{hex}",
                agent=JAVA,
            ),
            does(
                daily("03:00"),
                call("s3:ListObjects", bucket="shop-data-lake", prefix="clean/orders/"),
                call("glue:GetTable", database="shop", name="orders"),
                session="{hex}",
                agent=JAVA,
            ),
        ),
        defined_in="terraform",
    ),
    Role(
        DATA,
        "warehouse-loader-role",
        LAMBDA,
        path="/jobs/",
        managed=("AmazonAthenaFullAccess",),
        inline={"read": policy(allow(["s3:GetObject", "s3:ListBucket"], [LAKE, LAKE_KEYS], sid="Lake"))},
        habits=(
            does(
                weekly(0, "04:30"),
                call("athena:StartQueryExecution", workgroup="loading", token="{uuid}"),  # noqa: S106
                call("glue:GetTable", database="shop", name="orders", via="athena.amazonaws.com"),
                call("s3:GetObject", bucket="shop-data-lake", key="clean/orders/dt={date}/part-{n}.parquet", times=6),
                call("athena:GetQueryResults", workgroup="loading", query="{uuid}", times=2),
                session="warehouse-loader",
            ),
        ),
        defined_in="terraform",
    ),
    Role(
        DATA,
        "partner-export-role",
        LAMBDA,
        inline={
            "export": policy(
                allow("s3:GetObject", LAKE_KEYS, sid="Read"),
                allow(["s3:PutObject", "s3:PutObjectAcl"], "arn:aws:s3:::shop-partner-drop/*", sid="Drop"),
            )
        },
        habits=(
            does(
                daily("07:00"),
                call("s3:GetObject", bucket="shop-data-lake", key="clean/orders/dt={date}/part-00000.parquet"),
                call("s3:PutObject", bucket="shop-partner-drop", key="{tenant}/{date}.csv"),
                session="partner-export",
            ),
            does(
                once(12, "07:02"),
                call("s3:PutObject", bucket="shop-partner-drop-old", key="{tenant}/{date}.csv", fault="denied"),
                session="partner-export",
            ),
        ),
        defined_in="policies",
    ),
    Role(
        DATA,
        "lake-admin-role",
        LAMBDA,
        inline={"admin": policy(allow(["s3:*", "glue:*", "lakeformation:*"], "*"))},
        created_days_ago=500,
        idle_days=140,
        defined_in="policies",
    ),
    sso_role(
        DATA,
        "Analyst",
        "c58e13a7f2096bd4",
        ("AmazonAthenaFullAccess",),
        *(
            does(
                office(rate),
                call("athena:StartQueryExecution", workgroup="primary", token="{uuid}"),  # noqa: S106
                call("glue:GetTable", database="shop", name="orders", via="athena.amazonaws.com"),
                call("athena:GetQueryResults", workgroup="primary", query="{uuid}"),
                session=person,
                agent=CONSOLE,
                address=OFFICE,
            )
            for person, rate in (("maria@example.com", 7), ("jens@example.com", 5))
        ),
        unseen=(
            Need("athena:StopQueryExecution", f"arn:aws:athena:{HERE}:workgroup/primary", "incident", observable=True),
        ),
    ),
    audit_reader(DATA),
)

USERS = (
    User(
        DATA,
        "dave",
        inline={
            "lake": policy(allow(["s3:GetObject", "s3:ListBucket", "s3:DeleteObject"], [LAKE, LAKE_KEYS, ARCHIVE]))
        },
        keys=(Key("notebook", 130),),
        habits=(
            does(
                weekly(4, "15:20"),
                call("s3:ListObjects", bucket="shop-data-lake", prefix="clean/"),
                call("s3:GetObject", bucket="shop-data-lake", key="clean/orders/dt={date}/part-{n}.parquet", times=4),
                key="notebook",
                address="203.0.113.151",
            ),
        ),
    ),
)

FUNCTIONS = (
    Lambda(DATA, "warehouse-loader", "warehouse-loader-role"),
    Lambda(DATA, "partner-export", "partner-export-role"),
)

#: Made when the account was, never looked at since: root has a key, no MFA, and somebody signed in with it.
ROOT = Root(mfa=False, key_days=1490, signed_in_days_ago=20)

ACCOUNT = Account(DATA, "data", (HOME, SECOND), ROLES, USERS, functions=FUNCTIONS, root=ROOT)
